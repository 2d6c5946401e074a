//! Incidents, and what stuck jobs and stalled pools are judged by.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use crate::record::Cell;
use crate::set::{execute, json};
use serde::Serialize;
use sqlx::FromRow;
use stella_contract::ids::{IncidentId, Tenant};
use stella_contract::incident::{Ack, Incident, IncidentFilter, IncidentKind, IncidentLink};
use stella_contract::time::Micros;

/// The columns of `incidents`.
#[derive(Debug, Clone, FromRow)]
struct Row {
    key: i64,
    incident_id: String,
    tenant: String,
    kind: String,
    severity: String,
    state: String,
    opened_at: i64,
    last_seen_at: i64,
    seen: i64,
    threshold: i64,
    subject: String,
    reason_code: String,
    summary: String,
    links: String,
    ack_by: Option<String>,
    ack_at: Option<i64>,
    note: Option<String>,
    calm_since: Option<i64>,
    cleared_at: Option<i64>,
    resolved_at: Option<i64>,
    resolved_by: Option<String>,
    version: i64,
}

/// An incident with what only the engine needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRecord {
    /// Its row key.
    pub key: i64,
    /// The incident.
    pub incident: Incident,
    /// The number from which it came up.
    pub threshold: i64,
    /// Since when the number has been below half of that.
    pub calm_since: Option<Micros>,
}

impl TryFrom<Row> for IncidentRecord {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.incident_id.clone();
        let cell = Cell { table: "incidents", id: &id };
        let kind: IncidentKind = cell.word("kind", row.kind)?;
        let links: Vec<IncidentLink> = cell.json("links", &row.links)?;
        let ack = row.ack_by.zip(row.ack_at).map(|(by, at)| Ack { by, at: Micros(at) });
        let incident = Incident {
            incident_id: cell.word("incident_id", row.incident_id)?,
            tenant: cell.word("tenant", row.tenant)?,
            kind,
            alert_name: kind.alert_name().to_owned(),
            severity: cell.word("severity", row.severity)?,
            state: cell.word("state", row.state)?,
            opened_at: Micros(row.opened_at),
            last_seen_at: Micros(row.last_seen_at),
            count: row.seen,
            subject: row.subject,
            reason_code: row.reason_code,
            summary: row.summary,
            links,
            ack,
            note: row.note,
            cleared_at: row.cleared_at.map(Micros),
            resolved_at: row.resolved_at.map(Micros),
            resolved_by: row.resolved_by,
            version: row.version,
        };
        Ok(Self { key: row.key, incident, threshold: row.threshold, calm_since: row.calm_since.map(Micros) })
    }
}

fn records(rows: Vec<Row>) -> Result<Vec<IncidentRecord>, LedgerError> {
    rows.into_iter().map(IncidentRecord::try_from).collect()
}

/// The row key of an incident.
pub fn key_of(id: &IncidentId) -> i64 {
    crate::key::key_of_uuid(id.uuid())
}

/// Writes the incident, whether it is new or was there before.
pub async fn put(tx: &mut Tx, record: &IncidentRecord) -> Result<(), LedgerError> {
    let incident = &record.incident;
    let mut query = Query::new(
        "insert into incidents (key, incident_id, tenant, kind, severity, state, opened_at, last_seen_at, seen, threshold,
            subject, reason_code, summary, links, ack_by, ack_at, note, calm_since, cleared_at, resolved_at, resolved_by,
            version)
        values ",
    );
    query.bind_list([
        record.key.into(),
        incident.incident_id.as_str().into(),
        incident.tenant.as_str().into(),
        incident.kind.as_str().into(),
        incident.severity.as_str().into(),
        incident.state.as_str().into(),
        incident.opened_at.0.into(),
        incident.last_seen_at.0.into(),
        incident.count.into(),
        record.threshold.into(),
        incident.subject.as_str().into(),
        incident.reason_code.as_str().into(),
        incident.summary.as_str().into(),
        json(&incident.links)?.into(),
        incident.ack.as_ref().map(|ack| ack.by.as_str()).into(),
        incident.ack.as_ref().map(|ack| ack.at.0).into(),
        incident.note.as_deref().into(),
        record.calm_since.map(|at| at.0).into(),
        incident.cleared_at.map(|at| at.0).into(),
        incident.resolved_at.map(|at| at.0).into(),
        incident.resolved_by.as_deref().into(),
        crate::query::Value::from(incident.version),
    ]);
    query.push(
        " on conflict (key) do update
        set severity = excluded.severity, state = excluded.state, last_seen_at = excluded.last_seen_at,
            seen = excluded.seen, threshold = excluded.threshold, reason_code = excluded.reason_code,
            summary = excluded.summary, links = excluded.links, ack_by = excluded.ack_by, ack_at = excluded.ack_at,
            note = excluded.note, calm_since = excluded.calm_since, cleared_at = excluded.cleared_at,
            resolved_at = excluded.resolved_at, resolved_by = excluded.resolved_by, version = excluded.version",
    );
    query.execute(tx).await?;
    tx.note_work();
    Ok(())
}

