//! What is demanded of a wish for a run before anything is written. Pure.

use crate::error::Error;
use crate::impact::{self, MAX_KEYS};
use stella_contract::run::{RunScope, StartRun};

/// Targets per segment when nothing is asked.
pub(crate) const SEGMENT_SIZE: u32 = 50;
/// The priority of a run's jobs when nothing is asked.
pub(crate) const PRIORITY: i32 = 50;
/// Into how many shards the planner cuts.
pub(crate) const SHARDS: i64 = 8;

/// Refuses what cannot be, with the field that is wrong.
pub(crate) fn check(wish: &StartRun) -> Result<(), Error> {
    if wish.segment_size.is_some_and(|size| !(10..=500).contains(&size)) {
        return Err(Error::invalid("segmentSize", "A segment holds 10 to 500 targets."));
    }
    if wish.priority.is_some_and(|priority| !(0..=100).contains(&priority)) {
        return Err(Error::invalid("priority", "A priority is between 0 and 100."));
    }
    check_scope(&wish.scope)
}

/// An empty list of digests would be a run about nothing that looks like one about something.
fn check_scope(scope: &RunScope) -> Result<(), Error> {
    if let RunScope::Digests { digests } = scope
        && !(1..=MAX_KEYS).contains(&digests.len())
    {
        let why = format!("{} digests were given; name 1 to {MAX_KEYS}", digests.len());
        return Err(Error::invalid("scope.digests", why));
    }
    impact::restriction(scope).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::error::Code;
    use stella_contract::run::RunMode;

    fn wish(scope: RunScope) -> StartRun {
        StartRun {
            mode: RunMode::AnalysisOnly,
            scope,
            kev_first: false,
            priority: None,
            preview_id: None,
            allow_stale: false,
            policy_snapshot_id: None,
            segment_size: None,
        }
    }

    fn keys(purls: &[&str], vuln_ids: &[&str]) -> RunScope {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        RunScope::Keys { purls: owned(purls), vuln_ids: owned(vuln_ids) }
    }

    #[test]
    fn each_wrong_field_is_named() {
        let digests =
            |list: &[&str]| RunScope::Digests { digests: list.iter().map(|one| (*one).into()).collect() };
        let cases = [
            (StartRun { segment_size: Some(9), ..wish(RunScope::All) }, Code::Invalid, "segmentSize"),
            (StartRun { priority: Some(101), ..wish(RunScope::All) }, Code::Invalid, "priority"),
            (wish(digests(&[])), Code::Invalid, "scope.digests"),
            (wish(digests(&["sha256:12"])), Code::Invalid, "scope.digests[0]"),
            (wish(keys(&[], &[])), Code::Invalid, "purls"),
            (wish(keys(&["pkg:pypi/django", "django"], &[])), Code::KeyInvalid, "purls[1]"),
            (wish(keys(&[], &["CVE-2026-0001", "a b"])), Code::KeyInvalid, "vulnIds[1]"),
        ];
        for (wish, code, field) in cases {
            let error = check(&wish).unwrap_err();
            assert_eq!((error.code, error.fields[0].field.as_str()), (code, field));
        }
    }

    #[test]
    fn what_is_sound_is_let_through() {
        assert_eq!(check(&wish(RunScope::All)), Ok(()));
        assert_eq!(check(&wish(keys(&["pkg:pypi/django@2.0"], &["GHSA-xxxx-yyyy-zzzz"]))), Ok(()));
        assert_eq!(check(&StartRun { segment_size: Some(500), ..wish(RunScope::All) }), Ok(()));
    }
}
