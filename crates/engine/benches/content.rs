//! How long it takes to store SBOMs, and to answer a preview over many of them.
//!
//! `STELLA_TARGETS=100000 cargo bench -p stella-engine --bench content`. Prints the median, the smallest and the
//! largest of the repetitions.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use stella_contract::ids::Tenant;
use stella_contract::preview::PreviewRequest;
use stella_contract::run::RunScope;
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};

const REPETITIONS: usize = 9;
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
        workers: 1,
    })
    .await?;
    let caller = Caller::local(tenant, "bench");
    println!("| measure | median | min | max | unit |");
    println!("|---|---|---|---|---|");

    let sboms = folder.path().join("sboms");
    write_sboms(&sboms, targets)?;
    let began = Instant::now();
    read(&engine, &caller, SourceType::Sbom, &sboms).await?;
    let rate = targets as f64 / began.elapsed().as_secs_f64();
    println!("| SBOMs of {COMPONENTS} components stored, {targets} in all | {rate:.0} | | | per s |");

    let feed = folder.path().join("feed.ndjson");
    std::fs::write(&feed, feed_text())?;
    let began = Instant::now();
    read(&engine, &caller, SourceType::Advisory, &feed).await?;
    println!("| a feed of {PACKAGES} records read and stored | {:.0} | | | ms |", ms(began));

    let one = |purl: &str| PreviewRequest { purls: vec![purl.to_owned()], ..PreviewRequest::default() };
    let all = PreviewRequest { scope: Some(RunScope::All), ..PreviewRequest::default() };
    let vulnerability =
        PreviewRequest { vuln_ids: vec!["CVE-2026-0007".to_owned()], ..PreviewRequest::default() };
    let many = PreviewRequest {
        purls: (0..1_000).map(|at| format!("pkg:pypi/pack-{at}@1.{at}")).collect(),
        ..PreviewRequest::default()
    };
    for (what, request) in [
        ("preview of one package", one("pkg:pypi/pack-7")),
        ("preview of one version", one("pkg:pypi/pack-7@1.7")),
        ("preview of one vulnerability", vulnerability),
        ("preview of 1,000 packages", many),
        ("preview of all", all),
    ] {
        let mut times = Vec::new();
        let mut impacted = 0;
        for _ in 0..REPETITIONS {
            let began = Instant::now();
            impacted = engine.previews().make(&caller, request.clone()).await?.impacted_images;
            times.push(ms(began));
        }
        times.sort_by(f64::total_cmp);
        let (median, least, most) = (times[REPETITIONS / 2], times[0], times[REPETITIONS - 1]);
        println!("| {what}, {impacted} of {targets} targets | {median:.1} | {least:.1} | {most:.1} | ms |");
    }
    engine.close().await;
    Ok(())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
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
    match detail.job.error_message {
        Some(message) => Err(message.into()),
        None => Ok(()),
    }
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
        std::fs::write(folder.join(format!("{target:06}.json")), text)?;
    }
    Ok(())
}

fn feed_text() -> String {
    let record = |at: usize| {
        format!(
            r#"{{"id":"R-{at}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-{at:04}"],"affected":[{{"package":{{"ecosystem":"PyPI","name":"pack-{at}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
        )
    };
    (0..PACKAGES).map(record).collect::<Vec<_>>().join("\n")
}
