//! Keeps the times of limits: changes go back, pauses and overrides end, breakers try again and recover, blackouts are
//! over, throttles that hold nothing any more are cleared.

use super::{Activity, Task};
use crate::engine::Engine;
use crate::error::Error;
use crate::feedback;
use crate::gate::{probes_succeeded, refill, times_of};
use crate::journal::Journal;
use crate::limit_changes::{Change, Who, note_by};
use crate::limits::{hour, spans, window};
use crate::quotas::{limits_of, resumed, reverted};
use crate::throttles::Waiting;
use async_trait::async_trait;
use std::collections::BTreeMap;
use stella_contract::breaker::{BreakerEvent, BreakerState, next};
use stella_contract::ids::Tenant;
use stella_contract::throttle::ThrottleKind;
use stella_contract::time::Micros;
use stella_ledger::breakers::BreakerRow;
use stella_ledger::record::Cell;
use stella_ledger::throttles::ThrottleRow;
use stella_ledger::{Tx, blackouts, breakers, buckets, limits, pressure, quotas, throttles};

/// While something is limited, somebody looks again after so long.
const TICK_MS: i64 = 1_000;

/// Keeps the times of limits.
pub(super) struct LimitKeeper;

#[async_trait]
impl Task for LimitKeeper {
    fn name(&self) -> &'static str {
        "limit-keeper"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let is_idle = engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let nothing = limits::in_force(tx).await?.is_nothing();
                    let none_active = throttles::active(tx).await?.is_empty();
                    Ok::<_, Error>(nothing && none_active && buckets::due(tx, now.0).await?.is_empty())
                })
            })
            .await?;
        if is_idle {
            return Ok(Activity { did: 0, next_at: None });
        }
        let own = engine.clone();
        let did = engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let (now, mut journal) = (own.now(), Journal::default());
                    let did = keep(tx, now, &mut journal).await?;
                    own.limits_seen(limits::in_force(tx).await?);
                    journal.leave(tx);
                    Ok::<_, Error>(did)
                })
            })
            .await?;
        Ok(Activity { did, next_at: Some(now.plus_ms(TICK_MS)) })
    }
}

async fn keep(tx: &mut Tx, now: Micros, journal: &mut Journal) -> Result<usize, Error> {
    let mut did = quotas_due(tx, now, journal).await?;
    for mut row in buckets::due(tx, now.0).await? {
        crate::limits::bucket::refill(&mut row, now);
        (row.override_rate, row.override_until, row.overridden_by) = (None, None, None);
        row.version += 1;
        buckets::put(tx, &row).await?;
        did += 1;
    }
    for row in breakers::not_closed(tx).await? {
        did += usize::from(breaker_due(tx, row, now, journal).await?);
    }
    for row in blackouts::not_over(tx).await? {
        if spans::coming(&times_of(&row), row.drain_before_s, now).is_empty() {
            blackouts::end(tx, &row.blackout_id, now.0).await?;
            did += 1;
        }
    }
    did += throttles_over(tx, now).await?;
    quotas::forget(tx, hour::first_counted(now)).await?;
    breakers::forget(tx, window::slot_of(now.minus_ms(2 * window::WINDOW_MS))).await?;
    Ok(did)
}

/// Quotas go back to what they were, and pauses end.
async fn quotas_due(tx: &mut Tx, now: Micros, journal: &mut Journal) -> Result<usize, Error> {
    let due = quotas::due(tx, now.0).await?;
    let did = due.len();
    for before in due {
        let mut row = before.clone();
        refill(&mut row, now);
        let reverts = row.revert_at.is_some_and(|at| at <= now.0);
        if reverts {
            reverted(&mut row)?;
        }
        if row.paused_until.is_some_and(|at| at <= now.0) {
            resumed(&mut row);
        }
        row.version += 1;
        row.updated_at = now.0;
        "engine/limit-keeper".clone_into(&mut row.updated_by);
        quotas::put(tx, &row).await?;
        let tenant: Tenant =
            Cell { table: "quotas", id: &row.quota_id }.word("tenant", row.tenant.clone())?;
        let kind = if reverts { "orch.quota.reverted" } else { "orch.quota.resumed" };
        let (was, is) = (limits_of(&before)?, limits_of(&row)?);
        let change =
            Change { entity: "quota", kind, id: &row.quota_id, before: Some(&was), after: Some(&is) };
        note_by(journal, Who::engine(&tenant, "limit-keeper"), &change, now)?;
    }
    Ok(did)
}

