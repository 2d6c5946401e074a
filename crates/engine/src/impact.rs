//! Which targets a scope or a key touches, and how old the answer is (spec 05 §5.6, 11 §11.4).

use crate::error::Error;
use stella_contract::error::{Code, FieldProblem};
use stella_contract::ids::Tenant;
use stella_contract::run::RunScope;
use stella_contract::time::Micros;
use stella_evaluator::Purl;
use stella_ledger::impact::{self, ImpactKeys, ImpactScope, ImpactState, PackageKey, TargetRef};
use stella_ledger::{LedgerError, Tx, kev};

/// Keys that one preview or scope may name.
pub(crate) const MAX_KEYS: usize = 10_000;
/// An index older than this is worth a warning.
pub(crate) const AGING_S: i64 = 6 * 3_600;
/// An index older than this is not planned on, unless the caller allows it.
pub(crate) const STALE_S: i64 = 24 * 3_600;
/// Problems that one answer lists.
const MAX_PROBLEMS: usize = 100;

/// Where the impact index stands at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IndexState {
    /// Rises with every change of advisories, exploited list or SBOMs.
    pub(crate) generation: i64,
    /// Rises with every change of advisories or exploited list alone.
    pub(crate) feed_generation: i64,
    /// Whether there is any advisory; without one a run finds nothing, which is not clean.
    pub(crate) has_advisories: bool,
    /// When the feeds were last read with success; of an index without any feed, when an SBOM last changed.
    pub(crate) built_at: Option<Micros>,
    /// How long ago that was.
    pub(crate) age_s: Option<i64>,
    /// When the exploited list was released.
    pub(crate) kev_released: Option<String>,
}

impl IndexState {
    /// Whether planning on it has to be refused or allowed with a reason.
    pub(crate) fn is_stale(&self) -> bool {
        self.age_s.is_some_and(|age| age > STALE_S)
    }

    /// Whether the operator should know how old it is.
    pub(crate) fn is_aging(&self) -> bool {
        self.age_s.is_some_and(|age| age > AGING_S)
    }
}

