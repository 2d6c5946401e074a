//! Change-sets: one verb on a selection, from the dry run to its end. Their items are in `change_items`.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use crate::set::json;
use sqlx::FromRow;
use stella_contract::change_set::{
    ChangeOptions, ChangeParameters, ChangeProgress, ChangeSet, ChangeSetState, DryRun, Selection,
};
use stella_contract::history::Actor;
use stella_contract::ids::{ChangeSetId, Tenant};
use stella_contract::job::Cause;
use stella_contract::time::Micros;

/// A change-set with what only the engine needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSetRecord {
    /// Its row key.
    pub set_key: i64,
    /// The change-set.
    pub set: ChangeSet,
    /// The scopes of the one who started it.
    pub scopes: Vec<String>,
    /// Binds what it does together.
    pub correlation_id: String,
    /// Items up to this position have been reached.
    pub reached: i64,
    /// Whether the first items have been judged.
    pub first_passed: bool,
    /// Since when the pace counts.
    pub paced_from: Option<Micros>,
    /// Items reached since then.
    pub paced: i64,
}

impl ChangeSetRecord {
    /// Who started it, as the history names it.
    pub fn actor(&self) -> Actor {
        let subject = self.set.started_by.clone().unwrap_or_else(|| self.set.created_by.clone());
        Actor { subject, scopes: self.scopes.clone() }
    }
    /// Why it was started.
    pub fn cause(&self) -> Cause {
        Cause { reason: self.set.reason.clone(), ticket: self.set.ticket.clone() }
    }
}

#[derive(Debug, FromRow)]
struct Row {
    set_key: i64,
    change_set_id: String,
    tenant: String,
    verb: String,
    state: String,
    selection: String,
    parameters: String,
    options: String,
    dry_run: String,
    selection_hash: String,
    waiting: i64,
    done: i64,
    skipped: i64,
    failed: i64,
    reached: i64,
    first_passed: i64,
    paced_from: Option<i64>,
    paced: i64,
    notice: Option<String>,
    created_by: String,
    created_at: i64,
    started_by: Option<String>,
    scopes: Option<String>,
    reason: Option<String>,
    ticket: Option<String>,
    correlation_id: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    version: i64,
}

