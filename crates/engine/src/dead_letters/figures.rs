//! The dead letter in figures, and by cause.

use super::DeadLetters;
use crate::caller::Caller;
use crate::error::Error;
use crate::page;
use std::collections::BTreeMap;
use stella_contract::dead_letter::{
    CategoryCount, CategoryHours, Cluster, CommonCause, DeadLetterFilter, DeadLetterHealth, DeadLetterState,
    DeadLetterStats,
};
use stella_contract::ids::{SourceId, Tenant};
use stella_contract::job::ErrorClass;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::dead_letter_figures::{self as figures, StateRow};
use stella_ledger::dead_letter_lists::{self as lists, ClusterRow};
use stella_ledger::dead_letters::{self, DeadLetterRecord};
use stella_ledger::{LedgerError, Tx};

const HOUR_MS: i64 = 60 * 60 * 1_000;
const HOURS: usize = 24;
/// Sources that a cluster names.
const SOURCES_SHOWN: usize = 10;

/// Numbers by cause or category and hour.
type Hours = Vec<(String, i64, i64)>;

/// Everything the clusters of a page are made of, from one snapshot.
struct Seen {
    rows: Vec<ClusterRow>,
    total: i64,
    records: Vec<DeadLetterRecord>,
    hours: Hours,
    sources: Vec<(String, String)>,
}

impl DeadLetters {
    /// Matching entries by cause, the most first. Without a state, the open ones.
    pub async fn clusters(
        &self,
        caller: &Caller,
        filter: &DeadLetterFilter,
        query: &PageQuery,
    ) -> Result<Page<Cluster>, Error> {
        caller.demand(Scope::OrchRead)?;
        let wanted =
            DeadLetterFilter { state: filter.state.or(Some(DeadLetterState::Open)), ..filter.clone() };
        let key = ("clusters", &caller.tenant, &wanted);
        let after = page::after::<_, (i64, String)>(&key, query)?;
        let since = self.engine.now().minus_ms(HOUR_MS * HOURS as i64);
        let (tenant, limit, filter) = (caller.tenant.clone(), i64::from(query.size()) + 1, wanted.clone());
        let seen: Seen = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { look(tx, &tenant, &filter, after, limit, since).await })
            })
            .await?;
        let total = u64::try_from(seen.total).ok();
        let rows =
            page::of(&key, query, seen.rows.clone(), total, |row| (row.entries, row.fingerprint.clone()))?;
        let mut items = Vec::with_capacity(rows.items.len());
        for row in rows.items {
            items.push(cluster(row, &seen)?);
        }
        Ok(Page { items, next_page_token: rows.next_page_token, total_estimate: rows.total_estimate })
    }

    /// The figures of the caller's tenant.
    pub async fn stats(&self, caller: &Caller) -> Result<DeadLetterStats, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let since = now.minus_ms(HOUR_MS * HOURS as i64);
        let (states, common, hours) = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let common = match figures::most_common(tx, &tenant).await? {
                        Some((fingerprint, entries, key)) => {
                            let newest = dead_letters::get_many(tx, &[key]).await?.pop();
                            newest.map(|record| (fingerprint, entries, record.entry))
                        }
                        None => None,
                    };
                    let states = figures::by_state(tx, &tenant).await?;
                    Ok((states, common, figures::category_hours(tx, &tenant, since).await?))
                })
            })
            .await?;
        let most_common = common.map(|(fingerprint, entries, entry)| CommonCause {
            fingerprint,
            error_code: entry.error_code,
            error_message: entry.error_message,
            count: count(entries),
        });
        stats(&states, most_common, hours, now)
    }
}

async fn look(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
    after: Option<(i64, String)>,
    limit: i64,
    since: Micros,
) -> Result<Seen, LedgerError> {
    let rows = lists::clusters(tx, tenant, filter, after, limit).await?;
    let causes: Vec<String> = rows.iter().map(|row| row.fingerprint.clone()).collect();
    let keys: Vec<i64> = rows.iter().flat_map(|row| [row.newest_key, row.oldest_key]).collect();
    Ok(Seen {
        total: lists::count_clusters(tx, tenant, filter).await?,
        records: dead_letters::get_many(tx, &keys).await?,
        hours: lists::cause_hours(tx, tenant, &causes, since).await?,
        sources: lists::cause_sources(tx, tenant, filter, &causes).await?,
        rows,
    })
}

