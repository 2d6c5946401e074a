//! Warnings over runs: planning that waits, a deep queue, one code again and again. A silent planner is told on every
//! page and not here again.

use crate::clock::use_now;
use crate::kit::format::duration;
use crate::kit::{Banner, Shape, Tone};
use crate::parts::runbook;
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::feature::Feature;
use stella_contract::incident::Severity;
use stella_contract::route::Route;
use stella_contract::run_alert::{RunAlert, RunAlertKind, RunAlerts};
use stella_contract::time::Micros;
use yew::prelude::*;

/// All that apply now.
#[component]
pub(super) fn AlertBanners() -> Html {
    if use_session().is_off(Feature::Dashboard) {
        return Html::default();
    }
    html! { <Standing /> }
}

#[component]
fn Standing() -> Html {
    let now = use_now();
    // A queue grows deep and a run grows late without an event.
    let asked =
        use_query("run alerts", Watch::of(&["run"]).every(30), |api| async move { api.run_alerts().await });
    let items = asked.load.value().map(|alerts: &RunAlerts| alerts.items.clone()).unwrap_or_default();
    html! {
        <div class="banners">
            { for items.iter().filter(|one| one.kind != RunAlertKind::PlannerSilent).map(|one| banner(one, now)) }
        </div>
    }
}

fn banner(alert: &RunAlert, now: Micros) -> Html {
    let (to, query, label) = cause(alert);
    let tone = match alert.severity {
        Severity::Note => Tone::Idle,
        Severity::Warning => Tone::Warn,
        Severity::Critical => Tone::Bad,
    };
    html! {
        <Banner key={key(alert)} {tone} icon={Shape::Triangle} fact={format!("{} {}.", alert.fact(), lasting(alert, now))}
            action={html! { <>
                if let Some(code) = alert.error_code { <Link to={Route::Runbook} query={runbook(code)} class="link sm">{ "Runbook" }</Link>{ " " } }
                <Link {to} {query} class="link sm">{ label }</Link>
            </> }}>
            { alert.next_step() }
        </Banner>
    }
}

fn key(alert: &RunAlert) -> String {
    format!("{} {}", alert.kind, alert.error_code.map_or("", |code| code.as_str()))
}

/// How long it has lasted, in the words of its kind.
fn lasting(alert: &RunAlert, now: Micros) -> String {
    let age = duration(now.ms_since(alert.since).max(0));
    match alert.kind {
        RunAlertKind::PlannerSilent | RunAlertKind::PlannerLag | RunAlertKind::QueueDepth => {
            format!("for {age}")
        }
        RunAlertKind::RepeatedCode => format!("(the first {age} ago)"),
    }
}

/// Where its cause is seen.
fn cause(alert: &RunAlert) -> (Route, Query, &'static str) {
    let tab = |word: &str| Query::default().with("tab", word);
    match (alert.kind, &alert.run_id, alert.error_code) {
        (RunAlertKind::PlannerSilent, ..) => (Route::Scheduler, Query::default(), "Scheduler"),
        (RunAlertKind::PlannerLag, Some(id), _) => {
            (Route::Run(id.clone()), tab("active").with("state", "planning"), "Open the run")
        }
        (RunAlertKind::PlannerLag, None, _) => {
            (Route::Runs, tab("active").with("state", "planning"), "Runs in planning")
        }
        (RunAlertKind::QueueDepth, ..) => {
            (Route::Jobs, Query::default().with("filter", "state:queued"), "Queued jobs")
        }
        (RunAlertKind::RepeatedCode, _, code) => {
            let code = code.map_or("", |code| code.as_str());
            (Route::Runs, tab("failures").with("errorCode", code).with("since", "1h"), "These runs")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::run::RunErrorCode;

    fn alert(kind: RunAlertKind) -> RunAlert {
        RunAlert {
            kind,
            severity: Severity::Warning,
            since: Micros(0),
            count: 3,
            run_id: None,
            error_code: Some(RunErrorCode::IndexStale),
        }
    }

    #[test]
    fn every_warning_leads_to_what_causes_it_and_says_how_long_it_lasts() {
        let now = Micros(26 * 60_000_000);
        let deep = alert(RunAlertKind::QueueDepth);
        assert_eq!((lasting(&deep, now).as_str(), cause(&deep).0), ("for 26 m 00 s", Route::Jobs));
        let repeated = alert(RunAlertKind::RepeatedCode);
        assert_eq!(cause(&repeated).1.get("errorCode"), Some("ERR_RUN_009"));
        assert!(lasting(&repeated, now).starts_with("(the first"));
        assert_eq!(cause(&alert(RunAlertKind::PlannerLag)).1.get("state"), Some("planning"));
    }
}
