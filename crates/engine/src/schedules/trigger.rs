//! A run of a schedule: by its fires, many at once, or by hand.

use super::{SCHEDULER, Schedules, find, wish};
use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::runs::identity::{self, Likeness};
use crate::runs::{start, wish as run_wish};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::collections::HashSet;
use stella_contract::error::Code;
use stella_contract::ids::{RunId, ScheduleId};
use stella_contract::job::Cause;
use stella_contract::run::{Run, RunTrigger};
use stella_contract::schedule::{OverlapPolicy, TriggerSchedule};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::runs::NewRun;
use stella_ledger::schedules::{self, ScheduleRow};

impl Schedules {
    /// Starts a run of a schedule now, whatever its state. Asked twice in one second, it is the same run.
    pub async fn trigger(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        wish: TriggerSchedule,
    ) -> Result<(Run, bool), Error> {
        caller.demand_write(Scope::RunsManage)?;
        let now = self.engine.now();
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let mut row = find(tx, &caller.tenant, &id).await?;
                let new = by_hand(&row, &caller, now)?;
                if start::same(tx, &new).await?.is_none() {
                    refuse_overlap(tx, &row, &wish).await?;
                }
                let by = By { actor: caller.actor(), cause: caller.cause.clone() };
                let asked = start::ask(tx, new, &by, now).await?;
                if !asked.replayed {
                    row.last_run_id = Some(asked.run.run_id.clone());
                    schedules::advance(tx, std::slice::from_ref(&row)).await?;
                    let mut journal = Journal::default();
                    let data = json!({ "runId": asked.run.run_id });
                    note(&row, ("scheduler.schedule.triggered", data), &by, now, &mut journal);
                    journal.leave(tx);
                }
                Ok((asked.run, asked.replayed))
            })
        });
        write.await
    }
}

/// Two runs of one schedule stand in each other's way, unless the schedule or the operator says that they do not.
async fn refuse_overlap(tx: &mut Tx, row: &ScheduleRow, wish: &TriggerSchedule) -> Result<(), Error> {
    if wish.allow_overlap || row.overlap_policy == OverlapPolicy::Allow {
        return Ok(());
    }
    let open = schedules::open_runs(tx).await?;
    match open.into_iter().find(|(id, _)| id == row.schedule_id.as_str()) {
        Some((_, run_id)) => {
            let sentence = format!(
                "A run of `{}` is open: `{run_id}`. Wait for it, cancel it, or allow both with `allowOverlap`.",
                row.name
            );
            Err(Error::new(Code::Conflict, sentence))
        }
        None => Ok(()),
    }
}

fn by_hand(row: &ScheduleRow, caller: &Caller, now: Micros) -> Result<NewRun, Error> {
    let asker = Asker {
        trigger: RunTrigger::Manual,
        initiator: &caller.subject,
        cause: caller.cause.clone(),
        correlation_id: caller.correlation_id.clone(),
    };
    new_run(row, asker, now, 0)
}

/// One fire that starts a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Firing<'a> {
    pub(super) row: &'a ScheduleRow,
    pub(super) due: Micros,
}

/// Starts the runs of these fires, and says which run each started.
pub(super) async fn start_many(
    tx: &mut Tx,
    firings: &[Firing<'_>],
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<(ScheduleId, Micros, RunId)>, Error> {
    let by = By::itself(SCHEDULER);
    let mut started = Vec::with_capacity(firings.len());
    let mut waiting: Vec<Firing<'_>> = firings.to_vec();
    // Ids hold 32 bits of a digest, so that thousands in one second meet now and then. Those go on to its next bits.
    for place in 0..identity::PLACES {
        let (mut taken, mut next) = (HashSet::new(), Vec::new());
        let (mut wished, mut of_run) = (Vec::new(), HashMap::new());
        for firing in waiting {
            let asker = Asker {
                trigger: RunTrigger::Cron,
                initiator: SCHEDULER,
                cause: Cause::default(),
                correlation_id: format!("{}@{}", firing.row.schedule_id, firing.due.basic()),
            };
            let new = new_run(firing.row, asker, now, place)?;
            if taken.insert(new.run_id.clone()) {
                of_run.insert(new.run_id.clone(), firing);
                wished.push(new);
            } else {
                next.push(firing);
            }
        }
        for run in start::begin_many(tx, wished, &by, now, journal).await? {
            if let Some(firing) = of_run.remove(&run.run_id) {
                started.push((firing.row.schedule_id.clone(), firing.due, run.run_id));
            }
        }
        next.extend(of_run.into_values());
        if next.is_empty() {
            return Ok(started);
        }
        waiting = next;
    }
    Err(Error::internal("every id of a run is taken in this second"))
}

/// Who asks for a run, and why.
struct Asker<'a> {
    trigger: RunTrigger,
    initiator: &'a str,
    cause: Cause,
    correlation_id: String,
}

fn new_run(row: &ScheduleRow, asker: Asker<'_>, now: Micros, place: usize) -> Result<NewRun, Error> {
    let wish = wish::run_of(row);
    let scope_digest = identity::scope_digest(&wish.scope).map_err(Error::internal)?;
    let likeness = Likeness {
        tenant: &row.tenant,
        trigger: asker.trigger,
        key: Some(row.schedule_id.as_str()),
        mode: wish.mode,
        scope_digest: &scope_digest,
        policy_snapshot_id: wish.policy_snapshot_id.as_ref(),
        retry_number: 0,
    };
    Ok(NewRun {
        run_id: identity::run_id_at(&likeness, now, place).map_err(Error::internal)?,
        tenant: row.tenant.clone(),
        trigger: asker.trigger,
        trigger_detail: Some(row.name.clone()),
        schedule_id: Some(row.schedule_id.clone()),
        initiator: asker.initiator.to_owned(),
        reason: asker.cause.reason,
        ticket: asker.cause.ticket,
        mode: wish.mode,
        request_digest: identity::request_digest(&wish, None).map_err(Error::internal)?,
        scope: wish.scope,
        scope_digest,
        policy_snapshot_id: wish.policy_snapshot_id,
        policy_revision: None,
        idempotency_key: None,
        preview_id: None,
        priority: i64::from(run_wish::PRIORITY),
        segment_size: i64::from(run_wish::SEGMENT_SIZE),
        planner_shard_count: run_wish::SHARDS,
        kev_first: wish.kev_first,
        allow_stale: wish.allow_stale,
        retry_of: None,
        only_failed: false,
        retry_number: 0,
        correlation_id: asker.correlation_id,
        created_at: now,
    })
}

/// Writes down what happened to a schedule, and tells it.
pub(super) fn note(
    row: &ScheduleRow,
    (kind, mut data): (&'static str, Value),
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    data["scheduleId"] = json!(row.schedule_id);
    data["name"] = json!(row.name);
    let correlation_id = row.schedule_id.as_str().to_owned();
    journal.enter(
        &row.tenant,
        Draft {
            job_id: None,
            run_id: data["runId"].as_str().and_then(|id| id.parse().ok()),
            entity: "schedule",
            kind: kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: by.actor.clone(),
            cause: by.cause.clone(),
            correlation_id: correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        &row.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "schedule",
            id: row.schedule_id.as_str().to_owned(),
            run_id: None,
            correlation_id,
            at: now,
            data,
        },
    );
}
