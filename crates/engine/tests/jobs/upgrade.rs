//! A ledger as the first schema left it, full of rows, is opened by today's code: it is brought up to date, everything in
//! it is read back, its chain is whole, and work goes on.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use stella_contract::breaker::BreakerFilter;
use stella_contract::dead_letter::DeadLetterFilter;
use stella_contract::history::{Actor, GENESIS, HistoryEntry};
use stella_contract::ids::{EventId, JobId, LeaseId, SourceId, TokenId, WorkerId};
use stella_contract::job::{ErrorClass, JobFilter, JobState, WaitReason};
use stella_contract::page::PageQuery;
use stella_contract::run::{RunFilter, RunState};
use stella_contract::source::SourceType;
use stella_contract::time::Micros;
use stella_contract::worker::WorkerWish;
use stella_engine::handlers::{Done, Registry};
use stella_engine::verbs::Verb;
use stella_engine::work::{Fence, Lease};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SeededChance, TestClock};
use stella_ledger::testing::ledger_as_of;

/// The last step of the first schema.
const FIRST: i64 = 4;
/// When the rows were made: an hour before the engine is opened.
const THEN: Micros = Micros(1_795_248_000_000_000);
/// Jobs of each state.
const EACH: usize = 30;

fn uuid(n: usize) -> String {
    stella_ledger::key::uuid_of(THEN.0.unsigned_abs() / 1_000, u32::try_from(n).unwrap(), n as u64)
}

fn job_id(n: usize) -> JobId {
    JobId::from_uuid(&uuid(n))
}

