//! Runs: wished for, planned into segments, evaluated by jobs, settled (spec 05 §5.3 to §5.9).
//!
//! | file | holds |
//! |---|---|
//! | `wish`, `identity` | what is demanded of a wish; when two wishes are the same run |
//! | `start`, `retry`, `segment_retry`, `cancel` | what operators do |
//! | `refresh`, `cut`, `pace`, `plan` | SBOMs read anew, targets into segments, segments into jobs |
//! | `scan`, `policy`, `facts`, `keep` | a segment's job: evaluate, judge, compare, keep |
//! | `steps`, `mirror`, `settle` | segments follow their jobs, runs follow their segments |
//! | `messages`, `tail`, `log_gate` | the stream of a run |
//! | `sample` | how much of an ended run comes out the same once more |
//! | `diff` | how two runs differ |
//! | `view` | a run as every door shows it |
//! | `trends`, `alerts` | runs over a day, and what is wrong with them |
//! | `export`, `escalation` | what is taken away of runs: a file, evidence, a text for whoever helps |

mod alerts;
pub(crate) mod cancel;
mod cut;
mod diff;
mod escalation;
mod export;
mod facts;
pub(crate) mod identity;
mod keep;
mod log_gate;
pub(crate) mod messages;
pub(crate) mod mirror;
mod pace;
pub(crate) mod plan;
pub(crate) mod policy;
mod refresh;
mod retry;
pub(crate) mod sample;
mod scan;
mod segment_retry;
pub(crate) mod settle;
pub(crate) mod start;
pub(crate) mod steps;
pub(crate) mod tail;
mod trends;
mod view;
pub(crate) mod wish;

pub(crate) use facts::{PLACES_PER_SEVERITY, worst_place};
pub use messages::RunLines;
pub(crate) use scan::{JOB_TYPE as SEGMENT_JOB, ScanSegment};
pub use tail::RunLine;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::page;
use stella_contract::finding::{ChangeKind, FindingChange};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::run::{Run, RunFilter, RunState, RunTab};
use stella_contract::scope::Scope;
use stella_contract::segment::Segment;
use stella_ledger::finding_lists::{self, After, ChangeRow};
use stella_ledger::runs::{self, Partial, RunRow, Wanted};
use stella_ledger::{LedgerError, Tx, segments};

/// Runs.
#[derive(Clone)]
pub struct Runs {
    engine: Engine,
}

impl Engine {
    /// Runs.
    pub fn runs(&self) -> Runs {
        Runs { engine: self.clone() }
    }
}

/// Where a page of changes ended: kind, then place, vulnerability, purl, fact and line.
type ChangePlace = (i64, i64, String, String, i64, i64);

impl Runs {
    /// Runs of the tenant, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &RunFilter,
        query: &PageQuery,
    ) -> Result<Page<Run>, Error> {
        caller.demand(Scope::RunsRead)?;
        let after: Option<(i64, String)> = page::after(filter, query)?;
        demand_possible(filter)?;
        let (tenant, wanted, now) = (caller.tenant.clone(), wanted(filter), self.engine.now());
        let limit = i64::from(query.size()) + 1;
        let (views, total) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let total = runs::total(tx, &tenant, &wanted).await?;
                    let rows = runs::list(tx, &tenant, &wanted, after.as_ref(), limit).await?;
                    let beside = view::beside(tx, &rows, now).await?;
                    let views =
                        rows.iter().map(|row| view::of(row, &beside)).collect::<Result<Vec<_>, _>>()?;
                    Ok((views, total))
                })
            })
            .await?;
        page::of(filter, query, views, page::total(total), |run| {
            (run.created_at.0, run.run_id.as_str().to_owned())
        })
    }

    /// One run.
    pub async fn get(&self, caller: &Caller, run_id: &RunId) -> Result<Run, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, run_id, now) = (caller.tenant.clone(), run_id.clone(), self.engine.now());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &run_id).await?;
                view::read(tx, &row, now).await
            })
        });
        read.await
    }

    /// The segments of a run, by shard and ordinal.
    pub async fn segments(
        &self,
        caller: &Caller,
        run_id: &RunId,
        query: &PageQuery,
    ) -> Result<Page<Segment>, Error> {
        caller.demand(Scope::RunsRead)?;
        let after: Option<(i64, i64)> = page::after(run_id, query)?;
        let (tenant, wanted) = (caller.tenant.clone(), run_id.clone());
        let limit = i64::from(query.size()) + 1;
        let (views, total) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let row = find(tx, &tenant, &wanted).await?;
                    let counts = runs::segment_counts(tx, &[row.run_key]).await?;
                    let total = counts.first().map_or(0, |(_, counts)| counts.total());
                    let rows = segments::list(tx, row.run_key, after, limit).await?;
                    let views = rows.into_iter().map(|segment| segment.view(&row.run_id));
                    Ok((views.collect::<Result<Vec<_>, LedgerError>>()?, total))
                })
            })
            .await?;
        page::of(run_id, query, views, u64::try_from(total).ok(), |segment| {
            (i64::from(segment.shard), i64::from(segment.ordinal))
        })
    }

    /// What a run changed: by kind, worst first.
    pub async fn deltas(
        &self,
        caller: &Caller,
        run_id: &RunId,
        query: &PageQuery,
    ) -> Result<Page<FindingChange>, Error> {
        caller.demand(Scope::RunsRead)?;
        let after: Option<ChangePlace> = page::after(run_id, query)?;
        let (tenant, wanted) = (caller.tenant.clone(), run_id.clone());
        let limit = i64::from(query.size()) + 1;
        let (rows, total) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let row = find(tx, &tenant, &wanted).await?;
                    let counts = finding_lists::change_counts(tx, row.run_key).await?;
                    let total: i64 = counts.iter().map(|(_, count)| count).sum();
                    let kinds: Vec<i64> = counts.into_iter().map(|(kind, _)| kind).collect();
                    Ok((changes(tx, &row, &kinds, after, limit).await?, total))
                })
            })
            .await?;
        let page = page::of(run_id, query, rows, u64::try_from(total).ok(), |(kind, row)| {
            let (id, purl) = (row.vulnerability_id.clone(), row.purl.clone());
            (*kind, row.place, id, purl, row.fact_key, row.line_key)
        })?;
        let items = page.items.into_iter().map(|(kind, row)| change(kind, row));
        Ok(Page {
            items: items.collect::<Result<Vec<_>, LedgerError>>()?,
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }
}

