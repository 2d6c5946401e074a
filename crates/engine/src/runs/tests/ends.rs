//! How runs are planned and how they end.

use super::*;

on_both! {
    planning_twice_makes_the_same_segments_once => planned_twice;
    a_run_of_failing_segments_ends_in_error_and_one_failure_in_five_is_partial => failing;
    a_cancelled_run_keeps_nothing_that_comes_later_and_can_be_retried => cancelled;
    nothing_to_do_an_old_index_and_a_wrong_scope_end_in_planning => planning_ends;
    a_run_that_waits_or_runs_too_long_is_ended => limits;
    jobs_of_an_ended_run_that_wait_for_what_failed_are_skipped => skipped;
    no_more_segments_are_at_work_than_the_schedule_allows => at_a_time;
}

async fn at_a_time(place: LedgerPlace) {
    let world = World::small(place).await;
    for at in 0..30 {
        world.sbom(&format!("more-{at}"), &["pkg:pypi/alpha@1.0"]).await;
    }
    let wish = json!({ "name": "nightly", "cron": "@daily", "mode": "analysis-only",
        "limits": { "parallelism": 2, "targetsPerMinute": 100_000 } });
    let schedules = world.engine.schedules();
    let nightly = schedules.make(&world.caller, serde_json::from_value(wish).unwrap()).await.unwrap();
    let worker = world.worker().await;
    let run = schedules.trigger(&world.caller, &nightly.schedule_id, Default::default()).await.unwrap().0;
    world.tasks().await;
    let planned = world.get(&run.run_id).await;
    let segments = planned.segments.total();
    assert!(segments > 4, "{:?}", planned.segments);
    let mut done = 0;
    loop {
        world.clock.advance_ms(1_000);
        world.tasks().await;
        let leases = world.claim(&worker).await;
        if leases.is_empty() {
            break;
        }
        assert!(leases.len() <= 2, "{} at a time", leases.len());
        assert!(world.claim(&worker).await.is_empty(), "the others wait for these");
        for lease in &leases {
            let result = ScanSegment.run(&world.context(), lease).await.unwrap();
            world.engine.work().complete(&lease.fence, result).await.unwrap();
        }
        done += leases.len() as i64;
    }
    let ended = world.get(&run.run_id).await;
    assert_eq!((ended.state, ended.processed, done), (RunState::Completed, 32, segments));
}

async fn skipped(place: LedgerPlace) {
    use stella_contract::edge::{Dependency, EdgeKind};
    use stella_contract::job::{SubmitJob, WaitReason};
    let world = World::small(place).await;
    let run = world.start(wish()).await;
    let submit = async |on: Option<&JobId>| {
        let on = on.map(|job_id| Dependency { job_id: job_id.clone(), kind: EdgeKind::OnSuccess });
        let wish = SubmitJob {
            job_type: "exam".to_owned(),
            payload: json!({}),
            run_id: Some(run.run_id.clone()),
            depends_on: on.into_iter().collect(),
            ..SubmitJob::default()
        };
        world.engine.jobs().submit(&world.caller, wish).await.map(|made| made.job.job_id)
    };
    let first = submit(None).await.unwrap();
    let second = submit(Some(&first)).await.unwrap();
    let third = submit(Some(&second)).await.unwrap();
    let worker = world.worker().await;
    let lease = world.engine.work().claim(&worker, &["exam".to_owned()], 1).await.unwrap().remove(0);
    world.engine.work().ack(std::slice::from_ref(&lease.fence)).await.unwrap();
    let failure = crate::handlers::Failure::new(ErrorClass::Validation, "X", "x");
    world.engine.work().fail(&lease.fence, failure).await.unwrap();
    let stands = async |id: &JobId| {
        let job = world.engine.jobs().get(&world.caller, id).await.unwrap().job;
        (job.state, job.wait_reason)
    };
    assert_eq!(stands(&second).await, (JobState::Pending, Some(WaitReason::UpstreamFailed)));
    assert_eq!(stands(&third).await, (JobState::Pending, Some(WaitReason::Dependency)));
    world.engine.runs().cancel(&world.caller, &run.run_id).await.unwrap();
    assert_eq!(stands(&second).await, (JobState::Skipped, None));
    assert_eq!(stands(&third).await, (JobState::Skipped, None));
    assert_eq!(submit(None).await.unwrap_err().code, Code::InvalidTransition);
}

