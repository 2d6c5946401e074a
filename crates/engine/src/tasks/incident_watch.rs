//! Looks for what needs attention beside dead letters: breakers that opened, pools that lose their leases, jobs that
//! run and get no further, a planner that is silent, fires that passed while nobody was there.

use super::{Activity, Task};
use crate::engine::Engine;
use crate::error::Error;
use crate::incidents::{CALM_MS, Raise, Step, apply, is_news};
use crate::journal::Journal;
use crate::limits::pool::percentile;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use stella_contract::ids::{JobId, Tenant};
use stella_contract::incident::{IncidentKind, IncidentLink, Severity};
use stella_contract::route::Route;
use stella_contract::run_alert::PLANNER_GONE_MS;
use stella_contract::time::Micros;
use stella_ledger::incidents::{self, IncidentRecord, Mark, RunningRow};
use stella_ledger::{LedgerError, Tx, breakers, runs, schedules};

/// How often running jobs and lost fires are looked at, and everything is when nothing happens.
const EVERY_MS: i64 = 60 * 1_000;
/// The span in which expired leases are counted.
const STALL_MS: i64 = 5 * 60 * 1_000;
/// Expired leases of one pool in it that are a stall.
const STALL: i64 = 3;
/// A job is stuck at the earliest after so long, and after three times what nearly all of its type take.
const STUCK_MS: i64 = 10 * 60 * 1_000;
const TIMES: i64 = 3;
/// Successful jobs of a type from which that is learned, of the last day.
const SAMPLES: i64 = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Lost fires are an incident for so long after they were found.
const LOST_MS: i64 = 60 * 60 * 1_000;
const KINDS: [IncidentKind; 5] = [
    IncidentKind::BreakerOpened,
    IncidentKind::LeaseStall,
    IncidentKind::JobStuck,
    IncidentKind::PlannerStalled,
    IncidentKind::ScheduleMissed,
];

/// Raises incidents of breakers, pools and jobs.
#[derive(Debug, Default)]
pub(super) struct IncidentWatch {
    /// When it last looked at running jobs, in microseconds.
    looked: AtomicI64,
    /// When it first looked at anything, in microseconds.
    began: AtomicI64,
}

/// What one look found.
#[derive(Default)]
struct Seen {
    steps: Vec<Step>,
    marks: Vec<Mark>,
}

#[async_trait]
impl Task for IncidentWatch {
    fn name(&self) -> &'static str {
        "incident-watch"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let due = Micros(self.looked.load(Ordering::Relaxed)).plus_ms(EVERY_MS);
        let looks_at_jobs = now >= due;
        let began = match self.began.compare_exchange(0, now.0, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => now,
            Err(began) => Micros(began),
        };
        let tenants = engine.options().tenants.clone();
        let seen: Seen = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { look(tx, &tenants, looks_at_jobs, (began, now)).await })
            })
            .await?;
        if looks_at_jobs {
            self.looked.store(now.0, Ordering::Relaxed);
        }
        let did = seen.steps.len() + seen.marks.len();
        if did > 0 {
            let (own, name) = (engine.clone(), self.name());
            engine
                .ledger()
                .write::<_, Error, _>(move |tx| {
                    Box::pin(async move {
                        let mut journal = Journal::default();
                        incidents::mark_many(tx, &seen.marks).await?;
                        incidents::forget_expiries(tx, now.minus_ms(DAY_MS)).await?;
                        apply(&own, tx, seen.steps, name, now, &mut journal).await?;
                        journal.leave(tx);
                        Ok(())
                    })
                })
                .await?;
        }
        Ok(Activity { did, next_at: Some(now.plus_ms(EVERY_MS)) })
    }
}