/// The run, or that this tenant has none of this id.
pub(crate) async fn find(tx: &mut Tx, tenant: &Tenant, run_id: &RunId) -> Result<RunRow, Error> {
    runs::get(tx, tenant, run_id).await?.ok_or_else(|| Error::not_found("run", run_id))
}

/// The filter, refused where it asks for what there cannot be.
fn demand_possible(filter: &RunFilter) -> Result<(), Error> {
    const LAST_SHARD: u8 = 63;
    match filter.shard {
        Some(shard) if shard > LAST_SHARD => Err(Error::invalid("shard", "is 0 to 63")),
        Some(_) | None => Ok(()),
    }
}

fn wanted(filter: &RunFilter) -> Wanted {
    let (states, partial) = match filter.tab {
        None => (Vec::new(), Partial::AsTheirState),
        Some(RunTab::Active) => {
            (vec![RunState::Planning, RunState::Queued, RunState::Running], Partial::AsTheirState)
        }
        Some(RunTab::Completed) => (vec![RunState::Completed, RunState::Cancelled], Partial::AsTheirState),
        Some(RunTab::Failures) => (vec![RunState::Error], Partial::Too),
    };
    Wanted {
        states,
        partial,
        state: filter.state,
        trigger: filter.trigger,
        schedule_id: filter.schedule_id.clone(),
        new_of: filter.severity.clone(),
        error_code: filter.error_code,
        since: filter.since,
        until: filter.until,
        shard: filter.shard.map(i64::from),
        run_ids: Vec::new(),
        policy_revision: filter.policy_revision,
    }
}

/// Changes after a place, kind by kind until there are enough.
async fn changes(
    tx: &mut Tx,
    run: &RunRow,
    kinds: &[i64],
    after: Option<ChangePlace>,
    limit: i64,
) -> Result<Vec<(i64, ChangeRow)>, LedgerError> {
    let reached = after.as_ref().map(|(kind, ..)| *kind);
    let after = after.map(|(_, place, vulnerability_id, purl, fact_key, line_key)| After {
        place,
        vulnerability_id,
        purl,
        fact_key,
        line_key,
    });
    let mut found = Vec::new();
    for kind in kinds.iter().copied().filter(|kind| reached.is_none_or(|reached| *kind >= reached)) {
        let left = limit - found.len() as i64;
        if left <= 0 {
            break;
        }
        let after = after.as_ref().filter(|_| reached == Some(kind));
        let rows = finding_lists::changes(tx, &run.wish.tenant, (run.run_key, kind), after, left).await?;
        found.extend(rows.into_iter().map(|row| (kind, row)));
    }
    Ok(found)
}

fn change(kind: i64, row: ChangeRow) -> Result<FindingChange, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("finding_changes", column, row.fact_key);
    let kind = usize::try_from(kind).ok().and_then(|at| ChangeKind::ALL.get(at));
    let severity = row.severity.parse().map_err(|_| corrupt("severity"))?;
    let before = row.severity_before.map(|word| word.parse()).transpose();
    Ok(FindingChange {
        kind: *kind.ok_or_else(|| corrupt("kind"))?,
        target_id: row.target_id.parse().map_err(|_| corrupt("target_id"))?,
        target_name: row.target_name,
        target_version: row.target_version,
        purl: row.purl,
        vulnerability_id: row.vulnerability_id,
        severity,
        severity_before: before.map_err(|_| corrupt("severity_before"))?.filter(|before| *before != severity),
        kev: row.kev != 0,
    })
}

#[cfg(test)]
mod tests;
