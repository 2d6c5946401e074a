//! The fence: what a lease holder says counts only under its lease id and epoch, and only in a state that allows it.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::jobs::guard;
use crate::on_db;
use crate::record::{HotRow, JobRecord, hot_records, packed_job, records};
use crate::set::json;
use serde::Serialize;
use std::collections::BTreeSet;
use stella_contract::ids::{JobId, LeaseId};
use stella_contract::job::{ErrorClass, JobEvent, JobState, WaitReason};
use stella_contract::time::Micros;

/// Under which lease somebody speaks for a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The job.
    pub job_id: JobId,
    /// The lease.
    pub lease_id: LeaseId,
    /// How often the job had been claimed then.
    pub lease_epoch: i64,
}

impl Fence {
    /// The fence of the lease that a held job is under.
    pub fn of(record: &JobRecord) -> Option<Self> {
        let lease_id = record.job.lease_id.clone()?;
        Some(Self { job_id: record.job.job_id.clone(), lease_id, lease_epoch: record.job.lease_epoch })
    }
}

/// What became of a set of fenced changes. A lost lease is an answer, not an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fenced {
    /// Changed; the jobs as they are now.
    pub done: Vec<JobRecord>,
    /// There, but under another lease or in a state that does not allow it; the jobs as they are.
    pub lost: Vec<JobRecord>,
    /// Not there.
    pub unknown: Vec<JobId>,
}

/// One fenced change as a row of the set.
#[derive(Serialize)]
struct Row<'a, C: Serialize> {
    key: i64,
    lease_id: &'a str,
    lease_epoch: i64,
    #[serde(flatten)]
    change: C,
}

/// Nothing but the fence.
#[derive(Serialize)]
struct Bare {}

const ACK: Sql = Sql {
    sqlite: concat!("
        update jobs
        set state = 'running', lease_until = $3, started_at = coalesce(started_at, $4), attempt_started_at = $4,
            ack_timeouts = 0, version = version + 1
        from jsonb_each(jsonb($1)) as said
        where jobs.key = said.value ->> 'key'
          and jobs.lease_id = said.value ->> 'lease_id'
          and jobs.lease_epoch = said.value ->> 'lease_epoch'
          and jobs.state in (select value from json_each($2))
        returning ",
        packed_job!()
    ),
    postgres: "
        update jobs
        set state = 'running', lease_until = $3, started_at = coalesce(started_at, $4), attempt_started_at = $4,
            ack_timeouts = 0, version = version + 1
        from json_to_recordset($1::json) as said (key bigint, lease_id text, lease_epoch bigint)
        where jobs.key = said.key
          and jobs.lease_id = said.lease_id
          and jobs.lease_epoch = said.lease_epoch
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

/// The workers start.
pub async fn ack_many(
    tx: &mut Tx,
    fences: &[Fence],
    lease_until: Micros,
    now: Micros,
) -> Result<Fenced, LedgerError> {
    let set = fences.iter().map(|fence| (fence, Bare {}));
    change(tx, ACK, set, JobEvent::Ack, &[lease_until.0, now.0]).await
}

/// A sign of life, with or without progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    /// Who says it of which job.
    pub fence: Fence,
    /// How far it is.
    pub progress: Option<Progress>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// Items done.
    pub processed: i64,
    /// Items in all; 0 while not known.
    pub total: i64,
    /// What it is doing.
    pub message: Option<String>,
}

#[derive(Serialize)]
struct BeatRow<'a> {
    progress: Option<f64>,
    message: Option<&'a str>,
    processed: Option<i64>,
    total: Option<i64>,
}

