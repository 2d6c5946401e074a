//! The hot table: jobs come in, become ready, are claimed, are cancelled. What a lease holder does is in `leases`.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::limits::InForce;
use crate::limits_in_force;
use crate::on_db;
use crate::query::Value;
use crate::record::{JobRecord, JobRow, records};
use crate::set::{execute, fetch, insert, json};
use serde::Serialize;
use stella_contract::ids::{JobId, LeaseId, RunId, SourceId, Tenant, WorkerId};
use stella_contract::job::{JobEvent, JobState, WaitReason, states_before};
use stella_contract::time::Micros;

/// Payloads of at most this many bytes lie in the job's row.
const SMALL_PAYLOAD: usize = 1024;

/// A job to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id; the row key is inside.
    pub job_id: JobId,
    /// Whose it is.
    pub tenant: Tenant,
    /// A part of the tenant.
    pub project: Option<String>,
    /// The run it belongs to.
    pub run_id: Option<RunId>,
    /// The source it reads.
    pub source_id: Option<SourceId>,
    /// What it does.
    pub job_type: String,
    /// 0 to 100.
    pub priority: i32,
    /// Pending or, when nothing holds it, queued at once.
    pub state: JobState,
    /// Why it is pending.
    pub wait_reason: Option<WaitReason>,
    /// When it may start at the earliest.
    pub next_eligible_at: Option<Micros>,
    /// Not to start before.
    pub not_before: Option<Micros>,
    /// SHA-256 of the canonical payload.
    pub payload_digest: String,
    /// Its bytes.
    pub payload_size: i64,
    /// The canonical payload; `None` when it lies in the blobs.
    pub payload: Option<String>,
    /// The key the caller gave.
    pub idempotency_key: Option<String>,
    /// Attempts allowed.
    pub max_attempts: i32,
    /// Wall time of one attempt.
    pub timeout_s: i64,
    /// The job it repeats.
    pub replay_of: Option<JobId>,
    /// The job it is another try of.
    pub retry_of: Option<JobId>,
    /// The row key of the first job of its lineage; `None` for that one itself.
    pub origin_key: Option<i64>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// Who submitted it.
    pub created_by: String,
    /// Why.
    pub reason: Option<String>,
    /// Under which ticket.
    pub ticket: Option<String>,
    /// When.
    pub created_at: Micros,
}

const INSERT: &str = "
    insert into jobs (key, job_id, tenant, project, run_id, source_id, job_type, priority, state, wait_reason,
        next_eligible_at, not_before, payload_digest, payload_size, payload, idempotency_key, max_attempts, timeout_s,
        replay_of, retry_of, origin_key, correlation_id, traceparent, created_by, reason, ticket, created_at, queued_at,
        attempt, lease_epoch, ack_timeouts, progress, processed, total, version)
    values";

const INSERT_PAYLOADS: Sql = Sql {
    sqlite: "
        insert into job_payloads (key, payload)
        select value ->> 'key', value ->> 'payload'
        from json_each($1)",
    postgres: "
        insert into job_payloads (key, payload)
        select key, payload
        from json_to_recordset($1::json) as new (key bigint, payload text)",
};

