//! Makes the planned windows of running backfills into jobs: as many as may be under way at once, no faster than their
//! share of the source's rate, and not beside a live reading unless they may.

use super::settle::job_key;
use super::{plan, request, tell, tenant, window};
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::host_buckets;
use crate::ingest::IngestOrder;
use crate::jobs::{self, JobWish, Payload};
use crate::journal::Journal;
use crate::pressure::holds_backfills;
use crate::sources as rules;
use stella_contract::backfill::{self, BACKFILL_PRIORITY, CreateBackfill, OverlapPolicy, WindowState};
use stella_contract::time::Micros;
use stella_ledger::backfills::{self, BackfillRow, WindowRow};
use stella_ledger::sources::SourceRow;
use stella_ledger::{Tx, key_of};

/// Windows that one backfill may have.
pub(super) const MOST_WINDOWS: i64 = backfill::MOST_WINDOWS;

/// What feeding came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fed {
    /// Windows that became jobs.
    pub(crate) windows: usize,
    /// When the rate allows the next.
    pub(crate) next_at: Option<Micros>,
}

/// Feeds every running backfill, in the order of their making.
pub(crate) async fn feed(engine: &Engine, tx: &mut Tx, by: &By, now: Micros) -> Result<Fed, Error> {
    let mut journal = Journal::default();
    let mut fed = Fed::default();
    for row in backfills::running(tx).await? {
        let one = feed_one(engine, tx, row, by, now, &mut journal).await?;
        fed.windows += one.windows;
        fed.next_at = match (fed.next_at, one.next_at) {
            (Some(first), Some(second)) => Some(first.min(second)),
            (first, second) => first.or(second),
        };
    }
    journal.leave(tx);
    Ok(fed)
}

async fn feed_one(
    engine: &Engine,
    tx: &mut Tx,
    mut row: BackfillRow,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Fed, Error> {
    let (tenant, wish) = (tenant(&row)?, request(&row)?);
    let source = rules::found(tx, &tenant, &wish.source_id).await?;
    let room = wish.max_active - row.active;
    if room <= 0 || !may_go_on(tx, &source, &wish, &row).await? {
        return Ok(Fed::default());
    }
    let rate = host_buckets::rate_of(tx, &source, now).await?;
    let pace = plan::Pace { rate, capacity: source.bucket_capacity };
    let planned = backfills::windows_in(tx, &row.backfill_id, WindowState::Planned, room).await?;
    let used_until = row.next_feed_at.map(Micros);
    let (count, until) = plan::pace(&wish, pace, used_until, now, planned.len() as i64);
    let next_at = Some(plan::due(&wish, pace, until)).filter(|_| (count as usize) < planned.len());
    if count == 0 {
        return Ok(Fed { windows: 0, next_at });
    }
    let windows: Vec<WindowRow> = planned.into_iter().take(count as usize).collect();
    let wishes = windows
        .iter()
        .map(|one| job_of(&row, &wish, &source, one, now))
        .collect::<Result<Vec<_>, Error>>()?;
    let made = jobs::insert_many(engine, tx, wishes, by, now, journal).await?;
    let fed: Vec<(i64, i64, &str)> = windows
        .iter()
        .zip(&made)
        .map(|(one, made)| (one.position, key_of(&made.job.job_id), made.job.job_id.as_str()))
        .collect();
    backfills::feed(tx, &row.backfill_id, &fed).await?;
    row.active += count;
    row.next_feed_at = Some(until.0);
    super::steer::store(tx, &mut row).await?;
    tell(journal, &tenant, &row, "orch.backfill.progress", now);
    Ok(Fed { windows: windows.len(), next_at })
}

/// Whether the source may be read, and no live reading is to be waited for.
async fn may_go_on(
    tx: &mut Tx,
    source: &SourceRow,
    wish: &CreateBackfill,
    row: &BackfillRow,
) -> Result<bool, Error> {
    if rules::refusal(source).is_some() || holds_backfills(tx, &tenant(row)?).await? {
        return Ok(false);
    }
    match wish.overlap_policy {
        OverlapPolicy::AllowAll => Ok(true),
        OverlapPolicy::BufferAll => Ok(rules::open_reading(tx, &tenant(row)?, source).await?.is_none()),
    }
}

fn job_of(
    row: &BackfillRow,
    wish: &CreateBackfill,
    source: &SourceRow,
    one: &WindowRow,
    now: Micros,
) -> Result<JobWish, Error> {
    let window = window(one);
    let order = IngestOrder { window: Some(window), ..IngestOrder::whole(wish.source_id.clone(), false) };
    let payload = Payload::of(&serde_json::to_value(&order).map_err(Error::internal)?)?;
    let job_type = rules::job_type(source)?;
    Ok(JobWish {
        source_id: Some(wish.source_id.clone()),
        priority: BACKFILL_PRIORITY,
        idempotency_key: Some(job_key(row, window.start, window.end)),
        not_before: source.not_before.map(Micros).filter(|at| *at > now),
        created_by: row.created_by.clone(),
        ..JobWish::new(tenant(row)?, &job_type, payload, &row.correlation_id)
    })
}
