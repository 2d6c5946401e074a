//! The filter of the queue, as the address has it, and the command that lists the same.

use crate::pages::filter_bar::{FilterField, wanted};
use crate::router::Query;
use stella_contract::dead_letter::{DeadLetterFilter, DeadLetterState};
use stella_contract::filter_value::AgeRange;
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

/// Names in the address and the options of the command line that mean the same.
const NAMES: &[(&str, &str)] = &[
    ("state", "--state"),
    ("category", "--category"),
    ("fingerprint", "--fingerprint"),
    ("jobType", "--type"),
    ("source", "--source"),
    ("run", "--run"),
    ("host", "--host"),
    ("errorCode", "--error-code"),
    ("retryable", "--retryable"),
    ("acknowledged", "--acknowledged"),
    ("owner", "--owner"),
    ("q", "--q"),
];

/// The filter an address asks for at this time.
pub(super) fn filter_of(query: &Query, now: Micros) -> DeadLetterFilter {
    let text = |name: &str| query.get(name).map(str::to_owned);
    let age = query.get("age").and_then(AgeRange::read).map(|age| age.before(now));
    DeadLetterFilter {
        state: wanted(query, "state"),
        category: wanted(query, "category"),
        fingerprint: text("fingerprint"),
        job_type: text("jobType"),
        source: wanted(query, "source"),
        run: wanted(query, "run"),
        host: text("host"),
        error_code: text("errorCode"),
        retryable: yes_or_no(query, "retryable"),
        acknowledged: yes_or_no(query, "acknowledged"),
        owner: text("owner"),
        since: age.and_then(|range| range.from),
        until: age.and_then(|range| range.until),
        q: text("q"),
    }
}

fn yes_or_no(query: &Query, name: &str) -> Option<bool> {
    match query.get(name)? {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// What the queue can be filtered by.
pub(super) fn fields() -> Vec<FilterField> {
    let words = |all: &'static [&'static str]| all.iter().copied();
    vec![
        FilterField::choice("state", "state", DeadLetterState::ALL.iter().map(|word| word.as_str())),
        FilterField::choice("category", "category", ErrorClass::ALL.iter().map(|word| word.as_str())),
        FilterField::choice("retryable", "retryable", words(&["yes", "no"])),
        FilterField::choice("age", "age", words(&["<15m", "<1h", "<24h", "<7d", ">24h", ">7d"])),
        FilterField::choice("acknowledged", "acknowledged", words(&["no", "yes"])),
        FilterField::text("fingerprint", "fingerprint"),
        FilterField::text("jobType", "type"),
        FilterField::text("source", "source"),
        FilterField::text("host", "host"),
        FilterField::text("errorCode", "code"),
        FilterField::text("owner", "owner"),
        FilterField::text("run", "run"),
        FilterField::text("q", "text"),
    ]
}

/// What of an address is its filter; the row that is current and the like are not.
pub(super) fn list_of(query: &Query) -> Query {
    NAMES
        .iter()
        .map(|(name, _)| *name)
        .chain(["age"])
        .filter_map(|name| Some((name, query.get(name)?)))
        .collect()
}

/// The options of the command line for a filter; an age is written as the time it means now.
pub(super) fn options(query: &Query, now: Micros) -> Vec<String> {
    let mut words = Vec::new();
    for (name, option) in NAMES {
        match (yes_or_no(query, name), query.get(name)) {
            (Some(on), _) if ["retryable", "acknowledged"].contains(name) => {
                words.extend([(*option).to_owned(), on.to_string()]);
            }
            (_, Some(value)) => words.extend([(*option).to_owned(), value.to_owned()]),
            (_, None) => {}
        }
    }
    let filter = filter_of(query, now);
    let whole_minute = |at: Micros| Micros(at.0.div_euclid(60_000_000) * 60_000_000).to_string();
    for (option, at) in [("--since", filter.since), ("--until", filter.until)] {
        words.extend(at.map(|at| [option.to_owned(), whole_minute(at)]).into_iter().flatten());
    }
    words
}

/// The command that lists the same.
pub(super) fn command(query: &Query, now: Micros) -> Vec<String> {
    ["orch", "deadletter", "list"].into_iter().map(str::to_owned).chain(options(query, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_filter_and_a_command() {
        let query = Query::parse("?state=open&category=upstream_throttle&retryable=yes&age=%3C1h&id=x");
        let now = Micros::parse("2026-11-21T14:30:08Z").unwrap();
        let filter = filter_of(&query, now);
        assert_eq!(filter.state, Some(DeadLetterState::Open));
        assert_eq!(filter.category, Some(ErrorClass::UpstreamThrottle));
        assert_eq!(filter.retryable, Some(true));
        assert_eq!(filter.since, Micros::parse("2026-11-21T13:30:08Z"));
        assert_eq!(filter.until, None);
        assert_eq!(
            command(&query, now).join(" "),
            "orch deadletter list --state open --category upstream_throttle --retryable true --since 2026-11-21T13:30:00.000Z"
        );
        assert!(list_of(&query).get("id").is_none());
        assert_eq!(list_of(&query).get("age"), Some("<1h"));
    }

    #[test]
    fn a_word_that_is_none_filters_nothing() {
        let filter = filter_of(&Query::parse("?state=nope&retryable=perhaps&age=old"), Micros(0));
        assert_eq!(filter, DeadLetterFilter::default());
    }
}
