//! Service level objectives.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use crate::record::Cell;
use sqlx::FromRow;
use stella_contract::ids::{SloId, Tenant};
use stella_contract::slo::{BurnTier, Sli};
use stella_contract::time::Micros;

/// An objective as it lies in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct SloRow {
    /// Its id.
    pub slo_id: SloId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name.
    pub name: String,
    /// What is counted.
    pub sli: Sli,
    /// The share that must go well.
    pub target: f64,
    /// The days over which the budget is counted.
    pub window_days: i32,
    /// How long a job may wait.
    pub threshold_ms: Option<i64>,
    /// Only jobs of this type.
    pub job_type: Option<String>,
    /// Whether it is watched.
    pub enabled: bool,
    /// The tier that the watch last saw, and since when it saw any.
    pub burning: Option<(BurnTier, Micros)>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
    /// Rises with every change.
    pub version: i64,
}

/// The columns of `slos`.
#[derive(Debug, FromRow)]
struct Row {
    slo_id: String,
    tenant: String,
    name: String,
    sli: String,
    target: f64,
    window_days: i64,
    threshold_ms: Option<i64>,
    job_type: Option<String>,
    enabled: i64,
    tier: Option<String>,
    burning_since: Option<i64>,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl TryFrom<Row> for SloRow {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.slo_id.clone();
        let cell = Cell { table: "slos", id: &id };
        let tier: Option<BurnTier> = cell.maybe("tier", row.tier)?;
        Ok(Self {
            slo_id: cell.word("slo_id", row.slo_id)?,
            tenant: cell.word("tenant", row.tenant)?,
            name: row.name,
            sli: cell.word("sli", row.sli)?,
            target: row.target,
            window_days: cell.small("window_days", row.window_days)?,
            threshold_ms: row.threshold_ms,
            job_type: row.job_type,
            enabled: row.enabled != 0,
            burning: tier.zip(row.burning_since.map(Micros)),
            created_by: row.created_by,
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
            version: row.version,
        })
    }
}

const COLUMNS: &str = "
    select slo_id, tenant, name, sli, target, window_days, threshold_ms, job_type, enabled, tier, burning_since,
        created_by, created_at, updated_at, version
    from slos
    where tenant = ";

/// Objectives by name, those after this name and id.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<SloRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.bind(tenant.as_str());
    if let Some((name, id)) = after {
        query.push(" and (name, slo_id) > (").bind(name.as_str()).push(", ").bind(id.as_str()).push(")");
    }
    query.push(" order by name, slo_id limit ").bind(limit);
    query.fetch_all::<Row>(tx).await?.into_iter().map(SloRow::try_from).collect()
}

/// How many there are.
pub async fn count(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from slos where tenant = ");
    query.bind(tenant.as_str());
    query.fetch_count(tx).await
}

/// One objective.
pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &SloId) -> Result<Option<SloRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.bind(tenant.as_str()).push(" and slo_id = ").bind(id.as_str());
    query.fetch_optional::<Row>(tx).await?.map(SloRow::try_from).transpose()
}

const INSERT: Sql = Sql::both(
    "insert into slos (slo_id, tenant, name, sli, target, window_days, threshold_ms, job_type, enabled, created_by,
        created_at, updated_at, version)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
);

/// Writes down an objective; a name that is taken is refused by the table.
pub async fn insert(tx: &mut Tx, row: &SloRow) -> Result<(), LedgerError> {
    let text = INSERT.text(tx);
    on_db!(tx, connection => {
        sqlx::query(text)
            .bind(row.slo_id.as_str())
            .bind(row.tenant.as_str())
            .bind(&row.name)
            .bind(row.sli.as_str())
            .bind(row.target)
            .bind(i64::from(row.window_days))
            .bind(row.threshold_ms)
            .bind(&row.job_type)
            .bind(i64::from(row.enabled))
            .bind(&row.created_by)
            .bind(row.created_at.0)
            .bind(row.updated_at.0)
            .bind(row.version)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

const UPDATE: Sql = Sql::both(
    "update slos
    set name = $3, target = $4, window_days = $5, threshold_ms = $6, enabled = $7, tier = $8, burning_since = $9,
        updated_at = $10, version = version + 1
    where tenant = $1 and slo_id = $2 and version = $11",
);

/// Writes the row as it is now, if it still has the version it was read with; whether it had.
pub async fn update(tx: &mut Tx, row: &SloRow) -> Result<bool, LedgerError> {
    let text = UPDATE.text(tx);
    let changed = on_db!(tx, connection => {
        sqlx::query(text)
            .bind(row.tenant.as_str())
            .bind(row.slo_id.as_str())
            .bind(&row.name)
            .bind(row.target)
            .bind(i64::from(row.window_days))
            .bind(row.threshold_ms)
            .bind(i64::from(row.enabled))
            .bind(row.burning.map(|(tier, _)| tier.as_str()))
            .bind(row.burning.map(|(_, since)| since.0))
            .bind(row.updated_at.0)
            .bind(row.version)
            .execute(connection)
            .await?
            .rows_affected()
    });
    Ok(changed == 1)
}

const DELETE: Sql = Sql::both("delete from slos where tenant = $1 and slo_id = $2");

/// Takes an objective away; whether it was there.
pub async fn delete(tx: &mut Tx, tenant: &Tenant, id: &SloId) -> Result<bool, LedgerError> {
    let text = DELETE.text(tx);
    let changed = on_db!(tx, connection => {
        sqlx::query(text).bind(tenant.as_str()).bind(id.as_str()).execute(connection).await?.rows_affected()
    });
    Ok(changed == 1)
}

const SEED: Sql = Sql::both(
    "insert into slo_seeds (tenant, seeded_at)
    values ($1, $2)
    on conflict do nothing",
);

/// Notes that the tenant gets its first objectives; false when it got them before.
pub async fn seed(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<bool, LedgerError> {
    let text = SEED.text(tx);
    let changed = on_db!(tx, connection => {
        sqlx::query(text).bind(tenant.as_str()).bind(now.0).execute(connection).await?.rows_affected()
    });
    Ok(changed == 1)
}
