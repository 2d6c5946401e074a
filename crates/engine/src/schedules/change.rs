//! What operators do to schedules.

use super::{Schedules, find, view, wish};
use crate::caller::Caller;
use crate::cron::Cron;
use crate::error::Error;
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, note};
use crate::schedules::verdict::Spread;
use stella_contract::error::Code;
use stella_contract::ids::ScheduleId;
use stella_contract::schedule::{
    CATCHUP_WINDOW_S, ChangeSchedule, JITTER_S, MAX_TARGETS, MakeSchedule, OverlapPolicy, PauseSchedule,
    Schedule, ScheduleEvent, ScheduleFilter, ScheduleState, next, refusal,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::schedules::{self, Pause, ScheduleRow};

/// The most schedules of one tenant.
const MOST: i64 = 20_000;

impl Schedules {
    /// Makes a schedule; it fires for the first time after now.
    pub async fn make(&self, caller: &Caller, wish: MakeSchedule) -> Result<Schedule, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let now = self.engine.now();
        let id = ScheduleId::from_uuid(&self.engine.uuid(now));
        let mut row = row_of(id, caller, wish, now);
        let cron = wish::check(&mut row)?;
        plan(&mut row, &cron, now);
        let (caller, name) = (caller.clone(), row.name.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                if schedules::count(tx, &row.tenant, &ScheduleFilter::default()).await? >= MOST {
                    let sentence =
                        format!("There are {MOST} schedules, which is the most. Delete one first.");
                    return Err(Error::new(Code::Conflict, sentence));
                }
                schedules::insert(tx, &row).await?;
                let made = view::one(tx, row, now).await?;
                tell(tx, &caller, "scheduler.schedule.created", (None, Some(&made)), now)?;
                Ok(made)
            })
        });
        write.await.map_err(|error: Error| name_is_taken(error, &name))
    }

    /// Changes a schedule, if it still has this version. A change of its time plans the next fire anew.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        wish: ChangeSchedule,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let name = wish.name.clone().unwrap_or_default();
        let changed = self.alter(caller, id, version, "scheduler.schedule.updated", move |row, now| {
            let before = (row.cron.clone(), row.time_zone.clone(), row.jitter_s);
            apply(row, wish);
            let cron = wish::check(row)?;
            if before != (row.cron.clone(), row.time_zone.clone(), row.jitter_s) {
                plan(row, &cron, now);
            }
            if row.overlap_policy != OverlapPolicy::BufferOne {
                row.buffered_at = None;
            }
            Ok(())
        });
        changed.await.map_err(|error| name_is_taken(error, &name))
    }

    /// Pauses a schedule, for good or until a time. Its fires are dropped; a run of it that is open goes on.
    pub async fn pause(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        wish: PauseSchedule,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let (by, cause) = (caller.subject.clone(), caller.cause.clone());
        let paused = self.alter(caller, id, version, "scheduler.schedule.paused", move |row, now| {
            wish::check_resume(wish.resume_at, now)?;
            step(row, ScheduleEvent::Pause)?;
            row.pause = Some(Pause {
                reason: cause.reason,
                ticket: cause.ticket,
                by,
                at: now,
                resume_at: wish.resume_at,
            });
            row.acts_at = wish.resume_at;
            Ok(())
        });
        paused.await
    }

    /// Lets a paused schedule fire again; what was due meanwhile is not made up for.
    pub async fn resume(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let resumed = self.alter(caller, id, version, "scheduler.schedule.resumed", |row, now| {
            step(row, ScheduleEvent::Resume)?;
            plan(row, &super::cron_of(row)?, now);
            Ok(())
        });
        resumed.await
    }

    /// Switches a schedule on; it fires for the first time after now.
    pub async fn enable(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let enabled = self.alter(caller, id, version, "scheduler.schedule.enabled", |row, now| {
            step(row, ScheduleEvent::Enable)?;
            plan(row, &super::cron_of(row)?, now);
            Ok(())
        });
        enabled.await
    }

    /// Switches a schedule off; a run of it that is open goes on.
    pub async fn disable(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let disabled = self.alter(caller, id, version, "scheduler.schedule.disabled", |row, _| {
            step(row, ScheduleEvent::Disable)
        });
        disabled.await
    }

    /// Takes a schedule away, if it still has this version; its runs stay. The answer is what it was.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        version: Option<i64>,
    ) -> Result<Schedule, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let now = self.engine.now();
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let row = find(tx, &caller.tenant, &id).await?;
                demand_version(version, row.version)?;
                let before = view::one(tx, row, now).await?;
                schedules::delete(tx, &caller.tenant, &id).await?;
                tell(tx, &caller, "scheduler.schedule.deleted", (Some(&before), None), now)?;
                Ok(before)
            })
        });
        write.await
    }

    /// Changes the row in one transaction, and writes down what was before and after.
    async fn alter(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        version: Option<i64>,
        kind: &'static str,
        change: impl FnOnce(&mut ScheduleRow, Micros) -> Result<(), Error> + Send + 'static,
    ) -> Result<Schedule, Error> {
        let now = self.engine.now();
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let mut row = find(tx, &caller.tenant, &id).await?;
                demand_version(version, row.version)?;
                let before = view::one(tx, row.clone(), now).await?;
                change(&mut row, now)?;
                row.updated_at = now;
                store(tx, &mut row).await?;
                let after = view::one(tx, row, now).await?;
                tell(tx, &caller, kind, (Some(&before), Some(&after)), now)?;
                Ok(after)
            })
        });
        write.await
    }
}

