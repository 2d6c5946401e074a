//! Server and workers are killed at random points under load, again and again; then the ledger is checked: nothing that
//! was acknowledged is lost, nothing was completed twice, the history is whole and legal, no quota was exceeded at any
//! point of it, no lease is left behind.
//!
//! `STELLA_CHAOS_CYCLES` and `STELLA_CHAOS_SEED` change how long it goes on and what chance says; each run prints both.

mod load;
mod proof;

use crate::client::signed_in;
use load::Load;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stella_contract::event::FeedQuery;
use stella_contract::job::{JobFilter, JobState};
use stella_contract::page::PageQuery;
use stella_sdk::Client;
use stella_tests::served::{Home, Served, program};
use tokio::sync::watch;

const WORKERS: usize = 3;
const PRODUCERS: usize = 4;
/// Jobs handed in between two kills, at least and at most.
const BETWEEN: (u64, u64) = (3, 20);
/// Jobs that end before every second kill, at least and at most: so that kills meet work that goes on. The others come
/// as fast as jobs come in, while workers may still look for the server.
const ENDED: (u64, u64) = (1, 12);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, from: u64, to: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        from + (mixed ^ (mixed >> 31)) % (to - from + 1)
    }
}

/// A long run says after so many cycles that it goes on.
const TOLD_EVERY: u64 = 50;

/// Where the book is kept, and how a server on it is started.
struct Site {
    /// What its book is kept in, as it is told.
    name: &'static str,
    home: Home,
    ledger: String,
}

impl Site {
    fn serve(&self, listen: &str) -> Served {
        let mut command = self.home.stella();
        command.env("STELLA_LEDGER", &self.ledger).args(["serve", "--listen", listen]);
        command.stderr(Stdio::null());
        Served::start_by(command)
    }
    /// A token for workers, made while no server holds the ledger.
    fn worker_token(&self) -> String {
        let mut command = self.home.stella();
        command.env("STELLA_LEDGER", &self.ledger);
        command.args(["token", "create", "--name", "test-worker", "--scope", "worker"]);
        let made = command.stderr(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "the token was not made: {}", made.status);
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }
    fn witness(&self) -> PathBuf {
        self.home.path().join("witness.ndjson")
    }
}

/// A worker as a program of its own; it ends when dropped.
struct Hand(Child);

impl Hand {
    fn start(site: &Site, base: &str, token: &str) -> Self {
        let mut command = Command::new(program("stella-test-worker"));
        command
            .env("STELLA_SERVER", base)
            .env("STELLA_TOKEN", token)
            .env("STELLA_TENANT", "default")
            .env("STELLA_WITNESS", site.witness())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits along the feed until no job is open and no dead letter waits to be repeated.
async fn until_all_settled(name: &str, client: &Client) {
    let mut cursor = client.feed().cursor().await.unwrap();
    let mut told = u64::MAX;
    loop {
        let mended = load::mend(client).await.unwrap() as u64;
        let open = open_jobs(client).await;
        if open.saturating_add(mended) == 0 {
            return;
        }
        if open < told / 2 {
            println!("{name}: {open} jobs open");
            told = open;
        }
        // It is looked at again when much of it may have moved: to count thousands at every event keeps the core busy.
        let mut moved = 0;
        while moved <= open.min(10_000) / 4 {
            let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(5_000) };
            let got = client.feed().since(query).await.unwrap();
            cursor = got.cursor;
            moved += got.events.len() as u64;
            if got.events.is_empty() {
                break;
            }
        }
    }
}

/// How many jobs are open; of more than a list counts it is enough that there are some.
async fn open_jobs(client: &Client) -> u64 {
    let states = JobState::ALL.iter().filter(|state| !state.is_final()).map(|state| state.as_str());
    let filter = format!("state:{}", states.collect::<Vec<_>>().join(","));
    let filter = JobFilter { filter: Some(filter), ..JobFilter::default() };
    let one = PageQuery { page_token: None, page_size: Some(1) };
    let page = client.jobs().list(&filter, &one).await.unwrap();
    page.total_estimate.unwrap_or(u64::MAX)
}

/// Attempts that workers saw: none twice under one epoch.
fn assert_witnessed(site: &Site) -> usize {
    let text = std::fs::read_to_string(site.witness()).unwrap();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        assert!(seen.insert(line.to_owned()), "one lease was worked on twice: {line}");
    }
    seen.len()
}

