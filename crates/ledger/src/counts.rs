//! What was counted along the history: jobs made and ended, failures by category, waits and runs by duration. A task
//! walks after the history and adds to these rows, so that no job's own transaction pays for them.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use crate::set::{execute_for, json};
use serde::Serialize;
use sqlx::FromRow;
use stella_contract::ids::Tenant;

/// The `at` of what was counted since ever.
pub const EVER: i64 = 0;
/// The span of one row, in microseconds.
pub const SPAN_US: i64 = 5 * 60 * 1_000_000;
/// The span of one row that was folded.
pub const HOUR_US: i64 = 60 * 60 * 1_000_000;

/// An entry of the history that is counted, and what has to be known with it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ToldRow {
    /// What happened.
    pub kind: String,
    /// The type of its job.
    pub job_type: String,
    /// When.
    pub occurred_at: i64,
    /// When the job was made.
    pub created_at: i64,
    /// When the attempt that ended had started.
    pub started_at: Option<i64>,
    /// When the job that started had been queued.
    pub queued_at: Option<i64>,
    /// The entry's data, of attempts that did not go well.
    pub data: Option<String>,
}

// The two look-ups walk along one job's few entries.
const TOLD: Sql = Sql::both(
    "select history.type as kind, jobs.job_type, history.occurred_at, jobs.created_at,
        case when history.type in ('orch.job.succeeded', 'orch.job.failed', 'orch.job.timed_out', 'orch.job.retry')
            then (
                select max(began.occurred_at)
                from history as began
                where began.job_key = history.job_key
                  and began.tenant = history.tenant
                  and began.seq < history.seq
                  and began.type = 'orch.job.started'
                  and began.lease_epoch = history.lease_epoch)
            end as started_at,
        case when history.type = 'orch.job.started'
            then (
                select max(ready.occurred_at)
                from history as ready
                where ready.job_key = history.job_key
                  and ready.tenant = history.tenant
                  and ready.seq < history.seq
                  and ready.to_state = 'queued')
            end as queued_at,
        case when history.type in ('orch.job.failed', 'orch.job.timed_out', 'orch.job.retry', 'orch.job.released')
            then history.data
            end as data
    from history
    join jobs on jobs.key = history.job_key
    where history.tenant = $1
      and history.seq > $2
      and history.seq <= $3
      and history.type in ('orch.job.submitted', 'orch.job.started', 'orch.job.succeeded', 'orch.job.failed',
        'orch.job.timed_out', 'orch.job.cancelled', 'orch.job.skipped', 'orch.job.retry', 'orch.job.released')
    order by history.seq",
);

/// The entries after number `after`, up to number `upto`, that are counted.
pub async fn told(tx: &mut Tx, tenant: &Tenant, after: i64, upto: i64) -> Result<Vec<ToldRow>, LedgerError> {
    let text = TOLD.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant.as_str()).bind(after).bind(upto).fetch_all(connection).await?
    }))
}

const MARK: Sql = Sql::both("select history_seq from job_count_marks where tenant = $1");

/// The last entry that was counted.
pub async fn mark(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let text = MARK.text(tx);
    let found: Option<(i64,)> = on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant.as_str()).fetch_optional(connection).await?
    });
    Ok(found.map_or(0, |(seq,)| seq))
}

const MOVE: Sql = Sql::both(
    "insert into job_count_marks (tenant, history_seq)
    values ($1, $2)
    on conflict (tenant) do update
    set history_seq = excluded.history_seq",
);

/// Notes the last entry that was counted, in the transaction that added what was.
pub async fn move_mark(tx: &mut Tx, tenant: &Tenant, seq: i64) -> Result<(), LedgerError> {
    let text = MOVE.text(tx);
    on_db!(tx, connection => {
        sqlx::query(text).bind(tenant.as_str()).bind(seq).execute(connection).await.map(|_| ())
    })?;
    Ok(())
}

/// So many of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// `made`, `ended`, `failed`, `dead`, `again`, `lost`, `queue`, `run`, `total` or `alive`.
    pub kind: &'static str,
    /// The start of its span, or [`EVER`].
    pub at: i64,
    /// The type of the jobs.
    pub job_type: String,
    /// The state they ended in, the category they failed in, the place of their duration.
    pub label: String,
    /// How many.
    pub n: i64,
    /// Milliseconds in all.
    pub ms: i64,
}

const ADD: Sql = Sql {
    // The `where` tells SQLite's parser that `on conflict` is not the start of a join.
    sqlite: "
        insert into job_counts (tenant, kind, at, job_type, label, n, ms)
        select $1, r.value ->> 'kind', r.value ->> 'at', r.value ->> 'job_type', r.value ->> 'label',
            r.value ->> 'n', r.value ->> 'ms'
        from json_each($2) as r
        where true
        on conflict (tenant, kind, at, job_type, label) do update
        set n = job_counts.n + excluded.n, ms = job_counts.ms + excluded.ms",
    postgres: "
        insert into job_counts (tenant, kind, at, job_type, label, n, ms)
        select $1, r.kind, r.at, r.job_type, r.label, r.n, r.ms
        from json_to_recordset($2::json)
            as r (kind text, at bigint, job_type text, label text, n bigint, ms bigint)
        on conflict (tenant, kind, at, job_type, label) do update
        set n = job_counts.n + excluded.n, ms = job_counts.ms + excluded.ms",
};

