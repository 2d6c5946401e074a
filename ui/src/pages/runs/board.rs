//! What the stream page shows, worked out of what was told: pure, so that it is tested without a browser.

use super::log::{Level, tail};
use super::segments::place;
use crate::kit::{HeatCell, HeatRow, HeatState, Paleness};
use crate::store::{LogLine, WatchedRun};
use std::collections::BTreeMap;
use stella_contract::event::{RunMessage, RunMessageBody};
use stella_contract::run::Run;
use stella_contract::segment::{Segment, SegmentState};
use stella_contract::time::Micros;

/// Lines that are drawn.
const DRAWN: usize = 400;
/// Events that are drawn.
const EVENTS: usize = 40;

/// Where the reader of the log stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stand {
    /// At its live end.
    #[default]
    Live,
    /// At the line that was the last when they scrolled up.
    Scrolled(i64),
}

/// The log as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Lines of this level that are kept.
    pub kept: usize,
    /// Lines that came since the reader left the end.
    pub news: usize,
}

/// The log of this level, as far as the reader has come.
pub(super) fn log_of(watched: &WatchedRun, level: Level, stand: Stand) -> Shown {
    let admitted: Vec<&LogLine> = watched.log.iter().filter(|line| level.admits(line.severity)).collect();
    let until = match stand {
        Stand::Live => admitted.len(),
        Stand::Scrolled(seq) => admitted.partition_point(|line| line.seq <= seq),
    };
    let from = until.saturating_sub(DRAWN);
    Shown {
        kept: admitted.len(),
        news: admitted.len() - until,
        lines: admitted[from..until].iter().copied().cloned().collect(),
    }
}

/// One event in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventRow {
    /// Its number.
    pub seq: i64,
    /// Its name.
    pub name: &'static str,
    /// What it told.
    pub words: String,
    /// When.
    pub at: Micros,
}

/// The newest events, the newest first. Log lines and heartbeats have their own places.
pub(super) fn events_of(watched: &WatchedRun) -> Vec<EventRow> {
    watched.events.iter().rev().filter_map(event_row).take(EVENTS).collect()
}

fn event_row(message: &RunMessage) -> Option<EventRow> {
    let words = match &message.body {
        RunMessageBody::StateChanged { to, error_code, .. } => match error_code {
            Some(code) => format!("run to {to}, {code}"),
            None => format!("run to {to}"),
        },
        RunMessageBody::SegmentProgress { segment_id, state, processed, total, .. } => {
            format!("{} {state}, {processed} of {total}", tail(segment_id.as_str()))
        }
        RunMessageBody::DeltaSummary { deltas, .. } => deltas.to_string(),
        RunMessageBody::End { state } => format!("run ended {state}"),
        RunMessageBody::Snapshot { .. }
        | RunMessageBody::Log { .. }
        | RunMessageBody::Heartbeat {}
        | RunMessageBody::Reset {} => return None,
    };
    Some(EventRow { seq: message.seq, name: message.body.name(), words, at: message.at })
}

/// The strip: a row per shard, its segments in the planner's order.
pub(super) fn strip(segments: &[Segment]) -> Vec<HeatRow> {
    let usual = usual_ms(segments);
    let mut shards: BTreeMap<i32, Vec<&Segment>> = BTreeMap::new();
    for segment in segments {
        shards.entry(segment.shard).or_default().push(segment);
    }
    shards
        .into_iter()
        .map(|(shard, mut segments)| {
            segments.sort_by_key(|segment| segment.ordinal);
            let cells = segments.into_iter().map(|segment| cell(segment, usual)).collect();
            HeatRow { label: shard.to_string().into(), cells }
        })
        .collect()
}

/// How long a segment took per target.
fn ms_per_target(segment: &Segment) -> Option<f64> {
    let took = segment.ended_at?.ms_since(segment.started_at?).max(1) as f64;
    (segment.state == SegmentState::Succeeded).then(|| took / segment.target_count.max(1) as f64)
}

/// How long a target took in the segment in the middle; nothing before one has ended.
fn usual_ms(segments: &[Segment]) -> Option<f64> {
    let mut took: Vec<f64> = segments.iter().filter_map(ms_per_target).collect();
    took.sort_by(f64::total_cmp);
    took.get(took.len() / 2).copied()
}

/// Paler than most when a target took half as long again, palest when it took more than twice as long.
fn paleness(segment: &Segment, usual: Option<f64>) -> Paleness {
    match ms_per_target(segment).zip(usual) {
        Some((took, usual)) if took > usual * 2.0 => Paleness::Palest,
        Some((took, usual)) if took > usual * 1.5 => Paleness::Pale,
        Some(_) | None => Paleness::Full,
    }
}

