//! Claims: which ready jobs are the most urgent, and handing them out.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::jobs::{add_payloads, guard};
use crate::limits::InForce;
use crate::limits_in_force;
use crate::on_db;
use crate::record::{JobRecord, hot_records, packed_job};
use crate::set::json;
use serde::Serialize;
use std::collections::HashMap;
use stella_contract::ids::{LeaseId, Tenant, WorkerId};
use stella_contract::job::JobEvent;
use stella_contract::time::Micros;

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
/// each priority that is present; those are found by jumping from one to the next. A worker that an operator wants to
/// rest finds nothing.
pub const CHOOSE: Sql = Sql {
    sqlite: concat!(
        "
        with recursive
        lanes (job_type, priority) as (
            select value, (select max(priority) from jobs where state = 'queued' and job_type = value)
            from json_each($1)
            where not exists (select 1 from workers where worker_id = $5 and wish <> 'work')
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
            where not exists (select 1 from workers where worker_id = $5 and wish <> 'work')
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
    sqlite: concat!("
        update jobs
        set state = case when $6 is null then 'leased' else 'running' end, attempt = attempt + 1,
            lease_epoch = lease_epoch + 1, lease_id = chosen.value ->> 'lease_id', lease_until = $3, worker_id = $4,
            task_runner_id = $5, progress = 0.0, progress_message = null, processed = 0, total = 0,
            started_at = coalesce(started_at, $6), attempt_started_at = $6,
            ack_timeouts = case when $6 is null then ack_timeouts else 0 end,
            version = version + case when $6 is null then 1 else 2 end
        from jsonb_each(jsonb($1)) as chosen
        where jobs.key = chosen.value ->> 'key'
          and jobs.state in (select value from json_each($2))
        returning ",
        packed_job!()
    ),
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
            .bind(claim.worker_id.as_str())
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
    let mut claimed = hot_records(on_db!(tx, connection => {
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
    let places: HashMap<i64, usize> = keys.iter().enumerate().map(|(at, key)| (*key, at)).collect();
    claimed.sort_by_key(|record| places.get(&record.key).copied());
    add_payloads(tx, &mut claimed).await?;
    Ok(claimed)
}
