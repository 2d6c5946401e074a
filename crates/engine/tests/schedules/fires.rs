//! What becomes of fires.

use crate::scene::{at, task, tick, wish};
use crate::support::World;
use stella_contract::blackout::{AddBlackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind};
use stella_contract::error::Code;
use stella_contract::ids::ScheduleId;
use stella_contract::incident::{IncidentFilter, IncidentKind, IncidentState};
use stella_contract::page::PageQuery;
use stella_contract::run::{RunFilter, RunState, RunTrigger};
use stella_contract::schedule::*;
use stella_ledger::LedgerError;
use stella_ledger::pressure::PressureRow;

pub(crate) async fn a_fire_starts_one_run_and_says_so(world: World) {
    let made = world.make(wish("often", "*/20 * * * *")).await;
    assert_eq!(tick(&world.engine).await, 0, "it is not time yet");
    world.goes_to("09:20:00").await;
    assert_eq!(tick(&world.engine).await, 0, "it fired");
    let run = world.runs().await.remove(0);
    assert_eq!((run.trigger, run.trigger_detail.as_deref()), (RunTrigger::Cron, Some("often")));
    assert_eq!((run.schedule_id.as_ref(), run.initiator.as_str()), (Some(&made.schedule_id), "scheduler"));
    assert_eq!((run.state, run.created_at), (RunState::Planning, at("09:20:00")));
    let after = world.schedule(&made.schedule_id).await;
    assert_eq!((after.last_fire_at, after.last_run_id), (Some(at("09:20:00")), Some(run.run_id.clone())));
    assert_eq!((after.next_fire_at, after.version), (Some(at("09:40:00")), made.version));
    assert_eq!(after.recent_runs.len(), 1);
    let fires = world.fires(&made.schedule_id).await;
    assert_eq!((fires[0].outcome, fires[0].run_id.as_ref()), (FireOutcome::Started, Some(&run.run_id)));
    let told = world.said().await.pop().unwrap();
    assert_eq!((told.kind.as_str(), told.run_id), ("scheduler.schedule.fired", Some(run.run_id.clone())));
    assert_eq!(told.actor.subject, "scheduler");
    // Its stream begins with who asked, and the run goes its way: there is nothing to evaluate.
    world.engine.run_until_idle().await.unwrap();
    let ended = world.engine.runs().get(&world.caller, &run.run_id).await.unwrap();
    assert_eq!(ended.state, RunState::Completed);
    world.assert_chain().await;
}

pub(crate) async fn a_fire_while_the_run_before_is_open_follows_the_policy(world: World) {
    let of = |name: &str, policy| MakeSchedule { overlap_policy: Some(policy), ..wish(name, "*/20 * * * *") };
    let skip = world.make(of("skip", OverlapPolicy::Skip)).await;
    let buffer = world.make(of("buffer", OverlapPolicy::BufferOne)).await;
    let allow = world.make(of("allow", OverlapPolicy::Allow)).await;
    // Runs stay in planning: only the scheduler looks.
    world.goes_to("09:20:00").await;
    world.goes_to("09:40:00").await;
    world.goes_to("10:00:00").await;
    use FireOutcome::{Buffered, SkippedOverlap, Started};
    let times = [at("09:20:00"), at("09:40:00"), at("10:00:00")];
    let of = |outcomes: [FireOutcome; 3]| times.into_iter().zip(outcomes).collect::<Vec<_>>();
    assert_eq!(world.outcomes(&skip.schedule_id).await, of([Started, SkippedOverlap, SkippedOverlap]));
    assert_eq!(world.outcomes(&buffer.schedule_id).await, of([Started, Buffered, SkippedOverlap]));
    assert_eq!(world.outcomes(&allow.schedule_id).await, of([Started, Started, Started]));
    assert_eq!(world.schedule(&buffer.schedule_id).await.buffered_fire_at, Some(at("09:40:00")));
    // The runs end; the one that waits starts.
    world.clock.advance_ms(60_000);
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(world.outcomes(&buffer.schedule_id).await, of([Started, Started, SkippedOverlap]));
    let buffer = world.schedule(&buffer.schedule_id).await;
    assert_eq!((buffer.buffered_fire_at, buffer.last_fire_at), (None, Some(at("09:40:00"))));
    assert_eq!(world.runs().await.len(), 1 + 2 + 3);
    let kinds = world.kinds_said().await;
    let count = |kind: &str| kinds.iter().filter(|said| *said == kind).count();
    assert_eq!((count("fired"), count("skipped"), count("buffered")), (6, 3, 1));
}

