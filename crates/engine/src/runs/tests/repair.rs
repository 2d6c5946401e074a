//! What failed is done once more, what was done is trusted only after a sample, and two runs are held against each
//! other.

use super::*;
use stella_contract::ids::SegmentId;
use stella_contract::run_diff::{DiffQuery, DifferenceKind, FindingPair};
use stella_contract::segment::{RETRIES_MOST, Segment};
use stella_ledger::segments::OutputRow;

on_both! {
    a_failed_segment_rests_and_is_then_evaluated_by_another_job => segment_again;
    a_segment_is_retried_five_times_and_not_once_more => five_times;
    the_failed_targets_of_a_run_are_retried_alone_and_only_for_a_day => only_failed;
    a_completed_run_says_how_much_of_it_came_out_the_same => sampled;
    a_segment_that_leaves_other_bytes_lowers_the_score => lowered;
    a_run_that_cannot_be_done_again_is_left_unsampled_and_holds_up_no_other => unsampled;
    scores_that_came_since_leave_a_run_unsampled => scored;
    two_runs_differ_in_what_a_new_advisory_changed_and_in_nothing_else => differ;
    a_run_without_an_earlier_good_one_names_what_to_do => nothing_to_hold_against;
}

/// Five segments and more, one target each at least.
async fn wide(place: LedgerPlace) -> World {
    let world = World::small(place).await;
    for at in 0..60 {
        world.sbom(&format!("more-{at}"), &["pkg:pypi/beta@2.5"]).await;
    }
    world
}

fn cut_fine() -> StartRun {
    StartRun { segment_size: Some(10), ..wish() }
}

async fn segments(world: &World, run_id: &RunId) -> Vec<Segment> {
    world.engine.runs().segments(&world.caller, run_id, &PageQuery::default()).await.unwrap().items
}

/// Lets the segment of this lease fail for good, and nothing else move.
async fn fail_for_good(world: &World, lease: &Lease) {
    let mut why = Failure::new(ErrorClass::Validation, "BROKEN", "The segment is broken. Mend it.");
    why.is_final = true;
    world.engine.work().fail(&lease.fence, why).await.unwrap();
}

async fn segment_of(world: &World, run_id: &RunId, job: &JobId) -> Segment {
    segments(world, run_id).await.into_iter().find(|one| one.job_id == *job).unwrap()
}

async fn complete(world: &World, leases: &[Lease]) {
    for lease in leases {
        let done = ScanSegment.run(&world.context(), lease).await.unwrap();
        world.engine.work().complete(&lease.fence, done).await.unwrap();
    }
}

async fn segment_again(place: LedgerPlace) {
    let world = wide(place).await;
    let worker = world.worker().await;
    let run = world.start(cut_fine()).await;
    world.tasks().await;
    let leases = world.claim(&worker).await;
    fail_for_good(&world, &leases[0]).await;
    let failed = segment_of(&world, &run.run_id, &leases[0].fence.job_id).await;
    assert_eq!((failed.state, failed.retry_count), (SegmentState::Failed, 0));
    assert_eq!(failed.cooldown_until, failed.ended_at.map(|at| at.plus_ms(60_000)));
    assert_eq!(world.get(&run.run_id).await.failed, failed.target_count);

    let runs = world.engine.runs();
    let early = runs.retry_segment(&world.caller, &failed.segment_id).await.unwrap_err();
    assert_eq!((early.code, early.retry_after_ms), (Code::CooldownActive, Some(60_000)));
    assert!(early.public.contains("another 60 s"), "{}", early.public);
    world.clock.advance_ms(60_000);
    let again = runs.retry_segment(&world.caller, &failed.segment_id).await.unwrap();
    assert_eq!((again.state, again.retry_count), (SegmentState::Queued, 1));
    assert_eq!((again.cooldown_until, again.reason.clone(), again.ended_at), (None, None, None));
    assert_ne!(again.job_id, failed.job_id);
    assert_eq!(world.get(&run.run_id).await.failed, 0);
    let job = world.engine.jobs().get(&world.caller, &again.job_id).await.unwrap().job;
    assert_eq!(job.retry_of, Some(failed.job_id));
    let twice = runs.retry_segment(&world.caller, &failed.segment_id).await.unwrap_err();
    assert_eq!(twice.code, Code::InvalidTransition);

    complete(&world, &leases[1..]).await;
    assert_eq!(world.get(&run.run_id).await.state, RunState::Running, "it waits for the segment");
    complete(&world, &world.claim(&worker).await).await;
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.processed, run.failed), (RunState::Completed, run.candidates, 0));
    let late = runs.retry_segment(&world.caller, &failed.segment_id).await.unwrap_err();
    assert_eq!(late.code, Code::InvalidTransition);
    let (told, _) = world.messages(&run.run_id, None).await;
    assert!(told.iter().any(|one| matches!(&one.body, RunMessageBody::End { .. })));

    let stranger = Caller::local("globex".parse().unwrap(), "eve").because("a test", None);
    let foreign = runs.retry_segment(&stranger, &failed.segment_id).await.unwrap_err();
    let unknown = SegmentId::from_uuid("01890000-0000-7000-8000-000000000000");
    let unknown = runs.retry_segment(&world.caller, &unknown).await.unwrap_err();
    assert_eq!((foreign.code, unknown.code), (Code::NotFound, Code::NotFound));
}

