//! A run over time, told by its history: each change of a job ends one stretch and begins the next.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use std::collections::{BTreeMap, HashMap, HashSet};
use stella_contract::gantt::{Bar, Gantt, Lane, LaneKind, MOST_BARS, Mark, Phase, SCHEMA};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::{JobState, WaitReason};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::history::{self, About};
use stella_ledger::runs::RunRow;
use stella_ledger::segments::SegmentRow;
use stella_ledger::{LedgerError, Tx, runs, segments, workers};

/// Entries read in one statement.
const STRIDE: i64 = 2_000;
/// Entries read of one run; a bar takes one, a mark too.
const MOST_ENTRIES: usize = 60_000;
/// Segments of one run; none has more.
const MOST_SEGMENTS: i64 = 100_000;

/// Runs over time.
#[derive(Clone)]
pub struct Timeline {
    engine: Engine,
}

impl Engine {
    /// Runs over time.
    pub fn timeline(&self) -> Timeline {
        Timeline { engine: self.clone() }
    }
}

/// What a picture is drawn from, all of one snapshot.
struct Told {
    run: RunRow,
    segments: Vec<SegmentRow>,
    entries: Vec<HistoryEntry>,
    /// Names of workers that were heard of lately.
    names: HashMap<String, String>,
    is_cut: bool,
}

impl Timeline {
    /// A run over time.
    pub async fn get(&self, caller: &Caller, run_id: &RunId) -> Result<Gantt, Error> {
        caller.demand(Scope::RunsRead)?;
        let now = self.engine.now();
        let (tenant, wanted) = (caller.tenant.clone(), run_id.clone());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let run = runs::get(tx, &tenant, &wanted).await?;
                let run = run.ok_or_else(|| Error::not_found("run", &wanted))?;
                Ok::<_, Error>(read(tx, &tenant, &wanted, run, now).await?)
            })
        });
        Ok(drawn(run_id, read.await?, now))
    }
}

async fn read(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &RunId,
    run: RunRow,
    now: Micros,
) -> Result<Told, LedgerError> {
    let mut entries: Vec<HistoryEntry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.seq);
        let page = history::oldest(tx, tenant, &About::Run(id.clone()), after, STRIDE).await?;
        let is_last = (page.len() as i64) < STRIDE;
        entries.extend(page);
        if is_last || entries.len() >= MOST_ENTRIES {
            let segments = segments::list(tx, run.run_key, None, MOST_SEGMENTS).await?;
            let since = now.minus_ms(crate::workers::FORGOTTEN_MS);
            let names = workers::list(tx, tenant.as_str(), since).await?;
            let names = names.into_iter().map(|one| (one.worker_id.as_str().to_owned(), one.name)).collect();
            return Ok(Told { run, segments, entries, names, is_cut: !is_last });
        }
    }
}

fn drawn(run_id: &RunId, told: Told, now: Micros) -> Gantt {
    let t0 = told.run.wish.created_at;
    let t1 = told.run.finished_at.unwrap_or(now);
    let mut picture = Picture { t0, ..Picture::default() };
    let mut lanes: Vec<Lane> = Vec::new();
    for segment in &told.segments {
        picture.segment_of.insert(segment.job_id.clone(), segment.segment_id.clone());
        lanes.push(Lane {
            id: segment.segment_id.clone(),
            label: format!("Segment {}", segment.shard),
            kind: LaneKind::Segment,
        });
    }
    for entry in &told.entries {
        picture.draw(entry);
    }
    let (mut bars, mut marks) = (picture.bars, picture.marks);
    bars.extend(picture.open.into_values().map(|open| open.bar));
    bars.sort_by(|one, two| {
        (one.start, &one.lane, &one.job_id, one.attempt).cmp(&(
            two.start,
            &two.lane,
            &two.job_id,
            two.attempt,
        ))
    });
    marks.sort_by_key(|mark| mark.at);
    let truncated = told.is_cut || bars.len() > MOST_BARS;
    bars.truncate(MOST_BARS);
    let mut known: HashSet<String> = lanes.iter().map(|lane| lane.id.clone()).collect();
    for bar in &bars {
        if known.insert(bar.lane.clone()) {
            let name = told.names.get(&bar.lane).cloned();
            let kind = match bar.phase {
                Phase::Leased | Phase::Running => LaneKind::Worker,
                // A job of the run that is no segment's stands for itself.
                Phase::Queued | Phase::Backoff | Phase::Throttled => LaneKind::Segment,
            };
            let label = name.unwrap_or_else(|| bar.lane.clone());
            lanes.push(Lane { id: bar.lane.clone(), label, kind });
        }
    }
    Gantt { schema: SCHEMA.to_owned(), run_id: run_id.clone(), t0, t1, lanes, bars, marks, truncated }
}

