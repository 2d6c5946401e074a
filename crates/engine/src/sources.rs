//! Sources: where advisories, lists and SBOMs come from, and how they are doing (spec 03 §3.2).

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::fetch::Location;
use crate::ingest::IngestOrder;
use crate::ingest::window::is_windowed;
use crate::jobs::{self, JobWish, Payload};
use crate::journal::Journal;
use crate::page;
use crate::source_changes::note;
use crate::watermarks::lag_s;
use serde_json::json;
use std::collections::HashMap;
use stella_contract::error::{Code, FieldProblem};
use stella_contract::ids::{JobId, SourceId, Tenant};
use stella_contract::job::Job;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::source::{
    AddSource, RunSource, Source, SourceFilter, SourceHealth, SourceSettings, SourceType,
};
use stella_contract::time::Micros;
use stella_ledger::sources::{self, NewSource, SourceRow};
use stella_ledger::{LedgerError, Tx, watermarks};

/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// The longest location, in bytes.
const MAX_LOCATION: usize = 2_000;
/// Failures in a row after which a source is failing.
const FAILING: i64 = 3;
/// A success counts as fresh for so many windows.
const FRESH_WINDOWS: i64 = 2;
/// Without a success for so long a source is stale.
const STALE_MS: i64 = 24 * 3_600 * 1_000;

/// The sources.
#[derive(Clone)]
pub struct Sources {
    pub(crate) engine: Engine,
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
            host: host_of(&wish.location),
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
        view(row, None, now)
    }

    /// Sources by name, then id.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &SourceFilter,
        query: &PageQuery,
    ) -> Result<Page<Source>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, "sources", filter);
        let after: Option<(String, String)> = page::after(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (rows, count) = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let after = after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
                    let rows = sources::list(tx, tenant.as_str(), &wanted, after, limit).await?;
                    let count = sources::total(tx, tenant.as_str(), &wanted).await?;
                    let ids: Vec<String> = rows.iter().map(|row| row.source_id.clone()).collect();
                    let lows: HashMap<String, Option<i64>> =
                        watermarks::lows(tx, &ids).await?.into_iter().collect();
                    Ok::<_, LedgerError>((with_lows(rows, &lows), count))
                })
            })
            .await?;
        let now = self.engine.now();
        let items = rows.into_iter().map(|(row, low)| view(row, low, now)).collect::<Result<Vec<_>, _>>()?;
        page::of(&key, query, items, page::total(count), |source| {
            (source.name.clone(), source.source_id.as_str().to_owned())
        })
    }

    /// One source.
    pub async fn get(&self, caller: &Caller, source_id: &SourceId) -> Result<Source, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, id, now) = (caller.tenant.clone(), source_id.clone(), self.engine.now());
        self.engine.ledger().read(move |tx| Box::pin(async move { shown(tx, &tenant, &id, now).await })).await
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
        let order = IngestOrder::whole(source_id.clone(), wish.force);
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { submit(&engine, tx, &caller, order).await }))
            .await
    }
}

async fn insert(tx: &mut Tx, caller: &Caller, new: &NewSource, now: Micros) -> Result<SourceRow, Error> {
    sources::insert(tx, new).await?;
    let row = sources::get(tx, &new.tenant, &new.source_id).await?;
    let row = row.ok_or_else(|| Error::internal("a source that was just added is gone"))?;
    let mut journal = Journal::default();
    let data = json!({ "sourceType": new.source_type });
    note(&mut journal, caller, &row, "orch.source.added", data, now);
    journal.leave(tx);
    Ok(row)
}

/// The source, or that the tenant has none of this id.
pub(crate) async fn found(tx: &mut Tx, tenant: &Tenant, source_id: &SourceId) -> Result<SourceRow, Error> {
    let row = sources::get(tx, tenant.as_str(), source_id.as_str()).await?;
    row.ok_or_else(|| Error::not_found("source", source_id))
}

/// The source as every door shows it.
pub(crate) async fn shown(
    tx: &mut Tx,
    tenant: &Tenant,
    source_id: &SourceId,
    now: Micros,
) -> Result<Source, Error> {
    let row = found(tx, tenant, source_id).await?;
    let low = watermarks::lows(tx, std::slice::from_ref(&row.source_id)).await?.pop();
    view(row, low.and_then(|(_, low)| low), now)
}

