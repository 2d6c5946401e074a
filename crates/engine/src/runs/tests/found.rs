//! What runs find and what they say changed.

use super::*;
use stella_contract::severities::Severities;

on_both! {
    a_run_finds_what_the_feeds_say_and_tells_it_to_everyone => finds;
    a_newer_sbom_a_newer_feed_and_a_newer_list_each_leave_their_deltas => deltas;
    a_run_that_comes_late_does_not_undo_what_newer_feeds_said => overtaken;
    a_thousand_targets_are_evaluated_and_paged_without_loss => thousand;
}

async fn finds(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.start(StartRun { kev_first: true, ..wish() }).await;
    assert_eq!((run.state, run.percent()), (RunState::Planning, None));
    world.engine.run_until_idle().await.unwrap();

    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.error_message.as_deref()), (RunState::Completed, None));
    assert_eq!((run.candidates, run.processed, run.failed, run.findings), (2, 2, 0, 4));
    assert_eq!(run.segments.succeeded, run.segments.total());
    assert_eq!(run.badges, [RunBadge::KevFirst]);
    assert_eq!(run.deltas.to_string(), "+1 critical, +1 high, +2 low, +1 KEV");
    assert_eq!(run.reason.as_deref(), Some("a test"));
    assert_eq!(run.kev_released.as_deref().map(|date| &date[..10]), Some("2026-11-20"));
    assert!(
        run.planned_at <= run.started_at && run.started_at <= run.executed_at && run.finished_at.is_some()
    );

    let expected = [
        "shop pkg:pypi/alpha@1.0 CVE-2026-0001",
        "shop pkg:pypi/beta@1.0 CVE-2026-0002",
        "shop pkg:pypi/beta@1.0 CVE-2026-0003",
        "till pkg:pypi/beta@2.5 CVE-2026-0003",
    ];
    assert_eq!(world.keys(FindingFilter::default()).await, expected);
    let of_run = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
    assert_eq!(world.keys(of_run).await, expected);
    let critical = FindingFilter { severity: Some(Severity::Critical), ..FindingFilter::default() };
    assert_eq!(world.keys(critical).await, expected[..1]);
    let low = FindingFilter { severity: Some(Severity::Low), ..FindingFilter::default() };
    assert_eq!(world.keys(low).await, expected[2..]);
    let exploited = FindingFilter { kev: Some(true), ..FindingFilter::default() };
    assert_eq!(world.keys(exploited).await, expected[1..2]);
    let part = FindingFilter { q: Some("TILL".to_owned()), ..FindingFilter::default() };
    assert_eq!(world.keys(part).await, expected[3..]);
    let nothing = FindingFilter { q: Some("%".to_owned()), ..FindingFilter::default() };
    assert_eq!(world.keys(nothing).await, Vec::<String>::new());

    let first = world.findings(FindingFilter::default()).await.remove(0);
    assert_eq!(first.fixed_version.as_deref(), Some("1.5"));
    assert_eq!(
        (&first.first_run_id, first.record_ids.as_slice()),
        (&run.run_id, &["GHSA-aaaa-aaaa-aaaa".to_owned()][..])
    );
    let why = world.engine.findings();
    let why =
        why.explain(&world.caller, &first.target_id, &first.purl, &first.vulnerability_id).await.unwrap();
    assert_eq!((&why.finding, why.steps.len()), (&first, 1));
    assert!(why.steps[0].matched.contains("1.5"), "{:?}", why.steps);
    let by_record = world.engine.findings();
    let by_record =
        by_record.explain(&world.caller, &first.target_id, "pkg:PyPI/Alpha@1.0", "ghsa-aaaa-aaaa-aaaa").await;
    assert_eq!(by_record.unwrap(), why);
    let wrong = world.engine.findings();
    let wrong = wrong.explain(&world.caller, &first.target_id, &first.purl, "CVE-2026-0002").await;
    assert_eq!(wrong.unwrap_err().code, Code::NotFound);
    let target = world.engine.targets().get(&world.caller, &first.target_id).await.unwrap();
    assert_eq!(
        (target.findings, target.critical, target.last_run_id),
        (Some(3), Some(1), Some(run.run_id.clone()))
    );

    let segments =
        world.engine.runs().segments(&world.caller, &run.run_id, &PageQuery::default()).await.unwrap();
    assert_eq!(segments.total_estimate, Some(segments.items.len() as u64));
    for segment in &segments.items {
        assert_eq!((segment.state, segment.processed), (SegmentState::Succeeded, segment.target_count));
        let job = world.engine.jobs().get(&world.caller, &segment.job_id).await.unwrap();
        assert_eq!((job.job.run_id.as_ref(), job.artifacts.len()), (Some(&run.run_id), 1));
    }

    let (told, ended) = world.messages(&run.run_id, Some(0)).await;
    assert!(ended);
    assert_eq!(
        told.iter().map(|one| one.seq).collect::<Vec<_>>(),
        (1..=told.len() as i64).collect::<Vec<_>>()
    );
    let states: Vec<String> = told
        .iter()
        .filter_map(|one| match &one.body {
            RunMessageBody::StateChanged { from, to, .. } => Some(format!("{from}>{to}")),
            _ => None,
        })
        .collect();
    assert_eq!(states, ["planning>queued", "queued>running", "running>completed"]);
    assert!(matches!(told.last().unwrap().body, RunMessageBody::End { state: RunState::Completed }));
    assert_eq!(world.engine.history().verify(&world.caller).await.unwrap().broken, None);
}

