//! What the runs workspace shows beside single runs, and what is taken away of them.

use super::*;
use sha2::{Digest, Sha256};
use stella_contract::dead_letter::ExportFormat;
use stella_contract::feature::{Feature, SetFeature};
use stella_contract::incident::{IncidentFilter, IncidentKind, IncidentState};
use stella_contract::run_alert::RunAlertKind;
use stella_contract::run_export::ExportRuns;

on_both! {
    a_day_of_runs_is_told_in_hours_and_points => told_of_a_day;
    a_code_that_ends_three_runs_in_an_hour_is_a_warning => repeated;
    a_run_that_waits_in_planning_and_a_silent_planner_are_warnings => late;
    a_planner_that_is_silent_for_five_minutes_is_an_incident_until_it_is_heard => stalled;
    runs_are_exported_by_filter_or_one_by_one_with_a_digest => exported;
    runs_are_found_by_shard_and_until_a_time => filtered;
    a_segment_leaves_its_output_as_evidence => evidence;
    a_text_for_help_holds_the_log_and_no_secret => escalated;
    what_is_switched_off_refuses_until_it_is_switched_on => switched_off;
}

async fn told_of_a_day(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    world.start(wish()).await;
    world.clock.advance_ms(61_000);
    // The sampler comes before the planner has another look at what was asked for.
    let sampler = crate::tasks::all().into_iter().find(|task| task.name() == "depth-sampler").unwrap();
    sampler.activate(&world.engine).await.unwrap();
    let trends = world.engine.runs().trends(&world.caller).await.unwrap();
    assert_eq!((trends.backlog.last().unwrap().planner, trends.by_schedule.len()), (1, 0));
    assert_eq!((trends.series.runs_active, trends.series.runs_ended_24h), (1, 1));
    let took = run.finished_at.unwrap().ms_since(run.started_at.unwrap());
    assert_eq!(trends.series.duration_mean_ms, Some(took));
    assert_eq!(trends.series.duration_p95_ms, Some(took));
    let asked: i64 = trends.hours.iter().flat_map(|hour| &hour.by_trigger).map(|one| one.count).sum();
    assert_eq!((trends.hours.len(), asked), (24, 2));
    let other = Caller::local("other".parse().unwrap(), "eve");
    let nothing = world.engine.runs().trends(&other).await.unwrap();
    assert_eq!((nothing.series, nothing.backlog.len()), (Default::default(), 0));
    world.clock.advance_ms(8 * 24 * 60 * 60 * 1_000);
    sampler.activate(&world.engine).await.unwrap();
    let week_later = world.engine.runs().trends(&world.caller).await.unwrap();
    assert_eq!(week_later.backlog.len(), 1, "a week is kept");
}

async fn repeated(place: LedgerPlace) {
    let world = World::open(place).await;
    world.sbom("shop", &["pkg:pypi/alpha@1.0"]).await;
    let alerts = async || world.engine.runs().alerts(&world.caller).await.unwrap().items;
    for _ in 0..2 {
        assert_eq!(world.run().await.error_code, Some(RunErrorCode::IndexStale));
    }
    assert_eq!(alerts().await, []);
    let last = world.run().await;
    let told = alerts().await;
    assert_eq!((told.len(), told[0].kind, told[0].count), (1, RunAlertKind::RepeatedCode, 3));
    assert_eq!((told[0].error_code, &told[0].run_id), (last.error_code, &Some(last.run_id.clone())));
    let events = world.engine.runs().events(&world.caller, &PageQuery::default()).await.unwrap().items;
    let kinds: Vec<&str> = events.iter().take(2).map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["scheduler.run.failed", "scheduler.run.created"]);
    assert!(events.is_sorted_by(|one, two| one.seq > two.seq));
    world.clock.advance_ms(60 * 60 * 1_000);
    assert!(alerts().await.iter().all(|alert| alert.kind != RunAlertKind::RepeatedCode));
}

async fn late(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let run = world.start(wish()).await;
    let kinds = async || -> Vec<RunAlertKind> {
        let told = world.engine.runs().alerts(&world.caller).await.unwrap().items;
        told.into_iter().map(|alert| alert.kind).collect()
    };
    assert_eq!(kinds().await, []);
    world.clock.advance_ms(120_001);
    assert_eq!(kinds().await, [RunAlertKind::PlannerSilent, RunAlertKind::PlannerLag]);
    let told = world.engine.runs().alerts(&world.caller).await.unwrap().items;
    assert_eq!((told[1].since, &told[1].run_id), (run.created_at, &Some(run.run_id)));
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(kinds().await, []);
}

