//! Jobs coming in, and looking at them.

use crate::support::World;
use serde_json::json;
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::job::{JobFilter, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_engine::Caller;
use tokio::sync::Barrier;

pub(crate) async fn one_idempotency_key_is_one_job_and_another_payload_is_refused(world: World) {
    let keyed = SubmitJob { idempotency_key: Some("nightly".to_owned()), ..world.wish() };
    let jobs = world.engine.jobs();
    let first = jobs.submit(&world.caller, keyed.clone()).await.unwrap();
    // The same payload in another spelling is the same payload.
    let again = SubmitJob { payload: json!({ "n": 1.0 }), ..keyed.clone() };
    let second = jobs.submit(&world.caller, again).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.job.job_id, second.job.job_id);
    let other = SubmitJob { payload: json!({ "n": 2 }), ..keyed.clone() };
    let error = jobs.submit(&world.caller, other).await.unwrap_err();
    assert_eq!(error.code, Code::IdempotencyKeyReused);
    // The key belongs to its job type and tenant.
    let other_type = SubmitJob { job_type: "exam.other".to_owned(), ..keyed.clone() };
    assert!(!jobs.submit(&world.caller, other_type).await.unwrap().replayed);
    let stranger = Caller::local("globex".parse().unwrap(), "eve");
    assert!(!jobs.submit(&stranger, keyed).await.unwrap().replayed);
}

pub(crate) async fn sixteen_callers_with_one_key_make_one_job(world: World) {
    let world = Arc::new(world);
    let barrier = Arc::new(Barrier::new(16));
    let mut callers = Vec::new();
    for _ in 0..16 {
        let (world, barrier) = (world.clone(), barrier.clone());
        callers.push(tokio::spawn(async move {
            let wish = SubmitJob { idempotency_key: Some("k".to_owned()), ..world.wish() };
            barrier.wait().await;
            world.engine.jobs().submit(&world.caller, wish).await.unwrap()
        }));
    }
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.job.job_id == answers[0].job.job_id));
    let page = world.engine.jobs().list(&world.caller, &JobFilter::default(), &PageQuery::default()).await;
    assert_eq!(page.unwrap().total_estimate, Some(1));
}

pub(crate) async fn a_wish_that_cannot_be_is_refused_by_field(world: World) {
    let wish = world.wish();
    let cases = [
        ("jobType", SubmitJob { job_type: "Exam".to_owned(), ..wish.clone() }),
        ("jobType", SubmitJob { job_type: "x".to_owned(), ..wish.clone() }),
        ("jobType", SubmitJob { job_type: format!("a{}", "b".repeat(64)), ..wish.clone() }),
        ("priority", SubmitJob { priority: Some(101), ..wish.clone() }),
        ("maxAttempts", SubmitJob { max_attempts: Some(0), ..wish.clone() }),
        ("timeoutS", SubmitJob { timeout_s: Some(0), ..wish.clone() }),
        ("idempotencyKey", SubmitJob { idempotency_key: Some("k".repeat(201)), ..wish.clone() }),
        ("idempotencyKey", SubmitJob { idempotency_key: Some(String::new()), ..wish.clone() }),
    ];
    for (field, wish) in cases {
        let error = world.engine.jobs().submit(&world.caller, wish).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field));
    }
    let huge = SubmitJob { payload: json!("x".repeat(17 * 1024 * 1024)), ..wish };
    let error = world.engine.jobs().submit(&world.caller, huge).await.unwrap_err();
    assert_eq!(error.code, Code::PayloadTooLarge);
}

pub(crate) async fn a_payload_of_any_size_comes_back_and_its_secrets_are_hidden(world: World) {
    for size in [10, 2_000, 100_000] {
        let payload = json!({ "text": "x".repeat(size), "apiKey": "sesame", "deep": [{ "token": "t" }] });
        let job = world.submit(SubmitJob { payload: payload.clone(), ..world.wish() }).await;
        let shown = world.detail(&job.job_id).await.payload;
        let expected =
            json!({ "text": "x".repeat(size), "apiKey": "[redacted]", "deep": [{ "token": "[redacted]" }] });
        assert_eq!(shown, expected, "{size}");
        // The worker gets it whole.
        let lease = world.start().await;
        assert_eq!((lease.payload, &lease.job.job_id), (payload, &job.job_id), "{size}");
        assert_eq!(job.payload_digest.len(), 71);
    }
}

pub(crate) async fn another_tenant_sees_nothing_of_it(world: World) {
    let job = world.submitted().await;
    let stranger = Caller::local("globex".parse().unwrap(), "eve").because("curious", Some("X-1"));
    let jobs = world.engine.jobs();
    let refused = [
        jobs.get(&stranger, &job.job_id).await.unwrap_err().code,
        jobs.history(&stranger, &job.job_id, &PageQuery::default()).await.unwrap_err().code,
        jobs.cancel(&stranger, &job.job_id).await.unwrap_err().code,
    ];
    assert_eq!(refused, [Code::JobNotFound; 3]);
    let page = jobs.list(&stranger, &JobFilter::default(), &PageQuery::default()).await.unwrap();
    assert_eq!((page.items, page.total_estimate), (vec![], Some(0)));
    assert_eq!(world.engine.history().verify(&stranger).await.unwrap().entries, 0);
}

pub(crate) async fn a_list_is_paged_and_a_token_holds_for_its_filter_only(world: World) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.submitted().await.job_id);
    }
    ids.reverse();
    let (jobs, all) = (world.engine.jobs(), JobFilter::default());
    let (mut got, mut token) = (Vec::new(), None);
    loop {
        let query = PageQuery { page_token: token, page_size: Some(2) };
        let page = jobs.list(&world.caller, &all, &query).await.unwrap();
        assert_eq!(page.total_estimate, Some(5));
        got.extend(page.items.into_iter().map(|job| job.job_id));
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
        let query = PageQuery { page_token: token.clone(), page_size: Some(2) };
        let other = JobFilter { state: Some(JobState::Failed), ..JobFilter::default() };
        let error = jobs.list(&world.caller, &other, &query).await.unwrap_err();
        assert_eq!(error.code, Code::PageTokenInvalid);
    }
    assert_eq!(got, ids);
}
