//! Every page in both themes before the accessibility checker axe: with rows, beside a drawer, below a dialog, the palette
//! and the selection bar, empty, and refused.

use crate::hand::{press, press_ctrl, push, read, see};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write as _;
use stella_contract::route::Route;
use stella_tests::axe::{Axe, Impact, Violation};
use stella_tests::chromium::Browser;
use stella_tests::large::{self, Made, Size};
use stella_tests::places;
use stella_tests::served::{Home, Served};

/// Enough for rows on every page.
const SIZE: Size = Size { jobs: 900, dead_letters: 90, nodes: 60, targets: 24, runs: 60 };
const THEMES: [&str; 2] = ["light", "dark"];

/// A page, and what is done on it before it is looked at.
struct Scene {
    name: String,
    address: String,
    steps: &'static [Step],
}

/// One thing that an operator does, or waits for.
enum Step {
    Keys(&'static str),
    Palette,
    Enter,
    Push(&'static str),
    See(&'static str),
    Read(&'static str),
}

use Step::{Enter, Keys, Palette, Push, Read, See};

const DIALOG: Step = See("//dialog[@open]");
const DRAWER: Step = See("//aside[contains(@class, 'drawer')]");

fn scene(name: &str, page: &Route, query: &str, steps: &'static [Step]) -> Scene {
    Scene { name: name.to_owned(), address: format!("{}{query}", page.path()), steps }
}

/// The pages as they are when they are opened.
fn pages(made: &Made) -> Vec<Scene> {
    let pages = places::pages(made);
    pages.iter().map(|page| scene(page.title(), page, "", &[])).collect()
}

/// What stands over, beside and in place of them.
fn layers(made: &Made) -> Vec<Scene> {
    let run = Route::Run(made.run.clone());
    let unknown = "job_01890000-0000-7000-8000-000000000000".parse().unwrap();
    vec![
        scene("palette", &Route::Runs, "", &[Palette, See("//dialog[@open]//*[@role='option']")]),
        scene("keyboard map", &Route::Runs, "", &[Keys("?"), DIALOG]),
        scene("new run", &Route::Runs, "", &[Keys("n"), DIALOG]),
        scene(
            "new run, previewed",
            &Route::Runs,
            "",
            &[Keys("n"), Push("Preview impact"), Read("Start run over")],
        ),
        scene(
            "runs, trends",
            &Route::Runs,
            "?tab=completed&panel=trends",
            &[Read("scheduler_runs_duration_seconds")],
        ),
        scene("runs, selected", &Route::Runs, "?tab=completed", &[Keys("jx"), Read("1 selected")]),
        scene("run, segments", &run, "?show=segments", &[DRAWER]),
        scene("run, deltas", &run, "?show=deltas", &[DRAWER]),
        scene("run, evidence", &run, "?show=evidence", &[DRAWER]),
        scene("run, logs", &run, "?show=logs", &[DRAWER]),
        scene("run, retry", &run, "", &[DRAWER, Push("Retry…"), DIALOG]),
        scene(
            "jobs, filter",
            &Route::Jobs,
            "",
            &[Keys("/"), See("//*[@aria-label='Value' or normalize-space(.)='Apply']")],
        ),
        scene("jobs, selected", &Route::Jobs, "", &[Keys("jx"), Read("1 selected")]),
        scene(
            "jobs, change-set",
            &Route::Jobs,
            "?filter=state:pending",
            &[Keys("jx"), Push("Cancel"), DIALOG],
        ),
        scene("dead letter, replay", &Route::DeadLetter, "", &[Push("Replay…"), DIALOG]),
        scene("schedule, open", &Route::Schedules, "", &[Keys("j"), Enter, DRAWER]),
        scene("schedule, new", &Route::Schedules, "", &[Keys("n"), DIALOG]),
        scene("schedule, pause", &Route::Schedules, "", &[Keys("j"), Enter, DRAWER, Push("Pause…"), DIALOG]),
        scene("finding, open", &Route::Findings, "", &[Keys("j"), Enter, DRAWER]),
        scene("source, new", &Route::Sources, "", &[Push("Add source…"), DIALOG]),
        scene("quota, new", &Route::Quotas, "", &[]),
        scene(
            "runs, none match",
            &Route::Runs,
            "?tab=completed&trigger=cron",
            &[Read("No completed run matches")],
        ),
        scene("jobs, none match", &Route::Jobs, "?filter=type:nothing.of.this", &[]),
        scene("job, unknown", &Route::Job(unknown), "", &[]),
        Scene {
            name: "no such page".to_owned(),
            address: "/ops/operations/nowhere".to_owned(),
            steps: &[Read("There is no such page.")],
        },
    ]
}

/// Pages that have nothing to show yet.
fn empties() -> Vec<Scene> {
    let pages = [
        Route::JobsQueues,
        Route::Jobs,
        Route::DeadLetter,
        Route::Scheduler,
        Route::Runs,
        Route::Schedules,
        Route::Policy,
        Route::Sources,
        Route::Targets,
        Route::Findings,
    ];
    pages.iter().map(|page| scene(&format!("{}, empty", page.title()), page, "", &[])).collect()
}

async fn take(browser: &Browser, step: &Step) {
    match step {
        Step::Keys(keys) => press(browser, *keys).await,
        Step::Palette => press_ctrl(browser, "k").await,
        Step::Enter => press(browser, "" + thirtyfour::Key::Enter).await,
        Step::Push(name) => push(browser, name).await,
        Step::See(path) => drop(see(browser, path).await),
        Step::Read(words) => drop(read(browser, words).await),
    }
}

/// Waits until nothing is on its way.
async fn stands(browser: &Browser) {
    see(browser, "//main[not(.//*[contains(@class, 'skels') or @aria-busy='true'])]").await;
}

/// Shows the scenes of one server to the checker, in both themes.
async fn look(axe: &Axe, served: &Served, scenes: &[Scene]) -> Vec<(String, &'static str, Vec<Violation>)> {
    let browser = Browser::open(1440, 900).await;
    let still = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    // Halfway through a fade every text is too pale.
    browser.driver.cdp().send_raw("Emulation.setEmulatedMedia", still).await.unwrap();
    browser.goto(&served.address).await;
    let mut seen = Vec::new();
    for theme in THEMES {
        let entry = json!({ "theme": theme }).to_string();
        let script = "localStorage.setItem('stella.preferences', arguments[0]);";
        browser.driver.execute(script, vec![json!(entry)]).await.unwrap();
        for scene in scenes {
            browser.goto(&format!("{}{}", served.base, scene.address)).await;
            stands(&browser).await;
            for step in scene.steps {
                take(&browser, step).await;
            }
            stands(&browser).await;
            let found = axe.look(&browser).await;
            say(&row(&scene.name, theme, &found));
            for one in found.iter().filter(|one| one.is_grave()) {
                say(&format!("  {}: {}: {}\n", one.rule, one.help, one.places.join("; ")));
            }
            seen.push((scene.name.clone(), theme, found));
        }
    }
    browser.close().await;
    seen
}

/// Writes past the runner, which keeps back what a test that succeeds prints.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// How many rules of each impact a page breaks.
fn row(name: &str, theme: &str, found: &[Violation]) -> String {
    let count = |impact| found.iter().filter(|one| one.counts() && one.impact == impact).count();
    let advice = found.iter().filter(|one| !one.counts()).count();
    let [critical, serious, moderate, minor] =
        [Impact::Critical, Impact::Serious, Impact::Moderate, Impact::Minor].map(count);
    format!("| {name} | {theme} | {critical} | {serious} | {moderate} | {minor} | {advice} |\n")
}

fn told(found: &BTreeSet<String>) -> String {
    found.iter().map(|one| format!("  {one}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_in_either_theme_breaks_a_serious_rule_of_axe() {
    let axe = Axe::found();
    let home = Home::default();
    let made = large::make(&home, SIZE, large::now()).await;
    let served = Served::start(&home, true);
    say(
        "\n| page | theme | critical | serious | moderate | minor | advice |\n|---|---|---:|---:|---:|---:|---:|\n",
    );
    let scenes: Vec<Scene> = pages(&made).into_iter().chain(layers(&made)).collect();
    let mut seen = look(&axe, &served, &scenes).await;
    drop(served);
    let nothing = Home::default();
    seen.extend(look(&axe, &Served::start(&nothing, true), &empties()).await);

    let (mut grave, mut slight) = (BTreeSet::new(), BTreeSet::new());
    for (name, theme, found) in &seen {
        for one in found {
            let lines = one.places.iter().map(|place| {
                format!("{} ({:?}): {} [{name}, {theme}] {place}", one.rule, one.impact, one.help)
            });
            if one.is_grave() {
                grave.extend(lines);
            } else {
                slight.extend(lines);
            }
        }
    }
    say(&format!("\nNot serious, or advice:\n{}", told(&slight)));
    assert!(grave.is_empty(), "serious or critical:\n{}", told(&grave));
}
