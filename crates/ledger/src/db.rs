//! Two databases in one page. Everything else in the crate reads as if there were one.

use crate::book::Book;
use crate::error::LedgerError;
use crate::ledger::News;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Postgres, Sqlite, Transaction};
use std::path::Path;
use std::time::Duration;

/// The pools behind a ledger: one connection writes, some read.
#[derive(Clone)]
pub(crate) enum Db {
    /// A file.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    /// A server.
    Postgres { pool: PgPool },
}

/// One transaction, and what it will have to tell when it is committed.
pub struct Tx {
    /// The connection under the transaction; [`crate::on_db`] opens it.
    pub connection: Connection,
    pub(crate) news: News,
    pub(crate) book: Book,
}

/// The connection of one of the two databases.
pub enum Connection {
    /// A file.
    Sqlite(Transaction<'static, Sqlite>),
    /// A server.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same body on the connection of either database.
#[macro_export]
macro_rules! on_db {
    ($tx:expr, $connection:ident => $body:expr) => {
        match &mut $tx.connection {
            $crate::db::Connection::Sqlite(open) => {
                let $connection = &mut **open;
                $body
            }
            $crate::db::Connection::Postgres(open) => {
                let $connection = &mut **open;
                $body
            }
        }
    };
}

/// A statement: one text where both databases accept it, else a pair.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// What SQLite reads.
    pub sqlite: &'static str,
    /// What Postgres reads.
    pub postgres: &'static str,
}

impl Sql {
    /// The same text for both.
    pub const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
    /// The text for the database of this transaction.
    pub const fn text(&self, tx: &Tx) -> &'static str {
        match tx.connection {
            Connection::Sqlite(_) => self.sqlite,
            Connection::Postgres(_) => self.postgres,
        }
    }
}

impl Tx {
    fn new(connection: Connection) -> Self {
        Self { connection, news: News::default(), book: Book::default() }
    }
    /// Runs statements without parameters, several in one go.
    pub async fn run(&mut self, text: &'static str) -> Result<(), LedgerError> {
        on_db!(self, connection => sqlx::raw_sql(text).execute(connection).await.map(|_| ()))?;
        Ok(())
    }
    /// Whether this is Postgres.
    pub const fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }
    /// Notes that the feed of some tenant moved.
    pub fn note_feed(&mut self) {
        self.news.feed = true;
    }
    /// Notes that there is something to claim.
    pub fn note_ready(&mut self) {
        self.news.ready = true;
    }
    /// Notes that background tasks have something to look at.
    pub fn note_work(&mut self) {
        self.news.work = true;
    }
    pub(crate) async fn commit(self) -> Result<(), LedgerError> {
        match self.connection {
            Connection::Sqlite(tx) => tx.commit().await?,
            Connection::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
    pub(crate) async fn rollback(self) -> Result<(), LedgerError> {
        match self.connection {
            Connection::Sqlite(tx) => tx.rollback().await?,
            Connection::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

/// Names our files among all SQLite files ("StLa").
const APPLICATION_ID: i64 = 0x5374_4c61;
/// The first SQLite without the race that corrupts a WAL on reset.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// All writers of a Postgres ledger take turns under this lock, so that group commits of two nodes cannot deadlock.
const WRITER_LOCK: &str = "begin; select pg_advisory_xact_lock(6004216913210798081)";
const SNAPSHOT: &str = "begin isolation level repeatable read read only";

impl Db {
    /// Opens a file; makes it when it is not there.
    pub(crate) async fn sqlite(path: &Path) -> Result<Self, LedgerError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Readers do not wait for the writer, the writer does not wait for readers.
            .journal_mode(SqliteJournalMode::Wal)
            // An answer means the bytes are on the disk.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // A WAL that is overwritten costs half of one that is appended to, so it is checkpointed late.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("temp_store", "memory")
            // A claim's rows fit in without the thread of the connection waiting for whoever reads them.
            .row_buffer_size(1_000)
            .statement_cache_capacity(256);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| Box::pin(assert_sound(connection)))
            .after_release(|connection, _| Box::pin(is_clean(connection)))
            .connect_with(options.clone().pragma("cache_size", "-32768"))
            .await?;
        claim_file(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| Box::pin(assert_sound(connection)))
            .after_release(|connection, _| Box::pin(is_clean(connection)))
            .connect_lazy_with(options.pragma("cache_size", "-16384").pragma("query_only", "1"));
        Ok(Self::Sqlite { writer, readers })
    }

    /// Connects to a server.
    pub(crate) async fn postgres(url: &str) -> Result<Self, LedgerError> {
        let options = url
            .parse::<sqlx::postgres::PgConnectOptions>()
            .map_err(|error| LedgerError::NotOne(error.to_string()))?;
        // Our statements are short and guess their rows high; compiling them takes a hundred times as long as they do.
        let options = options.application_name("stella-operator").options([("jit", "off")]);
        // One connection writes, the others read.
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        Ok(Self::Postgres { pool })
    }

    pub(crate) async fn begin_write(&self) -> Result<Tx, LedgerError> {
        Ok(Tx::new(match self {
            // A deferred transaction that read first would be refused when it writes.
            Self::Sqlite { writer, .. } => Connection::Sqlite(writer.begin_with("begin immediate").await?),
            Self::Postgres { pool } => Connection::Postgres(pool.begin_with(WRITER_LOCK).await?),
        }))
    }

    pub(crate) async fn begin_read(&self) -> Result<Tx, LedgerError> {
        Ok(Tx::new(match self {
            Self::Sqlite { readers, .. } => Connection::Sqlite(readers.begin().await?),
            Self::Postgres { pool } => {
                // Who gives up while the server begins would leave a transaction behind of which the driver does not know,
                // and the next one to write on that connection would be refused. So the beginning is never given up.
                let pool = pool.clone();
                let begun = tokio::spawn(async move { pool.begin_with(SNAPSHOT).await }).await;
                Connection::Postgres(begun.map_err(|error| LedgerError::Other(error.to_string()))??)
            }
        }))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool } => pool.close().await,
        }
    }
}

/// Refuses a SQLite that is too old or a connection that would not wait for the disk.
async fn assert_sound(connection: &mut sqlx::SqliteConnection) -> Result<(), sqlx::Error> {
    let (version, synchronous): (String, i64) =
        sqlx::query_as("select sqlite_version(), synchronous from pragma_synchronous")
            .fetch_one(connection)
            .await?;
    if synchronous != 2 {
        return Err(sqlx::Error::Configuration(format!("synchronous is {synchronous}, not FULL").into()));
    }
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    if (part(), part(), part()) < OLDEST_SQLITE {
        return Err(sqlx::Error::Configuration(format!("SQLite {version} is too old").into()));
    }
    Ok(())
}

/// Whether a connection may be used again. A full disk or a failing one makes SQLite end a transaction by itself, of
/// which the driver does not know; such a connection is opened anew.
async fn is_clean(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Marks a new file as ours; refuses a file of somebody else.
async fn claim_file(writer: &SqlitePool) -> Result<(), LedgerError> {
    let (application, tables): (i64, i64) = sqlx::query_as(
        "select application_id, (select count(*) from sqlite_schema) from pragma_application_id",
    )
    .fetch_one(writer)
    .await?;
    if application == APPLICATION_ID {
        return Ok(());
    }
    if application != 0 || tables > 0 {
        return Err(LedgerError::NotOne("the file belongs to another program".to_owned()));
    }
    sqlx::query("pragma application_id = 1400130657").execute(writer).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_application_id_is_spelled_the_same_twice() {
        assert_eq!(super::APPLICATION_ID, 1_400_130_657);
    }
}
