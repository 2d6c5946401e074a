//! The main journeys without a pointer: keys of the page, Tab to what is meant, Enter and Space on it.

use crate::hand::{ask, dialog_closed, press, press_ctrl, read, see};
use std::fs;
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::fixtures;
use stella_tests::many;
use stella_tests::served::{Home, Served};
use thirtyfour::prelude::*;

/// What has the focus, by its name.
const NAME: &str = "const e = document.activeElement; \
    const label = e.labels && e.labels.length ? e.labels[0].innerText : ''; \
    return (e.getAttribute('aria-label') || label || e.innerText || e.tagName).trim();";
/// As many steps of the Tab key as nobody wants to make.
const FAR: usize = 120;

/// More than a page of the list.
const JOBS: usize = 240;

const DRAWER: &str = "//aside[starts-with(@aria-label, 'Run run:')]";

async fn key(browser: &Browser, key: Key) {
    press(browser, "" + key).await;
}

/// Goes on with Tab until what has the focus begins with this name.
async fn tab_to(browser: &Browser, name: &str) {
    let mut passed = Vec::new();
    for _ in 0..FAR {
        let here: String = ask(browser, NAME).await;
        if here.starts_with(name) {
            return;
        }
        passed.push(here.lines().next().unwrap_or_default().to_owned());
        key(browser, Key::Tab).await;
    }
    panic!("Tab did not come to {name:?}, only to {passed:?}");
}

/// Goes to a control by Tab and presses it.
async fn choose(browser: &Browser, name: &str) {
    tab_to(browser, name).await;
    key(browser, Key::Enter).await;
}

/// Goes to a field by Tab and types.
async fn write(browser: &Browser, label: &str, text: &str) {
    tab_to(browser, label).await;
    press(browser, text).await;
}

/// Gives the reason that the open dialog asks for, and confirms.
async fn confirm(browser: &Browser, reason: &str, ticket: Option<&str>) {
    see(browser, "//dialog[@open]").await;
    write(browser, "Reason", reason).await;
    if let Some(ticket) = ticket {
        write(browser, "Ticket", ticket).await;
    }
    press_ctrl(browser, "\u{E007}").await;
    dialog_closed(browser).await;
}

/// Goes to a page by the palette.
async fn palette(browser: &Browser, words: &str, head: &str) {
    press_ctrl(browser, "k").await;
    see(browser, "//dialog[@open]//input").await;
    press(browser, words).await;
    see(browser, "//dialog[@open]//*[@role='option'][@aria-selected='true']").await;
    key(browser, Key::Enter).await;
    see(browser, &format!("//h1[normalize-space(.)={head:?}]")).await;
}