fn digest(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

fn payload(n: usize) -> String {
    format!("{{\"n\":{n}}}")
}

/// The state of the nth job, and what its row says beside: reason, times, lease, failure.
fn state_of(n: usize) -> JobState {
    JobState::ALL[n / EACH]
}

fn job_row(n: usize) -> String {
    let (state, at) = (state_of(n), THEN.0);
    let (id, key) = (job_id(n), stella_ledger::key_of(&job_id(n)));
    let is_held = matches!(state, JobState::Leased | JobState::Running);
    let is_dead = matches!(state, JobState::Failed | JobState::TimedOut);
    let text = |is: bool, text: &str| if is { format!("'{text}'") } else { "null".to_owned() };
    let number = |is: bool, number: i64| if is { number.to_string() } else { "null".to_owned() };
    let wait = text(state == JobState::Pending, "not_before");
    let (worker, lease) = (WorkerId::from_uuid(&uuid(9_000)), LeaseId::from_uuid(&uuid(n)));
    // A failure by the name that the first schema had for its class.
    let (code, class) =
        if n.is_multiple_of(2) { ("SOURCE_UNREACHABLE", "unreachable") } else { ("INVALID", "invalid") };
    format!(
        "({key}, '{id}', 'acme', 'exam', 50, '{state}', {wait}, {until}, {until}, '{digest}', {size}, '{payload}', \
         {idempotency}, {attempt}, 6, 3600, {lease}, {epoch}, {held_until}, {worker}, 0, 0.0, 0, 0, {code}, {class}, \
         {message}, 'corr-{n}', 'ada', {at}, {queued}, {started}, {started}, {ended}, 1)",
        until = number(state == JobState::Pending, THEN.plus_ms(30 * 60_000).0),
        digest = digest(&payload(n)),
        size = payload(n).len(),
        payload = payload(n),
        idempotency = text(n.is_multiple_of(3), &format!("key-{n}")),
        attempt = i32::from(is_held || state.is_final()),
        lease = text(is_held, lease.as_str()),
        epoch = i32::from(is_held || state.is_final()),
        held_until = number(is_held, THEN.plus_ms(60_000).0),
        worker = text(is_held || is_dead, worker.as_str()),
        code = text(is_dead, code),
        class = text(is_dead, class),
        message = text(is_dead, "It broke."),
        queued = number(state != JobState::Pending, at),
        started = number(state == JobState::Running || is_dead || state == JobState::Succeeded, at + 1),
        ended = number(state.is_final(), at + 2),
    )
}

/// The chain: one entry of each job, numbered and hashed by the rule of the specification, with nobody's help.
fn chain() -> Vec<HistoryEntry> {
    let mut prev_hash = GENESIS.to_owned();
    let mut entries = Vec::new();
    for n in 0..EACH * JobState::ALL.len() {
        let data = serde_json::json!({ "jobType": "exam", "payloadDigest": digest(&payload(n)) });
        let mut entry = HistoryEntry {
            seq: i64::try_from(n).unwrap() + 1,
            event_id: EventId::from_uuid(&uuid(10_000 + n)),
            job_id: Some(job_id(n)),
            run_id: None,
            entity: "job".to_owned(),
            kind: "orch.job.submitted".to_owned(),
            from_state: None,
            to_state: Some("pending".to_owned()),
            attempt: Some(0),
            lease_epoch: Some(0),
            actor: Actor { subject: "ada".to_owned(), scopes: vec!["orch:submit".to_owned()] },
            reason: None,
            ticket: None,
            correlation_id: format!("corr-{n}"),
            occurred_at: THEN,
            data_digest: stella_bundle::digest::of_value(&data).unwrap(),
            data,
            prev_hash,
            hash: String::new(),
        };
        let mut value = serde_json::to_value(&entry).unwrap();
        value.as_object_mut().unwrap().remove("hash");
        let text = stella_bundle::canonical::to_string(&value).unwrap();
        entry.hash = hex::encode(Sha256::digest(format!("{}{text}", entry.prev_hash)));
        prev_hash = entry.hash.clone();
        entries.push(entry);
    }
    entries
}

fn history_row(entry: &HistoryEntry) -> String {
    let id = entry.job_id.as_ref().unwrap();
    format!(
        "('acme', {}, '{}', {}, '{id}', 'job', '{}', 'pending', 0, 0, 'ada', '[\"orch:submit\"]', '{}', {}, '{}', '{}', \
         '{}', '{}')",
        entry.seq,
        entry.event_id,
        stella_ledger::key_of(id),
        entry.kind,
        entry.correlation_id,
        entry.occurred_at.0,
        entry.data_digest,
        entry.data,
        entry.prev_hash,
        entry.hash,
    )
}

/// All rows as one text that both databases read.
fn rows() -> String {
    let mut sql = String::new();
    let jobs: Vec<String> = (0..EACH * JobState::ALL.len()).map(job_row).collect();
    write!(
        sql,
        "insert into jobs (key, job_id, tenant, job_type, priority, state, wait_reason, next_eligible_at, not_before,
            payload_digest, payload_size, payload, idempotency_key, attempt, max_attempts, timeout_s, lease_id,
            lease_epoch, lease_until, worker_id, ack_timeouts, progress, processed, total, error_code, error_class,
            error_message, correlation_id, created_by, created_at, queued_at, started_at, attempt_started_at, ended_at,
            version) values {};",
        jobs.join(", ")
    )
    .unwrap();
    let chain = chain();
    let entries: Vec<String> = chain.iter().map(history_row).collect();
    let (seq, hash) = chain.last().map(|last| (last.seq, last.hash.clone())).unwrap();
    write!(
        sql,
        "insert into history (tenant, seq, event_id, job_key, job_id, entity, type, to_state, attempt, lease_epoch,
            subject, scopes, correlation_id, occurred_at, data_digest, data, prev_hash, hash) values {};
        insert into chains (tenant, history_seq, last_hash, feed_seq) values ('acme', {seq}, '{hash}', 0);",
        entries.join(", ")
    )
    .unwrap();
    let at = THEN.0;
    write!(
        sql,
        "insert into workers (worker_id, name, version, hostname, job_types, concurrency, draining, started_at,
            last_heartbeat_at) values
            ('{drained}', 'drained', '1', 'h', '[\"exam\"]', 4, 1, {at}, {at}),
            ('{plain}', 'plain', '1', 'h', '[\"exam\"]', 4, 0, {at}, {at});
        insert into sources (source_id, tenant, name, source_type, location, created_at) values
            ('{feed}', 'acme', 'feed', 'advisory', 'https://Feeds.example:8443/all.zip?key=1', {at}),
            ('{list}', 'acme', 'list', 'kev', '/var/feeds/kev.json', {at});
        insert into runs (run_key, run_id, tenant, run_trigger, initiator, mode, scope, scope_digest, request_digest,
            priority, segment_size, planner_shard_count, kev_first, allow_stale, state, correlation_id, created_at,
            planned_at, started_at, executed_at, finished_at) values
            (1, 'run:acme:20261121T080000Z:0123abcd', 'acme', 'manual', 'ada', 'analysis-only', '{{\"kind\":\"all\"}}',
            'sha256:0', 'sha256:0', 50, 100, 8, 0, 0, 'completed', 'corr-run', {at}, {at}, {at}, {at}, {at});
        insert into tokens (token_id, tenant, name, kind, secret_hash, scopes, read_only, created_by, created_at,
            expires_at) values
            ('{token}', 'acme', 'ci', 'bearer', '{hash}', '[\"orch:read\"]', 0, 'ada', {at}, {later});",
        drained = WorkerId::from_uuid(&uuid(9_000)),
        plain = WorkerId::from_uuid(&uuid(9_001)),
        feed = SourceId::from_uuid(&uuid(9_000)),
        list = SourceId::from_uuid(&uuid(9_001)),
        token = TokenId::from_uuid(&uuid(9_000)),
        later = THEN.plus_ms(90 * 24 * 3_600_000).0,
    )
    .unwrap();
    sql
}

/// Opens what the first schema left.
async fn opened(place: LedgerPlace, folder: &tempfile::TempDir) -> (Engine, Arc<TestClock>, Caller) {
    ledger_as_of(&place, FIRST, rows()).await.unwrap();
    let clock = Arc::new(TestClock::at(THEN.plus_ms(3_600_000)));
    let options = Options {
        place,
        blobs: folder.path().join("blobs"),
        tenants: vec!["acme".parse().unwrap()],
        clock: clock.clone(),
        chance: Arc::new(SeededChance::new(11)),
        workers: 1,
    };
    let engine = Engine::open_with(options, Registry::default()).await.unwrap();
    (engine, clock, Caller::local("acme".parse().unwrap(), "ada").because("a test", Some("OPS-1")))
}