/// Writes the jobs. A second job under one idempotency key is refused as [`LedgerError::Unique`]: look first.
pub async fn insert_many(tx: &mut Tx, jobs: &[NewJob]) -> Result<(), LedgerError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let small = |payload: &&str| payload.len() <= SMALL_PAYLOAD;
    let rows: Vec<Vec<Value>> = jobs
        .iter()
        .map(|job| {
            vec![
                crate::key_of(&job.job_id).into(),
                job.job_id.as_str().into(),
                job.tenant.as_str().into(),
                job.project.as_deref().into(),
                job.run_id.as_ref().map(RunId::as_str).into(),
                job.source_id.as_ref().map(SourceId::as_str).into(),
                job.job_type.as_str().into(),
                i64::from(job.priority).into(),
                job.state.as_str().into(),
                job.wait_reason.map(WaitReason::as_str).into(),
                job.next_eligible_at.map(|at| at.0).into(),
                job.not_before.map(|at| at.0).into(),
                job.payload_digest.as_str().into(),
                job.payload_size.into(),
                job.payload.as_deref().filter(small).into(),
                job.idempotency_key.as_deref().into(),
                i64::from(job.max_attempts).into(),
                job.timeout_s.into(),
                job.replay_of.as_ref().map(JobId::as_str).into(),
                job.retry_of.as_ref().map(JobId::as_str).into(),
                job.origin_key.into(),
                job.correlation_id.as_str().into(),
                job.traceparent.as_deref().into(),
                job.created_by.as_str().into(),
                job.reason.as_deref().into(),
                job.ticket.as_deref().into(),
                job.created_at.0.into(),
                (job.state == JobState::Queued).then_some(job.created_at.0).into(),
                0.into(),
                0.into(),
                0.into(),
                0.0.into(),
                0.into(),
                0.into(),
                1.into(),
            ]
        })
        .collect();
    let large: Vec<PayloadRow<'_>> = jobs
        .iter()
        .filter_map(|job| {
            let payload = job.payload.as_deref().filter(|payload| !small(payload))?;
            Some(PayloadRow { key: crate::key_of(&job.job_id), payload })
        })
        .collect();
    insert(tx, INSERT, rows).await?;
    if !large.is_empty() {
        execute(tx, INSERT_PAYLOADS, json(&large)?).await?;
    }
    if jobs.iter().any(|job| job.state == JobState::Queued) {
        tx.note_ready();
    }
    tx.note_work();
    Ok(())
}

#[derive(Serialize)]
struct PayloadRow<'a> {
    key: i64,
    payload: &'a str,
}

const BY_IDEMPOTENCY: &str = "
    select *
    from jobs
    where tenant = $1
      and job_type = $2
      and idempotency_key = $3";

/// The job under this idempotency key.
pub async fn by_idempotency(
    tx: &mut Tx,
    tenant: &Tenant,
    job_type: &str,
    key: &str,
) -> Result<Option<JobRecord>, LedgerError> {
    let row: Option<JobRow> = on_db!(tx, connection => {
        sqlx::query_as(BY_IDEMPOTENCY)
            .bind(tenant.as_str())
            .bind(job_type)
            .bind(key)
            .fetch_optional(connection)
            .await?
    });
    row.map(JobRecord::try_from).transpose()
}

const GET: Sql = Sql {
    sqlite: "select * from jobs where key in (select value from json_each($1))",
    postgres: "select * from jobs where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// The jobs with these row keys, in the order of the keys; those that are not there are left out.
pub async fn get_many(tx: &mut Tx, keys: &[i64]) -> Result<Vec<JobRecord>, LedgerError> {
    let mut found = records(fetch(tx, GET, json(&keys)?).await?)?;
    found.sort_by_key(|record| record.key);
    Ok(found)
}

/// The job, when it is there and of this tenant.
pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &JobId) -> Result<Option<JobRecord>, LedgerError> {
    let found = get_many(tx, &[crate::key_of(id)]).await?;
    Ok(found.into_iter().find(|record| record.job.job_id == *id && record.job.tenant == *tenant))
}

const PAYLOADS: Sql = Sql {
    sqlite: "select key, payload from job_payloads where key in (select value from json_each($1))",
    postgres: "
        select key, payload
        from job_payloads
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Adds the payloads that do not lie in the rows themselves; those in the blobs stay absent.
pub async fn add_payloads(tx: &mut Tx, records: &mut [JobRecord]) -> Result<(), LedgerError> {
    let keys: Vec<i64> =
        records.iter().filter(|record| record.payload.is_none()).map(|record| record.key).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, String)> = fetch(tx, PAYLOADS, json(&keys)?).await?;
    for (key, payload) in rows {
        if let Some(record) = records.iter_mut().find(|record| record.key == key) {
            record.payload = Some(payload);
        }
    }
    Ok(())
}

const RESULT: &str = "select result from job_results where key = $1";