async fn planned_twice(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.start(wish()).await;
    let key = world
        .engine
        .ledger()
        .read::<_, crate::Error, _>(|tx| {
            Box::pin(async move {
                let open = stella_ledger::runs::open(tx, &[RunState::Planning], 10).await?;
                Ok(open[0].run_key)
            })
        })
        .await
        .unwrap();
    let (one, two) = tokio::join!(plan::plan(&world.engine, key), plan::plan(&world.engine, key));
    assert_eq!(one.unwrap() as u8 + two.unwrap() as u8, 1, "one of two planners plans");
    assert!(!plan::plan(&world.engine, key).await.unwrap());
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.candidates), (RunState::Queued, 2));
    let jobs = JobFilter { run: Some(run.run_id.clone()), ..JobFilter::default() };
    let jobs = world.engine.jobs().list(&world.caller, &jobs, &PageQuery::default()).await.unwrap();
    assert_eq!(jobs.items.len() as i64, run.segments.total());
    let segments =
        world.engine.runs().segments(&world.caller, &run.run_id, &PageQuery::default()).await.unwrap();
    let of_jobs: BTreeSet<_> = jobs.items.iter().map(|job| job.job_id.clone()).collect();
    assert_eq!(segments.items.iter().map(|one| one.job_id.clone()).collect::<BTreeSet<_>>(), of_jobs);
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(world.get(&run.run_id).await.state, RunState::Completed);
}

async fn failing(place: LedgerPlace) {
    let world = World::small(place).await;
    // Enough targets for more than five segments, so that one of them is less than a fifth.
    for at in 0..60 {
        world.sbom(&format!("more-{at}"), &["pkg:pypi/beta@2.5"]).await;
    }
    let worker = world.worker().await;
    let run_with = async |failing: usize| {
        let run = world.start(StartRun { segment_size: Some(10), ..wish() }).await;
        world.tasks().await;
        let leases = world.claim(&worker).await;
        assert_eq!(world.get(&run.run_id).await.state, RunState::Running);
        let chosen = leases.iter().take(failing).map(|lease| lease.fence.job_id.clone()).collect();
        work_off(&world, &worker, leases, &chosen).await;
        world.get(&run.run_id).await
    };
    let run = run_with(usize::MAX).await;
    assert_eq!((run.state, run.error_code), (RunState::Error, Some(RunErrorCode::TooManyFailed)));
    assert_eq!((run.processed, run.segments.failed), (0, run.segments.total()));
    assert_eq!(world.keys(FindingFilter::default()).await, Vec::<String>::new());
    let (told, _) = world.messages(&run.run_id, Some(0)).await;
    let is_reset = matches!(told[0].body, RunMessageBody::Reset {});
    assert!(is_reset, "an hour and a half passed");

    let run = run_with(1).await;
    assert_eq!((run.state, run.badges.as_slice()), (RunState::Completed, &[RunBadge::Partial][..]));
    assert!(run.is_partial() && run.segments.failed == 1, "{:?}", run.segments);
    let segments = world.engine.runs();
    let segments = segments.segments(&world.caller, &run.run_id, &PageQuery::default()).await.unwrap();
    let failed = segments.items.iter().find(|one| one.state == SegmentState::Failed).unwrap();
    assert_eq!((failed.attempt, failed.error_code.as_deref()), (6, Some("ERR_RUN_008")));
    assert_eq!(failed.reason.as_deref(), Some("The disk is full. Free some room."));
    assert_eq!((run.processed, run.failed), (run.candidates - failed.target_count, failed.target_count));
    let tab = RunFilter { tab: Some(RunTab::Failures), ..RunFilter::default() };
    let runs = world.engine.runs().list(&world.caller, &tab, &PageQuery::default()).await.unwrap();
    assert_eq!(runs.items.len(), 2);
}

async fn cancelled(place: LedgerPlace) {
    let world = World::small(place).await;
    let worker = world.worker().await;
    let run = world.start(wish()).await;
    world.tasks().await;
    let leases = world.claim(&worker).await;
    assert_eq!(world.get(&run.run_id).await.state, RunState::Running);
    let refused =
        world.engine.runs().retry(&world.caller, &run.run_id, RetryRun::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::RunNotTerminal);
    let done = ScanSegment.run(&world.context(), &leases[0]).await.unwrap();

    let cancelled = world.engine.runs().cancel(&world.caller, &run.run_id).await.unwrap();
    assert_eq!(cancelled.state, RunState::Cancelled);
    let again = world.engine.runs().cancel(&world.caller, &run.run_id).await.unwrap();
    assert_eq!((again.state, again.version), (cancelled.state, cancelled.version));

    // The worker was in the middle of it and reports nevertheless.
    let late = world.engine.work().complete(&leases[0].fence, done).await;
    assert!(late.is_ok() || late.is_err_and(|error| error.code == Code::LeaseLost));
    world.clock.advance_ms(120_000);
    world.tasks().await;
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.processed, run.findings), (RunState::Cancelled, 0, 0));
    assert_eq!(run.segments.cancelled, run.segments.total());
    assert_eq!(world.keys(FindingFilter::default()).await, Vec::<String>::new());
    let (told, ended) = world.messages(&run.run_id, None).await;
    assert!(ended && matches!(told.last().unwrap().body, RunMessageBody::End { state: RunState::Cancelled }));

    world.clock.advance_ms(1_000);
    let retried = world.engine.runs().retry(&world.caller, &run.run_id, RetryRun::default()).await.unwrap();
    let twice = world.engine.runs().retry(&world.caller, &run.run_id, RetryRun::default()).await.unwrap();
    assert_eq!(retried.run_id, twice.run_id);
    assert_ne!(retried.run_id, run.run_id);
    world.engine.run_until_idle().await.unwrap();
    let retried = world.get(&retried.run_id).await;
    assert_eq!((retried.state, retried.findings), (RunState::Completed, 4));
    assert_eq!((retried.retry_of, retried.badges), (Some(run.run_id.clone()), vec![RunBadge::Retry]));
    assert_eq!(retried.correlation_id, run.correlation_id);
    assert_eq!(world.get(&run.run_id).await.version, run.version);
    let refused = world.engine.runs().cancel(&world.caller, &retried.run_id).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidTransition);
}

