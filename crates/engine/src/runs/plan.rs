//! The planner: targets found through the impact index, cut into segments, one job each, all in one transaction. Killed
//! at any line it has either planned the run or left it untouched.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::impact::{self, IndexState};
use crate::jobs::{self, JobWish, Payload};
use crate::journal::Journal;
use crate::runs::cut::{self, Candidate, Cut, Grain, Order};
use crate::runs::messages::{log, tell};
use crate::runs::pace::{self, Pace};
use crate::runs::policy::{self, Judge};
use crate::runs::refresh::{self, Reading};
use crate::runs::{SEGMENT_JOB, scan, steps, wish};
use std::collections::HashSet;
use stella_contract::edge::{Dependency, EdgeKind};
use stella_contract::error::Code;
use stella_contract::event::LogSeverity;
use stella_contract::ids::{JobId, RunId, SegmentId};
use stella_contract::job::{Job, JobState};
use stella_contract::quota::EVERY_TYPE;
use stella_contract::run::{RunErrorCode, RunEvent, RunMode, RunState};
use stella_contract::segment::SegmentState;
use stella_contract::time::Micros;
use stella_ledger::impact::TargetRef;
use stella_ledger::quotas;
use stella_ledger::runs::{self, RunRow};
use stella_ledger::schedules;
use stella_ledger::segments::{self, NewSegment};
use stella_ledger::{LedgerError, Tx, key_of, key_of_uuid};

/// Who plans, as the history names it.
pub(crate) const PLANNER: &str = "planner";

/// Plans the run if it still is in planning, or begins what comes before; whether that changed anything.
pub(crate) async fn plan(engine: &Engine, run_key: i64) -> Result<bool, Error> {
    let (worker, now) = (engine.clone(), engine.now());
    let planned = engine
        .ledger()
        .read::<_, LedgerError, _>(move |tx| Box::pin(async move { runs::by_key(tx, run_key).await }))
        .await?;
    let Some(planned) = planned.filter(|run| run.state == RunState::Planning) else { return Ok(false) };
    // What a run asks of its policy never changes, so that it is read before the writer is taken.
    let chosen = policy::of_run(engine, &planned).await?;
    let write = engine.ledger().write(move |tx| {
        Box::pin(async move {
            let run = runs::by_key(tx, run_key).await?;
            let Some(mut run) = run.filter(|run| run.state == RunState::Planning) else { return Ok(false) };
            let mut journal = Journal::default();
            let reading = match run.wish.mode {
                RunMode::AnalysisOnly => Reading::Done,
                RunMode::ContentRefresh => {
                    refresh::read_anew(tx, &worker, &mut run, now, &mut journal).await?
                }
            };
            if reading == Reading::Done {
                plan_in(tx, &worker, &mut run, &chosen, now, &mut journal).await?;
            }
            journal.leave(tx);
            Ok(reading != Reading::Underway)
        })
    });
    write.await
}

/// Ends the planning of a run for a reason that another look would not change.
pub(crate) async fn give_up(engine: &Engine, run_key: i64, code: RunErrorCode) -> Result<(), Error> {
    let now = engine.now();
    let write = engine.ledger().write(move |tx| {
        Box::pin(async move {
            let run = runs::by_key(tx, run_key).await?;
            let Some(mut run) = run.filter(|run| run.state == RunState::Planning) else { return Ok(()) };
            let mut journal = Journal::default();
            steps::fail(tx, &mut run, (code, None), &By::itself(PLANNER), now, &mut journal).await?;
            journal.leave(tx);
            Ok(())
        })
    });
    write.await
}