/// The result a job left.
pub async fn result(tx: &mut Tx, key: i64) -> Result<Option<String>, LedgerError> {
    let row: Option<(String,)> =
        on_db!(tx, connection => sqlx::query_as(RESULT).bind(key).fetch_optional(connection).await?);
    Ok(row.map(|(result,)| result))
}

const INSERT_RESULTS: Sql = Sql {
    sqlite: "
        insert into job_results (key, result)
        select value ->> 'key', value ->> 'payload'
        from json_each($1)",
    postgres: "
        insert into job_results (key, result)
        select key, payload
        from json_to_recordset($1::json) as new (key bigint, payload text)",
};

/// Keeps what jobs left as their results, as row key and JSON text.
pub async fn insert_results(tx: &mut Tx, results: &[(i64, String)]) -> Result<(), LedgerError> {
    if results.is_empty() {
        return Ok(());
    }
    let rows: Vec<PayloadRow<'_>> =
        results.iter().map(|(key, result)| PayloadRow { key: *key, payload: result }).collect();
    execute(tx, INSERT_RESULTS, json(&rows)?).await
}

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job types it takes.
    pub job_types: Vec<String>,
    /// The tenant it works for; `None` when it works for all.
    pub tenant: Option<Tenant>,
    /// Who asks.
    pub worker_id: WorkerId,
    /// The task runner it works for.
    pub task_runner_id: Option<String>,
    /// Chance, one for each job that is wanted at most. With the job's row key it makes the lease id, so that a lease is
    /// found without an index of its own.
    pub chances: Vec<u64>,
    /// Until when the leases last.
    pub lease_until: Micros,
    /// Whether the worker starts at once and need not acknowledge.
    pub starts: bool,
    /// The time now, from which the age of waiting jobs is counted.
    pub now: Micros,
}

/// The order is: priority plus one for each full minute in the queue, at most twenty; then the time of queueing; then
/// the id. Within one priority that is the order of the ready index, so it is enough to look at the first few of
/// each priority that is present; those are found by jumping from one to the next.
pub const CHOOSE: Sql = Sql {
    sqlite: concat!(
        "
        with recursive
        lanes (job_type, priority) as (
            select value, (select max(priority) from jobs where state = 'queued' and job_type = value)
            from json_each($1)
            union all
            select job_type, (
                select max(below.priority)
                from jobs as below
                where below.state = 'queued'
                  and below.job_type = lanes.job_type
                  and below.priority < lanes.priority)
            from lanes
            where priority is not null
        )
        select jobs.key, jobs.source_id is not null as sourced, ",
        limits_in_force!(),
        " as limits
        from lanes
        cross join jobs
        where lanes.priority is not null
          and jobs.key in (
            select ready.key
            from jobs as ready
            where ready.state = 'queued'
              and ready.job_type = lanes.job_type
              and ready.priority = lanes.priority
              and ($4 is null or ready.tenant = $4)
            order by ready.queued_at, ready.key
            limit $3)
        order by jobs.priority + max(0, min(20, ($2 - jobs.queued_at) / 60000000)) desc, jobs.queued_at, jobs.key
        limit $3"
    ),
    // A row that another node is just claiming is passed over; SQLite has one writer and needs no such words.
    postgres: concat!(
        "
        with recursive
        lanes (job_type, priority) as (
            select value, (select max(priority) from jobs where state = 'queued' and job_type = value)
            from json_array_elements_text($1::json)
            union all
            select job_type, (
                select max(below.priority)
                from jobs as below
                where below.state = 'queued'
                  and below.job_type = lanes.job_type
                  and below.priority < lanes.priority)
            from lanes
            where priority is not null
        )
        select head.key, cast(head.source_id is not null as integer)::bigint as sourced, ",
        limits_in_force!(),
        " as limits
        from lanes
        cross join lateral (
            select ready.key, ready.queued_at, ready.priority, ready.source_id
            from jobs as ready
            where ready.state = 'queued'
              and ready.job_type = lanes.job_type
              and ready.priority = lanes.priority
              and ($4::text is null or ready.tenant = $4::text)
            order by ready.queued_at, ready.key
            limit $3
            for update skip locked) as head
        where lanes.priority is not null
        order by head.priority + greatest(0, least(20, ($2 - head.queued_at) / 60000000)) desc, head.queued_at,
            head.key
        limit $3"
    ),
};