fn with_lows(rows: Vec<SourceRow>, lows: &HashMap<String, Option<i64>>) -> Vec<(SourceRow, Option<i64>)> {
    let low = |row: &SourceRow| lows.get(&row.source_id).copied().flatten();
    rows.into_iter().map(|row| (low(&row), row)).map(|(low, row)| (row, low)).collect()
}

/// Why a source may not be read now.
pub(crate) fn refusal(row: &SourceRow) -> Option<Error> {
    if row.enabled == 0 {
        return Some(Error::new(Code::SourceDisabled, "The source is switched off. Switch it on first."));
    }
    (row.paused != 0).then(|| Error::new(Code::SourcePaused, "The source is paused. Resume it first."))
}

async fn submit(engine: &Engine, tx: &mut Tx, caller: &Caller, order: IngestOrder) -> Result<Job, Error> {
    let now = engine.now();
    let row = found(tx, &caller.tenant, &order.source_id).await?;
    if let Some(refusal) = refusal(&row) {
        return Err(refusal);
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
    let mut wish = JobWish::new(caller.tenant.clone(), &job_type(&row)?, payload, &caller.correlation_id);
    wish.source_id = Some(order.source_id.clone());
    wish.created_by.clone_from(&caller.subject);
    // The far side asked not to be called before; to call nevertheless would only lengthen the wait.
    wish.not_before = row.not_before.map(Micros).filter(|at| *at > now);
    let by = By { actor: caller.actor(), cause: caller.cause.clone() };
    let mut journal = Journal::default();
    let mut made = jobs::insert_many(engine, tx, vec![wish], &by, now, &mut journal).await?;
    let job = made.pop().ok_or_else(|| Error::internal("one wish made no job"))?.job;
    sources::note_job(tx, order.source_id.as_str(), job.job_id.as_str()).await?;
    journal.leave(tx);
    Ok(job)
}

/// The job that reads the source right now or is about to.
async fn open_job(tx: &mut Tx, caller: &Caller, row: &SourceRow) -> Result<Option<Job>, Error> {
    open_reading(tx, &caller.tenant, row).await
}

/// The newest live reading of a source, while it has not ended.
pub(crate) async fn open_reading(
    tx: &mut Tx,
    tenant: &Tenant,
    row: &SourceRow,
) -> Result<Option<Job>, Error> {
    let Some(text) = &row.last_job_id else { return Ok(None) };
    let id: JobId =
        text.parse().map_err(|_| LedgerError::corrupt("sources", "last_job_id", &row.source_id))?;
    let found = stella_ledger::jobs::get(tx, tenant, &id).await?;
    Ok(found.filter(|record| !record.job.state.is_final()).map(jobs::view))
}

pub(crate) fn checked_name(text: &str) -> Result<String, Error> {
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

pub(crate) fn checked_location(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.len() > MAX_LOCATION {
        return Err(Error::invalid("location", format!("use at most {MAX_LOCATION} bytes")));
    }
    Location::parse(text).map_err(|why| Error::invalid("location", why))?;
    Ok(text.to_owned())
}

pub(crate) fn name_is_taken(error: Error, name: &str) -> Error {
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

pub(crate) fn source_type(row: &SourceRow) -> Result<SourceType, Error> {
    let corrupt = |_| LedgerError::corrupt("sources", "source_type", &row.source_id);
    Ok(row.source_type.parse().map_err(corrupt)?)
}

/// The type of the job that reads the source.
pub(crate) fn job_type(row: &SourceRow) -> Result<String, Error> {
    Ok(row.job_type.clone().unwrap_or(source_type(row)?.job_type().to_owned()))
}

/// What buckets and breakers know the far side by; nothing for what lies on this machine.
pub(crate) fn host_of(location: &str) -> Option<String> {
    match Location::parse(location.trim()).ok()? {
        Location::Web(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}{port}", url.host_str()?.to_ascii_lowercase()))
        }
        Location::Path(_) => None,
    }
}

/// How the source is read.
pub(crate) fn settings(row: &SourceRow) -> SourceSettings {
    SourceSettings {
        fetch_window_s: row.fetch_window_s,
        overlap_s: row.overlap_s,
        allowed_lateness_s: row.allowed_lateness_s,
        retention_days: row.retention_days,
        bucket_capacity: row.bucket_capacity,
        bucket_rate: row.bucket_rate,
        auth_ref: row.auth_ref.clone(),
    }
}

/// How a source is doing, judged anew at every look: nothing has to happen for it to become stale.
fn health(row: &SourceRow, now: Micros) -> SourceHealth {
    if row.enabled == 0 {
        return SourceHealth::Disabled;
    }
    if row.paused != 0 {
        return SourceHealth::Paused;
    }
    let is_waiting = row.not_before.is_some_and(|at| at > now.0);
    let is_fresh = |at: i64| now.ms_since(Micros(at)) <= FRESH_WINDOWS * row.fetch_window_s * 1_000;
    match (row.failures_in_a_row, row.last_success_at) {
        (failures, _) if failures >= FAILING => SourceHealth::Failing,
        (_, Some(at)) if now.ms_since(Micros(at)) > STALE_MS => SourceHealth::Stale,
        (0, Some(at)) if !is_waiting && is_fresh(at) => SourceHealth::Healthy,
        (0, None) if !is_waiting => SourceHealth::Unknown,
        (_, _) => SourceHealth::Degraded,
    }
}

/// A row as every door shows it; the query of an address is not shown, since that is where people put keys.
fn view(row: SourceRow, low: Option<i64>, now: Micros) -> Result<Source, Error> {
    let corrupt = |column| LedgerError::corrupt("sources", column, &row.source_id);
    let last_job_id = match &row.last_job_id {
        Some(text) => Some(text.parse().map_err(|_| corrupt("last_job_id"))?),
        None => None,
    };
    let (job_type, settings) = (job_type(&row)?, settings(&row));
    Ok(Source {
        source_id: row.source_id.parse().map_err(|_| corrupt("source_id"))?,
        tenant: row.tenant.parse().map_err(|_| corrupt("tenant"))?,
        source_type: source_type(&row)?,
        location: Location::parse(&row.location).map_err(|_| corrupt("location"))?.shown(),
        health: health(&row, now),
        last_job_id,
        name: row.name,
        enabled: row.enabled != 0,
        host: row.host.clone(),
        job_type,
        paused: row.paused != 0,
        pause_reason: row.pause_reason.clone(),
        settings,
        windowed: is_windowed(&row.location),
        low_watermark: low.map(Micros),
        lag_s: low.map(|low| lag_s(Micros(low), now)),
        last_error_class: match &row.last_error_class {
            Some(text) => Some(text.parse().map_err(|_| corrupt("last_error_class"))?),
            None => None,
        },
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
            host: Some("a.example".to_owned()),
            job_type: None,
            paused: 0,
            pause_reason: None,
            fetch_window_s: 3_600,
            overlap_s: 300,
            allowed_lateness_s: 900,
            retention_days: 365,
            bucket_capacity: 10,
            bucket_rate: 1.0,
            auth_ref: None,
            last_error_class: None,
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
            (0, ago(2), None, SourceHealth::Healthy),
            (0, ago(3), None, SourceHealth::Degraded),
            (0, ago(24), None, SourceHealth::Degraded),
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
    fn a_source_that_is_held_or_switched_off_says_so_whatever_else_there_is() {
        let now = Micros(0);
        let paused = SourceRow { paused: 1, failures_in_a_row: 3, ..row() };
        assert_eq!(health(&paused, now), SourceHealth::Paused);
        assert_eq!(health(&SourceRow { enabled: 0, ..paused }, now), SourceHealth::Disabled);
    }

    #[test]
    fn the_far_side_is_known_by_its_host_and_an_unusual_port() {
        for (location, host) in [
            ("https://Feeds.example/go.zip?key=1", Some("feeds.example")),
            ("https://feeds.example:443/go.zip", Some("feeds.example")),
            ("http://127.0.0.1:8080/x", Some("127.0.0.1:8080")),
            ("/srv/feeds", None),
        ] {
            assert_eq!(host_of(location).as_deref(), host, "{location}");
        }
    }

    #[test]
    fn the_key_in_an_address_is_not_shown() {
        assert_eq!(view(row(), None, Micros(0)).unwrap().location, "https://a.example/go.zip?…");
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
