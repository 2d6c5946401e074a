//! Compares our matches with those of an independent program, row by row.
//!
//! `STELLA_DATA=<folder> cargo run --release -p stella-evaluator --example exam`; the folder holds `feeds/*.zip`,
//! `kev/*.json`, `sbom/*.json` and `expected/<sbom>.findings.csv` with the columns purl, record id, aliases, KEV.
//! Ends with 1 when a row differs.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stella_evaluator::{FeedIndex, RawMatch, evaluate, parse_kev, parse_osv, parse_sbom};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Some(data) = std::env::var_os("STELLA_DATA").map(PathBuf::from) else {
        println!("skipped: STELLA_DATA names no folder");
        return Ok(ExitCode::SUCCESS);
    };
    let index = read_feeds(&data)?;
    let mut differences = 0;
    for expected in files(&data.join("expected"), ".findings.csv")? {
        differences += compare(&data, &index, &expected)?;
    }
    println!("{differences} differences");
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_feeds(data: &Path) -> Result<FeedIndex, Box<dyn Error>> {
    let mut advisories = Vec::new();
    for feed in files(&data.join("feeds"), ".zip")? {
        let parsed = parse_osv(&fs::read(&feed)?);
        println!("{}: {} records, {} errors", feed.display(), parsed.records.len(), parsed.errors.len());
        parsed.errors.iter().take(5).for_each(|error| println!("  {error}"));
        advisories.extend(parsed.records);
    }
    let kev = files(&data.join("kev"), ".json")?.first().map(fs::read).transpose()?;
    let kev = kev.map(|bytes| parse_kev(&bytes)).transpose()?;
    Ok(FeedIndex::build(1, &advisories, kev.as_ref()))
}

fn compare(data: &Path, index: &FeedIndex, expected: &Path) -> Result<usize, Box<dyn Error>> {
    let name = expected.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".findings.csv");
    let sbom = parse_sbom(&fs::read(data.join(format!("sbom/{name}.cdx.json")))?)?;
    let evaluation = evaluate(index, &sbom.components);
    let ours: BTreeSet<String> = evaluation.raw_matches.iter().map(row).collect();
    let theirs: BTreeSet<String> =
        fs::read_to_string(expected)?.lines().skip(1).map(sorted_aliases).collect();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let extra: Vec<_> = ours.difference(&theirs).collect();
    println!(
        "{name}: {} components, {} rows, {} findings, {} missing, {} too many",
        sbom.components.len(),
        ours.len(),
        evaluation.findings.len(),
        missing.len(),
        extra.len()
    );
    missing.iter().take(10).for_each(|row| println!("  missing:  {row}"));
    extra.iter().take(10).for_each(|row| println!("  too many: {row}"));
    Ok(missing.len() + extra.len())
}

fn row(found: &RawMatch) -> String {
    format!("{},{},{},{}", found.given_purl, found.record_id, found.aliases.join(" "), found.kev)
}

fn sorted_aliases(line: &str) -> String {
    let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
    if let Some(aliases) = cells.get_mut(2) {
        let mut sorted: Vec<&str> = aliases.split_whitespace().collect();
        sorted.sort_unstable();
        *aliases = sorted.join(" ");
    }
    cells.join(",")
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    Ok(files)
}
