//! Blackouts as their operators see them (spec 02 §2.7), and what the scheduler asks of them.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate::times_of;
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, demand_within, note};
use crate::limits::spans::{self, Calendar};
use crate::page;
use stella_contract::blackout::{
    AddBlackout, Blackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind, BlackoutTimes,
};
use stella_contract::ids::{BlackoutId, SourceId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::schedule::FireBlackout;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::blackouts::BlackoutRow;
use stella_ledger::record::Cell;
use stella_ledger::{Tx, blackouts};

/// Targets of one blackout.
const MOST_TARGETS: usize = 100;
/// The longest name of one.
const LONGEST_KEY: usize = 253;
/// The longest time of draining: a day.
const LONGEST_DRAIN_S: i64 = 24 * 3_600;

/// The blackouts.
#[derive(Clone)]
pub struct Blackouts {
    engine: Engine,
}

impl Engine {
    /// The blackouts.
    pub fn blackouts(&self) -> Blackouts {
        Blackouts { engine: self.clone() }
    }
}

impl Blackouts {
    /// The blackouts, newest first.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Blackout>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, "blackouts");
        let before: Option<(i64, String)> = page::after(&key, query)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let rows = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move { Ok::<_, Error>(blackouts::of_tenant(tx, tenant.as_str()).await?) })
            })
            .await?;
        let total = u64::try_from(rows.len()).ok();
        let size = usize::try_from(query.size()).unwrap_or(usize::MAX);
        let items: Vec<Blackout> = rows
            .into_iter()
            .filter(|row| {
                let place = (row.created_at, row.blackout_id.as_str());
                before.as_ref().is_none_or(|(at, id)| place < (*at, id.as_str()))
            })
            .take(size.saturating_add(1))
            .map(|row| view(row, now))
            .collect::<Result<_, _>>()?;
        page::of(&key, query, items, total, |blackout| {
            (blackout.created_at.0, blackout.blackout_id.as_str().to_owned())
        })
    }

    /// Makes a blackout.
    pub async fn add(&self, caller: &Caller, wish: AddBlackout) -> Result<Blackout, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller) = (self.engine.clone(), caller.clone());
        let row = row_of(&engine, &caller, wish)?;
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    blackouts::insert(tx, &row).await?;
                    engine.limits_changed();
                    let made = view(row, now)?;
                    tell(tx, &caller, "orch.blackout.created", (None, Some(&made)), now).await?;
                    Ok(made)
                })
            })
            .await
    }

    /// Ends a blackout and takes it away; the answer is what it was.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: &BlackoutId,
        expected: Option<i64>,
    ) -> Result<Blackout, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller, id) = (self.engine.clone(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let rows = blackouts::of_tenant(tx, caller.tenant.as_str()).await?;
                    let found = rows.into_iter().find(|row| row.blackout_id == id.as_str());
                    let row = found.ok_or_else(|| Error::not_found("blackout", &id))?;
                    demand_version(expected, row.version)?;
                    blackouts::delete(tx, id.as_str()).await?;
                    let before = view(row, now)?;
                    tell(tx, &caller, "orch.blackout.deleted", (Some(&before), None), now).await?;
                    Ok(before)
                })
            })
            .await
    }
}

/// What a blackout says of the fires of a schedule at this time: nothing, that they wait until then, or that they are
/// left out. One that leaves out wins over one that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FireHeld {
    /// It may fire.
    Free,
    /// It waits until then.
    Until(Micros),
    /// It is left out; write down `scheduler.schedule.skipped`.
    Skipped,
}

/// The blackouts that fires have to mind, read once for many schedules; for the scheduler.
#[derive(Debug, Clone, Default)]
pub struct FireHolds {
    holds: Vec<Hold>,
}