pub(crate) async fn late_fires_are_made_up_for_once_and_older_ones_are_missed(world: World) {
    let made = world.make(wish("often", "*/20 * * * *")).await;
    // Nobody looks until 10:05; 10:00 is five minutes late, within the ten of the window.
    world.goes_to("10:05:00").await;
    use FireOutcome::{Missed, Started};
    let expected = [(at("09:20:00"), Missed), (at("09:40:00"), Missed), (at("10:00:00"), Started)];
    assert_eq!(world.outcomes(&made.schedule_id).await, expected);
    assert_eq!(world.schedule(&made.schedule_id).await.missed_count, 2);
    world.engine.run_until_idle().await.unwrap();
    // At 11:15 the newest is fifteen minutes late: nothing starts.
    world.goes_to("11:15:00").await;
    let after = world.schedule(&made.schedule_id).await;
    assert_eq!((after.missed_count, after.next_fire_at), (5, Some(at("11:20:00"))));
    assert_eq!(world.runs().await.len(), 1);
    let missed: Vec<_> =
        world.said().await.into_iter().filter(|said| said.kind.ends_with(".missed")).collect();
    assert_eq!(missed.iter().map(|said| said.data["count"].clone()).collect::<Vec<_>>(), [2, 3]);
}

pub(crate) async fn fires_that_are_too_late_to_be_made_up_for_are_an_incident(world: World) {
    let made = world.make(wish("often", "*/20 * * * *")).await;
    let watch = task("incident-watch");
    let found = async || -> Vec<(IncidentState, i64, String)> {
        watch.activate(&world.engine).await.unwrap();
        let filter = IncidentFilter { kind: Some(IncidentKind::ScheduleMissed), ..Default::default() };
        let page = world.engine.incidents().list(&world.caller, &filter, &PageQuery::default()).await;
        page.unwrap().items.into_iter().map(|one| (one.state, one.count, one.subject)).collect()
    };
    // Two fires are older than the window, and the newest is made up for: nothing is lost.
    world.goes_to("10:05:00").await;
    assert_eq!(found().await, []);
    world.engine.run_until_idle().await.unwrap();
    world.goes_to("11:15:00").await;
    let id = made.schedule_id.to_string();
    assert_eq!(found().await, [(IncidentState::Open, 3, id.clone())]);
    world.goes_to("12:14:00").await;
    assert_eq!(found().await, [(IncidentState::Open, 6, id)], "more of them are no second incident");
}

pub(crate) async fn fires_in_a_pause_are_dropped_and_it_ends_at_its_time(world: World) {
    let schedules = world.engine.schedules();
    let made = world.make(wish("often", "*/20 * * * *")).await;
    let until = PauseSchedule { resume_at: Some(at("10:10:00")) };
    let paused = schedules.pause(&world.caller, &made.schedule_id, until, None).await.unwrap();
    assert_eq!((paused.state, paused.next_fire_at), (ScheduleState::Paused, None));
    assert_eq!(paused.earliest_next_run, Some(at("10:20:00")));
    assert_eq!((paused.pause_reason.as_deref(), paused.paused_by.as_deref()), (Some("a test"), Some("ada")));
    world.goes_to("10:05:00").await;
    assert!(world.outcomes(&made.schedule_id).await.is_empty());
    world.goes_to("10:10:00").await;
    let resumed = world.schedule(&made.schedule_id).await;
    assert_eq!((resumed.state, resumed.next_fire_at), (ScheduleState::Enabled, Some(at("10:20:00"))));
    assert_eq!((resumed.pause_reason, resumed.missed_count), (None, 0));
    world.goes_to("10:20:00").await;
    assert_eq!(world.outcomes(&made.schedule_id).await, [(at("10:20:00"), FireOutcome::Started)]);

    // By hand.
    schedules.pause(&world.caller, &made.schedule_id, PauseSchedule::default(), None).await.unwrap();
    world.goes_to("11:30:00").await;
    let resumed = schedules.resume(&world.caller, &made.schedule_id, None).await.unwrap();
    assert_eq!((resumed.next_fire_at, resumed.missed_count), (Some(at("11:40:00")), 0));
    assert_eq!(world.kinds_said().await, ["created", "paused", "resumed", "fired", "paused", "resumed"]);
}