async fn stalled(place: LedgerPlace) {
    let world = World::small(place).await;
    let task = |name: &str| crate::tasks::all().into_iter().find(|task| task.name() == name).unwrap();
    let (watch, planner) = (task("incident-watch"), task("planner"));
    let states = async || -> Vec<IncidentState> {
        let filter = IncidentFilter { kind: Some(IncidentKind::PlannerStalled), ..Default::default() };
        let page = world.engine.incidents().list(&world.caller, &filter, &PageQuery::default()).await;
        page.unwrap().items.into_iter().map(|incident| incident.state).collect()
    };
    // The ledger was closed for a day: its old heartbeat is nobody's fault.
    world.clock.advance_ms(24 * 60 * 60 * 1_000);
    watch.activate(&world.engine).await.unwrap();
    world.clock.advance_ms(300_000);
    watch.activate(&world.engine).await.unwrap();
    assert_eq!(states().await, []);
    world.clock.advance_ms(1);
    watch.activate(&world.engine).await.unwrap();
    assert_eq!(states().await, [IncidentState::Open]);
    planner.activate(&world.engine).await.unwrap();
    watch.activate(&world.engine).await.unwrap();
    assert_eq!(states().await, [IncidentState::Mitigated]);
}

async fn exported(place: LedgerPlace) {
    let world = World::small(place).await;
    let (one, two) = (world.run().await, world.run().await);
    let export = async |wish: ExportRuns| world.engine.runs().export(&world.caller, &wish).await;
    let all = export(ExportRuns::default()).await.unwrap();
    let lines: Vec<Value> = all.content.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = lines.iter().map(|run| run["runId"].as_str().unwrap()).collect();
    assert_eq!(ids, [two.run_id.as_str(), one.run_id.as_str()]);
    assert_eq!(serde_json::from_value::<Run>(lines[1].clone()).unwrap(), one);
    assert_eq!(all.manifest.sha256, hex::encode(Sha256::digest(&all.content)));
    assert_eq!((all.manifest.count, all.manifest.file_name.ends_with(".ndjson")), (2, true));

    let csv = ExportRuns::of(RunFilter::default(), std::slice::from_ref(&one.run_id), ExportFormat::Csv);
    let csv = export(csv).await.unwrap();
    let mut rows = csv::Reader::from_reader(csv.content.as_bytes());
    let heads = rows.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0][0]), (1, one.run_id.as_str()));
    let new = heads.iter().position(|head| head == "deltas.newCritical").unwrap();
    assert_eq!(&rows[0][new], one.deltas.new_critical.to_string());
    let known: BTreeSet<String> = heads.iter().map(str::to_owned).collect();
    for (name, value) in serde_json::to_value(&one).unwrap().as_object().unwrap() {
        let is_there = value.is_object() || known.contains(name);
        assert!(is_there, "no column holds `{name}`");
    }

    let nobody = Caller::local("other".parse().unwrap(), "eve");
    let theirs = world.engine.runs().export(&nobody, &ExportRuns::default()).await.unwrap();
    assert_eq!((theirs.manifest.count, theirs.content.as_str()), (0, ""));
    let wrong = ExportRuns { runs: Some("run:1".to_owned()), ..ExportRuns::default() };
    assert_eq!(export(wrong).await.unwrap_err().code, Code::Invalid);
}

async fn filtered(place: LedgerPlace) {
    let world = World::small(place).await;
    let (one, two) = (world.run().await, world.run().await);
    let ids = async |filter: RunFilter| -> Vec<RunId> {
        let page = world.engine.runs().list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
        assert_eq!(page.total_estimate, Some(page.items.len() as u64));
        page.items.into_iter().map(|run| run.run_id).collect()
    };
    let until = RunFilter { until: Some(two.created_at), ..RunFilter::default() };
    assert_eq!(ids(until).await, std::slice::from_ref(&one.run_id));
    let segments = world.engine.runs().segments(&world.caller, &one.run_id, &PageQuery::default()).await;
    let used: BTreeSet<i32> = segments.unwrap().items.iter().map(|segment| segment.shard).collect();
    for shard in 0..8_u8 {
        let found = ids(RunFilter { shard: Some(shard), ..RunFilter::default() }).await;
        assert_eq!(!found.is_empty(), used.contains(&i32::from(shard)), "shard {shard}");
    }
}