/// One blackout that is about schedules.
#[derive(Debug, Clone)]
struct Hold {
    blackout_id: String,
    tenant: String,
    /// Every schedule of the tenant when nothing is named.
    schedules: Vec<String>,
    calendar: Calendar,
    drain_before_s: i64,
    action: BlackoutAction,
    ticket: Option<String>,
}

impl Hold {
    fn is_about(&self, tenant: &Tenant, schedule_id: &str) -> bool {
        self.tenant == tenant.as_str()
            && (self.schedules.is_empty() || self.schedules.iter().any(|id| id == schedule_id))
    }
}

impl FireHolds {
    /// Reads them.
    pub async fn read(tx: &mut Tx) -> Result<Self, Error> {
        let mut holds = Vec::new();
        for row in blackouts::not_over(tx).await? {
            let cell = Cell { table: "blackouts", id: &row.blackout_id };
            let targets: Vec<BlackoutTarget> = cell.json("targets", &row.targets)?;
            let is_of_all = targets.iter().any(|target| target.kind == BlackoutTargetKind::Tenant);
            let named = targets.into_iter().filter(|target| target.kind == BlackoutTargetKind::Schedule);
            let schedules: Vec<String> = named.map(|target| target.key).collect();
            if !is_of_all && schedules.is_empty() {
                continue;
            }
            holds.push(Hold {
                action: cell.word("action", row.action.clone())?,
                calendar: Calendar::of(times_of(&row)),
                drain_before_s: row.drain_before_s,
                schedules: if is_of_all { Vec::new() } else { schedules },
                ticket: row.ticket.clone(),
                tenant: row.tenant,
                blackout_id: row.blackout_id,
            });
        }
        Ok(Self { holds })
    }

    /// What they say of the fires of a schedule at this time.
    pub fn of(&self, tenant: &Tenant, schedule_id: &str, at: Micros) -> FireHeld {
        let mut dark = Vec::new();
        for hold in self.holds.iter().filter(|hold| hold.is_about(tenant, schedule_id)) {
            let coming = hold.calendar.coming(hold.drain_before_s, at);
            if spans::dark_until(coming.clone(), at).is_some() {
                if hold.action == BlackoutAction::Skip {
                    return FireHeld::Skipped;
                }
                dark.extend(coming);
            }
        }
        spans::dark_until(dark, at).map_or(FireHeld::Free, FireHeld::Until)
    }

    /// The span that is on at this time or comes next, of the blackout in which that is; `None` when none comes before
    /// `until`.
    pub(crate) fn next(
        &self,
        tenant: &Tenant,
        schedule_id: &str,
        (at, until): (Micros, Micros),
    ) -> Option<FireBlackout> {
        let about = self.holds.iter().filter(|hold| hold.is_about(tenant, schedule_id));
        let first = about.filter_map(|hold| {
            let span = *hold.calendar.coming(hold.drain_before_s, at).first()?;
            Some((span, hold))
        });
        let (span, hold) = first.filter(|(span, _)| span.from < until).min_by_key(|(span, _)| span.from)?;
        Some(FireBlackout {
            blackout_id: hold.blackout_id.parse().ok()?,
            action: hold.action,
            from: span.from,
            until: span.until,
            ticket: hold.ticket.clone(),
            fires: 0,
        })
    }

    /// When the darkness at this time ends, whatever its kind.
    pub(crate) fn dark_until(&self, tenant: &Tenant, schedule_id: &str, at: Micros) -> Option<Micros> {
        let about = self.holds.iter().filter(|hold| hold.is_about(tenant, schedule_id));
        let spans = about.flat_map(|hold| hold.calendar.coming(hold.drain_before_s, at)).collect();
        spans::dark_until(spans, at)
    }
}

async fn tell(
    tx: &mut Tx,
    caller: &Caller,
    kind: &'static str,
    (before, after): (Option<&Blackout>, Option<&Blackout>),
    now: Micros,
) -> Result<(), Error> {
    let id = after.or(before).map_or("", |blackout| blackout.blackout_id.as_str());
    let mut journal = Journal::default();
    note(&mut journal, caller, &Change { entity: "blackout", kind, id, before, after }, now)?;
    journal.leave(tx);
    Ok(())
}

