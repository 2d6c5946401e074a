//! A run as it is being written down: what was typed, and what it comes to.

use std::collections::BTreeMap;
use stella_contract::ids::{PolicySnapshotId, PreviewId};
use stella_contract::job::Cause;
use stella_contract::preview::PreviewRequest;
use stella_contract::run::{RunMode, RunScope, StartRun};

/// The kinds of scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::pages) enum Reach {
    /// Every target.
    #[default]
    All,
    /// By namespace, repository and label.
    Selector,
    /// By package or vulnerability.
    Keys,
    /// By image digest.
    Digests,
}

impl Reach {
    /// All of them, in order.
    pub(super) const ALL: [Self; 4] = [Self::All, Self::Selector, Self::Keys, Self::Digests];

    /// Its word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Selector => "selector",
            Self::Keys => "keys",
            Self::Digests => "digests",
        }
    }
    /// The kind of a word.
    pub(super) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|reach| reach.as_str() == word).unwrap_or_default()
    }
}

/// What was typed.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pages) struct Draft {
    /// What to do.
    pub mode: RunMode,
    /// The kind of scope.
    pub reach: Reach,
    /// Namespaces, by comma or line.
    pub namespaces: String,
    /// Repositories, by comma or line.
    pub repositories: String,
    /// `key=value`, by comma or line.
    pub labels: String,
    /// Package URLs and vulnerability ids, one a line.
    pub keys: String,
    /// Image digests, one a line.
    pub digests: String,
    /// Targets with exploited vulnerabilities first.
    pub kev_first: bool,
    /// The policy snapshot that judges; the active one when none is chosen.
    pub policy: Option<PolicySnapshotId>,
    /// Plan on an old index too.
    pub allow_stale: bool,
    /// Why.
    pub reason: String,
    /// Under which ticket.
    pub ticket: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            mode: RunMode::AnalysisOnly,
            reach: Reach::All,
            namespaces: String::new(),
            repositories: String::new(),
            labels: String::new(),
            keys: String::new(),
            digests: String::new(),
            kev_first: false,
            policy: None,
            allow_stale: false,
            reason: String::new(),
            ticket: String::new(),
        }
    }
}

