//! Bytes that workers brought for jobs that still run, and the lines they wrote about them.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::Cell;
use crate::set::{execute, fetch, json};
use serde::Serialize;
use std::collections::BTreeMap;
use stella_contract::lease::{LeaseArtifact, LogLevel, LogLine};
use stella_contract::time::Micros;

#[derive(Debug, sqlx::FromRow)]
struct Row {
    job_key: i64,
    lease_epoch: i64,
    name: String,
    kind: String,
    media_type: String,
    size_bytes: i64,
    digest: String,
}

const PUT: &str = "
    insert into uploads (job_key, lease_epoch, name, kind, media_type, size_bytes, digest, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (job_key, lease_epoch, name) do update
    set kind = excluded.kind, media_type = excluded.media_type, size_bytes = excluded.size_bytes,
        digest = excluded.digest, created_at = excluded.created_at";

/// Keeps what was brought under a lease; a second of one name takes the place of the first.
pub async fn put(
    tx: &mut Tx,
    job_key: i64,
    lease_epoch: i64,
    artifact: &LeaseArtifact,
    now: Micros,
) -> Result<(), LedgerError> {
    on_db!(tx, connection => {
        sqlx::query(PUT)
            .bind(job_key)
            .bind(lease_epoch)
            .bind(&artifact.name)
            .bind(&artifact.kind)
            .bind(&artifact.media_type)
            .bind(artifact.size_bytes)
            .bind(&artifact.digest)
            .bind(now.0)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

const OF_JOBS: Sql = Sql {
    sqlite: "
        select job_key, lease_epoch, name, kind, media_type, size_bytes, digest
        from uploads
        where job_key in (select value from json_each($1))
        order by name",
    postgres: "
        select job_key, lease_epoch, name, kind, media_type, size_bytes, digest
        from uploads
        where job_key in (select value::bigint from json_array_elements_text($1::json))
        order by name",
};

/// What was brought for these jobs, by row key and lease epoch, each by name.
pub async fn of_jobs(
    tx: &mut Tx,
    keys: &[i64],
) -> Result<BTreeMap<(i64, i64), Vec<LeaseArtifact>>, LedgerError> {
    let mut brought: BTreeMap<(i64, i64), Vec<LeaseArtifact>> = BTreeMap::new();
    if keys.is_empty() {
        return Ok(brought);
    }
    for row in fetch::<Row>(tx, OF_JOBS, json(&keys)?).await? {
        brought.entry((row.job_key, row.lease_epoch)).or_default().push(LeaseArtifact {
            name: row.name,
            kind: row.kind,
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            digest: row.digest,
        });
    }
    Ok(brought)
}

const FORGET: Sql = Sql {
    sqlite: "delete from uploads where job_key in (select value from json_each($1))",
    postgres: "
        delete from uploads
        where job_key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Forgets what was brought for jobs: its names are in the artifacts now, or nobody will ask for them.
pub async fn forget_many(tx: &mut Tx, keys: &[i64]) -> Result<(), LedgerError> {
    if keys.is_empty() {
        return Ok(());
    }
    execute(tx, FORGET, json(&keys)?).await
}

const SWEEP: &str = "delete from uploads where created_at < $1";

/// Forgets what was brought before then; no attempt lasts that long. How many there were.
pub async fn sweep(tx: &mut Tx, before: Micros) -> Result<u64, LedgerError> {
    Ok(on_db!(tx, connection => {
        sqlx::query(SWEEP).bind(before.0).execute(connection).await?.rows_affected()
    }))
}

#[derive(Serialize)]
struct LineRow<'a> {
    seq: i64,
    at: i64,
    epoch: i64,
    level: LogLevel,
    message: &'a str,
}

const LAST: &str = "select coalesce(max(seq), 0) from job_logs where job_key = $1";

/// The number of a job's last line; 0 when it has none.
pub async fn last_line(tx: &mut Tx, job_key: i64) -> Result<i64, LedgerError> {
    let (seq,): (i64,) =
        on_db!(tx, connection => sqlx::query_as(LAST).bind(job_key).fetch_one(connection).await?);
    Ok(seq)
}

const WRITE: Sql = Sql {
    sqlite: "
        insert into job_logs (job_key, seq, at, lease_epoch, level, message)
        select $1, value ->> 'seq', value ->> 'at', value ->> 'epoch', value ->> 'level', value ->> 'message'
        from json_each($2)",
    postgres: "
        insert into job_logs (job_key, seq, at, lease_epoch, level, message)
        select $1, seq, at, epoch, level, message
        from json_to_recordset($2::json) as new (seq bigint, at bigint, epoch bigint, level text, message text)",
};

const TRIM: &str = "delete from job_logs where job_key = $1 and seq <= $2";

/// Adds lines to a job's log, of which the last `kept` stay.
pub async fn log(tx: &mut Tx, job_key: i64, lines: &[LogLine], kept: i64) -> Result<(), LedgerError> {
    let Some(last) = lines.last() else { return Ok(()) };
    let rows: Vec<LineRow<'_>> = lines
        .iter()
        .map(|line| LineRow {
            seq: line.seq,
            at: line.at.0,
            epoch: line.lease_epoch,
            level: line.level,
            message: &line.message,
        })
        .collect();
    let (text, rows) = (WRITE.text(tx), json(&rows)?);
    on_db!(tx, connection => sqlx::query(text).bind(job_key).bind(rows).execute(connection).await.map(|_| ()))?;
    let gone = last.seq - kept;
    if gone > 0 {
        on_db!(tx, connection => {
            sqlx::query(TRIM).bind(job_key).bind(gone).execute(connection).await.map(|_| ())
        })?;
    }
    Ok(())
}

#[derive(Debug, sqlx::FromRow)]
struct LogRow {
    seq: i64,
    at: i64,
    lease_epoch: i64,
    level: String,
    message: String,
}

const LINES: &str = "
    select seq, at, lease_epoch, level, message
    from job_logs
    where job_key = $1
      and seq < $2
    order by seq desc
    limit $3";

/// A job's lines below this number, the newest first.
pub async fn lines(tx: &mut Tx, job_key: i64, below: i64, limit: i64) -> Result<Vec<LogLine>, LedgerError> {
    let rows: Vec<LogRow> = on_db!(tx, connection => {
        sqlx::query_as(LINES).bind(job_key).bind(below).bind(limit).fetch_all(connection).await?
    });
    let id = job_key.to_string();
    let cell = Cell { table: "job_logs", id: &id };
    rows.into_iter()
        .map(|row| {
            Ok(LogLine {
                seq: row.seq,
                at: Micros(row.at),
                lease_epoch: row.lease_epoch,
                level: cell.word("level", row.level)?,
                message: row.message,
            })
        })
        .collect()
}
