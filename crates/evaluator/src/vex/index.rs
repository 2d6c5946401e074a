//! Statements by vulnerability, and what they make of a finding.

use super::vers::Range;
use super::{Statement, care};
use crate::ecosystem;
use crate::finding::Finding;
use crate::purl::Purl;
use std::collections::HashMap;
use stella_contract::finding::{ExplainStep, FindingStatus};
use stella_contract::time::Micros;

/// What is said of every vulnerability.
#[derive(Debug, Clone, Default)]
pub struct VexIndex {
    said: HashMap<String, Vec<Said>>,
}

/// One statement with what is compared read once.
#[derive(Debug, Clone)]
struct Said {
    statement: Statement,
    product: Thing,
    component: Option<Thing>,
    versions: Versions,
    at: Option<Micros>,
}

/// Of which versions of its product something is said.
#[derive(Debug, Clone)]
enum Versions {
    /// Of those that the product names.
    Named,
    /// Of those within.
    Within(Range),
    /// Of none that can be told.
    Unreadable,
}

impl Versions {
    fn of(text: Option<&str>) -> Self {
        match text.map(Range::parse) {
            None => Self::Named,
            Some(Ok(range)) => Self::Within(range),
            Some(Err(_)) => Self::Unreadable,
        }
    }
    fn has(&self, finding: &Finding) -> bool {
        match self {
            Self::Named => true,
            Self::Within(range) => {
                let order = ecosystem::order_of(ecosystem::split(&finding.ecosystem).0);
                range.contains(&finding.version, order)
            }
            Self::Unreadable => false,
        }
    }
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    /// An image by its digest.
    Digest(String),
    /// A package, or every version of one.
    Package(Purl),
    /// Something that cannot be compared.
    Other,
}

impl Thing {
    fn of(text: &str) -> Self {
        if text.starts_with("sha256:") {
            return Self::Digest(text.to_owned());
        }
        match text.parse::<Purl>() {
            // An image's version is its digest.
            Ok(purl) if purl.ty == "oci" || purl.ty == "docker" => match purl.version {
                Some(version) if version.starts_with("sha256:") => Self::Digest(version),
                Some(_) | None => Self::Other,
            },
            Ok(purl) => Self::Package(purl),
            Err(_) => Self::Other,
        }
    }

    fn is_package(&self, purl: &Purl) -> bool {
        match self {
            Self::Package(package) => {
                let has = |(key, value): (&String, &String)| purl.qualifiers.get(key) == Some(value);
                (&package.ty, &package.namespace, &package.name) == (&purl.ty, &purl.namespace, &purl.name)
                    && (package.version.is_none() || package.version == purl.version)
                    && package.qualifiers.iter().all(has)
            }
            Self::Digest(_) | Self::Other => false,
        }
    }

    fn is_image(&self, digest: &str) -> bool {
        match self {
            Self::Digest(own) => own == digest,
            Self::Package(_) | Self::Other => false,
        }
    }
}

impl Said {
    fn of(statement: Statement) -> Self {
        Self {
            product: Thing::of(&statement.product),
            component: statement.component.as_deref().map(Thing::of),
            versions: Versions::of(statement.versions.as_deref()),
            at: Micros::parse(&statement.at),
            statement,
        }
    }

    fn is_about(&self, digest: &str, purl: &Purl, finding: &Finding) -> bool {
        let names = match &self.component {
            Some(component) => self.product.is_image(digest) && component.is_package(purl),
            None => self.product.is_image(digest) || self.product.is_package(purl),
        };
        names && self.versions.has(finding)
    }

    /// The newest counts; of two of one time the more careful one.
    fn weight(&self) -> (Option<Micros>, u8) {
        (self.at, care(self.statement.status))
    }
}

impl VexIndex {
    /// An index of these statements.
    pub fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut said: HashMap<String, Vec<Said>> = HashMap::new();
        for statement in statements {
            said.entry(statement.vulnerability_id.clone()).or_default().push(Said::of(statement));
        }
        Self { said }
    }

    /// Whether nothing is said of anything.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The finding as it is after what is said of it in the image of this digest; `None` when nothing is.
    pub fn apply(&self, digest: &str, finding: &Finding) -> Option<Finding> {
        if self.said.is_empty() {
            return None;
        }
        let names = finding.aliases.iter().chain(&finding.record_ids).chain([&finding.vulnerability_id]);
        let mut about = names.filter_map(|name| self.said.get(&name.to_uppercase())).flatten().peekable();
        about.peek()?;
        let purl: Purl = finding.purl.parse().ok()?;
        let said =
            about.filter(|said| said.is_about(digest, &purl, finding)).max_by_key(|said| said.weight())?;
        let statement = &said.statement;
        let mut after = finding.clone();
        after.status = statement.status;
        after.quieted = match statement.status {
            FindingStatus::NotAffected | FindingStatus::Fixed => true,
            FindingStatus::Affected | FindingStatus::UnderInvestigation => false,
        };
        after.explain.push(step(statement));
        Some(after)
    }
}