async fn dark(world: &World, id: &ScheduleId, action: BlackoutAction, from: &str, until: &str) {
    let target = BlackoutTarget { kind: BlackoutTargetKind::Schedule, key: id.as_str().to_owned() };
    let wish = AddBlackout {
        targets: vec![target],
        start: Some(at(from)),
        end: Some(at(until)),
        cron: None,
        duration_s: None,
        time_zone: None,
        action: Some(action),
        drain_before_s: None,
    };
    world.engine.blackouts().add(&world.caller, wish).await.unwrap();
}

pub(crate) async fn a_blackout_holds_a_fire_or_leaves_it_out(world: World) {
    use FireOutcome::{Missed, SkippedBlackout, Started};
    let held = world.make(wish("held", "*/20 * * * *")).await;
    let left = world.make(wish("left", "*/20 * * * *")).await;
    dark(&world, &held.schedule_id, BlackoutAction::Hold, "09:30:00", "11:30:00").await;
    dark(&world, &left.schedule_id, BlackoutAction::Skip, "09:30:00", "09:50:00").await;
    assert_eq!(world.schedule(&left.schedule_id).await.earliest_next_run, Some(at("09:20:00")));
    world.goes_to("09:20:00").await;
    world.engine.run_until_idle().await.unwrap();
    world.goes_to("09:40:00").await;
    let of_left = world.outcomes(&left.schedule_id).await;
    assert_eq!(of_left, [(at("09:20:00"), Started), (at("09:40:00"), SkippedBlackout)]);
    assert_eq!(world.schedule(&left.schedule_id).await.missed_count, 0);
    // The held one waits, however late it gets, and the newest of those that wait starts when the darkness ends.
    for minute in 41..90 {
        world.goes_to(&format!("{:02}:{:02}:00", 9 + minute / 60, minute % 60)).await;
    }
    assert_eq!(world.outcomes(&held.schedule_id).await.len(), 1 + 2, "two older ones are passed over by now");
    assert_eq!(world.schedule(&held.schedule_id).await.earliest_next_run, Some(at("11:30:00")));
    for minute in 30..91 {
        world.goes_to(&format!("{:02}:{:02}:00", 10 + minute / 60, minute % 60)).await;
    }
    let outcomes = world.outcomes(&held.schedule_id).await;
    let started: Vec<_> =
        outcomes.iter().filter(|(_, outcome)| *outcome == Started).map(|(due, _)| *due).collect();
    assert_eq!(started, [at("09:20:00"), at("11:20:00")]);
    assert!(outcomes[1..outcomes.len() - 1].iter().all(|(_, outcome)| *outcome == Missed), "{outcomes:?}");
}

pub(crate) async fn under_pressure_a_fire_comes_later(world: World) {
    let now = world.now();
    let put = world.engine.ledger().write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move {
            let row = PressureRow {
                tenant: "acme".to_owned(),
                level: 1,
                since: now.0,
                asked: 1,
                gauges: "{}".to_owned(),
                read_at: now.0,
            };
            stella_ledger::pressure::put(tx, &row).await
        })
    });
    put.await.unwrap();
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(world.make(wish(&format!("n{n}"), "*/20 * * * *")).await.schedule_id);
    }
    world.goes_to("09:20:00").await;
    let at_once = world.runs().await.len();
    assert!(at_once < 20, "{at_once} of 20 started at once");
    world.goes_to("09:20:31").await;
    assert_eq!(world.runs().await.len(), 20, "none is put off by more than half a minute");
    for id in &ids {
        assert_eq!(world.outcomes(id).await, [(at("09:20:00"), FireOutcome::Started)]);
    }
}