async fn evidence(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    let query = PageQuery { page_token: None, page_size: Some(1) };
    let first = world.engine.runs().evidence(&world.caller, &run.run_id, &query).await.unwrap();
    assert_eq!(first.total_estimate, Some(run.segments.total() as u64), "one output each");
    let left = &first.items[0].artifact;
    let bytes = world.engine.artifacts().read(&world.caller, &left.digest).await.unwrap();
    assert_eq!((bytes.len() as i64, left.run_id.as_ref()), (left.size_bytes, Some(&run.run_id)));
    let mut seen = vec![first.items[0].segment_id.clone()];
    let mut token = first.next_page_token;
    while let Some(page_token) = token {
        let query = PageQuery { page_token: Some(page_token), page_size: Some(1) };
        let next = world.engine.runs().evidence(&world.caller, &run.run_id, &query).await.unwrap();
        seen.extend(next.items.into_iter().map(|one| one.segment_id));
        token = next.next_page_token;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as i64, run.segments.total(), "each is listed once");
    let nobody = Caller::local("other".parse().unwrap(), "eve");
    let refused = world.engine.runs().evidence(&nobody, &run.run_id, &query).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
}

async fn escalated(place: LedgerPlace) {
    let world = World::small(place).await;
    let caller = world.caller.clone().because("login https://ada:hunter2@far.example/x", Some("OPS-7"));
    world.clock.advance_ms(1_000);
    let (run, _) = world.engine.runs().start(&caller, wish(), None).await.unwrap();
    world.engine.run_until_idle().await.unwrap();
    let made = world.engine.runs().escalation(&world.caller, &run.run_id).await.unwrap();
    for part in [run.run_id.as_str(), run.correlation_id.as_str(), "completed", "OPS-7", "What was tried:"] {
        assert!(made.text.contains(part), "{part}: {}", made.text);
    }
    assert!(!made.text.contains("hunter2"), "{}", made.text);
    assert!(made.log_lines > 0 && made.log_lines <= 50, "{}", made.log_lines);
    assert!(!made.file_name.contains(':'), "{}", made.file_name);
    let nobody = Caller::local("other".parse().unwrap(), "eve");
    let refused = world.engine.runs().escalation(&nobody, &run.run_id).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
}

async fn switched_off(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    let (features, runs, caller) = (world.engine.features(), world.engine.runs(), &world.caller);
    let turn = async |feature: Feature, enabled: bool| {
        features.set(caller, feature, SetFeature { enabled }, None).await.unwrap()
    };
    for feature in Feature::ALL {
        assert_eq!(turn(*feature, false).await.version, 1);
        assert_eq!(turn(*feature, false).await.version, 1, "it stood so already");
    }
    let everything = PageQuery::default();
    let refusals = [
        runs.retry(caller, &run.run_id, RetryRun::default()).await.unwrap_err(),
        runs.trends(caller).await.unwrap_err(),
        runs.alerts(caller).await.unwrap_err(),
        runs.events(caller, &everything).await.unwrap_err(),
        runs.evidence(caller, &run.run_id, &everything).await.unwrap_err(),
        world.engine.demand_feature(Feature::Sse).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.code, Code::FeatureOff);
    }
    let session = world.engine.sessions().describe(caller, Vec::new()).await.unwrap();
    assert_eq!(session.switched_off, Feature::ALL);
    let stale = features.set(caller, Feature::Retry, SetFeature { enabled: true }, Some(0)).await;
    assert_eq!(stale.unwrap_err().code, Code::VersionMismatch);
    let on = turn(Feature::Retry, true).await;
    assert_eq!((on.enabled, on.version, on.changed_by.as_deref()), (true, 2, Some("ada")));
    world.clock.advance_ms(1_000);
    assert_eq!(
        runs.retry(caller, &run.run_id, RetryRun::default()).await.unwrap().retry_of,
        Some(run.run_id.clone())
    );
    let switches = features.list(caller, &everything).await.unwrap().items;
    assert_eq!(switches.iter().filter(|switch| switch.enabled).count(), 1);
}
