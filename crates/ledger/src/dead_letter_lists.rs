//! Lists of dead letters: by filter, page by page, and by cause.

use crate::db::Tx;
use crate::dead_letters::{DeadLetterRecord, Row, records};
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::dead_letter::DeadLetterFilter;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;

/// Where a page ended: when its last entry was made, and its row key.
pub type After = (i64, i64);

/// The newest matching entries after this place.
pub async fn newest(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    let mut query = matching("select *", tenant, filter);
    if let Some((at, key)) = after {
        query.push(" and (dead_lettered_at, key) < (").bind(at).push(", ").bind(key).push(")");
    }
    query.push(" order by dead_lettered_at desc, key desc limit ").bind(limit);
    records(query.fetch_all::<Row>(tx).await?)
}

/// The oldest matching entries after this place.
pub async fn oldest(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    oldest_first(tenant, filter, after, limit, "select *").fetch_records(tx).await
}

fn oldest_first(
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    after: Option<After>,
    limit: i64,
    columns: &'static str,
) -> Query {
    let mut query = matching(columns, tenant, filter);
    if let Some((at, key)) = after {
        query.push(" and (dead_lettered_at, key) > (").bind(at).push(", ").bind(key).push(")");
    }
    query.push(" order by dead_lettered_at, key limit ").bind(limit);
    query
}

impl Query {
    async fn fetch_records(self, tx: &mut Tx) -> Result<Vec<DeadLetterRecord>, LedgerError> {
        records(self.fetch_all::<Row>(tx).await?)
    }
}

/// How many entries match, as far as a list counts.
pub async fn total(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
) -> Result<Option<i64>, LedgerError> {
    matching("select 1", tenant, filter).fetch_total(tx).await
}

/// How many entries match, however many.
pub async fn count(tx: &mut Tx, tenant: &Tenant, filter: &DeadLetterFilter) -> Result<i64, LedgerError> {
    matching("select count(*)", tenant, filter).fetch_count(tx).await
}

fn matching(columns: &'static str, tenant: &Tenant, filter: &DeadLetterFilter) -> Query {
    let mut query = Query::new(columns);
    query.push(" from dead_letters where tenant = ").bind(tenant.as_str());
    if let Some(state) = filter.state {
        query.push(" and state = ").bind(state.as_str());
    }
    if let Some(category) = filter.category {
        query.push(" and category = ").bind(category.as_str());
    }
    if let Some(fingerprint) = &filter.fingerprint {
        query.push(" and fingerprint = ").bind(fingerprint.as_str());
    }
    if let Some(job_type) = &filter.job_type {
        query.push(" and job_type = ").bind(job_type.as_str());
    }
    if let Some(source) = &filter.source {
        query.push(" and source_id = ").bind(source.as_str());
    }
    if let Some(run) = &filter.run {
        query.push(" and run_id = ").bind(run.as_str());
    }
    if let Some(host) = &filter.host {
        query.push(" and host = ").bind(host.as_str());
    }
    if let Some(code) = &filter.error_code {
        query.push(" and error_code = ").bind(code.as_str());
    }
    if let Some(retryable) = filter.retryable {
        query.push(" and retryable = ").bind(i64::from(retryable));
    }
    if let Some(acknowledged) = filter.acknowledged {
        query.push(if acknowledged {
            " and acknowledged_at is not null"
        } else {
            " and acknowledged_at is null"
        });
    }
    if let Some(owner) = &filter.owner {
        query.push(" and owner = ").bind(owner.as_str());
    }
    if let Some(since) = filter.since {
        query.push(" and dead_lettered_at >= ").bind(since.0);
    }
    if let Some(until) = filter.until {
        query.push(" and dead_lettered_at < ").bind(until.0);
    }
    if let Some(part) = &filter.q {
        let part = format!("%{}%", escaped(&part.to_lowercase()));
        query.push(" and (lower(error_message) like ").bind(part.as_str());
        query.push(" escape '\\' or lower(error_code) like ").bind(part).push(" escape '\\')");
    }
    query
}

/// The wildcards of `like` as plain letters.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Entries of one cause.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ClusterRow {
    /// What they share.
    pub fingerprint: String,
    /// How many match.
    pub entries: i64,
    /// How many of those are open.
    pub open: i64,
    /// How many of those are retryable.
    pub retryable: i64,
    /// When the oldest failed for good.
    pub first_at: i64,
    /// When the newest failed for good.
    pub last_at: i64,
    /// The key of the newest.
    pub newest_key: i64,
    /// The key of the oldest.
    pub oldest_key: i64,
    /// How many sources there are.
    pub sources: i64,
}