async fn plan_in(
    tx: &mut Tx,
    engine: &Engine,
    run: &mut RunRow,
    chosen: &policy::Chosen,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let by = By::itself(PLANNER);
    let line = match chosen {
        Ok(judge) => Judge::line(judge.as_ref(), run.wish.mode),
        Err(sentence) => {
            let why = (RunErrorCode::PolicyMissing, Some(sentence.clone()));
            return steps::fail(tx, run, why, &by, now, journal).await;
        }
    };
    let index = impact::state(tx, &run.wish.tenant, now).await?;
    run.impact_index_generation = index.generation;
    run.kev_released.clone_from(&index.kev_released);
    run.stale_index = index.is_stale();
    if run.stale_index && !run.wish.allow_stale {
        return steps::fail(tx, run, (RunErrorCode::IndexStale, Some(age(&index))), &by, now, journal).await;
    }
    let targets = match impact::candidates(tx, &run.wish.tenant, &run.wish.scope).await {
        Ok(targets) => targets,
        Err(error) if matches!(error.code, Code::Invalid | Code::KeyInvalid) => {
            return steps::fail(tx, run, (RunErrorCode::ScopeInvalid, Some(error.public)), &by, now, journal)
                .await;
        }
        Err(error) => return Err(error),
    };
    let targets = match run.wish.only_failed {
        true => missed(tx, run, targets).await?,
        false => targets,
    };
    if targets.is_empty() {
        return steps::step(tx, run, RunEvent::NoWork, &by, now, journal).await;
    }
    // Absent is not clean: without any advisory every target would look so.
    if index.feed_generation == 0 && !run.wish.allow_stale {
        let sentence =
            "No advisories were ever read, so nothing could be found. Add and run an advisory source first.";
        let why = (RunErrorCode::IndexStale, Some(sentence.to_owned()));
        return steps::fail(tx, run, why, &by, now, journal).await;
    }
    let pace = pace_of(tx, run).await?;
    let order = if run.wish.kev_first { Order::KevFirst } else { Order::Digest };
    let found = targets.len();
    let most = pace.map_or(usize::MAX, |pace| pace.most);
    let candidates = pace::first(targets.into_iter().map(candidate).collect(), most, order);
    run.candidates = i64::try_from(candidates.len()).unwrap_or(i64::MAX);
    let left_out = found - candidates.len();
    run.limits = limits_in_force(tx, run).await?;
    run.limits.extend(pace.map(|pace| pace.sentence()));
    let segments = write_segments(tx, engine, run, (&line, candidates, order, pace), now, journal).await?;
    steps::step(tx, run, RunEvent::Plan, &by, now, journal).await?;
    let said = format!("Planned {} targets into {segments} segments.", run.candidates);
    let mut lines = vec![log(run, LogSeverity::Info, said)];
    if left_out > 0 {
        let said = format!("{left_out} targets are left out: the schedule takes at most {most}.");
        lines.push(log(run, LogSeverity::Warn, said));
    }
    tell(tx, run, lines, now).await
}

/// What the schedule of a run bounds; nothing for runs without one, or whose schedule is gone.
async fn pace_of(tx: &mut Tx, run: &RunRow) -> Result<Option<Pace>, Error> {
    let Some(id) = &run.wish.schedule_id else { return Ok(None) };
    let row = schedules::get(tx, &run.wish.tenant, id).await?;
    Ok(row
        .map(|row| Pace { most: usize::try_from(row.max_targets).unwrap_or(usize::MAX), limits: row.limits }))
}

/// The quotas that hold the run's segments back, a sentence each: a run that took longer may have had fewer slots.
async fn limits_in_force(tx: &mut Tx, run: &RunRow) -> Result<Vec<String>, Error> {
    let quotas = quotas::of_tenants(tx, &[run.wish.tenant.as_str()]).await?;
    let holding = quotas.into_iter().filter(|one| [SEGMENT_JOB, EVERY_TYPE].contains(&one.job_type.as_str()));
    let said = holding.map(|one| {
        let paused = if one.paused == 0 { "" } else { ", paused" };
        format!("{}: {} at a time, {} an hour{paused}", one.job_type, one.max_active, one.max_per_hour)
    });
    Ok(said.collect())
}

/// Those of the targets that the run before did not evaluate.
async fn missed(tx: &mut Tx, run: &RunRow, targets: Vec<TargetRef>) -> Result<Vec<TargetRef>, Error> {
    let before = run.wish.retry_of.as_deref().and_then(|id| id.parse().ok());
    let before: RunId = before.ok_or_else(|| LedgerError::corrupt("runs", "retry_of", run.run_key))?;
    let before = super::find(tx, &run.wish.tenant, &before).await?;
    let missed: HashSet<i64> = segments::missed_targets(tx, before.run_key).await?.into_iter().collect();
    Ok(targets.into_iter().filter(|target| missed.contains(&target.target_key)).collect())
}

