//! Every page over a ledger with 100,000 jobs, 10,000 dead letters and a graph of 2,000 jobs: how soon its data stands, in
//! a new document and in one that is open, what it asks of the core, and how long frames take while its lists are
//! scrolled and its graph is zoomed. Meanwhile workers go on, so that events come in. Last, the table of 100,000 runs: its
//! first rows, its filters, its frames.
//!
//! `cargo xtask bench pages` builds what it needs. `STELLA_PAGES=<folder>` keeps the ledger there for another time,
//! `STELLA_PICTURES=<folder>` takes a picture of every page in both themes, `STELLA_ONLY=<part of a name>` chooses pages.
//! Started without `--bench` everything is small and done once.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and waits")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may end")]

#[path = "pages/many_runs.rs"]
mod many_runs;
#[path = "pages/places.rs"]
mod places;
#[path = "pages/visit.rs"]
mod visit;

use places::Place;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use stella_sdk::Client;
use stella_sdk::worker::Worker;
use stella_tests::large::{self, Made, Size};
use stella_tests::served::{Home, Served};
use visit::{Frames, Opened, Visitor};

/// A page is open within this time.
const OPEN_MS: f64 = 1_000.0;
/// A frame that is drawn in time, at sixty a second.
const FRAME_MS: f64 = 16.8;

#[derive(Debug, Clone, Copy)]
struct Effort {
    size: Size,
    times: usize,
    frames: usize,
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let measured = std::env::args().any(|word| word == "--bench");
    let effort = match measured {
        true => Effort { size: Size::FULL, times: 3, frames: 240 },
        false => Effort { size: Size::SMALL, times: 1, frames: 20 },
    };
    let (home, made) = ledger(effort.size).await;
    let token = token(&home);
    let served = Served::start(&home, true);
    let client = Client::new(&served.base, Some(&token), "default".parse().unwrap()).unwrap();
    let working = tokio::spawn(workers(client).run_until(std::future::pending()));
    let visitor = Visitor::open(&served).await;
    let only = std::env::var("STELLA_ONLY").unwrap_or_default();
    let places: Vec<Place> =
        places::all(&made).into_iter().filter(|place| place.name.contains(&only)).collect();
    match std::env::var_os("STELLA_PICTURES").map(PathBuf::from) {
        Some(folder) => {
            std::fs::create_dir_all(&folder).unwrap();
            for place in &places {
                visitor.pictures(&place.address, &folder, &place.file()).await;
            }
        }
        None => {
            table(&visitor, &places, effort).await;
            if "Runs".contains(&only) {
                many_runs::table(&visitor, effort).await;
            }
        }
    }
    visitor.close().await;
    working.abort();
    drop(served);
}

/// Makes the ledger, or finds the one that was kept.
async fn ledger(size: Size) -> (Home, Made) {
    let began = Instant::now();
    let now = large::now();
    let (home, made) = match std::env::var_os("STELLA_PAGES").map(PathBuf::from) {
        Some(folder) => {
            let (home, list) = (Home::at(&folder), folder.join("made.json"));
            let made = match std::fs::read(&list) {
                Ok(text) => serde_json::from_slice(&text).unwrap(),
                Err(_) => large::make(&home, size, now).await,
            };
            std::fs::write(&list, serde_json::to_vec(&made).unwrap()).unwrap();
            (home, made)
        }
        None => {
            let home = Home::default();
            let made = large::make(&home, size, now).await;
            (home, made)
        }
    };
    let bytes = std::fs::metadata(home.ledger()).map_or(0, |file| file.len());
    println!(
        "The ledger has {} MB and was made in {:.0} s.",
        bytes / 1_000_000,
        began.elapsed().as_secs_f64()
    );
    (home, made)
}

/// A token for the workers, made while no server holds the ledger.
fn token(home: &Home) -> String {
    let mut command = home.stella();
    command.args(["token", "create", "--name", "bench", "--scope", "orch:read,worker"]).stderr(Stdio::null());
    let made = command.output().unwrap();
    assert!(made.status.success(), "the token was not made: {}", made.status);
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// They say every second how far they are, and finish a job in about a minute.
fn workers(client: Client) -> Worker {
    Worker::new(client, "policy-3").concurrency(24).on("policy.evaluate", |task| async move {
        for second in 0..60 {
            if task.is_cancelled() {
                break;
            }
            task.progress(second, 60, "rules");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(serde_json::json!({"verdict": "pass"}).into())
    })
}

async fn table(visitor: &Visitor, places: &[Place], effort: Effort) {
    println!("| page | cold | warm | calls | slowest call | long tasks | frames: p50, p95, most |");
    println!("|---|---:|---:|---:|---|---:|---|");
    let (mut late, mut rough) = (Vec::new(), Vec::new());
    for place in places {
        let (mut colds, mut warms) = (Vec::new(), Vec::new());
        for _ in 0..effort.times {
            colds.push(visitor.cold(&place.address).await);
            warms.push(visitor.warm(&place.address).await);
        }
        let (cold, warm) = (middle(colds), middle(warms));
        let frames = visitor.frames(effort.frames).await;
        row(place, &cold, &warm, &frames);
        if cold.ms.max(warm.ms) > OPEN_MS {
            late.push(place.name.as_str());
        }
        let misses = frames.iter().filter(|one| at(&one.ms, 95) > FRAME_MS);
        rough.extend(misses.map(|one| format!("{}: {}", place.name, one.what)));
    }
    println!("\nPages that took more than {OPEN_MS} ms: {}", said(&late));
    let rough: Vec<&str> = rough.iter().map(String::as_str).collect();
    println!("Movements with a p95 of more than {FRAME_MS} ms: {}", said(&rough));
}

fn said(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join("; ") }
}

/// The one in the middle by its time.
fn middle(mut all: Vec<Opened>) -> Opened {
    all.sort_by(|one, two| one.ms.total_cmp(&two.ms));
    let at = all.len() / 2;
    all.swap_remove(at)
}

fn row(place: &Place, cold: &Opened, warm: &Opened, frames: &[Frames]) {
    let slowest = warm.asked.iter().max_by(|one, two| one.1.total_cmp(&two.1));
    let slowest = slowest.map_or_else(String::new, |(path, took, _)| format!("{took:.0} ms {}", short(path)));
    let refused = warm.asked.iter().filter(|(_, _, status)| !(200..300).contains(status));
    let refused: String = refused.map(|(path, _, status)| format!(" {status} {}", short(path))).collect();
    let frames: Vec<String> = frames.iter().map(told).collect();
    println!(
        "| {} | {:.0} ms | {:.0} ms | {} | {slowest}{refused} | {} | {} |",
        place.name,
        cold.ms,
        warm.ms,
        warm.asked.len(),
        longest(&warm.long),
        frames.join("; "),
    );
}

fn told(frames: &Frames) -> String {
    let most = frames.ms.last().copied().unwrap_or_default();
    format!("{} {:.1}, {:.1}, {most:.0}", frames.what, at(&frames.ms, 50), at(&frames.ms, 95))
}

fn longest(long: &[f64]) -> String {
    let most = long.iter().copied().max_by(f64::total_cmp);
    most.map_or_else(|| "0".to_owned(), |most| format!("{} of at most {most:.0} ms", long.len()))
}

fn short(path: &str) -> String {
    path.trim_start_matches("/api/v1/").chars().take(60).collect::<String>().replace('|', "/")
}

/// The value below which so many of a hundred lie, of values in order.
fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
}
