//! Reading advisory feeds: records out of bytes, and what that changes against the records of last time. Pure.

use super::keep::Times;
use super::window::holds;
use super::{Change, Refusal, problem};
use crate::fetch::Content;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use stella_bundle::digest;
use stella_contract::source::{IngestReport, RecordProblem};
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_evaluator::{Advisory, PackageKey, RecordCode, parse_osv};
use stella_ledger::advisories::NewAdvisory;

/// Problems that one report lists.
const MAX_PROBLEMS: usize = 100;
/// The longest record id, package or alias that is indexed.
const MAX_NAME: usize = 500;

/// What a feed holds.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The good records, one per id.
    pub(super) records: HashMap<String, NewAdvisory>,
    /// The newest `modified` time among them, as the feed has it.
    pub(super) watermark: Option<String>,
    /// Which records of last time may have been among those that could not be read.
    pub(super) hidden: Hidden,
    /// The first problems.
    pub(super) problems: Vec<RecordProblem>,
    /// Records that could not be read.
    pub(super) refused: i64,
    /// Notices about records that could.
    pub(super) notices: i64,
    /// Why the first of what could not be read could not.
    pub(super) first_refusal: Option<Refusal>,
}

/// Records that may be there although they were not read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// These ids: an archive's entry is called after its record.
    ids: HashSet<String>,
    /// Any record: a line or a whole file could not be read.
    any: bool,
}

impl Hidden {
    fn holds(&self, id: &str) -> bool {
        self.any || self.ids.contains(id)
    }
}

/// Reads everything a location holds; what is bad is noted and what is good is kept.
pub(super) fn read(content: Content) -> Feed {
    let mut feed = Feed::default();
    let single = content.parts.len() == 1;
    for part in content.parts {
        let parsed = parse_osv(&part.bytes);
        let refused: HashSet<usize> = parsed.refused.iter().copied().collect();
        for (at, error) in parsed.errors.into_iter().enumerate() {
            // A source that is one empty file is empty; an empty file among others is only that file.
            let is_empty = error.code == RecordCode::Empty && error.file.is_empty();
            if refused.contains(&at) || (is_empty && !single) {
                feed.hide(&error.file);
                feed.refused += 1;
                feed.first_refusal.get_or_insert_with(|| Refusal::of(&part.name, &error));
            } else if !is_empty {
                feed.notices += 1;
            }
            feed.note(problem(&part.name, &error));
        }
        for advisory in parsed.records {
            feed.take(&part.name, advisory);
        }
    }
    feed
}

