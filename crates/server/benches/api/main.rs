//! What the door costs: requests over real sockets on a SQLite ledger that waits for the disk, pages of a long list,
//! and events to many readers at once.
//!
//! `STELLA_JOBS=1000000 STELLA_READERS=1000 cargo bench -p stella-server --bench api`. Client and server share the
//! machine. Prints one row per measure.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod floor;

use floor::Manner;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::JobState;
use stella_contract::time::Micros;
use stella_engine::{Engine, LedgerPlace, Options, SystemChance, SystemClock};
use stella_ledger::LedgerError;
use stella_ledger::jobs::{self, NewJob};
use stella_server::{Auth, Door, LocalOperator};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The allocator of the program that is delivered.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let tenant: Tenant = "acme".parse()?;
    let engine = Engine::open(Options {
        place: LedgerPlace::Sqlite(folder.path().join("ledger.db")),
        blobs: folder.path().join("blobs"),
        tenants: vec![tenant.clone()],
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        workers: 0,
    })
    .await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Door::new(engine.clone(), Auth::Local(LocalOperator::new("bench"))).router();
    tokio::spawn(stella_server::serve(listener, router, std::future::pending()));

    println!("| measure | rate | p50 | p99 |");
    println!("|---|---:|---:|---:|");
    for clients in [1, 16] {
        rate(address, "GET nothing", clients, |_| get("/health/live")).await?;
        rate(address, "POST a job", clients, |_| post_job("")).await?;
        let keyed = |number| post_job(&format!("Idempotency-Key: c{clients}-{number}\r\n"));
        rate(address, "POST a job with a key", clients, keyed).await?;
    }
    for manner in [Manner::Each, Manner::Together] {
        floor::drain(&engine, &tenant, 16, env("STELLA_FLOOR", 4_000), manner).await?;
    }
    readers(&engine, address).await?;
    let count = env("STELLA_JOBS", 20_000);
    fill(&engine, &tenant, count).await?;
    let lists = [
        ("first page of 50", "/api/v1/jobs"),
        ("of one state", "/api/v1/jobs?state=queued"),
        ("of one type", "/api/v1/jobs?jobType=scan.segment"),
        ("of a type that is not there", "/api/v1/jobs?jobType=demo.none"),
    ];
    for (what, path) in lists {
        rate(address, &format!("GET {count} jobs, {what}"), 1, |_| get(path)).await?;
    }
    rate(address, &format!("GET overview over {count} jobs"), 1, |_| get("/api/v1/overview")).await?;
    engine.close().await;
    Ok(())
}

fn env(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

fn post_job(header: &str) -> String {
    let body = r#"{"jobType":"demo.wait","payload":{"ms":1},"priority":50}"#;
    format!(
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection that is kept open.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::with_capacity(64 * 1024, stream)))
    }

    /// Sends one request and reads its answer to the end.
    async fn ask(&mut self, request: &str) -> Outcome<()> {
        self.0.write_all(request.as_bytes()).await?;
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 2") {
            return Err(format!("answered: {line}").into());
        }
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).await?;
            if let Some(said) = line.strip_prefix("content-length: ") {
                length = said.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(())
    }
}

async fn rate(
    address: SocketAddr,
    what: &str,
    clients: usize,
    request: impl Fn(u64) -> String + Send + Sync + Copy,
) -> Outcome<()> {
    let began = Instant::now();
    let workers = (0..clients as u64).map(|client| async move {
        let mut connection = Client::connect(address).await?;
        let mut took = Vec::new();
        while began.elapsed() < SPAN {
            let request = request(client << 32 | took.len() as u64);
            let start = Instant::now();
            connection.ask(&request).await?;
            took.push(start.elapsed());
        }
        Outcome::Ok(took)
    });
    let mut took: Vec<Duration> = futures::future::try_join_all(workers).await?.concat();
    let seconds = began.elapsed().as_secs_f64();
    let rate = took.len() as f64 / seconds;
    took.sort();
    println!("| {what}, {clients} at once | {rate:.0}/s | {} | {} |", us(at(&took, 50)), us(at(&took, 99)));
    Ok(())
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
}

