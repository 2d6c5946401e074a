//! A run of 5,000 segments, followed by 200 clients over server-sent events who lose their connection again and again:
//! whether anybody misses a message, how late messages come, and what the server's memory does meanwhile.
//!
//! `cargo xtask bench streams` builds what it needs. Started without `--bench` everything is small and done once.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may end")]

use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use stella_contract::event::RunMessageBody;
use stella_contract::ids::RunId;
use stella_contract::run::{RunState, StartRun};
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::target::SbomPlace;
use stella_sdk::{Client, Write};
use stella_tests::served::{Home, Served};
use stella_tests::{fixtures, many};
use tokio::sync::oneshot;

/// Targets of one segment: as few as may be.
const PER_SEGMENT: u32 = 10;
/// Imports under way at the same time.
const AT_ONCE: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Effort {
    segments: usize,
    clients: usize,
    /// Messages between two broken connections.
    between: usize,
}

/// What one client saw.
#[derive(Debug, Default)]
struct Seen {
    messages: usize,
    connections: usize,
    missed: i64,
    resets: usize,
    ended: bool,
    late_ms: Vec<i64>,
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let measured = std::env::args().any(|word| word == "--bench");
    let effort = match measured {
        true => Effort { segments: 5_000, clients: 200, between: 400 },
        false => Effort { segments: 40, clients: 8, between: 10 },
    };
    let home = Home::default();
    let served = Served::start(&home, false);
    let client = many::signed_in(&served).await;
    prepare(&client, &home, effort).await;
    let (over, is_over) = oneshot::channel();
    let memory = tokio::spawn(watch_memory(served.process(), is_over));
    let began = Instant::now();
    let run = start(&client).await;
    let followers: Vec<_> = (0..effort.clients)
        .map(|number| tokio::spawn(follow(client.clone(), run.clone(), effort, number)))
        .collect();
    let mut seen = Vec::new();
    for follower in followers {
        seen.push(follower.await.unwrap());
    }
    let took = began.elapsed();
    over.send(()).unwrap();
    let memory = memory.await.unwrap();
    let ended = client.runs().get(&run).await.unwrap();
    assert_eq!(ended.state, RunState::Completed, "{:?}", ended.error_message);
    table(&seen, &memory, ended.segments.total(), took);
    let whole = seen.iter().all(|one| one.ended && one.missed == 0);
    assert!(whole, "somebody missed a message or did not see the end");
    drop(served);
}

/// As many targets as the segments take, and advisories that touch them.
async fn prepare(client: &Client, home: &Home, effort: Effort) {
    let began = Instant::now();
    let location = home.write("feed.ndjson", &fixtures::feed()).to_str().unwrap().to_owned();
    let wish = AddSource { name: "feed".to_owned(), source_type: SourceType::Advisory, location };
    let write = Write::because("a benchmark");
    let source = client.sources().add(&wish, &write).await.unwrap();
    client.sources().run(&source.source_id, &RunSource::default(), &write).await.unwrap();
    let targets = effort.segments * PER_SEGMENT as usize;
    futures::stream::iter(0..targets)
        .map(|number| {
            let client = client.clone();
            async move {
                let sbom = fixtures::sbom(
                    &format!("service-{number:05}"),
                    "1",
                    &[("alpha", "1.0"), ("beta", "1.0")],
                );
                let place = SbomPlace { name: Some(format!("service-{number:05}")), ..SbomPlace::default() };
                client.targets().import(&place, sbom.into(), &Write::because("a benchmark")).await.map(|_| ())
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await
        .unwrap();
    println!("{targets} targets were imported in {:.0} s.", began.elapsed().as_secs_f64());
}

async fn start(client: &Client) -> RunId {
    let wish: StartRun =
        serde_json::from_value(serde_json::json!({ "mode": "analysis-only", "segmentSize": PER_SEGMENT }))
            .unwrap();
    client.runs().start(&wish, &Write::because("a benchmark")).await.unwrap().run_id
}

/// Follows the run to its end and breaks the connection now and then; each client at other messages.
async fn follow(client: Client, run: RunId, effort: Effort, number: usize) -> Seen {
    let mut seen = Seen::default();
    let mut last: Option<i64> = None;
    while !seen.ended {
        seen.connections += 1;
        let mut stream = client.runs().stream(run.clone(), last);
        let until = seen.messages + effort.between + number % effort.between;
        while let Some(message) = stream.next().await {
            let message = message.unwrap();
            match &message.body {
                RunMessageBody::Snapshot { .. } => last = Some(message.seq),
                RunMessageBody::Reset {} => seen.resets += 1,
                RunMessageBody::Heartbeat {} => {}
                RunMessageBody::StateChanged { .. }
                | RunMessageBody::SegmentProgress { .. }
                | RunMessageBody::DeltaSummary { .. }
                | RunMessageBody::Log { .. }
                | RunMessageBody::End { .. } => {
                    // The end may be told again to who has seen everything.
                    let missed = last.map_or(0, |last| (message.seq - last - 1).max(0));
                    seen.missed += missed;
                    last = Some(last.map_or(message.seq, |last| last.max(message.seq)));
                    seen.messages += 1;
                    seen.late_ms.push(now_ms() - message.at.0 / 1_000);
                }
            }
            if matches!(message.body, RunMessageBody::End { .. }) {
                seen.ended = true;
                break;
            }
            if seen.messages >= until {
                break;
            }
        }
    }
    seen
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// The server's resident memory, twice a second, in KB.
async fn watch_memory(process: u32, mut is_over: oneshot::Receiver<()>) -> Vec<u64> {
    let mut samples = Vec::new();
    let mut sampling = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = &mut is_over => return samples,
            _ = sampling.tick() => {}
        }
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: Option<u64> =
            line.and_then(|line| line.split_whitespace().next()).and_then(|text| text.parse().ok());
        samples.extend(kilobytes);
    }
}

fn table(seen: &[Seen], memory: &[u64], segments: i64, took: Duration) {
    let messages: usize = seen.iter().map(|one| one.messages).sum();
    let connections: usize = seen.iter().map(|one| one.connections).sum();
    let missed: i64 = seen.iter().map(|one| one.missed).sum();
    let resets: usize = seen.iter().map(|one| one.resets).sum();
    let mut late: Vec<i64> = seen.iter().flat_map(|one| one.late_ms.iter().copied()).collect();
    late.sort_unstable();
    let at = |percent: usize| {
        late.get((late.len() * percent / 100).min(late.len().saturating_sub(1))).unwrap_or(&0)
    };
    let megabytes: BTreeSet<u64> = memory.iter().map(|kilobytes| kilobytes / 1_024).collect();
    let (first, last) = (memory.first().unwrap_or(&0) / 1_024, memory.last().unwrap_or(&0) / 1_024);
    println!("| what | figure |");
    println!("|---|--:|");
    println!("| clients, segments | {}, {segments} |", seen.len());
    println!("| run and followers took | {:.1} s |", took.as_secs_f64());
    println!("| messages delivered | {messages}, {:.0} a second |", messages as f64 / took.as_secs_f64());
    println!("| connections, broken on purpose | {connections} |");
    println!("| messages missed | {missed} |");
    println!("| resets, each followed by a snapshot | {resets} |");
    println!("| late: p50, p95, p99, most | {}, {}, {}, {} ms |", at(50), at(95), at(99), at(100));
    println!(
        "| server's memory: at first, most, at last | {first}, {}, {last} MB |",
        megabytes.last().unwrap_or(&0)
    );
}
