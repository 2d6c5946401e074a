//! The way of the Tab key over every page: it comes to each control, stays nowhere, is seen where it stands, and goes back
//! where it came from when a layer closes.

use crate::hand::{ask, press, press_ctrl, push, see};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::large::{self, Size};
use stella_tests::places;
use stella_tests::served::{Home, Served};
use thirtyfour::prelude::*;

const SIZE: Size = Size { jobs: 900, dead_letters: 90, nodes: 60, targets: 24, runs: 60 };

/// What can have the focus before a page has put in anything.
const FRAME: usize = 15;

/// Numbers every element that can have the focus, and says what they are.
const STOPS: &str = r#"
window.stops = window.stops || new Map();
const number = e => { if (!stops.has(e)) stops.set(e, stops.size + 1); return stops.get(e); };
const shown = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible";
const name = e => (e.getAttribute("aria-label") || e.innerText || e.id || e.tagName).trim().replace(/\s+/g, " ").slice(0, 60);
window.stop = e => [number(e), `${e.tagName.toLowerCase()}.${String(e.className.baseVal ?? e.className).split(" ")[0]} "${name(e)}"`];
return [...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")]
    .filter(e => !e.disabled && e.tabIndex >= 0 && shown(e) && !e.closest("dialog:not([open])")).map(window.stop);
"#;

/// What has the focus: its number and name, and what is wrong with how it is seen.
const FOCUSED: &str = r#"
const e = document.activeElement;
if (!e || e === document.body) return null;
const box = e.getBoundingClientRect(), style = getComputedStyle(e), wrong = [];
if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("no outline");
if (e.tabIndex > 0) wrong.push("out of order");
const at = [0.5, 0.1, 0.9].flatMap(x => [0.5, 0.1, 0.9].map(y => [box.left + box.width * x, box.top + box.height * y]));
const on = ([x, y]) => { const hit = document.elementFromPoint(x, y); return hit && (e.contains(hit) || hit.contains(e) && hit.closest("a, button") === e.closest("a, button") && hit !== document.body && !hit.matches("main, .app")); };
if (!at.some(on)) wrong.push("hidden");
return [window.stop(e), wrong];
"#;

/// A control: its number, and its name for a reader of the report.
#[derive(Debug, Clone, Deserialize)]
struct Stop(u32, String);

/// Goes once round the page; answers with what is wrong on the way.
async fn round(browser: &Browser) -> BTreeSet<String> {
    let _: Option<bool> =
        ask(browser, "document.activeElement.blur(); window.stops = new Map(); return null;").await;
    let all: Vec<Stop> = ask(browser, STOPS).await;
    assert!(all.len() > FRAME, "the frame around a page has more: {all:?}");
    let (mut seen, mut wrong) = (BTreeMap::new(), BTreeSet::new());
    let mut is_round = false;
    // A page that goes on meanwhile may get a few more.
    for _ in 0..all.len() * 2 + 20 {
        press(browser, "" + Key::Tab).await;
        let Some((Stop(number, name), faults)) = ask::<Option<(Stop, Vec<String>)>>(browser, FOCUSED).await
        else {
            is_round = !seen.is_empty();
            if is_round { break } else { continue }
        };
        if seen.insert(number, name.clone()).is_some() {
            is_round = Some(&number) == seen.keys().next();
            break;
        }
        wrong.extend(faults.iter().map(|fault| format!("{fault}: {name}")));
    }
    if !is_round {
        wrong.insert(format!("Tab does not come round; it saw {} of {}", seen.len(), all.len()));
    }
    let still = "return [...window.stops].filter(([e]) => e.isConnected && e.tabIndex >= 0 && !e.disabled && e.getClientRects().length).map(([, number]) => number);";
    let still: BTreeSet<u32> = ask(browser, still).await;
    let missed =
        all.into_iter().filter(|Stop(number, _)| still.contains(number) && !seen.contains_key(number));
    wrong.extend(missed.map(|Stop(_, name)| format!("never reached: {name}")));
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_comes_to_every_control_of_every_page_is_seen_and_goes_on() {
    let home = Home::default();
    let made = large::make(&home, SIZE, large::now()).await;
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    let mut complaints = String::new();
    for page in places::pages(&made) {
        browser.goto(&format!("{}{}", served.base, page.path())).await;
        see(&browser, "//main[not(.//*[contains(@class, 'skels')])]").await;
        for one in round(&browser).await {
            complaints.push_str(&format!("{}: {one}\n", page.path()));
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
    browser.close().await;
}

/// What has the focus, by its name.
async fn focused(browser: &Browser) -> String {
    let script = "const e = document.activeElement; return (e.getAttribute('aria-label') || e.innerText || e.tagName).trim();";
    ask(browser, script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_layer_closes_gives_the_focus_back_to_what_had_it() {
    let home = Home::default();
    let made = large::make(&home, SIZE, large::now()).await;
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;

    browser.goto(&format!("{}{}?tab=completed", served.base, Route::Runs.path())).await;
    let rows = "//*[@role='grid'][@aria-label='Runs']";
    see(&browser, &format!("{rows}//*[@role='row'][@aria-rowindex='2']")).await;
    let _: Option<bool> = ask(&browser, "document.querySelector('.vt').focus(); return null;").await;
    press(&browser, "j" + Key::Enter).await;
    see(&browser, "//aside[starts-with(@aria-label, 'Run run:')]").await;
    press(&browser, "" + Key::Escape).await;
    see(&browser, "//body[not(.//aside[starts-with(@aria-label, 'Run run:')])]").await;
    assert_eq!(
        focused(&browser).await.split('\n').next(),
        Some("Runs"),
        "the drawer gives it back to the table"
    );
    see(&browser, &format!("{rows}[@aria-activedescendant]")).await;

    press_ctrl(&browser, "k").await;
    see(&browser, "//dialog[@open]//input").await;
    press(&browser, "" + Key::Escape).await;
    see(&browser, "//body[not(.//dialog[@open])]").await;
    assert_eq!(focused(&browser).await.split('\n').next(), Some("Runs"), "so does the palette");

    browser.goto(&format!("{}{}", served.base, Route::Run(made.run.clone()).path())).await;
    push(&browser, "Retry…").await;
    see(&browser, "//dialog[@open]").await;
    // Round and round: the page below is out of reach.
    for _ in 0..12 {
        press(&browser, "" + Key::Tab).await;
        let inside: bool = ask(
            &browser,
            "const e = document.activeElement; return e === document.body || !!e.closest('dialog');",
        )
        .await;
        assert!(inside, "{} has the focus below a dialog", focused(&browser).await);
    }
    press(&browser, "" + Key::Escape).await;
    see(&browser, "//body[not(.//dialog[@open])]").await;
    assert_eq!(focused(&browser).await, "Retry…");
    browser.close().await;
}