async fn endure(site: Site) {
    let (cycles, seed) = (setting("STELLA_CHAOS_CYCLES", 50), setting("STELLA_CHAOS_SEED", 20_261_121));
    let mut dice = Dice(seed);
    let token = site.worker_token();
    let mut served = site.serve("127.0.0.1:0");
    let base = served.base.clone();
    let client = signed_in(&served).await;
    load::bound(&client).await;
    let mut hands: Vec<Hand> = (0..WORKERS).map(|_| Hand::start(&site, &base, &token)).collect();

    let (up, is_up) = watch::channel(true);
    let (end, stop) = watch::channel(false);
    let (acknowledged, mut counted) = watch::channel(Vec::new());
    let (ended, mut over) = watch::channel(0);
    let load = Arc::new(Load {
        client: client.clone(),
        next: AtomicUsize::new(0),
        unknown: AtomicUsize::new(0),
        acknowledged,
        ended,
        is_up,
        stop,
    });
    let producers: Vec<_> = (0..PRODUCERS).map(|_| tokio::spawn(load::produce(load.clone()))).collect();
    let mender = tokio::spawn(load::mend_along(load.clone()));
    let follower = tokio::spawn(load::follow(load.clone(), client.feed().cursor().await.unwrap()));
    let mut kills = BTreeMap::from([("server", 0), ("worker", 0)]);
    for cycle in 1..=cycles {
        let goal = counted.borrow().len() + usize::try_from(dice.roll(BETWEEN.0, BETWEEN.1)).unwrap();
        let awaited = if dice.roll(0, 1) == 0 { dice.roll(ENDED.0, ENDED.1) } else { 0 };
        let ends = *over.borrow() + usize::try_from(awaited).unwrap();
        counted.wait_for(|all| all.len() >= goal).await.unwrap();
        over.wait_for(|ended| *ended >= ends).await.unwrap();
        let what = dice.roll(0, 9);
        if what >= 7 {
            let which = usize::try_from(dice.roll(0, WORKERS as u64 - 1)).unwrap();
            hands[which] = Hand::start(&site, &base, &token);
            *kills.entry("worker").or_default() += 1;
        }
        if what <= 8 {
            up.send_replace(false);
            served.kill();
            served = site.serve(base.trim_start_matches("http://"));
            up.send_replace(true);
            *kills.entry("server").or_default() += 1;
        }
        if cycle % TOLD_EVERY == 0 {
            let (came, went) = (counted.borrow().len(), *over.borrow());
            println!("{}: {cycle} cycles, {came} acknowledged, {went} ended", site.name);
        }
    }
    end.send_replace(true);
    for producer in producers {
        producer.await.unwrap();
    }
    mender.abort();
    follower.abort();
    println!("{}: {} acknowledged, waits for what is open", site.name, counted.borrow().len());
    until_all_settled(site.name, &client).await;
    println!("{}: nothing is open, reads all histories", site.name);

    let promised = counted.borrow().clone();
    let proof = proof::prove(&client, &promised).await;
    println!(
        "{}: seed {seed}, {cycles} cycles, killed {kills:?}: {} acknowledged, {} without an answer at first, none lost; \
         {} attempts witnessed, {} leases, {} replays, at work at most {:?}",
        site.name,
        promised.len(),
        load.unknown.load(Ordering::Relaxed),
        assert_witnessed(&site),
        proof.leases,
        proof.replays,
        proof.most,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_however_often_server_and_workers_are_killed_on_sqlite() {
    let home = Home::default();
    let ledger = home.ledger().display().to_string();
    endure(Site { name: "sqlite", home, ledger }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_however_often_server_and_workers_are_killed_on_postgres() {
    let ledger = stella_ledger::testing::postgres().await.unwrap();
    endure(Site { name: "postgres", home: Home::default(), ledger }).await;
}
