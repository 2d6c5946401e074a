//! `stella runs`: what would be touched, what is being evaluated, what changed.

use crate::cause::Why;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::policy;
use crate::run_diff::Diff;
use crate::run_tables::{of_deltas, of_many, of_one, of_preview, of_segments};
use crate::runs_board::{self, Escalate, Evidence, Export};
use crate::scope::{Scope, read_json};
use crate::wait::{Waiting, demand_completion};
use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use std::path::PathBuf;
use stella_contract::finding::Severity;
use stella_contract::ids::{PolicySnapshotId, PreviewId, RunId, ScheduleId, SegmentId};
use stella_contract::preview::PreviewRequest;
use stella_contract::run::{
    RetryRun, Run, RunErrorCode, RunFilter, RunMode, RunScope, RunState, RunTab, RunTrigger, StartRun,
};
use stella_contract::severities::Severities;
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// Say what a run would touch; nothing is started.
    Preview(PreviewOf),
    /// Start a run.
    Submit(Box<Submit>),
    /// List runs.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show one run.
    Show(Show),
    /// List a run's segments.
    Segments(WhichPages),
    /// List what a run changed.
    Deltas(WhichPages),
    /// Cancel runs.
    Cancel(Cancel),
    /// Repeat finished runs, all of them or what failed alone, or a failed segment of a running one.
    Retry(Retry),
    /// Hold a run against another.
    Diff(Diff),
    /// How runs have been doing for a day.
    Trends,
    /// What is wrong with the scheduler now.
    Alerts,
    /// What runs went through, newest first.
    Events(Paging),
    /// Write runs as NDJSON or CSV.
    Export(Export),
    /// List what a run's segments left.
    Evidence(Evidence),
    /// Make a text for whoever is asked for help; nothing is sent.
    Escalate(Escalate),
    /// Watch a run live, one JSON object per line.
    Stream(Stream),
}

#[derive(Debug, Args)]
pub(crate) struct PreviewOf {
    /// Keys as JSON: {"purls":[…],"vulnIds":[…]}; `-` reads it from stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["purl", "vuln"])]
    file: Option<PathBuf>,
    /// A package URL, with or without a version; may be given again.
    #[arg(long)]
    purl: Vec<String>,
    /// A CVE, GHSA or record id; may be given again.
    #[arg(long)]
    vuln: Vec<String>,
    /// What the run would do.
    #[arg(long)]
    mode: Option<RunMode>,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// What to do: analysis-only or content-refresh.
    #[arg(long, default_value = "analysis-only")]
    mode: RunMode,
    /// Targets that hold this package; may be given again.
    #[arg(long, conflicts_with_all = ["scope", "namespace", "repository", "label", "digest"])]
    purl: Vec<String>,
    /// Targets touched by this vulnerability; may be given again.
    #[arg(long, conflicts_with_all = ["scope", "namespace", "repository", "label", "digest"])]
    vuln: Vec<String>,
    /// Targets with exploited vulnerabilities first.
    #[arg(long)]
    kev_first: bool,
    /// The preview it was decided on; refused when the index moved on since.
    #[arg(long, value_name = "ID")]
    preview: Option<PreviewId>,
    /// Plan even on an index older than 24 h.
    #[arg(long)]
    allow_stale: bool,
    /// The policy that judges: a revision, a digest or the first digits of that; the active one when absent.
    #[arg(long, value_name = "SNAPSHOT")]
    policy: Option<String>,
    /// 0 to 100 for its jobs; 50 when absent.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=100))]
    priority: Option<i32>,
    /// Targets per segment, 10 to 500; 50 when absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=500))]
    segment_size: Option<u32>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    paging: Paging,
}

/// Which runs are meant.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// active, completed or failures.
    #[arg(long)]
    tab: Option<RunTab>,
    /// In this state.
    #[arg(long)]
    state: Option<RunState>,
    /// Set off by this.
    #[arg(long)]
    trigger: Option<RunTrigger>,
    /// Of this schedule.
    #[arg(long, value_name = "ID")]
    schedule: Option<ScheduleId>,
    /// With new findings of this severity; once more, or with commas, for several.
    #[arg(long, value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Failed with this code.
    #[arg(long)]
    error_code: Option<RunErrorCode>,
    /// Created at or after this time (RFC 3339).
    #[arg(long, value_parser = time)]
    since: Option<Micros>,
    /// Created before this time (RFC 3339).
    #[arg(long, value_parser = time)]
    until: Option<Micros>,
    /// With segments of this planner shard.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=63))]
    shard: Option<u8>,
    /// Judged by the policy snapshot of this revision.
    #[arg(long, value_name = "NUMBER")]
    policy_revision: Option<i64>,
}

