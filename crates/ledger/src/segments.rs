//! Segments and the targets in them.

use crate::db::Tx;
use crate::deltas::{self, DeltaColumns};
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use serde::Serialize;
use sqlx::FromRow;
use std::str::FromStr;
use stella_contract::delta::Deltas;
use stella_contract::ids::RunId;
use stella_contract::segment::{Segment, SegmentEvent, SegmentState, cooldown_ms, next, states_before};
use stella_contract::time::Micros;

/// A segment to be.
#[derive(Debug, Clone)]
pub struct NewSegment {
    /// The key inside its id.
    pub segment_key: i64,
    /// Its public id.
    pub segment_id: String,
    /// The key inside its job's id.
    pub job_key: i64,
    /// Its job's public id.
    pub job_id: String,
    /// Where it stands: where its job does.
    pub state: SegmentState,
    /// The shard it is of.
    pub shard: i32,
    /// Its place within the shard.
    pub ordinal: i32,
    /// The keys of its targets, in order.
    pub targets: Vec<i64>,
}

/// A segment as it is kept.
#[derive(Debug, Clone)]
pub struct SegmentRow {
    /// The row's key.
    pub segment_key: i64,
    /// Its run.
    pub run_key: i64,
    /// The key of its job.
    pub job_key: i64,
    /// Its public id.
    pub segment_id: String,
    /// Its job's public id.
    pub job_id: String,
    /// The shard it is of.
    pub shard: i32,
    /// Its place within the shard.
    pub ordinal: i32,
    /// Where it stands.
    pub state: SegmentState,
    /// Targets in it.
    pub target_count: i64,
    /// Targets evaluated.
    pub processed: i64,
    /// Targets that could not be.
    pub failed_targets: i64,
    /// The worker at it.
    pub executor: Option<String>,
    /// Attempts of its job.
    pub attempt: i64,
    /// How often an operator retried it.
    pub retry_count: i64,
    /// Why it failed.
    pub reason: Option<String>,
    /// The code it failed with.
    pub error_code: Option<String>,
    /// SHA-256 of what it left.
    pub output_digest: Option<String>,
    /// The feeds it was matched against.
    pub feed_generation: Option<i64>,
    /// What changed in it.
    pub deltas: Deltas,
    /// When it first ran.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
}

const COLUMNS: &str =
    "segment_key, run_key, job_key, segment_id, job_id, shard, ordinal, state, target_count, processed,
    failed_targets, executor, attempt, retry_count, reason, error_code, output_digest, feed_generation, started_at,
    ended_at, ";

