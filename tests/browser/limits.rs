//! A limit in the way of a job: the job's page says so, and the limit is lifted from there.

use crate::hand::{dialog_closed, fill, push, read, see};
use serde_json::json;
use std::process::Stdio;
use stella_contract::ids::Tenant;
use stella_contract::job::SubmitJob;
use stella_contract::route::Route;
use stella_sdk::worker::Worker;
use stella_sdk::{Client, Write};
use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};

const JOB_TYPE: &str = "test.patient";

/// A token for the test's own hands, made while no server holds the ledger.
fn token(home: &Home) -> String {
    let scopes = "orch:read,orch:submit,worker";
    let mut command = home.stella();
    command.args(["token", "create", "--name", "hands", "--scope", scopes]).stderr(Stdio::null());
    let made = command.output().unwrap();
    assert!(made.status.success(), "the token was not made: {}", made.status);
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

async fn submit(client: &Client, number: i64) -> Route {
    let wish =
        SubmitJob { job_type: JOB_TYPE.into(), payload: json!({ "number": number }), ..Default::default() };
    Route::Job(client.jobs().submit(&wish, &Write::default()).await.unwrap().job_id)
}

async fn open(browser: &Browser, served: &Served, page: &Route) {
    browser.goto(&format!("{}{}", served.base, page.path())).await;
}

/// The state in the head of a job's page.
fn state(word: &str) -> String {
    format!("//*[contains(@class, 'page-head')]//*[normalize-space(.)={word:?}]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_one_holds_a_job_whose_page_says_why_and_lifts_it() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let home = Home::default();
    let token = token(&home);
    let served = Served::start(&home, true);
    let tenant: Tenant = "default".parse().unwrap();
    let client = Client::new(&served.base, Some(&token), tenant).unwrap();
    // It holds every job until it is cancelled, so that a place once taken stays taken.
    let worker = Worker::new(client.clone(), "patient").concurrency(2).on(JOB_TYPE, |task| async move {
        task.cancelled().await;
        Ok(json!({}).into())
    });
    let working = tokio::spawn(worker.run_until(std::future::pending()));
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;

    open(&browser, &served, &Route::Quotas).await;
    read(&browser, "No quota yet").await;
    push(&browser, "New quota…").await;
    fill(&browser, "Job type", JOB_TYPE).await;
    fill(&browser, "Max active", "1").await;
    fill(&browser, "Reason", "one at a time").await;
    push(&browser, "Make quota").await;
    dialog_closed(&browser).await;
    see(&browser, &format!("//table[@aria-label='Quotas']//tr[contains(., {JOB_TYPE:?})]")).await;

    let first = submit(&client, 1).await;
    open(&browser, &served, &first).await;
    see(&browser, &state("running")).await;
    let second = submit(&client, 2).await;
    open(&browser, &served, &second).await;
    see(&browser, &state("pending")).await;
    let reason = read(&browser, "quota_max_active").await;
    assert!(reason.is_displayed().await.unwrap());
    read(&browser, "1 of 1").await;

    push(&browser, "Raise the limit…").await;
    fill(&browser, "Max active", "2").await;
    fill(&browser, "Reason", "two are fine").await;
    push(&browser, "Save quota").await;
    dialog_closed(&browser).await;
    see(&browser, &state("running")).await;
    working.abort();
    browser.close().await;
}
