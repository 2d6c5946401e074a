//! How fast feeds load, how many look-ups a core does in a second, and how much memory a large run takes.
//!
//! `STELLA_DATA=<folder> cargo bench -p stella-evaluator`; the folder holds `feeds/*.zip`, `kev/*.json` and
//! `sbom/*.json`. Without it a feed of our own making stands in. Prints the median, the smallest and the largest
//! of the repetitions.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use stella_contract::time::Micros;
use stella_evaluator::{
    Advisory, Component, FeedIndex, KevCatalogue, PolicyInputs, PolicyTarget, evaluate, parse_kev, parse_osv,
    parse_policy, parse_sbom,
};

/// So often each measurement is repeated; without `--bench` it is done once, so that it cannot rot.
const REPETITIONS: usize = 7;
const TARGETS: usize = 10_000;
const COMPONENTS_OF_TARGET: usize = 100;
/// Rules of a policy, and one more that holds.
const RULES: usize = 20;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the measurements run on.
struct Inputs {
    feeds: Vec<Vec<u8>>,
    kev: KevCatalogue,
    /// Components of real SBOMs, or made-up ones.
    components: Vec<Component>,
}

fn main() -> Outcome<()> {
    let inputs = match std::env::var_os("STELLA_DATA").map(PathBuf::from) {
        Some(folder) => read_inputs(&folder)?,
        None => made_up_inputs()?,
    };
    println!("| measure | median | min | max | unit |");
    println!("|---|---|---|---|---|");
    report("load and index the feeds", "ms", &repeat(|| milliseconds(|| load(&inputs))));
    let index = load(&inputs);
    look_ups("look-ups, components of SBOMs", &index, &inputs.components);
    look_ups("look-ups, packages of the feed", &index, &components_of_feed(&inputs)?);
    let found: usize = evaluate(&index, &components_of_feed(&inputs)?).raw_matches.len();
    judgements(&index, &components_of_feed(&inputs)?)?;
    println!("| records matched by the packages of the feed | {found} | | | |");
    let pool: Vec<Component> =
        inputs.components.iter().cloned().chain(components_of_feed(&inputs)?).collect();
    drop(inputs);
    report("10,000 targets of 100 components", "ms", &repeat(|| milliseconds(|| run(&index, &pool))));
    println!("| {} records, {} vulnerabilities | | | | |", index.records(), index.vulnerabilities());
    for (name, kibibytes) in resident()? {
        println!("| {name} | {} | | | MiB |", kibibytes / 1024);
    }
    Ok(())
}

fn load(inputs: &Inputs) -> FeedIndex {
    let advisories: Vec<Advisory> = inputs.feeds.iter().flat_map(|feed| parse_osv(feed).records).collect();
    FeedIndex::build(1, &advisories, Some(&inputs.kev))
}

/// One core, one component at a time.
fn look_ups(name: &str, index: &FeedIndex, components: &[Component]) {
    let rounds = 50_000_usize.div_ceil(components.len());
    let per_second = repeat(|| {
        let started = Instant::now();
        for component in (0..rounds).flat_map(|_| components) {
            black_box(evaluate(index, std::slice::from_ref(component)));
        }
        as_f64(rounds * components.len()) / started.elapsed().as_secs_f64()
    });
    report(name, "per second and core", &per_second);
}

/// One core, findings of the whole feed, asked rule by rule: none but the last holds.
fn judgements(index: &FeedIndex, components: &[Component]) -> Outcome<()> {
    let rules: String = (0..RULES)
        .map(|number| {
            let when = format!("kev && severityLevel >= 3 && target.labels.team == 'team-{number}'");
            format!("- {{name: rule {number}, when: \"{when}\", verdict: block, reason: a benchmark}}\n")
        })
        .chain(["- {name: the rest, when: 'score >= 0.0', verdict: warn, reason: a benchmark}\n".to_owned()])
        .collect();
    let policy = parse_policy(&rules).map_err(|problems| format!("{problems:?}"))?;
    let mut findings = evaluate(index, components).findings;
    findings.truncate(20_000);
    let labels = BTreeMap::from([("team".to_owned(), "none".to_owned())]);
    let target = PolicyTarget { labels, ..PolicyTarget::default() };
    let per_second = repeat(|| {
        let started = Instant::now();
        for finding in &findings {
            let inputs = PolicyInputs { finding, target: &target, epss: None, age_days: 0 };
            black_box(policy.judge(&inputs, Micros(0)));
        }
        as_f64(findings.len() * (RULES + 1)) / started.elapsed().as_secs_f64()
    });
    report("rules asked of a finding", "per second and core", &per_second);
    Ok(())
}

