//! What the tray says of the core. Pure.

use stella_contract::overview::Overview;

/// The lines of the tray's menu and the icon above them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) jobs: String,
    pub(crate) last_run: String,
    pub(crate) planner: String,
    pub(crate) state: State,
}

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// All is well.
    Well,
    /// Something wants a look.
    Look,
    /// The core does not answer or its planner is silent.
    Bad,
}

/// A planner that has not beaten for so long is silent.
const SILENT_MS: i64 = 90_000;

impl Health {
    /// Before anything is known, or when the core does not answer.
    pub(crate) fn unknown(why: &str) -> Self {
        Self {
            jobs: why.to_owned(),
            last_run: "Last run: not known".to_owned(),
            planner: "Planner: not known".to_owned(),
            state: State::Bad,
        }
    }

    /// From the figures of the first page.
    pub(crate) fn of(overview: &Overview, last_run: Option<&str>) -> Self {
        let jobs = &overview.jobs;
        let open_runs = overview.runs.planning + overview.runs.queued + overview.runs.running;
        let age_ms = overview.runs.planner_beat_at.map(|beat| overview.as_of.ms_since(beat).max(0));
        let is_silent = age_ms.is_some_and(|age| age > SILENT_MS);
        let wants_a_look =
            jobs.failed_24h > 0 || overview.runs.error_24h > 0 || overview.inputs.sources_failing > 0;
        let state = match (is_silent, wants_a_look) {
            (true, _) => State::Bad,
            (false, true) => State::Look,
            (false, false) => State::Well,
        };
        Self {
            jobs: format!(
                "Jobs: {} queued, {} running, {open_runs} open runs",
                jobs.pending + jobs.queued,
                jobs.leased + jobs.running
            ),
            last_run: format!("Last run: {}", last_run.unwrap_or("none yet")),
            planner: match age_ms {
                Some(age) => format!("Planner: last beat {} ago", span(age)),
                None => "Planner: no beat yet".to_owned(),
            },
            state,
        }
    }
}

fn span(ms: i64) -> String {
    match ms / 1_000 {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn overview(beat: &str, failed: i64) -> Overview {
        serde_json::from_value(json!({
            "asOf": "2026-11-21T09:30:30.000Z",
            "jobs": {"pending": 2, "queued": 3, "running": 1, "failed24h": failed},
            "waiting": [], "byType": [], "depth": [],
            "runs": {"running": 1, "plannerBeatAt": beat}, "workers": {}, "inputs": {}
        }))
        .unwrap()
    }

    #[test]
    fn figures_become_lines() {
        let health = Health::of(&overview("2026-11-21T09:30:25.000Z", 0), Some("completed, +2 critical"));
        assert_eq!(health.jobs, "Jobs: 5 queued, 1 running, 1 open runs");
        assert_eq!(health.last_run, "Last run: completed, +2 critical");
        assert_eq!(health.planner, "Planner: last beat 5 s ago");
        assert_eq!(health.state, State::Well);
    }

    #[test]
    fn failures_want_a_look_and_a_silent_planner_is_bad() {
        assert_eq!(Health::of(&overview("2026-11-21T09:30:25.000Z", 1), None).state, State::Look);
        assert_eq!(Health::of(&overview("2026-11-21T09:28:59.000Z", 1), None).state, State::Bad);
    }
}
