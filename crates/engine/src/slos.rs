//! Service level objectives: who sets them, and how they stand. What is counted for them is counted along the history.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use crate::tally::{self, span_of};
use serde_json::{Value, json};
use stella_contract::error::Code;
use stella_contract::ids::{SloId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::slo::{
    BURN_WINDOWS, BurnWindow, ChangeSlo, MakeSlo, Sli, Slo, SloStatus, Tally, budget_remaining, burn,
    exhausted_in_ms, tier_of,
};
use stella_contract::stats::{BOUNDS_MS, bucket_of};
use stella_contract::time::Micros;
use stella_ledger::counts::{self, SPAN_US, SpanRow};
use stella_ledger::slos::{self, SloRow};
use stella_ledger::{LedgerError, Tx};

/// The days over which a budget is counted when nothing else is said.
const WINDOW_DAYS: i32 = 28;
const MINUTE_MS: i64 = 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// The longest name.
const LONGEST_NAME: usize = 80;
/// The most objectives of one tenant; each is counted every minute.
const MOST: i64 = 200;

/// The objectives.
#[derive(Clone)]
pub struct Slos {
    engine: Engine,
}

impl Engine {
    /// The objectives.
    pub fn slos(&self) -> Slos {
        Slos { engine: self.clone() }
    }
}

impl Slos {
    /// Objectives by name, then id, each with how it stands.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Slo>, Error> {
        caller.demand(Scope::OrchRead)?;
        tally::catch_up(&self.engine, &caller.tenant).await?;
        let key = (&caller.tenant, "slos");
        let after: Option<(String, String)> = page::after(&key, query)?;
        let (tenant, limit, now) = (caller.tenant.clone(), i64::from(query.size()) + 1, self.engine.now());
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let rows = slos::list(tx, &tenant, after.as_ref(), limit).await?;
                Ok((views(tx, rows, now).await?, slos::count(tx, &tenant).await?))
            })
        });
        let (items, count) = read.await?;
        page::of(&key, query, items, u64::try_from(count).ok(), |slo| {
            (slo.name.clone(), slo.slo_id.as_str().to_owned())
        })
    }

    /// One objective and how it stands.
    pub async fn get(&self, caller: &Caller, id: &SloId) -> Result<Slo, Error> {
        caller.demand(Scope::OrchRead)?;
        tally::catch_up(&self.engine, &caller.tenant).await?;
        let (tenant, wanted, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &wanted).await?;
                Ok::<_, Error>(view(tx, row, now).await?)
            })
        });
        read.await
    }

    /// Sets an objective.
    pub async fn make(&self, caller: &Caller, wish: MakeSlo) -> Result<Slo, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let now = self.engine.now();
        let row = SloRow {
            slo_id: SloId::from_uuid(&self.engine.uuid(now)),
            tenant: caller.tenant.clone(),
            name: wish.name.trim().to_owned(),
            sli: wish.sli,
            target: wish.target,
            window_days: wish.window_days.unwrap_or(WINDOW_DAYS),
            threshold_ms: wish.threshold_ms,
            job_type: wish.job_type,
            enabled: wish.enabled.unwrap_or(true),
            burning: None,
            created_by: caller.subject.clone(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        check(&row)?;
        let (caller, name) = (caller.clone(), row.name.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                if slos::count(tx, &row.tenant).await? >= MOST {
                    return Err(Error::new(
                        Code::Conflict,
                        format!("There are {MOST} objectives, which is the most. Delete one first."),
                    ));
                }
                slos::insert(tx, &row).await?;
                note(tx, &caller, &row, "orch.slo.created", now).await?;
                Ok(view(tx, row, now).await?)
            })
        });
        write.await.map_err(|error: Error| name_is_taken(error, &name))
    }

    /// Changes an objective, if it still has this version; what is counted stays.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &SloId,
        wish: ChangeSlo,
        version: Option<i64>,
    ) -> Result<Slo, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let now = self.engine.now();
        let (caller, id) = (caller.clone(), id.clone());
        let taken = wish.name.clone().unwrap_or_default();
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let mut row = find(tx, &caller.tenant, &id).await?;
                expect_version(&row, version)?;
                if let Some(name) = wish.name {
                    name.trim().clone_into(&mut row.name);
                }
                row.target = wish.target.unwrap_or(row.target);
                row.window_days = wish.window_days.unwrap_or(row.window_days);
                row.threshold_ms = wish.threshold_ms.or(row.threshold_ms);
                row.enabled = wish.enabled.unwrap_or(row.enabled);
                // What is not watched does not burn.
                row.burning = row.burning.filter(|_| row.enabled);
                row.updated_at = now;
                check(&row)?;
                store(tx, &mut row).await?;
                note(tx, &caller, &row, "orch.slo.updated", now).await?;
                Ok(view(tx, row, now).await?)
            })
        });
        write.await.map_err(|error: Error| name_is_taken(error, &taken))
    }

    /// Takes an objective away, if it still has this version; answers with what it was.
    pub async fn delete(&self, caller: &Caller, id: &SloId, version: Option<i64>) -> Result<Slo, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let now = self.engine.now();
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let row = find(tx, &caller.tenant, &id).await?;
                expect_version(&row, version)?;
                slos::delete(tx, &caller.tenant, &id).await?;
                note(tx, &caller, &row, "orch.slo.deleted", now).await?;
                Ok::<_, Error>(view(tx, row, now).await?)
            })
        });
        write.await
    }
}

