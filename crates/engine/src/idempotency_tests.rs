use super::*;
use crate::clock::TestClock;
use crate::engine::Options;
use std::sync::Arc;
use stella_ledger::LedgerPlace;
use tempfile::TempDir;

async fn engine() -> (Engine, Arc<TestClock>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    let (engine, clock) = open(place, &folder).await;
    (engine, clock, folder)
}

async fn open(place: LedgerPlace, folder: &TempDir) -> (Engine, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let options = Options {
        place,
        blobs: folder.path().join("blobs"),
        tenants: vec!["acme".parse().unwrap()],
        clock: clock.clone(),
        chance: Arc::new(crate::SeededChance::new(3)),
        workers: 0,
    };
    (Engine::open(options).await.unwrap(), clock)
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
    engine.idempotency().keep(claim, answer());
    while !engine.answers().0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
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
    let claim = first(&engine, b"{}").await;
    clock.advance_ms(10 * ABANDONED_MS);
    assert_eq!(refusal(&engine, b"{}").await, Code::IdempotencyInProgress);
    assert_eq!(refusal(&engine, b"[]").await, Code::IdempotencyKeyReused);
    engine.idempotency().keep(claim, answer());
    // Whether or not it lies in the ledger yet.
    let again = engine.idempotency().begin(&caller("acme"), "POST /jobs", "k", b"{}").await.unwrap();
    assert!(matches!(again, Begun::Answered(kept) if kept == answer()));
}

#[tokio::test]
async fn an_answer_outlives_the_process_that_gave_it() {
    let (one, _clock, folder) = engine().await;
    let claim = first(&one, b"{}").await;
    one.idempotency().keep(claim, answer());
    one.close().await;
    drop(one);
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    let (two, _clock) = open(place, &folder).await;
    let again = two.idempotency().begin(&caller("acme"), "POST /jobs", "k", b"{}").await.unwrap();
    assert!(matches!(again, Begun::Answered(kept) if kept == answer()));
    assert_eq!(refusal(&two, b"[]").await, Code::IdempotencyKeyReused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_postgres_share_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    let (one, _) = open(LedgerPlace::Postgres(url.clone()), &folder).await;
    let (two, clock) = open(LedgerPlace::Postgres(url), &folder).await;
    let dead = first(&one, b"{}").await;
    assert_eq!(refusal(&two, b"{}").await, Code::IdempotencyInProgress);
    // The first process is gone; the second takes over, and the late answer of the first changes nothing.
    clock.advance_ms(ABANDONED_MS + 1);
    let heir = first(&two, b"{}").await;
    one.idempotency().keep(dead, Kept { status: 500, ..answer() });
    two.idempotency().keep(heir, answer());
    one.close().await;
    two.close().await;
    let (three, _) = open(two.options().place.clone(), &folder).await;
    let again = three.idempotency().begin(&caller("acme"), "POST /jobs", "k", b"{}").await.unwrap();
    assert!(matches!(again, Begun::Answered(kept) if kept == answer()));
}

#[tokio::test]
async fn a_request_that_is_dropped_gives_its_key_back() {
    let (engine, _clock, _folder) = engine().await;
    drop(first(&engine, b"{}").await);
    let _claim = first(&engine, b"another body").await;
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

#[tokio::test]
async fn any_number_of_repetitions_at_once_get_the_kept_answer() {
    let (engine, _clock, _folder) = engine().await;
    let claim = first(&engine, b"{}").await;
    engine.idempotency().keep(claim, answer());
    while !engine.answers().0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let (desk, who) = (engine.idempotency(), caller("acme"));
    let ask = || desk.begin(&who, "POST /jobs", "k", b"{}");
    let other = desk.begin(&who, "POST /jobs", "k", b"[]");
    let (one, two, three, other) = tokio::join!(ask(), ask(), ask(), other);
    for begun in [one, two, three] {
        assert!(matches!(begun, Ok(Begun::Answered(kept)) if kept == answer()));
    }
    assert_eq!(other.unwrap_err().code, Code::IdempotencyKeyReused);
}
