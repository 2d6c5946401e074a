//! What a source no longer keeps: records that are older than its `retentionDays`, and the account of what was read then.
//!
//! Only a source that is asked for windows keeps records by age. One that is read whole holds what is published, however
//! old that is: absent is not clean.

use crate::error::Error;
use crate::ingest::window::is_windowed;
use crate::journal::{Draft, Journal, Tiding};
use crate::sources as rules;
use crate::watermarks::{self, retained_from};
use serde_json::json;
use stella_contract::history::Actor;
use stella_contract::ids::Tenant;
use stella_contract::job::Cause;
use stella_contract::source::{SourceFilter, SourceType};
use stella_contract::time::Micros;
use stella_ledger::sources::{self, SourceRow};
use stella_ledger::{LedgerError, Tx, advisories, impact, vex};

/// More sources of a tenant are not looked at.
const MOST_SOURCES: i64 = 10_000;
/// Records of one source forgotten in one transaction.
const AT_ONCE: i64 = 1_000;
/// What is kept is counted in whole days, so that the account changes once a day.
const DAY: i64 = 86_400 * 1_000_000;

/// Forgets what the sources of a tenant no longer keep; how many records that were.
pub(crate) async fn purge(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<u64, Error> {
    let mut forgotten = 0;
    let mut journal = Journal::default();
    for row in sources::list(tx, tenant.as_str(), &SourceFilter::default(), None, MOST_SOURCES).await? {
        let kept = retained_from(&rules::settings(&row), now);
        let kept = Micros(kept.0.div_euclid(DAY) * DAY);
        let source_type = rules::source_type(&row)?;
        if !(source_type.has_event_time() && is_windowed(&row.location)) {
            continue;
        }
        forget_account(tx, tenant, &row, kept, now).await?;
        let records = forget_records(tx, &row, source_type, kept).await?;
        if records > 0 {
            impact::feeds_changed(tx, tenant.as_str(), now.0).await?;
            note(tenant, &row, records, kept, now, &mut journal);
        }
        forgotten += records;
    }
    journal.leave(tx);
    Ok(forgotten)
}

async fn forget_records(
    tx: &mut Tx,
    row: &SourceRow,
    source_type: SourceType,
    kept: Micros,
) -> Result<u64, LedgerError> {
    let source_id = row.source_id.as_str();
    let (records, left) = match source_type {
        SourceType::Advisory => {
            let records = advisories::forget_before(tx, source_id, &kept.to_string(), AT_ONCE).await?;
            (records, advisories::count(tx, source_id).await?)
        }
        SourceType::Vex => {
            let records = vex::forget_before(tx, source_id, kept, AT_ONCE).await?;
            (records, vex::count_of_source(tx, source_id).await?)
        }
        // The exploited list and likelihoods are lists of now; the others keep no records of ours.
        SourceType::Kev | SourceType::Epss | SourceType::Sbom | SourceType::Registry | SourceType::Custom => {
            (0, 0)
        }
    };
    if records > 0 {
        sources::recount(tx, source_id, left).await?;
    }
    Ok(records)
}

/// What was read or let pass before is no part of what is covered any more.
async fn forget_account(
    tx: &mut Tx,
    tenant: &Tenant,
    row: &SourceRow,
    kept: Micros,
    now: Micros,
) -> Result<(), Error> {
    let mut mark = watermarks::load(tx, tenant, &row.source_id).await?;
    let before = mark.coverage.clone();
    mark.coverage.forget_before(kept);
    if mark.coverage != before {
        mark.save(tx, now).await?;
    }
    Ok(())
}

fn note(tenant: &Tenant, row: &SourceRow, records: u64, kept: Micros, now: Micros, journal: &mut Journal) {
    const KIND: &str = "orch.source.purged";
    let data = json!({ "sourceId": row.source_id, "name": row.name, "records": records, "keptFrom": kept });
    let correlation_id = format!("retention:{}", row.source_id);
    journal.enter(
        tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "source",
            kind: KIND.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: Actor { subject: "engine/sweeper".to_owned(), scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        tenant,
        Tiding {
            kind: KIND.to_owned(),
            entity: "source",
            id: row.source_id.clone(),
            run_id: None,
            correlation_id,
            at: now,
            data,
        },
    );
}
