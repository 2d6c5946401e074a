//! An operator ends a run.

use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::jobs;
use crate::journal::Journal;
use crate::runs::{Runs, find, steps, view};
use stella_contract::error::Code;
use stella_contract::ids::RunId;
use stella_contract::run::{Run, RunEvent, RunState, cancel_refusal};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::runs::RunRow;
use stella_ledger::{Tx, segments};

impl Runs {
    /// Cancels a run and the jobs of its open segments; a worker in the middle of one is told with its next heartbeat.
    /// Cancelling a cancelled run changes nothing.
    pub async fn cancel(&self, caller: &Caller, run_id: &RunId) -> Result<Run, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let now = self.engine.now();
        let (tenant, run_id) = (caller.tenant.clone(), run_id.clone());
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let mut run = find(tx, &tenant, &run_id).await?;
                if run.state == RunState::Cancelled {
                    return view::read(tx, &run, now).await;
                }
                if let Some(why) = cancel_refusal(run.state) {
                    let sentence = format!("{why}: `{run_id}` is {}.", run.state);
                    return Err(Error::new(Code::InvalidTransition, sentence));
                }
                let mut journal = Journal::default();
                // The run first, so that its segments do not settle it another way.
                steps::step(tx, &mut run, RunEvent::Cancel, &by, now, &mut journal).await?;
                close(tx, &run, &by, now, &mut journal).await?;
                let view = view::read(tx, &run, now).await?;
                journal.leave(tx);
                Ok(view)
            })
        });
        write.await
    }
}

/// Cancels the jobs of a run's open segments.
pub(crate) async fn close(
    tx: &mut Tx,
    run: &RunRow,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let keys = segments::open_jobs(tx, run.run_key).await?;
    let open = stella_ledger::jobs::get_many(tx, &keys).await?;
    if !open.is_empty() {
        jobs::cancel_many(tx, open, by, now, journal).await?;
    }
    Ok(())
}
