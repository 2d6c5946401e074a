//! How the jobs of backfills end is noted on their windows, in the transaction that ends them.

use super::steer::{go, kind, store};
use super::{Hand, found, note, state, tell, tenant, window};
use crate::change::JobChange;
use crate::error::Error;
use crate::journal::Journal;
use crate::{sources as rules, watermarks};
use std::collections::BTreeMap;
use stella_contract::backfill::{
    BackfillEvent, MOST_FAILURES_IN_A_ROW, WindowEvent, WindowState, next_window,
};
use stella_contract::ids::{BackfillId, Tenant};
use stella_contract::job::JobState;
use stella_contract::source::SourceType;
use stella_contract::time::Micros;
use stella_ledger::backfills::{self, BackfillRow, WindowRow};
use stella_ledger::{LedgerError, Tx, jobs, key_of};

/// What the key of a window's job begins with; the id of its backfill follows.
const KEY: &str = "bf:";
/// The length of a backfill's id.
const ID_LENGTH: usize = BackfillId::PREFIX.len() + 36;

/// The key of a window's job: the same window of the same backfill is the same job.
pub(super) fn job_key(row: &BackfillRow, start: Micros, end: Micros) -> String {
    format!("{KEY}{}:{start}:{end}", row.backfill_id)
}

/// The backfill that made a job.
fn backfill_of(idempotency_key: &str) -> Option<BackfillId> {
    idempotency_key.strip_prefix(KEY)?.get(..ID_LENGTH)?.parse().ok()
}

/// Notes on their windows which jobs of backfills ended, and ends a backfill with its last window or its fifth failure
/// in a row. Nothing is asked of the ledger when no such job is among them.
pub(crate) async fn jobs_changed(
    tx: &mut Tx,
    changes: &[JobChange],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let mut ended: BTreeMap<(Tenant, BackfillId), Vec<&JobChange>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.after.job.state.is_final()) {
        let job = &change.after.job;
        if let Some(id) = backfill_of(&job.idempotency_key) {
            ended.entry((job.tenant.clone(), id)).or_default().push(change);
        }
    }
    for change in changes.iter().filter(|change| change.after.job.state.is_final()) {
        repeat_ended(tx, change, now, journal).await?;
    }
    for ((tenant, id), changes) in ended {
        let mut row = found(tx, &tenant, &id).await?;
        let mut did = false;
        for change in changes {
            did |= end_window(tx, &mut row, change, now).await?;
        }
        if did {
            conclude(tx, row, now, journal).await?;
        }
    }
    Ok(())
}

/// Whether the job had a window that was not known to have ended.
async fn end_window(
    tx: &mut Tx,
    row: &mut BackfillRow,
    change: &JobChange,
    now: Micros,
) -> Result<bool, Error> {
    let job = &change.after.job;
    let Some(event) = event_of(job.state) else { return Ok(false) };
    let to = next_window(WindowState::Running, event)?;
    let key = change.after.key;
    if to == WindowState::Done {
        cover(tx, row, key, now).await?;
    }
    if backfills::end_window(tx, key, to, job.error_code.as_deref(), now.0).await? == 0 {
        return Ok(false);
    }
    row.active -= 1;
    match to {
        WindowState::Done => {
            row.done += 1;
            row.failures_in_a_row = 0;
        }
        WindowState::Failed => {
            row.failed += 1;
            row.failures_in_a_row += 1;
        }
        WindowState::Cancelled | WindowState::Planned | WindowState::Running | WindowState::AlreadyDone => {}
    }
    Ok(true)
}

/// What the end of its job is to a window; nothing while the job is open.
const fn event_of(job: JobState) -> Option<WindowEvent> {
    match job {
        JobState::Succeeded => Some(WindowEvent::Complete),
        JobState::Failed | JobState::TimedOut => Some(WindowEvent::Fail),
        JobState::Cancelled | JobState::Skipped => Some(WindowEvent::Cancel),
        JobState::Pending | JobState::Queued | JobState::Leased | JobState::Running => None,
    }
}

