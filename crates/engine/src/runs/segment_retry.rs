//! A failed segment once more while its run goes on: another job takes it over (spec 05 §5.4).

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::features;
use crate::journal::Journal;
use crate::runs::messages::{log, tell};
use crate::runs::{Runs, mirror, steps};
use crate::verbs::{Again, Verb, repeat_many};
use stella_contract::error::Code;
use stella_contract::event::LogSeverity;
use stella_contract::feature::Feature;
use stella_contract::ids::{SegmentId, Tenant};
use stella_contract::job::{Job, JobState};
use stella_contract::scope::Scope;
use stella_contract::segment::{Segment, SegmentEvent, SegmentState, next, retry_refusal};
use stella_contract::time::Micros;
use stella_ledger::runs::{self, Added, RunRow};
use stella_ledger::segments::{self, SegmentRow};
use stella_ledger::{Tx, jobs, key_of, key_of_uuid};

impl Runs {
    /// Has a failed segment of a running run evaluated once more, after its cooldown and at most five times.
    pub async fn retry_segment(&self, caller: &Caller, segment_id: &SegmentId) -> Result<Segment, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let (engine, now) = (self.engine.clone(), self.engine.now());
        let (tenant, segment_id) = (caller.tenant.clone(), segment_id.clone());
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::Retry).await?;
                let (mut run, segment) = find(tx, &tenant, &segment_id).await?;
                demand_rested(&run, &segment, now)?;
                let mut journal = Journal::default();
                let segment = take_over(tx, &engine, &mut run, segment, &by, now, &mut journal).await?;
                journal.leave(tx);
                tx.note_work();
                Ok(segment.view(&run.run_id)?)
            })
        });
        write.await
    }
}

async fn find(tx: &mut Tx, tenant: &Tenant, id: &SegmentId) -> Result<(RunRow, SegmentRow), Error> {
    let unknown = || Error::not_found("segment", id);
    let segment = segments::get(tx, key_of_uuid(id.uuid())).await?;
    let segment = segment.filter(|segment| segment.segment_id == id.as_str()).ok_or_else(unknown)?;
    let run = runs::by_key(tx, segment.run_key).await?;
    let run = run.filter(|run| run.wish.tenant == *tenant).ok_or_else(unknown)?;
    Ok((run, segment))
}

fn demand_rested(run: &RunRow, segment: &SegmentRow, now: Micros) -> Result<(), Error> {
    let retries = i32::try_from(segment.retry_count).unwrap_or(i32::MAX);
    if let Some(why) = retry_refusal(segment.state, run.state, retries) {
        let sentence =
            format!("{why}: the segment is {}, its run `{}` {}.", segment.state, run.run_id, run.state);
        return Err(Error::new(Code::InvalidTransition, sentence));
    }
    let left_ms = segment.cooldown_until().map_or(0, |until| until.ms_since(now));
    if left_ms <= 0 {
        return Ok(());
    }
    let sentence = format!(
        "Segment {}/{} failed a moment ago and rests for another {} s. Retry it then.",
        segment.shard,
        segment.ordinal,
        (left_ms + 999) / 1_000
    );
    Err(Error::new(Code::CooldownActive, sentence).with_retry_after_ms(left_ms.unsigned_abs()))
}

async fn take_over(
    tx: &mut Tx,
    engine: &Engine,
    run: &mut RunRow,
    failed: SegmentRow,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<SegmentRow, Error> {
    let job = repeat_job(tx, engine, &failed, by, now, journal).await?;
    let mut state = next(failed.state, SegmentEvent::Retry)?;
    if job.state == JobState::Queued {
        state = next(state, SegmentEvent::Queue)?;
    }
    let segment = hand_over(tx, &failed, &job, state).await?;
    // Its targets were counted as failed; now it is not known yet.
    let added = Added { failed: -failed.failed_targets, ..Added::default() };
    runs::add(tx, run.run_key, &added).await?;
    run.failed -= failed.failed_targets;
    run.version += 1;
    steps::segment_retried(run, by, now, journal);
    let sentence =
        format!("Segment {}/{} is retried by {}.", segment.shard, segment.ordinal, by.actor.subject);
    let mut bodies = vec![log(run, LogSeverity::Info, sentence)];
    bodies.extend(mirror::progress(&segment, now));
    tell(tx, run, bodies, now).await?;
    Ok(segment)
}

async fn repeat_job(
    tx: &mut Tx,
    engine: &Engine,
    failed: &SegmentRow,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Job, Error> {
    let record = jobs::get_many(tx, &[failed.job_key]).await?.pop();
    let record =
        record.ok_or_else(|| Error::internal(format!("segment {} has no job", failed.segment_id)))?;
    let again = vec![Again::of(Verb::Retry, record)];
    let made = repeat_many(engine, tx, again, by, now, journal).await?.pop();
    made.map(|(_, job)| job).ok_or_else(|| Error::internal("one job was not repeated"))
}

async fn hand_over(
    tx: &mut Tx,
    failed: &SegmentRow,
    job: &Job,
    state: SegmentState,
) -> Result<SegmentRow, Error> {
    let key = key_of(&job.job_id);
    let segment = segments::hand_over(tx, failed.segment_key, key, job.job_id.as_str(), state).await?;
    segment.ok_or_else(|| Error::internal(format!("segment {} was no longer failed", failed.segment_id)))
}