/// Where the impact index of a tenant stands. A feed that was read again and found unchanged makes the index young: its
/// age says how long nobody looked, not how long nothing changed.
pub(crate) async fn state(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<IndexState, LedgerError> {
    let stored: ImpactState = impact::state(tx, tenant.as_str()).await?.unwrap_or_default();
    let built_at = stored.feeds_at.or(stored.sboms_at).map(Micros);
    Ok(IndexState {
        generation: stored.generation,
        feed_generation: stored.feed_generation,
        has_advisories: stored.has_advisories != 0,
        built_at,
        age_s: built_at.map(|at| (now.ms_since(at) / 1_000).max(0)),
        kev_released: kev::released(tx, tenant.as_str()).await?,
    })
}

/// The targets within a scope, in the order of digests.
pub(crate) async fn candidates(
    tx: &mut Tx,
    tenant: &Tenant,
    scope: &RunScope,
) -> Result<Vec<TargetRef>, Error> {
    let scope = restriction(scope)?;
    Ok(impact::candidates(tx, tenant.as_str(), &scope).await?)
}

/// A scope in the words of the ledger; refuses keys and digests that cannot be read.
pub(crate) fn restriction(scope: &RunScope) -> Result<ImpactScope, Error> {
    Ok(match scope {
        RunScope::All => ImpactScope::All,
        RunScope::Selector { namespaces, repositories, labels } => {
            refuse_controls("scope.namespaces", namespaces)?;
            refuse_controls("scope.repositories", repositories)?;
            refuse_controls("scope.labels", labels.keys().chain(labels.values()))?;
            ImpactScope::Selector {
                namespaces: namespaces.clone(),
                repositories: repositories.clone(),
                labels: labels.clone(),
            }
        }
        RunScope::Keys { purls, vuln_ids } => ImpactScope::Keys(keys(purls, vuln_ids)?),
        RunScope::Digests { digests } => {
            refuse_wrong_digests(digests)?;
            ImpactScope::Digests(digests.clone())
        }
    })
}

/// Keys in the words of the ledger: 1 to 10,000, each of which must be readable.
pub(crate) fn keys(purls: &[String], vuln_ids: &[String]) -> Result<ImpactKeys, Error> {
    let count = purls.len() + vuln_ids.len();
    if count == 0 || count > MAX_KEYS {
        let why = format!("{count} keys were given; name 1 to {MAX_KEYS} package URLs and vulnerability ids");
        return Err(Error::invalid("purls", why));
    }
    let mut problems = Vec::new();
    let mut keys = ImpactKeys::default();
    for (at, text) in purls.iter().enumerate() {
        match package_key(text) {
            Ok(key) => keys.packages.push(key),
            Err(why) => problems.push(problem(format!("purls[{at}]"), why)),
        }
    }
    for (at, text) in vuln_ids.iter().enumerate() {
        match vulnerability_key(text) {
            Ok(key) => keys.vuln_ids.push(key),
            Err(why) => problems.push(problem(format!("vulnIds[{at}]"), why)),
        }
    }
    if problems.is_empty() {
        return Ok(keys);
    }
    let first = &problems[0];
    let sentence = match problems.len() {
        1 => format!("`{}`: {}", first.field, first.message),
        several => {
            format!("{several} keys cannot be read, the first is `{}`: {}", first.field, first.message)
        }
    };
    problems.truncate(MAX_PROBLEMS);
    Err(Error::new(Code::KeyInvalid, sentence).with_fields(problems))
}

fn problem(field: String, message: String) -> FieldProblem {
    FieldProblem { field, code: Code::KeyInvalid.as_str().to_owned(), message }
}

/// A package URL as advisories call its package.
fn package_key(text: &str) -> Result<PackageKey, String> {
    let purl: Purl = text.parse().map_err(|error: stella_evaluator::purl::PurlError| error.to_string())?;
    let package = purl.osv();
    if package.name.contains('\0') || package.version.as_deref().is_some_and(|version| version.contains('\0'))
    {
        return Err("a package has no zero byte in its name or version".to_owned());
    }
    let key = stella_evaluator::PackageKey::new(&package.ecosystem, &package.name);
    Ok(PackageKey { ecosystem: key.ecosystem, name: key.name, version: package.version })
}

/// A vulnerability id in upper case, as the ledger keeps them.
fn vulnerability_key(text: &str) -> Result<String, String> {
    let shown: String = text.chars().take(80).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/' | '+');
    let has_shape = text.contains('-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 128
        && text.chars().all(is_word);
    let upper = text.to_ascii_uppercase();
    if !has_shape || (upper.starts_with("CVE-") && !is_cve(&upper)) {
        return Err(format!(
            "`{shown}` is not a vulnerability id; write CVE-2021-44228, GHSA-jfh8-c2jp-5v3q or a record's id"
        ));
    }
    Ok(upper)
}

/// Whether an upper-case text is `CVE-<year>-<number>`.
pub(crate) fn is_cve(upper: &str) -> bool {
    let mut parts = upper.splitn(3, '-');
    if parts.next() != Some("CVE") {
        return false;
    }
    let digits = |part: Option<&str>, least: usize| {
        part.is_some_and(|part| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(parts.next(), 4) && digits(parts.next(), 4)
}

/// No stored text holds a control character, and not every database can be asked for one.
pub(crate) fn refuse_controls<'t>(
    field: &str,
    texts: impl IntoIterator<Item = &'t String>,
) -> Result<(), Error> {
    if texts.into_iter().any(|text| text.contains(char::is_control)) {
        return Err(Error::invalid(field, "use no control characters"));
    }
    Ok(())
}

fn refuse_wrong_digests(digests: &[String]) -> Result<(), Error> {
    match digests.iter().position(|digest| !stella_bundle::digest::is_digest(digest)) {
        None => Ok(()),
        Some(at) => {
            let field = format!("scope.digests[{at}]");
            Err(Error::invalid(&field, "write a digest as sha256: and 64 lower-case hex digits"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn keys_are_brought_to_the_spelling_of_the_index() {
        let found = keys(
            &texts(&[
                "pkg:pypi/Django_X",
                "pkg:golang/github.com/A/b@v1.2.3",
                "pkg:deb/debian/curl@1?distro=bookworm",
            ]),
            &texts(&["cve-2021-44228", "GHSA-jfh8-c2jp-5v3q"]),
        )
        .unwrap();
        let packages: Vec<(&str, &str, Option<&str>)> = found
            .packages
            .iter()
            .map(|key| (key.ecosystem.as_str(), key.name.as_str(), key.version.as_deref()))
            .collect();
        assert_eq!(
            packages,
            [
                ("PyPI", "django-x", None),
                ("Go", "github.com/a/b", Some("v1.2.3")),
                ("Debian", "curl", Some("1"))
            ]
        );
        assert_eq!(found.vuln_ids, ["CVE-2021-44228", "GHSA-JFH8-C2JP-5V3Q"]);
    }

    #[test]
    fn every_malformed_key_is_named_with_its_place() {
        let error = keys(&texts(&["pkg:pypi/a", "pypi/b"]), &texts(&["CVE-21-1", "x y", "CVE-2021-1234"]))
            .unwrap_err();
        assert_eq!(error.code, Code::KeyInvalid);
        let fields: Vec<&str> = error.fields.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["purls[1]", "vulnIds[0]", "vulnIds[1]"]);
        assert!(error.public.contains("purls[1]"), "{error}");
    }

    #[test]
    fn no_key_and_too_many_keys_are_refused() {
        assert_eq!(keys(&[], &[]).unwrap_err().code, Code::Invalid);
        let many = vec!["pkg:pypi/a".to_owned(); MAX_KEYS + 1];
        assert_eq!(keys(&many, &[]).unwrap_err().code, Code::Invalid);
        assert_eq!(keys(&many[1..], &[]).unwrap().packages.len(), MAX_KEYS);
    }

    #[test]
    fn what_no_database_can_be_asked_for_is_refused() {
        let error = keys(&texts(&["pkg:pypi/a%00b"]), &[]).unwrap_err();
        assert_eq!(error.code, Code::KeyInvalid);
        let scope = RunScope::Selector {
            namespaces: texts(&["a\0b"]),
            repositories: Vec::new(),
            labels: std::collections::BTreeMap::new(),
        };
        assert_eq!(restriction(&scope).unwrap_err().fields[0].field, "scope.namespaces");
    }

    #[test]
    fn a_scope_names_its_wrong_digest() {
        let good = stella_bundle::digest::of_bytes(b"a");
        let scope = RunScope::Digests { digests: vec![good, "sha256:xyz".to_owned()] };
        assert_eq!(restriction(&scope).unwrap_err().fields[0].field, "scope.digests[1]");
    }
}