async fn five_times(place: LedgerPlace) {
    let world = wide(place).await;
    let worker = world.worker().await;
    let run = world.start(cut_fine()).await;
    world.tasks().await;
    let first = world.claim(&worker).await.remove(0);
    let segment = segment_of(&world, &run.run_id, &first.fence.job_id).await.segment_id;
    let mut lease = first;
    for retries in 0..=RETRIES_MOST {
        fail_for_good(&world, &lease).await;
        world.clock.advance_ms(15 * 60_000);
        let retried = world.engine.runs().retry_segment(&world.caller, &segment).await;
        if retries == RETRIES_MOST {
            let refused = retried.unwrap_err();
            assert_eq!(refused.code, Code::InvalidTransition);
            assert!(refused.public.contains("five times"), "{}", refused.public);
            return;
        }
        let job = retried.unwrap().job_id;
        let claimed = world.claim(&worker).await;
        lease = claimed.into_iter().find(|one| one.fence.job_id == job).unwrap();
    }
}

async fn only_failed(place: LedgerPlace) {
    let world = wide(place).await;
    let worker = world.worker().await;
    let run = world.start(cut_fine()).await;
    world.tasks().await;
    let leases = world.claim(&worker).await;
    fail_for_good(&world, &leases[0]).await;
    let missed = segment_of(&world, &run.run_id, &leases[0].fence.job_id).await.target_count;
    complete(&world, &leases[1..]).await;
    let run = world.get(&run.run_id).await;
    assert!(run.is_partial() && run.failed == missed, "{run:?}");

    let failed_alone = RetryRun { only_failed: true };
    let runs = world.engine.runs();
    world.clock.advance_ms(1_000);
    let again = runs.retry(&world.caller, &run.run_id, failed_alone).await.unwrap();
    world.engine.run_until_idle().await.unwrap();
    let again = world.get(&again.run_id).await;
    assert_eq!((again.state, again.candidates, again.only_failed), (RunState::Completed, missed, true));
    assert_eq!((again.retry_of.clone(), again.processed), (Some(run.run_id.clone()), missed));

    let whole = runs.retry(&world.caller, &again.run_id, failed_alone).await.unwrap_err();
    assert_eq!(whole.code, Code::InvalidTransition);
    assert!(whole.public.contains("Every target"), "{}", whole.public);
    world.clock.advance_ms(24 * 60 * 60 * 1_000);
    let late = runs.retry(&world.caller, &run.run_id, failed_alone).await.unwrap_err();
    assert_eq!(late.code, Code::InvalidTransition);
    assert!(late.public.contains("24 hours"), "{}", late.public);
}

