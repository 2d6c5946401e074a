//! Looks at new and open dead letters, raises spikes and backlogs, and lets them go when it is calm again.

use super::{Activity, Task};
use crate::dead_letters::fingerprint::{self, Cause};
use crate::dead_letters::mutes;
use crate::engine::Engine;
use crate::error::Error;
use crate::incidents::spike::{self, Look, WINDOW_MS, WINDOWS};
use crate::incidents::{Raise, Step, apply, is_news, look_after};
use crate::journal::{Journal, Tiding};
use async_trait::async_trait;
use serde_json::json;
use stella_contract::dead_letter::DeadLetter;
use stella_contract::ids::Tenant;
use stella_contract::incident::{Incident, IncidentKind, IncidentLink};
use stella_contract::route::Route;
use stella_contract::time::Micros;
use stella_ledger::dead_letters::{self, DeadLetterRecord};
use stella_ledger::incidents::{self, IncidentRecord};
use stella_ledger::{LedgerError, Tx, dead_letter_figures as figures};

/// How often it looks while something is up.
const EVERY_MS: i64 = 30 * 1_000;
/// Entries of an older schema that get their fingerprint in one transaction.
const NAMED_AT_ONCE: i64 = 500;
const KINDS: [IncidentKind; 2] = [IncidentKind::DeadLetterSpike, IncidentKind::DeadLetterBacklog];
/// The subject of a tenant's backlog.
const BACKLOG: &str = "dead-letter";
/// Characters of a failure that a summary quotes.
const QUOTED: usize = 200;

/// Raises spikes and backlogs of dead letters.
pub(super) struct DeadLetterAlerts;

#[async_trait]
impl Task for DeadLetterAlerts {
    fn name(&self) -> &'static str {
        "dead-letter-alerts"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let mut did = name_unnamed(engine).await?;
        let now = engine.now();
        let mut is_up = false;
        for tenant in engine.options().tenants.clone() {
            let own = tenant.clone();
            let (steps, up) = engine
                .ledger()
                .read::<_, LedgerError, _>(move |tx| Box::pin(async move { look(tx, &own, now).await }))
                .await?;
            is_up |= up;
            if steps.is_empty() {
                continue;
            }
            did += steps.len();
            let (engine, name) = (engine.clone(), self.name());
            engine
                .clone()
                .ledger()
                .write::<_, Error, _>(move |tx| {
                    Box::pin(async move {
                        let mut journal = Journal::default();
                        let risen = apply(&engine, tx, steps, name, now, &mut journal).await?;
                        let silent = mutes::silent(tx, &tenant, now).await?;
                        let spikes = risen.iter().filter(|one| one.kind == IncidentKind::DeadLetterSpike);
                        for incident in spikes.filter(|one| !silent.contains(&one.subject)) {
                            journal.tell(&tenant, spike_tiding(incident, now));
                        }
                        journal.leave(tx);
                        Ok(())
                    })
                })
                .await?;
        }
        Ok(Activity { did, next_at: is_up.then(|| now.plus_ms(EVERY_MS)) })
    }
}

/// The steps that are due, and whether something is up that has to be looked at again.
async fn look(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<(Vec<Step>, bool), LedgerError> {
    let since = now.minus_ms(WINDOW_MS);
    let is_recent = figures::newest_at(tx, tenant).await?.is_some_and(|at| at > since);
    let open = figures::open(tx, tenant).await?;
    let live = incidents::live(tx, tenant, &KINDS).await?;
    let raises = raises(tx, tenant, is_recent, open, now).await?;
    let mut steps = Vec::new();
    for raise in &raises {
        if at(&live, raise).is_none_or(|record| is_news(raise, record)) {
            steps.push(Step::Raise(Box::new(raise.clone())));
        }
    }
    let causes = if is_recent { figures::causes(tx, tenant, since).await? } else { Vec::new() };
    for record in &live {
        if raises.iter().any(|raise| at(std::slice::from_ref(record), raise).is_some()) {
            continue;
        }
        let count = match record.incident.kind {
            IncidentKind::DeadLetterBacklog => open,
            _ => causes
                .iter()
                .find(|cause| cause.fingerprint == record.incident.subject)
                .map_or(0, |cause| cause.entries),
        };
        steps.extend(look_after(record, count, now));
    }
    Ok((steps, is_recent || !live.is_empty() || !raises.is_empty()))
}

fn at<'a>(live: &'a [IncidentRecord], raise: &Raise) -> Option<&'a IncidentRecord> {
    live.iter().find(|one| one.incident.kind == raise.kind && one.incident.subject == raise.subject)
}