/// A job that repeats the one of a window that was not read takes its place: its success is the window's, its failure
/// leaves the window as it is, for the next repeat.
async fn repeat_ended(
    tx: &mut Tx,
    change: &JobChange,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let job = &change.after.job;
    let Some(before) = job.replay_of.as_ref().or(job.retry_of.as_ref()).map(key_of) else { return Ok(()) };
    // A repeat that was cancelled leaves the window to its first job, for the next repeat.
    let Some(event) = event_of(job.state).filter(|event| *event != WindowEvent::Cancel) else {
        return Ok(());
    };
    let Some(unread) = backfills::unread_window(tx, before).await? else { return Ok(()) };
    let original = jobs::get_many(tx, &[before]).await?.pop();
    // One whose payload was changed read something else.
    if original.is_none_or(|original| original.job.payload_digest != job.payload_digest) {
        return Ok(());
    }
    let from: WindowState = unread
        .state
        .parse()
        .map_err(|_| LedgerError::corrupt("backfill_windows", "state", &unread.backfill_id))?;
    let to = next_window(from, event)?;
    let by = (change.after.key, job.job_id.as_str());
    let error_code = job.error_code.as_deref().filter(|_| to == WindowState::Failed);
    backfills::take_window_over(tx, &unread, by, to, error_code, now.0).await?;
    let id: BackfillId = unread
        .backfill_id
        .parse()
        .map_err(|_| LedgerError::corrupt("backfill_windows", "backfill_id", &unread.backfill_id))?;
    let mut row = found(tx, &job.tenant, &id).await?;
    row.failed -= i64::from(from == WindowState::Failed);
    if to == WindowState::Done {
        cover_window(tx, &row, &unread, now).await?;
        row.done += 1;
        row.failures_in_a_row = 0;
    } else {
        row.failed += 1;
    }
    conclude(tx, row, now, journal).await
}

/// The window that a running job reads is covered.
async fn cover(tx: &mut Tx, row: &BackfillRow, job_key: i64, now: Micros) -> Result<(), Error> {
    let running =
        backfills::windows_in(tx, &row.backfill_id, WindowState::Running, super::feed::MOST_WINDOWS).await?;
    match running.iter().find(|one| one.job_key == Some(job_key)) {
        Some(done) => cover_window(tx, row, done, now).await,
        None => Ok(()),
    }
}

/// A worker of somebody's own has no effect of ours in its success, so that its window is noted as covered here.
async fn cover_window(tx: &mut Tx, row: &BackfillRow, done: &WindowRow, now: Micros) -> Result<(), Error> {
    let tenant = tenant(row)?;
    let source = stella_ledger::sources::get(tx, tenant.as_str(), &row.source_id).await?;
    let Some(source) = source else { return Ok(()) };
    if rules::source_type(&source)? != SourceType::Custom {
        return Ok(());
    }
    let mut mark = watermarks::load(tx, &tenant, &row.source_id).await?;
    mark.coverage.filled(window(done));
    mark.save(tx, now).await
}

/// Stores the counts, and ends the backfill when there is nothing left or no hope.
async fn conclude(
    tx: &mut Tx,
    mut row: BackfillRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let from = state(&row)?;
    let event = if from.is_active() { end(tx, &row).await? } else { None };
    let Some(event) = event else {
        store(tx, &mut row).await?;
        let tenant = tenant(&row)?;
        tell(journal, &tenant, &row, "orch.backfill.progress", now);
        tx.note_work();
        return Ok(());
    };
    go(&mut row, event)?;
    row.ended_at = Some(now.0);
    if event == BackfillEvent::Fail {
        row.failure_reason = Some("consecutive_failures".to_owned());
        backfills::cancel_planned(tx, &row.backfill_id, now.0).await?;
    }
    store(tx, &mut row).await?;
    note(journal, &row, &Hand::itself(&row), kind(from, state(&row)?), Some(from), now)
}

/// How it ends, when it does.
async fn end(tx: &mut Tx, row: &BackfillRow) -> Result<Option<BackfillEvent>, Error> {
    if row.failures_in_a_row >= MOST_FAILURES_IN_A_ROW as i64 {
        return Ok(Some(BackfillEvent::Fail));
    }
    let planned = backfills::windows_in(tx, &row.backfill_id, WindowState::Planned, 1).await?;
    if row.active > 0 || !planned.is_empty() {
        return Ok(None);
    }
    let is_whole = row.done == row.planned;
    Ok(Some(if is_whole { BackfillEvent::Finish } else { BackfillEvent::FinishWithErrors }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_job_names_its_backfill() {
        let id = "bf_01890000-0000-7000-8000-000000000000";
        let key = format!("bf:{id}:2026-01-01T00:00:00.000Z:2026-01-02T00:00:00.000Z");
        assert_eq!(backfill_of(&key).unwrap().as_str(), id);
        for other in ["", "bf:", "bf:bf_1", "cron:x", id] {
            assert_eq!(backfill_of(other), None, "{other}");
        }
    }
}
