//! What operators do to backfills: draft, preview, start, pause, resume, cancel.

use super::plan::{self, Plan};
use super::{Backfills, Hand, facts, found, note, request, state, view};
use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::jobs;
use crate::journal::Journal;
use crate::sources as rules;
use stella_contract::backfill::{
    self, Backfill, BackfillEvent, BackfillPreview, BackfillState, CreateBackfill, StartBackfill, WindowState,
};
use stella_contract::error::Code;
use stella_contract::ids::{BackfillId, JobId};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_ledger::backfills::{self, BackfillRow};
use stella_ledger::{LedgerError, Tx};

impl Backfills {
    /// Drafts a backfill. What could not be started is refused at once, unless it is only to be previewed.
    pub async fn create(&self, caller: &Caller, wish: CreateBackfill) -> Result<Backfill, Error> {
        caller.demand_write(Scope::OrchBackfill)?;
        let (wish, now, writer) = (plan::checked(wish)?, self.engine.now(), caller.clone());
        let row = BackfillRow {
            backfill_id: BackfillId::from_uuid(&self.engine.uuid(now)).as_str().to_owned(),
            tenant: caller.tenant.as_str().to_owned(),
            source_id: wish.source_id.as_str().to_owned(),
            range_start: wish.from.0,
            range_end: wish.to.0,
            request: serde_json::to_string(&wish).map_err(Error::internal)?,
            state: BackfillState::Draft.as_str().to_owned(),
            failure_reason: None,
            preview: None,
            planned: 0,
            done: 0,
            failed: 0,
            active: 0,
            failures_in_a_row: 0,
            next_feed_at: None,
            reason: caller.cause.reason.clone().unwrap_or_default(),
            ticket: caller.cause.ticket.clone().unwrap_or_default(),
            created_by: caller.subject.clone(),
            correlation_id: caller.correlation_id.clone(),
            created_at: now.0,
            started_at: None,
            ended_at: None,
            version: 1,
        };
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { draft(tx, &writer, wish, row, now).await }))
            .await
    }

    /// Says what a backfill would do, and keeps the answer for a start within a quarter of an hour.
    pub async fn preview(&self, caller: &Caller, id: &BackfillId) -> Result<Backfill, Error> {
        self.obey(caller, id, Verb::Preview).await
    }

    /// Starts a backfill on the preview that was looked at, if it still would do the same.
    pub async fn start(
        &self,
        caller: &Caller,
        id: &BackfillId,
        wish: StartBackfill,
    ) -> Result<Backfill, Error> {
        self.obey(caller, id, Verb::Start(wish)).await
    }

    /// Holds a backfill: what is under way ends, nothing new begins.
    pub async fn pause(&self, caller: &Caller, id: &BackfillId) -> Result<Backfill, Error> {
        self.obey(caller, id, Verb::Pause).await
    }

    /// Lets a backfill go on.
    pub async fn resume(&self, caller: &Caller, id: &BackfillId) -> Result<Backfill, Error> {
        self.obey(caller, id, Verb::Resume).await
    }

    /// Stops a backfill, and the jobs it made with it.
    pub async fn cancel(&self, caller: &Caller, id: &BackfillId) -> Result<Backfill, Error> {
        self.obey(caller, id, Verb::Cancel).await
    }

    async fn obey(&self, caller: &Caller, id: &BackfillId, verb: Verb) -> Result<Backfill, Error> {
        caller.demand_write(Scope::OrchBackfill)?;
        let (now, writer, id) = (self.engine.now(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { step(tx, &writer, &id, verb, now).await }))
            .await
    }
}

/// What an operator wants of a backfill.
enum Verb {
    Preview,
    Start(StartBackfill),
    Pause,
    Resume,
    Cancel,
}

async fn draft(
    tx: &mut Tx,
    caller: &Caller,
    wish: CreateBackfill,
    row: BackfillRow,
    now: Micros,
) -> Result<Backfill, Error> {
    let source = rules::found(tx, &caller.tenant, &wish.source_id).await?;
    if !rules::source_type(&source)?.has_event_time() {
        let why = "names a source of SBOMs, and those have no event time; run the source instead";
        return Err(Error::invalid("sourceId", why));
    }
    if !wish.dry_run {
        let facts = facts(tx, &caller.tenant, &wish, None, now).await?;
        refuse_collisions(&wish, &facts, now)?;
    }
    backfills::insert(tx, &row).await?;
    let mut journal = Journal::default();
    note(&mut journal, &row, &Hand::of(caller), "orch.backfill.drafted", None, now)?;
    journal.leave(tx);
    view(tx, row).await
}

fn refuse_collisions(wish: &CreateBackfill, facts: &plan::Facts, now: Micros) -> Result<(), Error> {
    match plan::collisions(wish, facts, now).into_iter().next() {
        Some(collision) => Err(Error::new(collision.code, collision.message)),
        None => Ok(()),
    }
}

async fn step(
    tx: &mut Tx,
    caller: &Caller,
    id: &BackfillId,
    verb: Verb,
    now: Micros,
) -> Result<Backfill, Error> {
    let mut row = found(tx, &caller.tenant, id).await?;
    let (from, hand) = (state(&row)?, Hand::of(caller));
    let mut journal = Journal::default();
    match verb {
        Verb::Preview => preview(tx, caller, &mut row, now).await?,
        Verb::Start(wish) => start(tx, caller, &mut row, &wish, now).await?,
        Verb::Pause => go(&mut row, BackfillEvent::Pause)?,
        Verb::Resume => go(&mut row, BackfillEvent::Resume)?,
        Verb::Cancel => {
            go(&mut row, BackfillEvent::Cancel)?;
            row.ended_at = Some(now.0);
        }
    }
    store(tx, &mut row).await?;
    note(&mut journal, &row, &hand, kind(from, state(&row)?), Some(from), now)?;
    if state(&row)? == BackfillState::Cancelled {
        cancel_work(tx, caller, &row, now, &mut journal).await?;
        row = found(tx, &caller.tenant, id).await?;
    }
    journal.leave(tx);
    tx.note_work();
    view(tx, row).await
}