/// Hands chosen jobs out, to be started (`$6` is null) or started now. Started now, a row takes both steps at once.
pub const TAKE: Sql = Sql {
    sqlite: "
        update jobs
        set state = case when $6 is null then 'leased' else 'running' end, attempt = attempt + 1,
            lease_epoch = lease_epoch + 1, lease_id = chosen.value ->> 'lease_id', lease_until = $3, worker_id = $4,
            task_runner_id = $5, progress = 0.0, progress_message = null, processed = 0, total = 0,
            started_at = coalesce(started_at, $6), attempt_started_at = $6,
            ack_timeouts = case when $6 is null then ack_timeouts else 0 end,
            version = version + case when $6 is null then 1 else 2 end
        from json_each($1) as chosen
        where jobs.key = chosen.value ->> 'key'
          and jobs.state in (select value from json_each($2))
        returning *",
    postgres: "
        update jobs
        set state = case when $6::bigint is null then 'leased' else 'running' end, attempt = attempt + 1,
            lease_epoch = lease_epoch + 1, lease_id = chosen.lease_id, lease_until = $3, worker_id = $4,
            task_runner_id = $5, progress = 0.0, progress_message = null, processed = 0, total = 0,
            started_at = coalesce(started_at, $6::bigint), attempt_started_at = $6::bigint,
            ack_timeouts = case when $6::bigint is null then ack_timeouts else 0 end,
            version = version + case when $6::bigint is null then 1 else 2 end
        from json_to_recordset($1::json) as chosen (key bigint, lease_id text)
        where jobs.key = chosen.key
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

#[derive(Serialize)]
struct TakeRow {
    key: i64,
    lease_id: LeaseId,
}

/// The most urgent ready jobs, most urgent first, before anybody asked whether a limit holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Their row keys.
    pub keys: Vec<i64>,
    /// Whether one of them reads a source.
    pub sourced: bool,
    /// Which kinds of limits are in force.
    pub limits: InForce,
}

/// Finds the most urgent ready jobs for this claim.
pub async fn choose(tx: &mut Tx, claim: &Claim, most: usize) -> Result<Chosen, LedgerError> {
    let types = json(&claim.job_types)?;
    let wanted = i64::try_from(most).unwrap_or(i64::MAX);
    let tenant = claim.tenant.as_ref().map(Tenant::as_str);
    let text = CHOOSE.text(tx);
    let rows: Vec<(i64, i64, i64)> = on_db!(tx, connection => {
        sqlx::query_as(text)
            .bind(types)
            .bind(claim.now.0)
            .bind(wanted)
            .bind(tenant)
            .fetch_all(connection)
            .await?
    });
    Ok(Chosen {
        sourced: rows.iter().any(|(_, sourced, _)| *sourced != 0),
        limits: InForce(rows.first().map_or(0, |(.., limits)| *limits)),
        keys: rows.into_iter().map(|(key, ..)| key).collect(),
    })
}

/// Hands out the most urgent ready jobs, most urgent first, with their payloads, whatever limits say.
pub async fn claim(tx: &mut Tx, claim: &Claim) -> Result<Vec<JobRecord>, LedgerError> {
    let chosen = choose(tx, claim, claim.chances.len()).await?;
    take(tx, &chosen.keys, claim).await
}