/// Adds to what was counted; no two of the set may be of the same kind, span, type and label.
pub async fn add(tx: &mut Tx, tenant: &Tenant, counts: &[Count]) -> Result<(), LedgerError> {
    if counts.is_empty() {
        return Ok(());
    }
    execute_for(tx, ADD, tenant.as_str(), json(counts)?).await
}

/// What was counted of one kind, type and label.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SumRow {
    /// The kind.
    pub kind: String,
    /// The start of the span it is summed over.
    pub at: i64,
    /// The type of the jobs.
    pub job_type: String,
    /// The state, category or place.
    pub label: String,
    /// How many.
    pub n: i64,
    /// Milliseconds in all.
    pub ms: i64,
}

/// What was counted since ever.
pub async fn ever(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<SumRow>, LedgerError> {
    let mut query = Query::new("select kind, at, job_type, label, n, ms from job_counts where tenant = ");
    query.bind(tenant.as_str()).push(" and kind in ").bind_list(KINDS.iter().copied());
    query.push(" and at = 0 order by kind, job_type, label");
    query.fetch_all(tx).await
}

const KINDS: &[&str] = &["made", "ended", "failed", "dead", "again", "lost", "queue", "run", "total"];

/// What was counted of these kinds since `from`, in spans of `span` microseconds.
pub async fn since(
    tx: &mut Tx,
    tenant: &Tenant,
    kinds: &[&'static str],
    from: i64,
    span: i64,
) -> Result<Vec<SumRow>, LedgerError> {
    let mut query = Query::new("select kind, at / ");
    query.bind(span).push(" * ").bind(span);
    query.push(
        " as at, job_type, label, cast(sum(n) as bigint) as n, cast(sum(ms) as bigint) as ms from job_counts \
        where tenant = ",
    );
    query.bind(tenant.as_str()).push(" and kind in ").bind_list(kinds.iter().copied());
    query.push(" and at > 0 and at >= ").bind(from);
    query.push(" group by 1, 2, 3, 4 order by 1, 2, 3, 4");
    query.fetch_all(tx).await
}

/// How many of each label there were in each span.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SpanRow {
    /// The start of the span.
    pub at: i64,
    /// The state or place.
    pub label: String,
    /// How many.
    pub n: i64,
}

/// What was counted of one kind since `from`, of one type or of all.
pub async fn spans(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: &'static str,
    job_type: Option<&str>,
    from: i64,
) -> Result<Vec<SpanRow>, LedgerError> {
    let mut query =
        Query::new("select at, label, cast(sum(n) as bigint) as n from job_counts where tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind).push(" and at > 0 and at >= ").bind(from);
    if let Some(job_type) = job_type {
        query.push(" and job_type = ").bind(job_type);
    }
    query.push(" group by at, label order by at, label");
    query.fetch_all(tx).await
}

/// Runs that ended since `from`, by the five minutes and the state in which they did.
pub async fn run_spans(tx: &mut Tx, tenant: &Tenant, from: i64) -> Result<Vec<SpanRow>, LedgerError> {
    let mut query = Query::new(
        "select finished_at / 300000000 * 300000000 as at, state as label, count(*) as n from runs where tenant = ",
    );
    query.bind(tenant.as_str()).push(" and finished_at is not null and finished_at >= ").bind(from);
    query.push(" group by 1, 2 order by 1, 2");
    query.fetch_all(tx).await
}

const FOLD: Sql = Sql::both(
    "insert into job_counts (tenant, kind, at, job_type, label, n, ms)
    select tenant, kind, at / 3600000000 * 3600000000, job_type, case when kind = 'alive' then '' else label end,
        cast(sum(case when kind = 'alive' and label <> '' then 1 else n end) as bigint), cast(sum(ms) as bigint)
    from job_counts
    where tenant = $1
      and at > 0
      and at < $2
      and (at % 3600000000 <> 0 or (kind = 'alive' and label <> ''))
    group by 1, 2, 3, 4, 5
    on conflict (tenant, kind, at, job_type, label) do update
    set n = job_counts.n + excluded.n, ms = job_counts.ms + excluded.ms",
);
const DROP_FOLDED: Sql = Sql::both(
    "delete from job_counts
    where tenant = $1
      and at > 0
      and at < $2
      and (at % 3600000000 <> 0 or (kind = 'alive' and label <> ''))",
);
const FORGET: Sql = Sql::both("delete from job_counts where tenant = $1 and at > 0 and at < $2");

/// Folds what is older than `before` into hours and forgets what is older than `oldest`; how many rows went.
/// `before` must be the start of an hour.
pub async fn fold(tx: &mut Tx, tenant: &Tenant, before: i64, oldest: i64) -> Result<u64, LedgerError> {
    let mut gone = 0;
    for (sql, until, takes) in [(FOLD, before, false), (DROP_FOLDED, before, true), (FORGET, oldest, true)] {
        let text = sql.text(tx);
        let changed = on_db!(tx, connection => {
            sqlx::query(text).bind(tenant.as_str()).bind(until).execute(connection).await?.rows_affected()
        });
        gone += if takes { changed } else { 0 };
    }
    Ok(gone)
}