/// The objectives a tenant starts with: the platform's own, so that nobody made them. The core of a desktop is at work
/// only while somebody is, so that availability waits to be switched on.
pub(crate) fn first_of(tenant: &Tenant, now: Micros, mut uuid: impl FnMut() -> String) -> Vec<SloRow> {
    let mut row = |name: &str, sli, target, threshold_ms, enabled| SloRow {
        slo_id: SloId::from_uuid(&uuid()),
        tenant: tenant.clone(),
        name: name.to_owned(),
        sli,
        target,
        window_days: WINDOW_DAYS,
        threshold_ms,
        job_type: None,
        enabled,
        burning: None,
        created_by: "stella".to_owned(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    vec![
        row("Jobs succeed", Sli::JobSuccess, 0.99, None, true),
        row("Runs complete", Sli::RunSuccess, 0.99, None, true),
        row("Jobs start within 5 minutes", Sli::QueueLatency, 0.95, Some(300_000), true),
        row("The core is at work", Sli::Availability, 0.999, None, false),
    ]
}

async fn find(tx: &mut Tx, tenant: &Tenant, id: &SloId) -> Result<SloRow, Error> {
    slos::get(tx, tenant, id).await?.ok_or_else(|| Error::not_found("objective", id))
}

/// Writes the row, which was read in the same transaction.
pub(crate) async fn store(tx: &mut Tx, row: &mut SloRow) -> Result<(), Error> {
    if !slos::update(tx, row).await? {
        return Err(changed());
    }
    row.version += 1;
    Ok(())
}

fn expect_version(row: &SloRow, version: Option<i64>) -> Result<(), Error> {
    if version.is_none_or(|version| version == row.version) {
        return Ok(());
    }
    Err(changed())
}

fn changed() -> Error {
    Error::new(Code::VersionMismatch, "The objective changed since it was read. Read it again.")
}

fn check(row: &SloRow) -> Result<(), Error> {
    let length = row.name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) {
        return Err(Error::invalid("name", format!("1 to {LONGEST_NAME} characters")));
    }
    if !(0.5..=0.99999).contains(&row.target) {
        return Err(Error::invalid("target", "a share of 0.5 to 0.99999"));
    }
    if !(1..=WINDOW_DAYS).contains(&row.window_days) {
        return Err(Error::invalid("windowDays", format!("1 to {WINDOW_DAYS}")));
    }
    match (row.sli, row.threshold_ms) {
        (Sli::QueueLatency, Some(ms)) if BOUNDS_MS.contains(&ms) => {}
        (Sli::QueueLatency, _) => {
            let bounds: Vec<String> = BOUNDS_MS.iter().map(ToString::to_string).collect();
            return Err(Error::invalid("thresholdMs", format!("one of {}", bounds.join(", "))));
        }
        (Sli::JobSuccess | Sli::RunSuccess | Sli::Availability, None) => {}
        (Sli::JobSuccess | Sli::RunSuccess | Sli::Availability, Some(_)) => {
            return Err(Error::invalid("thresholdMs", "only `queue_latency` has a threshold"));
        }
    }
    match (row.sli, &row.job_type) {
        (Sli::JobSuccess | Sli::QueueLatency, _) | (Sli::RunSuccess | Sli::Availability, None) => Ok(()),
        (Sli::RunSuccess | Sli::Availability, Some(_)) => {
            Err(Error::invalid("jobType", "only `job_success` and `queue_latency` are of a job type"))
        }
    }
}

fn name_is_taken(error: Error, name: &str) -> Error {
    if error.code == Code::Conflict && error.private.is_some() {
        return Error::new(Code::Conflict, format!("The name `{name}` is taken. Choose another."));
    }
    error
}

/// What others are told of it.
fn said(row: &SloRow) -> Value {
    json!({
        "name": row.name, "sli": row.sli, "target": row.target, "windowDays": row.window_days,
        "thresholdMs": row.threshold_ms, "jobType": row.job_type, "enabled": row.enabled,
        "tier": row.burning.map(|(tier, _)| tier),
    })
}

async fn note(tx: &mut Tx, caller: &Caller, row: &SloRow, kind: &str, now: Micros) -> Result<(), Error> {
    let mut journal = Journal::default();
    let mut data = said(row);
    data["sloId"] = json!(row.slo_id);
    journal.enter(
        &row.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "slo",
            kind: kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
            occurred_at: now,
            data,
        },
    );
    journal.tell(
        &row.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "slo",
            id: row.slo_id.as_str().to_owned(),
            run_id: None,
            correlation_id: caller.correlation_id.clone(),
            at: now,
            data: said(row),
        },
    );
    journal.leave(tx);
    Ok(())
}