const EXTEND: Sql = Sql {
    sqlite: concat!(
        "
        update jobs
        set lease_until = $3, progress = coalesce(said.value ->> 'progress', jobs.progress),
            progress_message = coalesce(said.value ->> 'message', jobs.progress_message),
            processed = coalesce(said.value ->> 'processed', jobs.processed),
            total = coalesce(said.value ->> 'total', jobs.total), version = version + 1
        from jsonb_each(jsonb($1)) as said
        where jobs.key = said.value ->> 'key'
          and jobs.lease_id = said.value ->> 'lease_id'
          and jobs.lease_epoch = said.value ->> 'lease_epoch'
          and jobs.state in (select value from json_each($2))
        returning ",
        packed_job!()
    ),
    postgres: "
        update jobs
        set lease_until = $3, progress = coalesce(said.progress, jobs.progress),
            progress_message = coalesce(said.message, jobs.progress_message),
            processed = coalesce(said.processed, jobs.processed), total = coalesce(said.total, jobs.total),
            version = version + 1
        from json_to_recordset($1::json) as said (key bigint, lease_id text, lease_epoch bigint,
            progress double precision, message text, processed bigint, total bigint)
        where jobs.key = said.key
          and jobs.lease_id = said.lease_id
          and jobs.lease_epoch = said.lease_epoch
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

/// The workers are alive: all their leases last until then.
pub async fn extend_many(tx: &mut Tx, beats: &[Beat], lease_until: Micros) -> Result<Fenced, LedgerError> {
    let set = beats.iter().map(|beat| {
        let told = beat.progress.as_ref();
        let row = BeatRow {
            progress: told.filter(|told| told.total > 0).map(share),
            message: told.and_then(|told| told.message.as_deref()),
            processed: told.map(|told| told.processed),
            total: told.map(|told| told.total),
        };
        (&beat.fence, row)
    });
    change(tx, EXTEND, set, JobEvent::Heartbeat, &[lease_until.0]).await
}

#[expect(clippy::cast_precision_loss, reason = "a share of 0 to 1 needs no more than 52 bits")]
fn share(told: &Progress) -> f64 {
    (told.processed as f64 / told.total as f64).clamp(0.0, 1.0)
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// Who says it of which job.
    pub fence: Fence,
    /// The state that follows.
    pub to: JobState,
    /// Why it waits, when another attempt follows.
    pub wait_reason: Option<WaitReason>,
    /// When the next attempt may start.
    pub next_eligible_at: Option<Micros>,
    /// What failed.
    pub error: Option<AttemptError>,
    /// The digest over its artifacts, when it succeeded.
    pub outputs_hash: Option<String>,
}

/// What failed in an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptError {
    /// Decides whether it is tried again.
    #[serde(rename = "error_class")]
    pub class: ErrorClass,
    /// A stable code.
    #[serde(rename = "error_code")]
    pub code: String,
    /// A sentence, redacted.
    #[serde(rename = "error_message")]
    pub message: String,
    /// What the far side answered.
    #[serde(rename = "error_status")]
    pub status: Option<u16>,
    /// The far side.
    #[serde(rename = "error_host")]
    pub host: Option<String>,
}

#[derive(Serialize)]
struct FinishRow<'a> {
    state: &'static str,
    wait_reason: Option<&'static str>,
    next_eligible_at: Option<i64>,
    #[serde(flatten)]
    error: Option<&'a AttemptError>,
    outputs_hash: Option<&'a str>,
    ended: i64,
}

/// Ends attempts that succeed of jobs that never failed, which most are: what is not set touches no index. Public so
/// that its plan can be pinned.
pub const SUCCEED: Sql = Sql {
    sqlite: concat!(
        "
        update jobs
        set state = 'succeeded', lease_until = null, outputs_hash = said.value ->> 'outputs_hash', progress = 1.0,
            ended_at = $3, dead_letter_id = null, version = version + 1
        from jsonb_each(jsonb($1)) as said
        where jobs.key = said.value ->> 'key'
          and jobs.lease_id = said.value ->> 'lease_id'
          and jobs.lease_epoch = said.value ->> 'lease_epoch'
          and jobs.state in (select value from json_each($2))
          and jobs.error_class is null
        returning ",
        packed_job!()
    ),
    postgres: "
        update jobs
        set state = 'succeeded', lease_until = null, outputs_hash = said.outputs_hash, progress = 1.0, ended_at = $3,
            dead_letter_id = null, version = version + 1
        from json_to_recordset($1::json) as said (key bigint, lease_id text, lease_epoch bigint, outputs_hash text)
        where jobs.key = said.key
          and jobs.lease_id = said.lease_id
          and jobs.lease_epoch = said.lease_epoch
          and jobs.state in (select value from json_array_elements_text($2::json))
          and jobs.error_class is null
        returning jobs.*",
};

