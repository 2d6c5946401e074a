//! The hot table: jobs come in, become ready, wait, are cancelled. Claims are in `claims`, what a lease holder does in
//! `leases`.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Value;
use crate::record::{JobRecord, hot_records, packed_job, records};
use crate::set::{Shape, Words, execute, fetch, insert_shaped, json};
use serde::Serialize;
use stella_contract::ids::{JobId, RunId, SourceId, Tenant};
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

const INSERT: Shape = Shape {
    head: "
    insert into jobs (key, job_id, payload_digest, payload_size, payload, idempotency_key, tenant, project, run_id,
        source_id, job_type, priority, state, wait_reason, next_eligible_at, not_before, max_attempts, timeout_s,
        replay_of, retry_of, origin_key, correlation_id, traceparent, created_by, reason, ticket, created_at, queued_at,
        attempt, lease_epoch, ack_timeouts, progress, processed, total, version)",
    own: "column1, column2, column3, column4, column5, column6",
    width: 6,
    common: 22,
    rest: ", 0, 0, 0, 0.0, 0, 0, 1",
};

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
    let mut words = Words::default();
    let rows: Vec<Vec<Value>> = jobs
        .iter()
        .map(|job| {
            vec![
                crate::key_of(&job.job_id).into(),
                job.job_id.as_str().into(),
                job.payload_digest.as_str().into(),
                job.payload_size.into(),
                job.payload.as_deref().filter(small).into(),
                job.idempotency_key.as_deref().into(),
                words.of(job.tenant.as_str()).into(),
                words.maybe(job.project.as_deref()).into(),
                words.maybe(job.run_id.as_ref().map(RunId::as_str)).into(),
                words.maybe(job.source_id.as_ref().map(SourceId::as_str)).into(),
                words.of(&job.job_type).into(),
                i64::from(job.priority).into(),
                words.of(job.state.as_str()).into(),
                words.maybe(job.wait_reason.map(WaitReason::as_str)).into(),
                job.next_eligible_at.map(|at| at.0).into(),
                job.not_before.map(|at| at.0).into(),
                i64::from(job.max_attempts).into(),
                job.timeout_s.into(),
                job.replay_of.as_ref().map(JobId::as_str).into(),
                job.retry_of.as_ref().map(JobId::as_str).into(),
                job.origin_key.into(),
                words.of(&job.correlation_id).into(),
                words.maybe(job.traceparent.as_deref()).into(),
                words.of(&job.created_by).into(),
                words.maybe(job.reason.as_deref()).into(),
                words.maybe(job.ticket.as_deref()).into(),
                job.created_at.0.into(),
                (job.state == JobState::Queued).then_some(job.created_at.0).into(),
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
    insert_shaped(tx, &INSERT, rows).await?;
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

/// The key a caller gave a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct JobKey {
    /// Whose job it is.
    pub tenant: Tenant,
    /// What the job does.
    pub job_type: String,
    /// The key.
    pub idempotency_key: String,
}

const BY_IDEMPOTENCY: Sql = Sql {
    sqlite: concat!(
        "select ",
        packed_job!(),
        "
        from jobs
        where key in (
            select same.key
            from json_each($1) as asked
            cross join jobs as same
            where same.tenant = asked.value ->> 'tenant'
              and same.job_type = asked.value ->> 'job_type'
              and same.idempotency_key = asked.value ->> 'idempotency_key')"
    ),
    postgres: "
        select jobs.*
        from json_to_recordset($1::json) as asked (tenant text, job_type text, idempotency_key text)
        join jobs on jobs.tenant = asked.tenant
                 and jobs.job_type = asked.job_type
                 and jobs.idempotency_key = asked.idempotency_key",
};

/// The jobs under these keys.
pub async fn by_idempotency(tx: &mut Tx, keys: &[JobKey]) -> Result<Vec<JobRecord>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    hot_records(fetch(tx, BY_IDEMPOTENCY, json(&keys)?).await?)
}

const GET: Sql = Sql {
    sqlite: concat!("select ", packed_job!(), " from jobs where key in (select value from json_each($1))"),
    postgres: "select * from jobs where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// The jobs with these row keys, in the order of the keys; those that are not there are left out.
pub async fn get_many(tx: &mut Tx, keys: &[i64]) -> Result<Vec<JobRecord>, LedgerError> {
    let mut found = hot_records(fetch(tx, GET, json(&keys)?).await?)?;
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
    sqlite: concat!("
        update jobs
        set state = 'queued', wait_reason = null, next_eligible_at = null, queued_at = $2, version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning ",
        packed_job!()
    ),
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
    sqlite: concat!("
        update jobs
        set state = 'cancelled', wait_reason = null, next_eligible_at = null, lease_until = null, ended_at = $2,
            version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning ",
        packed_job!()
    ),
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
    sqlite: concat!(
        "
        update jobs
        set cancel_requested_at = coalesce(cancel_requested_at, $2), version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning ",
        packed_job!()
    ),
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
    sqlite: concat!("
        update jobs
        set state = 'skipped', wait_reason = null, next_eligible_at = null, ended_at = $2, version = version + 1
        where key in (select value from json_each($1))
          and state in (select value from json_each($3))
        returning ",
        packed_job!()
    ),
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
    let mut changed = hot_records(on_db!(tx, connection => {
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
