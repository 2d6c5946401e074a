use super::*;
use crate::clock::TestClock;
use crate::engine::Options;
use std::sync::Arc;
use tempfile::TempDir;

struct Desk {
    engine: Engine,
    clock: Arc<TestClock>,
    _folder: TempDir,
}

async fn desk() -> Desk {
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
    Desk { engine: Engine::open(options).await.unwrap(), clock, _folder: folder }
}

fn owner() -> Caller {
    Caller::local("acme".parse().unwrap(), "ada")
}

fn wish(scopes: &[Scope]) -> NewToken {
    NewToken {
        name: "robot".to_owned(),
        scopes: scopes.iter().copied().collect(),
        read_only: false,
        ttl_ms: 60_000,
    }
}

async fn code_of(desk: &Desk, secret: &str) -> Option<Code> {
    desk.engine.sessions().authenticate(secret).await.err().map(|error| error.code)
}

#[tokio::test]
async fn a_token_stands_for_what_it_was_made_with_until_it_ends() {
    let desk = desk().await;
    let made = desk.engine.sessions().create_token(&owner(), wish(&[Scope::OrchRead])).await.unwrap();
    let bearer = desk.engine.sessions().authenticate(&made.secret).await.unwrap();
    assert_eq!((bearer.subject.as_str(), bearer.tenant.as_str()), ("robot", "acme"));
    assert_eq!(bearer.scopes, BTreeSet::from([Scope::OrchRead]));
    desk.clock.advance_ms(59_999);
    assert_eq!(code_of(&desk, &made.secret).await, None);
    desk.clock.advance_ms(1);
    assert_eq!(code_of(&desk, &made.secret).await, Some(Code::Unauthenticated));
}

#[tokio::test]
async fn a_token_taken_back_is_refused_at_once() {
    let desk = desk().await;
    let made = desk.engine.sessions().create_token(&owner(), wish(&[Scope::OrchRead])).await.unwrap();
    assert_eq!(code_of(&desk, &made.secret).await, None);
    desk.engine.sessions().revoke_token(&owner(), &made.token_id).await.unwrap();
    assert_eq!(code_of(&desk, &made.secret).await, Some(Code::Unauthenticated));
    let again = desk.engine.sessions().revoke_token(&owner(), &made.token_id).await.unwrap_err();
    assert_eq!(again.code, Code::NotFound);
}

#[tokio::test]
async fn nobody_gives_away_a_scope_they_do_not_have() {
    let desk = desk().await;
    let mut few = owner();
    few.scopes = BTreeSet::from([Scope::TokensManage, Scope::OrchRead]);
    let refused = desk.engine.sessions().create_token(&few, wish(&[Scope::OrchOperate])).await.unwrap_err();
    assert_eq!(refused.code, Code::ScopeMissing);
    assert!(desk.engine.sessions().create_token(&few, wish(&[Scope::OrchRead])).await.is_ok());
}

#[tokio::test]
async fn a_one_time_token_opens_one_session_and_is_no_token_itself() {
    let desk = desk().await;
    let secret = desk.engine.sessions().one_time(&"acme".parse().unwrap()).await.unwrap();
    assert_eq!(code_of(&desk, &secret).await, Some(Code::Unauthenticated));
    let opened = desk.engine.sessions().open(&secret).await.unwrap();
    assert_eq!(code_of(&desk, &opened.token).await, None);
    let again = desk.engine.sessions().open(&secret).await.unwrap_err();
    assert_eq!(again.code, Code::Unauthenticated);
    let late = desk.engine.sessions().one_time(&"acme".parse().unwrap()).await.unwrap();
    desk.clock.advance_ms(ONE_TIME_MS);
    assert_eq!(desk.engine.sessions().open(&late).await.unwrap_err().code, Code::Unauthenticated);
}

#[tokio::test]
async fn of_two_that_open_the_same_one_time_token_one_succeeds() {
    let desk = desk().await;
    let secret = desk.engine.sessions().one_time(&"acme".parse().unwrap()).await.unwrap();
    let sessions = desk.engine.sessions();
    let (one, two) = tokio::join!(sessions.open(&secret), sessions.open(&secret));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
}

#[tokio::test]
async fn the_ledger_and_its_history_hold_no_secret() {
    let desk = desk().await;
    let made = desk.engine.sessions().create_token(&owner(), wish(&[Scope::OrchRead])).await.unwrap();
    let one_time = desk.engine.sessions().one_time(&"acme".parse().unwrap()).await.unwrap();
    let opened = desk.engine.sessions().open(&one_time).await.unwrap();
    let check = desk.engine.history().verify(&owner()).await.unwrap();
    assert_eq!((check.entries, check.broken), (3, None));
    desk.engine.close().await;
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(desk._folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(bytes.windows(5).any(|window| window == b"robot"), "the files that were read are the ledger's");
    for secret in [made.secret, one_time, opened.token] {
        let (_, hex) = secret.split_at(4);
        assert!(!bytes.windows(hex.len()).any(|window| window == hex.as_bytes()));
    }
}
