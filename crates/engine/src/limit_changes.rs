//! What every change of a limit shares: it is written down with what was before and after, told, and refused to those
//! who saw an older version.

use crate::caller::Caller;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use serde::Serialize;
use serde_json::{Value, json};
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::ids::Tenant;
use stella_contract::job::Cause;
use stella_contract::time::Micros;

/// A change of one limit.
pub(crate) struct Change<'a, T> {
    /// The noun: `quota`, `throttle`, `breaker`, `blackout`, `bucket`, `pool`.
    pub(crate) entity: &'static str,
    /// What happened: `orch.quota.changed`.
    pub(crate) kind: &'static str,
    /// The thing's id.
    pub(crate) id: &'a str,
    /// What it was; nothing when it is new.
    pub(crate) before: Option<&'a T>,
    /// What it is; nothing when it is gone.
    pub(crate) after: Option<&'a T>,
}

/// Writes a change down and tells it.
pub(crate) fn note<T: Serialize>(
    journal: &mut Journal,
    caller: &Caller,
    change: &Change<'_, T>,
    now: Micros,
) -> Result<(), Error> {
    let by = Who {
        tenant: &caller.tenant,
        actor: caller.actor(),
        cause: caller.cause.clone(),
        correlation_id: caller.correlation_id.clone(),
    };
    note_by(journal, by, change, now)
}

/// Who changed a limit.
pub(crate) struct Who<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) actor: Actor,
    pub(crate) cause: Cause,
    pub(crate) correlation_id: String,
}

impl<'a> Who<'a> {
    /// The engine by itself, because a time has come.
    pub(crate) fn engine(tenant: &'a Tenant, subject: &str) -> Self {
        Self {
            tenant,
            actor: Actor { subject: format!("engine/{subject}"), scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: format!("engine:{subject}"),
        }
    }
}

/// The same for whoever it was.
pub(crate) fn note_by<T: Serialize>(
    journal: &mut Journal,
    by: Who<'_>,
    change: &Change<'_, T>,
    now: Micros,
) -> Result<(), Error> {
    let plain = |thing: Option<&T>| -> Result<Value, Error> {
        thing.map_or(Ok(Value::Null), |thing| serde_json::to_value(thing).map_err(Error::internal))
    };
    let (before, after) = (plain(change.before)?, plain(change.after)?);
    let told = if after.is_null() { before.clone() } else { after.clone() };
    journal.enter(
        by.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: change.entity,
            kind: change.kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: by.actor,
            cause: by.cause,
            correlation_id: by.correlation_id.clone(),
            occurred_at: now,
            data: json!({ "id": change.id, "before": before, "after": after }),
        },
    );
    journal.tell(
        by.tenant,
        Tiding {
            kind: change.kind.to_owned(),
            entity: change.entity,
            id: change.id.to_owned(),
            run_id: None,
            correlation_id: by.correlation_id,
            at: now,
            data: told,
        },
    );
    Ok(())
}

/// Refuses a change by somebody who saw another version.
pub(crate) fn demand_version(expected: Option<i64>, found: i64) -> Result<(), Error> {
    if expected.is_none_or(|expected| expected == found) {
        return Ok(());
    }
    Err(Error::new(
        Code::VersionMismatch,
        format!("It was changed since it was read: its version is {found} now. Read it again."),
    ))
}

/// Refuses a number outside of its bounds.
pub(crate) fn demand_within(
    field: &str,
    number: i64,
    bounds: std::ops::RangeInclusive<i64>,
) -> Result<(), Error> {
    if bounds.contains(&number) {
        return Ok(());
    }
    Err(Error::invalid(field, format!("is {} to {}", bounds.start(), bounds.end())))
}