fn cell(segment: &Segment, usual: Option<f64>) -> HeatCell {
    let share = segment.processed as f64 / segment.target_count.max(1) as f64;
    let state = match segment.state {
        SegmentState::Pending | SegmentState::Queued => HeatState::Waiting,
        SegmentState::Running => HeatState::Live(share),
        SegmentState::Succeeded => HeatState::Done(paleness(segment, usual)),
        SegmentState::Failed => HeatState::Failed,
        SegmentState::Cancelled | SegmentState::Skipped => HeatState::Ended,
    };
    let reason = segment.reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
    let label = format!(
        "segment {}, {}, {} of {} targets{reason}",
        place(segment),
        segment.state,
        segment.processed,
        segment.target_count
    );
    HeatCell { id: segment.segment_id.to_string().into(), label: label.into(), state }
}

/// Targets per minute of each shard since execution began; nothing before it did.
pub(super) fn pace_by_shard(run: &Run, segments: &[Segment], now: Micros) -> Vec<(i32, f64)> {
    let Some(from) = run.started_at else { return Vec::new() };
    let until = run.executed_at.or(run.finished_at).unwrap_or(now);
    // Within the first second every pace would be a guess.
    let minutes = until.ms_since(from).max(1_000) as f64 / 60_000.0;
    let mut done: BTreeMap<i32, i64> = BTreeMap::new();
    for segment in segments {
        *done.entry(segment.shard).or_default() += segment.processed;
    }
    done.into_iter().map(|(shard, processed)| (shard, processed as f64 / minutes)).collect()
}

/// Minutes of the line of the pace.
const PACE_MINUTES: i64 = 20;

/// Targets of segments that ended in each of the last twenty minutes of execution, the latest last.
pub(super) fn pace_line(run: &Run, segments: &[Segment], now: Micros) -> Vec<f64> {
    let Some(from) = run.started_at else { return Vec::new() };
    let until = run.executed_at.or(run.finished_at).unwrap_or(now);
    let minutes = ((until.ms_since(from) + 59_999) / 60_000).clamp(1, PACE_MINUTES);
    let mut line = vec![0.0; usize::try_from(minutes).unwrap_or(1)];
    for segment in segments {
        let Some(ended) = segment.ended_at else { continue };
        let ago = until.ms_since(ended).max(0) / 60_000;
        if let Some(at) = usize::try_from(minutes - 1 - ago).ok().filter(|at| *at < line.len()) {
            line[at] += segment.processed as f64;
        }
    }
    line
}

/// The segment whose line is shown: the one that was opened, else the first that failed.
pub(super) fn shown_segment<'a>(segments: &'a [Segment], open: Option<&str>) -> Option<&'a Segment> {
    let opened = open.and_then(|id| segments.iter().find(|one| one.segment_id.as_str() == id));
    let failed = segments.iter().filter(|one| one.state == SegmentState::Failed);
    opened.or_else(|| failed.min_by_key(|one| (one.shard, one.ordinal)))
}

