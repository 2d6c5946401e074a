//! How likely a vulnerability is exploited, looked up for findings when they are shown: the scores change every day, the
//! findings do not.

use crate::error::Error;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use stella_contract::finding::Finding;
use stella_evaluator::EpssScore;
use stella_ledger::epss::{self, EpssPage};
use stella_ledger::{LedgerError, Tx};

/// CVEs of one page have the same year and the same thousand.
const PAGE: u64 = 1_000;

/// The page a CVE is on.
fn page_of(cve: &str) -> Option<String> {
    let (year, number) = cve.strip_prefix("CVE-")?.split_once('-')?;
    let (year, number): (u32, u64) = (year.parse().ok()?, number.parse().ok()?);
    Some(format!("{year}-{}", number / PAGE))
}

/// Scores by page: a line each of CVE, score and, where there is one, percentile.
pub(crate) fn pages(scores: &[EpssScore]) -> Vec<EpssPage> {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for score in scores {
        let Some(page) = page_of(&score.cve) else { continue };
        let body = pages.entry(page).or_default();
        // Writing to a text has no way to fail.
        let _ = match score.percentile {
            Some(percentile) => writeln!(body, "{} {} {percentile}", score.cve, score.score),
            None => writeln!(body, "{} {}", score.cve, score.score),
        };
    }
    pages.into_iter().collect()
}

/// The names of a finding that a list of likelihoods may know it by.
fn cves(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(&finding.vulnerability_id)
        .chain(&finding.aliases)
        .map(String::as_str)
        .filter(|name| name.starts_with("CVE-"))
}

/// Score and, where there is one, percentile by CVE.
pub(crate) type Likelihoods = HashMap<String, (f64, Option<f64>)>;

/// How likely these are exploited, as far as it is known; what is no CVE is left out.
pub(crate) async fn likelihoods(
    tx: &mut Tx,
    tenant: &str,
    names: impl Iterator<Item = &str>,
) -> Result<Likelihoods, LedgerError> {
    let wanted: BTreeSet<String> = names.filter_map(page_of).collect();
    let mut known = Likelihoods::new();
    if wanted.is_empty() {
        return Ok(known);
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    let bodies = epss::pages(tx, tenant, &wanted).await?;
    for line in bodies.iter().flat_map(|body| body.lines()) {
        let (cve, score, percentile) =
            of_line(line).ok_or_else(|| LedgerError::corrupt("epss_pages", "body", line))?;
        known.insert(cve.to_owned(), (score, percentile));
    }
    Ok(known)
}

/// Notes on findings how likely they are exploited.
pub(crate) async fn note(tx: &mut Tx, tenant: &str, findings: &mut [Finding]) -> Result<(), Error> {
    let known = likelihoods(tx, tenant, findings.iter().flat_map(cves)).await?;
    for finding in findings {
        let found = cves(finding).find_map(|cve| known.get(cve).copied());
        if let Some((score, percentile)) = found {
            finding.epss = Some(score);
            finding.epss_percentile = percentile;
        }
    }
    Ok(())
}

fn of_line(line: &str) -> Option<(&str, f64, Option<f64>)> {
    let mut words = line.split(' ');
    let (cve, score) = (words.next()?, words.next()?.parse().ok()?);
    let percentile = match words.next() {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    Some((cve, score, percentile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_cves_share_a_page_and_come_back_as_they_went_in() {
        let score = |cve: &str, score, percentile| EpssScore { cve: cve.to_owned(), score, percentile };
        let pages = pages(&[
            score("CVE-2026-0001", 0.97, Some(0.999)),
            score("CVE-2026-0999", 0.000_42, None),
            score("CVE-2026-1000", 1.0, Some(1.0)),
            score("CVE-X", 1.0, None),
        ]);
        let names: Vec<&str> = pages.iter().map(|(page, _)| page.as_str()).collect();
        assert_eq!(names, ["2026-0", "2026-1"]);
        let lines: Vec<_> = pages[0].1.lines().map(of_line).collect();
        assert_eq!(
            lines,
            [Some(("CVE-2026-0001", 0.97, Some(0.999))), Some(("CVE-2026-0999", 0.000_42, None))]
        );
        assert_eq!(of_line("CVE-2026-1 much"), None);
    }
}
