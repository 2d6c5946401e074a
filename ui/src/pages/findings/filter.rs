//! The filter of the findings list and which finding is open, as the address has them.

use crate::pages::filter_bar::{FilterField, wanted};
use crate::router::Query;
use stella_contract::finding::{ExplainQuery, Finding, FindingFilter, FindingStatus, Severity};
use stella_contract::policy::Verdict;

/// The filter an address asks for.
pub(super) fn filter_of(query: &Query) -> FindingFilter {
    FindingFilter {
        run: wanted(query, "run"),
        target: wanted(query, "target"),
        severity: wanted(query, "severity"),
        kev: wanted(query, "kev"),
        status: wanted(query, "status"),
        verdict: wanted(query, "verdict"),
        quieted: wanted(query, "quieted"),
        q: query.get("q").map(str::to_owned),
    }
}

/// What the list can be filtered by.
pub(super) fn fields() -> Vec<FilterField> {
    vec![
        FilterField::text("q", "text"),
        FilterField::choice("severity", "severity", Severity::ALL.iter().rev().map(|word| word.as_str())),
        FilterField::choice("kev", "known exploited", ["true", "false"].into_iter()),
        FilterField::choice("status", "status", FindingStatus::ALL.iter().map(|word| word.as_str())),
        FilterField::choice("verdict", "verdict", Verdict::ALL.iter().map(|word| word.as_str())),
        FilterField::choice("quieted", "quieted", ["true", "false"].into_iter()),
        FilterField::text("run", "run"),
        FilterField::text("target", "target"),
    ]
}

/// The query of the list alone, without what is open beside it.
pub(super) fn list_of(query: &Query) -> Query {
    ["inTarget", "purl", "vuln"].into_iter().fold(query.clone(), |query, name| query.without(name))
}

/// The same query with this finding open beside the list.
pub(super) fn opening(query: &Query, finding: &Finding) -> Query {
    query
        .with("inTarget", finding.target_id.as_str())
        .with("purl", finding.purl.as_str())
        .with("vuln", finding.vulnerability_id.as_str())
}

/// The finding an address has open.
pub(super) fn open_of(query: &Query) -> Option<ExplainQuery> {
    Some(ExplainQuery {
        target: query.read("inTarget")?,
        purl: query.get("purl")?.to_owned(),
        vulnerability: query.get("vuln")?.to_owned(),
    })
}

/// What tells a finding from the others.
pub(super) fn key_of(finding: &Finding) -> String {
    key(finding.target_id.as_str(), &finding.purl, &finding.vulnerability_id)
}

/// The same of the one that is open.
pub(super) fn key_of_open(open: &ExplainQuery) -> String {
    key(open.target.as_str(), &open.purl, &open.vulnerability)
}

fn key(target: &str, purl: &str, vulnerability: &str) -> String {
    format!("{target} {purl} {vulnerability}")
}

/// The command that lists the same.
pub(super) fn command(filter: &FindingFilter) -> Vec<String> {
    words("list", filter)
}

/// The command that writes the same to a file.
pub(super) fn export_command(filter: &FindingFilter) -> Vec<String> {
    let mut words = words("export", filter);
    words.extend(["--output", "findings.csv"].map(str::to_owned));
    words
}

fn words(verb: &str, filter: &FindingFilter) -> Vec<String> {
    let options = [
        ("--run", filter.run.as_ref().map(|id| id.to_string())),
        ("--target", filter.target.as_ref().map(|id| id.to_string())),
        ("--severity", filter.severity.map(|word| word.as_str().to_owned())),
        ("--kev", filter.kev.map(|on| on.to_string())),
        ("--status", filter.status.map(|word| word.as_str().to_owned())),
        ("--verdict", filter.verdict.map(|word| word.as_str().to_owned())),
        ("--quieted", filter.quieted.map(|on| on.to_string())),
        ("--q", filter.q.clone()),
    ];
    let said = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    ["findings", verb].map(str::to_owned).into_iter().chain(said.flatten()).collect()
}

/// The command that explains the same.
pub(super) fn explain_command(open: &ExplainQuery) -> Vec<String> {
    [
        "findings",
        "explain",
        "--target",
        open.target.as_str(),
        "--purl",
        &open.purl,
        "--vuln",
        &open.vulnerability,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "tgt_01890000-0000-7000-8000-000000000000";

    #[test]
    fn an_address_becomes_a_filter_and_a_command() {
        let run = "run:acme:20261121T140815Z:9c1f04ab";
        let query = Query::default()
            .with("run", run)
            .with("severity", "critical")
            .with("kev", "true")
            .with("q", "a b");
        let filter = filter_of(&query);
        assert_eq!((filter.severity, filter.kev), (Some(Severity::Critical), Some(true)));
        assert_eq!(
            command(&filter),
            ["findings", "list", "--run", run, "--severity", "critical", "--kev", "true", "--q", "a b"]
        );
        assert_eq!(filter_of(&Query::parse("kev=perhaps&target=x")), FindingFilter::default());
        let judged = filter_of(&Query::parse("verdict=block&status=affected&quieted=false"));
        assert_eq!(
            export_command(&judged).join(" "),
            "findings export --status affected --verdict block --quieted false --output findings.csv"
        );
    }

    #[test]
    fn what_is_open_is_no_filter_of_the_list() {
        let open = Query::parse("severity=high")
            .with("inTarget", TARGET)
            .with("purl", "pkg:npm/a@1")
            .with("vuln", "CVE-1");
        assert_eq!(list_of(&open), Query::parse("severity=high"));
        let asked = open_of(&open).unwrap();
        assert_eq!(explain_command(&asked).last().map(String::as_str), Some("CVE-1"));
        assert_eq!(open_of(&open.without("purl")), None);
        assert_eq!(key_of_open(&asked), format!("{TARGET} pkg:npm/a@1 CVE-1"));
    }
}
