//! The evaluation: components against the feed index.

use crate::ecosystem;
use crate::finding::{Finding, Partial, PartialReason, RawMatch};
use crate::index::{FeedIndex, Posting, Record};
use crate::matching::{Hit, read_version};
use crate::sbom::Component;
use crate::severity::Rating;
use crate::version::{Order, Version};
use stella_contract::finding::{ExplainStep, FindingStatus};

/// What an evaluation of a target's components says; each list is sorted, so equal inputs give equal bytes.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Every record that matches, by purl and record id.
    pub raw_matches: Vec<RawMatch>,
    /// Those records merged into vulnerabilities, by purl and vulnerability id.
    pub findings: Vec<Finding>,
    /// Components that could not be judged in full, by purl.
    pub partial: Vec<Partial>,
}

/// Judges every component. Components are independent of one another; a purl that comes twice counts once.
pub fn evaluate(index: &FeedIndex, components: &[Component]) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for component in components {
        judge(index, component, &mut evaluation);
    }
    evaluation.raw_matches.sort_by(|a, b| (&a.purl, &a.record_id).cmp(&(&b.purl, &b.record_id)));
    evaluation.raw_matches.dedup_by(|a, b| (&a.purl, &a.record_id) == (&b.purl, &b.record_id));
    evaluation.findings.sort_by(|a, b| (&a.purl, &a.vulnerability_id).cmp(&(&b.purl, &b.vulnerability_id)));
    evaluation.findings.dedup_by(|a, b| (&a.purl, &a.vulnerability_id) == (&b.purl, &b.vulnerability_id));
    evaluation.partial.sort();
    evaluation.partial.dedup();
    evaluation
}

/// A name to look up, with the version that counts under it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    is_source: bool,
}

/// Debian, Ubuntu and Alpine publish by source package, so a binary is looked up under its source; rpm
/// distributions publish by either.
pub(crate) fn lookups(component: &Component) -> Vec<Lookup<'_>> {
    let own = Lookup { name: &component.name, version: &component.version, is_source: false };
    let Some(source) = &component.source else { return vec![own] };
    let version = source.version.as_deref().unwrap_or(&component.version);
    let of_source = Lookup { name: &source.name, version, is_source: true };
    let (base, _) = ecosystem::split(&component.ecosystem);
    match ecosystem::order_of(base) {
        Some(Order::Dpkg | Order::Apk) => vec![of_source],
        Some(Order::Rpm) if source.name != component.name => vec![own, of_source],
        Some(_) | None => vec![own],
    }
}

/// One record that matched, while a component is judged.
struct Match<'a> {
    vulnerability: u32,
    record: &'a Record,
    rating: Rating,
    matched: String,
    fix: Option<(&'a Version, &'a str)>,
}

fn judge(index: &FeedIndex, component: &Component, evaluation: &mut Evaluation) {
    let (base, release) = ecosystem::split(&component.ecosystem);
    let order = ecosystem::order_of(base);
    let mut matches: Vec<Match<'_>> = Vec::new();
    for lookup in lookups(component) {
        let postings = index.postings(base, lookup.name);
        let version = read_version(order, lookup.version);
        let why_partial = match order {
            _ if lookup.version.is_empty() => Some(PartialReason::NoVersion),
            None => Some(PartialReason::NoOrder),
            Some(_) => partial_reason(&version, release.as_deref(), postings),
        };
        evaluation.partial.extend(why_partial.map(|reason| partial(component, reason)));
        if lookup.version.is_empty() {
            continue;
        }
        // What one record says of a package stands together.
        for of_record in postings.chunk_by(|a, b| a.record == b.record) {
            let about = of_record.iter().filter(|posting| is_about(posting, release.as_deref()));
            matches.extend(find(index, &lookup, &version, about));
        }
    }
    matches.sort_by_key(|found| (found.vulnerability, &found.record.id));
    matches.dedup_by_key(|found| &found.record.id);
    for of_vulnerability in matches.chunk_by(|a, b| a.vulnerability == b.vulnerability) {
        evaluation.raw_matches.extend(of_vulnerability.iter().map(|found| raw_match(component, found)));
        evaluation.findings.push(finding(index, component, of_vulnerability));
    }
}

/// An entry is about a component when neither names a release or both name the same.
fn is_about(posting: &Posting, release: Option<&str>) -> bool {
    match (posting.release.as_deref(), release) {
        (Some(of_entry), Some(of_component)) => of_entry == of_component,
        (None, _) | (_, None) => true,
    }
}

fn matched(lookup: &Lookup<'_>, hit: &Hit<'_>) -> String {
    let source = if lookup.is_source { format!("source {} ", lookup.name) } else { String::new() };
    format!("{source}{}: {hit}", lookup.version)
}