#[derive(Default)]
struct Picture {
    t0: Micros,
    /// The segment of each segment's job.
    segment_of: HashMap<String, String>,
    open: BTreeMap<JobId, Open>,
    bars: Vec<Bar>,
    marks: Vec<Mark>,
}

/// The stretch a job is in.
struct Open {
    bar: Bar,
    worker: Option<String>,
}

impl Picture {
    fn draw(&mut self, entry: &HistoryEntry) {
        let at = entry.occurred_at.ms_since(self.t0).max(0);
        let Some(job_id) = &entry.job_id else { return self.mark(entry, at) };
        let state: Option<JobState> = entry.to_state.as_deref().and_then(|state| state.parse().ok());
        let Some(state) = state else { return self.mark(entry, at) };
        if matches!(state, JobState::Failed | JobState::TimedOut) || entry.kind == "orch.job.cancel_requested"
        {
            self.mark(entry, at);
        }
        let before = self.open.remove(job_id);
        let said = |name: &str| entry.data[name].as_str().map(str::to_owned);
        let worker = said("workerId").or_else(|| before.as_ref().and_then(|open| open.worker.clone()));
        if let Some(Open { mut bar, worker: held }) = before {
            // An arrow back to the same state ends nothing.
            if entry.from_state == entry.to_state && entry.from_state.is_some() {
                self.open.insert(job_id.clone(), Open { bar, worker: held });
                return;
            }
            bar.end = Some(at);
            bar.state = state;
            // A job that is ready and taken within one millisecond waited for nothing.
            if bar.start < at || bar.phase == Phase::Running {
                self.bars.push(bar);
            }
        }
        let reason: Option<WaitReason> = said("waitReason").and_then(|reason| reason.parse().ok());
        let Some(phase) = phase_of(state, reason) else { return };
        let made = entry.attempt.unwrap_or(0);
        let (lane, attempt) = match (phase, &worker) {
            (Phase::Leased | Phase::Running, Some(worker)) => (worker.clone(), made),
            (Phase::Leased | Phase::Running, None) => (self.lane_of(job_id), made),
            (Phase::Queued | Phase::Backoff | Phase::Throttled, _) => (self.lane_of(job_id), made + 1),
        };
        let bar = Bar { lane, job_id: job_id.clone(), attempt, phase, start: at, end: None, state };
        self.open.insert(job_id.clone(), Open { bar, worker });
    }

    fn lane_of(&self, job_id: &JobId) -> String {
        self.segment_of.get(job_id.as_str()).cloned().unwrap_or_else(|| job_id.as_str().to_owned())
    }

    fn mark(&mut self, entry: &HistoryEntry, at: i64) {
        let said = |name: &str| entry.data[name].as_str();
        let why = said("errorMessage").or_else(|| said("errorCode")).or(entry.reason.as_deref());
        let what = entry.to_state.as_deref().unwrap_or(entry.kind.as_str());
        let text = match why {
            Some(why) => format!("{} {what}: {why}", entry.entity),
            None => format!("{} {what}", entry.entity),
        };
        self.marks.push(Mark { at, kind: entry.kind.clone(), text });
    }
}

/// What a job does in this state; nothing once it has ended.
fn phase_of(state: JobState, reason: Option<WaitReason>) -> Option<Phase> {
    match state {
        JobState::Pending if reason == Some(WaitReason::Backoff) => Some(Phase::Backoff),
        JobState::Pending => Some(Phase::Throttled),
        JobState::Queued => Some(Phase::Queued),
        JobState::Leased => Some(Phase::Leased),
        JobState::Running => Some(Phase::Running),
        JobState::Succeeded
        | JobState::Failed
        | JobState::TimedOut
        | JobState::Cancelled
        | JobState::Skipped => None,
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
