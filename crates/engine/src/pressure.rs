//! Pressure as operators see it: levels and gauges, pools of workers, buckets of hosts; and what is refused at the door
//! (spec 02 §2.4, §2.8).

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, demand_within, note};
use crate::limits::levels::Standing;
use crate::limits::{bucket, host_of, pool, uuid_of};
use serde::{Deserialize, Serialize};
use stella_contract::error::Code;
use stella_contract::ids::{BucketId, Tenant};
use stella_contract::pressure::{
    Bucket, GaugeReading, LimitPool, OverrideBucket, Pool, Pressure as Told, PressureLevel,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::buckets::BucketRow;
use stella_ledger::pressure::{PoolRow, PressureRow};
use stella_ledger::record::Cell;
use stella_ledger::{Tx, bucket_samples, buckets, limits, pressure};

/// A worker that was not heard of for so long does not work.
const HEARD_MS: i64 = 90_000;
/// An override lasts at most a day.
const LONGEST_OVERRIDE_MS: i64 = 24 * 3_600 * 1_000;
/// The highest rate an operator may set.
const MOST_RATE: f64 = 1_000.0;
/// Under pressure fires of schedules are put off by up to so much.
const FIRE_SPREAD_MS: i64 = 30_000;
/// When a refused submission may come again.
const COME_BACK_MS: u64 = 30_000;

/// The pressure.
#[derive(Clone)]
pub struct Pressure {
    engine: Engine,
}

impl Engine {
    /// The pressure.
    pub fn pressure(&self) -> Pressure {
        Pressure { engine: self.clone() }
    }
}

/// What is kept of a tenant's pressure beside its level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) standing: Standing,
    pub(crate) readings: Vec<GaugeReading>,
}

