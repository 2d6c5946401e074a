//! Sources: where advisories, lists and SBOMs come from, and how they are doing (spec 03 §3.2).

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::fetch::Location;
use crate::ingest::IngestOrder;
use crate::jobs::{self, JobWish, Payload};
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use serde_json::json;
use stella_contract::error::{Code, FieldProblem};
use stella_contract::ids::{JobId, SourceId};
use stella_contract::job::Job;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::source::{AddSource, RunSource, Source, SourceHealth, SourceSettings, SourceType};
use stella_contract::time::Micros;
use stella_ledger::sources::{self, NewSource, SourceRow};
use stella_ledger::{LedgerError, Tx};

/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// The longest location, in bytes.
const MAX_LOCATION: usize = 2_000;
/// Failures in a row after which a source is failing.
const FAILING: i64 = 3;
/// Without a success for so long a source is stale.
const STALE_MS: i64 = 24 * 3_600 * 1_000;

/// The sources.
#[derive(Clone)]
pub struct Sources {
    engine: Engine,
}

impl Engine {
    /// The sources.
    pub fn sources(&self) -> Sources {
        Sources { engine: self.clone() }
    }
}

impl Sources {
    /// Adds a source. It is not read before somebody runs it.
    pub async fn add(&self, caller: &Caller, wish: AddSource) -> Result<Source, Error> {
        caller.demand_write(Scope::OrchSubmit)?;
        let now = self.engine.now();
        let new = NewSource {
            source_id: SourceId::from_uuid(&self.engine.uuid(now)).as_str().to_owned(),
            tenant: caller.tenant.as_str().to_owned(),
            name: checked_name(&wish.name)?,
            source_type: wish.source_type.as_str().to_owned(),
            location: checked_location(&wish.location)?,
            created_at: now.0,
        };
        let (caller, written) = (caller.clone(), new.clone());
        let row = self
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { insert(tx, &caller, &written, now).await }))
            .await
            .map_err(|error: Error| name_is_taken(error, &new.name))?;
        view(row, now)
    }

    /// Sources by name, then id.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Source>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, "sources");
        let after: Option<(String, String)> = page::after(&key, query)?;
        let (tenant, limit) = (caller.tenant.clone(), i64::from(query.size()) + 1);
        let (rows, count) = self
            .engine
            .ledger()
            .read(|tx| {
                Box::pin(async move {
                    let after = after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
                    let rows = sources::list(tx, tenant.as_str(), after, limit).await?;
                    let count = sources::count(tx, tenant.as_str()).await?;
                    Ok::<_, LedgerError>((rows, count))
                })
            })
            .await?;
        let now = self.engine.now();
        let items = rows.into_iter().map(|row| view(row, now)).collect::<Result<Vec<_>, _>>()?;
        page::of(&key, query, items, u64::try_from(count).ok(), |source| {
            (source.name.clone(), source.source_id.as_str().to_owned())
        })
    }

    /// One source.
    pub async fn get(&self, caller: &Caller, source_id: &SourceId) -> Result<Source, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, id) = (caller.tenant.clone(), source_id.clone());
        let row = self
            .engine
            .ledger()
            .read(|tx| Box::pin(async move { sources::get(tx, tenant.as_str(), id.as_str()).await }))
            .await?
            .ok_or_else(|| Error::not_found("source", source_id))?;
        view(row, self.engine.now())
    }

    /// Reads the source now: the job that does it. While such a job is open, that one is returned.
    pub async fn run(&self, caller: &Caller, source_id: &SourceId, wish: RunSource) -> Result<Job, Error> {
        caller.demand_write(Scope::OrchSubmit)?;
        if wish.force && caller.cause.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Error::new(
                Code::ReasonRequired,
                "To take a feed that came empty or shrank is written down with its reason. Give one.",
            ));
        }
        let (engine, caller) = (self.engine.clone(), caller.clone());
        let order = IngestOrder { source_id: source_id.clone(), force: wish.force };
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { submit(&engine, tx, &caller, order).await }))
            .await
    }
}

