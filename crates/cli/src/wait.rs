//! Waiting for a job or a run to end, by stream and long poll, never by the clock.

use crate::failure::Failure;
use crate::output::Progress;
use clap::Args;
use futures::TryStreamExt as _;
use std::time::Duration;
use stella_contract::change_set::{ChangeSet, ChangeSetState};
use stella_contract::event::{FeedQuery, RunMessageBody};
use stella_contract::ids::{ChangeSetId, JobId, RunId};
use stella_contract::job::{JobDetail, JobState};
use stella_contract::run::{Run, RunState};
use stella_sdk::Client;

/// How long one long poll may take.
const POLL_MS: u64 = 25_000;

/// Whether and how long to wait.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Waiting {
    /// Wait until it has ended; the exit code then says how.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Give up waiting after so long; what was started goes on.
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    timeout: Option<u64>,
}

impl Waiting {
    async fn bounded<T>(
        self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let Some(seconds) = self.timeout else { return work.await };
        let bounded = tokio::time::timeout(Duration::from_secs(seconds), work).await;
        bounded.unwrap_or_else(|_| Err(Failure::TimedOut(what.to_owned())))
    }

    /// Waits for a job's end and gives it as it then is.
    pub(crate) async fn for_job(self, client: &Client, id: &JobId) -> Result<JobDetail, Failure> {
        self.bounded(&format!("The job {id}"), job_end(client, id)).await
    }

    /// Waits for a change-set's end, or until it pauses, and gives it as it then is.
    pub(crate) async fn for_change_set(
        self,
        client: &Client,
        id: &ChangeSetId,
    ) -> Result<ChangeSet, Failure> {
        self.bounded(&format!("The change-set {id}"), change_set_end(client, id)).await
    }

    /// Waits for a run's end and gives it as it then is.
    pub(crate) async fn for_run(self, client: &Client, id: &RunId) -> Result<Run, Failure> {
        self.bounded(&format!("The run {id}"), run_end(client, id)).await
    }
}

/// The cursor is taken before the job is looked at, so that its end cannot fall between the two.
async fn job_end(client: &Client, id: &JobId) -> Result<JobDetail, Failure> {
    let mut progress = Progress::new();
    let mut cursor = client.feed().cursor().await?;
    loop {
        let detail = client.jobs().get(id).await?;
        if detail.job.state.is_final() {
            return Ok(detail);
        }
        let said = detail.job.progress_message.as_deref().unwrap_or("");
        progress.say(&format!("{} {}: {} {said}", detail.job.job_type, id, detail.job.state));
        cursor = news_of(client, id.as_str(), cursor).await?;
    }
}

async fn change_set_end(client: &Client, id: &ChangeSetId) -> Result<ChangeSet, Failure> {
    let mut progress = Progress::new();
    let mut cursor = client.feed().cursor().await?;
    loop {
        let set = client.change_sets().get(id).await?;
        if set.state != ChangeSetState::Running {
            return Ok(set);
        }
        let stand = set.progress;
        progress.say(&format!("{id}: {} done, {} waiting", stand.done, stand.waiting));
        cursor = news_of(client, id.as_str(), cursor).await?;
    }
}

/// A change-set that was waited for and did not do everything is a failure of the command.
pub(crate) fn demand_done(set: &ChangeSet) -> Result<(), Failure> {
    let id = &set.change_set_id;
    let notice = set.notice.as_deref().unwrap_or("no more is known");
    let (what, exit) = match set.state {
        ChangeSetState::Completed if set.progress.failed == 0 => return Ok(()),
        ChangeSetState::Completed => (format!("{} of its items failed", set.progress.failed), 1),
        ChangeSetState::Cancelled => (format!("was cancelled: {notice}"), 3),
        ChangeSetState::Draft
        | ChangeSetState::Running
        | ChangeSetState::Paused
        | ChangeSetState::Stopped => (format!("is {}: {notice}", set.state), 1),
    };
    Err(Failure::Ended {
        what: format!("The change-set {id} {what}."),
        next: Some(format!("stella orch change-set items {id} --state failed")),
        exit,
    })
}

/// Waits until the feed tells something of this thing, or has lost our place in it.
async fn news_of(client: &Client, id: &str, mut cursor: i64) -> Result<i64, Failure> {
    loop {
        let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(POLL_MS) };
        let batch = client.feed().since(query).await?;
        cursor = batch.cursor;
        if batch.reset || batch.events.iter().any(|event| event.id == id) {
            return Ok(cursor);
        }
    }
}

async fn run_end(client: &Client, id: &RunId) -> Result<Run, Failure> {
    let mut progress = Progress::new();
    let mut messages = client.runs().stream(id.clone(), None);
    while let Some(message) = messages.try_next().await? {
        match message.body {
            RunMessageBody::Snapshot { run, .. } => progress.say(&stand(&run)),
            RunMessageBody::StateChanged { to, .. } => progress.say(&format!("{id}: {to}")),
            RunMessageBody::DeltaSummary { deltas, processed, failed } => {
                progress.say(&format!("{id}: {processed} targets, {failed} failed, {deltas}"));
            }
            RunMessageBody::Log { message, .. } => progress.say(&message),
            RunMessageBody::SegmentProgress { .. }
            | RunMessageBody::Heartbeat {}
            | RunMessageBody::Reset {}
            | RunMessageBody::End { .. } => {}
        }
    }
    Ok(client.runs().get(id).await?)
}

fn stand(run: &Run) -> String {
    format!("{}: {}, {} of {} targets", run.run_id, run.state, run.processed, run.candidates)
}

/// A job that was waited for and did not succeed is a failure of the command.
pub(crate) fn demand_success(detail: &JobDetail) -> Result<(), Failure> {
    let job = &detail.job;
    let code = job.error_code.as_deref().unwrap_or("no code");
    let why = job.error_message.as_deref().unwrap_or("No more is known.");
    let exit = match job.state {
        JobState::Succeeded => return Ok(()),
        JobState::Cancelled => 3,
        JobState::Failed
        | JobState::TimedOut
        | JobState::Skipped
        | JobState::Pending
        | JobState::Queued
        | JobState::Leased
        | JobState::Running => 1,
    };
    Err(Failure::Ended {
        what: format!("The job {} ended {}: {why} ({code})", job.job_id, job.state),
        next: Some(format!("stella orch jobs show {}", job.job_id)),
        exit,
    })
}

/// A run that was waited for and did not complete is a failure of the command.
pub(crate) fn demand_completion(run: &Run) -> Result<(), Failure> {
    let (what, next, exit) = match (run.state, run.error_code) {
        (RunState::Completed, _) => return Ok(()),
        (RunState::Cancelled, _) => ("was cancelled".to_owned(), None, 3),
        (RunState::Error, Some(code)) => {
            (format!("failed: {} ({code})", code.meaning()), Some(code.next_step().to_owned()), 1)
        }
        (RunState::Error, None) => ("failed".to_owned(), None, 1),
        (RunState::Planning | RunState::Queued | RunState::Running, _) => {
            (format!("is still {}", run.state), Some(format!("stella runs stream {}", run.run_id)), 1)
        }
    };
    Err(Failure::Ended { what: format!("The run {} {what}.", run.run_id), next, exit })
}
