//! The filter of the runs list and the tab of the drawer, as the address has them.

use super::tab::RunsTab;
use crate::pages::filter_bar::{FilterField, wanted};
use crate::router::Query;
use stella_contract::finding::Severity;
use stella_contract::run::{RunErrorCode, RunFilter, RunState, RunTab, RunTrigger};
use stella_contract::time::Micros;

/// Lengths of time that `since` takes beside a moment.
const SPANS: [(&str, i64); 4] =
    [("1h", 3_600_000), ("24h", 86_400_000), ("7d", 7 * 86_400_000), ("30d", 30 * 86_400_000)];

/// The tabs of the drawer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Side {
    /// What it is and how far.
    #[default]
    Summary,
    /// Its segments.
    Segments,
    /// What it changed.
    Deltas,
    /// What it left.
    Evidence,
    /// The end of its log.
    Logs,
}

impl Side {
    /// All of them, in order.
    pub(super) const ALL: [Self; 5] =
        [Self::Summary, Self::Segments, Self::Deltas, Self::Evidence, Self::Logs];

    /// Its word in the address.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Segments => "segments",
            Self::Deltas => "deltas",
            Self::Evidence => "evidence",
            Self::Logs => "logs",
        }
    }
    /// Its word on the screen.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Segments => "Segments",
            Self::Deltas => "Deltas",
            Self::Evidence => "Evidence",
            Self::Logs => "Logs",
        }
    }
}

impl std::str::FromStr for Side {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|side| side.as_str() == text).ok_or(())
    }
}

/// The drawer's tab an address asks for.
pub(super) fn side_of(query: &Query) -> Side {
    query.read("show").unwrap_or_default()
}

/// The query a run is shown with: links to a run name no filters, and the list beside it keeps those it had.
pub(super) fn tidy(query: &Query, kept: &Query) -> Query {
    let side = query.read::<Side>("tab").or(query.read("show"));
    let bare = query
        .pairs()
        .all(|(name, _)| name == "show" || (name == "tab" && query.read::<Side>("tab").is_some()));
    let list = if bare { kept.clone() } else { query.clone() };
    list.with("show", side.filter(|side| *side != Side::Summary).map_or("", Side::as_str))
}

/// The tab that is shown when none is asked for.
pub(super) const fn first_tab(active: i64) -> RunsTab {
    RunsTab::Runs(if active > 0 { RunTab::Active } else { RunTab::Completed })
}

/// The filter an address asks for, within a tab.
pub(super) fn filter_of(query: &Query, tab: RunTab, now: Micros) -> RunFilter {
    RunFilter {
        tab: Some(tab),
        state: wanted(query, "state"),
        trigger: wanted(query, "trigger"),
        schedule_id: wanted(query, "schedule"),
        severity: wanted(query, "severity"),
        error_code: wanted(query, "errorCode"),
        since: moment(query, "since", now),
        until: moment(query, "until", now),
        shard: wanted(query, "shard").filter(|shard| *shard < 64),
        policy_revision: wanted(query, "policyRevision"),
    }
}

/// The part of an address that says which runs are listed; the rest says what stands beside them.
pub(super) fn list_query(query: &Query) -> Query {
    BESIDE.iter().fold(query.clone(), |query, name| query.without(name))
}

/// What an address says of the panels beside the list.
const BESIDE: [&str; 3] = ["show", "panel", "pin"];

/// A moment, or a length of time back from now.
fn moment(query: &Query, name: &str, now: Micros) -> Option<Micros> {
    let text = query.get(name)?;
    let span = SPANS.iter().find(|(word, _)| *word == text);
    span.map(|(_, ms)| now.minus_ms(*ms)).or_else(|| Micros::parse(text))
}

/// What the list can be filtered by, beside its tabs.
pub(super) fn fields() -> Vec<FilterField> {
    vec![
        FilterField::choice("trigger", "trigger", RunTrigger::ALL.iter().map(|word| word.as_str())),
        FilterField::text("schedule", "schedule"),
        FilterField::choice("state", "state", RunState::ALL.iter().map(|word| word.as_str())),
        FilterField::several(
            "severity",
            "new findings",
            Severity::ALL.iter().rev().map(|word| word.as_str()),
        ),
        FilterField::choice("errorCode", "error code", RunErrorCode::ALL.iter().map(|word| word.as_str())),
        FilterField::text("policyRevision", "policy revision"),
        FilterField::choice("since", "since", SPANS.iter().map(|(word, _)| *word)),
        FilterField::text("until", "until (a moment, or 24h ago)"),
        FilterField::text("shard", "planner shard"),
    ]
}