/// The entries of a text, by comma, blank or line.
fn entries(text: &str) -> Vec<String> {
    text.split([',', '\n', ' ', '\t'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Draft {
    /// What would have been typed for this scope.
    pub(in crate::pages) fn of(mode: RunMode, scope: &RunScope, kev_first: bool) -> Self {
        let start = Self { mode, kev_first, ..Self::default() };
        match scope {
            RunScope::All => start,
            RunScope::Selector { namespaces, repositories, labels } => Self {
                reach: Reach::Selector,
                namespaces: namespaces.join(", "),
                repositories: repositories.join(", "),
                labels: labels
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                ..start
            },
            RunScope::Keys { purls, vuln_ids } => {
                Self { reach: Reach::Keys, keys: [purls.as_slice(), vuln_ids].concat().join("\n"), ..start }
            }
            RunScope::Digests { digests } => {
                Self { reach: Reach::Digests, digests: digests.join("\n"), ..start }
            }
        }
    }

    /// The package URLs and the vulnerability ids among the keys; what begins with `pkg:` is a package.
    fn parted_keys(&self) -> (Vec<String>, Vec<String>) {
        entries(&self.keys).into_iter().partition(|key| key.starts_with("pkg:"))
    }

    /// The scope, or what is missing in it.
    pub(in crate::pages) fn scope(&self) -> Result<RunScope, String> {
        match self.reach {
            Reach::All => Ok(RunScope::All),
            Reach::Selector => {
                let (namespaces, repositories) = (entries(&self.namespaces), entries(&self.repositories));
                let labels = labels(&self.labels)?;
                if namespaces.is_empty() && repositories.is_empty() && labels.is_empty() {
                    return Err("Name a namespace, a repository or a label".to_owned());
                }
                Ok(RunScope::Selector { namespaces, repositories, labels })
            }
            Reach::Keys => {
                let (purls, vuln_ids) = self.parted_keys();
                match purls.len() + vuln_ids.len() {
                    0 => Err("Name a package URL or a vulnerability".to_owned()),
                    _ => Ok(RunScope::Keys { purls, vuln_ids }),
                }
            }
            Reach::Digests => {
                let digests = entries(&self.digests);
                match digests.iter().find(|digest| !is_digest(digest)) {
                    Some(wrong) => Err(format!("`{wrong}` is not sha256: and 64 hex digits")),
                    None if digests.is_empty() => Err("Name an image digest".to_owned()),
                    None => Ok(RunScope::Digests { digests }),
                }
            }
        }
    }

    /// What to ask a preview.
    pub(super) fn request(&self) -> Result<PreviewRequest, String> {
        let mode = Some(self.mode);
        Ok(match self.scope()? {
            RunScope::Keys { purls, vuln_ids } => PreviewRequest { purls, vuln_ids, scope: None, mode },
            scope => PreviewRequest { scope: Some(scope), mode, ..PreviewRequest::default() },
        })
    }

    /// The run that is wished for.
    pub(super) fn wish(&self, preview_id: Option<PreviewId>) -> Result<StartRun, String> {
        Ok(StartRun {
            mode: self.mode,
            scope: self.scope()?,
            kev_first: self.kev_first,
            priority: None,
            preview_id,
            allow_stale: self.allow_stale,
            policy_snapshot_id: self.policy.clone(),
            segment_size: None,
        })
    }

    /// Why, as the engine takes it.
    pub(super) fn cause(&self) -> Cause {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Cause { reason: some(&self.reason), ticket: some(&self.ticket) }
    }

    /// Why it cannot be started yet.
    pub(super) fn blocked(&self) -> Option<String> {
        self.scope().err().or_else(|| self.reason.trim().is_empty().then(|| "Needs a reason".to_owned()))
    }

    /// The options of a command that name the scope.
    pub(in crate::pages) fn scope_words(&self) -> Vec<String> {
        let each = |option: &str, values: Vec<String>| {
            values.into_iter().flat_map(|value| [option.to_owned(), value]).collect::<Vec<_>>()
        };
        match self.reach {
            Reach::All => Vec::new(),
            Reach::Selector => [
                each("--namespace", entries(&self.namespaces)),
                each("--repository", entries(&self.repositories)),
                each("--label", entries(&self.labels)),
            ]
            .concat(),
            Reach::Keys => {
                let (purls, vulns) = self.parted_keys();
                [each("--purl", purls), each("--vuln", vulns)].concat()
            }
            Reach::Digests => each("--digest", entries(&self.digests)),
        }
    }

    /// The command that previews the same.
    pub(super) fn preview_command(&self) -> Vec<String> {
        let start = ["runs", "preview", "--mode", self.mode.as_str()].map(str::to_owned).to_vec();
        [start, self.scope_words()].concat()
    }

    /// The command that starts the same.
    pub(super) fn command(&self, preview_id: Option<&PreviewId>) -> Vec<String> {
        let mut words = ["runs", "submit", "--mode", self.mode.as_str()].map(str::to_owned).to_vec();
        words.extend(self.scope_words());
        words.extend(self.kev_first.then(|| "--kev-first".to_owned()));
        words.extend(self.allow_stale.then(|| "--allow-stale".to_owned()));
        let cause = self.cause();
        let options = [
            ("--policy", self.policy.as_ref().map(|id| id.short().to_owned())),
            ("--preview", preview_id.map(|id| id.to_string())),
            ("--reason", cause.reason),
            ("--ticket", cause.ticket),
        ];
        words.extend(
            options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?])).flatten(),
        );
        words
    }
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    entries(text)
        .into_iter()
        .map(|entry| match entry.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(format!("`{entry}` is not key=value")),
        })
        .collect()
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_the_command_says_the_same() {
        let draft = Draft {
            reach: Reach::Keys,
            keys: "pkg:npm/undici\nCVE-2026-1, GHSA-x".into(),
            kev_first: true,
            reason: " new advisory ".into(),
            ..Draft::default()
        };
        let RunScope::Keys { purls, vuln_ids } = draft.scope().unwrap() else { panic!("keys") };
        assert_eq!((purls.len(), vuln_ids.len()), (1, 2));
        assert_eq!(draft.request().unwrap().scope, None);
        assert_eq!(draft.blocked(), None);
        assert_eq!(
            draft.command(None).join(" "),
            "runs submit --mode analysis-only --purl pkg:npm/undici --vuln CVE-2026-1 --vuln GHSA-x --kev-first --reason new advisory"
        );
        assert_eq!(draft.preview_command().len(), 4 + 6);
    }

    #[test]
    fn an_empty_or_wrong_scope_says_what_is_missing() {
        let said = |draft: Draft| draft.blocked().unwrap();
        assert_eq!(said(Draft::default()), "Needs a reason");
        assert_eq!(
            said(Draft { reach: Reach::Selector, ..Draft::default() }),
            "Name a namespace, a repository or a label"
        );
        assert_eq!(
            said(Draft { reach: Reach::Selector, labels: "prod".into(), ..Draft::default() }),
            "`prod` is not key=value"
        );
        assert_eq!(
            said(Draft { reach: Reach::Digests, digests: "sha256:12".into(), ..Draft::default() }),
            "`sha256:12` is not sha256: and 64 hex digits"
        );
        assert_eq!(
            said(Draft { reach: Reach::Keys, ..Draft::default() }),
            "Name a package URL or a vulnerability"
        );
    }

    #[test]
    fn a_scope_that_is_kept_reads_as_it_was_typed() {
        for draft in [
            Draft {
                reach: Reach::Selector,
                labels: "team=a".into(),
                namespaces: "prod".into(),
                ..Draft::default()
            },
            Draft { reach: Reach::Keys, keys: "pkg:npm/undici\nCVE-2026-1".into(), ..Draft::default() },
        ] {
            let scope = draft.scope().unwrap();
            assert_eq!(Draft::of(draft.mode, &scope, false), draft);
        }
    }

    #[test]
    fn a_scope_is_previewed_as_a_scope() {
        let draft = Draft {
            reach: Reach::Selector,
            namespaces: "prod, stage".into(),
            labels: "team=a".into(),
            ..Draft::default()
        };
        let request = draft.request().unwrap();
        assert!(request.purls.is_empty() && request.scope.is_some());
        assert_eq!(Reach::of(draft.reach.as_str()), Reach::Selector);
    }
}