#[derive(FromRow)]
struct Flat {
    segment_key: i64,
    run_key: i64,
    job_key: i64,
    segment_id: String,
    job_id: String,
    shard: i64,
    ordinal: i64,
    state: String,
    target_count: i64,
    processed: i64,
    failed_targets: i64,
    executor: Option<String>,
    attempt: i64,
    retry_count: i64,
    reason: Option<String>,
    error_code: Option<String>,
    output_digest: Option<String>,
    feed_generation: Option<i64>,
    #[sqlx(flatten)]
    deltas: DeltaColumns,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

fn read<T: FromStr>(text: &str, column: &'static str, id: &str) -> Result<T, LedgerError> {
    text.parse().map_err(|_| LedgerError::corrupt("segments", column, id))
}

fn small(number: i64, column: &'static str, id: &str) -> Result<i32, LedgerError> {
    i32::try_from(number).map_err(|_| LedgerError::corrupt("segments", column, id))
}

impl Flat {
    fn row(self) -> Result<SegmentRow, LedgerError> {
        let id = &self.segment_id;
        Ok(SegmentRow {
            segment_key: self.segment_key,
            run_key: self.run_key,
            job_key: self.job_key,
            shard: small(self.shard, "shard", id)?,
            ordinal: small(self.ordinal, "ordinal", id)?,
            state: read(&self.state, "state", id)?,
            target_count: self.target_count,
            processed: self.processed,
            failed_targets: self.failed_targets,
            executor: self.executor,
            attempt: self.attempt,
            retry_count: self.retry_count,
            reason: self.reason,
            error_code: self.error_code,
            output_digest: self.output_digest,
            feed_generation: self.feed_generation,
            deltas: self.deltas.into(),
            started_at: self.started_at.map(Micros),
            ended_at: self.ended_at.map(Micros),
            segment_id: self.segment_id,
            job_id: self.job_id,
        })
    }
}

impl SegmentRow {
    /// Until when it rests after its failure.
    pub fn cooldown_until(&self) -> Option<Micros> {
        let retries = i32::try_from(self.retry_count).unwrap_or(i32::MAX);
        let ended_at = self.ended_at.filter(|_| self.state == SegmentState::Failed)?;
        Some(ended_at.plus_ms(cooldown_ms(retries)))
    }
    /// The segment as every door shows it.
    pub fn view(self, run_id: &RunId) -> Result<Segment, LedgerError> {
        let id = &self.segment_id;
        let executor = self.executor.as_deref();
        let retry_count = small(self.retry_count, "retry_count", id)?;
        Ok(Segment {
            cooldown_until: self.cooldown_until(),
            run_id: run_id.clone(),
            shard: self.shard,
            ordinal: self.ordinal,
            state: self.state,
            target_count: self.target_count,
            processed: self.processed,
            failed_targets: self.failed_targets,
            executor: executor.map(|worker| read(worker, "executor", id)).transpose()?,
            attempt: small(self.attempt, "attempt", id)?,
            retry_count,
            reason: self.reason,
            error_code: self.error_code,
            output_digest: self.output_digest,
            feed_generation: self.feed_generation,
            deltas: self.deltas,
            job_id: read(&self.job_id, "job_id", id)?,
            started_at: self.started_at,
            ended_at: self.ended_at,
            segment_id: read(id, "segment_id", id)?,
        })
    }
}

async fn read_all(query: Query, tx: &mut Tx) -> Result<Vec<SegmentRow>, LedgerError> {
    query.fetch_all::<Flat>(tx).await?.into_iter().map(Flat::row).collect()
}

fn select() -> Query {
    let mut query = Query::new("select ");
    query.push(COLUMNS).push(deltas::COLUMNS).push(" from segments where ");
    query
}

/// Rows handed to one statement.
const CHUNK: usize = 5_000;

/// Writes the segments of a run and the place of every target in them, under this line of comparison.
pub async fn insert_many(
    tx: &mut Tx,
    run_key: i64,
    tenant: &str,
    line: &str,
    segments: &[NewSegment],
) -> Result<(), LedgerError> {
    let targets: Vec<[i64; 1]> =
        segments.iter().flat_map(|segment| segment.targets.iter().map(|target| [*target])).collect();
    for part in targets.chunks(CHUNK) {
        insert_lines(tx, tenant, line, part).await?;
    }
    for part in segments.chunks(CHUNK) {
        insert_segments(tx, run_key, part).await?;
    }
    let places: Vec<(i64, usize, i64)> = segments
        .iter()
        .flat_map(|segment| {
            let at = segment.targets.iter().enumerate();
            at.map(|(place, target)| (segment.segment_key, place, *target))
        })
        .collect();
    for part in places.chunks(CHUNK) {
        insert_places(tx, run_key, line, part).await?;
    }
    Ok(())
}

async fn insert_lines(
    tx: &mut Tx,
    tenant: &str,
    line: &str,
    targets: &[[i64; 1]],
) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into target_lines (target_key, tenant, line) select cast(r.value ->> 0 as bigint), ",
    );
    query.bind(tenant).push(", ").bind(line).push(" from ");
    rows::push(&mut query, tx, targets)?;
    // SQLite needs a condition to tell the conflict clause from a join.
    query.push(" where true on conflict (target_key, line) do nothing");
    query.execute(tx).await?;
    Ok(())
}