/// The filters in force, by their names on the screen.
pub(super) fn in_force(query: &Query) -> Vec<(&'static str, &'static str, String)> {
    fields()
        .into_iter()
        .filter_map(|field| Some((field.name, field.label, query.get(field.name)?.to_owned())))
        .collect()
}

/// The command that lists the same.
pub(super) fn command(filter: &RunFilter) -> Vec<String> {
    let options = [
        ("--tab", filter.tab.map(|word| word.as_str().to_owned())),
        ("--state", filter.state.map(|word| word.as_str().to_owned())),
        ("--trigger", filter.trigger.map(|word| word.as_str().to_owned())),
        ("--schedule", filter.schedule_id.as_ref().map(ToString::to_string)),
        ("--severity", filter.severity.as_ref().map(ToString::to_string)),
        ("--error-code", filter.error_code.map(|word| word.as_str().to_owned())),
        ("--policy-revision", filter.policy_revision.map(|revision| revision.to_string())),
        ("--since", filter.since.map(|at| at.to_string())),
        ("--until", filter.until.map(|at| at.to_string())),
        ("--shard", filter.shard.map(|shard| shard.to_string())),
    ];
    let said = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    ["runs", "list"].map(str::to_owned).into_iter().chain(said.flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_795_271_528_000_000);

    #[test]
    fn an_address_becomes_a_filter_and_a_command() {
        let query = Query::parse(
            "?trigger=cron&severity=high,critical&errorCode=ERR_RUN_005&since=24h&state=nonsense",
        );
        let filter = filter_of(&query, RunTab::Failures, NOW);
        assert_eq!(filter.trigger, Some(RunTrigger::Cron));
        assert_eq!(filter.error_code, Some(RunErrorCode::ScannerTimeout));
        assert_eq!(filter.since, Some(NOW.minus_ms(86_400_000)));
        assert_eq!(filter.state, None, "a word that is none filters nothing");
        assert_eq!(
            command(&filter).join(" "),
            "runs list --tab failures --trigger cron --severity critical,high --error-code ERR_RUN_005 --since 2026-11-20T14:32:08.000Z"
        );
    }

    #[test]
    fn a_shard_and_an_end_of_time_are_filters_and_what_stands_beside_the_list_is_none() {
        let query = Query::parse("?until=24h&shard=3&pin=northwind&panel=trends&show=logs");
        let filter = filter_of(&query, RunTab::Active, NOW);
        assert_eq!((filter.until, filter.shard), (Some(NOW.minus_ms(86_400_000)), Some(3)));
        assert_eq!(list_query(&query), Query::parse("?until=24h&shard=3"));
        assert_eq!(filter_of(&Query::parse("?shard=64"), RunTab::Active, NOW).shard, None);
    }

    #[test]
    fn since_takes_a_moment_as_well_as_a_length() {
        let at =
            |text: &str| moment(&Query::default().with("since", text), "since", NOW).map(|at| at.to_string());
        assert_eq!(at("2026-11-21T00:00:00Z").as_deref(), Some("2026-11-21T00:00:00.000Z"));
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn a_link_to_a_run_keeps_the_list_beside_it() {
        let kept = Query::parse("tab=failures&since=24h");
        let open = tidy(&Query::parse("tab=deltas"), &kept);
        assert_eq!(open, Query::parse("tab=failures&since=24h&show=deltas"));
        assert_eq!(side_of(&open), Side::Deltas);
        assert_eq!(tidy(&Query::default(), &kept), kept);
        let asked = Query::parse("tab=active&show=logs");
        assert_eq!(tidy(&asked, &kept), asked, "an address that says more is taken at its word");
        assert_eq!(tidy(&Query::parse("tab=completed&show=summary"), &kept), Query::parse("tab=completed"));
    }

    #[test]
    fn open_runs_are_shown_first_when_there_are_any() {
        let runs = RunsTab::Runs;
        assert_eq!((first_tab(2), first_tab(0)), (runs(RunTab::Active), runs(RunTab::Completed)));
    }
}