async fn insert(tx: &mut Tx, caller: &Caller, new: &NewSource, now: Micros) -> Result<SourceRow, Error> {
    sources::insert(tx, new).await?;
    let data = json!({ "sourceId": new.source_id, "name": new.name, "sourceType": new.source_type });
    let mut journal = Journal::default();
    journal.enter(
        &caller.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "source",
            kind: "orch.source.added".to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        &caller.tenant,
        Tiding {
            kind: "orch.source.added".to_owned(),
            entity: "source",
            id: new.source_id.clone(),
            run_id: None,
            correlation_id: caller.correlation_id.clone(),
            at: now,
            data,
        },
    );
    journal.write(tx).await?;
    let row = sources::get(tx, &new.tenant, &new.source_id).await?;
    row.ok_or_else(|| Error::internal("a source that was just added is gone"))
}

async fn submit(engine: &Engine, tx: &mut Tx, caller: &Caller, order: IngestOrder) -> Result<Job, Error> {
    let now = engine.now();
    let row = sources::get(tx, caller.tenant.as_str(), order.source_id.as_str())
        .await?
        .ok_or_else(|| Error::not_found("source", &order.source_id))?;
    if row.enabled == 0 {
        return Err(Error::new(Code::InvalidTransition, "The source is switched off. Switch it on first."));
    }
    let payload = serde_json::to_value(&order).map_err(Error::internal)?;
    let payload = Payload::of(&payload)?;
    if let Some(open) = open_job(tx, caller, &row).await? {
        if order.force && open.payload_digest != payload.digest() {
            let sentence =
                "The source is being read without force. Wait until that job has ended, or cancel it.";
            return Err(Error::new(Code::InvalidTransition, sentence));
        }
        return Ok(open);
    }
    let job_type = source_type(&row)?.job_type();
    let mut wish = JobWish::new(caller.tenant.clone(), job_type, payload, &caller.correlation_id);
    wish.source_id = Some(order.source_id.clone());
    wish.created_by.clone_from(&caller.subject);
    // The far side asked not to be called before; to call nevertheless would only lengthen the wait.
    wish.not_before = row.not_before.map(Micros).filter(|at| *at > now);
    let by = By { actor: caller.actor(), cause: caller.cause.clone() };
    let mut journal = Journal::default();
    let mut made = jobs::insert_many(engine, tx, vec![wish], &by, now, &mut journal).await?;
    let job = made.pop().ok_or_else(|| Error::internal("one wish made no job"))?.job;
    sources::note_job(tx, order.source_id.as_str(), job.job_id.as_str()).await?;
    journal.write(tx).await?;
    Ok(job)
}

/// The job that reads the source right now or is about to.
async fn open_job(tx: &mut Tx, caller: &Caller, row: &SourceRow) -> Result<Option<Job>, Error> {
    let Some(text) = &row.last_job_id else { return Ok(None) };
    let id: JobId =
        text.parse().map_err(|_| LedgerError::corrupt("sources", "last_job_id", &row.source_id))?;
    let found = stella_ledger::jobs::get(tx, &caller.tenant, &id).await?;
    Ok(found.filter(|record| !record.job.state.is_final()).map(jobs::view))
}

fn checked_name(text: &str) -> Result<String, Error> {
    let name = text.trim();
    let count = name.chars().count();
    if count == 0 || count > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            format!("use 1 to {MAX_NAME} characters, none of them a control character"),
        ));
    }
    Ok(name.to_owned())
}

fn checked_location(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.len() > MAX_LOCATION {
        return Err(Error::invalid("location", format!("use at most {MAX_LOCATION} bytes")));
    }
    Location::parse(text).map_err(|why| Error::invalid("location", why))?;
    Ok(text.to_owned())
}

fn name_is_taken(error: Error, name: &str) -> Error {
    if error.code != Code::Conflict {
        return error;
    }
    let sentence =
        format!("A source named `{name}` is already there. Choose another name, or run that source.");
    let field = FieldProblem {
        field: "name".to_owned(),
        code: Code::Conflict.as_str().to_owned(),
        message: "the name is taken".to_owned(),
    };
    Error::new(Code::Conflict, sentence).with_fields(vec![field])
}

fn source_type(row: &SourceRow) -> Result<SourceType, Error> {
    let corrupt = |_| LedgerError::corrupt("sources", "source_type", &row.source_id);
    Ok(row.source_type.parse().map_err(corrupt)?)
}