fn row_of(schedule_id: ScheduleId, caller: &Caller, wish: MakeSchedule, now: Micros) -> ScheduleRow {
    let state = match wish.enabled.unwrap_or(true) {
        true => ScheduleState::Enabled,
        false => ScheduleState::Disabled,
    };
    ScheduleRow {
        schedule_id,
        tenant: caller.tenant.clone(),
        name: wish.name.trim().to_owned(),
        state,
        pause: None,
        cron: wish.cron,
        time_zone: wish.timezone.unwrap_or_else(|| "UTC".to_owned()),
        jitter_s: wish.jitter_s.unwrap_or(JITTER_S),
        overlap_policy: wish.overlap_policy.unwrap_or(OverlapPolicy::Skip),
        catchup_window_s: wish.catchup_window_s.unwrap_or(CATCHUP_WINDOW_S),
        mode: wish.mode,
        scope: wish.scope,
        policy_snapshot_id: wish.policy_snapshot_id,
        kev_first: wish.kev_first,
        max_targets: wish.max_targets.unwrap_or(MAX_TARGETS),
        limits: wish.limits.unwrap_or_default(),
        notify: wish.notify.unwrap_or_default(),
        next_fire_at: None,
        acts_at: None,
        buffered_at: None,
        last_fire_at: None,
        last_run_id: None,
        missed_count: 0,
        created_by: caller.subject.clone(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn apply(row: &mut ScheduleRow, wish: ChangeSchedule) {
    if let Some(name) = wish.name {
        name.trim().clone_into(&mut row.name);
    }
    row.cron = wish.cron.unwrap_or_else(|| row.cron.clone());
    row.time_zone = wish.timezone.unwrap_or_else(|| row.time_zone.clone());
    row.jitter_s = wish.jitter_s.unwrap_or(row.jitter_s);
    row.overlap_policy = wish.overlap_policy.unwrap_or(row.overlap_policy);
    row.catchup_window_s = wish.catchup_window_s.unwrap_or(row.catchup_window_s);
    row.mode = wish.mode.unwrap_or(row.mode);
    row.scope = wish.scope.unwrap_or_else(|| row.scope.clone());
    if let Some(policy) = wish.policy_snapshot_id {
        row.policy_snapshot_id = (!policy.is_empty()).then_some(policy);
    }
    row.kev_first = wish.kev_first.unwrap_or(row.kev_first);
    row.max_targets = wish.max_targets.unwrap_or(row.max_targets);
    row.limits = wish.limits.unwrap_or(row.limits);
    row.notify = wish.notify.unwrap_or(row.notify);
}

/// Takes the schedule along this arrow. Only one that is at work has a next fire.
pub(super) fn step(row: &mut ScheduleRow, event: ScheduleEvent) -> Result<(), Error> {
    row.state = next(row.state, event).map_err(|_| {
        let why = refusal(row.state, event).unwrap_or("The schedule is in another state");
        Error::new(Code::InvalidTransition, format!("{why}: `{}` is {}.", row.name, row.state))
    })?;
    row.pause = None;
    row.next_fire_at = None;
    row.acts_at = None;
    row.buffered_at = None;
    Ok(())
}

/// Plans the first fire after now of a schedule that is at work.
pub(super) fn plan(row: &mut ScheduleRow, cron: &Cron, now: Micros) {
    match row.state {
        ScheduleState::Enabled => {
            row.next_fire_at = cron.next(now);
            row.acts_at = row.next_fire_at.map(|due| due.plus_ms(Spread::of(row, cron, due).jitter_ms));
        }
        ScheduleState::Paused | ScheduleState::Disabled => {}
    }
}

/// Writes the row, which was read in the same transaction.
pub(super) async fn store(tx: &mut Tx, row: &mut ScheduleRow) -> Result<(), Error> {
    if !schedules::update(tx, row).await? {
        return Err(Error::internal(format!("schedule {} changed under its own lock", row.schedule_id)));
    }
    row.version += 1;
    Ok(())
}

fn tell(
    tx: &mut Tx,
    caller: &Caller,
    kind: &'static str,
    (before, after): (Option<&Schedule>, Option<&Schedule>),
    now: Micros,
) -> Result<(), Error> {
    let id = after.or(before).map_or("", |schedule| schedule.schedule_id.as_str());
    let mut journal = Journal::default();
    note(&mut journal, caller, &Change { entity: "schedule", kind, id, before, after }, now)?;
    journal.leave(tx);
    // Whoever fires looks at when it is to look next.
    tx.note_work();
    Ok(())
}

fn name_is_taken(error: Error, name: &str) -> Error {
    if error.code == Code::Conflict && error.private.is_some() {
        return Error::new(Code::Conflict, format!("The name `{name}` is taken. Choose another."));
    }
    error
}
