//! Tables of what becomes of due fires.

use super::*;
use stella_contract::run::{RunMode, RunScope};
use stella_contract::schedule::{ScheduleLimits, ScheduleNotify, ScheduleState};

fn at(text: &str) -> Micros {
    Micros::parse(&format!("2026-11-21T{text}Z")).unwrap()
}

fn schedule(cron: &str, policy: OverlapPolicy) -> (ScheduleRow, Cron) {
    let read = Cron::read(cron, "UTC").unwrap();
    let row = ScheduleRow {
        schedule_id: "sch_01890000-0000-7000-8000-000000000001".parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        name: "nightly".to_owned(),
        state: ScheduleState::Enabled,
        pause: None,
        cron: cron.to_owned(),
        time_zone: "UTC".to_owned(),
        jitter_s: 0,
        overlap_policy: policy,
        catchup_window_s: 600,
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        policy_snapshot_id: None,
        kev_first: false,
        max_targets: 50_000,
        limits: ScheduleLimits::default(),
        notify: ScheduleNotify::default(),
        next_fire_at: Some(at("12:00:00")),
        acts_at: Some(at("12:00:00")),
        buffered_at: None,
        last_fire_at: None,
        last_run_id: None,
        missed_count: 0,
        created_by: "ada".to_owned(),
        created_at: at("00:00:00"),
        updated_at: at("00:00:00"),
        version: 1,
    };
    (row, read)
}

fn looked(row: &ScheduleRow, cron: &Cron, now: &str, has_open_run: bool) -> Verdict {
    let (holds, delays) = (FireHolds::default(), FireDelays::default());
    let around = Around { holds: &holds, delays: &delays, has_open_run, now: at(now) };
    look(row, cron, around, 10_000)
}

#[test]
fn a_fire_on_time_starts_and_the_next_is_planned() {
    let (row, cron) = schedule("*/20 * * * *", OverlapPolicy::Skip);
    let early = looked(&row, &cron, "11:59:59", false);
    assert_eq!((early.fires.len(), early.row.next_fire_at), (0, Some(at("12:00:00"))));
    let verdict = looked(&row, &cron, "12:00:00", false);
    assert_eq!(verdict.fires, [(at("12:00:00"), FireOutcome::Started)]);
    assert_eq!(verdict.row.next_fire_at, Some(at("12:20:00")));
    assert_eq!((verdict.start(), verdict.row.missed_count), (Some(at("12:00:00")), 0));
}

#[test]
fn of_late_fires_the_newest_within_the_window_starts_and_older_ones_are_missed() {
    let (row, cron) = schedule("*/20 * * * *", OverlapPolicy::Skip);
    use FireOutcome::{Missed, Started};
    for (now, outcomes) in [
        ("12:10:00", vec![("12:00:00", Started)]),
        ("12:10:01", vec![("12:00:00", Missed)]),
        ("12:25:00", vec![("12:00:00", Missed), ("12:20:00", Started)]),
        (
            "13:15:00",
            vec![("12:00:00", Missed), ("12:20:00", Missed), ("12:40:00", Missed), ("13:00:00", Missed)],
        ),
    ] {
        let verdict = looked(&row, &cron, now, false);
        let expected: Vec<_> = outcomes.into_iter().map(|(due, outcome)| (at(due), outcome)).collect();
        assert_eq!(verdict.fires, expected, "{now}");
        assert_eq!(verdict.row.missed_count, verdict.missed(), "{now}");
    }
}

#[test]
fn while_a_run_is_open_the_policy_decides() {
    use FireOutcome::{Buffered, SkippedOverlap, Started};
    use OverlapPolicy::{Allow, BufferOne, Skip};
    for (policy, buffered, outcome) in [
        (Skip, false, SkippedOverlap),
        (Allow, false, Started),
        (BufferOne, false, Buffered),
        (BufferOne, true, SkippedOverlap),
    ] {
        let (mut row, cron) = schedule("*/20 * * * *", policy);
        row.buffered_at = buffered.then(|| at("11:40:00"));
        let verdict = looked(&row, &cron, "12:00:05", true);
        assert_eq!(verdict.fires, [(at("12:00:00"), outcome)], "{policy} {buffered}");
        let waits = row.buffered_at.or((outcome == Buffered).then(|| at("12:00:00")));
        assert_eq!(verdict.row.buffered_at, waits, "{policy} {buffered}");
    }
}

#[test]
fn a_fire_is_spread_within_its_jitter_and_never_beyond_half_the_way_to_the_next() {
    let (mut row, cron) = schedule("* * * * *", OverlapPolicy::Skip);
    row.jitter_s = 3_600;
    let mut delays: Vec<i64> = (0..60)
        .map(|minute| Spread::of(&row, &cron, at("12:00:00").plus_ms(minute * 60_000)).jitter_ms)
        .collect();
    assert!(delays.iter().all(|ms| (0..=30_000).contains(ms)), "{delays:?}");
    assert_eq!(Spread::of(&row, &cron, at("12:00:00")).jitter_ms, delays[0], "the same fire, the same delay");
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 50, "they do not all come at once");
    row.jitter_s = 0;
    assert_eq!(Spread::of(&row, &cron, at("12:00:00")).jitter_ms, 0);
}

#[test]
fn of_very_many_missed_fires_all_are_counted_and_the_newest_are_kept() {
    let (row, cron) = schedule("* * * * *", OverlapPolicy::Skip);
    let verdict = looked(&row, &cron, "17:00:30", false);
    assert_eq!(verdict.missed(), 300);
    assert_eq!(verdict.fires.len(), KEPT_MISSED + 1);
    assert_eq!(verdict.start(), Some(at("17:00:00")));
    assert_eq!(verdict.row.missed_count, 300);
}

#[test]
fn what_is_too_much_for_one_look_goes_on_with_the_next_and_counts_the_same() {
    let (row, cron) = schedule("* * * * *", OverlapPolicy::Skip);
    let (holds, delays) = (FireHolds::default(), FireDelays::default());
    let around = Around { holds: &holds, delays: &delays, has_open_run: false, now: at("17:00:30") };
    let (mut row, mut looks, mut started) = (row, 0, Vec::new());
    while row.acts_at.is_some_and(|acts_at| acts_at <= around.now) {
        let verdict = look(&row, &cron, around, 70);
        started.extend(verdict.start());
        row = verdict.row;
        looks += 1;
    }
    assert_eq!((row.missed_count, started), (300, vec![at("17:00:00")]));
    assert!((4..=6).contains(&looks), "{looks}");
}
