//! What a change-set is about: the items behind ids or a filter, with the verdict on each.

use super::dry_run::{self, Candidate, Queue};
use super::letters;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate;
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::change_set::{ChangeVerb, CreateChangeSet, DryRun, MOST_IDS, MOST_ITEMS, Selection};
use stella_contract::filter::Filter;
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::JobState;
use stella_contract::time::Micros;
use stella_ledger::change_items::{self, JobFact, NewItem};
use stella_ledger::{Tx, key_of, listing, quotas as ledger_quotas};

/// The items with what the dry run says of them.
pub(super) struct Chosen {
    pub(super) items: Vec<NewItem>,
    pub(super) dry_run: DryRun,
    pub(super) hash: String,
}

/// Chooses the items from one snapshot.
pub(super) async fn choose(
    engine: &Engine,
    tenant: &Tenant,
    wish: &CreateChangeSet,
    now: Micros,
) -> Result<Chosen, Error> {
    let (tenant, verb, selection) = (tenant.clone(), wish.verb, wish.selection.clone());
    let parameters = wish.parameters.clone();
    let read = engine.ledger().read::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let found = match verb.is_about_jobs() {
                true => of_jobs(tx, &tenant, verb, &selection, now).await?,
                false => letters::candidates(tx, &tenant, verb, &selection, &parameters, now).await?,
            };
            let queues = match verb.makes_jobs() {
                true => queues(tx, &tenant, &found).await?,
                false => BTreeMap::new(),
            };
            Ok((found, queues))
        })
    });
    let (found, queues) = read.await?;
    let pace = wish.options.pace_per_s.or(verb.usual_pace_per_s());
    Ok(Chosen {
        dry_run: dry_run::tell(verb, pace, &found, &queues),
        hash: dry_run::hash(&found),
        items: found.into_iter().map(|one| one.item).collect(),
    })
}

async fn of_jobs(
    tx: &mut Tx,
    tenant: &Tenant,
    verb: ChangeVerb,
    selection: &Selection,
    now: Micros,
) -> Result<Vec<Candidate>, Error> {
    match selection {
        Selection::Ids { ids } => {
            let ids = job_ids("selection.ids", ids)?;
            if ids.is_empty() {
                return Err(Error::invalid("selection.ids", "name at least one job"));
            }
            let facts = change_items::named(tx, tenant, &ids.iter().map(key_of).collect::<Vec<_>>()).await?;
            // Two ids may hold one row key; only one of them is the job.
            let facts: Vec<JobFact> =
                facts.into_iter().filter(|fact| ids.iter().any(|id| id.as_str() == fact.job_id)).collect();
            let known: BTreeSet<&str> = facts.iter().map(|fact| fact.job_id.as_str()).collect();
            let unknown = ids.iter().filter(|id| !known.contains(id.as_str()));
            let unknown = unknown.map(|id| id.as_str().to_owned()).collect();
            dry_run::of_jobs(verb, facts, unknown)
        }
        Selection::Filter { filter, excluding } => {
            let wanted = gate::wanted(tx, tenant, filter.parse::<Filter>()?.at(now), now).await?;
            let excluded: BTreeSet<i64> =
                job_ids("selection.excluding", excluding)?.iter().map(key_of).collect();
            let most = MOST_ITEMS + excluded.len() as i64;
            let mut facts = change_items::matching(tx, tenant, &wanted, most + 1).await?;
            facts.retain(|fact| !excluded.contains(&fact.key));
            if facts.len() as i64 > MOST_ITEMS {
                let why = format!("more than {MOST_ITEMS} jobs match; narrow the filter");
                return Err(Error::invalid("selection.filter", why));
            }
            dry_run::of_jobs(verb, facts, Vec::new())
        }
        Selection::DeadLetters { .. } => {
            let why = "entries are selected for their own verbs; select jobs for this one";
            Err(Error::invalid("selection", why))
        }
    }
}

/// The ids without repetitions.
fn job_ids(field: &str, texts: &[String]) -> Result<BTreeSet<JobId>, Error> {
    if texts.len() > MOST_IDS {
        return Err(Error::invalid(field, format!("at most {MOST_IDS} ids can be named; use a filter")));
    }
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(at, text)| {
            text.parse().map_err(|error| Error::invalid(&format!("{field}[{at}]"), format!("{error}")))
        })
        .collect()
}

/// The queue of each type that would be added to.
async fn queues(tx: &mut Tx, tenant: &Tenant, found: &[Candidate]) -> Result<BTreeMap<String, Queue>, Error> {
    let types: BTreeSet<&str> = found.iter().map(|one| one.item.job_type.as_str()).collect();
    let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
    for (job_type, state, count) in listing::count_open_by_type(tx, tenant, &types).await? {
        let queue = queues.entry(job_type).or_default();
        match state {
            JobState::Pending | JobState::Queued => queue.waiting += count,
            JobState::Leased | JobState::Running => queue.at_work += count,
            JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => {}
        }
    }
    let limits = ledger_quotas::of_tenants(tx, &[tenant.as_str()]).await?;
    for job_type in types {
        let max_active = crate::quotas::most_active(&limits, job_type);
        queues.entry(job_type.to_owned()).or_default().max_active = max_active;
    }
    Ok(queues)
}
