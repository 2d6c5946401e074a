//! A run as its stream tells it: pure, so that it is tested without a browser.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use stella_contract::event::{LogSeverity, RunMessage, RunMessageBody};
use stella_contract::ids::SegmentId;
use stella_contract::run::{Run, SegmentCounts};
use stella_contract::segment::{Segment, SegmentState, cooldown_ms};
use stella_contract::time::Micros;

/// More lines are not kept; the whole log stays at the core.
pub const MOST_LINES: usize = 5_000;
/// More events are not kept.
pub const MOST_EVENTS: usize = 2_000;

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Its number in the stream.
    pub seq: i64,
    /// When.
    pub at: Micros,
    /// How much it matters.
    pub severity: LogSeverity,
    /// The line.
    pub message: String,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// The segment it is about.
    pub segment_id: Option<SegmentId>,
}

/// What is known of a run that is watched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WatchedRun {
    /// The run; absent before the first snapshot.
    pub run: Option<Rc<Run>>,
    /// Its segments, by shard and place.
    pub segments: Rc<Vec<Segment>>,
    /// Its log, oldest first.
    pub log: Rc<VecDeque<LogLine>>,
    /// What else was told, oldest first.
    pub events: Rc<VecDeque<RunMessage>>,
    /// The last number told.
    pub seq: Option<i64>,
    /// Whether it has ended and nothing follows.
    pub ended: bool,
    /// The number the snapshot was taken at: what was told before is history and moves nothing.
    as_of: Option<i64>,
    /// The last state told of each segment.
    told: Rc<BTreeMap<SegmentId, SegmentState>>,
}

impl WatchedRun {
    /// Takes how the run stands now; what led there is told afterwards, from the first message on.
    pub fn start(&mut self, messages: &[RunMessage]) {
        self.take(messages);
        self.seq = Some(0);
    }

    /// Takes what was told; answers whether the run's own row changed, so that it is worth reading anew.
    pub fn take(&mut self, messages: &[RunMessage]) -> bool {
        let mut moved = false;
        for message in messages {
            // After a reconnect some messages may come twice.
            if self.seq.is_some_and(|seq| message.seq <= seq) && !is_snapshot(&message.body) {
                continue;
            }
            self.seq = Some(self.seq.map_or(message.seq, |seq| seq.max(message.seq)));
            moved |= self.take_one(message);
        }
        moved
    }

    fn take_one(&mut self, message: &RunMessage) -> bool {
        let is_news = self.as_of.is_none_or(|as_of| message.seq > as_of);
        match &message.body {
            RunMessageBody::Snapshot { run, segments } => {
                self.ended = run.state.is_final();
                self.as_of = Some(message.seq);
                self.run = Some(Rc::new(Run::clone(run)));
                self.segments = Rc::new(segments.clone());
                false
            }
            RunMessageBody::StateChanged { to, error_code, .. } => {
                if is_news {
                    self.with_run(|run| {
                        run.state = *to;
                        run.error_code = *error_code;
                    });
                }
                self.remember(message);
                is_news
            }
            RunMessageBody::SegmentProgress { segment_id, state, processed, .. } => {
                if is_news {
                    self.progress(segment_id, *state, *processed, message.at);
                }
                // Progress within a state is no event of its own.
                if Rc::make_mut(&mut self.told).insert(segment_id.clone(), *state) != Some(*state) {
                    self.remember(message);
                }
                false
            }
            RunMessageBody::DeltaSummary { deltas, processed, failed } => {
                if is_news {
                    self.with_run(|run| {
                        run.deltas = *deltas;
                        run.processed = *processed;
                        run.failed = *failed;
                    });
                }
                false
            }
            RunMessageBody::Log { severity, message: text, correlation_id, segment_id } => {
                let line = LogLine {
                    seq: message.seq,
                    at: message.at,
                    severity: *severity,
                    message: text.clone(),
                    correlation_id: correlation_id.clone(),
                    segment_id: segment_id.clone(),
                };
                push(&mut self.log, line, MOST_LINES);
                false
            }
            RunMessageBody::Heartbeat {} => false,
            RunMessageBody::Reset {} => {
                self.seq = None;
                false
            }
            RunMessageBody::End { state } => {
                self.ended = true;
                if is_news {
                    self.with_run(|run| run.state = *state);
                }
                self.remember(message);
                is_news
            }
        }
    }

