//! A whole engine on a fresh ledger, a clock that stands still, and small feeds and SBOMs of our own making.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::ids::Tenant;
use stella_contract::job::{Job, JobDetail, JobState};
use stella_contract::source::{AddSource, IngestReport, RunSource, Source, SourceType};
use stella_contract::target::{SbomImported, SbomPlace};
use stella_contract::time::Micros;
use stella_engine::{Caller, Engine, Error, LedgerPlace, Options, SeededChance, TestClock};

pub(crate) const START: Micros = Micros(1_795_271_295_000_000);

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) caller: Caller,
    folder: tempfile::TempDir,
}

impl World {
    /// One on SQLite and, where its server is installed, one on Postgres.
    pub(crate) async fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
        let mut worlds = vec![Self::at(place, folder).await];
        match stella_ledger::testing::postgres().await {
            Ok(url) => worlds.push(Self::at(LedgerPlace::Postgres(url), tempfile::tempdir().unwrap()).await),
            Err(why) => eprintln!("without Postgres: {why}"),
        }
        worlds
    }

    async fn at(place: LedgerPlace, folder: tempfile::TempDir) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tenant: Tenant = "acme".parse().unwrap();
        let clock = Arc::new(TestClock::at(START));
        let engine = Engine::open(Options {
            place,
            blobs: folder.path().join("blobs"),
            tenants: vec![tenant.clone()],
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(7)),
            workers: 1,
        })
        .await
        .unwrap();
        Self { engine, clock, caller: Caller::local(tenant, "ada"), folder }
    }

    /// A file of the world's own folder.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn add(&self, name: &str, source_type: SourceType, location: &Path) -> Source {
        self.try_add(name, source_type, location.to_str().unwrap()).await.unwrap()
    }

    pub(crate) async fn try_add(
        &self,
        name: &str,
        source_type: SourceType,
        location: &str,
    ) -> Result<Source, Error> {
        let wish = AddSource { name: name.to_owned(), source_type, location: location.to_owned() };
        self.engine.sources().add(&self.caller, wish).await
    }

    /// Runs a source and everything that follows from it.
    pub(crate) async fn run(&self, source: &Source) -> JobDetail {
        let job = self.submit(source).await;
        self.settle(&job).await
    }

    pub(crate) async fn submit(&self, source: &Source) -> Job {
        self.engine.sources().run(&self.caller, &source.source_id, RunSource::default()).await.unwrap()
    }

    pub(crate) async fn force(&self, source: &Source) -> JobDetail {
        let caller = self.caller.clone().because("the publisher says so", None);
        let job =
            self.engine.sources().run(&caller, &source.source_id, RunSource { force: true }).await.unwrap();
        self.settle(&job).await
    }

    pub(crate) async fn settle(&self, job: &Job) -> JobDetail {
        self.engine.run_until_idle().await.unwrap();
        self.engine.jobs().get(&self.caller, &job.job_id).await.unwrap()
    }

    /// Lets the background tasks look once, without anybody to do the jobs they make.
    pub(crate) async fn feed(&self) {
        for task in stella_engine::tasks::all() {
            task.activate(&self.engine).await.unwrap();
        }
    }

    pub(crate) async fn source(&self, source: &Source) -> Source {
        self.engine.sources().get(&self.caller, &source.source_id).await.unwrap()
    }

    pub(crate) async fn import(&self, place: SbomPlace, text: &str) -> Result<SbomImported, Error> {
        self.engine.targets().import(&self.caller, place, text.to_owned().into()).await
    }
}

/// The report of a reading that succeeded.
pub(crate) fn report(detail: &JobDetail) -> IngestReport {
    assert_eq!(detail.job.state, JobState::Succeeded, "{:?}", detail.job.error_message);
    serde_json::from_value(detail.result.clone().unwrap()).unwrap()
}

/// The code and the sentence of a reading that failed.
pub(crate) fn failure(detail: &JobDetail) -> (Code, String) {
    assert_ne!(detail.job.state, JobState::Succeeded, "{:?}", detail.result);
    let code = detail.job.error_code.clone().unwrap().parse().unwrap();
    (code, detail.job.error_message.clone().unwrap())
}

/// A record that says that versions of a PyPI package below `fixed` are affected.
pub(crate) fn record(id: &str, cve: &str, package: &str, fixed: &str) -> String {
    format!(
        r#"{{"schema_version":"1.6.0","id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":["{cve}"],"affected":[{{"package":{{"ecosystem":"PyPI","name":"{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

/// A record that changed last at this time.
pub(crate) fn record_at(id: &str, at: Micros) -> String {
    record(id, &format!("CVE-2026-{}", id.trim_start_matches("R-")), "quill", "2.0")
        .replace("2026-01-01T00:00:00Z", &at.to_string())
}

/// A feed of so many records `R-0001`, ….
pub(crate) fn feed(count: usize) -> String {
    (1..=count)
        .map(|at| record(&format!("R-{at:04}"), &format!("CVE-2026-{at:04}"), &format!("pack-{at}"), "2.0"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The same as a zip.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let method = rawzip::CompressionMethod::DEFLATE;
        let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(content.as_bytes()).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// An SBOM of a service with these PyPI packages.
pub(crate) fn sbom(name: &str, version: &str, packages: &[(&str, &str)]) -> String {
    let components: Vec<String> = packages
        .iter()
        .map(|(name, version)| {
            format!(r#"{{"type":"library","name":"{name}","version":"{version}","purl":"pkg:pypi/{name}@{version}"}}"#)
        })
        .collect();
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"component":{{"type":"application","name":"{name}","version":"{version}"}}}},"components":[{}]}}"#,
        components.join(",")
    )
}
