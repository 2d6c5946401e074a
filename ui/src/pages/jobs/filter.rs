//! The filter of the jobs list, as the address has it.

use crate::pages::filter_bar::{FilterField, wanted};
use crate::router::Query;
use stella_contract::job::{JobFilter, JobState, WaitReason};

/// The filter an address asks for.
pub(super) fn filter_of(query: &Query) -> JobFilter {
    JobFilter {
        state: wanted(query, "state"),
        job_type: query.get("jobType").map(str::to_owned),
        wait_reason: wanted(query, "waitReason"),
        run: wanted(query, "run"),
        source: wanted(query, "source"),
        worker: wanted(query, "worker"),
        filter: query.get("filter").map(str::to_owned),
    }
}

/// What the list can be filtered by, beside the state, which has its tabs.
pub(super) fn fields() -> Vec<FilterField> {
    vec![
        FilterField::text("jobType", "type"),
        FilterField::choice("waitReason", "wait reason", WaitReason::ALL.iter().map(|word| word.as_str())),
        FilterField::text("run", "run"),
        FilterField::text("source", "source"),
        FilterField::text("worker", "worker"),
    ]
}

/// The command that lists the same.
pub(super) fn command(query: &Query) -> Vec<String> {
    let mut words: Vec<String> = ["orch", "jobs", "list"].map(str::to_owned).to_vec();
    let options = [
        ("state", "--state"),
        ("jobType", "--job-type"),
        ("waitReason", "--wait-reason"),
        ("run", "--run"),
        ("source", "--source"),
        ("worker", "--worker"),
    ];
    for (name, option) in options {
        if let Some(value) = query.get(name) {
            words.extend([option.to_owned(), value.to_owned()]);
        }
    }
    words
}

/// The tabs: every state by its own word.
pub(super) fn tab_of(query: &Query) -> &'static str {
    query.read::<JobState>("state").map_or("all", JobState::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_filter_and_a_command() {
        let query = Query::parse("?state=timed_out&jobType=scan.segment&waitReason=nonsense");
        let filter = filter_of(&query);
        assert_eq!(filter.state, Some(JobState::TimedOut));
        assert_eq!(filter.job_type.as_deref(), Some("scan.segment"));
        assert_eq!(filter.wait_reason, None, "a word that is none filters nothing");
        assert_eq!(tab_of(&query), "timed_out");
        assert_eq!(
            command(&query.without("waitReason")).join(" "),
            "orch jobs list --state timed_out --job-type scan.segment"
        );
    }
}
