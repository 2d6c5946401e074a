//! What a notification says, and how many may be on the screen. Pure: nothing here knows of a message bus.

use stella_contract::incident::Incident;
use stella_contract::route::Route;
use stella_contract::run::{Run, RunState};

/// So many notifications are kept open at once; what comes on top is told in one.
pub(crate) const MOST: usize = 20;
/// So many runs that end together are told one by one.
const APART: usize = 3;

/// A notification before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its first line.
    pub(crate) summary: String,
    /// What follows.
    pub(crate) body: String,
    /// The page that a click opens.
    pub(crate) route: String,
    /// The label of its button.
    pub(crate) action: &'static str,
    /// Whether somebody should look soon.
    pub(crate) weight: Weight,
    /// Whether it takes the place of the one before it of the same kind.
    pub(crate) kind: Kind,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// For the record.
    Plain,
    /// Look soon.
    Grave,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One run.
    One,
    /// Several; a later one replaces it.
    Several,
}

/// What to show for runs that ended, when so many notifications are open already.
pub(crate) fn of(ended: &[Run], open: usize) -> Vec<Notice> {
    if ended.len() <= APART && open + ended.len() <= MOST {
        return ended.iter().map(one).collect();
    }
    if ended.is_empty() { Vec::new() } else { vec![several(ended)] }
}

/// A spike of dead letters: how many, why, and the queue that holds just them.
pub(crate) fn spike(incident: &Incident) -> Notice {
    let queue = || format!("{}?fingerprint={}", Route::DeadLetterQueue.path(), incident.subject);
    let jobs = if incident.count == 1 { "job" } else { "jobs" };
    Notice {
        summary: format!("{} {jobs} failed alike", incident.count),
        body: incident.summary.clone(),
        route: incident.links.first().map_or_else(queue, |link| link.path.clone()),
        action: "Open queue",
        weight: Weight::Grave,
        kind: Kind::One,
    }
}

fn one(run: &Run) -> Notice {
    Notice {
        summary: summary(run),
        body: body(run),
        route: Route::Run(run.run_id.clone()).path(),
        action: "Open run",
        weight: if run.state == RunState::Error { Weight::Grave } else { Weight::Plain },
        kind: Kind::One,
    }
}

fn summary(run: &Run) -> String {
    match run.state {
        RunState::Completed if run.is_partial() => "Run completed in part".to_owned(),
        RunState::Completed => "Run completed".to_owned(),
        RunState::Error => "Run failed".to_owned(),
        RunState::Cancelled => "Run cancelled".to_owned(),
        RunState::Planning | RunState::Queued | RunState::Running => "Run is under way".to_owned(),
    }
}

fn body(run: &Run) -> String {
    let targets =
        if run.processed == 1 { "1 target".to_owned() } else { format!("{} targets", run.processed) };
    match run.state {
        RunState::Error => match run.error_code {
            Some(code) => format!("{}. {}", code.meaning(), code.next_step()),
            None => run.error_message.clone().unwrap_or_else(|| format!("{targets} evaluated")),
        },
        RunState::Completed if run.deltas.is_zero() => format!("No changes in {targets}"),
        RunState::Completed | RunState::Cancelled => format!("{} in {targets}", run.deltas),
        RunState::Planning | RunState::Queued | RunState::Running => targets,
    }
}

