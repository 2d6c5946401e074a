//! What events say of a job beside its history entry: who held each lease, when its attempt began, what it left.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::set::json;
use sqlx::FromRow;
use stella_contract::ids::Tenant;

/// A claim or a start of a job.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BeginningRow {
    /// The job's row key.
    pub job_key: i64,
    /// The lease epoch.
    pub lease_epoch: Option<i64>,
    /// `orch.job.leased` or `orch.job.started`.
    pub kind: String,
    /// When.
    pub occurred_at: i64,
    /// The entry's data.
    pub data: String,
}

const BEGINNINGS: Sql = Sql {
    sqlite: "
        select job_key, lease_epoch, type as kind, occurred_at, data
        from history
        where job_key in (select value from json_each($2))
          and tenant = $1
          and type in ('orch.job.leased', 'orch.job.started')
        order by seq",
    postgres: "
        select job_key, lease_epoch, type as kind, occurred_at, data
        from history
        where job_key in (select value::bigint from json_array_elements_text($2::json))
          and tenant = $1
          and type in ('orch.job.leased', 'orch.job.started')
        order by seq",
};

/// The claims and starts of these jobs, oldest first.
pub async fn beginnings(
    tx: &mut Tx,
    tenant: &Tenant,
    keys: &[i64],
) -> Result<Vec<BeginningRow>, LedgerError> {
    let (text, keys) = (BEGINNINGS.text(tx), json(keys)?);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant.as_str()).bind(keys).fetch_all(connection).await?
    }))
}

/// An output of a job.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LeftRow {
    /// The job's row key.
    pub job_key: i64,
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Its size.
    pub size_bytes: i64,
}

const LEFT: Sql = Sql {
    sqlite: "
        select job_key, name, digest, size_bytes
        from artifacts
        where job_key in (select value from json_each($2))
          and tenant = $1
        order by job_key, name",
    postgres: "
        select job_key, name, digest, size_bytes
        from artifacts
        where job_key in (select value::bigint from json_array_elements_text($2::json))
          and tenant = $1
        order by job_key, name",
};

/// What these jobs left.
pub async fn left(tx: &mut Tx, tenant: &Tenant, keys: &[i64]) -> Result<Vec<LeftRow>, LedgerError> {
    let (text, keys) = (LEFT.text(tx), json(keys)?);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant.as_str()).bind(keys).fetch_all(connection).await?
    }))
}
