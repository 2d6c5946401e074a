//! Throttles as their operators see them: what holds jobs back now, what did, and ending one by hand (spec 02 §2.5).

use crate::breakers;
use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate;
use crate::journal::Journal;
use crate::limit_changes::{Change, note};
use crate::limits::host_of;
use crate::page;
use std::collections::HashMap;
use stella_contract::error::Code;
use stella_contract::ids::{Tenant, ThrottleId};
use stella_contract::job::WaitReason;
use stella_contract::page::{Page, PageQuery};
use stella_contract::quota::EVERY_TYPE;
use stella_contract::scope::Scope;
use stella_contract::throttle::{Throttle, ThrottleFilter, ThrottleKind};
use stella_contract::time::Micros;
use stella_ledger::record::Cell;
use stella_ledger::throttles::ThrottleRow;
use stella_ledger::{Tx, buckets, limits, throttles};

/// The throttles.
#[derive(Clone)]
pub struct Throttles {
    engine: Engine,
}

impl Engine {
    /// The throttles.
    pub fn throttles(&self) -> Throttles {
        Throttles { engine: self.clone() }
    }
}

impl Throttles {
    /// The throttles that match, the active ones first, then the newest.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &ThrottleFilter,
        query: &PageQuery,
    ) -> Result<Page<Throttle>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, filter);
        let after: Option<(i64, i64, String)> = page::after(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let now = self.engine.now();
        let (items, total): (Vec<Throttle>, Option<i64>) = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let kind = wanted.kind.map(ThrottleKind::as_str);
                    let after = after.as_ref().map(|(active, at, id)| (*active, *at, id.as_str()));
                    let rows =
                        throttles::list(tx, tenant.as_str(), (wanted.active, kind), after, limit).await?;
                    let total = throttles::total(tx, tenant.as_str(), wanted.active, kind).await?;
                    let waiting = Waiting::of(tx, &tenant, now).await?;
                    let items = rows.into_iter().map(|row| shown(row, &waiting)).collect::<Result<_, _>>()?;
                    Ok::<_, Error>((items, total))
                })
            })
            .await?;
        page::of(&key, query, items, page::total(total), |throttle| {
            let id = throttle.throttle_id.as_str().to_owned();
            (i64::from(throttle.cleared_at.is_none()), throttle.started_at.0, id)
        })
    }

    /// Ends a throttle. Of a bucket it ends the freeze, of a breaker it is a reset; what a quota, a blackout or pressure
    /// holds back stays held, and is written down anew when it is met again. One that has ended is refused.
    pub async fn clear(&self, caller: &Caller, id: &ThrottleId) -> Result<Throttle, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller, id) = (self.engine.clone(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let (now, mut journal) = (engine.now(), Journal::default());
                    let row = throttles::get(tx, caller.tenant.as_str(), id.as_str()).await?;
                    let row = row.ok_or_else(|| Error::not_found("throttle", &id))?;
                    if row.cleared_at.is_some() {
                        return Err(Error::new(Code::InvalidTransition, "The throttle has already ended."));
                    }
                    lift(tx, &caller, &row, now, &mut journal).await?;
                    throttles::clear_many(tx, &[id.as_str()], now.0, &caller.subject).await?;
                    let after = throttles::get(tx, caller.tenant.as_str(), id.as_str()).await?;
                    let after =
                        after.ok_or_else(|| Error::internal("a throttle that was just read is gone"))?;
                    let waiting = Waiting::of(tx, &caller.tenant, now).await?;
                    let (before, after) = (shown(row, &waiting)?, shown(after, &waiting)?);
                    let change = Change {
                        entity: "throttle",
                        kind: "orch.throttle.cleared",
                        id: id.as_str(),
                        before: Some(&before),
                        after: Some(&after),
                    };
                    note(&mut journal, &caller, &change, now)?;
                    journal.leave(tx);
                    Ok(after)
                })
            })
            .await
    }
}