impl Feed {
    fn note(&mut self, problem: RecordProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn hide(&mut self, file: &str) {
        match Path::new(file).extension() {
            Some(ending) if ending.eq_ignore_ascii_case("json") => {
                let stem = Path::new(file).file_stem().unwrap_or_default();
                self.hidden.ids.insert(stem.to_string_lossy().into_owned());
            }
            Some(_) | None => self.hidden.any = true,
        }
    }

    fn take(&mut self, file: &str, advisory: Advisory) {
        if advisory.id.len() > MAX_NAME || advisory.id.contains('\0') {
            self.refused += 1;
            self.hidden.any = true;
            let message = format!(
                "the record's id has more than {MAX_NAME} characters or one that is none; mend the feed"
            );
            return self.note(record_problem(file, "id", RecordCode::SchemaMismatch, message));
        }
        if is_newer(Some(&advisory.modified), self.watermark.as_deref()) {
            self.watermark = Some(advisory.modified.clone());
        }
        let Some(kept) = self.records.get(&advisory.id) else {
            self.records.insert(advisory.id.clone(), stored(advisory));
            return;
        };
        self.notices += 1;
        let message = format!("record {} is in several files; the one modified last is kept", advisory.id);
        let newer = is_newer(Some(&advisory.modified), Some(&kept.modified));
        self.note(record_problem(file, "id", RecordCode::DuplicateId, message));
        if newer {
            self.records.insert(advisory.id.clone(), stored(advisory));
        }
    }

    /// The event times of the records: when each changed last.
    pub(super) fn times(&self) -> Times {
        Times::of(
            self.records.values().map(|record| (record.modified.as_str(), Some(record.digest.as_str()))),
        )
    }

    /// Leaves out what did not change last within the window.
    pub(super) fn keep_only(&mut self, window: Window) {
        self.records.retain(|_, record| holds(window, &record.modified));
    }

    /// What this feed changes against the digests of last time.
    pub(super) fn change(
        self,
        before: &HashMap<String, String>,
    ) -> (Change<NewAdvisory>, Vec<RecordProblem>) {
        let mut change = Change::default();
        for id in before.keys().filter(|id| !self.records.contains_key(*id)) {
            if self.hidden.holds(id) {
                change.kept += 1;
            } else {
                change.removed.push(id.clone());
            }
        }
        change.total = self.records.len() as i64 + change.kept;
        for (id, record) in self.records {
            match before.get(&id) {
                Some(digest) if *digest == record.digest => {}
                Some(_) => change.changed.push(record),
                None => change.added.push(record),
            }
        }
        change.removed.sort_unstable();
        change.added.sort_unstable_by(|one, two| one.record_id.cmp(&two.record_id));
        change.changed.sort_unstable_by(|one, two| one.record_id.cmp(&two.record_id));
        (change, self.problems)
    }

    /// The part of the report that does not depend on what was there before.
    pub(super) fn report(&self) -> IngestReport {
        let mut warnings = Vec::new();
        if self.notices > 0 {
            warnings.push(format!(
                "{} notices about records that were kept are among the problems.",
                self.notices
            ));
        }
        IngestReport {
            records: self.records.len() as i64,
            refused: self.refused,
            warnings,
            ..IngestReport::default()
        }
    }
}

fn record_problem(file: &str, path: &str, code: RecordCode, message: String) -> RecordProblem {
    RecordProblem { file: file.to_owned(), path: path.to_owned(), code: code.as_str().to_owned(), message }
}

/// Whether a time is later than another, as times, not as texts.
pub(super) fn is_newer(one: Option<&str>, two: Option<&str>) -> bool {
    one.and_then(Micros::parse) > two.and_then(Micros::parse)
}

/// A record as the ledger keeps it, with the names under which the impact index finds it.
fn stored(advisory: Advisory) -> NewAdvisory {
    let fits = |text: &str| !text.is_empty() && text.len() <= MAX_NAME && !text.contains('\0');
    let mut ids = BTreeSet::new();
    for id in std::iter::once(&advisory.id).chain(&advisory.aliases).chain(&advisory.upstream) {
        let upper = id.to_ascii_uppercase();
        // `DEBIAN-CVE-2021-44228` is about that CVE whether or not it says so.
        ids.extend(upper.find("-CVE-").map(|at| upper[at + 1..].to_owned()));
        ids.insert(upper);
    }
    let mut packages = BTreeSet::new();
    // A withdrawn record is not matched, so it touches no target.
    for affected in advisory.affected.iter().filter(|_| advisory.withdrawn.is_none()) {
        let key = PackageKey::new(&affected.ecosystem, &affected.name);
        if fits(&key.ecosystem) && fits(&key.name) {
            packages.insert((key.ecosystem, key.name));
        }
    }
    NewAdvisory {
        digest: digest::hex_of_bytes(advisory.raw.as_bytes()),
        record_id: advisory.id,
        modified: advisory.modified.chars().filter(|c| !c.is_control()).take(64).collect(),
        body: advisory.raw,
        ids: ids.into_iter().filter(|id| fits(id)).collect(),
        packages: packages.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Known, Part};

    fn record(id: &str, modified: &str) -> String {
        format!(
            r#"{{"id":"{id}","modified":"{modified}","aliases":["CVE-2021-{id}"],"affected":[{{"package":{{"ecosystem":"PyPI","name":"Quill_Pen"}},"versions":["1.0"]}}]}}"#
        )
    }

    fn feed(files: &[(&str, String)]) -> Feed {
        let part = |(name, text): &(&str, String)| Part {
            name: (*name).to_owned(),
            bytes: text.clone().into_bytes(),
        };
        read(Content { parts: files.iter().map(part).collect(), bytes: 0, known: Known::default() })
    }

    fn digests(feed: &Feed) -> HashMap<String, String> {
        feed.records.iter().map(|(id, record)| (id.clone(), record.digest.clone())).collect()
    }

    #[test]
    fn a_record_is_found_by_all_its_names_and_packages() {
        let feed = feed(&[("a.json", record("1001", "2026-01-01T00:00:00Z"))]);
        let stored = &feed.records["1001"];
        assert_eq!(stored.ids, ["1001", "CVE-2021-1001"]);
        assert_eq!(stored.packages, [("PyPI".to_owned(), "quill-pen".to_owned())]);
        assert_eq!(feed.watermark.as_deref(), Some("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_withdrawn_record_touches_no_package_and_a_distribution_record_its_cve() {
        let text = r#"{"id":"DEBIAN-CVE-2021-5","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"x"}}]}"#;
        let feed = feed(&[("a.json", text.to_owned())]);
        let stored = &feed.records["DEBIAN-CVE-2021-5"];
        assert_eq!(stored.ids, ["CVE-2021-5", "DEBIAN-CVE-2021-5"]);
        assert_eq!(stored.packages, []);
    }

    #[test]
    fn what_came_changed_and_went_is_told_apart() {
        let lines = |texts: &[String]| vec![("f.ndjson", texts.join("\n"))];
        let old = "2026-01-01T00:00:00Z";
        let before = digests(&feed(&lines(&[record("1", old), record("2", old), record("3", old)])));
        let after = feed(&lines(&[record("2", old), record("3", "2026-02-01T00:00:00Z"), record("4", old)]));
        let (change, _) = after.change(&before);
        let ids =
            |records: &[NewAdvisory]| records.iter().map(|one| one.record_id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&change.added), ids(&change.changed)), (vec!["4".to_owned()], vec!["3".to_owned()]));
        assert_eq!((change.removed, change.total), (vec!["1".to_owned()], 3));
    }

    #[test]
    fn a_record_that_cannot_be_read_today_does_not_vanish() {
        let old = "2026-01-01T00:00:00Z";
        let before =
            digests(&feed(&[("a", record("1", old)), ("b", record("2", old)), ("c", record("3", old))]));
        let broken_line = feed(&[("f.ndjson", format!("{}\n{{\"id\":", record("1", old)))]);
        assert_eq!(broken_line.refused, 1);
        let (change, problems) = broken_line.change(&before);
        assert_eq!((change.removed.len(), change.kept, change.total), (0, 2, 3));
        assert_eq!(
            (problems[0].file.as_str(), problems[0].code.as_str()),
            ("f.ndjson, line 2", "parse_error")
        );
    }

    #[test]
    fn an_empty_file_among_others_is_a_problem_of_that_file() {
        let feed = feed(&[("a.json", record("1", "2026-01-01T00:00:00Z")), ("b.json", String::new())]);
        assert_eq!((feed.records.len(), feed.refused), (1, 1));
        assert_eq!((feed.problems[0].file.as_str(), feed.problems[0].code.as_str()), ("b.json", "empty"));
    }

    #[test]
    fn of_a_record_in_two_files_the_newer_one_is_kept() {
        let (old, new) = (record("1", "2026-01-01T00:00:00Z"), record("1", "2026-01-01T00:00:00.5Z"));
        for files in [[("a.json", old.clone()), ("b.json", new.clone())], [("a.json", new), ("b.json", old)]]
        {
            let feed = feed(&files);
            assert_eq!(feed.records["1"].modified, "2026-01-01T00:00:00.5Z");
            assert_eq!((feed.problems[0].code.as_str(), feed.refused, feed.notices), ("duplicate_id", 0, 1));
        }
    }
}
