//! The schema, step by step. Forward only; the same numbers for both databases.

use crate::db::{Db, Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sha2::{Digest, Sha256};

/// One step of the schema.
pub struct Migration {
    /// Its number; steps run in this order.
    pub number: i64,
    /// What it adds.
    pub name: &'static str,
    /// Its text for each database.
    pub sql: Sql,
}

/// Reads the pair of files of one step.
macro_rules! step {
    ($number:literal, $name:literal, $file:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: Sql {
                sqlite: include_str!(concat!("../../../migrations/sqlite/", $file)),
                postgres: include_str!(concat!("../../../migrations/postgres/", $file)),
            },
        }
    };
}

/// All steps known to this version.
pub const MIGRATIONS: &[Migration] = &[
    step!(1, "core", "0001_core.sql"),
    step!(2, "content", "0002_content.sql"),
    step!(3, "runs", "0003_runs.sql"),
    step!(4, "sessions", "0004_sessions.sql"),
    step!(5, "limits", "0005_limits.sql"),
    step!(6, "edges", "0006_edges.sql"),
    step!(7, "dead letter", "0007_dead_letter.sql"),
    step!(8, "watermarks", "0008_watermarks.sql"),
    step!(9, "change sets", "0009_change_sets.sql"),
    step!(10, "slos", "0010_slos.sql"),
    step!(12, "lists", "0012_lists.sql"),
    step!(13, "mutes", "0013_mutes.sql"),
    step!(14, "gaps", "0014_gaps.sql"),
    step!(16, "schedules", "0016_schedules.sql"),
    step!(17, "policy", "0017_policy.sql"),
    step!(18, "run repair", "0018_run_repair.sql"),
    step!(19, "bucket samples", "0019_bucket_samples.sql"),
    step!(20, "run board", "0020_run_board.sql"),
    step!(21, "pool rule", "0021_pool_rule.sql"),
    step!(23, "run lists", "0023_run_lists.sql"),
    step!(25, "changed targets", "0025_changed_targets.sql"),
];

const MAKE_LIST: &str = "create table if not exists schema_migrations (
    number bigint not null primary key,
    name text not null,
    checksum text not null
)";
const LIST: &str = "select number, name, checksum from schema_migrations order by number";
const NOTE: &str = "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)";

/// Brings the schema up to date in one transaction.
pub(crate) async fn run(db: &Db) -> Result<(), LedgerError> {
    run_to(db, i64::MAX).await
}

/// Runs the steps up to this number, the last one included.
pub(crate) async fn run_to(db: &Db, last: i64) -> Result<(), LedgerError> {
    let mut tx = db.begin_write().await?;
    tx.run(MAKE_LIST).await?;
    let done: Vec<(i64, String, String)> =
        on_db!(tx, connection => sqlx::query_as(LIST).fetch_all(connection).await?);
    let known = MIGRATIONS.last().map_or(0, |step| step.number);
    let found = done.last().map_or(0, |step| step.0);
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    for step in MIGRATIONS.iter().filter(|step| step.number <= last) {
        let text = step.sql.text(&tx);
        let checksum = hex::encode(Sha256::digest(text.as_bytes()));
        match done.iter().find(|(number, ..)| *number == step.number) {
            Some((.., before)) if *before == checksum => {}
            Some(_) => {
                return Err(LedgerError::OtherSchema { number: step.number, name: step.name });
            }
            None => apply(&mut tx, step, text, checksum).await?,
        }
    }
    tx.commit().await
}

async fn apply(
    tx: &mut Tx,
    step: &Migration,
    text: &'static str,
    checksum: String,
) -> Result<(), LedgerError> {
    tx.run(text).await?;
    on_db!(tx, connection => {
        sqlx::query(NOTE).bind(step.number).bind(step.name).bind(checksum).execute(connection).await.map(|_| ())
    })?;
    Ok(())
}
