//! Whole journeys of runs, each on SQLite and on Postgres.

use crate::handlers::{Failure, Handler, JobContext};
use crate::runs::{ScanSegment, plan};
use crate::work::{Lease, NewWorker};
use crate::{Caller, Engine, LedgerPlace, Options, SeededChance, TestClock};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::delta::Deltas;
use stella_contract::error::Code;
use stella_contract::event::{RunMessage, RunMessageBody};
use stella_contract::finding::{ChangeKind, Finding, FindingFilter, Severity};
use stella_contract::ids::{JobId, RunId, WorkerId};
use stella_contract::job::{ErrorClass, JobFilter, JobState};
use stella_contract::page::PageQuery;
use stella_contract::preview::PreviewRequest;
use stella_contract::run::*;
use stella_contract::segment::SegmentState;
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::target::SbomPlace;
use tokio_util::sync::CancellationToken;

/// An engine with a folder of feeds, and whoever operates it.
struct World {
    engine: Engine,
    clock: Arc<TestClock>,
    caller: Caller,
    feeds: tempfile::TempDir,
}

impl World {
    async fn open(place: LedgerPlace) -> Self {
        let feeds = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let tenant: stella_contract::ids::Tenant = "acme".parse().unwrap();
        let options = Options {
            place,
            blobs: feeds.path().join("blobs"),
            tenants: vec![tenant.clone()],
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(7)),
            workers: 4,
        };
        let engine = Engine::open(options).await.unwrap();
        let caller = Caller::local(tenant, "ada").because("a test", Some("OPS-1"));
        Self { engine, clock, caller, feeds }
    }

    /// Advisories of this folder, read as a source; the same name is read again.
    async fn feed(&self, records: &[Value]) {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        self.read("advisories.ndjson", SourceType::Advisory, &lines.join("\n")).await;
    }

    async fn kev(&self, cves: &[&str]) {
        let entries: Vec<Value> = cves
            .iter()
            .map(|cve| {
                json!({
                    "cveID": cve, "vendorProject": "v", "product": "p", "vulnerabilityName": "n",
                    "dateAdded": "2026-11-01", "shortDescription": "d", "requiredAction": "a",
                    "dueDate": "2026-12-01", "knownRansomwareCampaignUse": "Unknown", "notes": ""
                })
            })
            .collect();
        let list = json!({
            "title": "KEV", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T00:00:00.000Z",
            "count": entries.len(), "vulnerabilities": entries
        });
        self.read("kev.json", SourceType::Kev, &list.to_string()).await;
    }

    async fn read(&self, file: &str, source_type: SourceType, text: &str) {
        let path = self.feeds.path().join(file);
        std::fs::write(&path, text).unwrap();
        let sources = self.engine.sources();
        let known = sources.list(&self.caller, &PageQuery::default()).await.unwrap().items;
        let source = match known.into_iter().find(|source| source.name == file) {
            Some(source) => source,
            None => {
                let location = path.to_str().unwrap().to_owned();
                let wish = AddSource { name: file.to_owned(), source_type, location };
                sources.add(&self.caller, wish).await.unwrap()
            }
        };
        self.clock.advance_ms(1_000);
        let job = sources.run(&self.caller, &source.source_id, RunSource { force: true }).await.unwrap();
        self.engine.run_until_idle().await.unwrap();
        let job = self.engine.jobs().get(&self.caller, &job.job_id).await.unwrap().job;
        assert_eq!(job.state, JobState::Succeeded, "{file}: {:?}", job.error_message);
    }

    async fn sbom(&self, name: &str, purls: &[&str]) {
        let components: Vec<Value> =
            purls.iter().map(|purl| json!({ "type": "library", "name": purl, "purl": purl })).collect();
        let sbom = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": { "component": { "type": "application", "name": name, "version": "1" } },
            "components": components
        });
        let place = SbomPlace { name: Some(name.to_owned()), ..SbomPlace::default() };
        let bytes = Bytes::from(sbom.to_string());
        self.engine.targets().import(&self.caller, place, bytes).await.unwrap();
    }

    /// A world with two targets, three advisories and one exploited vulnerability.
    async fn small(place: LedgerPlace) -> Self {
        let world = Self::open(place).await;
        world.feed(&feed()).await;
        world.kev(&["CVE-2026-0002"]).await;
        world.sbom("shop", &["pkg:pypi/alpha@1.0", "pkg:pypi/beta@1.0", "pkg:pypi/clean@1.0"]).await;
        world.sbom("till", &["pkg:pypi/beta@2.5"]).await;
        world
    }

    async fn start(&self, wish: StartRun) -> Run {
        self.clock.advance_ms(1_000);
        self.engine.runs().start(&self.caller, wish, None).await.unwrap().0
    }

    /// A run over everything, until it rests.
    async fn run(&self) -> Run {
        let run = self.start(wish()).await;
        self.engine.run_until_idle().await.unwrap();
        self.get(&run.run_id).await
    }

    async fn get(&self, run_id: &RunId) -> Run {
        self.engine.runs().get(&self.caller, run_id).await.unwrap()
    }

    async fn findings(&self, filter: FindingFilter) -> Vec<Finding> {
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let page = self.engine.findings().list(&self.caller, &filter, &query).await.unwrap();
        assert_eq!(page.total_estimate, Some(page.items.len() as u64), "{filter:?}");
        page.items
    }

    async fn keys(&self, filter: FindingFilter) -> Vec<String> {
        let findings = self.findings(filter).await;
        findings
            .iter()
            .map(|one| format!("{} {} {}", one.target_name, one.purl, one.vulnerability_id))
            .collect()
    }

    async fn messages(&self, run_id: &RunId, after: Option<i64>) -> (Vec<RunMessage>, bool) {
        let told = self.engine.runs().messages(&self.caller, run_id, after, 0).await.unwrap();
        (told.items, told.ended)
    }

    /// Another engine's worker in the place of this one's: what it claims is in the test's hands.
    async fn worker(&self) -> WorkerId {
        let worker = NewWorker {
            name: "by hand".to_owned(),
            hostname: "here".to_owned(),
            job_types: vec!["scan.segment".to_owned()],
            concurrency: 100,
        };
        self.engine.work().register(worker).await.unwrap()
    }

    /// The background tasks alone, without any worker.
    async fn tasks(&self) {
        loop {
            let mut did = 0;
            for task in crate::tasks::all() {
                did += task.activate(&self.engine).await.unwrap().did;
            }
            if did == 0 {
                return;
            }
        }
    }

    fn context(&self) -> JobContext {
        JobContext { engine: self.engine.clone(), cancel: CancellationToken::new(), told: Arc::default() }
    }

    async fn claim(&self, worker: &WorkerId) -> Vec<Lease> {
        let types = ["scan.segment".to_owned()];
        let leases = self.engine.work().claim(worker, &types, 100).await.unwrap();
        let fences: Vec<_> = leases.iter().map(|lease| lease.fence.clone()).collect();
        if !fences.is_empty() {
            self.engine.work().ack(&fences).await.unwrap();
        }
        leases
    }
}