async fn insert_segments(tx: &mut Tx, run_key: i64, segments: &[NewSegment]) -> Result<(), LedgerError> {
    let list: Vec<_> = segments
        .iter()
        .map(|one| {
            (
                one.segment_key,
                &one.segment_id,
                one.job_key,
                &one.job_id,
                one.shard,
                one.ordinal,
                one.targets.len(),
                one.state.as_str(),
            )
        })
        .collect();
    let mut query = Query::new(
        "insert into segments (run_key, segment_key, segment_id, job_key, job_id, shard, ordinal, target_count, state)
        select cast(",
    );
    query.bind(run_key).push(
        " as bigint), cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), r.value ->> 3,
            cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint), r.value ->> 7
        from ",
    );
    rows::push(&mut query, tx, &list)?;
    query.execute(tx).await?;
    Ok(())
}

async fn insert_places(
    tx: &mut Tx,
    run_key: i64,
    line: &str,
    places: &[(i64, usize, i64)],
) -> Result<(), LedgerError> {
    let mut query =
        Query::new("insert into run_targets (run_key, line_key, segment_key, place) select cast(");
    query.bind(run_key).push(
        " as bigint), target_lines.line_key, cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint)
        from ",
    );
    rows::push(&mut query, tx, places)?;
    query.push(" join target_lines on target_lines.target_key = cast(r.value ->> 2 as bigint)");
    query.push(" and target_lines.line = ").bind(line);
    query.execute(tx).await?;
    Ok(())
}

/// The segment of this key.
pub async fn get(tx: &mut Tx, segment_key: i64) -> Result<Option<SegmentRow>, LedgerError> {
    let mut query = select();
    query.push("segment_key = ").bind(segment_key);
    Ok(read_all(query, tx).await?.pop())
}