/// How a source is doing, judged anew at every look: nothing has to happen for it to become stale.
fn health(row: &SourceRow, now: Micros) -> SourceHealth {
    let is_waiting = row.not_before.is_some_and(|at| at > now.0);
    match (row.failures_in_a_row, row.last_success_at) {
        (failures, _) if failures >= FAILING => SourceHealth::Failing,
        (_, Some(at)) if now.ms_since(Micros(at)) > STALE_MS => SourceHealth::Stale,
        (0, Some(_)) if !is_waiting => SourceHealth::Healthy,
        (0, None) if !is_waiting => SourceHealth::Unknown,
        (_, _) => SourceHealth::Degraded,
    }
}

/// A row as every door shows it; the query of an address is not shown, since that is where people put keys.
fn view(row: SourceRow, now: Micros) -> Result<Source, Error> {
    let corrupt = |column| LedgerError::corrupt("sources", column, &row.source_id);
    let last_job_id = match &row.last_job_id {
        Some(text) => Some(text.parse().map_err(|_| corrupt("last_job_id"))?),
        None => None,
    };
    Ok(Source {
        source_id: row.source_id.parse().map_err(|_| corrupt("source_id"))?,
        tenant: row.tenant.parse().map_err(|_| corrupt("tenant"))?,
        source_type: source_type(&row)?,
        location: Location::parse(&row.location).map_err(|_| corrupt("location"))?.shown(),
        health: health(&row, now),
        last_job_id,
        name: row.name,
        enabled: row.enabled != 0,
        host: None,
        job_type: String::new(),
        paused: false,
        pause_reason: None,
        settings: SourceSettings::default(),
        windowed: false,
        low_watermark: None,
        lag_s: None,
        last_error_class: None,
        failures_in_a_row: row.failures_in_a_row,
        record_count: row.record_count,
        watermark: row.watermark,
        last_success_at: row.last_success_at.map(Micros),
        last_error_at: row.last_error_at.map(Micros),
        last_error: row.last_error,
        last_error_code: row.last_error_code,
        not_before: row.not_before.map(Micros),
        created_at: Micros(row.created_at),
        version: row.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> SourceRow {
        SourceRow {
            source_id: "src_01890000-0000-7000-8000-000000000000".to_owned(),
            tenant: "acme".to_owned(),
            name: "go".to_owned(),
            source_type: "advisory".to_owned(),
            location: "https://a.example/go.zip?key=hunter2".to_owned(),
            enabled: 1,
            record_count: 0,
            watermark: None,
            last_success_at: None,
            last_error_at: None,
            last_error: None,
            last_error_code: None,
            failures_in_a_row: 0,
            last_job_id: None,
            not_before: None,
            etag: None,
            last_modified: None,
            content_digest: None,
            content_version: 0,
            created_at: 0,
            version: 1,
        }
    }

    #[test]
    fn health_follows_from_successes_failures_and_age() {
        let now = Micros(100 * 3_600 * 1_000_000);
        let ago = |hours: i64| Some(now.minus_ms(hours * 3_600 * 1_000).0);
        for (failures, success, not_before, expected) in [
            (0, None, None, SourceHealth::Unknown),
            (1, None, None, SourceHealth::Degraded),
            (3, None, None, SourceHealth::Failing),
            (0, ago(1), None, SourceHealth::Healthy),
            (0, ago(24), None, SourceHealth::Healthy),
            (0, ago(25), None, SourceHealth::Stale),
            (2, ago(1), None, SourceHealth::Degraded),
            (2, ago(25), None, SourceHealth::Stale),
            (3, ago(1), None, SourceHealth::Failing),
            (0, ago(1), Some(now.plus_ms(1).0), SourceHealth::Degraded),
            (0, ago(1), Some(now.0), SourceHealth::Healthy),
        ] {
            let row =
                SourceRow { failures_in_a_row: failures, last_success_at: success, not_before, ..row() };
            assert_eq!(health(&row, now), expected, "{failures} {success:?} {not_before:?}");
        }
    }

    #[test]
    fn the_key_in_an_address_is_not_shown() {
        assert_eq!(view(row(), Micros(0)).unwrap().location, "https://a.example/go.zip?…");
    }

    #[test]
    fn names_and_locations_are_checked() {
        assert_eq!(checked_name(" go ").unwrap(), "go");
        for wrong in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert_eq!(checked_name(wrong).unwrap_err().fields[0].field, "name", "{wrong:?}");
        }
        assert_eq!(checked_location("feeds").unwrap_err().fields[0].field, "location");
    }
}
