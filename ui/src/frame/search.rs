//! What the palette finds: pages, actions and things by their id, ranked by how well the typed letters fit.

use crate::kit::{Shape, format};
use stella_contract::ids::{JobId, RunId};
use stella_contract::overview::Overview;
use stella_contract::route::Route;

/// What an entry does.
#[derive(Debug, Clone, PartialEq)]
pub enum Does {
    /// Goes to a page.
    Go(Route),
    /// Switches between light and dark.
    Theme,
    /// Switches between wide and tight rows.
    Density,
    /// Switches single-letter keys on or off.
    Keys,
    /// Opens the keyboard map.
    Help,
    /// Puts the address of the page on the clipboard.
    CopyAddress,
    /// Connects the feed anew.
    Reconnect,
    /// Asks for everything on the screen anew.
    Refresh,
}

/// One entry of the palette.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Under which head it stands.
    pub group: &'static str,
    /// What it is called.
    pub label: String,
    /// What stands behind it now: `11 open`.
    pub note: String,
    /// Its shape.
    pub icon: Shape,
    /// The keys that do the same.
    pub keys: &'static [&'static str],
    /// What it does.
    pub does: Does,
}

fn entry(group: &'static str, label: &str, icon: Shape, keys: &'static [&'static str], does: Does) -> Entry {
    Entry { group, label: label.to_owned(), note: String::new(), icon, keys, does }
}

/// Where `g` and a letter lead.
pub const CHORDS: &[(&str, &str, Route)] = &[
    ("o", "overview", Route::JobsQueues),
    ("j", "jobs", Route::Jobs),
    ("q", "quotas", Route::Quotas),
    ("r", "runs", Route::Runs),
    ("d", "dead-letter", Route::DeadLetter),
    ("e", "schedules", Route::Schedules),
    ("p", "policy", Route::Policy),
    ("w", "workers", Route::Workers),
    ("s", "sources", Route::Sources),
    ("t", "targets", Route::Targets),
    ("f", "findings", Route::Findings),
    (",", "settings", Route::Settings),
];

/// Everything that is always there.
pub fn entries() -> Vec<Entry> {
    const GO: &str = "Go to";
    const DO: &str = "Commands";
    vec![
        entry(GO, "Jobs & Queues", Shape::Queues, &["g", "o"], Does::Go(Route::JobsQueues)),
        entry(GO, "JobEngine", Shape::Engine, &[], Does::Go(Route::JobEngine)),
        entry(GO, "Jobs", Shape::Queues, &["g", "j"], Does::Go(Route::Jobs)),
        entry(GO, "Quotas and pressure", Shape::Gauge, &["g", "q"], Does::Go(Route::Quotas)),
        entry(GO, "Dead-Letter", Shape::DeadLetter, &["g", "d"], Does::Go(Route::DeadLetter)),
        entry(GO, "Dead-Letter queue", Shape::DeadLetter, &[], Does::Go(Route::DeadLetterQueue)),
        entry(GO, "Scheduler", Shape::Calendar, &[], Does::Go(Route::Scheduler)),
        entry(GO, "Runs", Shape::Runs, &["g", "r"], Does::Go(Route::Runs)),
        entry(GO, "Schedules", Shape::Calendar, &["g", "e"], Does::Go(Route::Schedules)),
        entry(GO, "Policy", Shape::Flag, &["g", "p"], Does::Go(Route::Policy)),
        entry(GO, "Workers", Shape::Columns, &["g", "w"], Does::Go(Route::Workers)),
        entry(GO, "Sources", Shape::Package, &["g", "s"], Does::Go(Route::Sources)),
        entry(GO, "Targets (SBOMs)", Shape::Scan, &["g", "t"], Does::Go(Route::Targets)),
        entry(GO, "Findings", Shape::Flag, &["g", "f"], Does::Go(Route::Findings)),
        entry(GO, "Settings", Shape::Gear, &["g", ","], Does::Go(Route::Settings)),
        entry(GO, "Runbook", Shape::Gear, &[], Does::Go(Route::Runbook)),
        entry(DO, "Refresh", Shape::Refresh, &["Shift", "R"], Does::Refresh),
        entry(DO, "Switch between light and dark", Shape::Sun, &[], Does::Theme),
        entry(DO, "Switch between comfortable and compact rows", Shape::Rows, &[], Does::Density),
        entry(DO, "Switch single-letter keys on or off", Shape::Terminal, &[], Does::Keys),
        entry(DO, "Keyboard map", Shape::Help, &["?"], Does::Help),
        entry(DO, "Copy the address of this page", Shape::Link, &[], Does::CopyAddress),
        entry(DO, "Reconnect now", Shape::Plug, &[], Does::Reconnect),
    ]
}

/// What was typed and which of the found entries is marked. What is drawn may be older: a page that has much to do
/// draws some letters late, and who types fast means what they typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The text.
    pub typed: String,
    /// The place of the marked entry.
    pub at: usize,
}

impl Asked {
    /// Other text: the first of what is found for it is marked.
    pub fn typing(text: String) -> Self {
        Self { typed: text, at: 0 }
    }
    /// So many places further down, round and round.
    #[must_use]
    pub fn moved(&self, by: isize, overview: Option<&Overview>) -> Self {
        let count = found(&self.typed, overview).len();
        let at = match count {
            0 => 0,
            _ => (self.at + count).saturating_add_signed(by) % count,
        };
        Self { at, ..self.clone() }
    }
    /// What Enter does while this stands in the field.
    pub fn chosen(&self, field: &str, overview: Option<&Overview>) -> Option<Entry> {
        let asked = if field == self.typed { self.clone() } else { Self::typing(field.to_owned()) };
        found(&asked.typed, overview).into_iter().nth(asked.at)
    }
}

