//! A finished run once more: a new run over the same scope, or over what was not evaluated of it. The old one is left
//! as it is.

use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::features;
use crate::runs::identity::{self, Likeness, Repeat};
use crate::runs::{Runs, find, start};
use stella_contract::error::Code;
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_contract::run::{ONLY_FAILED_HOURS, RetryRun, Run, StartRun, retry_refusal};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::runs::{NewRun, RunRow};
use stella_ledger::{Tx, segments};

impl Runs {
    /// Starts a run that repeats a finished one. Asked twice in one second, it is the same run.
    pub async fn retry(&self, caller: &Caller, run_id: &RunId, how: RetryRun) -> Result<Run, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let now = self.engine.now();
        let (caller, run_id) = (caller.clone(), run_id.clone());
        let asked = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::Retry).await?;
                let before = find(tx, &caller.tenant, &run_id).await?;
                if let Some(why) = retry_refusal(before.state) {
                    let sentence = format!("{why}; `{run_id}` is {}. Cancel it or wait.", before.state);
                    return Err(Error::new(Code::RunNotTerminal, sentence));
                }
                if how.only_failed {
                    demand_failures(tx, &before, now).await?;
                }
                let new = again(&before, &caller, how, now)?;
                let by = By { actor: caller.actor(), cause: caller.cause.clone() };
                start::ask(tx, new, &by, now).await
            })
        });
        Ok(asked.await?.run)
    }
}

/// The failed targets alone are retried soon or not at all: later the others are old as well.
async fn demand_failures(tx: &mut Tx, before: &RunRow, now: Micros) -> Result<(), Error> {
    let latest = before.finished_at.map(|at| at.plus_ms(ONLY_FAILED_HOURS * 3_600_000));
    if latest.is_none_or(|latest| latest < now) {
        let sentence =
            format!("`{}` ended more than {ONLY_FAILED_HOURS} hours ago. Retry all of it.", before.run_id);
        return Err(Error::new(Code::InvalidTransition, sentence));
    }
    if segments::missed_targets(tx, before.run_key).await?.is_empty() {
        let sentence =
            format!("Every target of `{}` was evaluated. Retry all of it, or leave it.", before.run_id);
        return Err(Error::new(Code::InvalidTransition, sentence));
    }
    Ok(())
}

/// The wish of the run before, asked by this caller.
fn again(before: &RunRow, caller: &Caller, how: RetryRun, now: Micros) -> Result<NewRun, Error> {
    let wish = &before.wish;
    let retry_number = wish.retry_number + 1;
    let likeness = Likeness {
        tenant: &wish.tenant,
        trigger: wish.trigger,
        key: wish.idempotency_key.as_deref(),
        mode: wish.mode,
        scope_digest: &wish.scope_digest,
        policy_snapshot_id: wish.policy_snapshot_id.as_ref(),
        retry_number,
    };
    let said = StartRun {
        mode: wish.mode,
        scope: wish.scope.clone(),
        kev_first: wish.kev_first,
        priority: i32::try_from(wish.priority).ok(),
        preview_id: None,
        allow_stale: wish.allow_stale,
        policy_snapshot_id: wish.policy_snapshot_id.clone(),
        segment_size: u32::try_from(wish.segment_size).ok(),
    };
    let repeat = Repeat { of: &before.run_id, how };
    Ok(NewRun {
        run_id: identity::run_id(&likeness, now).map_err(Error::internal)?,
        initiator: caller.subject.clone(),
        reason: caller.cause.reason.clone(),
        ticket: caller.cause.ticket.clone(),
        request_digest: identity::request_digest(&said, Some(repeat)).map_err(Error::internal)?,
        idempotency_key: None,
        preview_id: None,
        retry_of: Some(before.run_id.as_str().to_owned()),
        only_failed: how.only_failed,
        retry_number,
        created_at: now,
        ..wish.clone()
    })
}