/// Segments of a run in the order of shard and ordinal, after this place.
pub async fn list(
    tx: &mut Tx,
    run_key: i64,
    after: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<SegmentRow>, LedgerError> {
    let (shard, ordinal) = after.unwrap_or((-1, -1));
    let mut query = select();
    query.push("run_key = ").bind(run_key);
    query.push(" and (shard, ordinal) > (").bind(shard).push(", ").bind(ordinal);
    query.push(") order by shard, ordinal limit ").bind(limit);
    read_all(query, tx).await
}

/// Segments of a run in this state, in the order of shard and ordinal.
pub async fn in_state(
    tx: &mut Tx,
    run_key: i64,
    state: SegmentState,
    limit: i64,
) -> Result<Vec<SegmentRow>, LedgerError> {
    let mut query = select();
    query.push("run_key = ").bind(run_key).push(" and state = ").bind(state.as_str());
    query.push(" order by shard, ordinal limit ").bind(limit);
    read_all(query, tx).await
}

/// The row keys of the jobs of a run's open segments.
pub async fn open_jobs(tx: &mut Tx, run_key: i64) -> Result<Vec<i64>, LedgerError> {
    let mut query = Query::new("select job_key from segments where run_key = ");
    let open = SegmentState::ALL.iter().filter(|state| !state.is_settled());
    query.bind(run_key).push(" and state in ").bind_list(open.map(|state| state.as_str()));
    query.push(" order by job_key");
    let jobs: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(jobs.into_iter().map(|(job,)| job).collect())
}

/// What a segment takes over from its job when it moves.
#[derive(Debug, Clone)]
pub struct Move {
    /// The key of the job.
    pub job_key: i64,
    /// What happened.
    pub event: SegmentEvent,
    /// The worker at it.
    pub executor: Option<String>,
    /// Attempts so far.
    pub attempt: i64,
    /// Why it failed or waits.
    pub reason: Option<String>,
    /// The code of that.
    pub error_code: Option<String>,
}

/// Moves segments along with their jobs. Those that are not where the event may come from stay; the moved are returned.
pub async fn move_many(tx: &mut Tx, moves: &[Move], now: Micros) -> Result<Vec<SegmentRow>, LedgerError> {
    let mut moved = Vec::new();
    for event in SegmentEvent::ALL.iter().copied() {
        let of_event: Vec<_> = moves
            .iter()
            .filter(|one| one.event == event)
            .map(|one| (one.job_key, &one.executor, one.attempt, &one.reason, &one.error_code))
            .collect();
        for part in of_event.chunks(CHUNK) {
            moved.extend(move_by(tx, event, part, now).await?);
        }
    }
    Ok(moved)
}

async fn move_by<T: Serialize>(
    tx: &mut Tx,
    event: SegmentEvent,
    list: &[T],
    now: Micros,
) -> Result<Vec<SegmentRow>, LedgerError> {
    let before = states_before(event);
    // All arrows of one event lead to the same state.
    let Some(to) = before.first().and_then(|from| next(*from, event).ok()) else { return Ok(Vec::new()) };
    let mut query = Query::new("update segments set state = ");
    query.bind(to.as_str()).push(
        ", executor = coalesce(r.value ->> 1, executor), attempt = cast(r.value ->> 2 as bigint),
            reason = r.value ->> 3, error_code = r.value ->> 4",
    );
    match event {
        SegmentEvent::Start => {
            query.push(", started_at = coalesce(started_at, ").bind(now.0).push(")");
        }
        // What an attempt had done is done anew by the next.
        SegmentEvent::Return => {
            query.push(", processed = 0");
        }
        SegmentEvent::Succeed | SegmentEvent::Fail | SegmentEvent::Cancel | SegmentEvent::Skip => {
            query.push(", ended_at = ").bind(now.0);
        }
        // A retry hands the segment to another job: `hand_over`.
        SegmentEvent::Queue | SegmentEvent::Retry => {}
    }
    query.push(" from ");
    rows::push(&mut query, tx, list)?;
    query.push(" where job_key = cast(r.value ->> 0 as bigint)");
    query.push(" and state in ").bind_list(before.iter().map(|state| state.as_str()));
    query.push(" returning ").push(COLUMNS).push(deltas::COLUMNS);
    read_all(query, tx).await
}

/// Notes how far the running segment of this job is.
pub async fn progress(tx: &mut Tx, job_key: i64, processed: i64) -> Result<Option<SegmentRow>, LedgerError> {
    let mut query = Query::new("update segments set processed = ");
    query.bind(processed).push(" where job_key = ").bind(job_key);
    query.push(" and state = ").bind(SegmentState::Running.as_str());
    query.push(" and processed < ").bind(processed).push(" returning ").push(COLUMNS).push(deltas::COLUMNS);
    Ok(read_all(query, tx).await?.pop())
}

/// What the evaluation of a segment left.
#[derive(Debug, Clone)]
pub struct Left {
    /// SHA-256 of the bytes.
    pub output_digest: String,
    /// The feeds it was matched against.
    pub feed_generation: i64,
}

/// Writes what the evaluation of a segment came to.
pub async fn finish(
    tx: &mut Tx,
    segment_key: i64,
    processed: i64,
    failed_targets: i64,
    deltas: &Deltas,
    left: Option<&Left>,
) -> Result<(), LedgerError> {
    let mut query = Query::new("update segments set processed = ");
    query.bind(processed).push(", failed_targets = ").bind(failed_targets);
    query.push(", output_digest = ").bind(left.map(|left| left.output_digest.as_str()));
    query.push(", feed_generation = ").bind(left.map(|left| left.feed_generation));
    deltas::push_added(&mut query, deltas);
    query.push(" where segment_key = ").bind(segment_key);
    query.execute(tx).await?;
    Ok(())
}

/// Hands a failed segment to another job and lets it wait once more; the segment then, or `None` when it had not failed.
pub async fn hand_over(
    tx: &mut Tx,
    segment_key: i64,
    job_key: i64,
    job_id: &str,
    state: SegmentState,
) -> Result<Option<SegmentRow>, LedgerError> {
    let mut query = Query::new("update segments set job_key = ");
    query.bind(job_key).push(", job_id = ").bind(job_id).push(", state = ").bind(state.as_str());
    query.push(
        ", processed = 0, failed_targets = 0, attempt = 0, retry_count = retry_count + 1, executor = null,
            reason = null, error_code = null, started_at = null, ended_at = null
        where segment_key = ",
    );
    query.bind(segment_key).push(" and state in ");
    query.bind_list(states_before(SegmentEvent::Retry).iter().map(|state| state.as_str()));
    query.push(" returning ").push(COLUMNS).push(deltas::COLUMNS);
    Ok(read_all(query, tx).await?.pop())
}

/// The segments of a run at these places, given as shard and ordinal.
pub async fn at_places(
    tx: &mut Tx,
    run_key: i64,
    places: &[(i64, i64)],
) -> Result<Vec<SegmentRow>, LedgerError> {
    let mut query = select();
    query.push("run_key = ").bind(run_key);
    query.push(
        " and (shard, ordinal) in (select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint) from ",
    );
    rows::push(&mut query, tx, places)?;
    query.push(")");
    read_all(query, tx).await
}

/// The oldest and the newest feeds that segments of a run were matched against; `None` when none succeeded.
pub async fn feed_generations(tx: &mut Tx, run_key: i64) -> Result<Option<(i64, i64)>, LedgerError> {
    let mut query =
        Query::new("select min(feed_generation), max(feed_generation) from segments where run_key = ");
    query.bind(run_key);
    let span: Option<(Option<i64>, Option<i64>)> = query.fetch_optional(tx).await?;
    Ok(span.and_then(|(first, last)| first.zip(last)))
}

/// What a segment left.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OutputRow {
    /// The segment.
    pub segment_key: i64,
    /// Its public id.
    pub segment_id: String,
    /// SHA-256 of the bytes.
    pub output_digest: String,
    /// The feeds it was matched against.
    pub feed_generation: i64,
}

