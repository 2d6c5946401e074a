//! The live feed: one event per change of a thing, numbered gap-free per tenant. [`crate::book`] adds to it.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::on_db;
use crate::record::Cell;
use stella_contract::event::FeedEvent;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;

/// The columns of `feed`.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    seq: i64,
    r#type: String,
    entity: String,
    id: String,
    run_id: Option<String>,
    correlation_id: String,
    at: i64,
    data: String,
}

const SINCE: &str = "
    select seq, type, entity, id, run_id, correlation_id, at, data
    from feed
    where tenant = $1
      and seq > $2
    order by seq
    limit $3";

/// Events after number `after`, oldest first.
pub async fn since(
    tx: &mut Tx,
    tenant: &Tenant,
    after: i64,
    limit: i64,
) -> Result<Vec<FeedEvent>, LedgerError> {
    let rows: Vec<Row> = on_db!(tx, connection => {
        sqlx::query_as(SINCE).bind(tenant.as_str()).bind(after).bind(limit).fetch_all(connection).await?
    });
    events(rows, tenant)
}

fn events(rows: Vec<Row>, tenant: &Tenant) -> Result<Vec<FeedEvent>, LedgerError> {
    rows.into_iter()
        .map(|row| {
            let id = row.seq.to_string();
            let cell = Cell { table: "feed", id: &id };
            Ok(FeedEvent {
                seq: row.seq,
                kind: row.r#type,
                entity: row.entity,
                run_id: cell.maybe("run_id", row.run_id)?,
                tenant: tenant.clone(),
                correlation_id: row.correlation_id,
                at: Micros(row.at),
                data: cell.json("data", &row.data)?,
                id: row.id,
            })
        })
        .collect()
}

const OF_RUNS: &str = "
    select seq, type, entity, id, run_id, correlation_id, at, data
    from feed
    where tenant = $1
      and seq < $2
      and entity = 'run'
      and type <> 'scheduler.run.progressed'
    order by seq desc
    limit $3";

/// What runs went through before number `before`, the newest first; progress within a state is left out.
pub async fn of_runs(
    tx: &mut Tx,
    tenant: &Tenant,
    before: i64,
    limit: i64,
) -> Result<Vec<FeedEvent>, LedgerError> {
    let rows: Vec<Row> = on_db!(tx, connection => {
        sqlx::query_as(OF_RUNS).bind(tenant.as_str()).bind(before).bind(limit).fetch_all(connection).await?
    });
    events(rows, tenant)
}

const OLDEST: &str = "select min(seq) from feed where tenant = $1";

/// The oldest event that is still kept.
pub async fn oldest(tx: &mut Tx, tenant: &Tenant) -> Result<Option<i64>, LedgerError> {
    let (seq,): (Option<i64>,) = on_db!(tx, connection => {
        sqlx::query_as(OLDEST).bind(tenant.as_str()).fetch_one(connection).await?
    });
    Ok(seq)
}

const TRIM: &str = "
    delete from feed
    where tenant = $1
      and seq <= (select feed_seq from chains where chains.tenant = $1) - $2";

/// Forgets all but the newest `keep` events; how many were forgotten.
pub async fn trim(tx: &mut Tx, tenant: &Tenant, keep: i64) -> Result<u64, LedgerError> {
    Ok(on_db!(tx, connection => {
        sqlx::query(TRIM).bind(tenant.as_str()).bind(keep).execute(connection).await?.rows_affected()
    }))
}
