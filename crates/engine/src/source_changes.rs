//! Changing, holding and letting go of sources (spec 03 §3.2).

use crate::caller::Caller;
use crate::error::Error;
use crate::fetch::Location;
use crate::host_buckets;
use crate::journal::{Draft, Journal, Tiding};
use crate::secrets::is_name;
use crate::sources::{self as rules, Sources};
use serde_json::{Value, json};
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::scope::Scope;
use stella_contract::source::{Source, SourceType, UpdateSource};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::sources::{self, SourceChange, SourceRow};

impl Sources {
    /// Changes a source; what the wish does not name stays.
    pub async fn update(
        &self,
        caller: &Caller,
        source_id: &SourceId,
        wish: UpdateSource,
    ) -> Result<Source, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let name = wish.name.clone().unwrap_or_default();
        let done = self.change(caller, source_id, "orch.source.changed", move |row, change| {
            if wish.version.is_some_and(|version| version != row.version) {
                let sentence = format!("The source is at version {} by now. Look at it again.", row.version);
                return Err(Error::new(Code::VersionMismatch, sentence));
            }
            apply(wish, row, change)
        });
        done.await.map_err(|error| rules::name_is_taken(error, &name))
    }

    /// Holds a source: it is not read until it is let go on, nor is a backfill of it.
    pub async fn pause(&self, caller: &Caller, source_id: &SourceId) -> Result<Source, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let reason = caller.cause.reason.clone();
        let done = self.change(caller, source_id, "orch.source.paused", move |row, change| {
            if row.paused != 0 {
                return Err(Error::new(Code::InvalidTransition, "The source is paused already."));
            }
            change.paused = 1;
            change.pause_reason = reason;
            Ok(())
        });
        done.await
    }

    /// Lets a source go on.
    pub async fn resume(&self, caller: &Caller, source_id: &SourceId) -> Result<Source, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let done = self.change(caller, source_id, "orch.source.resumed", |row, change| {
            if row.paused == 0 {
                return Err(Error::new(Code::InvalidTransition, "The source is not paused."));
            }
            change.paused = 0;
            change.pause_reason = None;
            Ok(())
        });
        done.await
    }

    async fn change<F>(
        &self,
        caller: &Caller,
        source_id: &SourceId,
        kind: &'static str,
        decide: F,
    ) -> Result<Source, Error>
    where
        F: FnOnce(&SourceRow, &mut SourceChange) -> Result<(), Error> + Send + 'static,
    {
        let (now, writer, id) = (self.engine.now(), caller.clone(), source_id.clone());
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { change_in(tx, &writer, &id, kind, decide, now).await }))
            .await
    }
}

async fn change_in<F>(
    tx: &mut Tx,
    caller: &Caller,
    source_id: &SourceId,
    kind: &'static str,
    decide: F,
    now: Micros,
) -> Result<Source, Error>
where
    F: FnOnce(&SourceRow, &mut SourceChange) -> Result<(), Error> + Send,
{
    let row = rules::found(tx, &caller.tenant, source_id).await?;
    let mut change = unchanged(&row);
    decide(&row, &mut change)?;
    if sources::change(tx, &change).await? == 0 {
        return Err(Error::new(Code::VersionMismatch, "The source was changed meanwhile. Look at it again."));
    }
    host_buckets::settle(tx, &row.tenant, &[&row.host, &change.host], now).await?;
    let mut journal = Journal::default();
    note(&mut journal, caller, &row, kind, changes(&row, &change), now);
    journal.leave(tx);
    tx.note_work();
    rules::shown(tx, &caller.tenant, source_id, now).await
}

/// What was done to a source is written down and told.
pub(crate) fn note(
    journal: &mut Journal,
    caller: &Caller,
    row: &SourceRow,
    kind: &'static str,
    mut data: Value,
    now: Micros,
) {
    data["sourceId"] = json!(row.source_id);
    data["name"] = json!(row.name);
    journal.enter(
        &caller.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "source",
            kind: kind.to_owned(),
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
            kind: kind.to_owned(),
            entity: "source",
            id: row.source_id.clone(),
            run_id: None,
            correlation_id: caller.correlation_id.clone(),
            at: now,
            data,
        },
    );
}

