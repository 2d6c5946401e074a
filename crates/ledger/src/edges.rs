//! Edges between jobs: what waits for what, and whether that has come. A repeat of a job counts as the job itself.

mod graph;
mod lineage;

pub use graph::{Graph, Node, graphs_of, keys_of_run, merge, nodes, of_graphs, put_graph, sizes};
pub use lineage::{Lineage, lineages, repeats_of};

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::{Cell, JobRecord, JobRow, records};
use crate::set::{execute_for, fetch, json};
use serde::Serialize;
use stella_contract::edge::EdgeKind;
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::{JobState, WaitReason};
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
    // With old statistics the planner takes the index of what waits for a short one and reads a million entries. It
    // cannot when the state is not compared as that index has it.
    postgres: "
        select *
        from jobs
        where key in (
            select to_key
            from edges
            where from_key = any (array(select value::bigint from json_array_elements_text($1::json))))
          and state || '' = 'pending'
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

/// Changes why jobs wait; public so that its plan can be pinned.
pub const WAIT: Sql = Sql {
    sqlite: "
        update jobs
        set wait_reason = said.value ->> 'why', next_eligible_at = said.value ->> 'until', version = version + 1
        from json_each($1) as said
        where jobs.key = said.value ->> 'key'
          and jobs.state = 'pending'
        returning *",
    // The state is compared as in `WAITING_ON`.
    postgres: "
        update jobs
        set wait_reason = said.why, next_eligible_at = said.until, version = version + 1
        from json_to_recordset($1::json) as said (key bigint, why text, until bigint)
        where jobs.key = said.key
          and jobs.state || '' = 'pending'
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
