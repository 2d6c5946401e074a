//! A schedule from its making to its run: next fires while it is typed, a pause with its reason, and a run now.

use crate::hand::{choose, dialog_closed, fill, press, push, read, see};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};
use thirtyfour::prelude::*;

async fn open(browser: &Browser, served: &Served, page: &Route) {
    browser.goto(&format!("{}{}", served.base, page.path())).await;
}

/// The line of the table that holds these words.
fn row(words: &str) -> String {
    format!(
        "//*[@role='row'][.//*[@role='cell' or @role='gridcell']][contains(normalize-space(.), {words:?})]"
    )
}

/// The beginning of a schedule's path through its states: made at the page, from an empty list.
async fn make(browser: &Browser) {
    read(browser, "No schedules yet").await;
    press(browser, "n").await;
    fill(browser, "Name", "nightly-registry").await;
    fill(browser, "Cron", "30 25 * * *").await;
    read(browser, "`25` is no hour").await;
    fill(browser, "Cron", "30 3 28 3 *").await;
    fill(browser, "Zone", "Europe/Sofia").await;
    // What is typed is previewed: in words, in both zones, with the rule where a change of the clock moves a fire.
    read(browser, "at 03:30 on day 28 of the month in March").await;
    read(browser, "is left out by the clock; it fires right after the gap").await;
    let fires = browser.driver.find_all(By::Css("dialog .tbl.fires tbody tr")).await.unwrap();
    assert_eq!(fires.len(), 5);
    fill(browser, "Cron", "*/20 * * * *").await;
    read(browser, "every 20 minutes").await;
    read(browser, "fires follow the clock").await;
    fill(browser, "Reason", "watch the registry").await;
    push(browser, "Create schedule").await;
    dialog_closed(browser).await;
    see(browser, &row("nightly-registry")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_made_paused_resumed_and_run_by_hand() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    open(&browser, &served, &Route::Schedules).await;
    make(&browser).await;

    see(&browser, &row("nightly-registry")).await.click().await.unwrap();
    let drawer = "//aside[@aria-label='Schedule nightly-registry']";
    see(&browser, &format!("{drawer}//section[@aria-label='Next fires']//tbody/tr[5]")).await;
    see(&browser, &format!("{drawer}//*[contains(., 'stella schedules show nightly-registry')]")).await;

    // The pause says when the earliest next run comes, by hand and at a time.
    push(&browser, "Pause…").await;
    see(&browser, "//dialog[@open]//*[@data-part='earliest']").await;
    push(&browser, "At a time").await;
    see(&browser, "//dialog[@open]//*[contains(normalize-space(.), 'fires dropped')]").await;
    fill(&browser, "Reason", "registry upgrade").await;
    fill(&browser, "Ticket", "OPS-4390").await;
    push(&browser, "Pause schedule").await;
    dialog_closed(&browser).await;
    see(&browser, &row("paused by")).await;
    see(&browser, &format!("{drawer}//*[contains(normalize-space(.), 'registry upgrade Resumes at')]")).await;

    push(&browser, "Resume…").await;
    fill(&browser, "Reason", "upgrade is done").await;
    fill(&browser, "Ticket", "OPS-4390").await;
    push(&browser, "Resume schedule").await;
    dialog_closed(&browser).await;
    see(&browser, &format!("{drawer}//*[contains(@class, 'pill')][normalize-space(.)='enabled']")).await;

    push(&browser, "Run now…").await;
    fill(&browser, "Reason", "see it once").await;
    push(&browser, "Start run").await;
    dialog_closed(&browser).await;
    // There is nothing to evaluate, so that the run ends at once; the row draws it and links to it.
    see(&browser, &format!("{}//a[contains(., 'completed')]", row("nightly-registry")))
        .await
        .click()
        .await
        .unwrap();
    read(&browser, "manual").await;
    read(&browser, "see it once").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_switched_off_found_and_taken_away() {
    let home = Home::default();
    let mut add = home.stella();
    add.args(["schedules", "add", "weekly", "--cron", "@weekly", "--reason", "by command"]);
    assert!(add.output().unwrap().status.success());
    let served = Served::start(&home, true);
    let browser = Browser::open(1024, 768).await;
    browser.goto(&served.address).await;
    open(&browser, &served, &Route::Schedules).await;
    see(&browser, &row("weekly")).await;
    see(&browser, "//button[@role='switch'][@aria-checked='true']").await.click().await.unwrap();
    fill(&browser, "Reason", "not needed").await;
    push(&browser, "Switch off").await;
    dialog_closed(&browser).await;
    see(&browser, "//button[@role='switch'][@aria-checked='false']").await;

    // The address holds the filter.
    press(&browser, "/").await;
    choose(&browser, "Value", "enabled").await;
    push(&browser, "Apply").await;
    read(&browser, "No schedule matches").await;
    assert!(browser.location().await.contains("state=enabled"));
    browser.goto(&format!("{}{}?state=disabled", served.base, Route::Schedules.path())).await;
    see(&browser, &row("weekly")).await.click().await.unwrap();
    push(&browser, "Delete…").await;
    read(&browser, "Its runs and their findings stay").await;
    fill(&browser, "Reason", "gone").await;
    push(&browser, "Delete schedule").await;
    dialog_closed(&browser).await;
    read(&browser, "No schedule matches").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheduled_tab_of_runs_tells_the_coming_fires_and_pauses_a_schedule() {
    let home = Home::default();
    for name in ["hourly", "spare"] {
        let mut add = home.stella();
        add.args(["schedules", "add", name, "--cron", "@hourly", "--reason", "by command"]);
        assert!(add.output().unwrap().status.success());
    }
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}{}?tab=scheduled", served.base, Route::Runs.path())).await;
    let fire = |name: &str| format!("{}[contains(normalize-space(.), 'starts a run')]", row(name));
    see(&browser, &fire("hourly")).await;
    see(&browser, &fire("spare")).await;
    assert!(
        browser.driver.find_all(By::XPath("//*[contains(., ' edited')]")).await.unwrap().is_empty(),
        "a tab is no edit of a view"
    );

    // The choice in the head narrows the tab and stays in the address.
    let spare = "//select[@aria-label='Schedule']/option[contains(., 'spare')]";
    see(&browser, spare).await.click().await.unwrap();
    let gone = format!("//body[not({})]", fire("hourly").replacen("//", ".//", 1));
    see(&browser, &gone).await;
    assert!(browser.location().await.contains("schedule=sch_"));

    push(&browser, "Pause… spare").await;
    fill(&browser, "Reason", "not tonight").await;
    fill(&browser, "Ticket", "OPS-4391").await;
    push(&browser, "Pause schedule").await;
    dialog_closed(&browser).await;
    read(&browser, "This schedule fires nothing soon").await;
    see(&browser, "//*[@role='status'][contains(normalize-space(.), '1 schedule is paused')]").await;
    browser.close().await;
}
