//! A client of a running `stella serve`, and the steps that many tests begin with.

use std::sync::atomic::{AtomicU32, Ordering};
use stella_contract::ids::{SourceId, Tenant};
use stella_contract::job::{Job, JobState};
use stella_contract::run::{Run, RunMode, RunScope, StartRun};
use stella_contract::session::OpenSession;
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::target::SbomPlace;
use stella_sdk::{Client, Write};
use stella_tests::served::Served;

/// Signs in with the printed one-time token.
pub(crate) async fn signed_in(served: &Served) -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    let tenant: Tenant = "default".parse().unwrap();
    let guest = Client::new(&served.base, None, tenant.clone()).unwrap();
    let one_time_token = served.one_time_token().to_owned();
    let opened = guest.core().open_session(&OpenSession { one_time_token }).await.unwrap();
    Client::new(&served.base, Some(&opened.token), tenant).unwrap()
}

/// Adds a source that reads this file or folder.
pub(crate) async fn add_source(
    client: &Client,
    name: &str,
    source_type: SourceType,
    location: &str,
) -> SourceId {
    let wish = AddSource { name: name.to_owned(), source_type, location: location.to_owned() };
    client.sources().add(&wish, &Write::because("a test")).await.unwrap().source_id
}

/// Reads a source and waits for the end of its job.
pub(crate) async fn read_source(client: &Client, id: &SourceId) -> Job {
    let job = client.sources().run(id, &RunSource::default(), &Write::because("a test")).await.unwrap();
    ended(client, &job).await
}

/// Waits for the end of a job along the feed.
pub(crate) async fn ended(client: &Client, job: &Job) -> Job {
    let mut cursor = client.feed().cursor().await.unwrap();
    loop {
        let now = client.jobs().get(&job.job_id).await.unwrap().job;
        if now.state.is_final() {
            return now;
        }
        let query = stella_contract::event::FeedQuery { cursor: Some(cursor), max_wait_ms: Some(5_000) };
        cursor = client.feed().since(query).await.unwrap().cursor;
    }
}

/// Reads a source and insists that it went well.
pub(crate) async fn read_source_well(client: &Client, id: &SourceId) {
    let job = read_source(client, id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?} {:?}", job.error_code, job.error_message);
}

/// Imports one SBOM under a name.
pub(crate) async fn import(client: &Client, name: &str, sbom: String) {
    let place = SbomPlace { name: Some(name.to_owned()), ..SbomPlace::default() };
    client.targets().import(&place, sbom.into(), &Write::because("a test")).await.unwrap();
}

/// Starts a run over everything.
pub(crate) async fn start_run(client: &Client, segment_size: u32) -> Run {
    let wish = StartRun {
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        kev_first: false,
        priority: None,
        preview_id: None,
        allow_stale: false,
        policy_snapshot_id: None,
        segment_size: Some(segment_size),
    };
    // Without a key of its own, the same wish in the same second would be the same run.
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let key = format!("test-run-{}", STARTED.fetch_add(1, Ordering::Relaxed));
    let write = Write { idempotency_key: Some(key), ..Write::because("a test") };
    client.runs().start(&wish, &write).await.unwrap()
}

/// Waits for the end of a run along its messages.
pub(crate) async fn run_ended(client: &Client, run: &Run) -> Run {
    let mut after = None;
    loop {
        let now = client.runs().get(&run.run_id).await.unwrap();
        if now.state.is_final() {
            return now;
        }
        after = next_message(client, run, after).await;
    }
}

/// Waits for news of a run and returns the number of the newest.
pub(crate) async fn next_message(client: &Client, run: &Run, after: Option<i64>) -> Option<i64> {
    let query = stella_contract::event::RunMessagesQuery { after, max_wait_ms: Some(5_000) };
    let messages = client.runs().messages(&run.run_id, query).await.unwrap();
    messages.items.iter().map(|message| message.seq).max().or(after)
}