pub(crate) async fn a_schedule_is_run_by_hand_beside_its_times(world: World) {
    let schedules = world.engine.schedules();
    let made = world.make(wish("often", "*/20 * * * *")).await;
    let id = &made.schedule_id;
    let (run, replayed) = schedules.trigger(&world.caller, id, TriggerSchedule::default()).await.unwrap();
    assert_eq!((run.trigger, run.schedule_id.as_ref(), replayed), (RunTrigger::Manual, Some(id), false));
    assert_eq!((run.initiator.as_str(), run.reason.as_deref()), ("ada", Some("a test")));
    // Pressed twice in one second, it is the same run.
    let (same, replayed) = schedules.trigger(&world.caller, id, TriggerSchedule::default()).await.unwrap();
    assert_eq!((same.run_id, replayed), (run.run_id.clone(), true));
    world.clock.advance_ms(5_000);
    let refused = schedules.trigger(&world.caller, id, TriggerSchedule::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.public.contains(run.run_id.as_str()), "{}", refused.public);
    let both = TriggerSchedule { allow_overlap: true };
    let (second, _) = schedules.trigger(&world.caller, id, both).await.unwrap();
    let after = world.schedule(id).await;
    assert_eq!((after.last_run_id, after.last_fire_at), (Some(second.run_id), None));
    assert_eq!(after.next_fire_at, Some(at("09:20:00")), "its own times are not touched");
    // Its own fire minds the runs that were started by hand.
    world.goes_to("09:20:00").await;
    assert_eq!(world.outcomes(id).await, [(at("09:20:00"), FireOutcome::SkippedOverlap)]);
}

pub(crate) async fn two_schedules_in_one_second_have_two_runs(world: World) {
    let mut ids = Vec::new();
    for n in 0..300 {
        ids.push(world.make(wish(&format!("n{n}"), "*/20 * * * *")).await.schedule_id);
    }
    world.goes_to("09:20:00").await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 300);
    let mut of: Vec<ScheduleId> = runs.into_iter().filter_map(|run| run.schedule_id).collect();
    of.sort();
    ids.sort();
    assert_eq!(of, ids);
    world.assert_chain().await;
}

pub(crate) async fn the_scheduler_says_how_it_is_doing(world: World) {
    let health = async || world.engine.schedules().health(&world.caller).await.unwrap();
    assert_eq!(health().await.status, SchedulerStatus::Fail, "nobody was ever at work");
    world.engine.run_until_idle().await.unwrap();
    let made = world.make(wish("often", "*/20 * * * *")).await;
    let fine = health().await;
    assert_eq!((fine.status, fine.schedules, fine.enabled), (SchedulerStatus::Ok, 1, 1));
    assert_eq!((fine.next_fire_at, fine.next_schedule.as_deref()), (Some(at("09:20:00")), Some("often")));
    world.goes_to("09:20:00").await;
    world.engine.run_until_idle().await.unwrap();
    let fired = health().await;
    assert_eq!((fired.last_fire_at, fired.completed_today), (Some(at("09:20:00")), 1));
    // Nobody fires, but somebody beats: the planner of another node.
    world.clock.advance_ms(21 * 60_000 + 1_000);
    let now = world.now();
    let beat = world.engine.ledger().write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move { stella_ledger::runs::beat(tx, "planner", "all", now).await })
    });
    beat.await.unwrap();
    let late = health().await;
    assert_eq!((late.status, late.overdue), (SchedulerStatus::Warn, 1));
    world.clock.advance_ms(91_000);
    assert_eq!(health().await.status, SchedulerStatus::Fail);
    world.clock.advance_ms(60 * 60_000);
    world.engine.run_until_idle().await.unwrap();
    let missed = health().await;
    assert_eq!((missed.status, missed.missed_24h), (SchedulerStatus::Warn, 3));
    assert_eq!(world.schedule(&made.schedule_id).await.missed_count, 3);
}

pub(crate) async fn runs_are_listed_by_their_schedule(world: World) {
    let one = world.make(wish("one", "*/20 * * * *")).await;
    let two = world.make(wish("two", "*/20 * * * *")).await;
    world.goes_to("09:20:00").await;
    let filter = RunFilter { schedule_id: Some(one.schedule_id.clone()), ..RunFilter::default() };
    let page = world.engine.runs().list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].schedule_id, Some(one.schedule_id.clone()));
    // They stay when their schedule goes.
    world.engine.schedules().delete(&world.caller, &one.schedule_id, None).await.unwrap();
    let page = world.engine.runs().list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(world.schedule(&two.schedule_id).await.recent_runs.len(), 1);
}
