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

async fn copy(open: &mut sqlx::SqliteConnection, one: &Copied) -> Result<u64, LedgerError> {
    let columns: Vec<(String,)> = sqlx::query_as("select name from pragma_table_info($1)")
        .bind(one.table)
        .fetch_all(&mut *open)
        .await?;
    let value = |name: &String| {
        let changed = one.changed.iter().find(|(column, _)| column == name);
        changed.map_or_else(|| name.clone(), |(_, value)| (*value).to_owned())
    };
    let names: Vec<String> = columns.into_iter().map(|(name,)| name).collect();
    let text = format!(
        "insert into {table} ({}) select {} from {table}, nth where key in (select key from alone) and {}",
        names.join(", "),
        names.iter().map(value).collect::<Vec<_>>().join(", "),
        one.wanted,
        table = one.table,
    );
    Ok(sqlx::query(AssertSqlSafe(text)).execute(&mut *open).await?.rows_affected())
}
