//! Backfills: a range of a source's event time, read again window by window (spec 03 §3.4).
//!
//! A backfill is drafted, previewed and started on that preview. From then on a background task makes its windows into
//! jobs, as many as it may have at once and as fast as its share of the source's rate allows; how each job ends is noted
//! in the transaction that ends it.

mod feed;
mod plan;
mod settle;
mod steer;

pub(crate) use feed::feed;
pub(crate) use settle::jobs_changed;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::host_buckets;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use crate::{sources as rules, watermarks};
use plan::Facts;
use serde_json::{Value, json};
use stella_contract::backfill::{
    Backfill, BackfillFilter, BackfillState, BackfillWindow, CreateBackfill, WindowState,
};
use stella_contract::history::Actor;
use stella_contract::ids::{BackfillId, Tenant};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_ledger::backfills::{self, BackfillRow, WindowRow};
use stella_ledger::{LedgerError, Tx, sources};

/// Failed windows of earlier backfills that a plan looks at.
const MOST_FAILED: i64 = 5_000;

/// The backfills.
#[derive(Clone)]
pub struct Backfills {
    engine: Engine,
}

impl Engine {
    /// The backfills.
    pub fn backfills(&self) -> Backfills {
        Backfills { engine: self.clone() }
    }
}

impl Backfills {
    /// The tenant's backfills that match, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &BackfillFilter,
        query: &PageQuery,
    ) -> Result<Page<Backfill>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, filter);
        let before: Option<String> = page::after(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (items, count) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let rows = backfills::list(tx, &tenant, &wanted, before.as_deref(), limit).await?;
                    let mut items = Vec::with_capacity(rows.len());
                    for row in rows {
                        items.push(view(tx, row).await?);
                    }
                    Ok((items, backfills::total(tx, &tenant, &wanted).await?))
                })
            })
            .await?;
        page::of(&key, query, items, page::total(count), |one: &Backfill| one.backfill_id.as_str().to_owned())
    }

    /// One backfill.
    pub async fn get(&self, caller: &Caller, id: &BackfillId) -> Result<Backfill, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, id) = (caller.tenant.clone(), id.clone());
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let row = found(tx, &tenant, &id).await?;
                    view(tx, row).await
                })
            })
            .await
    }

    /// The windows of a backfill, in the order in which they are read. It has none before it was started.
    pub async fn windows(
        &self,
        caller: &Caller,
        id: &BackfillId,
        query: &PageQuery,
    ) -> Result<Page<BackfillWindow>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, id);
        let after: Option<i64> = page::after(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), id.clone(), i64::from(query.size()) + 1);
        let (rows, count) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let row = found(tx, &tenant, &wanted).await?;
                    let rows = backfills::windows(tx, &row.backfill_id, after, limit).await?;
                    Ok((rows, backfills::count_windows(tx, &row.backfill_id).await?))
                })
            })
            .await?;
        let items = rows.into_iter().map(window_view).collect::<Result<Vec<_>, _>>()?;
        page::of(&key, query, items, u64::try_from(count).ok(), |window: &BackfillWindow| window.position)
    }
}

/// The backfill, or that the tenant has none of this id.
async fn found(tx: &mut Tx, tenant: &Tenant, id: &BackfillId) -> Result<BackfillRow, Error> {
    backfills::get(tx, tenant, id).await?.ok_or_else(|| Error::not_found("backfill", id))
}

fn corrupt(column: &'static str, row: &BackfillRow) -> LedgerError {
    LedgerError::corrupt("backfills", column, &row.backfill_id)
}

/// What was asked for.
fn request(row: &BackfillRow) -> Result<CreateBackfill, Error> {
    Ok(serde_json::from_str(&row.request).map_err(|_| corrupt("request", row))?)
}

fn state(row: &BackfillRow) -> Result<BackfillState, Error> {
    Ok(row.state.parse().map_err(|_| corrupt("state", row))?)
}

fn tenant(row: &BackfillRow) -> Result<Tenant, Error> {
    Ok(row.tenant.parse().map_err(|_| corrupt("tenant", row))?)
}

