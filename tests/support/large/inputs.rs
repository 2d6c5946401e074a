//! What comes in: sources with gaps and backfills, SBOMs, and the runs over them.

use super::{HOUR, Size, World, wish};
use crate::fixtures;
use crate::served::Home;
use serde_json::json;
use stella_contract::backfill::{CreateBackfill, StartBackfill};
use stella_contract::ids::{RunId, SourceId};
use stella_contract::run::RunScope;
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::target::SbomPlace;
use stella_contract::watermark::SkipWindow;

/// Packages that targets are made of and records are about.
const PACKAGES: usize = 200;
/// Components of a target.
const COMPONENTS: usize = 25;
/// Sources that were added and never read.
const WAITING: usize = 14;

/// Reads the first feeds, takes the targets in, evaluates them, twice.
pub(super) async fn begin(world: &mut World, home: &Home, size: Size) -> (SourceId, RunId) {
    let records = (0..PACKAGES * 2).map(|at| {
        let vector = if at % 3 == 0 { fixtures::CRITICAL } else { fixtures::MEDIUM };
        let cve = format!("CVE-2026-{:04}", 1_000 + at);
        let fixed = format!("1.{}", 2 + at % 5);
        fixtures::advisory(
            &format!("PYSEC-2026-{at}"),
            &cve,
            &format!("pack-{}", at % PACKAGES),
            &fixed,
            vector,
        )
    });
    let text: Vec<String> = records.map(|record| record.to_string()).collect();
    let (half, whole) = (text[..PACKAGES].join("\n"), text.join("\n"));
    let feed = add(world, "osv-pypi", SourceType::Advisory, &written(home, "osv.ndjson", &half)).await;
    let listed: Vec<String> = (0..40).map(|at| format!("CVE-2026-{:04}", 1_000 + at * 7)).collect();
    let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
    let kev = add(world, "kev", SourceType::Kev, &written(home, "kev.json", &fixtures::kev(&listed))).await;
    let days =
        add(world, "vendor-changes", SourceType::Advisory, &days(world, home, &[1, 2, 4, 5]).await).await;
    for source in [&feed, &kev, &days] {
        read(world, source).await;
    }
    for number in 0..WAITING {
        let name = format!("mirror-{number:02}");
        let location =
            format!("https://feeds-{}.example/changes?part={number}&from={{from}}&to={{to}}", number % 4);
        let kind = [SourceType::Advisory, SourceType::Vex][number % 2];
        add(world, &name, kind, &location).await;
    }
    targets(world, size, 0).await;
    evaluate(world, RunScope::All).await;
    world.clock.advance_ms(HOUR);
    written(home, "osv.ndjson", &whole);
    read(world, &feed).await;
    targets(world, size, 1).await;
    let mut run = evaluate(world, RunScope::All).await;
    for namespace in ["shop", "stock", "office"] {
        world.clock.advance_ms(HOUR / 2);
        targets(world, Size { targets: size.targets / 3, ..size }, 2).await;
        let scope = wish(json!({"kind": "selector", "namespaces": [namespace]}));
        run = evaluate(world, scope).await;
    }
    (days, run)
}

/// A source that is read day by day gets gaps and backfills.
pub(super) async fn go_on(world: &World, home: &Home, source: SourceId) -> SourceId {
    let (sources, backfills) = (world.engine.sources(), world.engine.backfills());
    let caller = world.operator("ada", "the publisher lost these hours");
    for day in [0, 1, 2] {
        for _ in 0..3 {
            sources.skip_window(&caller, &source, SkipWindow::default()).await.unwrap();
        }
        days(world, home, &[2 - day]).await;
        read(world, &source).await;
    }
    for (from, to, goes_on) in [(30, 20, true), (60, 40, true), (90, 70, false)] {
        let at = |days: i64| world.now().minus_ms(days * 24 * HOUR);
        let whole =
            |at: stella_contract::time::Micros| stella_contract::time::Micros(at.0 / 1_000_000 * 1_000_000);
        let draft = CreateBackfill::of(source.clone(), whole(at(from)), whole(at(to)));
        let drafted = backfills.create(&caller, draft).await.unwrap();
        let seen = backfills.preview(&caller, &drafted.backfill_id).await.unwrap();
        if goes_on {
            let preview_digest = seen.preview.unwrap().digest;
            backfills.start(&caller, &drafted.backfill_id, StartBackfill { preview_digest }).await.unwrap();
        }
    }
    for _ in 0..20 {
        world.engine.run_until_idle().await.unwrap();
        world.clock.advance_ms(4_000);
    }
    source
}

fn written(home: &Home, name: &str, text: &str) -> String {
    home.write(&format!("feeds/{name}"), text).display().to_string()
}

/// One record for each of so many days ago, in a folder.
async fn days(world: &World, home: &Home, ago: &[i64]) -> String {
    for day in ago {
        let at = world.now().minus_ms(day * 24 * HOUR);
        let number = at.0 / 1_000_000 % 100_000;
        let mut record = fixtures::advisory(
            &format!("VND-{number}"),
            &format!("CVE-2025-{number}"),
            "pack-1",
            "1.1",
            fixtures::MEDIUM,
        );
        record["modified"] = json!(at.to_string());
        home.write(&format!("feeds/days/{number}.json"), &record.to_string());
    }
    home.path().join("feeds/days").display().to_string()
}

async fn add(world: &World, name: &str, source_type: SourceType, location: &str) -> SourceId {
    let caller = world.operator("ada", "a new feed");
    let wish = AddSource { name: name.to_owned(), source_type, location: location.to_owned() };
    world.engine.sources().add(&caller, wish).await.unwrap().source_id
}

async fn read(world: &World, source: &SourceId) {
    let caller = world.operator("ada", "read it now");
    world.engine.sources().run(&caller, source, RunSource::default()).await.unwrap();
    world.engine.run_until_idle().await.unwrap();
}

/// Every target at the version of this generation.
async fn targets(world: &World, size: Size, generation: usize) {
    let caller = world.operator("build", "a new build");
    for number in 0..size.targets {
        let parts: Vec<(String, String)> = (0..COMPONENTS)
            .map(|at| {
                let package = (number * 7 + at * 3) % PACKAGES;
                (format!("pack-{package}"), format!("1.{}", (number + at + generation) % 7))
            })
            .collect();
        let parts: Vec<(&str, &str)> =
            parts.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        let namespace = ["shop", "stock", "office"][number % 3];
        let text = fixtures::sbom(&format!("service-{number:03}"), &format!("2.{generation}"), &parts);
        let place = SbomPlace {
            namespace: Some(namespace.to_owned()),
            repository: Some(format!("registry.example/{namespace}")),
            ..SbomPlace::default()
        };
        world.engine.targets().import(&caller, place, text.into()).await.unwrap();
    }
}

async fn evaluate(world: &World, scope: RunScope) -> RunId {
    let caller = world.operator("ada", "after the night's feeds");
    let start = wish(json!({"mode": "analysis-only", "scope": scope, "kevFirst": true, "segmentSize": 20}));
    let (run, _) = world.engine.runs().start(&caller, start, None).await.unwrap();
    world.engine.run_until_idle().await.unwrap();
    run.run_id
}
