//! What is done to entries: each change along its arrow, several in one statement.

use super::{DeadLetterRecord, Failed, Row, records};
use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::set::json;
use serde::Serialize;
use stella_contract::dead_letter::{DeadLetterEvent, DeadLetterState, ResolutionCode, states_before};
use stella_contract::ids::{JobId, WorkerId};
use stella_contract::time::Micros;

/// One change of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A job repeats it.
    Replay {
        /// That job.
        job_id: JobId,
    },
    /// That job succeeded.
    ReplaySucceeded,
    /// That job ended in any other way; with what failed, when something did.
    ReplayFailed(Option<Failed>),
    /// An operator closes it.
    Resolve {
        /// Why, in one word.
        resolution: ResolutionCode,
        /// Why, in sentences.
        note: String,
        /// Who.
        by: String,
    },
    /// An operator takes that back.
    Reopen,
    /// Somebody looks after it.
    Acknowledge {
        /// Who says so.
        by: String,
        /// Who it is.
        owner: String,
        /// What is known so far; absent leaves what is there.
        note: Option<String>,
        /// By when it shall be done.
        due_at: Option<Micros>,
    },
}

impl Change {
    /// The event that it is.
    pub const fn event(&self) -> DeadLetterEvent {
        match self {
            Self::Replay { .. } => DeadLetterEvent::Replay,
            Self::ReplaySucceeded => DeadLetterEvent::ReplaySucceeded,
            Self::ReplayFailed(_) => DeadLetterEvent::ReplayFailed,
            Self::Resolve { .. } => DeadLetterEvent::Resolve,
            Self::Reopen => DeadLetterEvent::Reopen,
            Self::Acknowledge { .. } => DeadLetterEvent::Acknowledge,
        }
    }
}

/// What a change sets; what is absent stays.
#[derive(Default, Serialize)]
struct Set<'a> {
    key: i64,
    state: &'static str,
    guard: Vec<&'static str>,
    closes: i64,
    reopens: i64,
    replay_job_id: Option<&'a str>,
    replay_key: Option<i64>,
    category: Option<&'static str>,
    retryable: Option<i64>,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
    fingerprint: Option<&'a str>,
    http_status: Option<i64>,
    host: Option<&'a str>,
    worker_id: Option<&'a str>,
    resolution: Option<&'static str>,
    note: Option<&'a str>,
    resolved_by: Option<&'a str>,
    owner: Option<&'a str>,
    acknowledged_by: Option<&'a str>,
    due_at: Option<i64>,
}

