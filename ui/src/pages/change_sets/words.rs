//! The words of change-sets.

use crate::kit::format::{count, counted};
use crate::router::Query;
use stella_contract::change_set::{ChangeSet, ChangeVerb, Selection};
use stella_contract::dead_letter::DeadLetterFilter;

/// The verb on a button or in a title.
pub(super) const fn verb(verb: ChangeVerb) -> &'static str {
    match verb {
        ChangeVerb::Cancel => "Cancel",
        ChangeVerb::Retry => "Retry",
        ChangeVerb::Replay | ChangeVerb::DeadLetterReplay => "Replay",
        ChangeVerb::Prioritize => "Prioritise",
        ChangeVerb::DeadLetterResolve => "Resolve",
    }
}

/// What a number of items is called.
pub(super) fn items(verb: ChangeVerb, number: i64) -> String {
    if verb.is_about_jobs() { counted(number, "job", "jobs") } else { counted(number, "entry", "entries") }
}

/// The title of a change-set: "Cancel 43 jobs".
pub(super) fn title(set: &ChangeSet) -> String {
    format!("{} {}", verb(set.verb), items(set.verb, set.dry_run.eligible))
}

/// A filter of entries as the address of the queue has it.
pub(super) fn query(filter: &DeadLetterFilter) -> Query {
    let value = serde_json::to_value(filter).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// What it was made of, in words, and the list that shows the same now.
pub(super) fn selection(set: &ChangeSet) -> (String, Option<Query>) {
    match &set.selection {
        Selection::DeadLetters { matching, excluding } => {
            let pairs = query(matching);
            let said: Vec<String> = pairs.pairs().map(|(name, value)| format!("{name}:{value}")).collect();
            let what = if said.is_empty() { "all entries".to_owned() } else { said.join(" ") };
            let said = match excluding.len() {
                0 => what,
                some => format!("{what}, without {}", count(some as i64)),
            };
            (said, Some(pairs))
        }
        Selection::Ids { .. } => (format!("{} named", count(set.dry_run.selected)), None),
        Selection::Filter { filter, excluding } => {
            let what = if filter.is_empty() { "all jobs".to_owned() } else { filter.clone() };
            let said = match excluding.len() {
                0 => what,
                some => format!("{what}, without {}", count(some as i64)),
            };
            (said, set.verb.is_about_jobs().then(|| Query::default().with("filter", filter.clone())))
        }
    }
}
