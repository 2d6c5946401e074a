//! How long a run over many targets takes, and how long its findings take to be listed.
//!
//! `STELLA_TARGETS=10000 cargo bench -p stella-engine --bench runs`. Every tenth package has an advisory. The first run
//! writes all findings, the second finds nothing changed. Prints one row per measure.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_contract::finding::{FindingFilter, Severity};
use stella_contract::ids::Tenant;
use stella_contract::page::PageQuery;
use stella_contract::run::{Run, RunMode, RunScope, RunState, StartRun};
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};

const COMPONENTS: usize = 100;
/// Distinct packages that all targets share.
const PACKAGES: usize = 5_000;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let targets: usize =
        std::env::var("STELLA_TARGETS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let folder = tempfile::tempdir()?;
    let tenant: Tenant = "acme".parse()?;
    let engine = Engine::open(Options {
        place: LedgerPlace::Sqlite(folder.path().join("ledger.db")),
        blobs: folder.path().join("blobs"),
        tenants: vec![tenant.clone()],
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        workers: 4,
    })
    .await?;
    let caller = Caller::local(tenant, "bench").because("a benchmark", None);
    println!("| measure | value | unit |");
    println!("|---|---|---|");
    let sboms = folder.path().join("sboms");
    write_sboms(&sboms, targets)?;
    let feed = folder.path().join("feed.ndjson");
    std::fs::write(&feed, feed_text())?;
    read(&engine, &caller, SourceType::Sbom, &sboms).await?;
    read(&engine, &caller, SourceType::Advisory, &feed).await?;
    println!("| resident before the runs | {} | MiB |", resident_mib());

    let running = engine.start();
    for what in ["first run", "run without change"] {
        let began = Instant::now();
        let run = run(&engine, &caller).await?;
        let (ms, findings) = (ms(began), run.findings);
        println!("| {what}, {targets} targets, {findings} findings | {ms:.0} | ms |");
        println!("| resident after the {what} | {} | MiB |", resident_mib());
        list(&engine, &caller, what, &run).await?;
    }
    running.stop().await;
    engine.close().await;
    Ok(())
}

async fn run(engine: &Engine, caller: &Caller) -> Outcome<Run> {
    let wish = StartRun {
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        kev_first: false,
        priority: None,
        preview_id: None,
        allow_stale: false,
        policy_snapshot_id: None,
        segment_size: None,
    };
    // The same wish in the same second would be the same run.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (run, _) = engine.runs().start(caller, wish, None).await?;
    let mut after = None;
    loop {
        let told = engine.runs().messages(caller, &run.run_id, after, 30_000).await?;
        after = told.items.last().map(|last| last.seq).or(after);
        if told.ended {
            break;
        }
    }
    let run = engine.runs().get(caller, &run.run_id).await?;
    match run.state {
        RunState::Completed => Ok(run),
        state => Err(format!("the run ended {state}: {:?}", run.error_message).into()),
    }
}

async fn list(engine: &Engine, caller: &Caller, what: &str, run: &Run) -> Outcome<()> {
    let of_run = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
    let severe = FindingFilter { severity: Some(Severity::High), ..FindingFilter::default() };
    let part = FindingFilter { q: Some("pack-70".to_owned()), ..FindingFilter::default() };
    for (name, filter) in
        [("latest", FindingFilter::default()), ("of the run", of_run), ("high", severe), ("by name", part)]
    {
        let began = Instant::now();
        let page = engine.findings().list(caller, &filter, &PageQuery::default()).await?;
        let total = page.total_estimate.unwrap_or(0);
        println!("| page of findings {name} after the {what}, {total} in all | {:.1} | ms |", ms(began));
    }
    let began = Instant::now();
    engine.runs().deltas(caller, &run.run_id, &PageQuery::default()).await?;
    println!("| page of changes after the {what} | {:.1} | ms |", ms(began));
    Ok(())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|text| text.split_whitespace().next()).and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) / 1_024
}

async fn read(engine: &Engine, caller: &Caller, source_type: SourceType, location: &Path) -> Outcome<()> {
    let wish = AddSource {
        name: source_type.to_string(),
        source_type,
        location: location.to_str().ok_or("a path that is no text")?.to_owned(),
    };
    let source = engine.sources().add(caller, wish).await?;
    let job = engine.sources().run(caller, &source.source_id, RunSource::default()).await?;
    engine.run_until_idle().await?;
    let detail = engine.jobs().get(caller, &job.job_id).await?;
    detail.job.error_message.map_or(Ok(()), |message| Err(message.into()))
}

/// Every target holds its own slice of the packages, so that each package is in about two of a hundred targets.
fn write_sboms(folder: &Path, targets: usize) -> Outcome<()> {
    std::fs::create_dir_all(folder)?;
    for target in 0..targets {
        let component = |at: usize| {
            let package = (target * 37 + at * 49) % PACKAGES;
            format!(
                r#"{{"type":"library","name":"pack-{package}","purl":"pkg:pypi/pack-{package}@1.{package}"}}"#
            )
        };
        let components: Vec<String> = (0..COMPONENTS).map(component).collect();
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"component":{{"type":"application","name":"service-{target}"}}}},"components":[{}]}}"#,
            components.join(",")
        );
        std::fs::write(folder.join(format!("{target}.cdx.json")), text)?;
    }
    Ok(())
}

/// One advisory for every tenth package, of all severities.
fn feed_text() -> String {
    let words = ["CRITICAL", "HIGH", "MODERATE", "LOW"];
    let record = |package: usize| {
        let word = words[package / 10 % 4];
        format!(
            r#"{{"id":"GHSA-{package:04}","modified":"2026-11-01T00:00:00Z","aliases":["CVE-2026-{package:04}"],"summary":"pack-{package} is broken","affected":[{{"package":{{"ecosystem":"PyPI","name":"pack-{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"2.0"}}]}}]}}],"database_specific":{{"severity":"{word}"}}}}"#
        )
    };
    (0..PACKAGES).step_by(10).map(record).collect::<Vec<_>>().join("\n")
}
