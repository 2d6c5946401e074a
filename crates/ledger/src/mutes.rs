//! Causes of dead letters of which nobody is called.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;

/// A mute as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct MuteRow {
    pub tenant: String,
    pub fingerprint: String,
    pub until: Option<i64>,
    pub reason: Option<String>,
    pub ticket: Option<String>,
    pub muted_by: String,
    pub muted_at: i64,
}

/// Writes a mute down, in place of an earlier one of the same cause.
pub async fn put(tx: &mut Tx, row: &MuteRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into cluster_mutes (tenant, fingerprint, until, reason, ticket, muted_by, muted_at) values ",
    );
    query.bind_list(vec![
        crate::Value::from(row.tenant.as_str()),
        row.fingerprint.as_str().into(),
        row.until.into(),
        row.reason.as_deref().into(),
        row.ticket.as_deref().into(),
        row.muted_by.as_str().into(),
        row.muted_at.into(),
    ]);
    query.push(
        " on conflict (tenant, fingerprint) do update set until = excluded.until, reason = excluded.reason,
            ticket = excluded.ticket, muted_by = excluded.muted_by, muted_at = excluded.muted_at",
    );
    query.execute(tx).await?;
    Ok(())
}

/// The tenant's mutes that are in force, by cause.
pub async fn in_force(tx: &mut Tx, tenant: &str, now: i64) -> Result<Vec<MuteRow>, LedgerError> {
    let mut query = Query::new("select * from cluster_mutes where tenant = ");
    query.bind(tenant).push(" and (until is null or until > ").bind(now).push(") order by fingerprint");
    query.fetch_all(tx).await
}

/// Takes a mute away; whether there was one.
pub async fn remove(tx: &mut Tx, tenant: &str, fingerprint: &str) -> Result<bool, LedgerError> {
    let mut query = Query::new("delete from cluster_mutes where tenant = ");
    query.bind(tenant).push(" and fingerprint = ").bind(fingerprint);
    Ok(query.execute(tx).await? == 1)
}