async fn look(
    tx: &mut Tx,
    tenants: &[Tenant],
    looks_at_jobs: bool,
    (began, now): (Micros, Micros),
) -> Result<Seen, LedgerError> {
    let mut seen = Seen::default();
    let mut raises = breakers_open(tx).await?;
    raises.extend(pools_stalled(tx, now).await?);
    raises.extend(planner_stalled(tx, tenants, began, now).await?);
    let mut kinds = vec![IncidentKind::BreakerOpened, IncidentKind::LeaseStall, IncidentKind::PlannerStalled];
    if looks_at_jobs {
        let (stuck, marks) = jobs_stuck(tx, now).await?;
        raises.extend(stuck);
        raises.extend(fires_lost(tx, now).await?);
        seen.marks = marks;
        kinds.extend([IncidentKind::JobStuck, IncidentKind::ScheduleMissed]);
    }
    for tenant in tenants {
        let live = incidents::live(tx, tenant, &KINDS).await?;
        for raise in raises.iter().filter(|raise| raise.tenant == *tenant) {
            if live.iter().find(|record| is_of(record, raise)).is_none_or(|record| is_news(raise, record)) {
                seen.steps.push(Step::Raise(Box::new(raise.clone())));
            }
        }
        for record in live.iter().filter(|record| kinds.contains(&record.incident.kind)) {
            let is_there =
                raises.iter().any(|raise| raise.tenant == record.incident.tenant && is_of(record, raise));
            if !is_there {
                seen.steps.extend(gone(record, now));
            }
        }
    }
    Ok(seen)
}

fn is_of(record: &IncidentRecord, raise: &Raise) -> bool {
    record.incident.kind == raise.kind && record.incident.subject == raise.subject
}

/// The step of an incident whose condition is not there. Such a condition is there or not, so nothing has to calm down.
fn gone(record: &IncidentRecord, now: Micros) -> Option<Step> {
    match record.incident.cleared_at {
        None => Some(Step::Clear(Box::new(record.clone()))),
        Some(at) => (now.ms_since(at) >= CALM_MS).then(|| Step::End(Box::new(record.clone()))),
    }
}

fn link(route: Route) -> IncidentLink {
    IncidentLink { title: route.title().to_owned(), path: route.path() }
}

async fn breakers_open(tx: &mut Tx) -> Result<Vec<Raise>, LedgerError> {
    let mut raises = Vec::new();
    for row in breakers::not_closed(tx).await? {
        let tenant: Tenant =
            row.tenant.parse().map_err(|_| LedgerError::corrupt("breakers", "tenant", &row.breaker_id))?;
        let what = if row.kind == "host" { "calls to" } else { "jobs of type" };
        raises.push(Raise {
            tenant,
            kind: IncidentKind::BreakerOpened,
            subject: format!("{}:{}", row.kind, row.key),
            severity: Severity::Warning,
            count: row.openings.max(1),
            threshold: 1,
            reason_code: "BREAKER_OPEN".to_owned(),
            summary: format!("The breaker for {what} {} opened; they wait.", row.key),
            links: vec![link(Route::Quotas)],
        });
    }
    Ok(raises)
}

async fn pools_stalled(tx: &mut Tx, now: Micros) -> Result<Vec<Raise>, LedgerError> {
    let mut raises = Vec::new();
    for (tenant, pool, expired) in incidents::expiries(tx, now.minus_ms(STALL_MS)).await? {
        if expired < STALL {
            continue;
        }
        let tenant: Tenant =
            tenant.parse().map_err(|_| LedgerError::corrupt("lease_expiries", "tenant", &pool))?;
        raises.push(Raise {
            tenant,
            kind: IncidentKind::LeaseStall,
            severity: Severity::Warning,
            count: expired,
            threshold: STALL,
            reason_code: "LEASE_STALL".to_owned(),
            summary: format!("The workers named {pool} lost {expired} leases in 5 minutes."),
            links: vec![link(Route::Workers)],
            subject: pool,
        });
    }
    Ok(raises)
}

/// A planner that has been silent for too long, told to every tenant. A ledger that was not in use for a while has an
/// old heartbeat when it is opened; only silence that was watched counts.
async fn planner_stalled(
    tx: &mut Tx,
    tenants: &[Tenant],
    began: Micros,
    now: Micros,
) -> Result<Vec<Raise>, LedgerError> {
    let Some(beat) = runs::last_beat(tx).await? else { return Ok(Vec::new()) };
    if now.ms_since(beat.max(began)) <= PLANNER_GONE_MS {
        return Ok(Vec::new());
    }
    let raise = |tenant: &Tenant| Raise {
        tenant: tenant.clone(),
        kind: IncidentKind::PlannerStalled,
        subject: "planner".to_owned(),
        severity: Severity::Critical,
        count: 1,
        threshold: 1,
        reason_code: "PLANNER_STALLED".to_owned(),
        summary: format!(
            "No planner has told for {} minutes that it is alive; new runs wait in planning.",
            PLANNER_GONE_MS / 60_000
        ),
        links: vec![link(Route::Scheduler)],
    };
    Ok(tenants.iter().map(raise).collect())
}

