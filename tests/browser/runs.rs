//! The runs workspace: a run planned by its preview and watched, filters in the address, several runs at once, a failed
//! one that leads to the runbook, parts that are switched off.

use crate::hand::{ask, dialog_closed, fill, press, push, read, see};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};

/// Opens a page, with a query where there is one.
async fn open(browser: &Browser, served: &Served, page: &Route, query: &str) {
    browser.goto(&format!("{}{}{query}", served.base, page.path())).await;
}

fn stella(home: &Home, words: &[&str]) {
    let done = home.stella().args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A ledger with a feed that was read and one target.
fn filled() -> Home {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let sbom = home
        .write("shop.cdx.json", &fixtures::sbom("shop", "1.0", &[("quill", "2.0.6"), ("lantern", "1.4")]));
    let (feed, sbom) = (feed.to_str().unwrap(), sbom.to_str().unwrap());
    stella(&home, &["source", "add", "--name", "feed", "--type", "advisory", "--location", feed]);
    stella(&home, &["source", "run", "--all", "--wait"]);
    stella(&home, &["sbom", "add", sbom]);
    home
}

const DRAWER: &str = "//*[starts-with(@aria-label, 'Run run:')]";
const ROWS: &str = "//*[@role='grid' or @role='table'][@aria-label='Runs']//*[@role='row'][.//*[@role='cell' or @role='gridcell']]";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_planned_by_its_preview_is_watched_filtered_by_address_and_exported() {
    let home = filled();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;

    open(&browser, &served, &Route::Runs, "").await;
    read(&browser, "No runs yet").await;
    press(&browser, "n").await;
    push(&browser, "Preview impact").await;
    fill(&browser, "Reason", "planned by preview").await;
    push(&browser, "Start run over 1 targets").await;
    dialog_closed(&browser).await;
    see(&browser, &format!("{DRAWER}//*[normalize-space(.)='completed']")).await;
    for (tab, words) in
        [("Evidence", "Segment outputs"), ("Logs", "Open in logs"), ("Deltas", "Findings of this run")]
    {
        let tab = format!("{DRAWER}//*[@role='tab'][contains(., '{tab}')]");
        see(&browser, &tab).await.click().await.unwrap();
        see(&browser, &format!("{DRAWER}//*[contains(normalize-space(.), '{words}')]")).await;
    }
    push(&browser, "Escalate to support").await;
    read(&browser, "What was tried:").await;
    read(&browser, "planned by preview").await;
    push(&browser, "Close").await;
    dialog_closed(&browser).await;

    open(&browser, &served, &Route::Runs, "?tab=completed&trigger=manual&severity=critical&since=24h").await;
    see(&browser, ROWS).await;
    open(&browser, &served, &Route::Runs, "?tab=completed&trigger=cron").await;
    read(&browser, "No completed run matches").await;
    open(&browser, &served, &Route::Runs, "?tab=completed&panel=trends").await;
    read(&browser, "scheduler_runs_duration_seconds").await;
    read(&browser, "scheduler.run.completed").await;

    open(&browser, &served, &Route::Runs, "?tab=completed").await;
    see(&browser, ROWS).await;
    press(&browser, "jx").await;
    read(&browser, "1 selected").await;
    push(&browser, "Export…").await;
    push(&browser, "Export").await;
    let banner = read(&browser, "1 run saved.").await;
    assert!(banner.is_displayed().await.unwrap());
    push(&browser, "Close").await;
    dialog_closed(&browser).await;
    push(&browser, "Retry 1").await;
    fill(&browser, "Reason", "once more").await;
    push(&browser, "Retry 1").await;
    read(&browser, "all 1 done").await;
    push(&browser, "Close").await;
    dialog_closed(&browser).await;
    let kept: bool = ask(&browser, "return location.search.includes('tab=completed');").await;
    assert!(kept, "the view is in the address");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_runs_that_fail_alike_raise_a_warning_that_leads_to_the_runbook() {
    let home = Home::default();
    let sbom = home.write("shop.cdx.json", &fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")]));
    stella(&home, &["sbom", "add", sbom.to_str().unwrap()]);
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    open(&browser, &served, &Route::Runs, "").await;
    for number in 1..=3 {
        push(&browser, "New run").await;
        fill(&browser, "Reason", &format!("try {number}")).await;
        push(&browser, "Start run").await;
        dialog_closed(&browser).await;
        see(&browser, &format!("{DRAWER}//*[normalize-space(.)='error']")).await;
        // Asked for twice within a second it would be the same run.
        see(&browser, &format!("{DRAWER}//*[normalize-space(.)='try {number}']")).await;
    }
    read(&browser, "3 runs ended with ERR_RUN_009 in an hour").await;
    see(&browser, "//*[contains(@class, 'banner')]//a[normalize-space(.)='Runbook']")
        .await
        .click()
        .await
        .unwrap();
    see(&browser, "//section[@id='code-err-run-009' and contains(@class, 'is-asked')]").await;
    let focused: String = ask(&browser, "return document.activeElement.id;").await;
    assert_eq!(focused, "code-err-run-009");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_switched_off_is_refused_everywhere_at_once() {
    let home = filled();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    open(&browser, &served, &Route::Runs, "").await;
    press(&browser, "n").await;
    fill(&browser, "Reason", "first").await;
    push(&browser, "Start run").await;
    dialog_closed(&browser).await;
    see(&browser, &format!("{DRAWER}//*[normalize-space(.)='completed']")).await;
    see(&browser, &format!("{DRAWER}//button[starts-with(normalize-space(.), 'Retry') and not(@disabled)]"))
        .await;

    open(&browser, &served, &Route::Settings, "").await;
    let off = "//tr[contains(., 'runs.retry.enabled')]//button";
    see(&browser, off).await.click().await.unwrap();
    fill(&browser, "Reason", "no more today").await;
    fill(&browser, "Ticket", "OPS-1").await;
    push(&browser, "Switch off").await;
    dialog_closed(&browser).await;
    see(&browser, "//tr[contains(., 'runs.retry.enabled')][contains(., 'Switch on')]").await;
    open(&browser, &served, &Route::Runs, "?tab=completed").await;
    see(&browser, ROWS).await;
    press(&browser, "jx").await;
    read(&browser, "Switched off here (runs.retry.enabled)").await;
    browser.close().await;
}
