//! The limit beside a benchmark: the same database and driver with one narrow table, no history, no feed and no rules.
//! What the ledger does cannot be faster.

use crate::db::Db;
use crate::error::LedgerError;
use crate::ledger::LedgerPlace;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

/// A narrow queue of one table.
pub struct Raw {
    db: Db,
    next: i64,
}

const PAYLOAD: &str = r#"{"reason":"bench","target":"pkg:deb/debian/bash@5.2"}"#;

const SQLITE_TABLE: &str = "
    create table jobs (
        key integer not null primary key,
        priority integer not null,
        run_at integer not null,
        state integer not null,
        payload text not null
    ) strict;
    create index jobs_ready on jobs (priority, run_at, key) where state = 0";
const POSTGRES_TABLE: &str = "
    create schema raw;
    create table raw.jobs (
        key bigint not null primary key,
        priority bigint not null,
        run_at bigint not null,
        state bigint not null,
        payload text not null
    ) with (fillfactor = 80);
    create index jobs_ready on raw.jobs (priority, run_at, key) where state = 0";

const SQLITE_INSERT: &str = "
    insert into jobs (key, priority, run_at, state, payload)
    select value, 50, value, 0, $2
    from json_each($1)";
const POSTGRES_INSERT: &str = "
    insert into raw.jobs (key, priority, run_at, state, payload)
    select key, 50, key, 0, $2
    from unnest($1::bigint[]) as new (key)";

const SQLITE_DONE: &str = "update jobs set state = 2 where key in (select value from json_each($1))";
const POSTGRES_DONE: &str = "update raw.jobs set state = 2 where key = any($1)";

const SQLITE_TAKE: &str = "
    update jobs
    set state = 1
    where key in (select key from jobs where state = 0 order by priority, run_at, key limit $1)
    returning key, payload";
const POSTGRES_TAKE: &str = "
    update raw.jobs
    set state = 1
    where key = any (array(
        select key from raw.jobs where state = 0 order by priority, run_at, key limit $1 for update skip locked))
    returning key, payload";

impl Raw {
    /// Makes the table: in a new file, or in a schema of its own in this database.
    pub async fn make(place: &LedgerPlace) -> Result<Self, LedgerError> {
        let db = match place {
            LedgerPlace::Sqlite(path) => Db::sqlite(path).await?,
            LedgerPlace::Postgres(url) => Db::postgres(url).await?,
        };
        match &db {
            Db::Sqlite { writer, .. } => sqlx::raw_sql(SQLITE_TABLE).execute(writer).await.map(|_| ())?,
            Db::Postgres { pool } => sqlx::raw_sql(POSTGRES_TABLE).execute(pool).await.map(|_| ())?,
        }
        Ok(Self { db, next: 1 })
    }
    /// Puts in `jobs`, so many in each commit.
    pub async fn enqueue(&mut self, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
        let end = self.next + i64::try_from(jobs).unwrap_or(i64::MAX);
        let step = i64::try_from(per_commit).unwrap_or(1).max(1);
        while self.next < end {
            let keys: Vec<i64> = (self.next..(self.next + step).min(end)).collect();
            self.next += step;
            match &self.db {
                Db::Sqlite { writer, .. } => {
                    let keys = crate::set::json(&keys)?;
                    sqlx::query(SQLITE_INSERT).bind(keys).bind(PAYLOAD).execute(writer).await.map(|_| ())?;
                }
                Db::Postgres { pool } => {
                    sqlx::query(POSTGRES_INSERT).bind(keys).bind(PAYLOAD).execute(pool).await.map(|_| ())?;
                }
            }
        }
        Ok(())
    }
    /// Ends what was taken before and takes the next, so many in each commit, until `jobs` have ended.
    pub async fn drain(&mut self, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
        match self.db.clone() {
            Db::Sqlite { writer, .. } => drain_sqlite(&writer, jobs, per_commit).await,
            Db::Postgres { pool } => drain_postgres(&pool, jobs, per_commit).await,
        }
    }
    /// Closes the connections.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

async fn drain_sqlite(writer: &SqlitePool, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
    let (mut done, mut taken) = (0, Vec::new());
    while done < jobs {
        let mut tx = writer.begin_with("begin immediate").await?;
        if !taken.is_empty() {
            done += taken.len();
            sqlx::query(SQLITE_DONE).bind(crate::set::json(&taken)?).execute(&mut *tx).await?;
        }
        taken = take(jobs, done, per_commit, sqlx::query_as(SQLITE_TAKE), &mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn drain_postgres(pool: &PgPool, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
    let (mut done, mut taken) = (0, Vec::new());
    while done < jobs {
        let mut tx = pool.begin().await?;
        if !taken.is_empty() {
            done += taken.len();
            sqlx::query(POSTGRES_DONE).bind(&taken).execute(&mut *tx).await?;
        }
        taken = take(jobs, done, per_commit, sqlx::query_as(POSTGRES_TAKE), &mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn take<'c, DB, C>(
    jobs: usize,
    done: usize,
    per_commit: usize,
    query: sqlx::query::QueryAs<'static, DB, (i64, String), DB::Arguments>,
    connection: C,
) -> Result<Vec<i64>, LedgerError>
where
    DB: sqlx::Database,
    C: sqlx::Executor<'c, Database = DB>,
    (i64, String): for<'r> sqlx::FromRow<'r, DB::Row> + Send + Unpin,
    DB::Arguments: sqlx::IntoArguments<DB>,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let wanted = per_commit.min(jobs - done);
    let rows = query.bind(i64::try_from(wanted).unwrap_or(i64::MAX)).fetch_all(connection).await?;
    if rows.is_empty() && wanted > 0 {
        return Err(LedgerError::Other("fewer jobs wait than are to be drained".to_owned()));
    }
    Ok(rows.into_iter().map(|(key, _)| key).collect())
}

/// Bytes of log that a Postgres has written so far.
pub async fn log_bytes(url: &str) -> Result<i64, LedgerError> {
    let Db::Postgres { pool } = Db::postgres(url).await? else {
        return Err(LedgerError::Other("not a Postgres".to_owned()));
    };
    let (bytes,): (i64,) = sqlx::query_as("select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
        .fetch_one(&pool)
        .await?;
    pool.close().await;
    Ok(bytes)
}