impl Pressure {
    /// The level in force, what the gauges show, the pools and the buckets.
    pub async fn get(&self, caller: &Caller) -> Result<Told, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let row = pressure::all(tx).await?.into_iter().find(|row| row.tenant == tenant.as_str());
                    let kept = row.as_ref().map(kept).transpose()?;
                    let standing =
                        kept.as_ref().map_or_else(|| Standing::calm(now), |kept| kept.standing.clone());
                    let asked = row.as_ref().map_or(0, |row| row.asked);
                    Ok::<_, Error>(Told {
                        level: standing.level,
                        since: standing.since,
                        asked: PressureLevel::of(asked),
                        gauges: kept.map_or_else(Vec::new, |kept| kept.readings),
                        read_at: row.map(|row| Micros(row.read_at)),
                        pools: pools(tx, now).await?,
                        buckets: all_buckets(tx, &tenant, now).await?,
                        tenant,
                    })
                })
            })
            .await
    }

    /// Sets the rate of a bucket for at most a day, or gives it back to the rules.
    pub async fn override_bucket(
        &self,
        caller: &Caller,
        id: &BucketId,
        expected: Option<i64>,
        wish: OverrideBucket,
    ) -> Result<Bucket, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller, id) = (self.engine.clone(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let rows = buckets::of_tenant(tx, caller.tenant.as_str()).await?;
                    let found = rows.into_iter().find(|row| row.bucket_id == id.as_str());
                    let mut row = found.ok_or_else(|| Error::not_found("bucket", &id))?;
                    demand_version(expected, row.version)?;
                    bucket::refill(&mut row, now);
                    let before = bucket_view(tx, row.clone()).await?;
                    overridden(&mut row, &caller, &wish, now)?;
                    row.version += 1;
                    buckets::put(tx, &row).await?;
                    let after = bucket_view(tx, row).await?;
                    let mut journal = Journal::default();
                    let change = Change {
                        entity: "bucket",
                        kind: "orch.bucket.overridden",
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

    /// Bounds a pool of workers by a number or by the rule, or takes its bound away.
    pub async fn limit_pool(&self, caller: &Caller, wish: LimitPool) -> Result<Pool, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        if let Some(limit) = wish.limit {
            demand_within("limit", limit, pool::LEAST..=pool::MOST)?;
            if wish.follow {
                return Err(Error::invalid("follow", "not together with a limit"));
            }
        }
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let known = pools(tx, now).await?;
                    let before = known.into_iter().find(|pool| pool.pool == wish.pool);
                    let before = before.ok_or_else(|| Error::not_found("pool", &wish.pool))?;
                    let found = pressure::pools(tx).await?.into_iter().find(|row| row.pool == wish.pool);
                    let mut row = found.unwrap_or_else(|| new_pool(&wish.pool, now));
                    row.max_held = if wish.follow { Some(row.recommended) } else { wish.limit };
                    row.follows = i64::from(wish.follow);
                    pressure::put_pool(tx, &row).await?;
                    engine.limits_changed();
                    tx.note_ready();
                    let after = pools(tx, now).await?.into_iter().find(|pool| pool.pool == wish.pool);
                    let after =
                        after.ok_or_else(|| Error::internal("a pool that was just bounded is gone"))?;
                    let mut journal = Journal::default();
                    let change = Change {
                        entity: "pool",
                        kind: "orch.pool.limited",
                        id: &wish.pool,
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

/// Refuses submissions of a priority that the level of the tenant does not take in.
pub(crate) async fn demand_room(
    engine: &Engine,
    tx: &mut Tx,
    tenant: &Tenant,
    priorities: &[i32],
) -> Result<(), Error> {
    if !engine.may_be_limited() {
        return Ok(());
    }
    let rows = pressure::all(tx).await?;
    let level = rows.iter().find(|row| row.tenant == tenant.as_str()).map_or(0, |row| row.level);
    let (level, lowest) = (PressureLevel::of(level), PressureLevel::of(level).lowest_priority());
    let Some(refused) = priorities.iter().find(|priority| **priority < lowest) else { return Ok(()) };
    let sentence = format!(
        "The pressure is {level}: jobs of priority {refused} are not taken in now. Submit with priority {lowest} or \
         more, or come back later."
    );
    Err(Error::new(Code::Backpressure, sentence).with_retry_after_ms(COME_BACK_MS))
}

/// By how much fires of schedules are put off: from level 1 on by up to half a minute, the same for the same fire, so
/// that not everything starts at once. Read once for many schedules; for the scheduler.
#[derive(Debug, Clone, Default)]
pub struct FireDelays {
    /// The tenants that are under pressure.
    pressed: Vec<String>,
}

impl FireDelays {
    /// Reads the pressure of everybody.
    pub async fn read(tx: &mut Tx) -> Result<Self, Error> {
        let rows = pressure::all(tx).await?.into_iter();
        let pressed = rows.filter(|row| row.level >= PressureLevel::Elevated.number());
        Ok(Self { pressed: pressed.map(|row| row.tenant).collect() })
    }

    /// By how many milliseconds this fire is put off.
    pub fn of(&self, tenant: &Tenant, schedule_id: &str, fires_at: Micros) -> i64 {
        if !self.pressed.iter().any(|pressed| pressed == tenant.as_str()) {
            return 0;
        }
        let uuid = uuid_of(&["fire", tenant.as_str(), schedule_id], fires_at.0);
        let chance = uuid.get(..8).and_then(|hex| i64::from_str_radix(hex, 16).ok()).unwrap_or(0);
        chance % (FIRE_SPREAD_MS + 1)
    }
}

/// Whether backfills of a tenant are held: from level 2 on; for who feeds them.
pub(crate) async fn holds_backfills(tx: &mut Tx, tenant: &Tenant) -> Result<bool, Error> {
    let rows = pressure::all(tx).await?;
    Ok(rows.iter().any(|row| row.tenant == tenant.as_str() && row.level >= PressureLevel::High.number()))
}

pub(crate) fn kept(row: &PressureRow) -> Result<Kept, Error> {
    Ok(Cell { table: "pressure", id: &row.tenant }.json("gauges", &row.gauges)?)
}

fn overridden(row: &mut BucketRow, caller: &Caller, wish: &OverrideBucket, now: Micros) -> Result<(), Error> {
    let Some(rate) = wish.rate else {
        if wish.until.is_some() {
            return Err(Error::invalid("until", "belongs to a rate"));
        }
        (row.override_rate, row.override_until, row.overridden_by) = (None, None, None);
        return Ok(());
    };
    if !(0.0..=MOST_RATE).contains(&rate) {
        return Err(Error::invalid("rate", format!("is 0 to {MOST_RATE} per second")));
    }
    let latest = now.plus_ms(LONGEST_OVERRIDE_MS);
    let until = wish.until.unwrap_or(latest);
    if until <= now || until > latest {
        return Err(Error::invalid("until", "lies in the future, at most 24 hours away"));
    }
    row.override_rate = Some(rate);
    row.override_until = Some(until.0);
    row.overridden_by = Some(caller.subject.clone());
    row.frozen_until = None;
    Ok(())
}

/// A pool that nobody has looked at yet.
pub(crate) fn new_pool(name: &str, now: Micros) -> PoolRow {
    PoolRow {
        pool: name.to_owned(),
        max_held: None,
        recommended: pool::START,
        utilisation: 0.0,
        error_rate: 0.0,
        p95_ms: None,
        median_ms: None,
        adjusted_at: now.0,
        follows: 0,
    }
}

async fn pools(tx: &mut Tx, now: Micros) -> Result<Vec<Pool>, Error> {
    let workers = pressure::workers(tx, now.minus_ms(HEARD_MS).0).await?;
    let rows = pressure::pools(tx).await?;
    let live = limits::live(tx).await?;
    Ok(workers
        .into_iter()
        .map(|(name, places)| {
            let found = rows.iter().find(|row| row.pool == name).cloned();
            let row = found.unwrap_or_else(|| new_pool(&name, now));
            let held = live.iter().filter(|lease| lease.pool.as_deref() == Some(name.as_str())).count();
            Pool {
                limit: row.max_held.unwrap_or(places),
                fixed: row.max_held.is_some() && row.follows == 0,
                follows: row.follows != 0,
                in_use: i64::try_from(held).unwrap_or(i64::MAX),
                recommended: row.recommended,
                utilisation: row.utilisation,
                error_rate: row.error_rate,
                p95_ms: row.p95_ms,
                median_ms: row.median_ms,
                adjusted_at: Micros(row.adjusted_at),
                pool: name,
            }
        })
        .collect())
}

async fn all_buckets(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Vec<Bucket>, Error> {
    let from = now.minus_ms(bucket::PAST_MS).0;
    let noted = bucket_samples::since(tx, tenant.as_str(), from).await?;
    let mut all = Vec::new();
    for mut row in buckets::of_tenant(tx, tenant.as_str()).await? {
        bucket::refill(&mut row, now);
        let bucket = bucket_view(tx, row).await?;
        let own = noted.iter().filter(|one| one.host == bucket.host).map(|one| (one.at, one.rate));
        let rates = bucket::past(&own.collect::<Vec<_>>(), bucket.base_rate, bucket.current_rate, now);
        all.push(Bucket { rates, ..bucket });
    }
    Ok(all)
}

async fn bucket_view(tx: &mut Tx, row: BucketRow) -> Result<Bucket, Error> {
    let located = buckets::locations(tx, &row.tenant).await?;
    let of_host =
        located.iter().filter(|(_, location)| host_of(location).as_deref() == Some(row.host.as_str()));
    let ids: Vec<&str> = of_host.map(|(id, _)| id.as_str()).collect();
    let success_streak = buckets::succeeded(tx, &ids, row.streak_from).await?;
    let id = row.bucket_id.clone();
    let cell = Cell { table: "buckets", id: &id };
    Ok(Bucket {
        current_rate: bucket::rate_at(&row, row.refilled_at),
        bucket_id: cell.word("bucket_id", row.bucket_id)?,
        tenant: cell.word("tenant", row.tenant)?,
        host: row.host,
        tokens: row.tokens,
        capacity: row.capacity,
        base_rate: row.base_rate,
        rates: Vec::new(),
        frozen_until: row.frozen_until.map(Micros),
        success_streak,
        throttled_at: row.throttled_at.map(Micros),
        override_until: row.override_until.map(Micros),
        overridden_by: row.overridden_by,
        version: row.version,
    })
}