/// What is known of the source of a wish, for a plan of it.
async fn facts(
    tx: &mut Tx,
    tenant: &Tenant,
    wish: &CreateBackfill,
    own: Option<&str>,
    now: Micros,
) -> Result<Facts, Error> {
    let source = rules::found(tx, tenant, &wish.source_id).await?;
    let mark = watermarks::load(tx, tenant, wish.source_id.as_str()).await?;
    let range = Window { start: wish.from, end: wish.to };
    let failed = [WindowState::Failed];
    let failed =
        backfills::windows_of_source(tx, wish.source_id.as_str(), &failed, range, MOST_FAILED).await?;
    let others = backfills::active_on(tx, wish.source_id.as_str(), range).await?;
    Ok(Facts {
        enabled: source.enabled != 0,
        settings: rules::settings(&source),
        rate: host_buckets::rate_of(tx, &source, now).await?,
        coverage: mark.coverage,
        failed: failed.iter().map(window).collect(),
        others: others
            .into_iter()
            .map(|other| other.backfill_id)
            .filter(|other| Some(other.as_str()) != own)
            .collect(),
    })
}

fn window(row: &WindowRow) -> Window {
    Window { start: Micros(row.window_start), end: Micros(row.window_end) }
}

/// A row as every door shows it.
async fn view(tx: &mut Tx, row: BackfillRow) -> Result<Backfill, Error> {
    let source = sources::get(tx, &row.tenant, &row.source_id).await?;
    let preview = match &row.preview {
        Some(text) => Some(serde_json::from_str(text).map_err(|_| corrupt("preview", &row))?),
        None => None,
    };
    let state = state(&row)?;
    // Nothing to do is done as soon as it is started.
    let of_nothing = f64::from(u8::from(state == BackfillState::Completed));
    Ok(Backfill {
        backfill_id: row.backfill_id.parse().map_err(|_| corrupt("backfill_id", &row))?,
        tenant: tenant(&row)?,
        request: request(&row)?,
        source_name: source.map(|source| source.name).unwrap_or_default(),
        state,
        failure_reason: row.failure_reason,
        planned: row.planned,
        done: row.done,
        failed: row.failed,
        active: row.active,
        progress: if row.planned == 0 { of_nothing } else { row.done as f64 / row.planned as f64 },
        preview,
        reason: row.reason,
        ticket: row.ticket,
        created_by: row.created_by,
        correlation_id: row.correlation_id,
        created_at: Micros(row.created_at),
        started_at: row.started_at.map(Micros),
        ended_at: row.ended_at.map(Micros),
        version: row.version,
    })
}

fn window_view(row: WindowRow) -> Result<BackfillWindow, Error> {
    let corrupt = |column| LedgerError::corrupt("backfill_windows", column, &row.backfill_id);
    Ok(BackfillWindow {
        position: row.position,
        start: Micros(row.window_start),
        end: Micros(row.window_end),
        state: row.state.parse().map_err(|_| corrupt("state"))?,
        job_id: match &row.job_id {
            Some(text) => Some(text.parse().map_err(|_| corrupt("job_id"))?),
            None => None,
        },
        error_code: row.error_code,
        ended_at: row.ended_at.map(Micros),
    })
}

/// Who changes a backfill, and why.
#[derive(Debug, Clone)]
struct Hand {
    actor: Actor,
    cause: Cause,
    correlation_id: String,
}

impl Hand {
    fn of(caller: &Caller) -> Self {
        Self {
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
        }
    }

    /// The engine itself, on behalf of a backfill.
    fn itself(row: &BackfillRow) -> Self {
        Self {
            actor: Actor { subject: "engine/backfill".to_owned(), scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: row.correlation_id.clone(),
        }
    }
}

/// A change of a backfill is written down and told.
fn note(
    journal: &mut Journal,
    row: &BackfillRow,
    hand: &Hand,
    kind: &'static str,
    from: Option<BackfillState>,
    now: Micros,
) -> Result<(), Error> {
    let (tenant, to) = (tenant(row)?, state(row)?);
    let data = told(row);
    journal.enter(
        &tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "backfill",
            kind: kind.to_owned(),
            from_state: from.map(BackfillState::as_str),
            to_state: Some(to.as_str()),
            attempt: None,
            lease_epoch: None,
            actor: hand.actor.clone(),
            cause: hand.cause.clone(),
            correlation_id: hand.correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    tell(journal, &tenant, row, kind, now);
    Ok(())
}

fn tell(journal: &mut Journal, tenant: &Tenant, row: &BackfillRow, kind: &'static str, now: Micros) {
    let tiding = Tiding {
        kind: kind.to_owned(),
        entity: "backfill",
        id: row.backfill_id.clone(),
        run_id: None,
        correlation_id: row.correlation_id.clone(),
        at: now,
        data: told(row),
    };
    journal.tell(tenant, tiding);
}

fn told(row: &BackfillRow) -> Value {
    json!({
        "backfillId": row.backfill_id,
        "sourceId": row.source_id,
        "state": row.state,
        "planned": row.planned,
        "done": row.done,
        "failed": row.failed,
        "active": row.active,
        "failureReason": row.failure_reason,
    })
}