/// What is found for the typed text: things by id first, then the entries that fit, best first.
pub fn found(typed: &str, overview: Option<&Overview>) -> Vec<Entry> {
    let typed = typed.trim();
    let mut out: Vec<Entry> = by_id(typed).into_iter().collect();
    let mut fitting: Vec<(u32, Entry)> =
        entries().into_iter().filter_map(|entry| Some((score(typed, &entry.label)?, entry))).collect();
    if !typed.is_empty() {
        fitting.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    out.extend(fitting.into_iter().map(|(_, entry)| entry));
    for entry in &mut out {
        entry.note = overview.and_then(|overview| note(&entry.does, overview)).unwrap_or_default();
    }
    out
}

/// What stands behind a page now.
fn note(does: &Does, overview: &Overview) -> Option<String> {
    let Does::Go(route) = does else { return None };
    let (jobs, runs, inputs) = (&overview.jobs, &overview.runs, &overview.inputs);
    let known = [
        (Route::Jobs, jobs.pending + jobs.queued + jobs.leased + jobs.running, "open"),
        (Route::Runs, runs.planning + runs.queued + runs.running, "active"),
        (Route::Workers, overview.workers.online, "online"),
        (Route::Sources, inputs.sources, "in all"),
        (Route::Targets, inputs.targets, "in all"),
        (Route::Findings, inputs.findings_critical, "critical"),
    ];
    known
        .into_iter()
        .find(|(page, _, _)| page == route)
        .map(|(_, count, what)| format!("{} {what}", format::count(count)))
}

/// A page of ours, a job or a run that is named in full.
fn by_id(typed: &str) -> Option<Entry> {
    const OPEN: &str = "Open";
    if let Ok(id) = typed.parse::<JobId>() {
        return Some(entry(OPEN, &format!("Job {id}"), Shape::Queues, &[], Does::Go(Route::Job(id))));
    }
    if let Ok(id) = typed.parse::<RunId>() {
        return Some(entry(OPEN, &format!("Run {id}"), Shape::Runs, &[], Does::Go(Route::Run(id))));
    }
    None
}

/// How well the letters of `typed` fit into `label`, in order; `None` when one is missing. Letters at the start of a
/// word and letters that follow each other count more.
fn score(typed: &str, label: &str) -> Option<u32> {
    let label: Vec<char> = label.to_lowercase().chars().collect();
    let (mut at, mut score, mut last) = (0, 0, None::<usize>);
    for wanted in typed.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = (at..label.len()).find(|index| label[*index] == wanted)?;
        let starts_word = found == 0 || !label[found - 1].is_alphanumeric();
        score += 1 + u32::from(starts_word) * 4 + u32::from(last.is_some_and(|last| last + 1 == found)) * 3;
        last = Some(found);
        at = found + 1;
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_at_the_start_of_words_win() {
        let first = |typed: &str| found(typed, None).first().map(|entry| entry.label.clone());
        assert_eq!(first("jq").as_deref(), Some("Jobs & Queues"));
        assert_eq!(first("find").as_deref(), Some("Findings"));
        assert_eq!(first("zzz"), None);
        assert_eq!(found("", None).len(), entries().len());
    }

    #[test]
    fn typing_setti_and_enter_at_once_opens_settings_and_not_the_scheduler_that_was_still_drawn() {
        let drawn = Asked::typing("s".to_owned());
        assert_eq!(drawn.chosen("s", None).map(|entry| entry.does), Some(Does::Go(Route::Scheduler)));
        let settings = Some(Does::Go(Route::Settings));
        // The letters were told, or stand in the field only.
        for asked in [Asked::typing("setti".to_owned()), drawn] {
            assert_eq!(asked.chosen("setti", None).map(|entry| entry.does), settings);
        }
    }

    #[test]
    fn the_mark_goes_round_and_enter_takes_the_marked_entry() {
        let asked = Asked::typing("s".to_owned());
        let count = found("s", None).len();
        assert_eq!(asked.moved(-1, None).at, count - 1);
        assert_eq!(asked.moved(-1, None).moved(1, None).at, 0);
        assert_eq!(asked.moved(1, None).chosen("s", None), found("s", None).into_iter().nth(1));
        let nothing = Asked::typing("zzz".to_owned());
        assert_eq!((nothing.moved(1, None).at, nothing.chosen("zzz", None)), (0, None));
    }

    #[test]
    fn a_whole_id_opens_the_thing() {
        let id = "run:acme:20261121T140815Z:9c1f04ab";
        assert_eq!(found(id, None)[0].does, Does::Go(Route::Run(id.parse().unwrap())));
        assert!(by_id("run:acme").is_none());
    }

    #[test]
    fn every_chord_leads_to_a_page_that_the_palette_knows_too() {
        for (key, _, route) in CHORDS {
            let entry = entries().into_iter().find(|entry| entry.does == Does::Go(route.clone()));
            assert_eq!(entry.map(|entry| entry.keys.to_vec()), Some(vec!["g", key]));
        }
    }
}
