//! Incidents: what needs attention comes up once per kind and subject, and goes 30 minutes after its condition went.

pub(crate) mod spike;
mod step;

pub(crate) use step::{CALM_MS, Raise, Step, apply, is_news, look_after};

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::{page, redact};
use stella_contract::error::Code;
use stella_contract::ids::IncidentId;
use stella_contract::incident::{
    Ack, Incident, IncidentEvent, IncidentFilter, NOTE_MAX, NoteIncident, next, refusal,
};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_ledger::incidents::{self, IncidentRecord};

/// The incidents.
#[derive(Clone)]
pub struct Incidents {
    engine: Engine,
}

impl Engine {
    /// The incidents.
    pub fn incidents(&self) -> Incidents {
        Incidents { engine: self.clone() }
    }
}

/// What an operator does to an incident.
enum Deed {
    Acknowledge(Option<String>),
    Resolve(String),
}

impl Incidents {
    /// The incidents of the caller's tenant that match, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &IncidentFilter,
        query: &PageQuery,
    ) -> Result<Page<Incident>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = ("incidents", &caller.tenant, filter);
        let before = page::after::<_, i64>(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (rows, total): (Vec<IncidentRecord>, Option<i64>) = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let rows = incidents::newest(tx, &tenant, &wanted, before, limit).await?;
                    Ok::<_, Error>((rows, incidents::total(tx, &tenant, &wanted).await?))
                })
            })
            .await?;
        let page = page::of(&key, query, rows, page::total(total), |record| record.key)?;
        Ok(Page {
            items: page.items.into_iter().map(|record| record.incident).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    /// One incident.
    pub async fn get(&self, caller: &Caller, id: &IncidentId) -> Result<Incident, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found: Option<IncidentRecord> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move { Ok::<_, Error>(incidents::get(tx, &tenant, &wanted).await?) })
            })
            .await?;
        Ok(found.ok_or_else(|| Error::not_found("incident", id))?.incident)
    }

    /// Says that the caller looks after it.
    pub async fn acknowledge(
        &self,
        caller: &Caller,
        id: &IncidentId,
        wish: NoteIncident,
    ) -> Result<Incident, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, Deed::Acknowledge(note_of(wish)?)).await
    }

    /// Says that it is over. The same condition raises no other until it has gone.
    pub async fn resolve(
        &self,
        caller: &Caller,
        id: &IncidentId,
        wish: NoteIncident,
    ) -> Result<Incident, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let note = note_of(wish)?.ok_or_else(|| {
            Error::invalid("note", format!("has 1 to {NOTE_MAX} characters; say what ended it"))
        })?;
        self.change(caller, id, Deed::Resolve(note)).await
    }

    async fn change(&self, caller: &Caller, id: &IncidentId, deed: Deed) -> Result<Incident, Error> {
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let (tenant, wanted, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let found = incidents::get(tx, &tenant, &wanted).await?;
                    let mut record = found.ok_or_else(|| Error::not_found("incident", &wanted))?;
                    let (now, mut journal) = (engine.now(), Journal::default());
                    let event = match &deed {
                        Deed::Acknowledge(_) => IncidentEvent::Acknowledge,
                        Deed::Resolve(_) => IncidentEvent::Resolve,
                    };
                    let incident = &mut record.incident;
                    let from = incident.state;
                    incident.state = next(from, event).map_err(|_| {
                        let why = refusal(from, event).unwrap_or("That is not possible now");
                        let sentence = format!("{why}: incident `{wanted}` is {from}.");
                        Error::new(Code::InvalidTransition, sentence)
                    })?;
                    match deed {
                        Deed::Acknowledge(note) => {
                            incident.ack = Some(Ack { by: by.actor.subject.clone(), at: now });
                            incident.note = note.or(incident.note.take());
                        }
                        Deed::Resolve(note) => {
                            incident.resolved_at = Some(now);
                            incident.resolved_by = Some(by.actor.subject.clone());
                            incident.note = Some(note);
                        }
                    }
                    incident.version += 1;
                    incidents::put(tx, &record).await?;
                    step::tell(&record.incident, Some(from), event, &by, now, &mut journal);
                    journal.leave(tx);
                    Ok(record.incident)
                })
            })
            .await
    }
}

fn note_of(wish: NoteIncident) -> Result<Option<String>, Error> {
    let note = wish.note.map(|note| redact::text(note.trim())).filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
        return Err(Error::invalid("note", format!("has 1 to {NOTE_MAX} characters")));
    }
    Ok(note)
}
