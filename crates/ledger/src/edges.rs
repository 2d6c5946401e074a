//! Edges between jobs: what waits for what, and whether that has come. A repeat of a job counts as the job itself.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::{Cell, JobRecord, JobRow, records};
use crate::set::{execute, execute_for, fetch, json};
use serde::Serialize;
use stella_contract::edge::EdgeKind;
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::{ErrorClass, JobState, WaitReason};
use stella_contract::time::Micros;

/// An edge that still holds a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetEdge {
    /// The job that waits.
    pub key: i64,
    /// The upstream job of the edge.
    pub from_key: i64,
    /// The job it waits for: the open repeat of that, where there is one.
    pub from_job_id: JobId,
    /// On what.
    pub kind: EdgeKind,
    /// Where that job stands.
    pub from_state: JobState,
}

impl UnmetEdge {
    /// Why the job waits because of this edge.
    pub const fn wait_reason(&self) -> WaitReason {
        if self.kind.is_missed_by(self.from_state) {
            return WaitReason::UpstreamFailed;
        }
        WaitReason::Dependency
    }
}

#[derive(Debug, sqlx::FromRow)]
struct UnmetRow {
    key: i64,
    from_key: i64,
    kind: String,
    from_job_id: String,
    from_state: String,
}

/// Finds what still holds jobs; public so that its plan can be pinned.
pub const UNMET: Sql = Sql {
    sqlite: "
        select edges.to_key as key, edges.from_key, edges.kind,
            coalesce(again.job_id, upstream.job_id) as from_job_id, coalesce(again.state, upstream.state) as from_state
        from edges
        join jobs as upstream on upstream.key = edges.from_key
        left join jobs as again on again.key = (
            select max(key)
            from jobs as repeat
            where repeat.origin_key = coalesce(upstream.origin_key, upstream.key)
              and repeat.state in ('pending', 'queued', 'leased', 'running'))
        where edges.to_key in (select value from json_each($1))
          and case edges.kind
              when 'on_success' then upstream.state <> 'succeeded'
                  and not exists (
                      select 1
                      from jobs as repeat
                      where repeat.origin_key = coalesce(upstream.origin_key, upstream.key)
                        and repeat.state = 'succeeded')
                  and not exists (
                      select 1
                      from jobs as origin
                      where origin.key = upstream.origin_key
                        and origin.state = 'succeeded')
              when 'on_completion' then upstream.state in ('pending', 'queued', 'leased', 'running')
              else upstream.state not in ('failed', 'timed_out')
          end
        order by edges.to_key, edges.from_key",
    postgres: "
        select edges.to_key as key, edges.from_key, edges.kind,
            coalesce(again.job_id, upstream.job_id) as from_job_id, coalesce(again.state, upstream.state) as from_state
        from edges
        join jobs as upstream on upstream.key = edges.from_key
        left join jobs as again on again.key = (
            select max(key)
            from jobs as repeat
            where repeat.origin_key = coalesce(upstream.origin_key, upstream.key)
              and repeat.state in ('pending', 'queued', 'leased', 'running'))
        where edges.to_key in (select value::bigint from json_array_elements_text($1::json))
          and case edges.kind
              when 'on_success' then upstream.state <> 'succeeded'
                  and not exists (
                      select 1
                      from jobs as repeat
                      where repeat.origin_key = coalesce(upstream.origin_key, upstream.key)
                        and repeat.state = 'succeeded')
                  and not exists (
                      select 1
                      from jobs as origin
                      where origin.key = upstream.origin_key
                        and origin.state = 'succeeded')
              when 'on_completion' then upstream.state in ('pending', 'queued', 'leased', 'running')
              else upstream.state not in ('failed', 'timed_out')
          end
        order by edges.to_key, edges.from_key",
};

/// The edges that still hold these jobs, by job, then by upstream job.
pub async fn unmet(tx: &mut Tx, keys: &[i64]) -> Result<Vec<UnmetEdge>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<UnmetRow> = fetch(tx, UNMET, json(&keys)?).await?;
    rows.into_iter()
        .map(|row| {
            let id = row.from_job_id.clone();
            let cell = Cell { table: "edges", id: &id };
            Ok(UnmetEdge {
                key: row.key,
                from_key: row.from_key,
                from_job_id: cell.word("from_job_id", row.from_job_id)?,
                kind: cell.word("kind", row.kind)?,
                from_state: cell.word("from_state", row.from_state)?,
            })
        })
        .collect()
}

/// An edge as it lies in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeRecord {
    /// The job that is waited for.
    pub from_key: i64,
    /// The job that waits.
    pub to_key: i64,
    /// On what.
    pub kind: EdgeKind,
}

