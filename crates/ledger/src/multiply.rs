//! For tests and benchmarks: a large ledger made of a small one.

use crate::db::Connection;
use crate::error::LedgerError;
use crate::ledger::Ledger;
use sqlx::AssertSqlSafe;

/// What makes a copy of a row: the columns that are not those of the original, as `{t}` says them of its table.
struct Copied {
    table: &'static str,
    wanted: &'static str,
    changed: &'static [(&'static str, &'static str)],
}

/// The ids hold the keys' milliseconds in their first twelve digits; the last two tell the copies apart where an id is
/// shown in short.
macro_rules! earlier {
    ($column:literal, $prefix:literal, $rest:literal) => {
        concat!(
            "'",
            $prefix,
            "' || substr(printf('%012x', (key >> 21) - nth.value), 1, 8) || '-' || ",
            "substr(printf('%012x', (key >> 21) - nth.value), 9, 4) || substr(",
            $column,
            ", ",
            $rest,
            ", 21) || printf('%02x', nth.value)"
        )
    };
}

const KEY: (&str, &str) = ("key", "key - (nth.value << 21)");
const JOB_ID: (&str, &str) = ("job_id", earlier!("job_id", "job_", "18"));
/// Jobs last: the others are chosen by them.
const COPIED: [Copied; 4] = [
    Copied { table: "job_payloads", wanted: "true", changed: &[KEY] },
    Copied { table: "job_results", wanted: "true", changed: &[KEY] },
    Copied {
        table: "dead_letters",
        wanted: "last_replay_key is null",
        changed: &[KEY, JOB_ID, ("entry_id", earlier!("entry_id", "dl_", "17"))],
    },
    Copied {
        table: "jobs",
        wanted: "true",
        changed: &[
            KEY,
            JOB_ID,
            ("created_at", "created_at - nth.value * 1000"),
            ("dead_letter_id", earlier!("dead_letter_id", "dl_", "17")),
        ],
    },
];

const ALONE: &str = "
    create temp table alone as
    select key
    from jobs
    where ended_at is not null
      and run_id is null
      and source_id is null
      and origin_key is null
      and idempotency_key is null
      and key not in (select to_key from edges union select from_key from edges)";
const COUNTED: &str = "update job_counts set n = n * $1, ms = ms * $1 where kind <> 'alive'";

/// Makes many ended jobs of few: each one that stands alone, outside of runs, sources, graphs and lineages, is there so
/// many times in the end, the copies made a millisecond earlier each, with their payloads, results and dead letters.
/// What was counted is multiplied; the history tells of the originals only. For large ledgers on SQLite in tests and
/// benchmarks; how many jobs were added.
pub async fn jobs(ledger: &Ledger, times: i64) -> Result<u64, LedgerError> {
    ledger
        .write(move |tx| {
            Box::pin(async move {
                let Connection::Sqlite(open) = &mut tx.connection else {
                    return Err(LedgerError::Other("only a ledger on SQLite can be multiplied".to_owned()));
                };
                let numbers: Vec<String> = (1..times).map(|number| number.to_string()).collect();
                let nth = format!(
                    "create temp table nth as select value from json_each('[{}]')",
                    numbers.join(",")
                );
                for text in [nth.as_str(), ALONE] {
                    sqlx::query(AssertSqlSafe(text)).execute(&mut **open).await?;
                }
                let mut added = 0;
                for one in &COPIED {
                    added = copy(open, one).await?;
                }
                sqlx::query(COUNTED).bind(times).execute(&mut **open).await?;
                for text in ["drop table alone", "drop table nth"] {
                    sqlx::query(text).execute(&mut **open).await?;
                }
                Ok(added)
            })
        })
        .await
}

/// What makes another run of one: its key and id, and its times, a minute earlier with each copy.
const RUN_CHANGED: [(&str, &str); 8] = [
    ("run_key", "run_key - nth.value * 1000000"),
    (
        "run_id",
        "'run:' || tenant || ':' || strftime('%Y%m%dT%H%M%SZ', created_at / 1000000 - nth.value * 60, 'unixepoch')
            || ':' || printf('%08x', (nth.value * 4096 + run_key) & 4294967295)",
    ),
    ("idempotency_key", "null"),
    ("created_at", "created_at - nth.value * 60000000"),
    ("planned_at", "planned_at - nth.value * 60000000"),
    ("started_at", "started_at - nth.value * 60000000"),
    ("executed_at", "executed_at - nth.value * 60000000"),
    ("finished_at", "finished_at - nth.value * 60000000"),
];

/// Makes many ended runs of few, without their segments and findings: so many in all, or a few less. For large ledgers
/// on SQLite in tests and benchmarks; how many were added.
pub async fn runs(ledger: &Ledger, wanted: i64) -> Result<u64, LedgerError> {
    ledger
        .write(move |tx| {
            Box::pin(async move {
                let Connection::Sqlite(open) = &mut tx.connection else {
                    return Err(LedgerError::Other("only a ledger on SQLite can be multiplied".to_owned()));
                };
                let ended = "finished_at is not null and state in ('completed', 'cancelled', 'error')";
                let count = format!("select count(*) from runs where {ended}");
                let (few,): (i64,) = sqlx::query_as(AssertSqlSafe(count)).fetch_one(&mut **open).await?;
                let copies = if few == 0 { 0 } else { wanted / few - 1 };
                let names = columns(open, "runs").await?;
                let text = format!(
                    "with recursive nth (value) as (select 1 union all select value + 1 from nth where value < $1)
                    insert into runs ({}) select {} from runs, nth where {ended} and $1 > 0",
                    names.join(", "),
                    values(&names, &RUN_CHANGED).join(", "),
                );
                let added = sqlx::query(AssertSqlSafe(text)).bind(copies).execute(&mut **open).await?;
                Ok(added.rows_affected())
            })
        })
        .await
}

async fn columns(open: &mut sqlx::SqliteConnection, table: &str) -> Result<Vec<String>, LedgerError> {
    let columns: Vec<(String,)> =
        sqlx::query_as("select name from pragma_table_info($1)").bind(table).fetch_all(&mut *open).await?;
    Ok(columns.into_iter().map(|(name,)| name).collect())
}

/// The values of a copy: those of the original where they do not change.
fn values(names: &[String], changed: &[(&str, &str)]) -> Vec<String> {
    let value = |name: &String| {
        let changed = changed.iter().find(|(column, _)| column == name);
        changed.map_or_else(|| name.clone(), |(_, value)| (*value).to_owned())
    };
    names.iter().map(value).collect()
}

async fn copy(open: &mut sqlx::SqliteConnection, one: &Copied) -> Result<u64, LedgerError> {
    let names = columns(open, one.table).await?;
    let text = format!(
        "insert into {table} ({}) select {} from {table}, nth where key in (select key from alone) and {}",
        names.join(", "),
        values(&names, one.changed).join(", "),
        one.wanted,
        table = one.table,
    );
    Ok(sqlx::query(AssertSqlSafe(text)).execute(&mut *open).await?.rows_affected())
}
