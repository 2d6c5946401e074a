//! The dead letter in figures, and what the alerts look at.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;

/// Entries by state and category.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StateRow {
    /// The state.
    pub state: String,
    /// The category.
    pub category: String,
    /// How many.
    pub entries: i64,
    /// How many of those are retryable.
    pub retryable: i64,
    /// How many of those nobody looks after.
    pub unacknowledged: i64,
    /// When the oldest failed for good.
    pub oldest_at: i64,
}

/// The tenant's entries by state and category.
pub async fn by_state(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<StateRow>, LedgerError> {
    states_of(tenant).fetch_all(tx).await
}

fn states_of(tenant: &Tenant) -> Query {
    let mut query = Query::new(
        "select state, category, count(*) as entries, cast(sum(retryable) as bigint) as retryable,
            cast(sum(case when acknowledged_at is null then 1 else 0 end) as bigint) as unacknowledged,
            min(dead_lettered_at) as oldest_at
        from dead_letters
        where tenant = ",
    );
    query.bind(tenant.as_str()).push(" group by state, category order by state, category");
    query
}

/// The cause that most open entries have: fingerprint, how many, key of the newest.
pub async fn most_common(tx: &mut Tx, tenant: &Tenant) -> Result<Option<(String, i64, i64)>, LedgerError> {
    commonest(tenant).fetch_optional(tx).await
}

fn commonest(tenant: &Tenant) -> Query {
    let mut query = Query::new(
        "select fingerprint, count(*) as entries, max(key) from dead_letters where state = 'open' and tenant = ",
    );
    query.bind(tenant.as_str()).push(" group by fingerprint order by entries desc, fingerprint limit 1");
    query
}

/// Entries made since then, by category and hour counted from then.
pub async fn category_hours(
    tx: &mut Tx,
    tenant: &Tenant,
    since: Micros,
) -> Result<Vec<(String, i64, i64)>, LedgerError> {
    let mut query = Query::new("select category, (dead_lettered_at - ");
    query.bind(since.0).push(") / 3600000000 as hour, count(*) from dead_letters where tenant = ");
    query.bind(tenant.as_str()).push(" and dead_lettered_at >= ").bind(since.0);
    query.push(" group by category, hour order by category, hour");
    query.fetch_all(tx).await
}

/// When the newest entry failed for good.
pub async fn newest_at(tx: &mut Tx, tenant: &Tenant) -> Result<Option<Micros>, LedgerError> {
    let mut query = Query::new("select max(dead_lettered_at) from dead_letters where tenant = ");
    query.bind(tenant.as_str());
    let newest: Option<(Option<i64>,)> = query.fetch_optional(tx).await?;
    Ok(newest.and_then(|(at,)| at).map(Micros))
}

/// How many entries are open.
pub async fn open(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from dead_letters where state = 'open' and tenant = ");
    query.bind(tenant.as_str());
    query.fetch_count(tx).await
}

/// Entries made after `since` and up to `until`, by windows of `width` counted back from `until`, as window and count.
pub async fn windows(
    tx: &mut Tx,
    tenant: &Tenant,
    since: Micros,
    until: Micros,
    width: i64,
) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut query = Query::new("select (");
    query.bind(until.0).push(" - dead_lettered_at) / ").bind(width);
    query.push(" as place, count(*) from dead_letters where tenant = ").bind(tenant.as_str());
    query.push(" and dead_lettered_at > ").bind(since.0);
    query.push(" and dead_lettered_at <= ").bind(until.0);
    query.push(" group by place order by place");
    query.fetch_all(tx).await
}

/// Entries of one cause made lately.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CauseRow {
    /// What they share.
    pub fingerprint: String,
    /// How many.
    pub entries: i64,
    /// The key of the newest.
    pub newest_key: i64,
}

/// Entries made after then by cause, the most first.
pub async fn causes(tx: &mut Tx, tenant: &Tenant, since: Micros) -> Result<Vec<CauseRow>, LedgerError> {
    let mut query = Query::new(
        "select fingerprint, count(*) as entries, max(key) as newest_key from dead_letters where tenant = ",
    );
    query.bind(tenant.as_str()).push(" and dead_lettered_at > ").bind(since.0);
    query.push(" group by fingerprint order by entries desc, fingerprint");
    query.fetch_all(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::plan_on_sqlite;

    #[tokio::test]
    async fn the_first_page_of_the_dead_letter_is_counted_without_its_rows() {
        let tenant: Tenant = "acme".parse().unwrap();
        for query in [states_of(&tenant), commonest(&tenant)] {
            let plan = plan_on_sqlite(move |_| Ok(query)).await;
            assert!(plan.contains("USING COVERING INDEX dead_letters_by_"), "{plan}");
        }
    }
}