#[derive(Debug, sqlx::FromRow)]
struct EdgeRow {
    from_key: i64,
    to_key: i64,
    kind: String,
}

fn edge(row: EdgeRow) -> Result<EdgeRecord, LedgerError> {
    let id = row.to_key.to_string();
    let cell = Cell { table: "edges", id: &id };
    Ok(EdgeRecord { from_key: row.from_key, to_key: row.to_key, kind: cell.word("kind", row.kind)? })
}

#[derive(Serialize)]
struct NewRow {
    graph: i64,
    #[serde(rename = "from")]
    from_key: i64,
    #[serde(rename = "to")]
    to_key: i64,
    kind: EdgeKind,
}

const INSERT: Sql = Sql {
    sqlite: "
        insert into edges (tenant, to_key, from_key, kind, graph_key)
        select $1, value ->> 'to', value ->> 'from', value ->> 'kind', value ->> 'graph'
        from json_each($2)",
    postgres: r#"
        insert into edges (tenant, to_key, from_key, kind, graph_key)
        select $1, "to", "from", kind, graph
        from json_to_recordset($2::json) as new ("to" bigint, "from" bigint, kind text, graph bigint)"#,
};

/// Writes new edges of one graph; a second edge between the same two jobs is [`LedgerError::Unique`].
pub async fn insert_many(
    tx: &mut Tx,
    tenant: &Tenant,
    graph: i64,
    edges: &[EdgeRecord],
) -> Result<(), LedgerError> {
    if edges.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewRow> = edges
        .iter()
        .map(|edge| NewRow { graph, from_key: edge.from_key, to_key: edge.to_key, kind: edge.kind })
        .collect();
    execute_for(tx, INSERT, tenant.as_str(), json(&rows)?).await
}

const INTO: Sql = Sql {
    sqlite: "
        select from_key, to_key, kind
        from edges
        where to_key in (select value from json_each($1))
        order by to_key, from_key",
    postgres: "
        select from_key, to_key, kind
        from edges
        where to_key in (select value::bigint from json_array_elements_text($1::json))
        order by to_key, from_key",
};

/// The edges into these jobs.
pub async fn into(tx: &mut Tx, keys: &[i64]) -> Result<Vec<EdgeRecord>, LedgerError> {
    let rows: Vec<EdgeRow> = fetch(tx, INTO, json(&keys)?).await?;
    rows.into_iter().map(edge).collect()
}

const GRAPHS_OF: Sql = Sql {
    sqlite: "
        select from_key as key, graph_key
        from edges
        where from_key in (select value from json_each($1))
        union
        select to_key, graph_key
        from edges
        where to_key in (select value from json_each($1))",
    postgres: "
        select from_key as key, graph_key
        from edges
        where from_key in (select value::bigint from json_array_elements_text($1::json))
        union
        select to_key, graph_key
        from edges
        where to_key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Which of these jobs are in a graph, and in which.
pub async fn graphs_of(tx: &mut Tx, keys: &[i64]) -> Result<Vec<(i64, i64)>, LedgerError> {
    fetch(tx, GRAPHS_OF, json(&keys)?).await
}

/// How large a graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Graph {
    /// Its key: the smallest row key that began it.
    pub graph_key: i64,
    /// How many jobs hang together.
    pub nodes: i64,
    /// By how many edges.
    pub edges: i64,
}

const SIZES: Sql = Sql {
    sqlite: "
        select graph_key, nodes, edges
        from graphs
        where graph_key in (select value from json_each($1))",
    postgres: "
        select graph_key, nodes, edges
        from graphs
        where graph_key in (select value::bigint from json_array_elements_text($1::json))",
};

/// How large these graphs are.
pub async fn sizes(tx: &mut Tx, graphs: &[i64]) -> Result<Vec<Graph>, LedgerError> {
    fetch(tx, SIZES, json(&graphs)?).await
}

const PUT_GRAPH: &str = "
    insert into graphs (graph_key, nodes, edges)
    values ($1, $2, $3)
    on conflict (graph_key) do update
    set nodes = excluded.nodes, edges = excluded.edges";