async fn sampled(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    assert_eq!(run.determinism, Some(Determinism { score: 1.0, sample: 1 }));
    let empty =
        StartRun { scope: RunScope::Digests { digests: vec![format!("sha256:{:064}", 0)] }, ..wish() };
    let empty = world.start(empty).await;
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(world.get(&empty.run_id).await.determinism, None, "nothing was done, so nothing is compared");

    // An SBOM comes before the sampler does.
    let worker = world.worker().await;
    let run = world.start(wish()).await;
    plan_all(&world).await;
    complete(&world, &world.claim(&worker).await).await;
    assert_eq!(world.get(&run.run_id).await.state, RunState::Completed);
    world.sbom("late", &["pkg:pypi/alpha@1.0"]).await;
    world.tasks().await;
    assert_eq!(world.get(&run.run_id).await.determinism, None);
    let (_, ended) = world.messages(&run.run_id, None).await;
    assert!(ended, "nothing is told after the end");
}

async fn plan_all(world: &World) {
    let open = world.engine.ledger().read::<_, crate::Error, _>(|tx| {
        Box::pin(async move { Ok(stella_ledger::runs::open(tx, &[RunState::Planning], 10).await?) })
    });
    for run in open.await.unwrap() {
        plan::plan(&world.engine, run.run_key).await.unwrap();
    }
}

async fn lowered(place: LedgerPlace) {
    let world = World::small(place).await;
    let worker = world.worker().await;
    let run = world.start(wish()).await;
    plan_all(&world).await;
    complete(&world, &world.claim(&worker).await).await;
    // As if the first evaluation had left something else.
    let outputs = outputs(&world, &run.run_id).await;
    for output in &outputs {
        forge(&world, output).await;
    }
    world.tasks().await;
    let run = world.get(&run.run_id).await;
    assert_eq!(run.determinism, Some(Determinism { score: 0.0, sample: 1 }));
}

async fn unsampled(place: LedgerPlace) {
    let world = World::small(place).await;
    let worker = world.worker().await;
    let broken = world.start(wish()).await;
    plan_all(&world).await;
    complete(&world, &world.claim(&worker).await).await;
    let well = world.start(wish()).await;
    plan_all(&world).await;
    complete(&world, &world.claim(&worker).await).await;
    name_unknown_policy(&world, &broken.run_id).await;
    world.tasks().await;
    assert_eq!(world.get(&broken.run_id).await.determinism, None);
    assert_eq!(world.get(&well.run_id).await.determinism, Some(Determinism { score: 1.0, sample: 1 }));
}

/// As if the snapshot that judged the run were gone.
async fn name_unknown_policy(world: &World, run_id: &RunId) {
    let run_id = run_id.to_string();
    let write = world.engine.ledger().write::<_, crate::Error, _>(move |tx| {
        Box::pin(async move {
            let mut query = stella_ledger::Query::new("update runs set policy_snapshot_id = ");
            query.bind(format!("sha256:{:064}", 1)).push(" where run_id = ").bind(run_id);
            query.execute(tx).await?;
            Ok(())
        })
    });
    write.await.unwrap();
}

async fn scored(place: LedgerPlace) {
    let world = World::small(place).await;
    let worker = world.worker().await;
    let run = world.start(wish()).await;
    plan_all(&world).await;
    let leases = world.claim(&worker).await;
    let list = "#model_version:v2025.03.14,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\n\
                CVE-2026-0001,0.5,0.9\n";
    world.read("epss.csv", SourceType::Epss, list).await;
    complete(&world, &leases).await;
    world.tasks().await;
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.determinism), (RunState::Completed, None));
}

async fn outputs(world: &World, run_id: &RunId) -> Vec<OutputRow> {
    let (tenant, run_id) = (world.caller.tenant.clone(), run_id.clone());
    let read = world.engine.ledger().read::<_, crate::Error, _>(move |tx| {
        Box::pin(async move {
            let run = crate::runs::find(tx, &tenant, &run_id).await?;
            Ok(stella_ledger::segments::outputs(tx, run.run_key).await?)
        })
    });
    read.await.unwrap()
}

async fn forge(world: &World, output: &OutputRow) {
    let left = stella_ledger::segments::Left {
        output_digest: format!("sha256:{:064}", 7),
        feed_generation: output.feed_generation,
    };
    let key = output.segment_key;
    let write = world.engine.ledger().write::<_, crate::Error, _>(move |tx| {
        Box::pin(async move {
            let nothing = Deltas::default();
            Ok(stella_ledger::segments::finish(tx, key, 1, 0, &nothing, Some(&left)).await?)
        })
    });
    write.await.unwrap();
}