#[derive(Serialize)]
struct SucceedRow<'a> {
    outputs_hash: Option<&'a str>,
}

/// Ends attempts; public so that its plan can be pinned.
pub const FINISH: Sql = Sql {
    sqlite: concat!("
        update jobs
        set state = said.value ->> 'state', wait_reason = said.value ->> 'wait_reason',
            next_eligible_at = said.value ->> 'next_eligible_at', lease_until = null,
            error_code = said.value ->> 'error_code', error_class = said.value ->> 'error_class',
            error_message = said.value ->> 'error_message', error_status = said.value ->> 'error_status',
            error_host = said.value ->> 'error_host', outputs_hash = said.value ->> 'outputs_hash',
            progress = case when said.value ->> 'state' = 'succeeded' then 1.0 else jobs.progress end,
            ended_at = case when said.value ->> 'ended' then $3 end,
            dead_letter_id = case when said.value ->> 'state' in ('failed', 'timed_out')
                then 'dl_' || substr(jobs.job_id, 5) end,
            version = version + 1
        from jsonb_each(jsonb($1)) as said
        where jobs.key = said.value ->> 'key'
          and jobs.lease_id = said.value ->> 'lease_id'
          and jobs.lease_epoch = said.value ->> 'lease_epoch'
          and jobs.state in (select value from json_each($2))
        returning ",
        packed_job!()
    ),
    postgres: "
        update jobs
        set state = said.state, wait_reason = said.wait_reason, next_eligible_at = said.next_eligible_at,
            lease_until = null, error_code = said.error_code, error_class = said.error_class,
            error_message = said.error_message, error_status = said.error_status, error_host = said.error_host, outputs_hash = said.outputs_hash,
            progress = case when said.state = 'succeeded' then 1.0 else jobs.progress end,
            ended_at = case when said.ended = 1 then $3 end,
            dead_letter_id = case when said.state in ('failed', 'timed_out')
                then 'dl_' || substr(jobs.job_id, 5) end,
            version = version + 1
        from json_to_recordset($1::json) as said (key bigint, lease_id text, lease_epoch bigint, state text,
            wait_reason text, next_eligible_at bigint, error_code text, error_class text, error_message text,
            error_status bigint, error_host text, outputs_hash text, ended bigint)
        where jobs.key = said.key
          and jobs.lease_id = said.lease_id
          and jobs.lease_epoch = said.lease_epoch
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

/// The attempts have ended, all by the same event.
pub async fn finish_many(
    tx: &mut Tx,
    event: JobEvent,
    finishes: &[Finish],
    now: Micros,
) -> Result<Fenced, LedgerError> {
    tx.note_work();
    let mut asked = asked(finishes.iter().map(|finish| &finish.fence));
    let mut done = Vec::new();
    if event == JobEvent::Complete {
        let set = finishes
            .iter()
            .map(|finish| (&finish.fence, SucceedRow { outputs_hash: finish.outputs_hash.as_deref() }));
        done = apply(tx, SUCCEED, set, event, &[now.0]).await?;
        forget(&mut asked, &done);
    }
    let left = finishes.iter().filter(|finish| asked.contains(&finish.fence.job_id));
    let set = left.map(|finish| {
        let row = FinishRow {
            state: finish.to.as_str(),
            wait_reason: finish.wait_reason.map(WaitReason::as_str),
            next_eligible_at: finish.next_eligible_at.map(|at| at.0),
            error: finish.error.as_ref(),
            outputs_hash: finish.outputs_hash.as_deref(),
            ended: i64::from(finish.to.is_final()),
        };
        (&finish.fence, row)
    });
    let others = apply(tx, FINISH, set, event, &[now.0]).await?;
    forget(&mut asked, &others);
    done.extend(others);
    told_apart(tx, done, asked).await
}

/// A claimed job that goes back to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Who gives it back.
    pub fence: Fence,
    /// The attempts that count from now on.
    pub attempt: i32,
    /// Claims in a row that nobody acknowledged, this one included if that is why.
    pub ack_timeouts: i64,
}