/// Keeps how large a graph is.
pub async fn put_graph(tx: &mut Tx, graph: Graph) -> Result<(), LedgerError> {
    on_db!(tx, connection => {
        sqlx::query(PUT_GRAPH)
            .bind(graph.graph_key)
            .bind(graph.nodes)
            .bind(graph.edges)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

const MOVE: Sql = Sql {
    sqlite: "update edges set graph_key = $1 where graph_key in (select value from json_each($2))",
    postgres: "
        update edges
        set graph_key = $1
        where graph_key in (select value::bigint from json_array_elements_text($2::json))",
};

const FORGET: Sql = Sql {
    sqlite: "delete from graphs where graph_key in (select value from json_each($1))",
    postgres: "
        delete from graphs
        where graph_key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Makes other graphs part of one; its size is put by the caller.
pub async fn merge(tx: &mut Tx, into: i64, others: &[i64]) -> Result<(), LedgerError> {
    if others.is_empty() {
        return Ok(());
    }
    let (text, keys) = (MOVE.text(tx), json(&others)?);
    on_db!(tx, connection => {
        sqlx::query(text).bind(into).bind(keys).execute(connection).await.map(|_| ())
    })?;
    execute(tx, FORGET, json(&others)?).await
}

const OF_GRAPHS: Sql = Sql {
    sqlite: "
        select from_key, to_key, kind
        from edges
        where graph_key in (select value from json_each($1))
        order by from_key, to_key",
    postgres: "
        select from_key, to_key, kind
        from edges
        where graph_key in (select value::bigint from json_array_elements_text($1::json))
        order by from_key, to_key",
};

/// All edges of these graphs, by upstream, then by downstream job.
pub async fn of_graphs(tx: &mut Tx, graphs: &[i64]) -> Result<Vec<EdgeRecord>, LedgerError> {
    let rows: Vec<EdgeRow> = fetch(tx, OF_GRAPHS, json(&graphs)?).await?;
    rows.into_iter().map(edge).collect()
}

const OF_LINEAGES: Sql = Sql {
    sqlite: "select key from jobs where origin_key in (select value from json_each($1)) order by key",
    postgres: "
        select key
        from jobs
        where origin_key in (select value::bigint from json_array_elements_text($1::json))
        order by key",
};

/// The repeats of these first jobs, by key.
pub async fn repeats_of(tx: &mut Tx, origins: &[i64]) -> Result<Vec<i64>, LedgerError> {
    let rows: Vec<(i64,)> = fetch(tx, OF_LINEAGES, json(&origins)?).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// A job as a graph shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its row key.
    pub key: i64,
    /// Its id.
    pub job_id: JobId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it does.
    pub job_type: String,
    /// Where it stands.
    pub state: JobState,
    /// Why it is pending.
    pub wait_reason: Option<WaitReason>,
    /// Attempts so far.
    pub attempt: i32,
    /// Its priority.
    pub priority: i32,
    /// When it first ran.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why its last attempt failed.
    pub error_class: Option<ErrorClass>,
    /// The job it repeats.
    pub replay_of: Option<JobId>,
}

#[derive(Debug, sqlx::FromRow)]
struct NodeRow {
    key: i64,
    job_id: String,
    tenant: String,
    job_type: String,
    state: String,
    wait_reason: Option<String>,
    attempt: i64,
    priority: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    error_class: Option<String>,
    replay_of: Option<String>,
}

const NODES: Sql = Sql {
    sqlite: "
        select key, job_id, tenant, job_type, state, wait_reason, attempt, priority, started_at, ended_at, error_class,
            replay_of
        from jobs
        where key in (select value from json_each($1))
        order by key",
    postgres: "
        select key, job_id, tenant, job_type, state, wait_reason, attempt, priority, started_at, ended_at, error_class,
            replay_of
        from jobs
        where key in (select value::bigint from json_array_elements_text($1::json))
        order by key",
};

/// These jobs as a graph shows them, by key.
pub async fn nodes(tx: &mut Tx, keys: &[i64]) -> Result<Vec<Node>, LedgerError> {
    let rows: Vec<NodeRow> = fetch(tx, NODES, json(&keys)?).await?;
    rows.into_iter()
        .map(|row| {
            let id = row.job_id.clone();
            let cell = Cell { table: "jobs", id: &id };
            Ok(Node {
                key: row.key,
                job_id: cell.word("job_id", row.job_id)?,
                tenant: cell.word("tenant", row.tenant)?,
                job_type: row.job_type,
                state: cell.word("state", row.state)?,
                wait_reason: cell.maybe("wait_reason", row.wait_reason)?,
                attempt: cell.small("attempt", row.attempt)?,
                priority: cell.small("priority", row.priority)?,
                started_at: row.started_at.map(Micros),
                ended_at: row.ended_at.map(Micros),
                error_class: cell.maybe("error_class", row.error_class)?,
                replay_of: cell.maybe("replay_of", row.replay_of)?,
            })
        })
        .collect()
}

const OF_RUN: &str = "
    select key
    from jobs
    where run_id = $1
    order by key
    limit $2";

/// Row keys of a run's jobs, the oldest first.
pub async fn keys_of_run(tx: &mut Tx, run_id: &RunId, limit: i64) -> Result<Vec<i64>, LedgerError> {
    let rows: Vec<(i64,)> = on_db!(tx, connection => {
        sqlx::query_as(OF_RUN).bind(run_id.as_str()).bind(limit).fetch_all(connection).await?
    });
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// The repeats of a first job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The first job's row key.
    pub first_key: i64,
    /// How many repeats there are.
    pub repeats: i64,
    /// One of its jobs that has not ended.
    pub open: Option<JobId>,
}

#[derive(Debug, sqlx::FromRow)]
struct LineageRow {
    first_key: i64,
    repeats: i64,
    open: Option<String>,
}

const LINEAGES: Sql = Sql {
    sqlite: "
        select origin_key as first_key, count(*) as repeats,
            max(case when state in ('pending', 'queued', 'leased', 'running') then job_id end) as open
        from jobs
        where origin_key in (select value from json_each($1))
        group by origin_key",
    postgres: "
        select origin_key as first_key, count(*) as repeats,
            max(case when state in ('pending', 'queued', 'leased', 'running') then job_id end) as open
        from jobs
        where origin_key in (select value::bigint from json_array_elements_text($1::json))
        group by origin_key",
};

/// What repeats these first jobs; those that nothing repeats are left out.
pub async fn lineages(tx: &mut Tx, firsts: &[i64]) -> Result<Vec<Lineage>, LedgerError> {
    let rows: Vec<LineageRow> = fetch(tx, LINEAGES, json(&firsts)?).await?;
    rows.into_iter()
        .map(|row| {
            let id = row.first_key.to_string();
            let cell = Cell { table: "jobs", id: &id };
            Ok(Lineage {
                first_key: row.first_key,
                repeats: row.repeats,
                open: cell.maybe("job_id", row.open)?,
            })
        })
        .collect()
}

/// Finds who waits for ended jobs; public so that its plan can be pinned.
pub const WAITING_ON: Sql = Sql {
    sqlite: "
        select *
        from jobs
        where key in (
            select to_key
            from edges
            where from_key in (select value from json_each($1)))
          and state = 'pending'
          and wait_reason in ('dependency', 'upstream_failed')
        order by key",
    postgres: "
        select *
        from jobs
        where key in (
            select to_key
            from edges
            where from_key in (select value::bigint from json_array_elements_text($1::json)))
          and state = 'pending'
          and wait_reason in ('dependency', 'upstream_failed')
        order by key",
};

/// The jobs that wait because of edges from one of these, by key.
pub async fn waiting_on(tx: &mut Tx, from_keys: &[i64]) -> Result<Vec<JobRecord>, LedgerError> {
    let rows: Vec<JobRow> = fetch(tx, WAITING_ON, json(&from_keys)?).await?;
    records(rows)
}

const MISSED_OF_RUN: &str = "
    select *
    from jobs
    where run_id = $1
      and state = 'pending'
      and wait_reason = 'upstream_failed'
    order by key";

/// The jobs of a run that wait for what has failed.
pub async fn missed_of_run(tx: &mut Tx, run_id: &RunId) -> Result<Vec<JobRecord>, LedgerError> {
    let rows: Vec<JobRow> = on_db!(tx, connection => {
        sqlx::query_as(MISSED_OF_RUN).bind(run_id.as_str()).fetch_all(connection).await?
    });
    records(rows)
}

/// Why a pending job waits from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// Its row key.
    pub key: i64,
    /// Why it waits.
    pub why: WaitReason,
    /// Until when, as far as that is known.
    pub until: Option<Micros>,
}

#[derive(Serialize)]
struct WaitRow {
    key: i64,
    why: WaitReason,
    until: Option<i64>,
}

const WAIT: Sql = Sql {
    sqlite: "
        update jobs
        set wait_reason = said.value ->> 'why', next_eligible_at = said.value ->> 'until', version = version + 1
        from json_each($1) as said
        where jobs.key = said.value ->> 'key'
          and jobs.state = 'pending'
        returning *",
    postgres: "
        update jobs
        set wait_reason = said.why, next_eligible_at = said.until, version = version + 1
        from json_to_recordset($1::json) as said (key bigint, why text, until bigint)
        where jobs.key = said.key
          and jobs.state = 'pending'
        returning jobs.*",
};

/// Pending jobs wait for another reason than before; they stay pending.
pub async fn wait_many(tx: &mut Tx, waits: &[Wait]) -> Result<Vec<JobRecord>, LedgerError> {
    if waits.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<WaitRow> = waits
        .iter()
        .map(|wait| WaitRow { key: wait.key, why: wait.why, until: wait.until.map(|at| at.0) })
        .collect();
    let rows: Vec<JobRow> = fetch(tx, WAIT, json(&rows)?).await?;
    let mut changed = records(rows)?;
    changed.sort_by_key(|record| record.key);
    if waits.iter().any(|wait| wait.until.is_some()) {
        tx.note_work();
    }
    Ok(changed)
}
