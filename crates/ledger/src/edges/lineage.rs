//! A job and those that repeat it.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::record::Cell;
use crate::set::{fetch, json};
use stella_contract::ids::JobId;

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