/// Takes away what the throttle tells of, as far as that is a state and not a limit.
async fn lift(
    tx: &mut Tx,
    caller: &Caller,
    row: &ThrottleRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let kind: ThrottleKind =
        Cell { table: "throttles", id: &row.throttle_id }.word("kind", row.kind.clone())?;
    match kind {
        ThrottleKind::Bucket => {
            let rows = buckets::of_hosts(tx, &[row.key.as_str()]).await?;
            let found = rows.into_iter().find(|bucket| bucket.tenant == row.tenant);
            if let Some(mut bucket) = found {
                crate::limits::bucket::refill(&mut bucket, now);
                bucket.frozen_until = None;
                bucket.tokens = bucket.tokens.max(1.0);
                bucket.version += 1;
                buckets::put(tx, &bucket).await?;
            }
            Ok(())
        }
        ThrottleKind::Breaker => breakers::reset_of_key(tx, caller, &row.key, now, journal).await,
        ThrottleKind::Quota | ThrottleKind::Blackout | ThrottleKind::Backpressure | ThrottleKind::Manual => {
            Ok(())
        }
    }
}

/// What a tenant's jobs wait for.
pub(crate) struct Waiting {
    rows: Vec<gate::Waiting>,
    hosts: HashMap<String, String>,
}

impl Waiting {
    pub(crate) async fn of(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Self, Error> {
        let rows = gate::waiting(tx, tenant, now).await?;
        let ids: Vec<&str> = rows.iter().filter_map(|row| row.source_id.as_deref()).collect();
        let facts = limits::sources(tx, &ids).await?;
        let hosts =
            facts.into_iter().filter_map(|row| Some((row.source_id, host_of(&row.location)?))).collect();
        Ok(Self { rows, hosts })
    }
    /// How many jobs wait for this thing.
    pub(crate) fn for_key(&self, kind: ThrottleKind, key: &str) -> i64 {
        let of_type = |job_type: &str| key == EVERY_TYPE || job_type == key;
        let of_host = |source: &Option<String>| {
            source.as_ref().and_then(|id| self.hosts.get(id)).is_some_and(|host| host == key)
        };
        self.rows
            .iter()
            .filter(|row| match kind {
                ThrottleKind::Bucket => row.hold.reason == WaitReason::RateLimited && of_host(&row.source_id),
                ThrottleKind::Quota => {
                    of_type(&row.job_type)
                        && matches!(
                            row.hold.reason,
                            WaitReason::QuotaMaxActive
                                | WaitReason::QuotaMaxPerHour
                                | WaitReason::RateLimited
                        )
                }
                ThrottleKind::Breaker => {
                    row.hold.reason == WaitReason::BreakerOpen
                        && (row.job_type == key || of_host(&row.source_id))
                }
                ThrottleKind::Blackout => row.hold.reason == WaitReason::Blackout,
                ThrottleKind::Backpressure => row.hold.reason == WaitReason::Backpressure,
                ThrottleKind::Manual => row.hold.reason == WaitReason::Paused && of_type(&row.job_type),
            })
            .map(|row| row.jobs)
            .sum()
    }
}

fn shown(row: ThrottleRow, waiting: &Waiting) -> Result<Throttle, Error> {
    let id = row.throttle_id.clone();
    let cell = Cell { table: "throttles", id: &id };
    let kind: ThrottleKind = cell.word("kind", row.kind)?;
    let affected_jobs = if row.cleared_at.is_none() { waiting.for_key(kind, &row.key) } else { 0 };
    let last_status = row.last_status.map(|status| cell.small("last_status", status)).transpose()?;
    Ok(Throttle {
        throttle_id: cell.word("throttle_id", row.throttle_id)?,
        tenant: cell.word("tenant", row.tenant)?,
        kind,
        key: row.key,
        reason: cell.word("reason", row.reason)?,
        level: cell.word("level", row.level)?,
        started_at: Micros(row.started_at),
        until: row.until.map(Micros),
        rate_now: row.rate_now,
        rate_base: row.rate_base,
        hits: row.hits,
        last_status,
        affected_jobs,
        actor: row.actor,
        operator_reason: row.operator_reason,
        ticket: row.ticket,
        cleared_at: row.cleared_at.map(Micros),
        cleared_by: row.cleared_by,
    })
}