/// Schedules whose fires came too late to be made up for. Older fires within the window are missed as well, but then a
/// newer one has started its run.
async fn fires_lost(tx: &mut Tx, now: Micros) -> Result<Vec<Raise>, LedgerError> {
    let mut raises = Vec::new();
    for row in schedules::lost_since(tx, now.minus_ms(LOST_MS)).await? {
        let corrupt = |column| LedgerError::corrupt("schedules", column, &row.schedule_id);
        let fires = if row.fires == 1 { "1 fire".to_owned() } else { format!("{} fires", row.fires) };
        raises.push(Raise {
            tenant: row.tenant.parse().map_err(|_| corrupt("tenant"))?,
            kind: IncidentKind::ScheduleMissed,
            severity: Severity::Warning,
            count: row.fires,
            threshold: 1,
            reason_code: "SCHEDULE_MISSED".to_owned(),
            summary: format!(
                "{fires} of schedule {} passed over {} s ago with nobody there to start a run; they are not made up for. \
                Start one now if it is needed.",
                row.name, row.catchup_window_s
            ),
            links: vec![IncidentLink {
                title: row.name,
                path: format!("{}?id={}", Route::Schedules.path(), row.schedule_id),
            }],
            subject: row.schedule_id,
        });
    }
    Ok(raises)
}

/// The jobs that are stuck, and how far the others got.
async fn jobs_stuck(tx: &mut Tx, now: Micros) -> Result<(Vec<Raise>, Vec<Mark>), LedgerError> {
    let (mut raises, mut marks) = (Vec::new(), Vec::new());
    let mut limits: HashMap<(String, String), i64> = HashMap::new();
    for row in incidents::running(tx).await? {
        let mark = mark_of(&row);
        let Some(since) = row
            .seen_at
            .filter(|_| row.mark.as_ref() == Some(&mark) && row.marked_epoch == Some(row.lease_epoch))
        else {
            // Of a job that is seen for the first time, the attempt's start is when it was last heard of.
            let first = row.marked_epoch != Some(row.lease_epoch);
            let seen_at = if first { row.attempt_started_at } else { now.0 };
            marks.push(Mark { key: row.key, lease_epoch: row.lease_epoch, mark, seen_at });
            continue;
        };
        let still_ms = now.ms_since(Micros(since));
        if still_ms < STUCK_MS {
            continue;
        }
        let of_type = (row.tenant.clone(), row.job_type.clone());
        let limit = match limits.get(&of_type) {
            Some(limit) => *limit,
            None => {
                let limit = limit_ms(tx, &of_type, now).await?;
                limits.insert(of_type, limit);
                limit
            }
        };
        if still_ms >= limit {
            raises.push(stuck(&row, limit)?);
        }
    }
    Ok((raises, marks))
}

fn mark_of(row: &RunningRow) -> String {
    format!("{} {} {}", row.progress, row.processed, row.progress_message.as_deref().unwrap_or_default())
}

/// How long a job of this type may stand still.
async fn limit_ms(tx: &mut Tx, of_type: &(String, String), now: Micros) -> Result<i64, LedgerError> {
    let since_ms = u64::try_from(now.minus_ms(DAY_MS).0 / 1_000).unwrap_or(0);
    let since_key = stella_ledger::key_of_uuid(&stella_ledger::key::uuid_of(since_ms, 0, 0));
    let mut durations = incidents::durations(tx, &of_type.0, &of_type.1, since_key, SAMPLES).await?;
    durations.sort_unstable();
    let p95_ms = percentile(&durations, 95).map_or(0, |us| us / 1_000);
    Ok(STUCK_MS.max(TIMES * p95_ms))
}

fn stuck(row: &RunningRow, limit_ms: i64) -> Result<Raise, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("jobs", column, &row.job_id);
    let job_id: JobId = row.job_id.parse().map_err(|_| corrupt("job_id"))?;
    let minutes = limit_ms / 60_000;
    Ok(Raise {
        tenant: row.tenant.parse().map_err(|_| corrupt("tenant"))?,
        kind: IncidentKind::JobStuck,
        subject: row.job_id.clone(),
        severity: Severity::Warning,
        count: minutes,
        threshold: minutes,
        reason_code: "JOB_STUCK".to_owned(),
        summary: format!(
            "Job {} of type {} has got no further for {minutes} minutes.",
            row.job_id, row.job_type
        ),
        links: vec![link(Route::Job(job_id))],
    })
}