async fn deltas(place: LedgerPlace) {
    let world = World::small(place).await;
    let first = world.run().await;
    let before = world.keys(FindingFilter::default()).await;

    let again = world.run().await;
    assert!(again.deltas.is_zero() && again.state == RunState::Completed, "{}", again.deltas);

    world.sbom("shop", &["pkg:pypi/alpha@1.6", "pkg:pypi/beta@1.0"]).await;
    let newer_sbom = world.run().await;
    assert_eq!(newer_sbom.deltas, Deltas { resolved_critical: 1, ..Deltas::default() });

    let mut records = feed();
    records[2] = advisory("GHSA-cccc-cccc-cccc", "CVE-2026-0003", "beta", "3.0", "CRITICAL");
    records.push(advisory("GHSA-dddd-dddd-dddd", "CVE-2026-0004", "alpha", "2.0", "MODERATE"));
    world.feed(&records).await;
    let newer_feed = world.run().await;
    assert_eq!(newer_feed.deltas, Deltas { new_medium: 1, severity_raised: 2, ..Deltas::default() });

    world.kev(&["CVE-2026-0003"]).await;
    let newer_list = world.run().await;
    assert_eq!(newer_list.deltas, Deltas { kev_added: 2, kev_removed: 1, ..Deltas::default() });

    let runs = world.engine.runs();
    let small = PageQuery { page_token: None, page_size: Some(2) };
    let mut page = runs.deltas(&world.caller, &newer_list.run_id, &small).await.unwrap();
    assert_eq!(page.total_estimate, Some(3));
    let mut changes = page.items.clone();
    while let Some(token) = page.next_page_token {
        let next = PageQuery { page_token: Some(token), page_size: Some(2) };
        page = runs.deltas(&world.caller, &newer_list.run_id, &next).await.unwrap();
        changes.extend(page.items.clone());
    }
    let told: Vec<(ChangeKind, &str, &str)> = changes
        .iter()
        .map(|one| (one.kind, one.target_name.as_str(), one.vulnerability_id.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (ChangeKind::KevAdded, "shop", "CVE-2026-0003"),
            (ChangeKind::KevAdded, "till", "CVE-2026-0003"),
            (ChangeKind::KevRemoved, "shop", "CVE-2026-0002"),
        ]
    );
    let raised = runs.deltas(&world.caller, &newer_feed.run_id, &PageQuery::default()).await.unwrap().items;
    let raised = raised.iter().find(|one| one.kind == ChangeKind::SeverityRaised).unwrap();
    assert_eq!((raised.severity, raised.severity_before), (Severity::Critical, Some(Severity::Low)));
    let resolved = runs.deltas(&world.caller, &newer_sbom.run_id, &PageQuery::default()).await.unwrap().items;
    assert_eq!((resolved[0].kind, resolved[0].purl.as_str()), (ChangeKind::Resolved, "pkg:pypi/alpha@1.0"));

    // What older runs left can still be read, and what was first seen then is still said to be from then.
    for run in [&first, &again] {
        let of_run = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
        assert_eq!(world.keys(of_run).await, before);
    }
    let low = world
        .findings(FindingFilter { q: Some("cve-2026-0003".to_owned()), ..FindingFilter::default() })
        .await;
    assert!(low.iter().all(|one| one.first_run_id == first.run_id && one.kev), "{low:?}");

    let listed = async |severities: &[Severity]| -> Vec<RunId> {
        let severity = Severities::of(severities.iter().copied());
        let filter = RunFilter { severity, ..RunFilter::default() };
        let page = runs.list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
        page.items.into_iter().map(|run| run.run_id).collect()
    };
    let medium = listed(&[Severity::Medium]).await;
    assert_eq!(medium, std::slice::from_ref(&newer_feed.run_id));
    let either = listed(&[Severity::Medium, Severity::Critical]).await;
    assert_eq!(either, [newer_feed.run_id.clone(), first.run_id.clone()], "runs with new findings of either");
}

