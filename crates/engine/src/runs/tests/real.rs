//! Published feeds and SBOMs, when `STELLA_DATA` names a folder with them.

use super::*;

/// The purls and records of a list that an independent program made: purl, record, aliases, exploited.
fn expected(data: &std::path::Path, sbom: &str) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(data.join(format!("expected/{sbom}.findings.csv"))).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let component = stella_evaluator::Component::from_purl(cells.next().unwrap()).unwrap();
        (component.purl, cells.next().unwrap().to_owned())
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_over_published_feeds_find_what_an_independent_program_found() {
    let Some(data) = std::env::var_os("STELLA_DATA").map(std::path::PathBuf::from) else {
        return eprintln!("skipped: STELLA_DATA names no folder");
    };
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(LedgerPlace::Sqlite(folder.path().join("test.stella"))).await;
    for (name, source_type, file) in [
        ("go", SourceType::Advisory, "feeds/osv-Go.zip"),
        ("python", SourceType::Advisory, "feeds/osv-PyPI.zip"),
        ("kev", SourceType::Kev, "kev/known_exploited_vulnerabilities.json"),
    ] {
        let location = data.join(file).to_str().unwrap().to_owned();
        let wish = AddSource { name: name.to_owned(), source_type, location };
        let source = world.engine.sources().add(&world.caller, wish).await.unwrap();
        world.engine.sources().run(&world.caller, &source.source_id, RunSource::default()).await.unwrap();
    }
    world.engine.run_until_idle().await.unwrap();
    let import = async |target: &str, sbom: &str| {
        let bytes = std::fs::read(data.join(format!("sbom/{sbom}.cdx.json"))).unwrap();
        let place = SbomPlace { name: Some(target.to_owned()), ..SbomPlace::default() };
        world.engine.targets().import(&world.caller, place, Bytes::from(bytes)).await.unwrap();
    };
    let mut before: BTreeSet<(String, String)> = BTreeSet::new();
    for sboms in [
        ["proton-bridge-1.6.3", "py-service-1", "py-ops-1"],
        ["proton-bridge-1.8.0", "py-service-2", "py-ops-1"],
    ] {
        for (target, sbom) in ["bridge", "service", "ops"].into_iter().zip(sboms) {
            import(target, sbom).await;
        }
        let run = world.run().await;
        let mut vulnerabilities = BTreeSet::new();
        for (target, sbom) in ["bridge", "service", "ops"].into_iter().zip(sboms) {
            let findings = world
                .findings(FindingFilter { q: Some(target.to_owned()), ..FindingFilter::default() })
                .await;
            let of_target = findings.iter().filter(|one| one.target_name == target);
            let found: BTreeSet<(String, String)> = of_target
                .clone()
                .flat_map(|one| one.record_ids.iter().map(|record| (one.purl.clone(), record.clone())))
                .collect();
            assert_eq!(found, expected(&data, sbom), "{sbom}");
            vulnerabilities.extend(
                of_target.map(|one| (format!("{target} {}", one.purl), one.vulnerability_id.clone())),
            );
        }
        assert_eq!(run.findings, vulnerabilities.len() as i64);
        let new = vulnerabilities.difference(&before).count() as u64;
        let gone = before.difference(&vulnerabilities).count() as u64;
        assert_eq!((run.deltas.new_total(), run.deltas.resolved_total()), (new, gone));
        before = vulnerabilities;
    }
}
