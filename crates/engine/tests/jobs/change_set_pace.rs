//! How fast a change-set goes, where it stops, and that it goes on where it was.

use crate::change_sets::{by_filter, by_ids};
use crate::support::World;
use stella_contract::change_set::{
    AfterFirst, ChangeOptions, ChangeSetFilter, ChangeSetState, ChangeVerb, ItemState,
};
use stella_contract::job::{ErrorClass, Job, JobState};
use stella_contract::page::PageQuery;
use stella_contract::quota::AddQuota;
use stella_engine::handlers::Registry;

pub(crate) async fn a_paused_or_cancelled_set_leaves_the_rest_as_it_was(world: World) {
    let jobs = world.many(5).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    wish.options.pace_per_s = Some(2);
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    let sets = world.engine.change_sets();
    sets.pause(&world.caller, &set.change_set_id).await.unwrap();
    world.pass_ms(10_000).await;
    assert_eq!(world.set(&set.change_set_id).await.progress.done, 2);
    // What was not done in the pause is not made up for.
    sets.resume(&world.caller, &set.change_set_id).await.unwrap();
    world.idle().await;
    assert_eq!(world.set(&set.change_set_id).await.progress.done, 4);
    sets.cancel(&world.caller, &set.change_set_id).await.unwrap();
    world.pass_ms(10_000).await;
    assert_eq!(world.state(&jobs[4].job_id).await, JobState::Queued);
    let items = world.items(&set.change_set_id).await;
    assert_eq!(items[4].state, ItemState::Waiting);
}

pub(crate) async fn a_pace_is_kept_by_the_clock(world: World) {
    world.many(7).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    wish.options.pace_per_s = Some(3);
    let set = world.look(wish).await;
    assert_eq!(set.dry_run.duration_s, Some(3));
    world.begin(&set).await;
    let mut done = Vec::new();
    for ms in [0, 999, 1, 1_000] {
        world.pass_ms(ms).await;
        done.push(world.set(&set.change_set_id).await.progress.done);
    }
    assert_eq!(done, [3, 3, 6, 7]);
    assert_eq!(world.set(&set.change_set_id).await.state, ChangeSetState::Completed);
}

pub(crate) async fn several_sets_are_carried_out_at_once(world: World) {
    let one = world.many(4).await;
    let other = world.many(4).await;
    let slow = |jobs: &[Job]| {
        let jobs: Vec<&Job> = jobs.iter().collect();
        let mut wish = by_ids(ChangeVerb::Cancel, &jobs);
        wish.options.pace_per_s = Some(1);
        wish
    };
    let sets = [world.look(slow(&one)).await, world.look(slow(&other)).await];
    for set in &sets {
        world.begin(set).await;
    }
    for round in 1..=4 {
        world.pass_ms(if round == 1 { 0 } else { 1_000 }).await;
        for set in &sets {
            assert_eq!(world.set(&set.change_set_id).await.progress.done, round);
        }
    }
    let query = PageQuery::default();
    let ended = ChangeSetFilter { state: Some(ChangeSetState::Completed) };
    let listed = world.engine.change_sets().list(&world.caller, &ended, &query).await.unwrap();
    assert_eq!(listed.items.len(), 2);
    assert_eq!(listed.items[0].change_set_id, sets[1].change_set_id, "newest first");
}

pub(crate) async fn after_a_restart_it_goes_on_where_it_was_and_does_nothing_twice(world: World) {
    let jobs = world.many(6).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    wish.options.pace_per_s = Some(2);
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    world.clock.advance_ms(1_000);
    // The process dies in the middle of it: another opens the same ledger.
    let world = world.with(Registry::default()).await;
    assert_eq!(world.set(&set.change_set_id).await.progress.done, 2);
    for _ in 0..3 {
        world.pass_ms(1_000).await;
    }
    let done = world.set(&set.change_set_id).await;
    assert_eq!((done.state, done.progress.done), (ChangeSetState::Completed, 6));
    for job in &jobs {
        let cancels = world.kinds(&job.job_id).await.into_iter().filter(|kind| kind == "cancelled").count();
        assert_eq!(cancels, 1, "{}", job.job_id);
    }
    world.assert_chain().await;
}

pub(crate) async fn the_first_items_must_succeed_before_the_rest_is_replayed(world: World) {
    let jobs = world.failed(5).await;
    let quota = AddQuota { job_type: "exam".to_owned(), max_active: Some(40), ..AddQuota::default() };
    world.engine.quotas().add(&world.caller, quota).await.unwrap();
    let mut wish = by_filter(ChangeVerb::Replay, "state:failed");
    wish.options = ChangeOptions { first_n: Some(2), pace_per_s: Some(100), ..ChangeOptions::default() };
    let set = world.look(wish).await;
    assert_eq!(set.dry_run.by_category[0].name, "validation");
    let impact = &set.dry_run.impact[0];
    assert_eq!((impact.job_type.as_str(), impact.added, impact.waiting), ("exam", 5, 0));
    assert_eq!(impact.max_active, Some(40), "as the quota of the type says");
    world.begin(&set).await;
    world.pass_ms(5_000).await;
    let underway = world.set(&set.change_set_id).await;
    assert_eq!((underway.state, underway.progress.done), (ChangeSetState::Running, 2));
    for _ in 0..2 {
        let lease = world.start().await;
        assert!(lease.job.priority >= 75);
        world.complete(&lease.fence).await.unwrap();
    }
    world.pass_ms(5_000).await;
    let done = world.set(&set.change_set_id).await;
    assert_eq!((done.state, done.progress.done), (ChangeSetState::Completed, 5));
    let items = world.items(&set.change_set_id).await;
    for (item, job) in items.iter().zip(&jobs) {
        let made = item.result_job_id.as_deref().unwrap().parse().unwrap();
        assert_eq!(world.job(&made).await.replay_of, Some(job.job_id.clone()));
    }
}

pub(crate) async fn when_the_first_items_fail_the_rest_is_left_as_it_was(world: World) {
    let jobs = world.failed(5).await;
    let mut wish = by_filter(ChangeVerb::Replay, "state:failed");
    wish.options = ChangeOptions { first_n: Some(2), pace_per_s: Some(100), ..ChangeOptions::default() };
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::Validation).await;
    world.pass_ms(5_000).await;
    let stopped = world.set(&set.change_set_id).await;
    assert_eq!((stopped.state, stopped.progress.done), (ChangeSetState::Stopped, 2));
    let notice = stopped.notice.unwrap();
    assert!(notice.contains("1 of the first 2 failed"), "{notice}");
    assert_eq!(world.items(&set.change_set_id).await[4].state, ItemState::Waiting);
    assert_eq!(world.state(&jobs[4].job_id).await, JobState::Failed);
    assert_eq!(world.told(&set.change_set_id).await, ["started", "stopped"]);
}

pub(crate) async fn after_the_first_items_it_pauses_when_somebody_shall_look(world: World) {
    world.many(5).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    wish.options =
        ChangeOptions { first_n: Some(2), after_first: Some(AfterFirst::Pause), ..ChangeOptions::default() };
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    let paused = world.set(&set.change_set_id).await;
    assert_eq!((paused.state, paused.progress.done), (ChangeSetState::Paused, 2));
    assert!(paused.notice.unwrap().contains("The first 2 are done"));
    world.engine.change_sets().resume(&world.caller, &set.change_set_id).await.unwrap();
    world.idle().await;
    assert_eq!(world.set(&set.change_set_id).await.state, ChangeSetState::Completed);
}
