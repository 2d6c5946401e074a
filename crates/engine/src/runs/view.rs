//! A run as every door shows it, made from its row and the counts of its segments.

use crate::error::Error;
use crate::runs::settle::{self, Marks};
use std::collections::HashMap;
use stella_contract::ids::RunId;
use stella_contract::run::{Determinism, Run, RunState, SegmentCounts};
use stella_contract::time::Micros;
use stella_ledger::runs::{self, RunRow};
use stella_ledger::{LedgerError, Tx};

/// Over how many minutes throughput is taken.
const THROUGHPUT_MINUTES: i64 = 5;

/// What is read beside the rows of runs.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    segments: HashMap<i64, SegmentCounts>,
    done_lately: HashMap<i64, i64>,
}

/// Reads what the views of these runs need beside their rows.
pub(crate) async fn beside(tx: &mut Tx, rows: &[RunRow], now: Micros) -> Result<Beside, LedgerError> {
    let keys: Vec<i64> = rows.iter().map(|row| row.run_key).collect();
    if keys.is_empty() {
        return Ok(Beside::default());
    }
    let running: Vec<i64> =
        rows.iter().filter(|row| row.state == RunState::Running).map(|row| row.run_key).collect();
    let since = now.minus_ms(THROUGHPUT_MINUTES * 60_000);
    let done_lately = match running.is_empty() {
        true => HashMap::new(),
        false => runs::targets_done_since(tx, &running, since).await?.into_iter().collect(),
    };
    Ok(Beside { segments: runs::segment_counts(tx, &keys).await?.into_iter().collect(), done_lately })
}

/// The view of one run.
pub(crate) fn of(row: &RunRow, beside: &Beside) -> Result<Run, Error> {
    let wish = &row.wish;
    let segments = beside.segments.get(&row.run_key).copied().unwrap_or_default();
    let retry_of = wish.retry_of.as_deref().map(str::parse::<RunId>).transpose();
    let marks = Marks {
        kev_first: wish.kev_first,
        mode: wish.mode,
        trigger: wish.trigger,
        trigger_detail: wish.trigger_detail.as_deref(),
        is_retry: wish.retry_of.is_some(),
        state: row.state,
        candidates: row.candidates,
        segments: &segments,
        stale_index: row.stale_index,
    };
    let done = beside.done_lately.get(&row.run_key).copied().unwrap_or(0);
    Ok(Run {
        badges: settle::badges(&marks),
        run_id: row.run_id.clone(),
        tenant: wish.tenant.clone(),
        trigger: wish.trigger,
        trigger_detail: wish.trigger_detail.clone(),
        schedule_id: wish.schedule_id.clone(),
        initiator: wish.initiator.clone(),
        reason: wish.reason.clone(),
        ticket: wish.ticket.clone(),
        mode: wish.mode,
        scope: wish.scope.clone(),
        scope_digest: wish.scope_digest.clone(),
        policy_snapshot_id: wish.policy_snapshot_id.clone(),
        policy_revision: wish.policy_revision,
        state: row.state,
        error_code: row.error_code,
        error_message: row.error_message.clone(),
        planner_shard_count: i32::try_from(wish.planner_shard_count)
            .map_err(|_| LedgerError::corrupt("runs", "planner_shard_count", row.run_key))?,
        impact_index_generation: row.impact_index_generation,
        kev_released: row.kev_released.clone(),
        candidates: row.candidates,
        processed: row.processed,
        failed: row.failed,
        segments,
        deltas: row.deltas,
        findings: row.findings,
        kev_first: wish.kev_first,
        retry_of: retry_of.map_err(|_| LedgerError::corrupt("runs", "retry_of", row.run_key))?,
        only_failed: wish.only_failed,
        determinism: row
            .determinism_score
            .zip(row.determinism_sample)
            .map(|(score, sample)| Determinism { score, sample }),
        correlation_id: wish.correlation_id.clone(),
        created_at: wish.created_at,
        planned_at: row.planned_at,
        started_at: row.started_at,
        executed_at: row.executed_at,
        finished_at: row.finished_at,
        targets_per_minute: (row.state == RunState::Running)
            .then_some(done as f64 / THROUGHPUT_MINUTES as f64),
        version: row.version,
    })
}

/// The view of one run, with all it needs read here.
pub(crate) async fn read(tx: &mut Tx, row: &RunRow, now: Micros) -> Result<Run, Error> {
    let beside = beside(tx, std::slice::from_ref(row), now).await?;
    of(row, &beside)
}