const CHANGE: Sql = Sql {
    sqlite: "
        update dead_letters
        set state = said.value ->> 'state',
            closed_at = case when said.value ->> 'closes' then $2
                when said.value ->> 'state' in ('replayed', 'resolved') then closed_at end,
            replay_count = replay_count + (said.value ->> 'replay_key' is not null),
            last_replay_job_id = coalesce(said.value ->> 'replay_job_id', last_replay_job_id),
            last_replay_key = coalesce(said.value ->> 'replay_key', last_replay_key),
            last_replay_at = case when said.value ->> 'replay_key' is not null then $2 else last_replay_at end,
            http_status = case when said.value ->> 'category' is not null then said.value ->> 'http_status'
                else http_status end,
            host = case when said.value ->> 'category' is not null then said.value ->> 'host' else host end,
            category = coalesce(said.value ->> 'category', category),
            retryable = coalesce(said.value ->> 'retryable', retryable),
            error_code = coalesce(said.value ->> 'error_code', error_code),
            error_message = coalesce(said.value ->> 'error_message', error_message),
            fingerprint = coalesce(said.value ->> 'fingerprint', fingerprint),
            last_worker_id = coalesce(said.value ->> 'worker_id', last_worker_id),
            resolution = case when said.value ->> 'reopens' then null
                else coalesce(said.value ->> 'resolution', resolution) end,
            resolved_by = case when said.value ->> 'reopens' then null
                else coalesce(said.value ->> 'resolved_by', resolved_by) end,
            resolved_at = case when said.value ->> 'reopens' then null
                when said.value ->> 'resolution' is not null then $2 else resolved_at end,
            note = coalesce(said.value ->> 'note', note),
            owner = coalesce(said.value ->> 'owner', owner),
            acknowledged_by = coalesce(said.value ->> 'acknowledged_by', acknowledged_by),
            acknowledged_at = case when said.value ->> 'acknowledged_by' is not null then $2 else acknowledged_at end,
            due_at = case when said.value ->> 'acknowledged_by' is not null then said.value ->> 'due_at'
                else due_at end,
            version = version + 1
        from json_each($1) as said
        where dead_letters.key = said.value ->> 'key'
          and dead_letters.state in (select value from json_each(said.value -> 'guard'))
        returning *",
    postgres: "
        update dead_letters
        set state = said.state,
            closed_at = case when said.closes = 1 then $2
                when said.state in ('replayed', 'resolved') then dead_letters.closed_at end,
            replay_count = dead_letters.replay_count + case when said.replay_key is null then 0 else 1 end,
            last_replay_job_id = coalesce(said.replay_job_id, dead_letters.last_replay_job_id),
            last_replay_key = coalesce(said.replay_key, dead_letters.last_replay_key),
            last_replay_at = case when said.replay_key is not null then $2 else dead_letters.last_replay_at end,
            http_status = case when said.category is not null then said.http_status
                else dead_letters.http_status end,
            host = case when said.category is not null then said.host else dead_letters.host end,
            category = coalesce(said.category, dead_letters.category),
            retryable = coalesce(said.retryable, dead_letters.retryable),
            error_code = coalesce(said.error_code, dead_letters.error_code),
            error_message = coalesce(said.error_message, dead_letters.error_message),
            fingerprint = coalesce(said.fingerprint, dead_letters.fingerprint),
            last_worker_id = coalesce(said.worker_id, dead_letters.last_worker_id),
            resolution = case when said.reopens = 1 then null
                else coalesce(said.resolution, dead_letters.resolution) end,
            resolved_by = case when said.reopens = 1 then null
                else coalesce(said.resolved_by, dead_letters.resolved_by) end,
            resolved_at = case when said.reopens = 1 then null
                when said.resolution is not null then $2 else dead_letters.resolved_at end,
            note = coalesce(said.note, dead_letters.note),
            owner = coalesce(said.owner, dead_letters.owner),
            acknowledged_by = coalesce(said.acknowledged_by, dead_letters.acknowledged_by),
            acknowledged_at = case when said.acknowledged_by is not null then $2
                else dead_letters.acknowledged_at end,
            due_at = case when said.acknowledged_by is not null then said.due_at else dead_letters.due_at end,
            version = dead_letters.version + 1
        from json_to_recordset($1::json) as said (key bigint, state text, guard json, closes bigint, reopens bigint,
            replay_job_id text, replay_key bigint, category text, retryable bigint, error_code text,
            error_message text, fingerprint text, http_status bigint, host text, worker_id text, resolution text,
            note text, resolved_by text, owner text, acknowledged_by text, due_at bigint)
        where dead_letters.key = said.key
          and dead_letters.state in (select value from json_array_elements_text(said.guard))
        returning dead_letters.*",
};

/// Changes entries by their row keys; those whose state has no such arrow stay as they are and are not answered.
pub async fn change_many(
    tx: &mut Tx,
    changes: &[(i64, Change)],
    now: Micros,
) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let set: Vec<Set<'_>> = changes.iter().map(|(key, change)| set_of(*key, change)).collect();
    let (set, text) = (json(&set)?, CHANGE.text(tx));
    let rows: Vec<Row> =
        on_db!(tx, connection => sqlx::query_as(text).bind(set).bind(now.0).fetch_all(connection).await?);
    let mut changed = records(rows)?;
    changed.sort_by_key(|record| (record.entry.dead_lettered_at, record.key));
    tx.note_work();
    Ok(changed)
}

fn set_of(key: i64, change: &Change) -> Set<'_> {
    let before = states_before(change.event());
    // Each event leads to one state, whichever it comes from.
    let to = before.first().and_then(|from| stella_contract::dead_letter::next(*from, change.event()).ok());
    let to = to.expect("every event has an arrow");
    let base = Set {
        key,
        state: to.as_str(),
        guard: before.into_iter().map(DeadLetterState::as_str).collect(),
        ..Set::default()
    };
    match change {
        Change::Replay { job_id } => {
            Set { replay_job_id: Some(job_id.as_str()), replay_key: Some(crate::key_of(job_id)), ..base }
        }
        Change::ReplaySucceeded => Set { closes: 1, ..base },
        Change::ReplayFailed(None) => base,
        Change::ReplayFailed(Some(failed)) => Set {
            category: Some(failed.category.as_str()),
            retryable: Some(i64::from(failed.category.is_retryable())),
            error_code: Some(&failed.error_code),
            error_message: Some(&failed.error_message),
            fingerprint: Some(&failed.fingerprint),
            http_status: failed.http_status,
            host: failed.host.as_deref(),
            worker_id: failed.worker_id.as_ref().map(WorkerId::as_str),
            ..base
        },
        Change::Resolve { resolution, note, by } => Set {
            closes: 1,
            resolution: Some(resolution.as_str()),
            note: Some(note),
            resolved_by: Some(by),
            ..base
        },
        Change::Reopen => Set { reopens: 1, ..base },
        Change::Acknowledge { by, owner, note, due_at } => Set {
            acknowledged_by: Some(by),
            owner: Some(owner),
            note: note.as_deref(),
            due_at: due_at.map(|at| at.0),
            ..base
        },
    }
}
