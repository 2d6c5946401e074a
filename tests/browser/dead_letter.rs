//! A dead letter's return, as a person goes it: from its cause to the page of the job that repeats it.

use crate::hand::{ask, dialog_closed, fill, press, push, read, see};
use std::fs;
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};

/// The line of a table that holds these words.
fn row(words: &str) -> String {
    format!(
        "//*[@role='row'][.//*[@role='cell' or @role='gridcell']][contains(normalize-space(.), {words:?})]"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_repeated_from_its_cause_to_the_page_of_its_job() {
    let home = Home::default();
    let list = home.write("kev.json", "{ \"vulnerabilities\": [ half a list");
    let add = ["source", "add", "--name", "listed", "--type", "kev", "--location"];
    let added = home.stella().args(add).arg(&list).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;

    // Its list cannot be read, so that the job fails for good.
    browser.goto(&format!("{}{}", served.base, Route::Sources.path())).await;
    let _: Option<bool> = ask(&browser, "window.sameVisit = true; return null;").await;
    see(&browser, &row("listed")).await.click().await.unwrap();
    push(&browser, "Run now…").await;
    push(&browser, "Run now").await;
    dialog_closed(&browser).await;
    press(&browser, "gd").await;
    see(&browser, &row("ingest.kev")).await;

    // The far side mends its list; the operator has the job repeated and follows it to its page.
    fs::write(&list, fixtures::kev(&["CVE-2026-1001"])).unwrap();
    push(&browser, "Replay…").await;
    let force =
        "//dialog[@open]//*[self::button or self::label][contains(normalize-space(.), 'Also replay')]";
    see(&browser, force).await.click().await.unwrap();
    fill(&browser, "Reason", "the list is whole again").await;
    fill(&browser, "Ticket", "OPS-7").await;
    push(&browser, "Replay 1").await;
    dialog_closed(&browser).await;
    read(&browser, "Started: replay 1 entry.").await;
    see(&browser, "//a[normalize-space(.)='See how far it is']").await.click().await.unwrap();
    let job = "//main//a[contains(@href, '/jobengine/jobs/job_')]";
    see(&browser, job).await.click().await.unwrap();
    see(&browser, "//main//*[contains(@class, 'page-head')]//*[normalize-space(.)='succeeded']").await;
    assert!(browser.location().await.contains("/ops/operations/jobengine/jobs/job_"));

    press(&browser, "gd").await;
    read(&browser, "Dead-letter is empty").await;
    let same: bool = ask(&browser, "return window.sameVisit === true;").await;
    assert!(same, "the page was loaded anew on the way");
    browser.close().await;
}
