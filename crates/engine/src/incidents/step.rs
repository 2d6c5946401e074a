//! How incidents come up, calm down and go. The tasks look and ask for steps; only these change anything.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::engine_itself;
use crate::journal::{Draft, Journal, Tiding};
use serde_json::json;
use stella_contract::ids::{IncidentId, Tenant};
use stella_contract::incident::{
    Incident, IncidentEvent, IncidentKind, IncidentLink, IncidentState, Severity, next,
};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::incidents::{self, IncidentRecord};

/// How long a number stays below half of its threshold before the condition counts as gone, and how long an incident
/// lasts after that.
pub(crate) const CALM_MS: i64 = 30 * 60 * 1_000;

/// The noun under which history and feed speak of incidents.
const ENTITY: &str = "incident";

/// A condition that is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raise {
    /// Whose.
    pub(crate) tenant: Tenant,
    /// Of which kind.
    pub(crate) kind: IncidentKind,
    /// What exactly.
    pub(crate) subject: String,
    /// How bad.
    pub(crate) severity: Severity,
    /// The number behind it.
    pub(crate) count: i64,
    /// The number from which it came up.
    pub(crate) threshold: i64,
    /// A stable code of the cause.
    pub(crate) reason_code: String,
    /// A sentence.
    pub(crate) summary: String,
    /// Pages that show it.
    pub(crate) links: Vec<IncidentLink>,
}

/// One step of one incident.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Its condition is there.
    Raise(Box<Raise>),
    /// Its number fell below half of the threshold.
    Calm(Box<IncidentRecord>),
    /// The number rose again, though not to the threshold.
    Restless(Box<IncidentRecord>),
    /// The number stayed low: the condition is gone.
    Clear(Box<IncidentRecord>),
    /// It has been gone for long enough.
    End(Box<IncidentRecord>),
}

/// The step of an incident whose condition was not found this time, its number now being this.
pub(crate) fn look_after(record: &IncidentRecord, count: i64, now: Micros) -> Option<Step> {
    let boxed = || Box::new(record.clone());
    let waited = |since: Micros| now.ms_since(since) >= CALM_MS;
    if let Some(cleared_at) = record.incident.cleared_at {
        return waited(cleared_at).then(|| Step::End(boxed()));
    }
    let is_calm = count * 2 < record.threshold.max(1);
    match (is_calm, record.calm_since) {
        (true, None) => Some(Step::Calm(boxed())),
        (true, Some(since)) => waited(since).then(|| Step::Clear(boxed())),
        (false, Some(_)) => Some(Step::Restless(boxed())),
        (false, None) => None,
    }
}

