//! What a person waits for: the pages in Chromium after a cold start, frames while a long list scrolls, the weight of
//! the interface, and the window with the memory it rests on.
//!
//! `cargo xtask bench ui` builds what it needs. `STELLA_JOBS=100000` makes the list longer. Started without `--bench`
//! each measure is taken once.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and waits")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may end")]

#[path = "window/mod.rs"]
mod window;

use std::path::PathBuf;
use std::time::{Duration, Instant};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::many;
use stella_tests::served::{Home, Served, assets};

/// How often each measure is taken, and how long the list is.
#[derive(Debug, Clone, Copy)]
struct Effort {
    times: usize,
    jobs: usize,
}

impl Effort {
    fn asked() -> Self {
        let measured = std::env::args().any(|word| word == "--bench");
        let (times, jobs) = if measured { (5, 10_000) } else { (1, 500) };
        let jobs = std::env::var("STELLA_JOBS").ok().and_then(|text| text.parse().ok()).unwrap_or(jobs);
        Self { times, jobs }
    }
}

#[tokio::main]
async fn main() {
    let effort = Effort::asked();
    println!("| measure | median | min | max |");
    println!("|---|---:|---:|---:|");
    weight();
    cold_start(effort).await;
    scrolling(effort).await;
    window::measure(effort.times);
}

/// One line of the table.
fn line(what: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else { return };
    println!("| {what} | {:.1} {unit} | {min:.1} {unit} | {max:.1} {unit} |", at(&values, 50));
}

/// The value below which so many of a hundred lie, of values in order.
fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn weight() {
    let wasm: Option<PathBuf> = std::fs::read_dir(assets())
        .unwrap()
        .flatten()
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    let Some(wasm) = wasm else { return println!("the web build holds no wasm: its weight is left out") };
    let bytes = std::fs::metadata(&wasm).unwrap().len();
    line("interface, wasm", "kB", vec![bytes as f64 / 1_000.0]);
    match std::process::Command::new("gzip").arg("-9c").arg(&wasm).output() {
        Ok(packed) => line("interface, wasm compressed", "kB", vec![packed.stdout.len() as f64 / 1_000.0]),
        Err(_) => println!("gzip is not here: the compressed weight is left out"),
    }
}

/// From the start of the program on an empty ledger, with a browser that stands ready.
async fn cold_start(effort: Effort) {
    let (mut listens, mut paints, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.times {
        let home = Home::default();
        let browser = Browser::open(1440, 900).await;
        let began = Instant::now();
        let served = Served::start(&home, true);
        let listening = ms(began.elapsed());
        browser.driver.goto(&served.address).await.unwrap();
        browser.settled().await;
        let settled = ms(began.elapsed());
        let painted: f64 = ask(
            &browser,
            "const all = performance.getEntriesByType('paint'); return all.length ? all[0].startTime : 0;",
        )
        .await;
        listens.push(listening);
        paints.push(listening + painted);
        ready.push(settled);
        browser.close().await;
    }
    line("cold start of `stella serve`: it listens", "ms", listens);
    line("cold start of `stella serve`: first paint in Chromium", "ms", paints);
    line("cold start of `stella serve`: first data on the page", "ms", ready);
}

/// The jobs list at 8 rows a frame, and what each frame took.
const SCROLL: &str = "const done = arguments[0]; const list = document.querySelector('.vt');
    const row = document.querySelector('.vt-sheet > [role=row]').offsetHeight;
    const frames = []; let last = performance.now(), most = 0, way = 1;
    const step = now => {
        frames.push(now - last); last = now;
        most = Math.max(most, document.querySelectorAll('.vt-sheet > [role=row]').length);
        if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) way = -1;
        if (list.scrollTop <= 0) way = 1;
        list.scrollTop += way * 8 * row;
        if (frames.length < 302) requestAnimationFrame(step); else done([frames.slice(2), most, list.getAttribute('aria-rowcount') - 1]);
    };
    requestAnimationFrame(step);";

async fn scrolling(effort: Effort) {
    let home = Home::default();
    let served = Served::start(&home, true);
    let client = many::signed_in(&served).await;
    let began = Instant::now();
    many::submit(&client, effort.jobs, 16).await;
    let rate = effort.jobs as f64 / began.elapsed().as_secs_f64();
    line("jobs submitted by the SDK over 16 connections", "/s", vec![rate]);
    let base = served.base.clone();
    served.kill();
    let served = Served::start_again(&home, true, &base);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}{}", served.base, Route::Jobs.path())).await;
    browser.find(".vt-sheet > [role='row']").await;
    let (mut halves, mut most_take, mut drawn, mut total) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..effort.times {
        let answer = browser.driver.execute_async(SCROLL, vec![]).await.unwrap();
        let (mut frames, most, rows): (Vec<f64>, usize, usize) = answer.convert().unwrap();
        frames.sort_by(f64::total_cmp);
        halves.push(at(&frames, 50));
        most_take.push(at(&frames, 95));
        drawn = drawn.max(most);
        total = rows;
    }
    line(&format!("scrolling {total} jobs, frame p50 (at most {drawn} rows drawn)"), "ms", halves);
    line(&format!("scrolling {total} jobs, frame p95"), "ms", most_take);
    browser.close().await;
}

async fn ask<T: serde::de::DeserializeOwned>(browser: &Browser, script: &str) -> T {
    browser.driver.execute(script, vec![]).await.unwrap().convert().unwrap()
}