/// An open breaker whose time is over lets probes run; a half-open one whose probes succeeded closes.
async fn breaker_due(
    tx: &mut Tx,
    mut row: BreakerRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<bool, Error> {
    let state: BreakerState =
        Cell { table: "breakers", id: &row.breaker_id }.word("state", row.state.clone())?;
    let (event, kind) = match state {
        BreakerState::Open if row.open_until.is_some_and(|until| until <= now.0) => {
            (BreakerEvent::Elapse, "orch.breaker.half_open")
        }
        BreakerState::HalfOpen if probes_succeeded(tx, &row).await? >= window::PROBES => {
            (BreakerEvent::Recover, "orch.breaker.closed")
        }
        BreakerState::Open | BreakerState::HalfOpen | BreakerState::Closed => return Ok(false),
    };
    row.state = next(state, event)?.as_str().to_owned();
    row.open_until = None;
    row.half_open_at = (event == BreakerEvent::Elapse).then_some(now.0);
    if event == BreakerEvent::Recover {
        row.openings = 0;
        row.window_from = now.0;
    }
    row.changed_at = now.0;
    "engine/limit-keeper".clone_into(&mut row.changed_by);
    row.version += 1;
    breakers::put(tx, &row).await?;
    feedback::note(&row, state, kind, now, journal)?;
    Ok(true)
}

/// Ends throttles whose time is over, or that hold nothing any more.
async fn throttles_over(tx: &mut Tx, now: Micros) -> Result<usize, Error> {
    let active = throttles::active(tx).await?;
    if active.is_empty() {
        return Ok(0);
    }
    let mut waiting: BTreeMap<String, Waiting> = BTreeMap::new();
    let levels = pressure::all(tx).await?;
    let (mut by_timer, mut by_recovery) = (Vec::new(), Vec::new());
    for row in &active {
        let cell = Cell { table: "throttles", id: &row.throttle_id };
        let kind: ThrottleKind = cell.word("kind", row.kind.clone())?;
        if !waiting.contains_key(&row.tenant) {
            let tenant: Tenant = cell.word("tenant", row.tenant.clone())?;
            waiting.insert(row.tenant.clone(), Waiting::of(tx, &tenant, now).await?);
        }
        let holds = waiting.get(&row.tenant).map_or(0, |waiting| waiting.for_key(kind, &row.key));
        let timed_out = row.until.is_none_or(|until| until <= now.0);
        let is_over = match kind {
            ThrottleKind::Breaker => !is_guarded(tx, row).await?,
            ThrottleKind::Backpressure => {
                !levels.iter().any(|level| level.tenant == row.tenant && level.level >= 2)
            }
            ThrottleKind::Bucket | ThrottleKind::Blackout => timed_out && holds == 0,
            ThrottleKind::Quota | ThrottleKind::Manual => holds == 0,
        };
        if is_over {
            let by =
                if row.until.is_some_and(|until| until <= now.0) { &mut by_timer } else { &mut by_recovery };
            by.push(row.throttle_id.as_str());
        }
    }
    for (ids, by) in [(&by_timer, "timer"), (&by_recovery, "recovery")] {
        if !ids.is_empty() {
            throttles::clear_many(tx, ids, now.0, by).await?;
        }
    }
    Ok(by_timer.len() + by_recovery.len())
}

/// Whether a breaker of this host or type is still not closed.
async fn is_guarded(tx: &mut Tx, row: &ThrottleRow) -> Result<bool, Error> {
    let rows = breakers::not_closed(tx).await?;
    Ok(rows.iter().any(|breaker| breaker.tenant == row.tenant && breaker.key == row.key))
}