fn wish() -> StartRun {
    StartRun {
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        kev_first: false,
        priority: None,
        preview_id: None,
        allow_stale: false,
        segment_size: None,
    }
}

fn advisory(id: &str, cve: &str, package: &str, fixed: &str, word: &str) -> Value {
    json!({
        "schema_version": "1.6.0", "id": id, "modified": "2026-11-01T00:00:00Z", "aliases": [cve],
        "summary": format!("{package} is broken"),
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }]
        }],
        "database_specific": { "severity": word }
    })
}

fn feed() -> Vec<Value> {
    vec![
        advisory("GHSA-aaaa-aaaa-aaaa", "CVE-2026-0001", "alpha", "1.5", "CRITICAL"),
        advisory("GHSA-bbbb-bbbb-bbbb", "CVE-2026-0002", "beta", "2.0", "HIGH"),
        advisory("GHSA-cccc-cccc-cccc", "CVE-2026-0003", "beta", "3.0", "LOW"),
    ]
}

/// Runs the same journey on both databases.
macro_rules! on_both {
    ($($name:ident => $journey:ident;)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let place = stella_ledger::LedgerPlace::Sqlite(folder.path().join("test.stella"));
                super::$journey(place).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let address = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
                super::$journey(stella_ledger::LedgerPlace::Postgres(address)).await;
            })+
        }
    };
}