fn us(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

/// Jobs of two types, some of them ready.
async fn fill(engine: &Engine, tenant: &Tenant, count: usize) -> Outcome<()> {
    for start in (0..count).step_by(1_000) {
        let now = engine.now();
        let new: Vec<NewJob> =
            (start..count.min(start + 1_000)).map(|number| job(engine, tenant, number, now)).collect();
        engine
            .ledger()
            .write::<_, LedgerError, _>(move |tx| Box::pin(async move { jobs::insert_many(tx, &new).await }))
            .await?;
    }
    Ok(())
}

fn job(engine: &Engine, tenant: &Tenant, number: usize, now: Micros) -> NewJob {
    NewJob {
        job_id: JobId::from_uuid(&engine.uuid(now)),
        tenant: tenant.clone(),
        project: None,
        run_id: None,
        source_id: None,
        job_type: if number.is_multiple_of(2) { "scan.segment" } else { "ingest.sbom" }.to_owned(),
        priority: 50,
        state: JobState::Queued,
        wait_reason: None,
        next_eligible_at: None,
        not_before: None,
        payload_digest: format!("sha256:{}", "0".repeat(64)),
        payload_size: 2,
        payload: Some("{}".to_owned()),
        idempotency_key: None,
        max_attempts: 6,
        timeout_s: 3_600,
        replay_of: None,
        retry_of: None,
        origin_key: None,
        correlation_id: "bench".to_owned(),
        traceparent: None,
        created_by: "bench".to_owned(),
        reason: None,
        ticket: None,
        created_at: now,
    }
}

/// Events a second for two seconds, to more and more readers.
async fn readers(engine: &Engine, address: SocketAddr) -> Outcome<()> {
    let most = env("STELLA_READERS", 100);
    for count in [1, 10, 100, 1_000].into_iter().filter(|count| *count <= most) {
        fan_out(engine, address, count).await?;
    }
    Ok(())
}

const EVENTS: usize = 2_000;

async fn fan_out(engine: &Engine, address: SocketAddr, count: usize) -> Outcome<()> {
    let mut readers = Vec::new();
    for _ in 0..count {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        stream.write_all(get("/api/v1/events/stream").as_bytes()).await?;
        let mut line = String::new();
        while !line.starts_with("event: heartbeat") {
            line.clear();
            stream.read_line(&mut line).await?;
        }
        readers.push(tokio::spawn(read_events(stream)));
    }
    let mut writer = Client::connect(address).await?;
    let mut told = Vec::with_capacity(EVENTS);
    let began = Instant::now();
    for number in 0..EVENTS {
        let due = began + Duration::from_millis(number as u64);
        tokio::time::sleep_until(due.into()).await;
        writer.ask(&post_job("")).await?;
        told.push(Instant::now());
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut lags = Vec::new();
    for reader in readers {
        let seen = reader.await??;
        lags.extend(seen.iter().zip(&told).map(|(seen, told)| seen.saturating_duration_since(*told)));
    }
    lags.sort();
    let rate = (EVENTS * count) as f64 / seconds;
    println!(
        "| events to {count} readers, lag | {rate:.0}/s | {} | {} |",
        us(at(&lags, 50)),
        us(at(&lags, 99))
    );
    if engine.options().workers > 0 {
        return Err("workers would add events of their own".into());
    }
    Ok(())
}

/// When each event came; they must come without a gap.
async fn read_events(mut stream: BufReader<TcpStream>) -> Outcome<Vec<Instant>> {
    let (mut seen, mut last, mut line) = (Vec::with_capacity(EVENTS), None, String::new());
    while seen.len() < EVENTS {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the stream ended early".into());
        }
        let Some(id) = line.strip_prefix("id: ") else { continue };
        let id: i64 = id.trim().parse()?;
        let mut name = String::new();
        stream.read_line(&mut name).await?;
        if !name.starts_with("event: change") {
            continue;
        }
        if last.is_some_and(|last| id != last + 1) {
            return Err(format!("event {id} after {last:?}").into());
        }
        last = Some(id);
        seen.push(Instant::now());
    }
    Ok(seen)
}