async fn differ(place: LedgerPlace) {
    let world = World::small(place).await;
    let before = world.run().await;
    let same = world.run().await;
    let runs = world.engine.runs();
    let diff = runs.diff(&world.caller, &same.run_id, &DiffQuery::default()).await.unwrap();
    assert_eq!(diff.against.run_id, before.run_id, "the last good one");
    assert_eq!((diff.findings.total(), diff.targets.both, diff.segments.differing), (0, 2, 0));
    assert_eq!(diff.segments.same, same.segments.total());
    assert!(diff.inputs.iter().all(|input| !input.differs()), "{:?}", diff.inputs);

    // alpha is worse now, beta@2.5 is no longer affected, and there is something new.
    let mut feed = feed();
    feed[2] = advisory("GHSA-cccc-cccc-cccc", "CVE-2026-0003", "beta", "2.2", "LOW");
    feed[2]["modified"] = json!("2026-11-02T00:00:00Z");
    feed[0]["modified"] = json!("2026-11-02T00:00:00Z");
    feed[0]["database_specific"]["severity"] = json!("LOW");
    feed.push(advisory("GHSA-dddd-dddd-dddd", "CVE-2026-0004", "alpha", "9.0", "HIGH"));
    world.feed(&feed).await;
    let after = world.run().await;
    let query = DiffQuery { against: Some(before.run_id.clone()) };
    let diff = runs.diff(&world.caller, &after.run_id, &query).await.unwrap();
    let counts = (diff.findings.appeared, diff.findings.gone, diff.findings.changed);
    // Of beta@1.0 only the version that mends it is another.
    assert_eq!(counts, (1, 1, 2));
    let differing: Vec<&str> =
        diff.inputs.iter().filter(|input| input.differs()).map(|input| input.name.as_str()).collect();
    assert_eq!(differing, ["impact index generation", "feed generation"]);
    let first = PageQuery { page_token: None, page_size: Some(2) };
    let page = runs.diff_findings(&world.caller, &after.run_id, &query, &first).await.unwrap();
    let rest = PageQuery { page_token: page.next_page_token.clone(), page_size: Some(2) };
    let rest = runs.diff_findings(&world.caller, &after.run_id, &query, &rest).await.unwrap();
    let said = |pair: &FindingPair| {
        let severity =
            |side: &Option<stella_contract::run_diff::FindingSide>| side.as_ref().map(|one| one.severity);
        (pair.kind, pair.vulnerability_id.clone(), severity(&pair.run), severity(&pair.against))
    };
    let pairs: Vec<_> = page.items.iter().chain(&rest.items).map(said).collect();
    use Severity as S;
    let expected = [
        (DifferenceKind::Appeared, "CVE-2026-0004".to_owned(), Some(S::High), None),
        (DifferenceKind::Changed, "CVE-2026-0001".to_owned(), Some(S::Low), Some(S::Critical)),
        (DifferenceKind::Changed, "CVE-2026-0003".to_owned(), Some(S::Low), Some(S::Low)),
        (DifferenceKind::Gone, "CVE-2026-0003".to_owned(), None, Some(S::Low)),
    ];
    assert_eq!(pairs, expected);
    assert_eq!((page.total_estimate, rest.next_page_token), (Some(4), None));
    let segments =
        runs.diff_segments(&world.caller, &after.run_id, &query, &PageQuery::default()).await.unwrap().items;
    assert_eq!(segments.len() as i64, after.segments.total());
    assert!(segments.iter().all(|pair| pair.same_output() == Some(false)), "{segments:?}");

    let stranger = Caller::local("globex".parse().unwrap(), "eve");
    let foreign = runs.diff(&stranger, &after.run_id, &query).await.unwrap_err();
    assert_eq!(foreign.code, Code::NotFound);
}

async fn nothing_to_hold_against(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    let refused =
        world.engine.runs().diff(&world.caller, &run.run_id, &DiffQuery::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    assert!(refused.public.contains("Name the run"), "{}", refused.public);
}