fn age(index: &IndexState) -> String {
    let hours = index.age_s.unwrap_or(0) / 3_600;
    format!(
        "The impact index is {hours} h old, more than the 24 h a run may rely on. {}",
        RunErrorCode::IndexStale.next_step()
    )
}

async fn write_segments(
    tx: &mut Tx,
    engine: &Engine,
    run: &RunRow,
    (line, candidates, order, pace): (&str, Vec<Candidate>, Order, Option<Pace>),
    now: Micros,
    journal: &mut Journal,
) -> Result<usize, Error> {
    let wish = &run.wish;
    let grain = Grain {
        shards: u64::try_from(wish.planner_shard_count).unwrap_or(1).max(1),
        segment: usize::try_from(wish.segment_size).unwrap_or(1).max(1),
    };
    let mut cuts = cut::cut(candidates, grain, order);
    // Jobs run in the order of their making: the first segment of each shard holds what is to come first.
    cuts.sort_by_key(|cut| (cut.ordinal, cut.shard));
    let mut ids = Vec::with_capacity(cuts.len());
    let mut wishes = Vec::with_capacity(cuts.len());
    let sizes: Vec<usize> = cuts.iter().map(|cut| cut.targets.len()).collect();
    let delays = pace.map_or_else(|| vec![0; sizes.len()], |pace| pace::delays_ms(&sizes, pace.limits));
    let waits =
        pace.map_or_else(|| vec![None; sizes.len()], |pace| pace::waits_for(sizes.len(), pace.limits));
    let job_ids: Vec<JobId> = sizes.iter().map(|_| JobId::from_uuid(&engine.uuid(now))).collect();
    for ((delay_ms, job_id), waits) in delays.into_iter().zip(&job_ids).zip(waits) {
        let segment_id = SegmentId::from_uuid(&engine.uuid(now));
        let not_before = (delay_ms > 0).then(|| now.plus_ms(delay_ms));
        let before = waits.map(|at| Dependency { job_id: job_ids[at].clone(), kind: EdgeKind::OnCompletion });
        let depends_on = before.into_iter().collect();
        let job_id = Some(job_id.clone());
        wishes.push(JobWish { job_id, not_before, depends_on, ..job(run, &segment_id)? });
        ids.push(segment_id);
    }
    let jobs = jobs::insert_many(engine, tx, wishes, &By::itself(PLANNER), now, journal).await?;
    let new: Vec<NewSegment> =
        cuts.into_iter().zip(ids).zip(jobs).map(|((cut, id), made)| segment(cut, &id, &made.job)).collect();
    segments::insert_many(tx, run.run_key, wish.tenant.as_str(), line, &new).await?;
    Ok(new.len())
}

fn candidate(target: TargetRef) -> Candidate {
    Candidate {
        target_key: target.target_key,
        digest: target.digest,
        // The column is signed; the bits are what was hashed.
        placement: target.placement.cast_unsigned(),
        kev: target.kev_affected != 0,
    }
}

/// The job that carries a segment.
fn job(run: &RunRow, segment_id: &SegmentId) -> Result<JobWish, Error> {
    let wish = &run.wish;
    let payload =
        scan::Payload { run_id: run.run_id.clone(), segment_id: segment_id.clone(), mode: wish.mode };
    let payload = Payload::of(&serde_json::to_value(&payload).map_err(Error::internal)?)?;
    Ok(JobWish {
        run_id: Some(run.run_id.clone()),
        priority: i32::try_from(wish.priority).unwrap_or(wish::PRIORITY),
        created_by: wish.initiator.clone(),
        ..JobWish::new(wish.tenant.clone(), SEGMENT_JOB, payload, &wish.correlation_id)
    })
}

fn segment(cut: Cut, id: &SegmentId, job: &Job) -> NewSegment {
    NewSegment {
        segment_key: key_of_uuid(id.uuid()),
        segment_id: id.as_str().to_owned(),
        job_key: key_of(&job.job_id),
        job_id: job.job_id.as_str().to_owned(),
        state: if job.state == JobState::Queued { SegmentState::Queued } else { SegmentState::Pending },
        shard: cut.shard,
        ordinal: cut.ordinal,
        targets: cut.targets,
    }
}
