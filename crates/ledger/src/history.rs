//! The history: entries are added and read, never changed. The engine numbers and hashes them.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use crate::set::{execute_for, json};
use serde::Serialize;
use stella_contract::history::{Actor, HistoryEntry};
use stella_contract::ids::{EventId, JobId, RunId, Tenant};
use stella_contract::time::Micros;

#[derive(Serialize)]
struct NewRow<'a> {
    seq: i64,
    event_id: &'a str,
    job_key: Option<i64>,
    job_id: Option<&'a str>,
    run_id: Option<&'a str>,
    entity: &'a str,
    kind: &'a str,
    from_state: Option<&'a str>,
    to_state: Option<&'a str>,
    attempt: Option<i32>,
    lease_epoch: Option<i64>,
    subject: &'a str,
    scopes: String,
    reason: Option<&'a str>,
    ticket: Option<&'a str>,
    correlation_id: &'a str,
    occurred_at: i64,
    data_digest: &'a str,
    data: String,
    prev_hash: &'a str,
    hash: &'a str,
}

const APPEND: Sql = Sql {
    sqlite: "
        insert into history (tenant, seq, event_id, job_key, job_id, run_id, entity, type, from_state, to_state,
            attempt, lease_epoch, subject, scopes, reason, ticket, correlation_id, occurred_at, data_digest, data,
            prev_hash, hash)
        select $1, value ->> 'seq', value ->> 'event_id', value ->> 'job_key', value ->> 'job_id',
            value ->> 'run_id', value ->> 'entity', value ->> 'kind', value ->> 'from_state', value ->> 'to_state',
            value ->> 'attempt', value ->> 'lease_epoch', value ->> 'subject', value ->> 'scopes',
            value ->> 'reason', value ->> 'ticket', value ->> 'correlation_id', value ->> 'occurred_at',
            value ->> 'data_digest', value ->> 'data', value ->> 'prev_hash', value ->> 'hash'
        from json_each($2)",
    postgres: "
        insert into history (tenant, seq, event_id, job_key, job_id, run_id, entity, type, from_state, to_state,
            attempt, lease_epoch, subject, scopes, reason, ticket, correlation_id, occurred_at, data_digest, data,
            prev_hash, hash)
        select $1, seq, event_id, job_key, job_id, run_id, entity, kind, from_state, to_state, attempt,
            lease_epoch, subject, scopes, reason, ticket, correlation_id, occurred_at, data_digest, data, prev_hash,
            hash
        from json_to_recordset($2::json) as new (seq bigint, event_id text, job_key bigint, job_id text,
            run_id text, entity text, kind text, from_state text, to_state text, attempt bigint,
            lease_epoch bigint, subject text, scopes text, reason text, ticket text, correlation_id text,
            occurred_at bigint, data_digest text, data text, prev_hash text, hash text)",
};

/// Adds numbered and hashed entries; their tip is moved by [`crate::chains::move_tip`] in the same transaction.
pub async fn append_many(tx: &mut Tx, tenant: &Tenant, entries: &[HistoryEntry]) -> Result<(), LedgerError> {
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        rows.push(NewRow {
            seq: entry.seq,
            event_id: entry.event_id.as_str(),
            job_key: entry.job_id.as_ref().map(crate::key_of),
            job_id: entry.job_id.as_ref().map(JobId::as_str),
            run_id: entry.run_id.as_ref().map(RunId::as_str),
            entity: &entry.entity,
            kind: &entry.kind,
            from_state: entry.from_state.as_deref(),
            to_state: entry.to_state.as_deref(),
            attempt: entry.attempt,
            lease_epoch: entry.lease_epoch,
            subject: &entry.actor.subject,
            scopes: json(&entry.actor.scopes)?,
            reason: entry.reason.as_deref(),
            ticket: entry.ticket.as_deref(),
            correlation_id: &entry.correlation_id,
            occurred_at: entry.occurred_at.0,
            data_digest: &entry.data_digest,
            data: json(&entry.data)?,
            prev_hash: &entry.prev_hash,
            hash: &entry.hash,
        });
    }
    execute_for(tx, APPEND, tenant.as_str(), json(&rows)?).await
}

/// The columns of `history`.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    seq: i64,
    event_id: String,
    job_id: Option<String>,
    run_id: Option<String>,
    entity: String,
    r#type: String,
    from_state: Option<String>,
    to_state: Option<String>,
    attempt: Option<i64>,
    lease_epoch: Option<i64>,
    subject: String,
    scopes: String,
    reason: Option<String>,
    ticket: Option<String>,
    correlation_id: String,
    occurred_at: i64,
    data_digest: String,
    data: String,
    prev_hash: String,
    hash: String,
}

impl TryFrom<Row> for HistoryEntry {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.seq.to_string();
        let cell = Cell { table: "history", id: &id };
        Ok(Self {
            seq: row.seq,
            event_id: cell.word::<EventId>("event_id", row.event_id)?,
            job_id: cell.maybe("job_id", row.job_id)?,
            run_id: cell.maybe("run_id", row.run_id)?,
            entity: row.entity,
            kind: row.r#type,
            from_state: row.from_state,
            to_state: row.to_state,
            attempt: row.attempt.map(|attempt| cell.small("attempt", attempt)).transpose()?,
            lease_epoch: row.lease_epoch,
            actor: Actor { subject: row.subject, scopes: cell.json("scopes", &row.scopes)? },
            reason: row.reason,
            ticket: row.ticket,
            correlation_id: row.correlation_id,
            occurred_at: Micros(row.occurred_at),
            data_digest: row.data_digest,
            data: cell.json("data", &row.data)?,
            prev_hash: row.prev_hash,
            hash: row.hash,
        })
    }
}

/// Whose entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The whole chain.
    Everything,
    /// A job's.
    Job(JobId),
    /// A run's, its jobs' included.
    Run(RunId),
}

fn of(tenant: &Tenant, about: &About, columns: &'static str) -> Query {
    let mut query = Query::new(columns);
    query.push(" from history where tenant = ").bind(tenant.as_str());
    match about {
        About::Everything => {}
        About::Job(id) => {
            query.push(" and job_key = ").bind(crate::key_of(id)).push(" and job_id = ").bind(id.as_str());
        }
        About::Run(id) => {
            query.push(" and run_id = ").bind(id.as_str());
        }
    }
    query
}

/// Entries newest first, those before number `before`.
pub async fn newest(
    tx: &mut Tx,
    tenant: &Tenant,
    about: &About,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<HistoryEntry>, LedgerError> {
    let mut query = of(tenant, about, "select *");
    if let Some(before) = before {
        query.push(" and seq < ").bind(before);
    }
    query.push(" order by seq desc limit ").bind(limit);
    query.fetch_all::<Row>(tx).await?.into_iter().map(HistoryEntry::try_from).collect()
}

/// How many entries there are.
pub async fn count(tx: &mut Tx, tenant: &Tenant, about: &About) -> Result<i64, LedgerError> {
    of(tenant, about, "select count(*)").fetch_count(tx).await
}

/// Entries oldest first, those after number `after`; for walking the chain.
pub async fn oldest(
    tx: &mut Tx,
    tenant: &Tenant,
    about: &About,
    after: i64,
    limit: i64,
) -> Result<Vec<HistoryEntry>, LedgerError> {
    let mut query = of(tenant, about, "select *");
    query.push(" and seq > ").bind(after).push(" order by seq limit ").bind(limit);
    query.fetch_all::<Row>(tx).await?.into_iter().map(HistoryEntry::try_from).collect()
}