fn row_of(engine: &Engine, caller: &Caller, wish: AddBlackout) -> Result<BlackoutRow, Error> {
    let now = engine.now();
    check_targets(&wish.targets)?;
    let times = BlackoutTimes {
        start: wish.start,
        end: wish.end,
        cron: wish.cron,
        duration_s: wish.duration_s,
        time_zone: wish.time_zone,
    };
    spans::check(&times, now)?;
    let drain_before_s = wish.drain_before_s.unwrap_or(0);
    demand_within("drainBeforeS", drain_before_s, 0..=LONGEST_DRAIN_S)?;
    Ok(BlackoutRow {
        blackout_id: BlackoutId::from_uuid(&engine.uuid(now)).as_str().to_owned(),
        tenant: caller.tenant.as_str().to_owned(),
        targets: serde_json::to_string(&wish.targets).map_err(Error::internal)?,
        starts_at: times.start.map(|at| at.0),
        ends_at: times.end.map(|at| at.0),
        cron: times.cron,
        duration_s: times.duration_s,
        time_zone: times.time_zone,
        action: wish.action.unwrap_or(BlackoutAction::Hold).as_str().to_owned(),
        drain_before_s,
        reason: caller.cause.reason.clone().unwrap_or_default(),
        ticket: caller.cause.ticket.clone(),
        created_by: caller.subject.clone(),
        created_at: now.0,
        over_at: None,
        version: 1,
    })
}

fn check_targets(targets: &[BlackoutTarget]) -> Result<(), Error> {
    if targets.is_empty() || targets.len() > MOST_TARGETS {
        return Err(Error::invalid("targets", format!("has 1 to {MOST_TARGETS} of them")));
    }
    for (at, target) in targets.iter().enumerate() {
        let field = format!("targets[{at}].key");
        if target.key.len() > LONGEST_KEY || target.key.chars().any(char::is_control) {
            return Err(Error::invalid(&field, format!("has at most {LONGEST_KEY} characters")));
        }
        match target.kind {
            BlackoutTargetKind::Tenant if target.key.is_empty() => {}
            BlackoutTargetKind::Tenant => {
                return Err(Error::invalid(&field, "is left out: the tenant is the caller's"));
            }
            BlackoutTargetKind::JobType => {
                crate::intake::checked_job_type(&field, &target.key)?;
            }
            BlackoutTargetKind::Source if target.key.parse::<SourceId>().is_err() => {
                return Err(Error::invalid(&field, "is the id of a source"));
            }
            BlackoutTargetKind::Source => {}
            BlackoutTargetKind::Host | BlackoutTargetKind::Schedule if target.key.is_empty() => {
                return Err(Error::invalid(&field, "names what the blackout is about"));
            }
            BlackoutTargetKind::Host | BlackoutTargetKind::Schedule => {}
        }
    }
    Ok(())
}

fn view(row: BlackoutRow, now: Micros) -> Result<Blackout, Error> {
    let id = row.blackout_id.clone();
    let cell = Cell { table: "blackouts", id: &id };
    let times = times_of(&row);
    let span = spans::coming(&times, row.drain_before_s, now).into_iter().next();
    Ok(Blackout {
        blackout_id: cell.word("blackout_id", row.blackout_id)?,
        tenant: cell.word("tenant", row.tenant)?,
        targets: cell.json("targets", &row.targets)?,
        times,
        action: cell.word("action", row.action)?,
        drain_before_s: row.drain_before_s,
        reason: row.reason,
        ticket: row.ticket,
        created_by: row.created_by,
        created_at: Micros(row.created_at),
        active: span.is_some_and(|span| span.from <= now),
        span,
        version: row.version,
    })
}
