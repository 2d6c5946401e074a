//! apalis on SQLite with `synchronous=FULL`, a hundred at once and fetched by the hundred.

#[path = "../../common.rs"]
mod common;

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteStorage};
use common::{Outcome, Peer, measure};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Apalis {
    storage: SqliteStorage<Value>,
    /// Two workers of one name are one that has not ended.
    workers: AtomicUsize,
}

/// How many are still to be done.
#[derive(Clone)]
struct Left(Arc<AtomicUsize>);

async fn nothing(_: Value, left: Data<Left>, worker: WorkerContext) -> Result<(), BoxDynError> {
    if left.0.0.fetch_sub(1, Ordering::SeqCst) == 1 {
        worker.stop()?;
    }
    Ok(())
}

impl Peer for Apalis {
    const NAME: &'static str = "apalis-sqlite 1.0.0 (FULL)";

    async fn add(&self, payload: Value) -> Outcome<()> {
        Ok(self.storage.clone().push(payload).await.map_err(said)?)
    }

    async fn add_all(&self, payloads: Vec<Value>) -> Outcome<()> {
        Ok(self.storage.clone().push_bulk(payloads).await.map_err(said)?)
    }

    async fn drain(&self, jobs: usize) -> Outcome<()> {
        let name = format!("worker-{}", self.workers.fetch_add(1, Ordering::Relaxed));
        let worker = WorkerBuilder::new(name).backend(self.storage.clone()).concurrency(100);
        worker.data(Left(Arc::new(AtomicUsize::new(jobs)))).build(nothing).run().await?;
        Ok(())
    }
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let file = SqliteConnectOptions::new().filename(folder.path().join("queue.db")).create_if_missing(true);
    // Its set-up switches the connection to `synchronous=OFF`; those of the measurement are others.
    let first = SqlitePoolOptions::new().max_connections(1).connect_with(file.clone()).await?;
    SqliteStorage::setup(&first).await?;
    first.close().await;
    let file = file.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(16).connect_with(file).await?;
    let storage = SqliteStorage::new(&pool).with_config(Config::default().queue("step").batch_size(100));
    measure(Apalis { storage, workers: AtomicUsize::new(0) }).await
}
