//! Our intervals against OSV's own rule, written down as its schema has it.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{matched, record};

/// An event at a version that is a plain number.
type Event = (&'static str, u8);

/// OSV's evaluation: limits first, then every event up to the version, in the order of versions.
fn is_affected(version: u8, events: &[Event]) -> bool {
    let mut limits = events.iter().filter(|(word, _)| *word == "limit").peekable();
    if limits.peek().is_some() && !limits.any(|(_, at)| version < *at) {
        return false;
    }
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|(_, at)| *at);
    let mut affected = false;
    for (word, at) in sorted {
        match word {
            "introduced" if version >= at => affected = true,
            "fixed" if version >= at => affected = false,
            "last_affected" if version > at => affected = false,
            _ => {}
        }
    }
    affected
}

/// Events at versions that differ, in any order.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let word = prop::sample::select(vec!["introduced", "introduced", "fixed", "last_affected", "limit"]);
    prop::collection::btree_map(0..12_u8, word, 0..7)
        .prop_map(|events| events.into_iter().map(|(at, word)| (word, at)).collect::<Vec<Event>>())
        .prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ranges_cover_what_osvs_rule_covers(events in any_events()) {
        for (ecosystem, ty, kind) in [("npm", "npm", "SEMVER"), ("Maven", "maven/g", "ECOSYSTEM"), ("Debian", "deb/debian", "ECOSYSTEM")] {
            let name = if ty == "maven/g" { "g:x" } else { "x" };
            let wire: Vec<Value> = events.iter().map(|(word, at)| json!({*word: format!("{at}.0.0")})).collect();
            let mut record = record("A", ecosystem, name, kind, json!(wire));
            // A range without `introduced` affects nothing, and the reader says so; keep the record quiet.
            record["affected"][0]["ranges"][0]["events"].as_array_mut().expect("events are a list").push(json!({"introduced": "99.0.0"}));
            for version in 0..13_u8 {
                let found = !matched(std::slice::from_ref(&record), &format!("pkg:{ty}/x@{version}.0.0")).is_empty();
                prop_assert_eq!(found, is_affected(version, &events), "{} at {} with {:?}", ecosystem, version, events);
            }
        }
    }
}
