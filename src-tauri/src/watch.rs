//! Looks at the tenant's feed for as long as the application runs: tells of runs that ended, and keeps the tray's lines.
//! It is one more client of the core and knows only what every client may know.

use crate::door::Door;
use crate::health::Health;
use crate::notice;
use crate::notify::Bell;
use crate::preferences::Minute;
use crate::spikes::Waiting;
use crate::{settings, tray, window};
use std::collections::BTreeSet;
use std::time::Duration;
use stella_contract::event::{FeedBatch, FeedEvent};
use stella_contract::ids::RunId;
use stella_contract::incident::Incident;
use stella_contract::overview::Overview;
use stella_contract::page::Page;
use stella_contract::route::encode;
use stella_contract::run::{Run, RunState};
use stella_contract::schedule::Schedule;
use tauri::AppHandle;

/// What happens within this time is told together, and the core is asked no more often.
const BREATH: Duration = Duration::from_secs(1);
/// After a refusal.
const REST: Duration = Duration::from_secs(5);
const WAIT_MS: u64 = 25_000;
/// While a spike waits to be told, nobody waits long for other news.
const SHORT_MS: u64 = 1_000;

/// Looks until the application ends.
pub(crate) async fn look(app: AppHandle, door: Door) {
    let bell = Bell::new(app.clone());
    let mut cursor: Option<i64> = None;
    let mut spikes = Waiting::default();
    loop {
        tray::tell(&app, health(&door).await);
        let patience = if spikes.is_empty() { WAIT_MS } else { SHORT_MS };
        match next(&door, cursor, patience).await {
            Ok(batch) => {
                spikes.hear(&batch.events);
                tell_spikes(&app, &door, &bell, &mut spikes).await;
                let ended = if batch.reset { BTreeSet::new() } else { ended(&batch.events) };
                cursor = Some(batch.cursor);
                if !ended.is_empty() && wants_to_be_told(&app) {
                    for notice in notice::of(&runs(&door, ended).await, bell.open()) {
                        bell.ring(notice).await;
                    }
                }
                tokio::time::sleep(BREATH).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the feed did not answer");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Tells of the spikes whose numbers stand still. What comes in the hour of silence is not told later: it is in the
/// list of incidents, and in the tray.
async fn tell_spikes(app: &AppHandle, door: &Door, bell: &Bell, spikes: &mut Waiting) {
    for id in spikes.ids() {
        let incident = match door.get::<Incident>(&format!("/api/v1/incidents/{id}")).await {
            Ok(incident) => incident,
            Err(error) => {
                tracing::debug!(%error, "a spike could not be read");
                spikes.forget(&id);
                continue;
            }
        };
        let preferences = settings::current(app);
        if !spikes.is_due(&incident, preferences.spike_threshold.into()) {
            continue;
        }
        let is_quiet = preferences.quiet_hours.is_some_and(|hours| hours.holds(minute_of_day()));
        if preferences.spikes && !is_quiet {
            bell.ring(notice::spike(&incident)).await;
        }
    }
}

async fn next(door: &Door, cursor: Option<i64>, wait_ms: u64) -> Result<FeedBatch, String> {
    match cursor {
        Some(cursor) => door.get(&format!("/api/v1/feed?cursor={cursor}&maxWaitMs={wait_ms}")).await,
        None => door.get("/api/v1/feed?maxWaitMs=0").await,
    }
}

/// The runs that the events say have ended.
fn ended(events: &[FeedEvent]) -> BTreeSet<String> {
    events
        .iter()
        .filter(|event| event.entity == "run")
        .filter(|event| {
            let state = event.data["state"].as_str().and_then(|word| word.parse::<RunState>().ok());
            state.is_some_and(RunState::is_final)
        })
        .map(|event| event.id.clone())
        .filter(|id| id.parse::<RunId>().is_ok())
        .collect()
}

async fn runs(door: &Door, ids: BTreeSet<String>) -> Vec<Run> {
    let mut runs = Vec::new();
    for id in ids {
        match door.get::<Run>(&format!("/api/v1/runs/{}", encode(&id))).await {
            Ok(run) if is_wanted(door, &run).await => runs.push(run),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "a run that ended could not be read"),
        }
    }
    runs
}

/// What the schedule of a run says of telling; a run without one, or whose schedule is gone, is told.
async fn is_wanted(door: &Door, run: &Run) -> bool {
    let Some(id) = &run.schedule_id else { return true };
    match door.get::<Schedule>(&format!("/api/v1/schedules/{id}")).await {
        Ok(schedule) => schedule.notify.wants(run),
        Err(error) => {
            tracing::debug!(%error, "the schedule of a run could not be read");
            true
        }
    }
}

/// The operator is elsewhere, wants to be told, and it is not the hour of silence.
fn wants_to_be_told(app: &AppHandle) -> bool {
    let preferences = settings::current(app);
    let is_quiet = preferences.quiet_hours.is_some_and(|hours| hours.holds(minute_of_day()));
    let is_looked_at = window::is_looked_at(app);
    tracing::debug!(wanted = preferences.notifications, is_quiet, is_looked_at, "a run has ended");
    preferences.notifications && !is_quiet && !is_looked_at
}

/// The minute on the operator's own clock.
fn minute_of_day() -> Minute {
    use stella_engine::Clock;
    let now = stella_engine::SystemClock.now();
    let stamp = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let local = stamp.to_zoned(jiff::tz::TimeZone::system());
    Minute::at(local.hour().unsigned_abs().into(), local.minute().unsigned_abs().into())
}

async fn health(door: &Door) -> Health {
    let overview: Overview = match door.get("/api/v1/overview").await {
        Ok(overview) => overview,
        Err(error) => return Health::unknown(&error),
    };
    let ended: Option<Page<Run>> = door.get("/api/v1/runs?tab=completed&page_size=1").await.ok();
    let last = ended
        .and_then(|page| page.items.into_iter().next())
        .map(|run| format!("{}, {}", run.state, run.deltas));
    Health::of(&overview, last.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(entity: &str, id: &str, data: serde_json::Value) -> FeedEvent {
        serde_json::from_value(json!({
            "seq": 1, "type": "scheduler.run.changed", "entity": entity, "id": id, "tenant": "default",
            "correlationId": "c", "at": "2026-11-21T09:30:00.000Z", "data": data
        }))
        .unwrap()
    }

    #[test]
    fn only_runs_that_ended_are_told_and_each_once() {
        let run = "run:default:20261121T093000Z:9c1f04ab";
        let events = [
            event("run", run, json!({"state": "running"})),
            event("run", run, json!({"state": "completed"})),
            event("run", run, json!({"state": "completed"})),
            event("job", "job_x", json!({"state": "completed"})),
            event("run", "../../etc", json!({"state": "error"})),
            event("run", "run:default:20261121T093001Z:9c1f04ab", json!({})),
        ];
        assert_eq!(ended(&events).into_iter().collect::<Vec<_>>(), [run]);
    }
}