fn step(statement: &Statement) -> ExplainStep {
    let why = statement.justification.as_ref().or(statement.statement.as_ref());
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let within = match &statement.component {
        Some(component) => format!("{component} in {}", statement.product),
        None => statement.product.clone(),
    };
    let within = match &statement.versions {
        Some(versions) => format!("{within}, {versions}"),
        None => within,
    };
    ExplainStep {
        source: format!("VEX {}", statement.document_id),
        matched: format!(
            "{} of {within}: {}{why}, said {}",
            statement.vulnerability_id, statement.status, statement.at
        ),
        aliases: Vec::new(),
        kev: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::finding::Severity;

    const IMAGE: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn finding() -> Finding {
        Finding {
            purl: "pkg:pypi/quill@1.0".to_owned(),
            vulnerability_id: "CVE-2026-1".to_owned(),
            ecosystem: "PyPI".to_owned(),
            name: "quill".to_owned(),
            version: "1.0".to_owned(),
            record_ids: vec!["R-1".to_owned()],
            aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
            severity: Severity::High,
            score: None,
            vector: None,
            kev: false,
            status: FindingStatus::Affected,
            quieted: false,
            verdict: None,
            rule: None,
            fixed_version: None,
            summary: None,
            explain: Vec::new(),
        }
    }

    fn said(product: &str, component: Option<&str>, status: FindingStatus, day: u32) -> Statement {
        Statement {
            document_id: "doc".to_owned(),
            vulnerability_id: "CVE-2026-1".to_owned(),
            product: product.to_owned(),
            component: component.map(str::to_owned),
            versions: None,
            status,
            justification: Some("component_not_present".to_owned()),
            statement: None,
            at: format!("2026-01-{day:02}T00:00:00Z"),
        }
    }

    fn after(statements: Vec<Statement>) -> Option<(FindingStatus, bool)> {
        let after = VexIndex::of(statements).apply(IMAGE, &finding())?;
        assert_eq!(after.explain.len(), 1);
        Some((after.status, after.quieted))
    }

    #[test]
    fn a_statement_is_about_a_package_its_versions_or_what_is_in_an_image() {
        let clean = FindingStatus::NotAffected;
        let image = format!("pkg:oci/app@{}", IMAGE.replace(':', "%3A"));
        for (product, component, is_about) in [
            ("pkg:pypi/quill@1.0", None, true),
            ("pkg:pypi/Quill", None, true),
            ("pkg:pypi/quill@1.1", None, false),
            ("pkg:pypi/ink@1.0", None, false),
            ("pkg:npm/quill@1.0", None, false),
            (IMAGE, None, true),
            (image.as_str(), Some("pkg:pypi/quill"), true),
            (IMAGE, Some("pkg:pypi/ink"), false),
            ("sha256:bb", Some("pkg:pypi/quill"), false),
            ("pkg:pypi/quill@1.0", Some("pkg:pypi/quill@1.0"), false),
            ("the shop", None, false),
        ] {
            let found = after(vec![said(product, component, clean, 1)]);
            assert_eq!(found, is_about.then_some((clean, true)), "{product} {component:?}");
        }
    }

    #[test]
    fn a_statement_about_a_range_is_about_the_versions_within() {
        for (versions, is_about) in [
            ("vers:pypi/>=0.9|<1.1", true),
            ("vers:generic/>=0.9|<1.1", true),
            ("vers:pypi/>=1.1", false),
            ("vers:pypi/*", true),
            ("from one to two", false),
        ] {
            let one = said("pkg:pypi/quill", None, FindingStatus::NotAffected, 1);
            let found = after(vec![Statement { versions: Some(versions.to_owned()), ..one }]);
            assert_eq!(found, is_about.then_some((FindingStatus::NotAffected, true)), "{versions}");
        }
    }

    #[test]
    fn any_name_of_the_vulnerability_leads_to_what_is_said_of_it() {
        for name in ["CVE-2026-1", "GHSA-AAAA-BBBB-CCCC", "R-1"] {
            let one = said("pkg:pypi/quill", None, FindingStatus::Fixed, 1);
            let named = Statement { vulnerability_id: name.to_owned(), ..one };
            assert_eq!(after(vec![named]), Some((FindingStatus::Fixed, true)), "{name}");
        }
    }

    #[test]
    fn the_newest_statement_counts_and_of_one_time_the_most_careful() {
        use FindingStatus as S;
        let of = |status, day| said("pkg:pypi/quill", None, status, day);
        for (statements, expected) in [
            (vec![of(S::NotAffected, 2), of(S::Affected, 1)], (S::NotAffected, true)),
            (vec![of(S::NotAffected, 1), of(S::Affected, 2)], (S::Affected, false)),
            (vec![of(S::UnderInvestigation, 1), of(S::NotAffected, 1)], (S::UnderInvestigation, false)),
            (vec![of(S::Affected, 1), of(S::UnderInvestigation, 1)], (S::Affected, false)),
            (vec![of(S::NotAffected, 1), of(S::Fixed, 1)], (S::Fixed, true)),
        ] {
            assert_eq!(after(statements), Some(expected));
        }
    }

    #[test]
    fn a_finding_of_which_nothing_is_said_stays() {
        assert_eq!(after(Vec::new()), None);
        let index = VexIndex::of([said("pkg:pypi/quill", None, FindingStatus::Fixed, 1)]);
        let other = Finding { vulnerability_id: "CVE-2026-2".to_owned(), aliases: Vec::new(), ..finding() };
        assert_eq!(index.apply(IMAGE, &Finding { record_ids: Vec::new(), ..other }), None);
    }
}