async fn overtaken(place: LedgerPlace) {
    let world = World::small(place).await;
    let first = world.run().await;
    let worker = world.worker().await;
    let slow = world.start(wish()).await;
    world.tasks().await;
    let of_slow = world.claim(&worker).await;
    let mut done = Vec::new();
    for lease in &of_slow {
        done.push(ScanSegment.run(&world.context(), lease).await.unwrap());
    }
    world.feed(&feed()[1..]).await;
    let quick = world.run().await;
    assert_eq!(quick.deltas, Deltas { resolved_critical: 1, ..Deltas::default() });
    let after = world.keys(FindingFilter::default()).await;

    for (lease, done) in of_slow.iter().zip(done) {
        world.engine.work().complete(&lease.fence, done).await.unwrap();
    }
    let slow = world.get(&slow.run_id).await;
    assert_eq!((slow.state, slow.processed, slow.findings), (RunState::Completed, 2, 3));
    assert!(slow.deltas.is_zero(), "{}", slow.deltas);
    assert_eq!(world.keys(FindingFilter::default()).await, after);
    for (run, count) in [(&first, 4), (&quick, 3), (&slow, 3)] {
        let of_run = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
        assert_eq!(world.keys(of_run).await.len(), count);
    }
}

async fn thousand(place: LedgerPlace) {
    let world = World::open(place).await;
    world.feed(&feed()).await;
    for at in 0..1_000 {
        let purl = format!("pkg:pypi/alpha@0.{}", at % 10);
        world.sbom(&format!("target-{at:04}"), &[&purl, "pkg:pypi/beta@1.0"]).await;
    }
    let run = world.run().await;
    assert_eq!((run.state, run.processed, run.findings), (RunState::Completed, 1_000, 3_000));
    assert_eq!(run.deltas.new_total(), 3_000);
    assert!(run.segments.total() >= 20, "{:?}", run.segments);
    for filter in [
        FindingFilter::default(),
        FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() },
    ] {
        let mut seen = BTreeSet::new();
        let mut query = PageQuery { page_token: None, page_size: Some(500) };
        loop {
            let page = world.engine.findings().list(&world.caller, &filter, &query).await.unwrap();
            assert_eq!(page.total_estimate, Some(3_000));
            for one in page.items {
                assert!(seen.insert((one.severity, one.vulnerability_id, one.purl, one.target_name)));
            }
            query.page_token = page.next_page_token;
            if query.page_token.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 3_000);
    }
    let changes = world.engine.runs();
    let page = changes.deltas(&world.caller, &run.run_id, &PageQuery::default()).await.unwrap();
    assert_eq!((page.items.len(), page.total_estimate), (50, Some(3_000)));
}