/// A run, named after the command or by `--run`.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id.
    #[arg(value_name = "RUN", required_unless_present = "run_flag", conflicts_with = "run_flag")]
    run: Option<RunId>,
    /// The same.
    #[arg(long = "run", value_name = "RUN", id = "run_flag")]
    flag: Option<RunId>,
}

impl Which {
    pub(crate) fn id(&self) -> Result<&RunId, Failure> {
        self.run.as_ref().or(self.flag.as_ref()).ok_or_else(|| Failure::Usage("Name the run.".to_owned()))
    }
}

/// Runs, named after the command or by `--run`.
#[derive(Debug, Args)]
pub(crate) struct Many {
    /// Their ids.
    #[arg(value_name = "RUN", required_unless_present = "run_flag")]
    runs: Vec<RunId>,
    /// The same; may be given again.
    #[arg(long = "run", value_name = "RUN", id = "run_flag")]
    flags: Vec<RunId>,
}

impl Many {
    fn ids(&self) -> impl Iterator<Item = &RunId> {
        self.runs.iter().chain(&self.flags)
    }
    /// The only one, where only one is named.
    fn one(&self) -> Option<&RunId> {
        let mut ids = self.ids();
        ids.next().filter(|_| ids.next().is_none())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct WhichPages {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    many: Many,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    many: Many,
    /// Only the targets that were not evaluated; within 24 h of the end.
    #[arg(long, conflicts_with = "segment")]
    only_failed: bool,
    /// Only this failed segment of the run, which is still running.
    #[arg(long, value_name = "ID")]
    segment: Option<SegmentId>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Stream {
    #[command(flatten)]
    which: Which,
    /// Go on after this number.
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
}

impl Runs {
    /// Only who waits for a run, or watches it, has its segments evaluated here.
    pub(crate) fn labour(&self) -> Labour {
        let waits = match self {
            Self::Submit(submit) => submit.waiting.wait,
            Self::Retry(retry) => retry.waiting.wait,
            Self::Show(show) => show.waiting.wait,
            Self::Stream(_) => true,
            Self::Preview(_)
            | Self::List(_)
            | Self::Segments(_)
            | Self::Deltas(_)
            | Self::Diff(_)
            | Self::Cancel(_)
            | Self::Trends
            | Self::Alerts
            | Self::Events(_)
            | Self::Export(_)
            | Self::Evidence(_)
            | Self::Escalate(_) => false,
        };
        if waits { Labour::Working } else { Labour::Resting }
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let runs = door.client.runs();
        match self {
            Self::Preview(preview) => {
                let answer = runs.preview(&preview.wish()?).await?;
                if preview.json { output.json(&answer) } else { output.show(&answer, of_preview) }
            }
            Self::Submit(submit) => {
                let policy = match &submit.policy {
                    Some(text) => Some(policy::named(door, text).await?),
                    None => None,
                };
                let run = runs.start(&submit.wish(policy)?, &submit.why.write()).await?;
                submit.waiting.ended(door, output, run).await
            }
            Self::List(list) => {
                let filter = list.filter.read();
                let page = list.paging.read(async |page| runs.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Show(show) => {
                let run = runs.get(show.which.id()?).await?;
                if show.waiting.wait {
                    show.waiting.ended(door, output, run).await
                } else {
                    output.show(&run, of_one)
                }
            }
            Self::Segments(asked) => {
                let id = asked.which.id()?;
                let page = asked.paging.read(async |page| runs.segments(id, &page).await).await?;
                output.page(&page, of_segments)
            }
            Self::Deltas(asked) => {
                let id = asked.which.id()?;
                let page = asked.paging.read(async |page| runs.deltas(id, &page).await).await?;
                output.page(&page, of_deltas)
            }
            Self::Cancel(cancel) => {
                let write = cancel.why.write();
                if let Some(id) = cancel.many.one() {
                    return output.show(&runs.cancel(id, &write).await?, of_one);
                }
                each(&cancel.many, output, async |id| runs.cancel(id, &write).await).await.map(|_| ())
            }
            Self::Retry(retry) => {
                let (write, wish) = (retry.why.write(), RetryRun { only_failed: retry.only_failed });
                if let (Some(segment), Some(id)) = (&retry.segment, retry.many.one()) {
                    runs.retry_segment(segment, &write).await?;
                    return retry.waiting.ended(door, output, runs.get(id).await?).await;
                }
                if retry.segment.is_some() {
                    return Err(Failure::Usage("A segment is of one run: name that one.".to_owned()));
                }
                if let Some(id) = retry.many.one() {
                    return retry.waiting.ended(door, output, runs.retry(id, &wish, &write).await?).await;
                }
                for run in each(&retry.many, output, async |id| runs.retry(id, &wish, &write).await).await? {
                    if retry.waiting.wait {
                        retry.waiting.ended(door, output, run).await?;
                    }
                }
                door.explain_pending();
                Ok(())
            }
            Self::Diff(diff) => diff.obey(door, output).await,
            Self::Trends => runs_board::trends(door, output).await,
            Self::Alerts => runs_board::alerts(door, output).await,
            Self::Events(paging) => runs_board::events(paging, door, output).await,
            Self::Export(export) => export.obey(door, output).await,
            Self::Evidence(evidence) => evidence.obey(door, output).await,
            Self::Escalate(escalate) => escalate.obey(door, output).await,
            Self::Stream(stream) => stream.obey(door, output).await,
        }
    }
}

/// Does the same to each run, says how it went with each, and fails when it failed with any: one that is refused does
/// not keep the others from it.
async fn each(
    many: &Many,
    output: &Output,
    act: impl AsyncFn(&RunId) -> Result<Run, stella_sdk::Error>,
) -> Result<Vec<Run>, Failure> {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for id in many.ids() {
        match act(id).await {
            Ok(run) => {
                output.each(&run, |run| format!("{id} {} {}", run.state, run.run_id))?;
                done.push(run);
            }
            Err(error) => {
                eprintln!("{id}: {error}");
                refused.push(error);
            }
        }
    }
    let count = refused.len();
    match refused.pop().map(Failure::from) {
        None => Ok(done),
        Some(last) => Err(Failure::Ended {
            what: format!("{count} of {} runs were refused, {} were done.", many.ids().count(), done.len()),
            next: None,
            exit: last.exit(),
        }),
    }
}

impl Waiting {
    pub(crate) async fn ended(self, door: &Door, output: &Output, run: Run) -> Result<(), Failure> {
        if !self.wait {
            output.show(&run, of_one)?;
            door.explain_pending();
            return Ok(());
        }
        let run = self.for_run(&door.client, &run.run_id).await?;
        output.show(&run, of_one)?;
        demand_completion(&run)
    }
}

impl PreviewOf {
    fn wish(&self) -> Result<PreviewRequest, Failure> {
        let keys = match &self.file {
            Some(file) => read_json(file)?,
            None => PreviewRequest {
                purls: self.purl.clone(),
                vuln_ids: self.vuln.clone(),
                ..PreviewRequest::default()
            },
        };
        Ok(PreviewRequest { scope: self.scope.read()?.or(keys.scope), mode: self.mode.or(keys.mode), ..keys })
    }
}

impl Submit {
    fn wish(&self, policy: Option<PolicySnapshotId>) -> Result<StartRun, Failure> {
        let scope = match (self.purl.is_empty() && self.vuln.is_empty(), self.scope.read()?) {
            (false, _) => RunScope::Keys { purls: self.purl.clone(), vuln_ids: self.vuln.clone() },
            (true, Some(scope)) => scope,
            (true, None) => RunScope::All,
        };
        Ok(StartRun {
            mode: self.mode,
            scope,
            kev_first: self.kev_first,
            priority: self.priority,
            preview_id: self.preview.clone(),
            allow_stale: self.allow_stale,
            policy_snapshot_id: policy,
            segment_size: self.segment_size,
        })
    }
}

impl Filter {
    pub(crate) fn read(&self) -> RunFilter {
        RunFilter {
            tab: self.tab,
            state: self.state,
            trigger: self.trigger,
            schedule_id: self.schedule.clone(),
            severity: Severities::of(self.severity.iter().copied()),
            error_code: self.error_code,
            since: self.since,
            until: self.until,
            shard: self.shard,
            policy_revision: self.policy_revision,
        }
    }
}

impl Stream {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let id = self.which.id()?;
        let mut messages = door.client.runs().stream(id.clone(), self.after);
        while let Some(message) = messages.try_next().await? {
            output.ndjson(&message)?;
        }
        Ok(())
    }
}

pub(crate) fn time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected RFC 3339, as in 2026-11-21T09:00:00Z".to_owned())
}