fn several(ended: &[Run]) -> Notice {
    let count = |state| ended.iter().filter(|run| run.state == state).count();
    let failed = count(RunState::Error);
    let parts: Vec<String> = [
        ("completed", count(RunState::Completed)),
        ("failed", failed),
        ("cancelled", count(RunState::Cancelled)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(word, count)| format!("{count} {word}"))
    .collect();
    let mut deltas = stella_contract::delta::Deltas::default();
    for run in ended {
        deltas.add(&run.deltas);
    }
    let changes = if deltas.is_zero() { "no changes".to_owned() } else { deltas.to_string() };
    Notice {
        summary: format!("{} runs ended", ended.len()),
        body: format!("{}; {changes}", parts.join(", ")),
        route: Route::Runs.path(),
        action: "Open runs",
        weight: if failed > 0 { Weight::Grave } else { Weight::Plain },
        kind: Kind::Several,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(state: &str, deltas: serde_json::Value) -> Run {
        serde_json::from_value(json!({
            "runId": "run:default:20261121T093000Z:9c1f04ab", "tenant": "default", "trigger": "manual", "initiator": "ada",
            "mode": "analysis-only", "scope": {"kind": "all"}, "scopeDigest": "sha256:00", "state": state,
            "plannerShardCount": 1, "impactIndexGeneration": 3, "candidates": 12, "processed": 12, "failed": 0,
            "segments": {"succeeded": 1}, "deltas": deltas, "findings": 7, "kevFirst": false, "badges": [],
            "correlationId": "c", "createdAt": "2026-11-21T09:30:00.000Z", "version": 1
        }))
        .unwrap()
    }

    #[test]
    fn a_completed_run_says_what_changed() {
        let notices = of(&[run("completed", json!({"newCritical": 2, "newHigh": 5}))], 0);
        assert_eq!(notices[0].summary, "Run completed");
        assert_eq!(notices[0].body, "+2 critical, +5 high in 12 targets");
        assert_eq!(notices[0].weight, Weight::Plain);
        assert!(notices[0].route.starts_with("/ops/operations/scheduler/runs/run:default:"));
    }

    #[test]
    fn a_failed_run_says_why_and_what_next() {
        let mut failed = run("error", json!({}));
        failed.error_code = Some(stella_contract::run::RunErrorCode::IndexStale);
        let notice = &of(&[failed], 0)[0];
        assert_eq!(notice.summary, "Run failed");
        assert!(notice.body.starts_with("The impact index is stale or missing. Run the sources again"));
        assert_eq!(notice.weight, Weight::Grave);
    }

    #[test]
    fn a_spike_says_how_many_and_why_and_leads_to_its_queue() {
        let incident = serde_json::from_value(json!({
            "incidentId": "inc_01890000-0000-7000-8000-000000000000", "tenant": "default", "kind": "deadletter.spike",
            "alertName": "ErrorCluster", "severity": "critical", "state": "open",
            "openedAt": "2026-11-21T09:30:00.000Z", "lastSeenAt": "2026-11-21T09:30:00.000Z", "count": 30,
            "subject": "5f1c0a9b7e2d4c68", "reasonCode": "X",
            "summary": "30 jobs of type ingest.kev failed for good in 15 minutes (network): it fell silent",
            "links": [], "version": 1
        }))
        .unwrap();
        let notice = spike(&incident);
        assert_eq!(notice.summary, "30 jobs failed alike");
        assert!(notice.body.ends_with("(network): it fell silent"));
        assert_eq!(notice.route, "/ops/operations/dead-letter/queue?fingerprint=5f1c0a9b7e2d4c68");
        assert_eq!((notice.weight, notice.action), (Weight::Grave, "Open queue"));
    }

    #[test]
    fn a_run_without_changes_says_so() {
        assert_eq!(of(&[run("completed", json!({}))], 0)[0].body, "No changes in 12 targets");
    }

    #[test]
    fn many_runs_at_once_are_told_in_one() {
        let mut runs = vec![run("completed", json!({"newHigh": 1})); 12];
        runs.extend(vec![run("error", json!({})); 2]);
        let notices = of(&runs, 0);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].summary, "14 runs ended");
        assert_eq!(notices[0].body, "12 completed, 2 failed; +12 high");
        assert_eq!((notices[0].kind, notices[0].weight), (Kind::Several, Weight::Grave));
    }

    #[test]
    fn a_full_screen_gets_no_more_single_ones() {
        let runs = vec![run("completed", json!({})); 2];
        assert_eq!(of(&runs, MOST - 2).len(), 2);
        assert_eq!(of(&runs, MOST - 1)[0].kind, Kind::Several);
        assert_eq!(of(&[], MOST), []);
    }
}