/// What the segments of a run left that succeeded.
pub async fn outputs(tx: &mut Tx, run_key: i64) -> Result<Vec<OutputRow>, LedgerError> {
    let mut query = Query::new(
        "select segment_key, segment_id, output_digest, feed_generation
        from segments
        where state = 'succeeded' and output_digest is not null and feed_generation is not null and run_key = ",
    );
    query.bind(run_key).push(" order by segment_key");
    query.fetch_all(tx).await
}

/// The targets of a run that were not evaluated, in the order of digests. A target in a segment that succeeded may be one
/// of them: it could not be read.
pub async fn missed_targets(tx: &mut Tx, run_key: i64) -> Result<Vec<i64>, LedgerError> {
    let mut query = Query::new(
        "select targets.target_key
        from run_targets
        join target_lines on target_lines.line_key = run_targets.line_key
        join targets on targets.target_key = target_lines.target_key
        where run_targets.evaluation is null and run_targets.run_key = ",
    );
    query.bind(run_key).push(" order by targets.digest, targets.target_key");
    let keys: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// One target of a segment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PlaceRow {
    /// The line of comparison.
    pub line_key: i64,
    /// The target.
    pub target_key: i64,
    /// Its public id.
    pub target_id: String,
    /// Its image digest.
    pub digest: String,
    /// The number of the last evaluation of the line.
    pub evaluation: i64,
    /// The feeds that evaluation used.
    pub index_generation: i64,
    /// The findings it left.
    pub findings: i64,
}

/// The targets of a segment, in order.
pub async fn places(tx: &mut Tx, segment_key: i64) -> Result<Vec<PlaceRow>, LedgerError> {
    let mut query = Query::new(
        "select target_lines.line_key, target_lines.target_key, targets.target_id, targets.digest,
            target_lines.evaluation, target_lines.index_generation, target_lines.findings
        from run_targets
        join target_lines on target_lines.line_key = run_targets.line_key
        join targets on targets.target_key = target_lines.target_key
        where run_targets.segment_key = ",
    );
    query.bind(segment_key).push(" order by run_targets.place");
    query.fetch_all(tx).await
}
