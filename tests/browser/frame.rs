//! What stands around every page: the session, keys, unknown addresses, and that everything can be reached and named.

use crate::hand::{press, press_ctrl};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};
use thirtyfour::prelude::*;

/// Waits until the page stands at this path; what leads there runs in the page, not in the driver.
async fn stands_at(browser: &Browser, path: &str) {
    let script = "const [path, done] = arguments; const until = Date.now() + 10000;
        const look = () => location.pathname === path || Date.now() > until ? done() : setTimeout(look, 20);
        look();";
    browser.driver.execute_async(script, vec![path.into()]).await.unwrap();
    assert_eq!(browser.location().await.split(['?', '#']).next(), Some(path));
}

#[tokio::test]
async fn the_one_time_token_leaves_the_address_and_a_reload_stays_signed_in() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&format!("{}&x=1#top", served.address)).await;
    assert_eq!(browser.location().await, "/?x=1#top");
    browser.driver.refresh().await.unwrap();
    browser.settled().await;
    browser.find_text("Planner").await;
    assert_eq!(browser.location().await, "/?x=1#top");
    browser.close().await;
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_how_to() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.base).await;
    browser.find_text("Not signed in").await;
    browser.find_text("stella serve").await;
    browser.close().await;
}

#[tokio::test]
async fn a_closed_dialog_gives_the_focus_back_where_it_was() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.find("button[aria-label='Keyboard help']").await.click().await.unwrap();
    browser.find("dialog[open] dl").await;
    browser.driver.action_chain().send_keys(Key::Escape).perform().await.unwrap();
    let active = browser.driver.active_element().await.unwrap();
    assert_eq!(active.attr("aria-label").await.unwrap().as_deref(), Some("Keyboard help"));
    browser.close().await;
}

#[tokio::test]
async fn letters_lead_to_pages_until_they_are_switched_off() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    press(&browser, "gr").await;
    stands_at(&browser, &Route::Runs.path()).await;
    press(&browser, "g,").await;
    stands_at(&browser, &Route::Settings.path()).await;
    let keys = browser.find("[role='switch'][aria-checked='true']").await;
    keys.click().await.unwrap();
    browser.find("[role='switch'][aria-checked='false']").await;
    press(&browser, "gr").await;
    // Ctrl K still acts, and answers after the letters would have.
    press_ctrl(&browser, "k").await;
    browser.find("dialog.palette[open]").await;
    assert_eq!(browser.location().await, Route::Settings.path());
    browser.close().await;
}

#[tokio::test]
async fn an_unknown_page_leads_to_its_section_and_says_so() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}/ops/operations/jobengine/nowhere", served.base)).await;
    browser.find_text("There is no such page.").await;
    browser.find("nav a[aria-current='page'][href='/ops/operations/jobengine']").await;
    browser.close().await;
}

/// What an auditor without eyes would find: controls without a name, targets too small, references to nothing, content
/// that does not fit.
const AUDIT: &str = r#"
const out = [];
const name = e => (e.getAttribute("aria-label") || e.innerText
    || (e.labels && [...e.labels].map(l => l.innerText).join(" ")) || "").trim();
for (const e of document.querySelectorAll("button, a[href], input, select, textarea, [role=checkbox]")) {
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height || e.closest(".skip-link")) continue;
    if (!name(e)) out.push("no name: " + e.outerHTML.slice(0, 120));
    if (e.tagName !== "A" && (r.width < 24 || r.height < 24)) out.push("too small: " + e.outerHTML.slice(0, 120));
}
const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
for (const id of new Set(ids)) if (ids.filter(one => one === id).length > 1) out.push("twice: " + id);
for (const a of ["aria-describedby", "aria-labelledby", "aria-controls", "aria-activedescendant", "for"])
    for (const e of document.querySelectorAll("[" + a + "]"))
        for (const id of e.getAttribute(a).split(" ")) if (!document.getElementById(id)) out.push(a + " leads nowhere: " + id);
if (document.querySelectorAll("h1").length !== 1) out.push("not one h1");
for (const e of document.querySelectorAll(".main, .page-head, .topbar, .banner"))
    if (e.scrollWidth > e.clientWidth + 1) out.push("does not fit: " + e.className);
return out.join("\n");
"#;

#[tokio::test]
async fn every_control_of_every_page_has_a_name_and_a_target_and_fits_at_both_widths() {
    let home = Home::default();
    let demo = home.stella().arg("demo").output().unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    let mut complaints = Vec::new();
    for (width, height) in [(1440, 900), (1024, 768)] {
        browser.driver.set_window_rect(0, 0, width, height).await.unwrap();
        for route in [
            Route::JobsQueues,
            Route::JobEngine,
            Route::Jobs,
            Route::Quotas,
            Route::ChangeSets,
            Route::DeadLetter,
            Route::DeadLetterQueue,
            Route::Scheduler,
            Route::Runs,
            Route::Workers,
            Route::Sources,
            Route::Targets,
            Route::Findings,
            Route::Settings,
            Route::Runbook,
            Route::Downloads,
        ] {
            browser.goto(&format!("{}{}", served.base, route.path())).await;
            let found: String = browser.driver.execute(AUDIT, vec![]).await.unwrap().convert().unwrap();
            if !found.is_empty() {
                complaints.push(format!("{} at {width}: {found}", route.path()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    browser.close().await;
}
