//! What makes two wishes for a run the same wish (spec 05 §5.3). Pure.

use stella_bundle::canonical::NotCanonical;
use stella_bundle::digest;
use stella_contract::ids::{PolicySnapshotId, RunId, Tenant};
use stella_contract::run::{RetryRun, RunMode, RunScope, RunTrigger, StartRun};
use stella_contract::time::Micros;

/// What a run's id is made from, beside the second in which it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Likeness<'a> {
    pub tenant: &'a Tenant,
    pub trigger: RunTrigger,
    /// The idempotency key of the wish, if it came with one.
    pub key: Option<&'a str>,
    pub mode: RunMode,
    pub scope_digest: &'a str,
    /// The policy snapshot of the wish, if it named one.
    pub policy_snapshot_id: Option<&'a PolicySnapshotId>,
    pub retry_number: i64,
}

/// How many ids a likeness has in one second: eight hex digits each of one digest.
pub(crate) const PLACES: usize = 8;

/// The id: the same likeness in the same second is the same run.
pub(crate) fn run_id(likeness: &Likeness<'_>, now: Micros) -> Result<RunId, NotCanonical> {
    run_id_at(likeness, now, 0)
}

/// Another id of the same likeness, for when another one already has the first.
pub(crate) fn run_id_at(likeness: &Likeness<'_>, now: Micros, place: usize) -> Result<RunId, NotCanonical> {
    // A list, so that no two different parts can run into one another.
    let parts = (
        likeness.tenant,
        likeness.trigger,
        likeness.key,
        likeness.mode,
        likeness.scope_digest,
        likeness.policy_snapshot_id,
        likeness.retry_number,
    );
    let digest = digest::of_value(&parts)?;
    let nonce = &digest[digest::PREFIX.len() + 8 * (place % PLACES)..][..8];
    Ok(RunId::from_parts(likeness.tenant, &now.basic(), nonce))
}

/// The digest of a scope, its lists sorted and without repetitions, so that order does not make another scope.
pub(crate) fn scope_digest(scope: &RunScope) -> Result<String, NotCanonical> {
    digest::of_value(&settled(scope))
}

/// The digest of all a wish says; a second wish under the same id must say the same.
pub(crate) fn request_digest(wish: &StartRun, repeat: Option<Repeat<'_>>) -> Result<String, NotCanonical> {
    let wish = StartRun { scope: settled(&wish.scope), preview_id: None, ..wish.clone() };
    match repeat {
        Some(Repeat { of, how: RetryRun { only_failed: true } }) => {
            digest::of_value(&(wish, of, "onlyFailed"))
        }
        Some(Repeat { of, how: RetryRun { only_failed: false } }) => digest::of_value(&(wish, Some(of))),
        None => digest::of_value(&(wish, None::<&RunId>)),
    }
}

/// Which run is repeated, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeat<'a> {
    pub of: &'a RunId,
    pub how: RetryRun,
}

fn settled(scope: &RunScope) -> RunScope {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words.dedup();
        words
    };
    match scope {
        RunScope::All => RunScope::All,
        RunScope::Selector { namespaces, repositories, labels } => RunScope::Selector {
            namespaces: sorted(namespaces),
            repositories: sorted(repositories),
            labels: labels.clone(),
        },
        RunScope::Keys { purls, vuln_ids } => {
            RunScope::Keys { purls: sorted(purls), vuln_ids: sorted(vuln_ids) }
        }
        RunScope::Digests { digests } => RunScope::Digests { digests: sorted(digests) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        "acme".parse().unwrap()
    }

    fn likeness<'a>(tenant: &'a Tenant, scope_digest: &'a str) -> Likeness<'a> {
        Likeness {
            tenant,
            trigger: RunTrigger::Manual,
            key: None,
            mode: RunMode::AnalysisOnly,
            scope_digest,
            policy_snapshot_id: None,
            retry_number: 0,
        }
    }

    #[test]
    fn the_same_wish_in_the_same_second_is_the_same_run_and_anything_else_is_another() {
        let tenant = tenant();
        let all = scope_digest(&RunScope::All).unwrap();
        let plain = likeness(&tenant, &all);
        let now = Micros::parse("2026-11-21T14:08:15.204Z").unwrap();
        let id = run_id(&plain, now).unwrap();
        let snapshot: PolicySnapshotId = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        assert!(id.as_str().starts_with("run:acme:20261121T140815Z:"));
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
        assert_eq!(run_id(&plain, now.plus_ms(700)).unwrap(), id);
        let others = [
            run_id(&plain, now.plus_ms(800)).unwrap(),
            run_id(&Likeness { key: Some("k"), ..plain }, now).unwrap(),
            run_id(&Likeness { retry_number: 1, ..plain }, now).unwrap(),
            run_id(&Likeness { trigger: RunTrigger::Cron, ..plain }, now).unwrap(),
            run_id(&Likeness { mode: RunMode::ContentRefresh, ..plain }, now).unwrap(),
            run_id(&Likeness { scope_digest: "sha256:0", ..plain }, now).unwrap(),
            run_id(&Likeness { policy_snapshot_id: Some(&snapshot), ..plain }, now).unwrap(),
        ];
        assert!(others.iter().all(|other| *other != id), "{others:?}");
    }

    #[test]
    fn order_and_repetition_do_not_make_another_scope() {
        let digests =
            |list: &[&str]| RunScope::Digests { digests: list.iter().map(|one| (*one).into()).collect() };
        let one = scope_digest(&digests(&["b", "a", "b"])).unwrap();
        assert_eq!(one, scope_digest(&digests(&["a", "b"])).unwrap());
        assert_ne!(one, scope_digest(&digests(&["a"])).unwrap());
    }

    #[test]
    fn a_wish_with_other_options_is_another_wish() {
        let wish = StartRun {
            mode: RunMode::AnalysisOnly,
            scope: RunScope::All,
            kev_first: false,
            priority: None,
            preview_id: None,
            allow_stale: false,
            policy_snapshot_id: None,
            segment_size: None,
        };
        let digest = request_digest(&wish, None).unwrap();
        assert_eq!(request_digest(&wish.clone(), None).unwrap(), digest);
        assert_ne!(request_digest(&StartRun { kev_first: true, ..wish }, None).unwrap(), digest);
    }
}
