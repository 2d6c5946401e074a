//! What failed attempts say of the far side: they drive the bucket of its host and the breakers of host and type (spec
//! 02 §2.4, §2.6). Successes are not noted: they are counted from the jobs when somebody needs them.

use crate::change::{Happened, JobChange};
use crate::error::Error;
use crate::gate::{new_throttle, successes};
use crate::host_buckets;
use crate::journal::{Draft, Journal, Tiding};
use crate::limits::{bucket, host_of, uuid_of, window};
use crate::retry;
use serde_json::json;
use std::collections::BTreeMap;
use stella_contract::breaker::{BreakerEvent, BreakerKind, BreakerState, next};
use stella_contract::history::Actor;
use stella_contract::ids::{BreakerId, Tenant};
use stella_contract::job::{Cause, ErrorClass, JobEvent};
use stella_contract::throttle::{ThrottleKind, ThrottleLevel, ThrottleReason};
use stella_contract::time::Micros;
use stella_ledger::breakers::{BreakerRow, FailureSlot};
use stella_ledger::record::Cell;
use stella_ledger::throttles::ThrottleRow;
use stella_ledger::{Tx, breakers, buckets, limits, throttles};
use window::Counts;

/// Of so few failures no breaker opens, however few attempts there were.
const LEAST_FAILURES: i64 = window::LEAST_ATTEMPTS / 2;

/// One thing that failures are held against.
type Key = (String, BreakerKind, String);

/// How attempts under one key failed.
#[derive(Debug, Clone, Copy, Default)]
struct Failed {
    against: i64,
    beside: i64,
    /// The newest start of an attempt that counts.
    started_at: Option<Micros>,
}

/// Takes note of the attempts that failed; of none, nothing is done.
pub(crate) async fn attempts_ended(
    tx: &mut Tx,
    changes: &[JobChange],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let failed: Vec<(&JobChange, ErrorClass)> = changes
        .iter()
        .filter(|change| {
            matches!(change.happened, Happened::Event(JobEvent::Retry | JobEvent::Fail | JobEvent::TimeOut))
        })
        .filter_map(|change| Some((change, change.after.job.error_class?)))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let hosts = hosts_of(tx, &failed).await?;
    drive_buckets(tx, &failed, &hosts, now).await?;
    let keys = by_key(&failed, &hosts);
    count(tx, &keys, now).await?;
    for ((tenant, kind, key), failed) in keys.iter().filter(|(_, failed)| failed.against > 0) {
        judge(tx, (tenant, *kind, key), *failed, now, journal).await?;
    }
    Ok(())
}

/// The hosts of the sources that failed jobs read, by source.
async fn hosts_of(
    tx: &mut Tx,
    failed: &[(&JobChange, ErrorClass)],
) -> Result<BTreeMap<String, String>, Error> {
    let mut ids: Vec<&str> = failed
        .iter()
        .filter_map(|(change, _)| change.after.job.source_id.as_ref().map(|id| id.as_str()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = limits::sources(tx, &ids).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.source_id, host_of(&row.location)?))).collect())
}

fn host<'a>(change: &JobChange, hosts: &'a BTreeMap<String, String>) -> Option<&'a String> {
    hosts.get(change.after.job.source_id.as_ref()?.as_str())
}