/// The incident, when it is there and of this tenant.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &IncidentId,
) -> Result<Option<IncidentRecord>, LedgerError> {
    let mut query = Query::new("select * from incidents where key = ");
    query.bind(key_of(id)).push(" and tenant = ").bind(tenant.as_str());
    query.push(" and incident_id = ").bind(id.as_str());
    query.fetch_optional::<Row>(tx).await?.map(IncidentRecord::try_from).transpose()
}

/// Incidents that hold their place: their condition is there, or they are not over; of these kinds.
pub async fn live(
    tx: &mut Tx,
    tenant: &Tenant,
    kinds: &[IncidentKind],
) -> Result<Vec<IncidentRecord>, LedgerError> {
    let mut query =
        Query::new("select * from incidents where (cleared_at is null or state <> 'resolved') and tenant = ");
    query.bind(tenant.as_str()).push(" and kind in ").bind_list(kinds.iter().map(|kind| kind.as_str()));
    query.push(" order by key");
    records(query.fetch_all(tx).await?)
}

/// The incident that holds this place.
pub async fn at(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: IncidentKind,
    subject: &str,
) -> Result<Option<IncidentRecord>, LedgerError> {
    let mut query =
        Query::new("select * from incidents where (cleared_at is null or state <> 'resolved') and tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.push(" and subject = ").bind(subject);
    query.fetch_optional::<Row>(tx).await?.map(IncidentRecord::try_from).transpose()
}

/// The newest matching incidents, those with row keys below `before`. A row key holds the time of opening.
pub async fn newest(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &IncidentFilter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<IncidentRecord>, LedgerError> {
    let mut query = matching("select *", tenant, filter);
    if let Some(before) = before {
        query.push(" and key < ").bind(before);
    }
    query.push(" order by key desc limit ").bind(limit);
    records(query.fetch_all(tx).await?)
}

/// How many incidents match, as far as a list counts.
pub async fn total(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &IncidentFilter,
) -> Result<Option<i64>, LedgerError> {
    matching("select 1", tenant, filter).fetch_total(tx).await
}

fn matching(columns: &'static str, tenant: &Tenant, filter: &IncidentFilter) -> Query {
    let mut query = Query::new(columns);
    query.push(" from incidents where tenant = ").bind(tenant.as_str());
    if let Some(state) = filter.state {
        query.push(" and state = ").bind(state.as_str());
    }
    if let Some(kind) = filter.kind {
        query.push(" and kind = ").bind(kind.as_str());
    }
    if let Some(severity) = filter.severity {
        query.push(" and severity = ").bind(severity.as_str());
    }
    if let Some(subject) = &filter.subject {
        query.push(" and subject = ").bind(subject.as_str());
    }
    if let Some(unresolved) = filter.unresolved {
        query.push(if unresolved { " and state <> 'resolved'" } else { " and state = 'resolved'" });
    }
    query
}

/// Forgets incidents that were over before then; how many there were.
pub async fn forget(tx: &mut Tx, resolved_before: Micros) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from incidents where state = 'resolved' and cleared_at is not null and resolved_at < ",
    );
    query.bind(resolved_before.0);
    query.execute(tx).await
}

const NOTE_EXPIRIES: Sql = Sql {
    sqlite: "
        insert into lease_expiries (at, tenant, pool, job_key)
        select $1, jobs.tenant, coalesce(workers.name, jobs.worker_id, ''), jobs.key
        from jobs
        left join workers on workers.worker_id = jobs.worker_id
        where jobs.key in (select value from json_each($2))
        on conflict do nothing",
    postgres: "
        insert into lease_expiries (at, tenant, pool, job_key)
        select $1, jobs.tenant, coalesce(workers.name, jobs.worker_id, ''), jobs.key
        from jobs
        left join workers on workers.worker_id = jobs.worker_id
        where jobs.key in (select value::bigint from json_array_elements_text($2::json))
        on conflict do nothing",
};

