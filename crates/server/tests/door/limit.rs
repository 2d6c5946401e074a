//! How many requests one token may make.

use crate::app::{Answer, App};
use std::num::NonZeroU32;
use stella_contract::scope::Scope;
use stella_server::{Auth, Door, RequestLimit, router};

async fn limited() -> (App, String) {
    let mut app = App::bearer().await;
    let limit = RequestLimit { burst: NonZeroU32::new(3).unwrap(), per_second: NonZeroU32::new(1).unwrap() };
    app.router = router(Door { limit, ..Door::new(app.engine.clone(), Auth::Bearer) });
    let token = format!("Bearer {}", app.token([Scope::OrchRead]).await);
    (app, token)
}

async fn ask(app: &App, token: &str) -> Answer {
    app.ask("GET", "/api/v1/session", &[("authorization", token)], "").await
}

#[tokio::test]
async fn each_answer_says_what_is_left_and_beyond_it_the_token_is_told_when_to_come_back() {
    let (app, token) = limited().await;
    for left in ["2", "1", "0"] {
        let answer = ask(&app, &token).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-remaining")), (200, left));
        assert_eq!(answer.header("x-ratelimit-limit"), "3");
    }
    let refused = ask(&app, &token).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED".to_owned()));
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-remaining")), ("1", "0"));
    // 2026-11-21T09:00:03Z: three seconds until the bucket is full.
    assert_eq!(refused.header("x-ratelimit-reset"), "1795251603");
    app.clock.advance_ms(1_000);
    assert_eq!(ask(&app, &token).await.status, 200);
    assert_eq!(ask(&app, &token).await.status, 429);
}

#[tokio::test]
async fn one_token_does_not_use_up_what_another_may() {
    let (app, token) = limited().await;
    for _ in 0..4 {
        ask(&app, &token).await;
    }
    assert_eq!(ask(&app, &token).await.status, 429);
    let other = format!("Bearer {}", app.token([Scope::OrchRead]).await);
    assert_eq!(ask(&app, &other).await.status, 200);
}

#[tokio::test]
async fn the_window_of_this_machine_has_no_limit() {
    let app = App::local().await;
    assert_eq!(app.get("/api/v1/session").await.header("x-ratelimit-limit"), "");
}