/// What a host's answers do to its bucket.
async fn drive_buckets(
    tx: &mut Tx,
    failed: &[(&JobChange, ErrorClass)],
    hosts: &BTreeMap<String, String>,
    now: Micros,
) -> Result<(), Error> {
    for (change, class) in failed {
        let Some(host) = host(change, hosts) else { continue };
        let throttles = *class == ErrorClass::UpstreamThrottle || change.after.error_status == Some(503);
        let fails = matches!(class, ErrorClass::UpstreamError | ErrorClass::Timeout | ErrorClass::Network);
        if !throttles && !fails {
            continue;
        }
        let tenant = change.after.job.tenant.as_str();
        let wanted = vec![(tenant.to_owned(), host.clone())];
        let Some(mut row) = host_buckets::of(tx, wanted, now).await?.pop() else { continue };
        if throttles {
            bucket::throttled(&mut row, asked_wait(change, now), spread(change), now);
        } else {
            bucket::failed(&mut row, now);
        }
        row.version += 1;
        buckets::put(tx, &row).await?;
        let reason = if throttles { ThrottleReason::Upstream429 } else { ThrottleReason::Upstream5xx };
        // A slower rate is worth a record as long as it is slower; only a freeze has an end of its own.
        let met = ThrottleRow {
            until: row.frozen_until,
            rate_now: Some(row.current_rate),
            rate_base: Some(row.base_rate),
            last_status: change.after.error_status.or(throttles.then_some(429)),
            ..new_throttle(tenant, ThrottleKind::Bucket, host, reason, ThrottleLevel::Warn, now)
        };
        throttles::meet_many(tx, &[met]).await?;
    }
    Ok(())
}

/// How long the host asked to be left alone. The job's next attempt is due at its own delay or at the host's wish,
/// whichever is later: what goes beyond its own delay is the wish.
fn asked_wait(change: &JobChange, now: Micros) -> Option<i64> {
    let job = &change.after.job;
    let own = i64::try_from(retry::delay_ms(&job.job_id, job.attempt)).ok()?;
    let wait = job.next_eligible_at?.ms_since(now);
    (wait > own).then_some(wait)
}

/// A share of 0 to 1 that follows from the job and its attempt.
fn spread(change: &JobChange) -> f64 {
    let job = &change.after.job;
    let uuid = uuid_of(&[job.job_id.as_str()], i64::from(job.attempt));
    let first = uuid.get(..4).and_then(|hex| u16::from_str_radix(hex, 16).ok()).unwrap_or(0);
    f64::from(first) / f64::from(u16::MAX)
}

fn by_key(failed: &[(&JobChange, ErrorClass)], hosts: &BTreeMap<String, String>) -> BTreeMap<Key, Failed> {
    let mut keys: BTreeMap<Key, Failed> = BTreeMap::new();
    for (change, class) in failed {
        let (against, beside) = match window::counts(*class) {
            Counts::Against => (1, 0),
            Counts::Beside => (0, 1),
            Counts::Nowhere => continue,
        };
        let job = &change.after.job;
        let of_type = (BreakerKind::JobType, job.job_type.clone());
        let of_host = host(change, hosts).map(|host| (BreakerKind::Host, host.clone()));
        for (kind, key) in [Some(of_type), of_host].into_iter().flatten() {
            let sum = keys.entry((job.tenant.as_str().to_owned(), kind, key)).or_default();
            sum.against += against;
            sum.beside += beside;
            if against > 0 {
                sum.started_at = sum.started_at.max(change.after.attempt_started_at);
            }
        }
    }
    keys
}

async fn count(tx: &mut Tx, keys: &BTreeMap<Key, Failed>, now: Micros) -> Result<(), Error> {
    let slots: Vec<FailureSlot> = keys
        .iter()
        .map(|((tenant, kind, key), failed)| FailureSlot {
            tenant: tenant.clone(),
            kind: kind.as_str().to_owned(),
            key: key.clone(),
            slot: window::slot_of(now),
            failures: failed.against,
            others: failed.beside,
        })
        .collect();
    Ok(breakers::count_many(tx, &slots).await?)
}

