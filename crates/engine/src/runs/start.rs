//! A wish becomes a planning run. The same wish in the same second, or under the same key, is the same run.

use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::impact;
use crate::journal::Journal;
use crate::runs::identity::{self, Likeness};
use crate::runs::messages::log;
use crate::runs::{Runs, policy, steps, view, wish};
use std::collections::HashMap;
use stella_contract::error::Code;
use stella_contract::event::LogSeverity;
use stella_contract::ids::RunId;
use stella_contract::run::{Run, RunTrigger, StartRun};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::runs::{self, NewRun, RunRow};
use stella_ledger::{Tx, previews, run_messages};

/// The longest idempotency key, in characters.
const KEY_MAX: usize = 255;

/// A run that was asked for, and whether it was there before.
pub(crate) struct Asked {
    pub run: Run,
    pub replayed: bool,
}

impl Runs {
    /// Starts a run. `true` beside it says that the same wish had already started it.
    pub async fn start(
        &self,
        caller: &Caller,
        wish: StartRun,
        idempotency_key: Option<&str>,
    ) -> Result<(Run, bool), Error> {
        caller.demand_write(Scope::RunsManage)?;
        wish::check(&wish)?;
        if idempotency_key.is_some_and(|key| key.is_empty() || key.chars().count() > KEY_MAX) {
            let why = format!("an idempotency key has 1 to {KEY_MAX} characters");
            return Err(Error::invalid("Idempotency-Key", why));
        }
        let now = self.engine.now();
        let new = new_run(caller, SetOff::by_hand(), wish, idempotency_key, now)?;
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let asked = self
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { ask(tx, new, &by, now).await }))
            .await?;
        Ok((asked.run, asked.replayed))
    }
}

/// What set a run off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetOff {
    pub trigger: RunTrigger,
    /// More of that: an event, a promotion.
    pub detail: Option<String>,
}

impl SetOff {
    /// An operator.
    pub(crate) const fn by_hand() -> Self {
        Self { trigger: RunTrigger::Manual, detail: None }
    }
}

/// The run that a wish becomes.
pub(crate) fn new_run(
    caller: &Caller,
    set_off: SetOff,
    wish: StartRun,
    idempotency_key: Option<&str>,
    now: Micros,
) -> Result<NewRun, Error> {
    let scope_digest = identity::scope_digest(&wish.scope).map_err(Error::internal)?;
    let likeness = Likeness {
        tenant: &caller.tenant,
        trigger: set_off.trigger,
        key: idempotency_key,
        mode: wish.mode,
        scope_digest: &scope_digest,
        policy_snapshot_id: wish.policy_snapshot_id.as_ref(),
        retry_number: 0,
    };
    Ok(NewRun {
        run_id: identity::run_id(&likeness, now).map_err(Error::internal)?,
        tenant: caller.tenant.clone(),
        trigger: set_off.trigger,
        trigger_detail: set_off.detail,
        schedule_id: None,
        initiator: caller.subject.clone(),
        reason: caller.cause.reason.clone(),
        ticket: caller.cause.ticket.clone(),
        mode: wish.mode,
        request_digest: identity::request_digest(&wish, None).map_err(Error::internal)?,
        scope: wish.scope,
        scope_digest,
        policy_snapshot_id: wish.policy_snapshot_id,
        policy_revision: None,
        idempotency_key: idempotency_key.map(str::to_owned),
        preview_id: wish.preview_id.map(|preview| preview.as_str().to_owned()),
        priority: i64::from(wish.priority.unwrap_or(wish::PRIORITY)),
        segment_size: i64::from(wish.segment_size.unwrap_or(wish::SEGMENT_SIZE)),
        planner_shard_count: wish::SHARDS,
        kev_first: wish.kev_first,
        allow_stale: wish.allow_stale,
        retry_of: None,
        only_failed: false,
        retry_number: 0,
        correlation_id: caller.correlation_id.clone(),
        created_at: now,
    })
}

/// Writes the run down, unless it is there already.
pub(crate) async fn ask(tx: &mut Tx, new: NewRun, by: &By, now: Micros) -> Result<Asked, Error> {
    if let Some(before) = same(tx, &new).await? {
        return Ok(Asked { run: view::read(tx, &before, now).await?, replayed: true });
    }
    refuse_stale_preview(tx, &new, now).await?;
    let (mut journal, run_id) = (Journal::default(), new.run_id.clone());
    let row = begin_many(tx, vec![new], by, now, &mut journal).await?.pop().ok_or_else(|| taken(&run_id))?;
    let run = view::read(tx, &row, now).await?;
    journal.leave(tx);
    tx.note_work();
    Ok(Asked { run, replayed: false })
}

/// Writes these runs down; those whose id or idempotency key is taken are left out.
pub(crate) async fn begin_many(
    tx: &mut Tx,
    mut wishes: Vec<NewRun>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<RunRow>, Error> {
    policy::choose(tx, &mut wishes).await?;
    let keys: HashMap<String, i64> =
        runs::insert_many(tx, &wishes).await?.into_iter().map(|(key, run_id)| (run_id, key)).collect();
    let (mut begun, mut lines) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
    for wish in wishes {
        let Some(key) = keys.get(wish.run_id.as_str()) else { continue };
        let mut row = RunRow::fresh(*key, wish);
        steps::created(&row, by, now, journal);
        let said = format!("Asked for by {} over {}.", row.wish.initiator, row.wish.scope);
        let body = serde_json::to_string(&log(&row, LogSeverity::Info, said)).map_err(Error::internal)?;
        lines.push((row.run_key, body));
        (row.message_seq, row.log_lines, row.log_second) = (1, 1, now.0.div_euclid(1_000_000));
        begun.push(row);
    }
    run_messages::open_many(tx, &lines, now).await?;
    Ok(begun)
}

/// The run that the same wish started before.
pub(crate) async fn same(tx: &mut Tx, new: &NewRun) -> Result<Option<RunRow>, Error> {
    if let Some(key) = &new.idempotency_key
        && let Some(before) = runs::by_idempotency(tx, &new.tenant, key).await?
    {
        if before.wish.request_digest == new.request_digest {
            return Ok(Some(before));
        }
        let sentence = "This idempotency key came before with another wish. Use a new key for a new wish.";
        return Err(Error::new(Code::IdempotencyKeyReused, sentence));
    }
    match runs::get(tx, &new.tenant, &new.run_id).await? {
        Some(before) if before.wish.request_digest == new.request_digest => Ok(Some(before)),
        Some(before) => Err(taken(&before.run_id)),
        None => Ok(None),
    }
}

fn taken(run_id: &RunId) -> Error {
    let sentence = format!(
        "A run over the same scope with other options started in this very second: `{run_id}`. Ask again in a second."
    );
    Error::new(Code::Conflict, sentence).with_retry_after_ms(1_000)
}

/// What was decided on one index is not done on another.
async fn refuse_stale_preview(tx: &mut Tx, new: &NewRun, now: Micros) -> Result<(), Error> {
    let Some(preview_id) = &new.preview_id else { return Ok(()) };
    let preview = previews::get(tx, new.tenant.as_str(), preview_id, now.0).await?;
    let index = impact::state(tx, &new.tenant, now).await?;
    if preview.is_some_and(|preview| preview.generation == index.generation) {
        return Ok(());
    }
    let sentence = "The impact index moved on since the preview, or the preview is older than 15 minutes. Preview again.";
    Err(Error::new(Code::PreviewStale, sentence))
}