/// Notes that the leases of these jobs expired just now. A pool is the workers of one name.
pub async fn note_expiries(tx: &mut Tx, keys: &[i64], now: Micros) -> Result<(), LedgerError> {
    let (text, keys) = (NOTE_EXPIRIES.text(tx), json(keys)?);
    on_db!(tx, connection => {
        sqlx::query(text).bind(now.0).bind(keys).execute(connection).await.map(|_| ())
    })?;
    Ok(())
}

/// Leases that expired after then, by tenant and pool; what expired earlier is forgotten.
pub async fn expiries(tx: &mut Tx, since: Micros) -> Result<Vec<(String, String, i64)>, LedgerError> {
    let mut query = Query::new("select tenant, pool, count(*) from lease_expiries where at > ");
    query.bind(since.0).push(" group by tenant, pool order by tenant, pool");
    query.fetch_all(tx).await
}

/// Forgets the leases that expired before then.
pub async fn forget_expiries(tx: &mut Tx, before: Micros) -> Result<u64, LedgerError> {
    let mut query = Query::new("delete from lease_expiries where at < ");
    query.bind(before.0);
    query.execute(tx).await
}

/// A running job and what is known of its progress.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct RunningRow {
    /// Its row key.
    pub key: i64,
    /// Its id.
    pub job_id: String,
    /// Whose it is.
    pub tenant: String,
    /// What it does.
    pub job_type: String,
    /// The lease it runs under.
    pub lease_epoch: i64,
    /// When the attempt started.
    pub attempt_started_at: i64,
    /// How far it is.
    pub progress: f64,
    /// Items done.
    pub processed: i64,
    /// What it is doing.
    pub progress_message: Option<String>,
    /// The lease under which it was last marked.
    pub marked_epoch: Option<i64>,
    /// What it was last seen at.
    pub mark: Option<String>,
    /// Since when it has been there.
    pub seen_at: Option<i64>,
}

const RUNNING: &str = "
    select jobs.key, jobs.job_id, jobs.tenant, jobs.job_type, jobs.lease_epoch, jobs.attempt_started_at, jobs.progress,
        jobs.processed, jobs.progress_message, watched_jobs.lease_epoch as marked_epoch, watched_jobs.mark,
        watched_jobs.seen_at
    from jobs
    left join watched_jobs on watched_jobs.key = jobs.key
    where jobs.lease_until is not null
      and jobs.attempt_started_at is not null
      and jobs.state = 'running'
    order by jobs.key";

/// The running jobs.
pub async fn running(tx: &mut Tx) -> Result<Vec<RunningRow>, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(RUNNING).fetch_all(connection).await?))
}

/// What a running job was seen at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its row key.
    pub key: i64,
    /// The lease it runs under.
    pub lease_epoch: i64,
    /// How far it is.
    pub mark: String,
    /// Since when.
    pub seen_at: i64,
}

const MARK: Sql = Sql {
    sqlite: "
        insert into watched_jobs (key, lease_epoch, mark, seen_at)
        select value ->> 'key', value ->> 'lease_epoch', value ->> 'mark', value ->> 'seen_at'
        from json_each($1)
        where true
        on conflict (key) do update
        set lease_epoch = excluded.lease_epoch, mark = excluded.mark, seen_at = excluded.seen_at",
    postgres: "
        insert into watched_jobs (key, lease_epoch, mark, seen_at)
        select key, lease_epoch, mark, seen_at
        from json_to_recordset($1::json) as new (key bigint, lease_epoch bigint, mark text, seen_at bigint)
        on conflict (key) do update
        set lease_epoch = excluded.lease_epoch, mark = excluded.mark, seen_at = excluded.seen_at",
};

const UNMARK: &str = "
    delete from watched_jobs
    where key not in (select key from jobs where lease_until is not null and state = 'running')";

/// Marks how far running jobs are and forgets those that no longer run.
pub async fn mark_many(tx: &mut Tx, marks: &[Mark]) -> Result<(), LedgerError> {
    if !marks.is_empty() {
        execute(tx, MARK, json(marks)?).await?;
    }
    tx.run(UNMARK).await
}

/// How long the newest successful jobs of a type ran, in microseconds, of those made since then.
pub async fn durations(
    tx: &mut Tx,
    tenant: &str,
    job_type: &str,
    since_key: i64,
    limit: i64,
) -> Result<Vec<i64>, LedgerError> {
    let mut query =
        Query::new("select ended_at - coalesce(attempt_started_at, started_at) from jobs where key >= ");
    query.bind(since_key).push(" and tenant = ").bind(tenant).push(" and job_type = ").bind(job_type);
    query.push(" and state = 'succeeded' and ended_at is not null and started_at is not null order by key desc limit ");
    query.bind(limit);
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(duration,)| duration).collect())
}