impl TryFrom<Row> for ChangeSetRecord {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.change_set_id.clone();
        let cell = Cell { table: "change_sets", id: &id };
        let set = ChangeSet {
            change_set_id: cell.word::<ChangeSetId>("change_set_id", row.change_set_id)?,
            tenant: cell.word("tenant", row.tenant)?,
            verb: cell.word("verb", row.verb)?,
            state: cell.word("state", row.state)?,
            selection: cell.json::<Selection>("selection", &row.selection)?,
            parameters: cell.json::<ChangeParameters>("parameters", &row.parameters)?,
            options: cell.json::<ChangeOptions>("options", &row.options)?,
            dry_run: cell.json::<DryRun>("dry_run", &row.dry_run)?,
            selection_hash: row.selection_hash,
            progress: ChangeProgress {
                waiting: row.waiting,
                done: row.done,
                skipped: row.skipped,
                failed: row.failed,
            },
            notice: row.notice,
            created_by: row.created_by,
            created_at: Micros(row.created_at),
            started_by: row.started_by,
            reason: row.reason,
            ticket: row.ticket,
            started_at: row.started_at.map(Micros),
            ended_at: row.ended_at.map(Micros),
            version: row.version,
        };
        let scopes = match &row.scopes {
            Some(scopes) => cell.json("scopes", scopes)?,
            None => Vec::new(),
        };
        Ok(Self {
            set_key: row.set_key,
            set,
            scopes,
            correlation_id: row.correlation_id.unwrap_or_default(),
            reached: row.reached,
            first_passed: row.first_passed != 0,
            paced_from: row.paced_from.map(Micros),
            paced: row.paced,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<ChangeSetRecord>, LedgerError> {
    rows.into_iter().map(ChangeSetRecord::try_from).collect()
}

/// Writes a new change-set down.
pub async fn insert(tx: &mut Tx, record: &ChangeSetRecord) -> Result<(), LedgerError> {
    let set = &record.set;
    let mut query = Query::new(
        "insert into change_sets (set_key, change_set_id, tenant, verb, state, selection, parameters, options,
            dry_run, selection_hash, waiting, done, skipped, failed, reached, first_passed, paced, created_by,
            created_at, version)
        values ",
    );
    let is_postgres = tx.is_postgres();
    query.bind_row(
        vec![
            record.set_key.into(),
            set.change_set_id.as_str().into(),
            set.tenant.as_str().into(),
            set.verb.as_str().into(),
            set.state.as_str().into(),
            json(&set.selection)?.into(),
            json(&set.parameters)?.into(),
            json(&set.options)?.into(),
            json(&set.dry_run)?.into(),
            set.selection_hash.as_str().into(),
            set.progress.waiting.into(),
            0.into(),
            0.into(),
            0.into(),
            0.into(),
            0.into(),
            0.into(),
            set.created_by.as_str().into(),
            set.created_at.0.into(),
            1.into(),
        ],
        is_postgres,
    );
    query.execute(tx).await?;
    Ok(())
}

/// Writes what changed of a change-set down; its version rises by one. Nothing changes when another was faster.
pub async fn update(tx: &mut Tx, record: &ChangeSetRecord) -> Result<bool, LedgerError> {
    let set = &record.set;
    let progress = set.progress;
    let mut query = Query::new("update change_sets set state = ");
    query.bind(set.state.as_str()).push(", waiting = ").bind(progress.waiting);
    query.push(", done = ").bind(progress.done).push(", skipped = ").bind(progress.skipped);
    query.push(", failed = ").bind(progress.failed).push(", reached = ").bind(record.reached);
    query.push(", first_passed = ").bind(i64::from(record.first_passed));
    query
        .push(", paced_from = ")
        .bind(record.paced_from.map(|at| at.0))
        .push(", paced = ")
        .bind(record.paced);
    query.push(", notice = ").bind(set.notice.as_deref());
    query.push(", started_by = ").bind(set.started_by.as_deref());
    query.push(", scopes = ").bind(json(&record.scopes)?);
    query.push(", reason = ").bind(set.reason.as_deref()).push(", ticket = ").bind(set.ticket.as_deref());
    query.push(", correlation_id = ").bind(record.correlation_id.as_str());
    query.push(", started_at = ").bind(set.started_at.map(|at| at.0));
    query.push(", ended_at = ").bind(set.ended_at.map(|at| at.0));
    query.push(", version = version + 1 where set_key = ").bind(record.set_key);
    query.push(" and version = ").bind(set.version);
    let changed = query.execute(tx).await?;
    tx.note_work();
    Ok(changed == 1)
}

/// The change-set with this row key.
pub async fn by_key(tx: &mut Tx, set_key: i64) -> Result<Option<ChangeSetRecord>, LedgerError> {
    let mut query = Query::new("select * from change_sets where set_key = ");
    query.bind(set_key);
    query.fetch_optional::<Row>(tx).await?.map(ChangeSetRecord::try_from).transpose()
}

/// The change-set, when it is there and of this tenant.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &ChangeSetId,
) -> Result<Option<ChangeSetRecord>, LedgerError> {
    let found = by_key(tx, crate::key_of_uuid(id.uuid())).await?;
    Ok(found.filter(|record| record.set.change_set_id == *id && record.set.tenant == *tenant))
}

/// The newest change-sets of the tenant, those with row keys below `before`.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    state: Option<ChangeSetState>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ChangeSetRecord>, LedgerError> {
    let mut query = Query::new("select * from change_sets where tenant = ");
    query.bind(tenant.as_str());
    if let Some(state) = state {
        query.push(" and state = ").bind(state.as_str());
    }
    if let Some(before) = before {
        query.push(" and set_key < ").bind(before);
    }
    query.push(" order by set_key desc limit ").bind(limit);
    read(query.fetch_all(tx).await?)
}

/// Row keys of the running change-sets of all tenants, oldest first.
pub async fn running(tx: &mut Tx, limit: i64) -> Result<Vec<i64>, LedgerError> {
    let mut query =
        Query::new("select set_key from change_sets where state = 'running' order by set_key limit ");
    query.bind(limit);
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// When the oldest draft was made.
pub async fn oldest_draft_at(tx: &mut Tx) -> Result<Option<Micros>, LedgerError> {
    let query = Query::new("select min(created_at) from change_sets where state = 'draft'");
    let row: Option<(Option<i64>,)> = query.fetch_optional(tx).await?;
    Ok(row.and_then(|(at,)| at).map(Micros))
}

/// Forgets the oldest draft made before this time, with its items; whether there was one.
pub async fn forget_draft(tx: &mut Tx, before: Micros) -> Result<bool, LedgerError> {
    let mut query = Query::new("select set_key from change_sets where state = 'draft' and created_at < ");
    query.bind(before.0).push(" order by created_at limit 1");
    let Some((set_key,)) = query.fetch_optional::<(i64,)>(tx).await? else { return Ok(false) };
    for table in ["delete from change_set_items where set_key = ", "delete from change_sets where set_key = "]
    {
        let mut query = Query::new(table);
        query.bind(set_key);
        query.execute(tx).await?;
    }
    Ok(true)
}
