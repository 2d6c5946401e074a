//! The feeds of a tenant in the form the evaluator matches against: parsed once per generation, shared by all segments.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_contract::vex::VexFilter;
use stella_evaluator::advisory::kev::KevEntry;
use stella_evaluator::vex::Statement;
use stella_evaluator::{Advisory, FeedIndex, KevCatalogue, VexIndex, parse_record};
use stella_ledger::advisories::{self, AdvisoryBody};
use stella_ledger::{LedgerError, Tx, impact, kev, vex};

/// Records read from the ledger at a time, so that their texts are never all in memory.
const PAGE: i64 = 2_000;

/// The newest index of every tenant.
#[derive(Debug, Default)]
pub(crate) struct FeedIndexes {
    tenants: Mutex<HashMap<Tenant, Slot>>,
}

/// Whoever comes while an index is being made waits for it instead of making another.
type Slot = Arc<tokio::sync::Mutex<Option<Feeds>>>;

/// What is matched against, all from one snapshot of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Feeds {
    /// Advisories and the exploited list.
    pub(crate) index: Arc<FeedIndex>,
    /// What is said of products.
    pub(crate) vex: Arc<VexIndex>,
}

impl FeedIndexes {
    fn slot(&self, tenant: &Tenant) -> Slot {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(tenant.clone()).or_default().clone()
    }
}

impl Engine {
    /// The advisories and the exploited list of a tenant as they are now.
    pub async fn feed_index(&self, tenant: &Tenant) -> Result<Arc<FeedIndex>, Error> {
        Ok(self.feeds(tenant).await?.index)
    }

    /// The feeds of a tenant as they are now.
    pub(crate) async fn feeds(&self, tenant: &Tenant) -> Result<Feeds, Error> {
        let slot = self.feed_indexes().slot(tenant);
        let mut newest = slot.lock().await;
        let wanted = tenant.clone();
        let generation =
            self.ledger().read(|tx| Box::pin(async move { generation(tx, &wanted).await })).await?;
        if let Some(feeds) = newest.as_ref().filter(|feeds| feeds.index.generation() == generation) {
            return Ok(feeds.clone());
        }
        let wanted = tenant.clone();
        let feeds = self.ledger().read(|tx| Box::pin(async move { load(tx, &wanted).await })).await?;
        *newest = Some(feeds.clone());
        Ok(feeds)
    }
}

async fn generation(tx: &mut Tx, tenant: &Tenant) -> Result<u64, Error> {
    let state = impact::state(tx, tenant.as_str()).await?.unwrap_or_default();
    Ok(state.feed_generation.unsigned_abs())
}

/// Reads the feeds from one snapshot of the ledger.
async fn load(tx: &mut Tx, tenant: &Tenant) -> Result<Feeds, Error> {
    let generation = generation(tx, tenant).await?;
    let mut newest: HashMap<String, Advisory> = HashMap::new();
    let mut after = 0;
    loop {
        let page = advisories::bodies(tx, tenant.as_str(), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.advisory_key;
        for advisory in off_thread(move || parse(page)).await?? {
            keep_newest(&mut newest, advisory);
        }
    }
    let catalogue = catalogue(tx, tenant).await?;
    let said = said(tx, tenant).await?;
    off_thread(move || {
        let mut records: Vec<Advisory> = newest.into_values().collect();
        // The order of a map differs from process to process; that of an index must not.
        records.sort_by(|one, two| one.id.cmp(&two.id));
        let index = FeedIndex::build(generation, &records, catalogue.as_ref());
        Feeds { index: Arc::new(index), vex: Arc::new(VexIndex::of(said)) }
    })
    .await
}

/// What was read once can be read again, so a record that cannot is a damaged row; to leave it out would look clean.
fn parse(page: Vec<AdvisoryBody>) -> Result<Vec<Advisory>, LedgerError> {
    page.into_iter()
        .map(|row| match parse_record(&row.body) {
            Ok(advisory) => Ok(Advisory { raw: String::new(), ..advisory }),
            Err(_) => Err(LedgerError::corrupt("advisories", "body", row.advisory_key)),
        })
        .collect()
}

/// Two sources may have the same record; the one that changed last is matched.
fn keep_newest(newest: &mut HashMap<String, Advisory>, advisory: Advisory) {
    let is_older = |kept: &Advisory| Micros::parse(&kept.modified) >= Micros::parse(&advisory.modified);
    if !newest.get(&advisory.id).is_some_and(is_older) {
        newest.insert(advisory.id.clone(), advisory);
    }
}

/// Everything that is said of products.
async fn said(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<Statement>, Error> {
    let mut said = Vec::new();
    let mut before = None;
    loop {
        let page = vex::list(tx, tenant, &VexFilter::default(), before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(said) };
        before = Some(last.statement_key);
        for row in &page {
            said.push(crate::vex::statement(row)?);
        }
    }
}

async fn catalogue(tx: &mut Tx, tenant: &Tenant) -> Result<Option<KevCatalogue>, Error> {
    let bodies = kev::bodies(tx, tenant.as_str()).await?;
    if bodies.is_empty() {
        return Ok(None);
    }
    let mut entries = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        let entry: KevEntry =
            serde_json::from_str(body).map_err(|_| LedgerError::corrupt("kev", "body", at))?;
        entries.push(entry);
    }
    entries.dedup_by(|one, two| one.cve == two.cve);
    let date_released = kev::released(tx, tenant.as_str()).await?.unwrap_or_default();
    Ok(Some(KevCatalogue { version: date_released.clone(), date_released, entries, errors: Vec::new() }))
}

/// Runs what takes long where it does not hold up others.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