#[derive(Serialize)]
struct ReleaseRow {
    attempt: i32,
    ack_timeouts: i64,
}

const RELEASE: Sql = Sql {
    sqlite: concat!("
        update jobs
        set state = 'queued', attempt = said.value ->> 'attempt', ack_timeouts = said.value ->> 'ack_timeouts',
            lease_until = null, queued_at = $3, version = version + 1
        from jsonb_each(jsonb($1)) as said
        where jobs.key = said.value ->> 'key'
          and jobs.lease_id = said.value ->> 'lease_id'
          and jobs.lease_epoch = said.value ->> 'lease_epoch'
          and jobs.state in (select value from json_each($2))
        returning ",
        packed_job!()
    ),
    postgres: "
        update jobs
        set state = 'queued', attempt = said.attempt, ack_timeouts = said.ack_timeouts, lease_until = null,
            queued_at = $3, version = version + 1
        from json_to_recordset($1::json)
            as said (key bigint, lease_id text, lease_epoch bigint, attempt bigint, ack_timeouts bigint)
        where jobs.key = said.key
          and jobs.lease_id = said.lease_id
          and jobs.lease_epoch = said.lease_epoch
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

/// Puts claimed jobs that were not started back into the queue.
pub async fn release_many(tx: &mut Tx, releases: &[Release], now: Micros) -> Result<Fenced, LedgerError> {
    let set = releases.iter().map(|release| {
        (&release.fence, ReleaseRow { attempt: release.attempt, ack_timeouts: release.ack_timeouts })
    });
    let fenced = change(tx, RELEASE, set, JobEvent::Release, &[now.0]).await?;
    if !fenced.done.is_empty() {
        tx.note_ready();
    }
    Ok(fenced)
}

/// Runs a fenced verb and tells apart what it did not change.
async fn change<'a, C: Serialize>(
    tx: &mut Tx,
    verb: Sql,
    set: impl Iterator<Item = (&'a Fence, C)>,
    event: JobEvent,
    times: &[i64],
) -> Result<Fenced, LedgerError> {
    let set: Vec<(&Fence, C)> = set.collect();
    let mut asked = asked(set.iter().map(|(fence, _)| *fence));
    let done = apply(tx, verb, set.into_iter(), event, times).await?;
    forget(&mut asked, &done);
    told_apart(tx, done, asked).await
}

fn asked<'a>(fences: impl Iterator<Item = &'a Fence>) -> BTreeSet<JobId> {
    fences.map(|fence| fence.job_id.clone()).collect()
}

fn forget(asked: &mut BTreeSet<JobId>, done: &[JobRecord]) {
    done.iter().for_each(|record| {
        asked.remove(&record.job.job_id);
    });
}

/// Runs a fenced verb; the jobs that it changed.
async fn apply<'a, C: Serialize>(
    tx: &mut Tx,
    verb: Sql,
    set: impl Iterator<Item = (&'a Fence, C)>,
    event: JobEvent,
    times: &[i64],
) -> Result<Vec<JobRecord>, LedgerError> {
    let rows: Vec<Row<'_, C>> = set
        .map(|(fence, change)| Row {
            key: crate::key_of(&fence.job_id),
            lease_id: fence.lease_id.as_str(),
            lease_epoch: fence.lease_epoch,
            change,
        })
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (rows, guard) = (json(&rows)?, guard(event)?);
    let text = verb.text(tx);
    let changed: Vec<HotRow> = on_db!(tx, connection => {
        let mut query = sqlx::query_as(text).bind(rows).bind(guard);
        for time in times {
            query = query.bind(*time);
        }
        query.fetch_all(connection).await?
    });
    hot_records(changed)
}