/// Matching entries by cause, the most first.
pub async fn clusters(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<ClusterRow>, LedgerError> {
    by_cause(tenant, filter, after, limit).fetch_all(tx).await
}

fn by_cause(tenant: &Tenant, filter: &DeadLetterFilter, after: Option<(i64, String)>, limit: i64) -> Query {
    let mut query = matching(
        "select fingerprint, count(*) as entries,
            cast(sum(case when state = 'open' then 1 else 0 end) as bigint) as open,
            cast(sum(retryable) as bigint) as retryable, min(dead_lettered_at) as first_at,
            max(dead_lettered_at) as last_at, max(key) as newest_key, min(key) as oldest_key,
            count(distinct source_id) as sources",
        tenant,
        filter,
    );
    query.push(" group by fingerprint");
    if let Some((entries, fingerprint)) = after {
        query.push(" having count(*) < ").bind(entries).push(" or (count(*) = ").bind(entries);
        query.push(" and fingerprint > ").bind(fingerprint).push(")");
    }
    query.push(" order by entries desc, fingerprint limit ").bind(limit);
    query
}

/// How many causes match.
pub async fn count_clusters(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
) -> Result<i64, LedgerError> {
    matching("select count(distinct fingerprint)", tenant, filter).fetch_count(tx).await
}

/// Entries made since then of these causes, by cause and hour counted from then.
pub async fn cause_hours(
    tx: &mut Tx,
    tenant: &Tenant,
    fingerprints: &[String],
    since: Micros,
) -> Result<Vec<(String, i64, i64)>, LedgerError> {
    let mut query = Query::new("select fingerprint, (dead_lettered_at - ");
    query.bind(since.0).push(") / 3600000000 as hour, count(*) from dead_letters where tenant = ");
    query.bind(tenant.as_str()).push(" and dead_lettered_at >= ").bind(since.0);
    query.push(" and fingerprint in ").bind_list(fingerprints.iter().map(String::as_str));
    query.push(" group by fingerprint, hour order by fingerprint, hour");
    query.fetch_all(tx).await
}

/// The sources of matching entries of these causes.
pub async fn cause_sources(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    fingerprints: &[String],
) -> Result<Vec<(String, String)>, LedgerError> {
    let mut query = matching("select distinct fingerprint, source_id", tenant, filter);
    query.push(" and source_id is not null and fingerprint in ");
    query.bind_list(fingerprints.iter().map(String::as_str)).push(" order by fingerprint, source_id");
    query.fetch_all(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::plan_on_sqlite;
    use stella_contract::dead_letter::DeadLetterState;

    #[tokio::test]
    async fn open_entries_are_counted_by_cause_without_their_rows() {
        let open = DeadLetterFilter { state: Some(DeadLetterState::Open), ..DeadLetterFilter::default() };
        let tenant: Tenant = "acme".parse().unwrap();
        let plan = plan_on_sqlite(move |_| Ok(by_cause(&tenant, &open, None, 50))).await;
        assert!(plan.contains("USING COVERING INDEX dead_letters_by_cause"), "{plan}");
    }

    #[tokio::test]
    async fn a_list_is_read_along_an_index_and_never_sorted() {
        let tenant: Tenant = "acme".parse().unwrap();
        let open = Some(DeadLetterState::Open);
        let source = Some("src_01890000-0000-7000-8000-000000000000".parse().unwrap());
        let filters = [
            (DeadLetterFilter::default(), "dead_letters_by_time"),
            (DeadLetterFilter { state: open, ..DeadLetterFilter::default() }, "dead_letters_by_state"),
            (
                DeadLetterFilter { fingerprint: Some("f".to_owned()), ..DeadLetterFilter::default() },
                "dead_letters_by_cause",
            ),
            (DeadLetterFilter { source, ..DeadLetterFilter::default() }, "dead_letters_by_source"),
        ];
        for (filter, index) in filters {
            let (tenant, shown) = (tenant.clone(), format!("{filter:?}"));
            let plan =
                plan_on_sqlite(move |_| Ok(oldest_first(&tenant, &filter, Some((1, 1)), 50, "select *")))
                    .await;
            assert!(plan.contains(index), "{shown}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{shown}: {plan}");
        }
    }
}