/// Every target takes other components of the pool; its findings are serialised and dropped, as a batch write
/// would.
fn run(index: &FeedIndex, pool: &[Component]) -> usize {
    let mut bytes = 0;
    for target in 0..TARGETS {
        let chosen = (0..COMPONENTS_OF_TARGET).map(|at| pool[(target * 31 + at * 17) % pool.len()].clone());
        let evaluation = evaluate(index, &chosen.collect::<Vec<_>>());
        bytes += serde_json::to_vec(&evaluation.findings).map_or(0, |json| json.len());
    }
    bytes
}

fn repeat(mut measure: impl FnMut() -> f64) -> Vec<f64> {
    let times = if std::env::args().any(|word| word == "--bench") { REPETITIONS } else { 1 };
    let mut measures: Vec<f64> = (0..times).map(|_| measure()).collect();
    measures.sort_by(f64::total_cmp);
    measures
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().as_secs_f64() * 1000.0
}

fn report(name: &str, unit: &str, sorted: &[f64]) {
    let (median, min, max) = (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1]);
    println!("| {name} | {median:.0} | {min:.0} | {max:.0} | {unit} |");
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Resident memory now and at its highest, in KiB; nothing where the system does not say.
fn resident() -> Outcome<Vec<(&'static str, u64)>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (key, name) in [("VmRSS:", "resident after the run"), ("VmHWM:", "resident at most")] {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0 kB");
        found.push((name, line.trim().trim_end_matches("kB").trim().parse()?));
    }
    Ok(found)
}

/// One component per package the feed speaks of, in the middle of its versions.
fn components_of_feed(inputs: &Inputs) -> Outcome<Vec<Component>> {
    let advisories = inputs.feeds.iter().flat_map(|feed| parse_osv(feed).records);
    let packages =
        advisories.flat_map(|advisory| advisory.affected).filter(|affected| !affected.name.is_empty());
    let purls = packages.map(|affected| match affected.ecosystem.as_str() {
        "Go" => format!("pkg:golang/{}@v1.2.0", affected.name),
        _ => format!("pkg:pypi/{}@1.2.0", affected.name),
    });
    let purls: BTreeSet<String> = purls.collect();
    purls.iter().map(|purl| Ok(Component::from_purl(purl)?)).collect()
}

fn read_inputs(folder: &Path) -> Outcome<Inputs> {
    let read = |sub: &str, ending: &str| -> Outcome<Vec<Vec<u8>>> {
        let entries = fs::read_dir(folder.join(sub))?.collect::<Result<Vec<_>, _>>()?;
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(ending));
        paths.sort();
        Ok(paths.iter().map(fs::read).collect::<Result<_, _>>()?)
    };
    let kev = read("kev", ".json")?;
    let mut components = Vec::new();
    for sbom in read("sbom", ".json")? {
        components.extend(parse_sbom(&sbom)?.components);
    }
    Ok(Inputs {
        feeds: read("feeds", ".zip")?,
        kev: kev.first().map_or_else(|| Ok(KevCatalogue::default()), |bytes| parse_kev(bytes))?,
        components,
    })
}

/// Seven thousand records over two thousand packages, with lists of versions as long as real ones.
fn made_up_inputs() -> Outcome<Inputs> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for number in 0..7_000 {
        let method = rawzip::CompressionMethod::DEFLATE;
        let name = format!("MADE-{number}.json");
        let (mut entry, config) = archive.new_file(&name).compression_method(method).start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(made_up_record(number).as_bytes())?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()?;
    let purls = (0..2_000).map(|number| format!("pkg:pypi/package-{}@1.{}.0", number * 5, number % 40));
    let components = purls.map(|purl| Ok(Component::from_purl(&purl)?)).collect::<Outcome<_>>()?;
    Ok(Inputs { feeds: vec![bytes], kev: KevCatalogue::default(), components })
}

fn made_up_record(number: usize) -> String {
    let versions: Vec<String> = (0..60).map(|minor| format!("1.{minor}.{}", number % 7)).collect();
    serde_json::json!({
        "id": format!("MADE-{number}"), "modified": "2026-01-01T00:00:00Z",
        "aliases": [format!("CVE-2026-{number}")],
        "details": "made up for the benchmark ".repeat(20),
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": format!("package-{}", number % 2_000)},
            "ranges": [{"type": "ECOSYSTEM", "events": [
                {"introduced": "0"}, {"fixed": format!("1.{}", number % 30)},
                {"introduced": "2.0"}, {"fixed": format!("2.{}", number % 30)},
            ]}],
            "versions": versions,
        }],
    })
    .to_string()
}