async fn planning_ends(place: LedgerPlace) {
    let world = World::open(place).await;
    let empty = world.run().await;
    assert_eq!((empty.state, empty.badges), (RunState::Completed, vec![RunBadge::NoWork]));
    assert_eq!(empty.finished_at, empty.planned_at);

    world.sbom("shop", &["pkg:pypi/alpha@1.0"]).await;
    let blind = world.run().await;
    assert_eq!((blind.state, blind.error_code), (RunState::Error, Some(RunErrorCode::IndexStale)));

    world.feed(&feed()).await;
    let keys = |purls: &[&str]| RunScope::Keys {
        purls: purls.iter().map(|purl| (*purl).to_owned()).collect(),
        vuln_ids: Vec::new(),
    };
    let none = world.start(StartRun { scope: keys(&["pkg:pypi/zeta"]), ..wish() }).await;
    let some = world.start(StartRun { scope: keys(&["pkg:pypi/alpha"]), ..wish() }).await;
    let wrong = StartRun { scope: keys(&["alpha"]), ..wish() };
    let refused = world.engine.runs().start(&world.caller, wrong, None).await.unwrap_err();
    assert_eq!(refused.code, Code::KeyInvalid);
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(world.get(&none.run_id).await.badges, [RunBadge::NoWork]);
    assert_eq!(world.get(&some.run_id).await.candidates, 1);

    world.clock.advance_ms(25 * 60 * 60 * 1_000);
    let stale = world.run().await;
    assert_eq!((stale.state, stale.error_code), (RunState::Error, Some(RunErrorCode::IndexStale)));
    let allowed = world.start(StartRun { allow_stale: true, ..wish() }).await;
    world.engine.run_until_idle().await.unwrap();
    let allowed = world.get(&allowed.run_id).await;
    assert_eq!((allowed.state, allowed.badges), (RunState::Completed, vec![RunBadge::StaleIndex]));
    let failed = RunFilter { error_code: Some(RunErrorCode::IndexStale), ..RunFilter::default() };
    let failed = world.engine.runs().list(&world.caller, &failed, &PageQuery::default()).await.unwrap();
    assert_eq!(failed.items.len(), 2);
}

async fn limits(place: LedgerPlace) {
    let world = World::small(place).await;
    let held = world.start(wish()).await;
    world.tasks().await;
    world.clock.advance_ms(61 * 60_000);
    world.tasks().await;
    let held = world.get(&held.run_id).await;
    assert_eq!((held.state, held.error_code), (RunState::Error, Some(RunErrorCode::HeldTooLong)));
    assert_eq!(held.segments.cancelled, held.segments.total());

    let worker = world.worker().await;
    let long = world.start(wish()).await;
    world.tasks().await;
    let leases = world.claim(&worker).await;
    assert_eq!(world.get(&long.run_id).await.state, RunState::Running);
    for _ in 0..5 {
        world.clock.advance_ms(49 * 60_000);
        world.tasks().await;
    }
    let long = world.get(&long.run_id).await;
    assert_eq!((long.state, long.error_code), (RunState::Error, Some(RunErrorCode::DurationLimit)));
    drop(leases);
}

/// Fails every attempt of the chosen jobs and does the others, until nothing is open.
async fn work_off(world: &World, worker: &WorkerId, mut in_hand: Vec<Lease>, chosen: &BTreeSet<JobId>) {
    while !in_hand.is_empty() {
        for lease in in_hand {
            if chosen.contains(&lease.fence.job_id) {
                let why = Failure::new(ErrorClass::Resource, "NO_SPACE", "The disk is full. Free some room.");
                world.engine.work().fail(&lease.fence, why).await.unwrap();
                continue;
            }
            let done = ScanSegment.run(&world.context(), &lease).await.unwrap();
            world.engine.work().complete(&lease.fence, done).await.unwrap();
        }
        // Longer than the longest wait between two attempts.
        world.clock.advance_ms(901_000);
        world.tasks().await;
        in_hand = world.claim(worker).await;
    }
}