/// Opens the breaker when its window says so, or when a probe failed.
async fn judge(
    tx: &mut Tx,
    (tenant, kind, key): (&str, BreakerKind, &str),
    failed: Failed,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let found = breakers::find(tx, tenant, kind.as_str(), key).await?;
    let row = found.unwrap_or_else(|| closed(tenant, kind, key, now));
    let state: BreakerState =
        Cell { table: "breakers", id: &row.breaker_id }.word("state", row.state.clone())?;
    let opens = match state {
        BreakerState::Open => false,
        BreakerState::HalfOpen => {
            let from = row.half_open_at.map(Micros);
            failed.started_at.is_some_and(|started| from.is_some_and(|from| started >= from))
        }
        BreakerState::Closed => row.forced == 0 && window_trips(tx, &row, now).await?,
    };
    if !opens {
        return Ok(());
    }
    open(tx, row, state, now, journal).await
}

async fn window_trips(tx: &mut Tx, row: &BreakerRow, now: Micros) -> Result<bool, Error> {
    let from = window::begins(now, row.window_from);
    let (failures, others) =
        breakers::failures(tx, &row.tenant, &row.kind, &row.key, window::slot_of(from)).await?;
    if failures < LEAST_FAILURES {
        return Ok(false);
    }
    // More successes than failures keep it closed; how many more does not matter.
    let succeeded = successes(tx, row, from.0, i64::MIN, failures + 1).await?;
    Ok(window::trips(failures + others + succeeded, failures))
}

async fn open(
    tx: &mut Tx,
    mut row: BreakerRow,
    state: BreakerState,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    row.state = next(state, BreakerEvent::Trip)?.as_str().to_owned();
    row.openings += 1;
    row.opened_at = Some(now.0);
    row.open_until = Some(now.plus_ms(window::open_ms(row.openings)).0);
    row.half_open_at = None;
    row.changed_at = now.0;
    "engine/breaker".clone_into(&mut row.changed_by);
    row.version += 1;
    breakers::put(tx, &row).await?;
    let met = ThrottleRow {
        until: row.open_until,
        ..new_throttle(
            &row.tenant,
            ThrottleKind::Breaker,
            &row.key,
            ThrottleReason::BreakerOpen,
            ThrottleLevel::Critical,
            now,
        )
    };
    throttles::meet_many(tx, &[met]).await?;
    note(&row, state, "orch.breaker.opened", now, journal)
}

/// A breaker that nobody has written yet: closed.
pub(crate) fn closed(tenant: &str, kind: BreakerKind, key: &str, now: Micros) -> BreakerRow {
    let uuid = uuid_of(&["breaker", tenant, kind.as_str(), key], 0);
    BreakerRow {
        breaker_id: BreakerId::from_uuid(&uuid).as_str().to_owned(),
        tenant: tenant.to_owned(),
        kind: kind.as_str().to_owned(),
        key: key.to_owned(),
        state: BreakerState::Closed.as_str().to_owned(),
        forced: 0,
        opened_at: None,
        open_until: None,
        openings: 0,
        half_open_at: None,
        window_from: i64::MIN / 2,
        operator_reason: None,
        changed_at: now.0,
        changed_by: "engine/breaker".to_owned(),
        version: 0,
    }
}

/// Writes down and tells that a breaker changed by the rules.
pub(crate) fn note(
    row: &BreakerRow,
    from: BreakerState,
    kind: &'static str,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let cell = Cell { table: "breakers", id: &row.breaker_id };
    let tenant: Tenant = cell.word("tenant", row.tenant.clone())?;
    let to: BreakerState = cell.word("state", row.state.clone())?;
    let data = json!({
        "breakerId": row.breaker_id,
        "kind": row.kind,
        "key": row.key,
        "state": to,
        "openings": row.openings,
        "openUntil": row.open_until.map(Micros),
    });
    let correlation_id = format!("breaker:{}", row.breaker_id);
    journal.enter(
        &tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "breaker",
            kind: kind.to_owned(),
            from_state: Some(from.as_str()),
            to_state: Some(to.as_str()),
            attempt: None,
            lease_epoch: None,
            actor: Actor { subject: "engine/breaker".to_owned(), scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        &tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "breaker",
            id: row.breaker_id.clone(),
            run_id: None,
            correlation_id,
            at: now,
            data,
        },
    );
    Ok(())
}