/// Takes the steps; those that came up, or came up again.
pub(crate) async fn apply(
    engine: &Engine,
    tx: &mut Tx,
    steps: Vec<Step>,
    task: &str,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Incident>, Error> {
    let by = engine_itself(task);
    let mut risen = Vec::new();
    for step in steps {
        match step {
            Step::Raise(raise) => risen.extend(self::raise(engine, tx, *raise, &by, now, journal).await?),
            Step::Calm(mut record) => {
                record.calm_since = Some(now);
                incidents::put(tx, &record).await?;
            }
            Step::Restless(mut record) => {
                record.calm_since = None;
                incidents::put(tx, &record).await?;
            }
            Step::Clear(record) => clear(tx, *record, &by, now, journal).await?,
            Step::End(record) => end(tx, *record, &by, now, journal).await?,
        }
    }
    Ok(risen)
}

/// Whether a condition that is there changes the incident that holds its place.
pub(crate) fn is_news(raise: &Raise, record: &IncidentRecord) -> bool {
    let incident = &record.incident;
    if incident.state == IncidentState::Resolved {
        return record.calm_since.is_some();
    }
    incident.cleared_at.is_some()
        || record.calm_since.is_some()
        || raise.severity > incident.severity
        || raise.count > incident.count
}

async fn raise(
    engine: &Engine,
    tx: &mut Tx,
    raise: Raise,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Option<Incident>, Error> {
    let Some(mut record) = incidents::at(tx, &raise.tenant, raise.kind, &raise.subject).await? else {
        let id = IncidentId::from_uuid(&engine.uuid(now));
        let record = fresh(id, raise, now);
        incidents::put(tx, &record).await?;
        tell(&record.incident, None, IncidentEvent::See, by, now, journal);
        return Ok(Some(record.incident));
    };
    if !is_news(&raise, &record) {
        return Ok(None);
    }
    record.calm_since = None;
    // Who said that it is over is not told again until the condition has gone and come back.
    if record.incident.state == IncidentState::Resolved {
        incidents::put(tx, &record).await?;
        return Ok(None);
    }
    let from = record.incident.state;
    let again = record.incident.cleared_at.take().is_some();
    let worse = raise.severity > record.incident.severity;
    let incident = &mut record.incident;
    incident.state = next(from, IncidentEvent::See)?;
    incident.severity = if again { raise.severity } else { incident.severity.max(raise.severity) };
    incident.count = if again { raise.count } else { incident.count.max(raise.count) };
    incident.last_seen_at = now;
    incident.reason_code = raise.reason_code;
    incident.summary = raise.summary;
    incident.links = raise.links;
    incident.version += 1;
    if again {
        incident.ack = None;
        record.threshold = raise.threshold;
    }
    incidents::put(tx, &record).await?;
    if again || worse {
        tell(&record.incident, Some(from), IncidentEvent::See, by, now, journal);
    }
    Ok(again.then_some(record.incident))
}

fn fresh(incident_id: IncidentId, raise: Raise, now: Micros) -> IncidentRecord {
    IncidentRecord {
        key: incidents::key_of(&incident_id),
        threshold: raise.threshold,
        calm_since: None,
        incident: Incident {
            incident_id,
            tenant: raise.tenant,
            kind: raise.kind,
            alert_name: raise.kind.alert_name().to_owned(),
            severity: raise.severity,
            state: IncidentState::Open,
            opened_at: now,
            last_seen_at: now,
            count: raise.count,
            subject: raise.subject,
            reason_code: raise.reason_code,
            summary: raise.summary,
            links: raise.links,
            ack: None,
            note: None,
            cleared_at: None,
            resolved_at: None,
            resolved_by: None,
            version: 1,
        },
    }
}

async fn clear(
    tx: &mut Tx,
    mut record: IncidentRecord,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let from = record.incident.state;
    record.incident.cleared_at = Some(now);
    if from == IncidentState::Resolved {
        incidents::put(tx, &record).await?;
        return Ok(());
    }
    record.incident.state = next(from, IncidentEvent::Clear)?;
    record.incident.version += 1;
    incidents::put(tx, &record).await?;
    tell(&record.incident, Some(from), IncidentEvent::Clear, by, now, journal);
    Ok(())
}

async fn end(
    tx: &mut Tx,
    mut record: IncidentRecord,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let from = record.incident.state;
    let incident = &mut record.incident;
    incident.state = next(from, IncidentEvent::Resolve)?;
    incident.resolved_at = Some(now);
    incident.resolved_by = Some(by.actor.subject.clone());
    incident.version += 1;
    incidents::put(tx, &record).await?;
    tell(&record.incident, Some(from), IncidentEvent::Resolve, by, now, journal);
    Ok(())
}

/// Writes down and tells what happened to an incident.
pub(super) fn tell(
    incident: &Incident,
    from: Option<IncidentState>,
    event: IncidentEvent,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    let kind = match event {
        IncidentEvent::See => "incident.opened",
        IncidentEvent::Acknowledge => "incident.acknowledged",
        IncidentEvent::Clear => "incident.mitigated",
        IncidentEvent::Resolve => "incident.resolved",
    };
    let data = json!({
        "kind": incident.kind,
        "subject": incident.subject,
        "severity": incident.severity,
        "count": incident.count,
        "reasonCode": incident.reason_code,
        "summary": incident.summary,
        "note": incident.note,
    });
    let correlation_id = incident.incident_id.as_str().to_owned();
    let draft = Draft {
        job_id: None,
        run_id: None,
        entity: ENTITY,
        kind: kind.to_owned(),
        from_state: from.map(IncidentState::as_str),
        to_state: Some(incident.state.as_str()),
        attempt: None,
        lease_epoch: None,
        actor: by.actor.clone(),
        cause: by.cause.clone(),
        correlation_id: correlation_id.clone(),
        occurred_at: now,
        data: data.clone(),
    };
    let mut shown = data;
    shown["state"] = json!(incident.state);
    let tiding = Tiding {
        kind: kind.to_owned(),
        entity: ENTITY,
        id: correlation_id.clone(),
        run_id: None,
        correlation_id,
        at: now,
        data: shown,
    };
    journal.enter(&incident.tenant, draft);
    journal.tell(&incident.tenant, tiding);
}