/// Hands out these ready jobs, in this order, with their payloads.
pub async fn take(tx: &mut Tx, keys: &[i64], claim: &Claim) -> Result<Vec<JobRecord>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let text = TAKE.text(tx);
    let given = keys.iter().zip(&claim.chances);
    let rows: Vec<TakeRow> = given
        .map(|(key, chance)| TakeRow { key: *key, lease_id: crate::key::lease_of(*key, *chance) })
        .collect();
    let (rows, guard) = (json(&rows)?, guard(JobEvent::Claim)?);
    let mut claimed = records(on_db!(tx, connection => {
        sqlx::query_as(text)
            .bind(rows)
            .bind(guard)
            .bind(claim.lease_until.0)
            .bind(claim.worker_id.as_str())
            .bind(claim.task_runner_id.as_deref())
            .bind(claim.starts.then_some(claim.now.0))
            .fetch_all(connection)
            .await?
    }))?;
    // Returned rows have no order.
    claimed.sort_by_key(|record| keys.iter().position(|key| *key == record.key));
    add_payloads(tx, &mut claimed).await?;
    Ok(claimed)
}

/// A waiting job and until when it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its row key.
    pub key: i64,
    /// Why it waits.
    pub wait_reason: WaitReason,
    /// Until when, as far as that is known.
    pub next_eligible_at: Option<Micros>,
}

const QUEUE: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'queued', wait_reason = null, next_eligible_at = null, queued_at = $2, version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning *",
    postgres: "
        update jobs
        set state = 'queued', wait_reason = null, next_eligible_at = null, queued_at = $2, version = version + 1
        where key in (select value::bigint from json_array_elements_text($1::json))
          and state in (select value from json_array_elements_text($3::json))
        returning *",
};

/// Makes waiting jobs ready.
pub async fn queue_many(tx: &mut Tx, keys: &[i64], now: Micros) -> Result<Vec<JobRecord>, LedgerError> {
    let changed = change(tx, QUEUE, keys, now, JobEvent::Queue).await?;
    if !changed.is_empty() {
        tx.note_ready();
    }
    Ok(changed)
}

const HOLD: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'pending', wait_reason = held.value ->> 'why', next_eligible_at = held.value ->> 'until',
            version = version + 1
        from json_each($1) as held
        where jobs.key = held.value ->> 'key'
          and jobs.state in (select value from json_each($2))
        returning *",
    postgres: "
        update jobs
        set state = 'pending', wait_reason = held.why, next_eligible_at = held.until, version = version + 1
        from json_to_recordset($1::json) as held (key bigint, why text, until bigint)
        where jobs.key = held.key
          and jobs.state in (select value from json_array_elements_text($2::json))
        returning jobs.*",
};

/// Puts ready jobs back to wait because a limit now refuses them.
pub async fn hold_many(tx: &mut Tx, holds: &[Hold]) -> Result<Vec<JobRecord>, LedgerError> {
    let (rows, guard) = (holds_as_json(holds)?, guard(JobEvent::Hold)?);
    let text = HOLD.text(tx);
    records(on_db!(tx, connection => {
        sqlx::query_as(text).bind(rows).bind(guard).fetch_all(connection).await?
    }))
}

/// The holds as a set.
pub(crate) fn holds_as_json(holds: &[Hold]) -> Result<String, LedgerError> {
    #[derive(Serialize)]
    struct Row {
        key: i64,
        why: &'static str,
        until: Option<i64>,
    }
    let rows: Vec<Row> = holds
        .iter()
        .map(|hold| Row {
            key: hold.key,
            why: hold.wait_reason.as_str(),
            until: hold.next_eligible_at.map(|at| at.0),
        })
        .collect();
    json(&rows)
}

const CANCEL: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'cancelled', wait_reason = null, next_eligible_at = null, lease_until = null, ended_at = $2,
            version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning *",
    postgres: "
        update jobs
        set state = 'cancelled', wait_reason = null, next_eligible_at = null, lease_until = null, ended_at = $2,
            version = version + 1
        where key in (select value::bigint from json_array_elements_text($1::json))
          and state in (select value from json_array_elements_text($3::json))
        returning *",
};

/// Cancels open jobs now, whoever holds them.
pub async fn cancel_many(tx: &mut Tx, keys: &[i64], now: Micros) -> Result<Vec<JobRecord>, LedgerError> {
    change(tx, CANCEL, keys, now, JobEvent::Cancel).await
}