/// The conditions that are there.
async fn raises(
    tx: &mut Tx,
    tenant: &Tenant,
    is_recent: bool,
    open: i64,
    now: Micros,
) -> Result<Vec<Raise>, LedgerError> {
    let mut raises = Vec::new();
    if let Some(firing) = spike::backlog(open) {
        raises.push(Raise {
            tenant: tenant.clone(),
            kind: IncidentKind::DeadLetterBacklog,
            subject: BACKLOG.to_owned(),
            severity: firing.severity,
            count: open,
            threshold: firing.threshold,
            reason_code: "DEADLETTER_BACKLOG".to_owned(),
            summary: format!("{open} dead letters are open."),
            links: vec![link(Route::DeadLetter, "")],
        });
    }
    if !is_recent {
        return Ok(raises);
    }
    let width = WINDOW_MS * 1_000;
    let spans = i64::try_from(WINDOWS).unwrap_or(i64::MAX) + 1;
    let windows = figures::windows(tx, tenant, now.minus_ms(WINDOW_MS * spans), now, width).await?;
    let of = |place: i64| windows.iter().find(|(at, _)| *at == place).map_or(0, |(_, entries)| *entries);
    let before: Vec<i64> = windows.iter().filter(|(at, _)| *at > 0).map(|(_, entries)| *entries).collect();
    let looked = Look { recent: of(0), before: &before, open };
    let causes = figures::causes(tx, tenant, now.minus_ms(WINDOW_MS)).await?;
    for (place, cause) in causes.iter().enumerate() {
        let Some(firing) = spike::spike(&looked, cause.entries, place == 0) else { continue };
        let newest = dead_letters::get_many(tx, &[cause.newest_key]).await?.pop();
        let Some(DeadLetterRecord { entry, .. }) = newest else { continue };
        raises.push(Raise {
            tenant: tenant.clone(),
            kind: IncidentKind::DeadLetterSpike,
            subject: cause.fingerprint.clone(),
            severity: firing.severity,
            count: cause.entries,
            threshold: firing.threshold,
            reason_code: entry.error_code.clone(),
            summary: summary(cause.entries, &entry),
            links: vec![link(Route::DeadLetterQueue, &format!("?fingerprint={}", cause.fingerprint))],
        });
    }
    Ok(raises)
}

fn summary(entries: i64, entry: &DeadLetter) -> String {
    let quoted: String = entry.error_message.chars().take(QUOTED).collect();
    let jobs = if entries == 1 { "job" } else { "jobs" };
    format!(
        "{entries} {jobs} of type {} failed for good in 15 minutes ({}): {quoted}",
        entry.job_type, entry.category
    )
}

fn link(route: Route, query: &str) -> IncidentLink {
    IncidentLink { title: route.title().to_owned(), path: format!("{}{query}", route.path()) }
}

/// What windows, notifications and others outside are told of a spike, once each time it comes up.
fn spike_tiding(incident: &Incident, now: Micros) -> Tiding {
    Tiding {
        kind: "orch.deadletter.spike".to_owned(),
        entity: "dead_letter_cluster",
        id: incident.subject.clone(),
        run_id: None,
        correlation_id: incident.incident_id.as_str().to_owned(),
        at: now,
        data: json!({
            "incidentId": incident.incident_id,
            "fingerprint": incident.subject,
            "severity": incident.severity,
            "count": incident.count,
            "errorCode": incident.reason_code,
            "summary": incident.summary,
        }),
    }
}

/// Entries that came with an older schema get their fingerprints.
async fn name_unnamed(engine: &Engine) -> Result<usize, Error> {
    let found = engine
        .ledger()
        .read::<_, LedgerError, _>(|tx| {
            Box::pin(async move { dead_letters::unnamed(tx, NAMED_AT_ONCE).await })
        })
        .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let names: Vec<(i64, String)> = found
        .iter()
        .map(|record| {
            let entry = &record.entry;
            let cause = Cause {
                job_type: &entry.job_type,
                category: entry.category,
                http_status: entry.http_status.map(i64::from),
                host: entry.host.as_deref(),
                message: &entry.error_message,
            };
            (record.key, fingerprint::of(cause))
        })
        .collect();
    let did = names.len();
    engine
        .ledger()
        .write::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { dead_letters::name_many(tx, &names).await })
        })
        .await?;
    Ok(did)
}
