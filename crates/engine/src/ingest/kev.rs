//! Reading the list of known exploited vulnerabilities. Pure.

use super::keep::Times;
use super::window::holds;
use super::{Change, Refusal, problem};
use crate::fetch::Content;
use crate::impact::is_cve;
use std::collections::{BTreeMap, HashMap};
use stella_contract::source::RecordProblem;
use stella_contract::watermark::Window;
use stella_evaluator::{RecordCode, RecordError, parse_kev};
use stella_ledger::kev::KevEntry;

/// Problems that one report lists.
const MAX_PROBLEMS: usize = 100;

/// What a list holds.
#[derive(Debug, Default)]
pub(super) struct List {
    /// The entries by CVE, as JSON.
    pub(super) entries: BTreeMap<String, String>,
    /// The days on which entries were added, by CVE.
    pub(super) added: BTreeMap<String, String>,
    /// When it was released.
    pub(super) released: Option<String>,
    /// The first problems.
    pub(super) problems: Vec<RecordProblem>,
    /// Entries that could not be read.
    pub(super) refused: i64,
    /// Why the first of them could not.
    pub(super) first_refusal: Option<Refusal>,
}

/// Reads every file of a location; several lists make one.
pub(super) fn read(content: &Content) -> List {
    let mut list = List::default();
    for part in &content.parts {
        let catalogue = match parse_kev(&part.bytes) {
            Ok(catalogue) => catalogue,
            Err(error) => {
                list.refuse(&part.name, &error);
                continue;
            }
        };
        for error in &catalogue.errors {
            list.refuse(&part.name, error);
        }
        for entry in catalogue.entries {
            if !is_cve(&entry.cve.to_ascii_uppercase()) {
                let message = "the id is not a CVE; expected CVE-<year>-<number>".to_owned();
                let error = RecordError {
                    file: String::new(),
                    path: "vulnerabilities[].cveID".to_owned(),
                    code: RecordCode::SchemaMismatch,
                    message,
                };
                list.refuse(&part.name, &error);
                continue;
            }
            list.added.insert(entry.cve.to_ascii_uppercase(), format!("{}T00:00:00Z", entry.date_added));
            // Serialising a plain struct of texts has no way to fail.
            if let Ok(body) = serde_json::to_string(&entry) {
                list.entries.insert(entry.cve.to_ascii_uppercase(), body);
            }
        }
        let released = Some(catalogue.date_released).filter(|released| !released.is_empty());
        list.released = list.released.max(released);
    }
    list
}

impl List {
    fn refuse(&mut self, file: &str, error: &RecordError) {
        if error.code != RecordCode::Empty {
            self.refused += 1;
            self.first_refusal.get_or_insert_with(|| Refusal::of(file, error));
        }
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem(file, error));
        }
    }

    /// The event times: from the first day on which an entry was added to the release of the list.
    pub(super) fn times(&self) -> Times {
        let days = self.added.values().map(String::as_str);
        Times::of(days.chain(self.released.as_deref()).map(|at| (at, None)))
    }

    /// The entries that were added within the window.
    pub(super) fn within(&self, window: Window) -> Vec<KevEntry> {
        let is_within = |cve: &str| self.added.get(cve).is_some_and(|day| holds(window, day));
        let entries = self.entries.iter().filter(|(cve, _)| is_within(cve));
        entries.map(|(cve, body)| (cve.clone(), body.clone())).collect()
    }

    /// What this list changes against the entries of last time. An entry that could not be read does not say which it
    /// is, so nothing is taken away while there is one.
    pub(super) fn change(self, before: &HashMap<String, String>) -> (Change<KevEntry>, Vec<KevEntry>) {
        let mut change = Change::default();
        let mut entries = self.entries;
        for (cve, body) in &entries {
            match before.get(cve) {
                Some(known) if known == body => {}
                Some(_) => change.changed.push((cve.clone(), body.clone())),
                None => change.added.push((cve.clone(), body.clone())),
            }
        }
        for (cve, body) in before.iter().filter(|(cve, _)| !entries.contains_key(*cve)).collect::<Vec<_>>() {
            if self.refused > 0 {
                change.kept += 1;
                entries.insert(cve.clone(), body.clone());
            } else {
                change.removed.push(cve.clone());
            }
        }
        change.removed.sort_unstable();
        change.total = entries.len() as i64;
        (change, entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Known, Part};

    fn list(text: &str) -> List {
        let part = Part { name: "kev.json".to_owned(), bytes: text.as_bytes().to_vec() };
        read(&Content { parts: vec![part], bytes: 0, known: Known::default() })
    }

    fn catalogue(entries: &str) -> String {
        format!(
            r#"{{"catalogVersion":"2026.01.01","dateReleased":"2026-01-01T00:00:00Z","vulnerabilities":[{entries}]}}"#
        )
    }

    const ONE: &str = r#"{"cveID":"CVE-2021-0001","dateAdded":"2021-01-01"}"#;
    const TWO: &str = r#"{"cveID":"CVE-2021-0002","dateAdded":"2021-01-02"}"#;

    #[test]
    fn what_came_and_went_is_told_apart() {
        let before: HashMap<String, String> = list(&catalogue(ONE)).entries.into_iter().collect();
        let two = list(&catalogue(TWO));
        assert_eq!(two.released.as_deref(), Some("2026-01-01T00:00:00Z"));
        let (change, entries) = two.change(&before);
        assert_eq!(
            (change.added.len(), change.changed.len(), change.removed),
            (1, 0, vec!["CVE-2021-0001".to_owned()])
        );
        assert_eq!((entries.len(), change.total), (1, 1));
    }

    #[test]
    fn an_entry_that_cannot_be_read_takes_nothing_away() {
        let before: HashMap<String, String> = list(&catalogue(ONE)).entries.into_iter().collect();
        let broken = list(&catalogue(&format!(r#"{TWO},{{"cveID":7}}"#)));
        assert_eq!((broken.refused, broken.problems[0].path.as_str()), (1, "vulnerabilities[1]"));
        let (change, entries) = broken.change(&before);
        assert_eq!((change.removed.len(), change.kept, entries.len()), (0, 1, 2));
    }

    #[test]
    fn a_list_of_another_shape_is_refused_and_an_empty_one_is_empty() {
        let wrong = list(r#"{"hello":1}"#);
        assert_eq!((wrong.entries.len(), wrong.refused), (0, 1));
        let empty = list(&catalogue(""));
        assert_eq!((empty.entries.len(), empty.refused, empty.problems[0].code.as_str()), (0, 0, "empty"));
    }
}
