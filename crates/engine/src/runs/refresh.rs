//! The first half of a content refresh: every SBOM source is read anew before targets are looked for.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::ingest::IngestOrder;
use crate::jobs::{self, JobWish, Payload};
use crate::journal::Journal;
use crate::runs::messages::{log, tell};
use crate::runs::plan::PLANNER;
use stella_contract::event::LogSeverity;
use stella_contract::filter::JobMatch;
use stella_contract::filter_value::Pattern;
use stella_contract::ids::SourceId;
use stella_contract::job::{Job, JobState};
use stella_contract::source::{SourceFilter, SourceType};
use stella_contract::time::Micros;
use stella_ledger::runs::RunRow;
use stella_ledger::sources::{self, SourceRow};
use stella_ledger::{LedgerError, Tx, listing};

/// More sources than this are not read by one run.
const MOST_SOURCES: i64 = 1_000;

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Jobs were made just now.
    Begun,
    /// Some of them are open.
    Underway,
    /// There is nothing more to wait for.
    Done,
}

/// Begins the reading, or says how far it is. A source that could not be read is told; what is known of its targets
/// from before is evaluated.
pub(crate) async fn read_anew(
    tx: &mut Tx,
    engine: &Engine,
    run: &mut RunRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<Reading, Error> {
    let wanted = JobMatch {
        runs: vec![run.run_id.clone()],
        types: vec![Pattern::Exactly(SourceType::Sbom.job_type().to_owned())],
        ..JobMatch::default()
    };
    let jobs = listing::newest(tx, &run.wish.tenant, &wanted.into(), MOST_SOURCES).await?;
    let jobs: Vec<Job> = jobs.into_iter().map(jobs::view).collect();
    if jobs.is_empty() {
        return begin(tx, engine, run, now, journal).await;
    }
    if jobs.iter().any(|job| !job.state.is_final()) {
        return Ok(Reading::Underway);
    }
    let failed = jobs.iter().filter(|job| job.state != JobState::Succeeded);
    let lines = failed.map(|job| {
        let why = job.error_message.as_deref().unwrap_or("it was cancelled");
        log(
            run,
            LogSeverity::Warn,
            format!("A source could not be read anew, its known SBOMs are used: {why}"),
        )
    });
    let lines = lines.collect();
    tell(tx, run, lines, now).await?;
    Ok(Reading::Done)
}

async fn begin(
    tx: &mut Tx,
    engine: &Engine,
    run: &mut RunRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<Reading, Error> {
    let every = SourceFilter::default();
    let known = sources::list(tx, run.wish.tenant.as_str(), &every, None, MOST_SOURCES).await?;
    let wanted = known.iter().filter(|source| is_wanted(source));
    let wishes = wanted.map(|source| wish(run, source, now)).collect::<Result<Vec<_>, Error>>()?;
    if wishes.is_empty() {
        return Ok(Reading::Done);
    }
    let line = log(run, LogSeverity::Info, format!("Reading {} SBOM sources anew.", wishes.len()));
    jobs::insert_many(engine, tx, wishes, &By::itself(PLANNER), now, journal).await?;
    tell(tx, run, vec![line], now).await?;
    Ok(Reading::Begun)
}

/// Whether the source holds SBOMs and may be read.
fn is_wanted(source: &SourceRow) -> bool {
    let holds_sboms = [SourceType::Sbom, SourceType::Registry].map(SourceType::as_str);
    holds_sboms.contains(&source.source_type.as_str()) && crate::sources::refusal(source).is_none()
}

fn wish(run: &RunRow, source: &SourceRow, now: Micros) -> Result<JobWish, Error> {
    let source_id: SourceId = source
        .source_id
        .parse()
        .map_err(|_| LedgerError::corrupt("sources", "source_id", &source.source_id))?;
    let order = IngestOrder::whole(source_id.clone(), false);
    let payload = Payload::of(&serde_json::to_value(&order).map_err(Error::internal)?)?;
    let run_wish = &run.wish;
    Ok(JobWish {
        run_id: Some(run.run_id.clone()),
        source_id: Some(source_id),
        created_by: run_wish.initiator.clone(),
        // The far side asked not to be called before.
        not_before: source.not_before.map(Micros).filter(|at| *at > now),
        ..JobWish::new(
            run_wish.tenant.clone(),
            SourceType::Sbom.job_type(),
            payload,
            &run_wish.correlation_id,
        )
    })
}
