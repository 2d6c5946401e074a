//! How far a worker of one's own read its source: told with its success, and kept in the transaction that completes the
//! job (spec 03 §3.3, 09 §9.3). Sources that the core reads itself need not be told of.

use crate::coverage::{Run, whole_ms};
use crate::error::Error;
use crate::handlers::Effect;
use crate::ingest::IngestOrder;
use crate::journal::{Draft, Journal, Tiding};
use crate::sources as rules;
use crate::watermarks::{self, Mark};
use serde_json::json;
use stella_contract::history::Actor;
use stella_contract::ids::SourceId;
use stella_contract::job::{Cause, Job};
use stella_contract::lease::ReadUpTo;
use stella_contract::source::SourceType;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_ledger::record::JobRecord;
use stella_ledger::sources::{self, SourceMerge};
use stella_ledger::{Tx, jobs};

/// The longest cursor, in bytes.
const LONGEST_CURSOR: usize = 1_000;

/// What a success leaves that tells how far its source is read; or what is wrong with what it tells.
pub(crate) async fn effect(
    tx: &mut Tx,
    record: &JobRecord,
    told: ReadUpTo,
    now: Micros,
) -> Result<Effect, Error> {
    let job = record.job.clone();
    let Some(source_id) = job.source_id.clone() else {
        return Err(Error::invalid("watermark", "belongs to a job that reads a source"));
    };
    let row = rules::found(tx, &job.tenant, &source_id).await?;
    if rules::source_type(&row)? != SourceType::Custom {
        let why = "belongs to a custom source; of the others the core knows itself how far they are read";
        return Err(Error::invalid("watermark", why));
    }
    let told = checked(told, now)?;
    let is_backfill = asked(tx, record).await?.is_some();
    Ok(Box::new(move |tx: &mut Tx, now: Micros| {
        Box::pin(async move { keep(tx, &job, &source_id, told, is_backfill, now).await })
    }))
}

fn checked(told: ReadUpTo, now: Micros) -> Result<ReadUpTo, Error> {
    let told = ReadUpTo { start: told.start.map(whole_ms), end: whole_ms(told.end), ..told };
    if told.end > now {
        return Err(Error::invalid("watermark.end", "is not in the future"));
    }
    if told.start.is_some_and(|start| start >= told.end) {
        return Err(Error::invalid("watermark.start", "is earlier than `end`"));
    }
    if told.cursor.as_ref().is_some_and(|cursor| cursor.len() > LONGEST_CURSOR) {
        return Err(Error::invalid("watermark.cursor", format!("has at most {LONGEST_CURSOR} bytes")));
    }
    Ok(told)
}

/// The window that the job was made to read, when it is one of a backfill.
async fn asked(tx: &mut Tx, record: &JobRecord) -> Result<Option<Window>, Error> {
    let mut with_payload = [record.clone()];
    jobs::add_payloads(tx, &mut with_payload).await?;
    let [record] = with_payload;
    let order = record.payload.as_deref().and_then(|text| serde_json::from_str::<IngestOrder>(text).ok());
    Ok(order.and_then(|order| order.window))
}

async fn keep(
    tx: &mut Tx,
    job: &Job,
    source_id: &SourceId,
    told: ReadUpTo,
    is_backfill: bool,
    now: Micros,
) -> Result<Journal, Error> {
    let row = rules::found(tx, &job.tenant, source_id).await?;
    let read = SourceMerge {
        source_id: row.source_id.clone(),
        record_count: row.record_count,
        watermark: None,
        at: now.0,
    };
    sources::merge(tx, &read).await?;
    let mut mark = watermarks::load(tx, &job.tenant, source_id.as_str()).await?;
    let before = mark.clone();
    // The window of a backfill is noted where its job ends, whatever is told of it.
    if !is_backfill {
        cover(&mut mark, &told);
    }
    if told.newest > mark.coverage.high {
        mark.last_event_hash = told.last_event_hash;
    }
    mark.coverage.seen(told.newest);
    mark.go_on_at(told.cursor);
    if mark == before {
        return Ok(Journal::default());
    }
    mark.save(tx, now).await?;
    Ok(written(job, source_id, &mark, now))
}

/// What was read joins what is covered; where nothing is yet, and no start is told, the coverage begins at its end.
fn cover(mark: &mut Mark, told: &ReadUpTo) {
    let start = told.start.or(mark.coverage.low()).unwrap_or(told.end);
    match Window::between(start, told.end) {
        Some(window) => mark.coverage.live(window),
        None => {
            mark.coverage.run.get_or_insert(Run { from: told.end, low: told.end });
        }
    }
}

fn written(job: &Job, source_id: &SourceId, mark: &Mark, now: Micros) -> Journal {
    const KIND: &str = "orch.watermark.advanced";
    let data = json!({
        "sourceId": source_id,
        "lowWatermark": mark.coverage.low(),
        "coverageFrom": mark.coverage.run.map(|run| run.from),
        "highWatermark": mark.coverage.high,
        "gaps": mark.coverage.gaps.len(),
    });
    let subject = job.worker_id.as_ref().map_or_else(|| "worker".to_owned(), ToString::to_string);
    let mut journal = Journal::default();
    journal.enter(
        &job.tenant,
        Draft {
            job_id: Some(job.job_id.clone()),
            run_id: None,
            entity: "watermark",
            kind: KIND.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: Actor { subject, scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: job.correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        &job.tenant,
        Tiding {
            kind: KIND.to_owned(),
            entity: "watermark",
            id: source_id.as_str().to_owned(),
            run_id: None,
            correlation_id: job.correlation_id.clone(),
            at: now,
            data,
        },
    );
    journal
}