fn cluster(row: ClusterRow, seen: &Seen) -> Result<Cluster, Error> {
    let by_key = |key: i64| seen.records.iter().find(|record| record.key == key).map(|record| &record.entry);
    let newest =
        by_key(row.newest_key).ok_or_else(|| Error::internal("a cluster without its newest entry"))?;
    let sources: Result<Vec<SourceId>, _> = seen
        .sources
        .iter()
        .filter(|(fingerprint, _)| *fingerprint == row.fingerprint)
        .take(SOURCES_SHOWN)
        .map(|(_, source)| source.parse())
        .collect();
    Ok(Cluster {
        count: count(row.entries),
        open: count(row.open),
        job_type: newest.job_type.clone(),
        category: newest.category,
        error_code: newest.error_code.clone(),
        host: newest.host.clone(),
        sample: newest.error_message.clone(),
        sample_entry_id: newest.entry_id.clone(),
        first_seen_at: Micros(row.first_at),
        last_seen_at: Micros(row.last_at),
        retryable_share: share(row.retryable, row.entries),
        sources: sources.map_err(Error::internal)?,
        source_count: count(row.sources),
        hours: hours_of(&seen.hours, &row.fingerprint),
        first_run_id: by_key(row.oldest_key).and_then(|entry| entry.run_id.clone()),
        fingerprint: row.fingerprint,
    })
}

/// The numbers of one name, oldest hour first; hours without any are zero.
fn hours_of(hours: &Hours, name: &str) -> Vec<u32> {
    let mut all = vec![0; HOURS];
    for (of, hour, entries) in hours {
        let place = usize::try_from(*hour).ok().and_then(|hour| all.get_mut(hour.min(HOURS - 1)));
        if let (true, Some(place)) = (of == name, place) {
            *place += u32::try_from(*entries).unwrap_or(u32::MAX);
        }
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "a share of 0 to 1 needs no more than 52 bits")]
fn share(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn stats(
    rows: &[StateRow],
    most_common: Option<CommonCause>,
    hours: Hours,
    now: Micros,
) -> Result<DeadLetterStats, Error> {
    let of = |state: DeadLetterState| rows.iter().filter(move |row| row.state == state.as_str());
    let sum = |state: DeadLetterState, of_row: fn(&StateRow) -> i64| count(of(state).map(of_row).sum());
    let entries: fn(&StateRow) -> i64 = |row| row.entries;
    let open = sum(DeadLetterState::Open, entries);
    let mut by_category = Vec::new();
    for row in of(DeadLetterState::Open) {
        by_category.push(CategoryCount { category: category(&row.category)?, count: count(row.entries) });
    }
    by_category.sort_by_key(|one| (std::cmp::Reverse(one.count), one.category));
    let mut names: BTreeMap<&str, ()> = BTreeMap::new();
    names.extend(hours.iter().map(|(name, ..)| (name.as_str(), ())));
    let mut heat = Vec::new();
    for name in names.keys() {
        heat.push(CategoryHours { category: category(name)?, hours: hours_of(&hours, name) });
    }
    heat.sort_by_key(|one| one.category);
    Ok(DeadLetterStats {
        health: DeadLetterHealth::judge(open),
        open,
        replaying: sum(DeadLetterState::Replaying, entries),
        replayed: sum(DeadLetterState::Replayed, entries),
        resolved: sum(DeadLetterState::Resolved, entries),
        retryable: sum(DeadLetterState::Open, |row| row.retryable),
        unacknowledged: sum(DeadLetterState::Open, |row| row.unacknowledged),
        added24h: count(hours.iter().map(|(.., entries)| entries).sum()),
        oldest_open_at: of(DeadLetterState::Open).map(|row| row.oldest_at).min().map(Micros),
        most_common,
        by_category,
        heat,
        at: now,
    })
}

fn category(text: &str) -> Result<ErrorClass, Error> {
    text.parse().map_err(Error::internal)
}
