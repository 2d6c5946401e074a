//! The filter of the jobs list, as the address has it: one text in the grammar of filters. Older addresses with a
//! parameter for each key are understood.

use crate::router::Query;
use stella_contract::filter::{FilterKey, pieces};
use stella_contract::job::JobFilter;

/// The parameters of older addresses.
const PARAMETERS: [&str; 6] = ["state", "jobType", "waitReason", "run", "source", "worker"];

/// The text of the filter an address asks for, in its canonical form where it can be read.
pub(super) fn text_of(query: &Query) -> String {
    let asked = JobFilter {
        state: query.read("state"),
        job_type: query.get("jobType").map(str::to_owned),
        wait_reason: query.read("waitReason"),
        run: query.read("run"),
        source: query.read("source"),
        worker: query.read("worker"),
        filter: query.get("filter").map(str::to_owned),
    };
    match asked.tokens() {
        Ok(filter) => filter.to_string(),
        Err(_) => asked.filter.unwrap_or_default(),
    }
}

/// What the core is asked.
pub(super) fn wanted(text: &str) -> JobFilter {
    JobFilter { filter: Some(text.to_owned()).filter(|text| !text.is_empty()), ..JobFilter::default() }
}

/// The address with another filter.
pub(super) fn asking(query: &Query, text: &str) -> Query {
    PARAMETERS.iter().fold(query.clone(), |query, name| query.without(name)).with("filter", text.trim())
}

/// The command that lists the same.
pub(super) fn command(text: &str) -> Vec<String> {
    let mut words: Vec<String> = ["orch", "jobs", "list"].map(str::to_owned).to_vec();
    if !text.is_empty() {
        words.extend(["--filter".to_owned(), text.to_owned()]);
    }
    words
}

/// Why a text cannot be read; of several wrong words the first.
pub(super) fn problem_of(text: &str) -> Option<String> {
    pieces(text).into_iter().find_map(|piece| piece.tokens.err()).map(|error| error.to_string())
}

/// What may follow in a text that is being written: words to show, and the text with each.
pub(super) fn hints(text: &str) -> Vec<(String, String)> {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let before = &text[..text.len() - last.len()];
    let Some((name, values)) = last.split_once(':') else {
        let keys = FilterKey::ALL.iter().filter(|key| key.as_str().starts_with(last));
        return keys.map(|key| (format!("{key}:"), format!("{before}{key}:"))).collect();
    };
    let Ok(key) = name.parse::<FilterKey>() else { return Vec::new() };
    let value = values.rsplit(',').next().unwrap_or_default();
    let stem = &values[..values.len() - value.len()];
    let fits = |word: &&str| word.starts_with(value) && !stem.split(',').any(|other| other == *word);
    let words = key.choices().into_iter().filter(fits);
    words.map(|word| (word.to_owned(), format!("{before}{key}:{stem}{word}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_address_is_a_filter_too() {
        let query = Query::parse("?state=failed&jobType=scan.segment&view=x");
        assert_eq!(text_of(&query), "state:failed type:scan.segment");
        assert_eq!(asking(&query, "state:queued").to_string(), "?filter=state:queued&view=x");
        assert_eq!(asking(&query, " ").to_string(), "?view=x");
    }

    #[test]
    fn what_cannot_be_read_stays_as_it_was_written() {
        let query = Query::default().with("filter", "state:asleep");
        assert_eq!(text_of(&query), "state:asleep");
        assert!(problem_of("state:asleep").is_some_and(|why| why.starts_with("`asleep` at 7")));
        assert_eq!(problem_of("state:failed"), None);
    }

    #[test]
    fn the_next_words_are_keys_or_their_values() {
        let labels = |text: &str| hints(text).into_iter().map(|(label, _)| label).collect::<Vec<_>>();
        assert!(labels("").contains(&"state:".to_owned()));
        assert_eq!(labels("st"), ["state:"]);
        assert_eq!(labels("type:a state:fa"), ["failed"]);
        assert!(!labels("state:failed,").contains(&"failed".to_owned()));
        let full = hints("type:a state:failed,ti");
        assert_eq!(full[0].1, "type:a state:failed,timed_out");
        assert_eq!(labels("priority:"), Vec::<String>::new());
    }
}