    fn with_run(&mut self, change: impl FnOnce(&mut Run)) {
        if let Some(run) = &mut self.run {
            change(Rc::make_mut(run));
        }
    }

    /// Moves one segment and the counts of its run.
    fn progress(&mut self, id: &SegmentId, state: SegmentState, processed: i64, at: Micros) {
        let segments = Rc::make_mut(&mut self.segments);
        let Some(segment) = segments.iter_mut().find(|segment| segment.segment_id == *id) else { return };
        if segment.state != state {
            // Only a retry leads out of failure; what it will rest after the next one follows from their number.
            segment.retry_count += i32::from(segment.state == SegmentState::Failed);
            let rest_ms = (state == SegmentState::Failed).then(|| cooldown_ms(segment.retry_count));
            segment.cooldown_until = rest_ms.map(|rest_ms| at.plus_ms(rest_ms));
        }
        segment.state = state;
        segment.processed = processed;
        let counts = counts(segments);
        self.with_run(|run| run.segments = counts);
    }

    fn remember(&mut self, message: &RunMessage) {
        push(&mut self.events, message.clone(), MOST_EVENTS);
    }
}

const fn is_snapshot(body: &RunMessageBody) -> bool {
    match body {
        RunMessageBody::Snapshot { .. } | RunMessageBody::Reset {} => true,
        RunMessageBody::StateChanged { .. }
        | RunMessageBody::SegmentProgress { .. }
        | RunMessageBody::DeltaSummary { .. }
        | RunMessageBody::Log { .. }
        | RunMessageBody::Heartbeat {}
        | RunMessageBody::End { .. } => false,
    }
}

fn push<T: Clone>(all: &mut Rc<VecDeque<T>>, one: T, most: usize) {
    let all = Rc::make_mut(all);
    if all.len() == most {
        all.pop_front();
    }
    all.push_back(one);
}