async fn count(engine: &Engine, caller: &Caller, state: JobState) -> u64 {
    let filter = JobFilter { state: Some(state), ..JobFilter::default() };
    let page = engine.jobs().list(caller, &filter, &PageQuery::default()).await.unwrap();
    page.total_estimate.expect("so few are counted")
}

async fn everything_is_there_and_work_goes_on(place: LedgerPlace) {
    let folder = tempfile::tempdir().unwrap();
    let (engine, clock, caller) = opened(place, &folder).await;
    let each = EACH as u64;

    // The rows, before anything moves.
    let check = engine.history().verify(&caller).await.unwrap();
    assert_eq!((check.entries, check.broken), (9 * EACH as i64, None));
    for state in JobState::ALL {
        assert_eq!(count(&engine, &caller, *state).await, each, "{state}");
    }
    let waiting = engine.jobs().get(&caller, &job_id(0)).await.unwrap();
    assert_eq!(waiting.payload, serde_json::json!({ "n": 0 }));
    assert_eq!((waiting.job.wait_reason, waiting.job.version), (Some(WaitReason::NotBefore), 1));
    let failed = EACH * JobState::ALL.iter().position(|state| *state == JobState::Failed).unwrap();
    let classes = async |n| engine.jobs().get(&caller, &job_id(n)).await.unwrap().job.error_class;
    assert_eq!(classes(failed).await, Some(ErrorClass::Network), "`unreachable` of before");
    assert_eq!(classes(failed + 1).await, Some(ErrorClass::Validation), "`invalid` of before");
    let sources =
        engine.sources().list(&caller, &Default::default(), &PageQuery::default()).await.unwrap().items;
    let told: Vec<_> =
        sources.iter().map(|one| (one.name.as_str(), one.source_type, one.host.as_deref())).collect();
    assert_eq!(
        told,
        [("feed", SourceType::Advisory, Some("feeds.example:8443")), ("list", SourceType::Kev, None)]
    );
    let workers = engine.workers().list(&caller, &PageQuery::default()).await.unwrap().items;
    let wishes: Vec<_> = workers.iter().map(|one| (one.name.as_str(), one.wish)).collect();
    assert_eq!(wishes, [("drained", WorkerWish::Drain), ("plain", WorkerWish::Work)]);
    let runs = engine.runs().list(&caller, &RunFilter::default(), &PageQuery::default()).await.unwrap().items;
    assert_eq!((runs.len(), runs[0].state), (1, RunState::Completed));

    // Time goes on: who waited is ready, who was held is lost by its worker, who failed can be found by its cause.
    engine.run_until_idle().await.unwrap();
    assert_eq!(count(&engine, &caller, JobState::Leased).await, 0);
    assert_eq!(count(&engine, &caller, JobState::Running).await, 0);
    let letters = engine.dead_letters();
    let page = PageQuery { page_token: None, page_size: Some(500) };
    let entries = letters.list(&caller, &DeadLetterFilter::default(), &page).await.unwrap().items;
    assert_eq!(entries.len(), 2 * EACH);
    assert!(entries.iter().all(|entry| entry.fingerprint.len() == 16), "{:?}", entries[0]);

    // So many lost leases of one type opened its breaker, by a rule that is younger than the ledger.
    let breakers = engine.breakers().list(&caller, &BreakerFilter::default()).await.unwrap().items;
    assert_eq!(breakers.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["exam"]);
    engine.breakers().reset(&caller, &breakers[0].breaker_id, None).await.unwrap();
    engine.run_until_idle().await.unwrap();

    // And work goes on, on old jobs and on a repeat of one.
    let again = engine.jobs().apply_to(&caller, Verb::Replay, &job_id(failed)).await.unwrap();
    let worker = engine.work().register(crate::support::new_worker("new")).await.unwrap();
    let leases: Vec<Lease> = engine.work().claim(&worker, &["exam".to_owned()], 5).await.unwrap();
    assert_eq!(leases.first().map(|lease| &lease.job.job_id), Some(&again.job_id), "a replay goes first");
    let fences: Vec<Fence> = leases.iter().map(|lease| lease.fence.clone()).collect();
    engine.work().ack(&fences).await.unwrap();
    for fence in &fences {
        engine.work().complete(fence, Done::default()).await.unwrap();
    }
    clock.advance_ms(1_000);
    engine.run_until_idle().await.unwrap();
    assert_eq!(count(&engine, &caller, JobState::Succeeded).await, each + 5);
    let check = engine.history().verify(&caller).await.unwrap();
    assert!(check.entries > 9 * EACH as i64);
    assert_eq!(check.broken, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_of_the_first_schema_is_brought_up_to_date_and_work_goes_on_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    everything_is_there_and_work_goes_on(LedgerPlace::Sqlite(folder.path().join("ledger.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_of_the_first_schema_is_brought_up_to_date_and_work_goes_on_on_postgres() {
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    everything_is_there_and_work_goes_on(LedgerPlace::Postgres(url)).await;
}