/// What was changed, and what became of the rest of those that were asked for.
async fn told_apart(
    tx: &mut Tx,
    mut done: Vec<JobRecord>,
    mut rest: BTreeSet<JobId>,
) -> Result<Fenced, LedgerError> {
    done.sort_by_key(|record| record.key);
    let mut fenced = Fenced { done, ..Fenced::default() };
    if rest.is_empty() {
        return Ok(fenced);
    }
    // Zero rows changed is never success: look once more and name it.
    let keys: Vec<i64> = rest.iter().map(crate::key_of).collect();
    fenced.lost = crate::jobs::get_many(tx, &keys).await?;
    fenced.lost.retain(|record| rest.remove(&record.job.job_id));
    fenced.unknown = rest.into_iter().collect();
    Ok(fenced)
}

/// Finds held jobs past their time; public so that its plan can be pinned.
pub const OVERDUE: &str = "
    select *
    from jobs
    where lease_until <= $1
      and (state = 'leased' or lease_until <= $2)
    order by lease_until, key
    limit $3";

/// Held jobs whose lease has ended: claims at once, running attempts only when they ended before `lost_before`.
pub async fn overdue(
    tx: &mut Tx,
    now: Micros,
    lost_before: Micros,
    limit: i64,
) -> Result<Vec<JobRecord>, LedgerError> {
    records(on_db!(tx, connection => {
        sqlx::query_as(OVERDUE).bind(now.0).bind(lost_before.0).bind(limit).fetch_all(connection).await?
    }))
}

const OVERRUN: &str = "
    select *
    from jobs
    where lease_until is not null
      and attempt_started_at + timeout_s * 1000000 <= $1
    order by key
    limit $2";

/// Running attempts that took longer than they may.
pub async fn overrun(tx: &mut Tx, now: Micros, limit: i64) -> Result<Vec<JobRecord>, LedgerError> {
    records(on_db!(tx, connection => {
        sqlx::query_as(OVERRUN).bind(now.0).bind(limit).fetch_all(connection).await?
    }))
}

const UNHEEDED: &str = "
    select *
    from jobs
    where lease_until is not null
      and cancel_requested_at <= $1
    order by key
    limit $2";

/// Running jobs that were asked to end at `asked_before` or earlier and still run.
pub async fn unheeded(tx: &mut Tx, asked_before: Micros, limit: i64) -> Result<Vec<JobRecord>, LedgerError> {
    records(on_db!(tx, connection => {
        sqlx::query_as(UNHEEDED).bind(asked_before.0).bind(limit).fetch_all(connection).await?
    }))
}

/// The next times at which something held has to be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// The earliest end of a claim that was not acknowledged.
    pub ack_by: Option<i64>,
    /// The earliest end of a running attempt's lease.
    pub lease_until: Option<i64>,
    /// The earliest end of a running attempt's time.
    pub attempt_until: Option<i64>,
    /// The earliest open wish to cancel.
    pub cancel_requested_at: Option<i64>,
}

/// Finds when to look next; public so that its plan can be pinned.
pub const NEXT_DUE: &str = "
    select
        min(case when state = 'leased' then lease_until end) as ack_by,
        min(case when state = 'running' then lease_until end) as lease_until,
        min(attempt_started_at + timeout_s * 1000000) as attempt_until,
        min(cancel_requested_at) as cancel_requested_at
    from jobs
    where lease_until is not null";

/// When something held has to be looked at next.
pub async fn next_due(tx: &mut Tx) -> Result<Due, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(NEXT_DUE).fetch_one(connection).await?))
}