/// Whether the entries of one record match, which of them first, and what the record says of fixes.
fn find<'a>(
    index: &'a FeedIndex,
    lookup: &Lookup<'_>,
    version: &Version,
    about: impl Iterator<Item = &'a Posting>,
) -> Option<Match<'a>> {
    let mut found: Option<Match<'a>> = None;
    let mut fix = None;
    for posting in about {
        let Some((record, affected)) = index.affected(posting) else { continue };
        fix = [fix, affected.fix_above(version)].into_iter().flatten().min();
        let Some(hit) = affected.hit(version) else { continue };
        let found = found.get_or_insert_with(|| Match {
            vulnerability: index.vulnerability_at(posting.record),
            record,
            rating: record.rating.clone(),
            matched: matched(lookup, &hit),
            fix: None,
        });
        if let Some(of_package) = affected.rating.as_deref() {
            found.rating = std::mem::replace(&mut found.rating, Rating::UNKNOWN).stronger(of_package.clone());
        }
    }
    Some(Match { fix, ..found? })
}

/// Nothing is partial about a package no advisory speaks of.
fn partial_reason(version: &Version, release: Option<&str>, postings: &[Posting]) -> Option<PartialReason> {
    if postings.is_empty() {
        return None;
    }
    if !version.is_readable() {
        return Some(PartialReason::UnreadableVersion);
    }
    let by_release = postings.iter().any(|posting| posting.release.is_some());
    (by_release && release.is_none()).then_some(PartialReason::NoRelease)
}

fn partial(component: &Component, reason: PartialReason) -> Partial {
    let Component { ecosystem, version, .. } = component;
    let message = match reason {
        PartialReason::NoOrder => {
            format!(
                "versions of ecosystem `{ecosystem}` have no known order; only exact versions are matched"
            )
        }
        PartialReason::NoVersion => {
            "the SBOM gives no version, so nothing is matched; resolve versions before export".to_owned()
        }
        PartialReason::UnreadableVersion => {
            format!("`{version}` is no version of ecosystem `{ecosystem}`; only exact versions are matched")
        }
        PartialReason::NoRelease => format!(
            "the purl does not say which release of {ecosystem} it is from, so advisories of every release are matched; add the `distro` qualifier"
        ),
    };
    Partial { purl: component.purl.clone(), reason, message }
}

fn raw_match(component: &Component, found: &Match<'_>) -> RawMatch {
    RawMatch {
        purl: component.purl.clone(),
        record_id: found.record.id.to_string(),
        given_purl: component.given_purl().to_owned(),
        aliases: found.record.aliases.iter().map(ToString::to_string).collect(),
        kev: found.record.kev,
        matched: found.matched.clone(),
    }
}

fn finding(index: &FeedIndex, component: &Component, matches: &[Match<'_>]) -> Finding {
    let vulnerability = index.vulnerability(matches[0].vulnerability);
    let matched = matches.iter().map(|found| found.rating.clone()).fold(Rating::UNKNOWN, Rating::stronger);
    // A record without a score often has a twin with one, in another ecosystem or database.
    let rating = if matched.is_unknown() { vulnerability.rating.clone() } else { matched };
    let fix = matches.iter().filter_map(|found| found.fix).min();
    let kev = vulnerability.kev;
    let step = |found: &Match<'_>| ExplainStep {
        source: found.record.id.to_string(),
        matched: found.matched.clone(),
        aliases: found.record.aliases.iter().map(ToString::to_string).collect(),
        kev: found.record.kev,
    };
    let mut explain: Vec<ExplainStep> = matches.iter().map(step).collect();
    if kev {
        let matched = format!("{} is known to be exploited", vulnerability.id);
        explain.push(ExplainStep { source: "KEV".to_owned(), matched, aliases: Vec::new(), kev });
    }
    Finding {
        purl: component.purl.clone(),
        vulnerability_id: vulnerability.id.to_string(),
        ecosystem: component.ecosystem.clone(),
        name: component.name.clone(),
        version: component.version.clone(),
        record_ids: matches.iter().map(|found| found.record.id.to_string()).collect(),
        aliases: vulnerability
            .names
            .iter()
            .filter(|name| **name != vulnerability.id)
            .map(ToString::to_string)
            .collect(),
        severity: rating.severity,
        score: rating.score,
        vector: rating.vector.map(Into::into),
        kev,
        status: FindingStatus::Affected,
        quieted: false,
        verdict: None,
        rule: None,
        fixed_version: fix.map(|(_, text)| text.to_owned()),
        summary: matches.iter().find_map(|found| found.record.summary.as_deref()).map(str::to_owned),
        explain,
    }
}