on_both! {
    a_run_finds_what_the_feeds_say_and_tells_it_to_everyone => finds;
    a_newer_sbom_a_newer_feed_and_a_newer_list_each_leave_their_deltas => deltas;
    planning_twice_makes_the_same_segments_once => planned_twice;
    a_run_of_failing_segments_ends_in_error_and_one_failure_in_five_is_partial => failing;
    a_cancelled_run_keeps_nothing_that_comes_later_and_can_be_retried => cancelled;
    the_same_wish_is_the_same_run => same_wish;
    nothing_to_do_an_old_index_and_a_wrong_scope_end_in_planning => planning_ends;
    a_run_that_comes_late_does_not_undo_what_newer_feeds_said => overtaken;
    a_content_refresh_reads_the_sboms_anew_first => refreshed;
    a_run_that_waits_or_runs_too_long_is_ended => limits;
    a_reader_that_fell_behind_gets_a_reset_and_a_snapshot => behind;
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

    let severe = RunFilter { severity: Some(Severity::Medium), ..RunFilter::default() };
    let listed = runs.list(&world.caller, &severe, &PageQuery::default()).await.unwrap();
    assert_eq!(listed.items.iter().map(|run| &run.run_id).collect::<Vec<_>>(), [&newer_feed.run_id]);
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

/// Fails every attempt of the chosen jobs and does the others, until nothing is open.
async fn work_off(world: &World, worker: &WorkerId, mut in_hand: Vec<Lease>, chosen: &BTreeSet<JobId>) {
    while !in_hand.is_empty() {
        for lease in in_hand {
            if chosen.contains(&lease.fence.job_id) {
                let why = Failure::new(ErrorClass::Storage, "NO_SPACE", "The disk is full. Free some room.");
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

async fn cancelled(place: LedgerPlace) {
    let world = World::small(place).await;
    let worker = world.worker().await;
    let run = world.start(wish()).await;
    world.tasks().await;
    let leases = world.claim(&worker).await;
    assert_eq!(world.get(&run.run_id).await.state, RunState::Running);
    let refused = world.engine.runs().retry(&world.caller, &run.run_id).await.unwrap_err();
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
    let retried = world.engine.runs().retry(&world.caller, &run.run_id).await.unwrap();
    let twice = world.engine.runs().retry(&world.caller, &run.run_id).await.unwrap();
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

async fn same_wish(place: LedgerPlace) {
    let world = World::small(place).await;
    let runs = world.engine.runs();
    let start = |wish: StartRun, key: Option<&'static str>| {
        let (runs, caller) = (runs.clone(), world.caller.clone());
        async move { runs.start(&caller, wish, key).await }
    };
    let (first, replayed) = start(wish(), None).await.unwrap();
    assert!(!replayed);
    let (same, replayed) = start(wish(), None).await.unwrap();
    assert_eq!((same.run_id, replayed), (first.run_id.clone(), true));
    let other = StartRun { kev_first: true, ..wish() };
    assert_eq!(start(other.clone(), None).await.unwrap_err().code, Code::Conflict);

    let (keyed, replayed) = start(wish(), Some("k1")).await.unwrap();
    assert!(keyed.run_id != first.run_id && !replayed);
    world.clock.advance_ms(60_000);
    let (same, replayed) = start(wish(), Some("k1")).await.unwrap();
    assert_eq!((same.run_id, replayed), (keyed.run_id, true));
    assert_eq!(start(other, Some("k1")).await.unwrap_err().code, Code::IdempotencyKeyReused);
    let (later, replayed) = start(wish(), None).await.unwrap();
    assert!(later.run_id != first.run_id && !replayed);

    let silent = Caller::local(world.caller.tenant.clone(), "ada");
    assert_eq!(runs.start(&silent, wish(), None).await.unwrap_err().code, Code::ReasonRequired);
    let stranger = Caller::local("other".parse().unwrap(), "eve").because("why", None);
    assert_eq!(runs.get(&stranger, &first.run_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(runs.cancel(&stranger, &first.run_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(runs.messages(&stranger, &first.run_id, None, 0).await.unwrap_err().code, Code::NotFound);

    // A preview binds the wish to the index it was made on.
    let request = PreviewRequest { scope: Some(RunScope::All), ..PreviewRequest::default() };
    let preview = world.engine.previews().make(&world.caller, request).await.unwrap();
    let bound = StartRun { preview_id: Some(preview.preview_id), ..wish() };
    world.clock.advance_ms(1_000);
    assert!(start(bound.clone(), None).await.is_ok());
    world.sbom("third", &["pkg:pypi/alpha@1.0"]).await;
    world.clock.advance_ms(1_000);
    assert_eq!(start(bound, None).await.unwrap_err().code, Code::PreviewStale);
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

async fn refreshed(place: LedgerPlace) {
    let world = World::open(place).await;
    world.feed(&feed()).await;
    let bom = |purl: &str| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": { "component": { "type": "application", "name": "shop", "version": "1" } },
            "components": [{ "type": "library", "name": "a", "purl": purl }]
        })
    };
    std::fs::create_dir_all(world.feeds.path().join("sboms")).unwrap();
    let file = world.feeds.path().join("sboms/shop.cdx.json");
    std::fs::write(&file, bom("pkg:pypi/clean@1.0").to_string()).unwrap();
    let location = world.feeds.path().join("sboms").to_str().unwrap().to_owned();
    let wish_for = AddSource { name: "sboms".to_owned(), source_type: SourceType::Sbom, location };
    world.engine.sources().add(&world.caller, wish_for).await.unwrap();
    let anew = || StartRun { mode: RunMode::ContentRefresh, ..wish() };

    let run = world.start(anew()).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.candidates, run.findings), (RunState::Completed, 1, 0));
    assert_eq!(run.badges, [RunBadge::ContentRefresh]);

    std::fs::write(&file, bom("pkg:pypi/alpha@1.0").to_string()).unwrap();
    let plain = world.run().await;
    assert_eq!(plain.findings, 0);
    let run = world.start(anew()).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.findings, run.deltas.new_critical), (1, 1));
    let jobs = JobFilter { run: Some(run.run_id.clone()), ..JobFilter::default() };
    let jobs = world.engine.jobs().list(&world.caller, &jobs, &PageQuery::default()).await.unwrap();
    let types: BTreeSet<_> = jobs.items.iter().map(|job| job.job_type.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), ["ingest.sbom", "scan.segment"]);

    std::fs::remove_dir_all(world.feeds.path().join("sboms")).unwrap();
    let run = world.start(anew()).await;
    for _ in 0..7 {
        world.engine.run_until_idle().await.unwrap();
        world.clock.advance_ms(901_000);
    }
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.findings), (RunState::Completed, 1), "{:?}", run.error_message);
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

async fn behind(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    let (all, _) = world.messages(&run.run_id, Some(0)).await;
    let (rest, ended) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!((rest.as_slice(), ended), (&all[2..], true));
    let last = all.last().unwrap().seq;
    let (only, ended) = world.messages(&run.run_id, Some(last)).await;
    assert!(ended && matches!(only[..], [RunMessage { body: RunMessageBody::End { .. }, .. }]));
    let names = |told: &[RunMessage]| told.iter().map(|one| one.body.name()).collect::<Vec<_>>();
    let (foreign, _) = world.messages(&run.run_id, Some(last + 1)).await;
    assert_eq!(names(&foreign), ["reset", "snapshot", "end"]);

    world.clock.advance_ms(31 * 60_000);
    let (late, ended) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!((names(&late), ended), (vec!["reset", "snapshot", "end"], true));
    let RunMessageBody::Snapshot { run: whole, segments } = &late[1].body else { panic!("a snapshot") };
    assert_eq!((whole.run_id.clone(), segments.len() as i64), (run.run_id.clone(), run.segments.total()));
    world.tasks().await;
    let (late, _) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!(names(&late), ["reset", "snapshot", "end"]);

    // An open run: a reader waits until something is told.
    let open = world.start(wish()).await;
    let (first, ended) = world.messages(&open.run_id, None).await;
    assert_eq!((names(&first), ended), (vec!["snapshot"], false));
    let runs = world.engine.runs();
    let waiting = runs.messages(&world.caller, &open.run_id, Some(first[0].seq), 30_000);
    let (told, worked) = tokio::join!(waiting, world.engine.run_until_idle());
    worked.unwrap();
    assert_eq!(told.unwrap().items[0].seq, first[0].seq + 1);
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
