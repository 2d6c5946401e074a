//! Switches that were turned.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::feature::Feature;

/// A switch that was turned.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FeatureRow {
    /// Its name.
    pub feature: String,
    /// 1 when it is on.
    pub enabled: i64,
    /// When it was last turned.
    pub changed_at: i64,
    /// By whom.
    pub changed_by: String,
    /// How often it was.
    pub version: i64,
}

const ALL: Sql = Sql::both(
    "select feature, enabled, changed_at, changed_by, version
    from features
    order by feature",
);

/// All that were turned.
pub async fn all(tx: &mut Tx) -> Result<Vec<FeatureRow>, LedgerError> {
    let text = ALL.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// Whether it is on: it is, until somebody turns it off.
pub async fn is_on(tx: &mut Tx, feature: Feature) -> Result<bool, LedgerError> {
    let mut query = Query::new("select count(*) from features where enabled = 0 and feature = ");
    query.bind(feature.as_str());
    Ok(query.fetch_count(tx).await? == 0)
}

/// Notes how it stands now; its new version.
pub async fn set(tx: &mut Tx, row: &FeatureRow) -> Result<i64, LedgerError> {
    let mut query =
        Query::new("insert into features (feature, enabled, changed_at, changed_by, version) values (");
    query.bind(row.feature.as_str()).push(", ").bind(row.enabled).push(", ").bind(row.changed_at);
    query.push(", ").bind(row.changed_by.as_str());
    query.push(
        ", 1)
        on conflict (feature) do update set
            enabled = excluded.enabled,
            changed_at = excluded.changed_at,
            changed_by = excluded.changed_by,
            version = features.version + 1
        returning version",
    );
    query.fetch_count(tx).await
}
