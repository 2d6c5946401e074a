//! The history as it is read. Entries are added by [`crate::book`] and never changed.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use stella_contract::history::{Actor, HistoryEntry};
use stella_contract::ids::{EventId, JobId, RunId, Tenant};
use stella_contract::time::Micros;

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

/// How many entries there are, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &Tenant, about: &About) -> Result<Option<i64>, LedgerError> {
    of(tenant, about, "select 1").fetch_total(tx).await
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
