use super::*;
use crate::clock::TestClock;
use crate::engine::Options;
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

fn caller(tenant: &str) -> Caller {
    Caller::local(tenant.parse().unwrap(), "ada")
}

fn answer() -> Kept {
    Kept { status: 201, media_type: "application/json".to_owned(), body: "{\"a\":1}".to_owned() }
}

async fn first(engine: &Engine, body: &[u8]) -> Claim {
    match engine.idempotency().begin(&caller("acme"), "POST /jobs", "k", body).await.unwrap() {
        Begun::First(claim) => claim,
        Begun::Answered(kept) => panic!("it was answered before: {kept:?}"),
    }
}

async fn refusal(engine: &Engine, body: &[u8]) -> Code {
    engine.idempotency().begin(&caller("acme"), "POST /jobs", "k", body).await.unwrap_err().code
}

#[tokio::test]
async fn the_first_answer_is_given_again_for_a_day_and_then_forgotten() {
    let (engine, clock, _folder) = engine().await;
    let claim = first(&engine, b"{}").await;
    engine.idempotency().keep(claim, answer()).await.unwrap();
    clock.advance_ms(KEPT_MS);
    let again = engine.idempotency().begin(&caller("acme"), "POST /jobs", "k", b"{}").await.unwrap();
    assert!(matches!(again, Begun::Answered(kept) if kept == answer()));
    assert_eq!(refusal(&engine, b"[]").await, Code::IdempotencyKeyReused);
    clock.advance_ms(1);
    let _claim = first(&engine, b"[]").await;
}

#[tokio::test]
async fn while_the_first_is_answered_the_second_waits_its_turn() {
    let (engine, clock, _folder) = engine().await;
    let dead = first(&engine, b"{}").await;
    assert_eq!(refusal(&engine, b"{}").await, Code::IdempotencyInProgress);
    // The process that had it is gone; somebody else takes over, and the late answer of the first is not kept.
    clock.advance_ms(ABANDONED_MS + 1);
    let heir = first(&engine, b"{}").await;
    engine.idempotency().keep(dead, Kept { status: 500, ..answer() }).await.unwrap();
    assert_eq!(refusal(&engine, b"{}").await, Code::IdempotencyInProgress);
    engine.idempotency().keep(heir, answer()).await.unwrap();
    let again = engine.idempotency().begin(&caller("acme"), "POST /jobs", "k", b"{}").await.unwrap();
    assert!(matches!(again, Begun::Answered(kept) if kept == answer()));
}

#[tokio::test]
async fn a_key_is_free_again_after_its_request_came_to_nothing() {
    let (engine, _clock, _folder) = engine().await;
    let claim = first(&engine, b"{}").await;
    engine.idempotency().release(claim).await.unwrap();
    let _claim = first(&engine, b"another body").await;
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant_and_path() {
    let (engine, _clock, _folder) = engine().await;
    let _claim = first(&engine, b"{}").await;
    for (tenant, path) in [("globex", "POST /jobs"), ("acme", "POST /runs")] {
        let begun = engine.idempotency().begin(&caller(tenant), path, "k", b"other").await.unwrap();
        assert!(matches!(begun, Begun::First(_)), "{tenant} {path}");
    }
}

#[tokio::test]
async fn of_two_that_begin_at_once_one_is_first() {
    let (engine, _clock, _folder) = engine().await;
    let desk = engine.idempotency();
    let who = caller("acme");
    let (one, two) =
        tokio::join!(desk.begin(&who, "POST /jobs", "k", b"{}"), desk.begin(&who, "POST /jobs", "k", b"{}"));
    let codes: Vec<Option<Code>> = [one, two].into_iter().map(|begun| begun.err().map(|e| e.code)).collect();
    assert!(codes.contains(&None) && codes.contains(&Some(Code::IdempotencyInProgress)), "{codes:?}");
}