const ASK_CANCEL: Sql = Sql {
    sqlite: "
        update jobs
        set cancel_requested_at = coalesce(cancel_requested_at, $2), version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning *",
    postgres: "
        update jobs
        set cancel_requested_at = coalesce(cancel_requested_at, $2), version = version + 1
        where key in (select value::bigint from json_array_elements_text($1::json))
          and state in (select value from json_array_elements_text($3::json))
        returning *",
};

/// Asks running jobs to end; their workers are told with the next heartbeat.
pub async fn ask_cancel_many(tx: &mut Tx, keys: &[i64], now: Micros) -> Result<Vec<JobRecord>, LedgerError> {
    change(tx, ASK_CANCEL, keys, now, JobEvent::AskCancel).await
}

const SKIP: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'skipped', wait_reason = null, next_eligible_at = null, ended_at = $2, version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning *",
    postgres: "
        update jobs
        set state = 'skipped', wait_reason = null, next_eligible_at = null, ended_at = $2, version = version + 1
        where key in (select value::bigint from json_array_elements_text($1::json))
          and state in (select value from json_array_elements_text($3::json))
        returning *",
};

/// Ends waiting jobs whose run has ended.
pub async fn skip_many(tx: &mut Tx, keys: &[i64], now: Micros) -> Result<Vec<JobRecord>, LedgerError> {
    change(tx, SKIP, keys, now, JobEvent::Skip).await
}

const PRIORITIZE: Sql = Sql {
    sqlite: "
        update jobs
        set priority = $2, version = version + 1
        where key in (select value from json_each($1))
          and state in ('pending', 'queued', 'leased', 'running')
        returning *",
    postgres: "
        update jobs
        set priority = $2, version = version + 1
        where key in (select value::bigint from json_array_elements_text($1::json))
          and state in ('pending', 'queued', 'leased', 'running')
        returning *",
};

/// Gives open jobs another priority.
pub async fn prioritize_many(
    tx: &mut Tx,
    keys: &[i64],
    priority: i32,
) -> Result<Vec<JobRecord>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (keys, text) = (json(&keys)?, PRIORITIZE.text(tx));
    let mut changed = records(on_db!(tx, connection => {
        sqlx::query_as(text).bind(keys).bind(i64::from(priority)).fetch_all(connection).await?
    }))?;
    changed.sort_by_key(|record| record.key);
    Ok(changed)
}

/// Runs a verb on the jobs that are in a state before `event`.
async fn change(
    tx: &mut Tx,
    verb: Sql,
    keys: &[i64],
    now: Micros,
    event: JobEvent,
) -> Result<Vec<JobRecord>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (keys, guard) = (json(&keys)?, guard(event)?);
    let text = verb.text(tx);
    let mut changed = records(on_db!(tx, connection => {
        sqlx::query_as(text).bind(keys).bind(now.0).bind(guard).fetch_all(connection).await?
    }))?;
    changed.sort_by_key(|record| record.key);
    Ok(changed)
}

/// The states before `event` as a JSON list: the guard of its statement, asked of the contract.
pub(crate) fn guard(event: JobEvent) -> Result<String, LedgerError> {
    json(&states_before(event))
}

const ELIGIBLE: &str = "
    select *
    from jobs
    where state = 'pending'
      and next_eligible_at <= $1
    order by next_eligible_at, key
    limit $2";

/// Waiting jobs whose time has come, those that wait longest first.
pub async fn eligible(tx: &mut Tx, now: Micros, limit: i64) -> Result<Vec<JobRecord>, LedgerError> {
    records(on_db!(tx, connection => {
        sqlx::query_as(ELIGIBLE).bind(now.0).bind(limit).fetch_all(connection).await?
    }))
}

const NEXT_ELIGIBLE: &str = "
    select min(next_eligible_at)
    from jobs
    where state = 'pending'
      and next_eligible_at is not null";

/// When the next waiting job's time comes.
pub async fn next_eligible(tx: &mut Tx) -> Result<Option<Micros>, LedgerError> {
    let (at,): (Option<i64>,) =
        on_db!(tx, connection => sqlx::query_as(NEXT_ELIGIBLE).fetch_one(connection).await?);
    Ok(at.map(Micros))
}