fn stella(home: &Home, words: &[&str]) {
    let done = home.stella().args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn row(words: &str) -> String {
    format!("//*[@role='row'][.//*[@role='gridcell']][contains(normalize-space(.), {words:?})]")
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_planned_looked_through_and_repeated_by_keys_alone() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let sbom = home.write("shop.cdx.json", &fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")]));
    let add = ["source", "add", "--name", "feed", "--type", "advisory", "--location"];
    stella(&home, &[&add[..], &[feed.to_str().unwrap()]].concat());
    stella(&home, &["source", "run", "--all", "--wait"]);
    stella(&home, &["sbom", "add", sbom.to_str().unwrap()]);
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;

    palette(&browser, "runs", "Runs").await;
    press(&browser, "n").await;
    see(&browser, "//dialog[@open]").await;
    choose(&browser, "Preview impact").await;
    read(&browser, "Start run over 1 targets").await;
    confirm(&browser, "by keys", None).await;
    see(&browser, &format!("{DRAWER}//*[contains(@class, 'pill')][normalize-space(.)='completed']")).await;
    press(&browser, "]").await;
    see(&browser, &format!("{DRAWER}//*[@role='tab'][@aria-selected='true'][contains(., 'Segments')]")).await;
    key(&browser, Key::Escape).await;
    see(&browser, &format!("//body[not({})]", DRAWER.trim_start_matches('/').replace("aside", ".//aside")))
        .await;

    // To the list of those that have ended, down to the row, into the drawer, and out of it to the row.
    tab_to(&browser, "Completed").await;
    key(&browser, Key::Left).await;
    see(&browser, "//*[@role='tab'][@aria-selected='true'][contains(., 'Active')]").await;
    key(&browser, Key::Right).await;
    let rows = "//*[@role='grid'][@aria-label='Runs']";
    see(&browser, &format!("{rows}//*[@role='row'][@aria-rowindex='2']")).await;
    tab_to(&browser, "Runs").await;
    key(&browser, Key::Down).await;
    see(&browser, &format!("{rows}[@aria-activedescendant]")).await;
    key(&browser, Key::Enter).await;
    see(&browser, DRAWER).await;
    choose(&browser, "Retry…").await;
    confirm(&browser, "once more", None).await;
    read(&browser, "Run started again").await;
    key(&browser, Key::Escape).await;
    see(&browser, &format!("{rows}//*[@role='row'][@aria-rowindex='3']")).await;

    // What has the focus is pressed, not the row of the cursor.
    press(&browser, "j").await;
    choose(&browser, "New run").await;
    see(&browser, "//dialog[@open]//h1[normalize-space(.)='New run']").await;
    key(&browser, Key::Escape).await;
    dialog_closed(&browser).await;
    let back: String = ask(&browser, NAME).await;
    assert!(back.starts_with("New run"), "{back} has the focus after the dialog");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_jobs_that_match_are_cancelled_by_keys_alone() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let client = many::signed_in(&served).await;
    many::submit(&client, JOBS, 8).await;
    // The token of the address is used up; the page gets its own.
    let again = served.base.clone();
    served.kill();
    let served = Served::start_again(&home, true, &again);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    press(&browser, "gj").await;
    see(&browser, &row("demo.waiting")).await;
    press_ctrl(&browser, "a").await;
    read(&browser, "selected").await;
    press_ctrl(&browser, "a").await;
    choose(&browser, "Cancel").await;
    read(&browser, &format!("Cancel {JOBS}")).await;
    confirm(&browser, "not needed", Some("OPS-1")).await;
    read(&browser, &format!("Started: cancel {JOBS}")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_repeated_by_keys_alone() {
    let home = Home::default();
    let list = home.write("kev.json", "{ \"vulnerabilities\": [ half a list");
    let add = ["source", "add", "--name", "listed", "--type", "kev", "--location"];
    stella(&home, &[&add[..], &[list.to_str().unwrap()]].concat());
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    palette(&browser, "sources", "Sources").await;
    see(&browser, &row("listed")).await;
    press(&browser, "j").await;
    key(&browser, Key::Enter).await;
    choose(&browser, "Run now…").await;
    see(&browser, "//dialog[@open]").await;
    press_ctrl(&browser, "\u{E007}").await;
    dialog_closed(&browser).await;
    press(&browser, "gd").await;
    see(&browser, &row("ingest.kev")).await;

    fs::write(&list, fixtures::kev(&["CVE-2026-1001"])).unwrap();
    // What stands in a row is reached from the row.
    tab_to(&browser, "Causes").await;
    key(&browser, Key::Down).await;
    choose(&browser, "Replay…").await;
    see(&browser, "//dialog[@open]").await;
    tab_to(&browser, "Also replay").await;
    press(&browser, " ").await;
    confirm(&browser, "the list is whole again", Some("OPS-7")).await;
    choose(&browser, "See how far it is").await;
    see(&browser, "//main//*[normalize-space(.)='succeeded' or normalize-space(.)='completed']").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_made_and_paused_by_keys_alone() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    palette(&browser, "schedules", "Schedules").await;
    read(&browser, "No schedules yet").await;
    press(&browser, "n").await;
    see(&browser, "//dialog[@open]").await;
    write(&browser, "Name", "nightly").await;
    tab_to(&browser, "Cron").await;
    press_ctrl(&browser, "a").await;
    press(&browser, "30 2 * * *").await;
    read(&browser, "at 02:30").await;
    confirm(&browser, "every night", None).await;
    see(&browser, &row("nightly")).await;

    press(&browser, "j").await;
    key(&browser, Key::Enter).await;
    see(&browser, "//aside[@aria-label='Schedule nightly']").await;
    choose(&browser, "Pause…").await;
    confirm(&browser, "the registry is being moved", Some("OPS-4390")).await;
    see(&browser, &row("paused by")).await;
    assert!(browser.location().await.starts_with(&Route::Schedules.path()));
    browser.close().await;
}
