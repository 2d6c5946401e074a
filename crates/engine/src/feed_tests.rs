use super::*;
use crate::clock::TestClock;
use crate::engine::Options;
use crate::journal::{Journal, Tiding};
use std::sync::Arc;
use stella_ledger::LedgerPlace;
use tempfile::TempDir;

async fn engine() -> (Engine, Arc<TestClock>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let options = Options {
        place: LedgerPlace::Sqlite(folder.path().join("ledger.db")),
        blobs: folder.path().join("blobs"),
        tenants: vec!["acme".parse().unwrap()],
        clock: clock.clone(),
        chance: Arc::new(crate::SeededChance::new(3)),
        workers: 0,
    };
    (Engine::open(options).await.unwrap(), clock, folder)
}

fn caller() -> Caller {
    Caller::local("acme".parse().unwrap(), "ada")
}

async fn tell(engine: &Engine, names: &[&str]) {
    let now = engine.now();
    let mut journal = Journal::default();
    for name in names {
        let tiding = Tiding {
            kind: "orch.source.added".to_owned(),
            entity: "source",
            id: (*name).to_owned(),
            run_id: None,
            correlation_id: "c".to_owned(),
            at: now,
            data: serde_json::json!({}),
        };
        journal.tell(&"acme".parse().unwrap(), tiding);
    }
    engine
        .ledger()
        .write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                journal.leave(tx);
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn since(engine: &Engine, cursor: Option<i64>, max_wait_ms: u64) -> FeedBatch {
    engine.feed().since(&caller(), FeedQuery { cursor, max_wait_ms: Some(max_wait_ms) }).await.unwrap()
}

#[tokio::test]
async fn a_reader_starts_with_the_newest_number_and_then_misses_nothing() {
    let (engine, _clock, _folder) = engine().await;
    assert_eq!(since(&engine, None, 0).await.cursor, 0);
    tell(&engine, &["a", "b", "c"]).await;
    let start = since(&engine, None, 30_000).await;
    assert_eq!((start.cursor, start.events.len(), start.reset), (3, 0, false));
    tell(&engine, &["d"]).await;
    let batch = since(&engine, Some(1), 0).await;
    let ids: Vec<&str> = batch.events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!((ids, batch.cursor, batch.reset), (vec!["b", "c", "d"], 4, false));
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_the_commit() {
    let (engine, _clock, _folder) = engine().await;
    let (batch, ()) = tokio::join!(since(&engine, Some(0), 30_000), async {
        tokio::task::yield_now().await;
        tell(&engine, &["a"]).await;
    });
    assert_eq!((batch.cursor, batch.events.len()), (1, 1));
}

#[tokio::test]
async fn a_reader_that_waited_long_enough_gets_an_empty_batch() {
    let (engine, clock, _folder) = engine().await;
    let (batch, ()) = tokio::join!(since(&engine, Some(0), 5_000), async {
        tokio::task::yield_now().await;
        clock.advance_ms(5_000);
    });
    assert_eq!((batch.cursor, batch.events.len(), batch.reset), (0, 0, false));
}

#[tokio::test]
async fn a_reader_that_is_too_far_behind_or_from_another_ledger_reads_everything_anew() {
    let (engine, _clock, _folder) = engine().await;
    tell(&engine, &["a", "b", "c", "d"]).await;
    let tenant: Tenant = "acme".parse().unwrap();
    engine
        .ledger()
        .write::<_, Error, _>(move |tx| Box::pin(async move { Ok(feed::trim(tx, &tenant, 2).await?) }))
        .await
        .unwrap();
    for (cursor, reset) in [(0, true), (1, true), (2, false), (4, false), (5, true), (99, true)] {
        let batch = since(&engine, Some(cursor), 0).await;
        assert_eq!((batch.reset, batch.cursor), (reset, 4), "{cursor}");
    }
}
