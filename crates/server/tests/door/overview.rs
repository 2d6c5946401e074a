//! The figures of the first page.

use crate::app::App;

#[tokio::test]
async fn the_overview_counts_what_the_lists_show() {
    let app = App::local().await;
    for body in [
        r#"{"jobType":"demo.none","payload":{}}"#,
        r#"{"jobType":"demo.none","payload":{}}"#,
        r#"{"jobType":"demo.none","payload":{},"notBefore":"2026-11-21T10:00:00.000Z"}"#,
    ] {
        assert_eq!(app.post("/api/v1/jobs", body).await.status, 201);
    }
    app.engine.run_until_idle().await.unwrap();
    let overview = app.get("/api/v1/overview").await.json();
    for state in ["pending", "queued", "running"] {
        let list = app.get(&format!("/api/v1/jobs?state={state}")).await.json();
        assert_eq!(overview["jobs"][state], list["totalEstimate"], "{state}");
    }
    assert_eq!((&overview["jobs"]["queued"], &overview["jobs"]["pending"]), (&2.into(), &1.into()));
    assert_eq!(overview["waiting"][0]["reason"], "not_before");
    assert_eq!(overview["waiting"][0]["nextEligibleAt"], "2026-11-21T10:00:00.000Z");
    assert_eq!(overview["byType"][0]["waiting"], 3);
    assert_eq!(overview["asOf"], "2026-11-21T09:00:00.000Z");
    let point = &overview["depth"][0];
    assert_eq!((&point["queued"], &point["held"]), (&2.into(), &1.into()));
}

#[tokio::test]
async fn the_depth_is_sampled_once_a_minute_and_kept_for_a_week() {
    let app = App::local().await;
    for _ in 0..12 {
        app.engine.run_until_idle().await.unwrap();
        app.clock.advance_ms(60_000);
    }
    let overview = app.get("/api/v1/overview").await.json();
    let times: Vec<_> =
        overview["depth"].as_array().unwrap().iter().map(|point| point["at"].clone()).collect();
    assert_eq!(times, ["2026-11-21T09:00:00.000Z", "2026-11-21T09:05:00.000Z", "2026-11-21T09:10:00.000Z"]);
    app.clock.advance_ms(8 * 24 * 60 * 60 * 1_000);
    app.engine.run_until_idle().await.unwrap();
    let overview = app.get("/api/v1/overview").await.json();
    assert_eq!(overview["depth"].as_array().unwrap().len(), 1);
}