/// A change that leaves everything as it is.
pub(crate) fn unchanged(row: &SourceRow) -> SourceChange {
    SourceChange {
        source_id: row.source_id.clone(),
        version: row.version,
        name: row.name.clone(),
        location: row.location.clone(),
        host: row.host.clone(),
        enabled: row.enabled,
        job_type: row.job_type.clone(),
        paused: row.paused,
        pause_reason: row.pause_reason.clone(),
        fetch_window_s: row.fetch_window_s,
        overlap_s: row.overlap_s,
        allowed_lateness_s: row.allowed_lateness_s,
        retention_days: row.retention_days,
        bucket_capacity: row.bucket_capacity,
        bucket_rate: row.bucket_rate,
        auth_ref: row.auth_ref.clone(),
        forgets: false,
    }
}

fn apply(wish: UpdateSource, row: &SourceRow, change: &mut SourceChange) -> Result<(), Error> {
    if let Some(name) = wish.name {
        change.name = rules::checked_name(&name)?;
    }
    if let Some(location) = wish.location {
        change.location = rules::checked_location(&location)?;
        change.host = rules::host_of(&change.location);
        // What another place said is nothing to go by.
        change.forgets = change.location != row.location;
    }
    if let Some(enabled) = wish.enabled {
        change.enabled = i64::from(enabled);
    }
    if let Some(job_type) = wish.job_type {
        if row.source_type != SourceType::Custom.as_str() {
            return Err(Error::invalid("jobType", "only a custom source has a job type of its own"));
        }
        change.job_type = Some(crate::intake::checked_job_type("jobType", &job_type)?);
    }
    for (field, given, place, most) in [
        ("fetchWindowS", wish.fetch_window_s, &mut change.fetch_window_s, 60..=604_800),
        ("overlapS", wish.overlap_s, &mut change.overlap_s, 0..=86_400),
        ("allowedLatenessS", wish.allowed_lateness_s, &mut change.allowed_lateness_s, 0..=604_800),
        ("retentionDays", wish.retention_days, &mut change.retention_days, 1..=3_650),
        ("bucketCapacity", wish.bucket_capacity, &mut change.bucket_capacity, 1..=10_000),
    ] {
        let Some(number) = given else { continue };
        if !most.contains(&number) {
            return Err(Error::invalid(field, format!("is {} to {}", most.start(), most.end())));
        }
        *place = number;
    }
    if let Some(rate) = wish.bucket_rate {
        if !(rate > 0.0 && rate <= 1_000.0) {
            return Err(Error::invalid("bucketRate", "is above 0 and up to 1000 requests per second"));
        }
        change.bucket_rate = rate;
    }
    if let Some(name) = wish.auth_ref {
        let name = name.trim();
        if !name.is_empty() && !is_name(name) {
            let why = "is the name of a secret of the core: at most 200 letters, digits, `.`, `_`, `-`, with `/` between";
            return Err(Error::invalid("authRef", why));
        }
        change.auth_ref = Some(name.to_owned()).filter(|name| !name.is_empty());
    }
    Ok(())
}

/// What differs, before and after; a location without its query, since that is where people put keys.
fn changes(row: &SourceRow, change: &SourceChange) -> Value {
    let before = unchanged(row);
    let place = |text: &str| Location::parse(text).map_or_else(|_| String::new(), |place| place.shown());
    let mut told = json!({});
    let mut tell = |field: &str, before: Value, after: Value| {
        if before != after {
            told[field] = json!({ "before": before, "after": after });
        }
    };
    tell("name", json!(before.name), json!(change.name));
    tell("location", json!(place(&before.location)), json!(place(&change.location)));
    tell("enabled", json!(before.enabled != 0), json!(change.enabled != 0));
    tell("jobType", json!(before.job_type), json!(change.job_type));
    tell("paused", json!(before.paused != 0), json!(change.paused != 0));
    tell("fetchWindowS", json!(before.fetch_window_s), json!(change.fetch_window_s));
    tell("overlapS", json!(before.overlap_s), json!(change.overlap_s));
    tell("allowedLatenessS", json!(before.allowed_lateness_s), json!(change.allowed_lateness_s));
    tell("retentionDays", json!(before.retention_days), json!(change.retention_days));
    tell("bucketCapacity", json!(before.bucket_capacity), json!(change.bucket_capacity));
    tell("bucketRate", json!(before.bucket_rate), json!(change.bucket_rate));
    tell("authRef", json!(before.auth_ref), json!(change.auth_ref));
    told
}