async fn views(tx: &mut Tx, rows: Vec<SloRow>, now: Micros) -> Result<Vec<Slo>, LedgerError> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(view(tx, row, now).await?);
    }
    Ok(items)
}

/// The objective as every door shows it.
pub(crate) async fn view(tx: &mut Tx, row: SloRow, now: Micros) -> Result<Slo, LedgerError> {
    let status = status(tx, &row, now).await?;
    Ok(Slo {
        slo_id: row.slo_id,
        tenant: row.tenant,
        name: row.name,
        sli: row.sli,
        target: row.target,
        window_days: row.window_days,
        threshold_ms: row.threshold_ms,
        job_type: row.job_type,
        enabled: row.enabled,
        status,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// How an objective stands now.
pub(crate) async fn status(tx: &mut Tx, row: &SloRow, now: Micros) -> Result<SloStatus, LedgerError> {
    let from = span_of(now.minus_ms(i64::from(row.window_days) * DAY_MS));
    let (tenant, job_type) = (&row.tenant, row.job_type.as_deref());
    let spans = match row.sli {
        Sli::JobSuccess => counts::spans(tx, tenant, "ended", job_type, from).await?,
        Sli::QueueLatency => counts::spans(tx, tenant, "queue", job_type, from).await?,
        Sli::RunSuccess => counts::run_spans(tx, tenant, from).await?,
        Sli::Availability => counts::spans(tx, tenant, "alive", None, from).await?,
    };
    Ok(standing(row, &spans, now))
}

fn standing(row: &SloRow, spans: &[SpanRow], now: Micros) -> SloStatus {
    let within = |minutes: i64| tally_of(row, spans, span_of(now.minus_ms(minutes * MINUTE_MS)), now);
    let told = |(minutes, window): &(i64, &str)| {
        let tally = within(*minutes);
        let burn = burn(tally, row.target);
        BurnWindow { window: (*window).to_owned(), bad: tally.bad, total: tally.total, burn }
    };
    let whole = within(i64::from(row.window_days) * 24 * 60);
    let budget_remaining = budget_remaining(whole, row.target);
    let hourly = burn(within(60), row.target);
    SloStatus {
        as_of: now,
        burn: BURN_WINDOWS.iter().map(told).collect(),
        bad: whole.bad,
        total: whole.total,
        budget_remaining,
        exhausted_in_ms: exhausted_in_ms(budget_remaining, hourly, row.window_days),
        tier: tier_of(within, row.target),
        burning_since: row.burning.map(|(_, since)| since),
    }
}

/// What was counted in the spans since `from`.
fn tally_of(row: &SloRow, spans: &[SpanRow], from: i64, now: Micros) -> Tally {
    let inside = spans.iter().filter(|span| span.at >= from);
    let mut tally = Tally::default();
    match row.sli {
        Sli::JobSuccess | Sli::RunSuccess => {
            for span in inside {
                let (bad, counts) = match span.label.as_str() {
                    "succeeded" | "completed" => (0, span.n),
                    "failed" | "timed_out" | "error" => (span.n, span.n),
                    // Cancelled and skipped ones did neither.
                    _ => (0, 0),
                };
                tally.bad += bad;
                tally.total += counts;
            }
        }
        Sli::QueueLatency => {
            let last_good = row.threshold_ms.map_or(0, bucket_of);
            for span in inside {
                let place: usize = span.label.parse().unwrap_or(usize::MAX);
                tally.bad += if place > last_good { span.n } else { 0 };
                tally.total += span.n;
            }
        }
        Sli::Availability => {
            // Minutes before the first one seen are nobody's fault.
            let Some(first) = spans.iter().map(|span| span.at).min() else { return tally };
            let since = from.max(first);
            tally.total = (now.0 - since).div_euclid(60_000_000) + 1;
            // One row per minute, or, once folded, one per hour.
            let seen: i64 = inside.map(|span| if span.label.is_empty() { span.n } else { 1 }).sum();
            tally.bad = (tally.total - seen).max(0);
        }
    }
    tally
}

/// The label under which a minute at work is counted within its span.
pub(crate) fn minute_of(now: Micros) -> String {
    (now.0.rem_euclid(SPAN_US) / 60_000_000).to_string()
}

#[cfg(test)]
#[path = "slos_tests.rs"]
mod tests;