/// The number of the newest line that is known.
pub(super) fn newest(watched: &WatchedRun) -> i64 {
    watched.log.back().map_or(0, |line| line.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    const AT: &str = "2026-11-21T14:08:15.000Z";

    fn log(seq: i64, severity: &str) -> RunMessage {
        serde_json::from_value(
            serde_json::json!({ "seq": seq, "at": AT, "event": "log", "severity": severity,
            "message": "m", "correlationId": "c" }),
        )
        .unwrap()
    }

    fn segment(shard: i32, ordinal: i32, state: &str, processed: i64) -> Segment {
        serde_json::from_value(serde_json::json!({
            "segmentId": format!("seg_01890000-0000-7000-8000-0000000000{shard}{ordinal}"),
            "runId": "run:acme:20261121T140815Z:9c1f04ab", "shard": shard, "ordinal": ordinal, "state": state,
            "targetCount": 50, "processed": processed, "failedTargets": 0, "attempt": 1, "retryCount": 0,
            "deltas": {}, "jobId": "job_01890000-0000-7000-8000-000000000000" }))
        .unwrap()
    }

    #[test]
    fn a_reader_who_scrolled_up_keeps_the_lines_and_is_told_how_many_came() {
        let mut watched = WatchedRun::default();
        watched.take(&[log(1, "info"), log(2, "warn"), log(3, "info"), log(4, "error")]);
        let seqs = |level, stand| {
            log_of(&watched, level, stand).lines.iter().map(|line| line.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(Level::All, Stand::Live), [1, 2, 3, 4]);
        assert_eq!(seqs(Level::Warn, Stand::Live), [2, 4]);
        let scrolled = log_of(&watched, Level::All, Stand::Scrolled(2));
        assert_eq!((scrolled.lines.len(), scrolled.news, scrolled.kept), (2, 2, 4));
        assert_eq!(newest(&watched), 4);
    }

    #[test]
    fn events_stand_newest_first_and_say_what_happened() {
        let told: Vec<RunMessage> = serde_json::from_value(serde_json::json!([
            { "seq": 1, "at": AT, "event": "stateChanged", "from": "planning", "to": "queued" },
            { "seq": 2, "at": AT, "event": "log", "severity": "info", "message": "m", "correlationId": "c" },
            { "seq": 3, "at": AT, "event": "stateChanged", "from": "running", "to": "error", "errorCode": "ERR_RUN_007" },
            { "seq": 4, "at": AT, "event": "end", "state": "error" } ]))
        .unwrap();
        let mut watched = WatchedRun::default();
        watched.take(&told);
        let rows: Vec<(i64, String)> =
            events_of(&watched).into_iter().map(|row| (row.seq, row.words)).collect();
        let expected = [(4, "run ended error"), (3, "run to error, ERR_RUN_007"), (1, "run to queued")];
        assert_eq!(rows, expected.map(|(seq, words)| (seq, words.to_owned())));
    }

    #[test]
    fn the_strip_has_a_row_per_shard_in_the_planners_order() {
        let rows = strip(&[
            segment(1, 1, "failed", 3),
            segment(1, 0, "running", 25),
            segment(0, 0, "succeeded", 50),
        ]);
        assert_eq!(rows.iter().map(|row| row.label.to_string()).collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(rows[1].cells[0].state, HeatState::Live(0.5));
        assert_eq!(rows[1].cells[1].label.as_str(), "segment 1.1, failed, 3 of 50 targets");
    }

    #[test]
    fn a_slow_segment_is_paler_than_most() {
        let at = Micros::parse(AT).unwrap();
        let took = |ordinal, seconds: i64| Segment {
            started_at: Some(at),
            ended_at: Some(at.plus_ms(seconds * 1_000)),
            ..segment(0, ordinal, "succeeded", 50)
        };
        let cells = strip(&[took(0, 10), took(1, 11), took(2, 9), took(3, 18), took(4, 60)]).remove(0).cells;
        let states: Vec<HeatState> = cells.into_iter().map(|cell| cell.state).collect();
        let done = HeatState::Done;
        let (full, pale) = (done(Paleness::Full), done(Paleness::Pale));
        assert_eq!(states, [full, full, full, pale, done(Paleness::Palest)]);
    }

    #[test]
    fn the_line_of_the_pace_has_a_point_for_each_minute() {
        let at = Micros::parse(AT).unwrap();
        let ended = |ordinal, minute: i64| Segment {
            ended_at: Some(at.plus_ms(minute * 60_000 + 1)),
            ..segment(0, ordinal, "succeeded", 50)
        };
        let running = run(serde_json::json!({ "state": "running", "startedAt": AT }));
        let segments = [ended(0, 0), ended(1, 2), ended(2, 2), segment(0, 3, "running", 9)];
        let line = pace_line(&running, &segments, at.plus_ms(3 * 60_000));
        assert_eq!(line, [50.0, 0.0, 100.0]);
        assert_eq!(pace_line(&running, &segments, at.plus_ms(90 * 60_000)).len(), 20);
        assert!(pace_line(&run(serde_json::json!({})), &segments, at).is_empty());
    }

    #[test]
    fn the_first_failed_segment_is_shown_until_another_is_opened() {
        let segments =
            [segment(1, 0, "failed", 0), segment(0, 1, "failed", 0), segment(0, 0, "succeeded", 50)];
        let place = |open| shown_segment(&segments, open).map(|one| (one.shard, one.ordinal));
        assert_eq!(place(None), Some((0, 1)));
        assert_eq!(place(Some(segments[2].segment_id.as_str())), Some((0, 0)));
        assert_eq!(place(Some("seg_gone")), Some((0, 1)));
        assert_eq!(shown_segment(&segments[2..], None), None);
    }

    #[test]
    fn the_pace_counts_from_the_start_of_execution() {
        let segments =
            [segment(0, 0, "succeeded", 50), segment(0, 1, "running", 10), segment(1, 0, "running", 30)];
        let waiting = run(serde_json::json!({}));
        let now = Micros::parse(AT).unwrap().plus_ms(120_000);
        assert_eq!(pace_by_shard(&waiting, &segments, now), []);
        let running = run(serde_json::json!({ "state": "running", "startedAt": AT }));
        assert_eq!(pace_by_shard(&running, &segments, now), [(0, 30.0), (1, 15.0)]);
    }
}