/// Segments by state.
pub fn counts(segments: &[Segment]) -> SegmentCounts {
    let mut out = SegmentCounts::default();
    for segment in segments {
        *match segment.state {
            SegmentState::Pending => &mut out.pending,
            SegmentState::Queued => &mut out.queued,
            SegmentState::Running => &mut out.running,
            SegmentState::Succeeded => &mut out.succeeded,
            SegmentState::Failed => &mut out.failed,
            SegmentState::Cancelled => &mut out.cancelled,
            SegmentState::Skipped => &mut out.skipped,
        } += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-21T14:08:15.000Z";
    const SEGMENT: &str = "seg_01890000-0000-7000-8000-000000000000";

    fn message(seq: i64, body: serde_json::Value) -> RunMessage {
        let mut value = serde_json::json!({ "seq": seq, "at": AT });
        if let (Some(target), Some(body)) = (value.as_object_mut(), body.as_object()) {
            target.extend(body.clone());
        }
        serde_json::from_value(value).unwrap()
    }

    fn snapshot(seq: i64) -> RunMessage {
        message(
            seq,
            serde_json::json!({ "event": "snapshot",
                "run": {
                    "runId": "run:acme:20261121T140815Z:9c1f04ab", "tenant": "acme", "trigger": "manual",
                    "initiator": "op", "mode": "analysis-only", "scope": {"kind": "all"}, "scopeDigest": "d",
                    "state": "queued", "plannerShardCount": 8, "impactIndexGeneration": 1, "candidates": 50,
                    "processed": 0, "failed": 0, "segments": {"queued": 1}, "deltas": {}, "findings": 0,
                    "kevFirst": false, "badges": [], "correlationId": "c", "createdAt": AT, "version": 1 },
                "segments": [{
                    "segmentId": SEGMENT, "runId": "run:acme:20261121T140815Z:9c1f04ab", "shard": 0, "ordinal": 0,
                    "state": "queued", "targetCount": 50, "processed": 0, "failedTargets": 0, "attempt": 0,
                    "retryCount": 0, "deltas": {}, "jobId": "job_01890000-0000-7000-8000-000000000000" }]
            }),
        )
    }

    fn progress(seq: i64, state: &str, processed: i64) -> RunMessage {
        message(
            seq,
            serde_json::json!({ "event": "segmentProgress", "segmentId": SEGMENT, "shard": 0, "state": state,
                "processed": processed, "total": 50 }),
        )
    }

    #[test]
    fn a_segment_moves_the_counts_of_its_run_and_only_a_new_state_is_an_event() {
        let mut watched = WatchedRun::default();
        watched.take(&[snapshot(1), progress(2, "running", 5), progress(3, "running", 20)]);
        let run = watched.run.clone().unwrap();
        assert_eq!((run.segments.running, run.segments.queued), (1, 0));
        assert_eq!(watched.segments[0].processed, 20);
        assert_eq!(watched.events.len(), 1);
    }

    #[test]
    fn a_segment_that_fails_before_the_eyes_rests_before_it_is_offered_again() {
        let mut watched = WatchedRun::default();
        let until = |watched: &WatchedRun| {
            let segment = &watched.segments[0];
            (
                segment.retry_count,
                segment.cooldown_until.map(|until| until.ms_since(Micros::parse(AT).unwrap())),
            )
        };
        watched.take(&[snapshot(1), progress(2, "running", 0), progress(3, "failed", 0)]);
        assert_eq!(until(&watched), (0, Some(60_000)));
        watched.take(&[progress(4, "queued", 0)]);
        assert_eq!(until(&watched), (1, None));
        watched.take(&[progress(5, "failed", 0)]);
        assert_eq!(until(&watched), (1, Some(120_000)));
    }

    #[test]
    fn what_comes_twice_after_a_reconnect_counts_once() {
        let log = |seq| {
            message(
                seq,
                serde_json::json!({ "event": "log", "severity": "info", "message": "m", "correlationId": "c" }),
            )
        };
        let mut watched = WatchedRun::default();
        watched.take(&[snapshot(1), log(2), log(3)]);
        watched.take(&[log(2), log(3), log(4)]);
        assert_eq!(watched.log.iter().map(|line| line.seq).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(watched.seq, Some(4));
    }

    #[test]
    fn what_led_to_the_snapshot_is_history_and_moves_nothing() {
        let log = message(
            1,
            serde_json::json!({ "event": "log", "severity": "info", "message": "m", "correlationId": "c" }),
        );
        let mut watched = WatchedRun::default();
        watched.start(&[snapshot(9)]);
        let moved = watched.take(&[log, progress(2, "running", 5), progress(3, "running", 9)]);
        assert!(!moved);
        assert_eq!(watched.segments[0].state, SegmentState::Queued);
        assert_eq!((watched.log.len(), watched.events.len(), watched.seq), (1, 1, Some(3)));
        watched.take(&[progress(10, "succeeded", 50)]);
        assert_eq!(watched.segments[0].state, SegmentState::Succeeded);
    }

    #[test]
    fn the_end_is_told_and_asks_for_the_run_anew() {
        let mut watched = WatchedRun::default();
        assert!(!watched.take(&[snapshot(1)]));
        let end = message(2, serde_json::json!({ "event": "end", "state": "completed" }));
        assert!(watched.take(&[end]));
        assert!(watched.ended);
    }

    #[test]
    fn a_reset_lets_a_snapshot_with_a_lower_number_in() {
        let mut watched = WatchedRun::default();
        watched.take(&[snapshot(90), progress(91, "running", 5)]);
        watched.take(&[
            message(5, serde_json::json!({ "event": "reset" })),
            snapshot(5),
            progress(6, "failed", 5),
        ]);
        assert_eq!(watched.segments[0].state, SegmentState::Failed);
        assert_eq!(watched.seq, Some(6));
    }

    #[test]
    fn the_log_keeps_its_newest_lines() {
        let lines: Vec<RunMessage> = (1..=MOST_LINES as i64 + 7)
            .map(|seq| message(seq, serde_json::json!({ "event": "log", "severity": "warn", "message": "m", "correlationId": "c" })))
            .collect();
        let mut watched = WatchedRun::default();
        watched.take(&lines);
        assert_eq!(watched.log.len(), MOST_LINES);
        assert_eq!(watched.log.front().map(|line| line.seq), Some(8));
    }
}
