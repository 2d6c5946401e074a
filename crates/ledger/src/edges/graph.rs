//! Jobs that hang together: how large their graphs are, what is in them.

use super::{EdgeRecord, EdgeRow, edge};
use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::Cell;
use crate::set::{execute, fetch, json};
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::{ErrorClass, JobState, WaitReason};
use stella_contract::time::Micros;

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
