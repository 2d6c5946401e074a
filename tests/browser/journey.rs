//! The main journey, as a person goes it: from an empty ledger to findings, by pointer and by keys.

use crate::hand::{ask, choose, dialog_closed, fill, hand_over, press, press_ctrl, push, read, see};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};
use thirtyfour::prelude::*;

async fn signed_in(served: &Served) -> Browser {
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser
}

async fn open(browser: &Browser, served: &Served, page: Route) {
    browser.goto(&format!("{}{}", served.base, page.path())).await;
}

/// Adds a source by its dialog and waits for its line.
async fn add_source(browser: &Browser, name: &str, kind: &str, location: &str) {
    push(browser, "Add source…").await;
    fill(browser, "Name", name).await;
    choose(browser, "Type", kind).await;
    fill(browser, "Location", location).await;
    push(browser, "Add source").await;
    dialog_closed(browser).await;
    read(browser, name).await;
}

/// The line of a table that holds these words.
fn row(words: &str) -> String {
    format!(
        "//*[@role='row'][.//*[@role='cell' or @role='gridcell']][contains(normalize-space(.), {words:?})]"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_pages_say_what_is_missing_and_how_to_begin() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = signed_in(&served).await;
    let pages = [
        (Route::Jobs, "No jobs yet"),
        (Route::Runs, "No runs yet"),
        (Route::Sources, "No sources yet"),
        (Route::Targets, "No targets yet"),
        (Route::Findings, "No findings data"),
    ];
    for (page, words) in pages {
        open(&browser, &served, page).await;
        read(&browser, words).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_and_an_sbom_become_a_run_and_its_findings_without_a_reload() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let sbom = home
        .write("shop.cdx.json", &fixtures::sbom("shop", "1.0", &[("quill", "2.0.6"), ("lantern", "1.4")]));
    let served = Served::start(&home, true);
    let browser = signed_in(&served).await;

    open(&browser, &served, Route::Sources).await;
    // A mark that a reload would wipe off.
    let _: Option<bool> = ask(&browser, "window.sameVisit = true; return null;").await;
    add_source(&browser, "feed", "advisory", feed.to_str().unwrap()).await;
    see(&browser, &row("feed")).await.click().await.unwrap();
    push(&browser, "Run now…").await;
    push(&browser, "Run now").await;
    dialog_closed(&browser).await;
    see(&browser, &row("healthy")).await;

    press(&browser, "gt").await;
    read(&browser, "No targets yet").await;
    push(&browser, "Import SBOMs…").await;
    hand_over(&browser, &sbom).await;
    read(&browser, "new target: shop 1.0, 2 components").await;
    push(&browser, "Done").await;
    see(&browser, &row("shop")).await;

    press(&browser, "gr").await;
    read(&browser, "No runs yet").await;
    press(&browser, "n").await;
    fill(&browser, "Reason", "first look").await;
    push(&browser, "Start run").await;
    dialog_closed(&browser).await;
    let drawer = "//*[starts-with(@aria-label, 'Run run:')]";
    see(&browser, &format!("{drawer}//*[normalize-space(.)='completed']")).await;
    see(&browser, &format!("{drawer}//*[@role='tab'][contains(., 'Deltas')]")).await.click().await.unwrap();
    let change = see(&browser, &format!("{drawer}{}", row("CVE-2026-1001"))).await.text().await.unwrap();
    assert!(change.contains("new") && change.contains("critical"), "{change}");

    press(&browser, "gf").await;
    see(&browser, &row("CVE-2026-1001")).await;
    let rows = browser.driver.find_all(By::XPath(row(""))).await.unwrap();
    assert_eq!(rows.len(), 1, "lantern 1.4 is fixed");
    let same: bool = ask(&browser, "return window.sameVisit === true;").await;
    assert!(same, "the page was loaded anew on the way");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn theme_and_density_outlive_a_reload() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = signed_in(&served).await;
    open(&browser, &served, Route::Settings).await;
    see(&browser, "//*[@role='radio'][normalize-space(.)='dark']").await.click().await.unwrap();
    see(&browser, "//*[@role='radio'][normalize-space(.)='compact']").await.click().await.unwrap();
    let marks = "const root = document.documentElement; return [root.dataset.theme, root.dataset.density, getComputedStyle(document.body).backgroundColor];";
    let chosen: (String, String, String) = ask(&browser, marks).await;
    assert_eq!((chosen.0.as_str(), chosen.1.as_str()), ("dark", "compact"));
    browser.driver.refresh().await.unwrap();
    browser.settled().await;
    let kept: (String, String, String) = ask(&browser, marks).await;
    assert_eq!(kept, chosen);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_palette_and_the_chords_lead_everywhere() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = signed_in(&served).await;
    press_ctrl(&browser, "k").await;
    browser.find("dialog.palette[open] input").await.send_keys("setti" + Key::Enter).await.unwrap();
    see(&browser, "//h1[normalize-space(.)='Settings']").await;
    for (keys, head) in [("gj", "Jobs"), ("gs", "Sources"), ("gr", "Runs"), ("gw", "Workers")] {
        press(&browser, keys).await;
        see(&browser, &format!("//h1[normalize-space(.)={head:?}]")).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_move_through_the_jobs_and_open_one_whose_cancel_says_why_not() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let feed = feed.to_str().unwrap();
    let add = ["source", "add", "--name", "feed", "--type", "advisory", "--location", feed];
    for words in [&add[..], &["source", "run", "--all", "--wait"]] {
        let done = home.stella().args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let served = Served::start(&home, true);
    let browser = signed_in(&served).await;
    open(&browser, &served, Route::Jobs).await;
    see(&browser, &row("ingest.advisory")).await;
    press(&browser, "j").await;
    browser.find(".vt[aria-activedescendant]").await;
    press(&browser, "jk").await;
    press(&browser, "" + Key::Enter).await;
    see(&browser, "//h1[contains(@class, 'job-id')]").await;
    let cancel = see(&browser, "//button[.//*[normalize-space(.)='Cancel']]").await;
    assert!(!cancel.is_enabled().await.unwrap());
    let said = cancel.text().await.unwrap();
    assert!(said.contains("already"), "a button that is off says why: {said}");
    browser.close().await;
}
