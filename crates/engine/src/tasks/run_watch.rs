//! The run watch: ends runs that ran over a limit, settles what is settled, drops messages nobody can ask for any more.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::runs::messages::KEPT_MS;
use crate::runs::settle::{Verdict, overdue, verdict};
use crate::runs::{cancel, mirror, steps};
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use std::collections::HashMap;
use stella_contract::run::{RunErrorCode, RunState, SegmentCounts};
use stella_contract::time::Micros;
use stella_ledger::runs::{self, RunRow};
use stella_ledger::{LedgerError, Tx, run_messages};

/// How often it looks.
const EVERY_MS: i64 = 30_000;
/// Open runs looked at in one activation.
const MOST_RUNS: i64 = 1_000;
/// Messages dropped in one activation.
const MOST_MESSAGES: i64 = 10_000;
/// The states that can run over a limit.
const OPEN: [RunState; 3] = [RunState::Planning, RunState::Queued, RunState::Running];

/// Watches over runs.
#[derive(Debug, Default)]
pub(super) struct RunWatch;

#[async_trait]
impl Task for RunWatch {
    fn name(&self) -> &'static str {
        "run-watch"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let seen = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| Box::pin(async move { look(tx, now).await }))
            .await?;
        let mut did = 0;
        for run_key in seen.to_end {
            did += usize::from(look_after(engine, run_key, now).await?);
        }
        if seen.has_old_messages {
            let before = now.minus_ms(KEPT_MS);
            let write = engine.ledger().write::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { run_messages::trim(tx, before, MOST_MESSAGES).await })
            });
            did += usize::try_from(write.await?).unwrap_or(usize::MAX);
        }
        Ok(Activity { did, next_at: Some(now.plus_ms(EVERY_MS)) })
    }
}

/// What there is to do.
struct Seen {
    to_end: Vec<i64>,
    has_old_messages: bool,
}

async fn look(tx: &mut Tx, now: Micros) -> Result<Seen, LedgerError> {
    let open = runs::open(tx, &OPEN, MOST_RUNS).await?;
    let keys: Vec<i64> = open.iter().map(|run| run.run_key).collect();
    let counts: HashMap<i64, SegmentCounts> = match keys.is_empty() {
        true => HashMap::new(),
        false => runs::segment_counts(tx, &keys).await?.into_iter().collect(),
    };
    let is_settled = |run: &RunRow| {
        let counts = counts.get(&run.run_key);
        run.state != RunState::Planning && counts.is_some_and(|counts| verdict(counts) != Verdict::Open)
    };
    let to_end = open.iter().filter(|run| limit_of(run, now).is_some() || is_settled(run));
    let oldest = run_messages::oldest_at(tx).await?;
    Ok(Seen {
        to_end: to_end.map(|run| run.run_key).collect(),
        has_old_messages: oldest.is_some_and(|at| at < now.minus_ms(KEPT_MS)),
    })
}

/// Ends the run if it is to end; whether it did.
async fn look_after(engine: &Engine, run_key: i64, now: Micros) -> Result<bool, Error> {
    let write = engine.ledger().write(move |tx| {
        Box::pin(async move {
            let Some(mut run) = runs::by_key(tx, run_key).await? else { return Ok(false) };
            if run.state.is_final() {
                return Ok(false);
            }
            let by = By::itself("run-watch");
            let mut journal = Journal::default();
            let ended = match limit_of(&run, now) {
                Some(code) => {
                    steps::fail(tx, &mut run, (code, None), &by, now, &mut journal).await?;
                    cancel::close(tx, &run, &by, now, &mut journal).await?;
                    true
                }
                None => mirror::settle(tx, &mut run, &by, now, &mut journal).await?,
            };
            if ended {
                journal.leave(tx);
            }
            Ok(ended)
        })
    });
    write.await
}

fn limit_of(run: &RunRow, now: Micros) -> Option<RunErrorCode> {
    let wish = &run.wish;
    overdue(run.state, wish.mode, wish.created_at, run.planned_at, run.started_at, now)
}