/// Goes along the arrow of an event, or says that there is none.
pub(super) fn go(row: &mut BackfillRow, event: BackfillEvent) -> Result<(), Error> {
    row.state = backfill::next(state(row)?, event)?.as_str().to_owned();
    Ok(())
}

/// Stores a row, unless somebody else changed it since it was read.
pub(super) async fn store(tx: &mut Tx, row: &mut BackfillRow) -> Result<(), Error> {
    if backfills::save(tx, row).await? == 0 {
        let sentence = "The backfill was changed by somebody else at the same time. Look at it again.";
        return Err(Error::new(Code::VersionMismatch, sentence));
    }
    row.version += 1;
    Ok(())
}

/// The name under which history and feed speak of a step.
pub(super) const fn kind(from: BackfillState, to: BackfillState) -> &'static str {
    match (from, to) {
        (BackfillState::Paused, BackfillState::Running) => "orch.backfill.resumed",
        (_, BackfillState::Draft) => "orch.backfill.drafted",
        (_, BackfillState::Previewed) => "orch.backfill.previewed",
        (_, BackfillState::Running) => "orch.backfill.started",
        (_, BackfillState::Paused) => "orch.backfill.paused",
        (_, BackfillState::Completed | BackfillState::CompletedWithErrors) => "orch.backfill.completed",
        (_, BackfillState::Failed) => "orch.backfill.failed",
        (_, BackfillState::Cancelled) => "orch.backfill.cancelled",
    }
}

async fn preview(tx: &mut Tx, caller: &Caller, row: &mut BackfillRow, now: Micros) -> Result<(), Error> {
    go(row, BackfillEvent::Preview)?;
    let wish = request(row)?;
    let facts = facts(tx, &caller.tenant, &wish, Some(&row.backfill_id), now).await?;
    let preview = Plan::of(&wish, &facts).preview(&wish, &facts, now)?;
    row.preview = Some(serde_json::to_string(&preview).map_err(Error::internal)?);
    Ok(())
}

async fn start(
    tx: &mut Tx,
    caller: &Caller,
    row: &mut BackfillRow,
    wish: &StartBackfill,
    now: Micros,
) -> Result<(), Error> {
    go(row, BackfillEvent::Start)?;
    let asked = request(row)?;
    if asked.dry_run {
        let sentence = "This backfill is only to be looked at. Draft one without `dryRun` to start it.";
        return Err(Error::new(Code::InvalidTransition, sentence));
    }
    let preview: Option<BackfillPreview> = match &row.preview {
        Some(text) => Some(
            serde_json::from_str(text)
                .map_err(|_| LedgerError::corrupt("backfills", "preview", &row.backfill_id))?,
        ),
        None => None,
    };
    let is_current = |one: &BackfillPreview| one.digest == wish.preview_digest && now < one.valid_until;
    if !preview.as_ref().is_some_and(is_current) {
        return Err(stale(
            "The preview is another one by now, or older than fifteen minutes. Preview it again.",
        ));
    }
    let facts = facts(tx, &caller.tenant, &asked, Some(&row.backfill_id), now).await?;
    refuse_collisions(&asked, &facts, now)?;
    let plan = Plan::of(&asked, &facts);
    if plan.digest(&asked)? != wish.preview_digest {
        return Err(stale("What it would do is no longer what was previewed. Preview it again."));
    }
    let windows: Vec<(i64, Window, WindowState)> = (0..)
        .zip(&plan.windows)
        .map(|(position, one)| {
            let state = if one.will_run { WindowState::Planned } else { WindowState::AlreadyDone };
            (position, Window { start: one.start, end: one.end }, state)
        })
        .collect();
    backfills::add_windows(tx, &row.backfill_id, &windows).await?;
    row.planned = plan.will_run();
    row.started_at = Some(now.0);
    if row.planned == 0 {
        go(row, BackfillEvent::Finish)?;
        row.ended_at = Some(now.0);
    }
    Ok(())
}

fn stale(sentence: &str) -> Error {
    Error::new(Code::PreviewStale, sentence)
}

/// What a cancelled backfill still had before it: windows are not read, jobs are cancelled.
async fn cancel_work(
    tx: &mut Tx,
    caller: &Caller,
    row: &BackfillRow,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    backfills::cancel_planned(tx, &row.backfill_id, now.0).await?;
    let running =
        backfills::windows_in(tx, &row.backfill_id, WindowState::Running, backfill::MOST_ACTIVE).await?;
    let mut records = Vec::with_capacity(running.len());
    for window in running {
        let Some(text) = window.job_id else { continue };
        let id: JobId =
            text.parse().map_err(|_| LedgerError::corrupt("backfill_windows", "job_id", &row.backfill_id))?;
        let found = stella_ledger::jobs::get(tx, &caller.tenant, &id).await?;
        records.extend(found.filter(|record| !record.job.state.is_final()));
    }
    let by = By { actor: caller.actor(), cause: caller.cause.clone() };
    jobs::cancel_many(tx, records, &by, now, journal).await?;
    Ok(())
}
