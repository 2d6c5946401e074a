//! How a peer is measured: the same cases for each, the same numbers of jobs, the median of five repetitions after one
//! that does not count. A handler does nothing.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is measured.
pub trait Peer: Send + Sync + 'static {
    /// What it is called, and how it is set up where that matters.
    const NAME: &'static str;

    /// Takes in one job.
    fn add(&self, payload: Value) -> impl Future<Output = Outcome<()>> + Send;
    /// Takes in many jobs in one call.
    fn add_all(&self, payloads: Vec<Value>) -> impl Future<Output = Outcome<()>> + Send;
    /// Works off these many jobs, all there are.
    fn drain(&self, jobs: usize) -> impl Future<Output = Outcome<()>> + Send;
}

/// How much is measured.
struct Scale {
    repetitions: usize,
    one_by_one: usize,
    bulk: usize,
    drain: usize,
}

const FULL: Scale = Scale { repetitions: 6, one_by_one: 1_000, bulk: 10_000, drain: 4_000 };
/// So that the program cannot rot.
const ONCE: Scale = Scale { repetitions: 1, one_by_one: 20, bulk: 1_000, drain: 100 };
const CALLERS: usize = 16;
const A_CALL: usize = 1_000;

/// Measures all cases and prints a line of each, under the names that our own benchmark of the ledger uses.
pub async fn measure<P: Peer>(peer: P) -> Outcome<()> {
    let scale = if std::env::args().any(|word| word == "--bench") { FULL } else { ONCE };
    let peer = Arc::new(peer);
    let names =
        ["enqueue, 1 callers", "enqueue, 16 callers", "enqueue, 1,000 a call", "drain, 100 at a time"];
    let mut cases = names.map(|name| (name, Vec::new()));
    for _ in 0..scale.repetitions {
        let rates = once(&peer, &scale).await?;
        cases.iter_mut().zip(rates).for_each(|((_, all), rate)| all.push(rate));
    }
    for (name, rates) in cases {
        print(P::NAME, name, rates);
    }
    Ok(())
}

/// The rates of one repetition; after each case the queue is empty again.
async fn once<P: Peer>(peer: &Arc<P>, scale: &Scale) -> Outcome<[f64; 4]> {
    let began = Instant::now();
    for number in 0..scale.one_by_one {
        peer.add(payload(number)).await?;
    }
    let one = rate(scale.one_by_one, began);
    peer.drain(scale.one_by_one).await?;

    let each = scale.one_by_one * 4 / CALLERS;
    let began = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let peer = peer.clone();
        tokio::spawn(async move {
            for number in 0..each {
                peer.add(payload(number)).await?;
            }
            Outcome::Ok(())
        })
    });
    for caller in futures::future::join_all(callers).await {
        caller??;
    }
    let sixteen = rate(each * CALLERS, began);
    peer.drain(each * CALLERS).await?;

    let began = Instant::now();
    for call in 0..scale.bulk / A_CALL {
        peer.add_all(payloads(call * A_CALL, A_CALL)).await?;
    }
    let bulk = rate(scale.bulk, began);
    peer.drain(scale.bulk).await?;

    for call in 0..scale.drain.div_ceil(A_CALL) {
        peer.add_all(payloads(call * A_CALL, scale.drain.min(A_CALL))).await?;
    }
    let began = Instant::now();
    peer.drain(scale.drain).await?;
    Ok([one, sixteen, bulk, rate(scale.drain, began)])
}

fn payload(number: usize) -> Value {
    json!({ "number": number, "what": "a job that does nothing" })
}

fn payloads(from: usize, count: usize) -> Vec<Value> {
    (from..from + count).map(payload).collect()
}

fn rate(jobs: usize, began: Instant) -> f64 {
    jobs as f64 / began.elapsed().as_secs_f64()
}

/// Median, least and most; the first repetition warmed up.
fn print(peer: &str, case: &str, mut rates: Vec<f64>) {
    if rates.len() > 1 {
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    let (least, most) = (rates[0], rates[rates.len() - 1]);
    println!("{peer:<34} {case:<24} {:>9.0}/s {least:>9.0} {most:>9.0}", rates[rates.len() / 2]);
}
