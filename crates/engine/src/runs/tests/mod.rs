//! Whole journeys of runs, each on SQLite and on Postgres.

use crate::handlers::{Failure, Handler, JobContext};
use crate::runs::{ScanSegment, messages, plan};
use crate::work::{Lease, NewWorker};
use crate::{Caller, Engine, LedgerPlace, Options, SeededChance, TestClock};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::delta::Deltas;
use stella_contract::error::Code;
use stella_contract::event::{LogSeverity, RunMessage, RunMessageBody};
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
        let known =
            sources.list(&self.caller, &Default::default(), &PageQuery::default()).await.unwrap().items;
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
        policy_snapshot_id: None,
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

mod board;
mod doors;
mod ends;
mod found;
mod judged;
mod real;
mod repair;
mod said;
