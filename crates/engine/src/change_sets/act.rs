//! Doing the verb of a change-set to some of its items, each with its own result.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::verbs::{self, Verb};
use std::collections::HashMap;
use stella_contract::change_set::{ChangeItem, ChangeVerb, ItemRefusal, ItemState};
use stella_contract::error::Code;
use stella_contract::ids::JobId;
use stella_contract::job::Job;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::change_items::ItemRecord;
use stella_ledger::change_sets::ChangeSetRecord;

/// Does the verb to these items; what one of them refuses keeps no other from it.
pub(super) async fn act(
    tx: &mut Tx,
    engine: &Engine,
    record: &ChangeSetRecord,
    items: Vec<ItemRecord>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<ChangeItem>, Error> {
    let set = &record.set;
    let verb = match set.verb {
        ChangeVerb::Cancel => Verb::Cancel,
        ChangeVerb::Retry => Verb::Retry,
        ChangeVerb::Replay => Verb::Replay,
        ChangeVerb::Prioritize => Verb::Prioritize(set.parameters.priority.unwrap_or_default()),
        ChangeVerb::DeadLetterReplay | ChangeVerb::DeadLetterResolve => {
            return Err(Error::internal("a change-set on dead letters was started"));
        }
    };
    let ids: Vec<JobId> = items.iter().filter_map(|row| row.item.id.parse().ok()).collect();
    let outcomes = verbs::apply(engine, tx, &set.tenant, verb, &ids, by, now, journal).await?;
    let mut outcomes: HashMap<JobId, Result<Job, Error>> = outcomes.into_iter().collect();
    let missing = || Err(Error::internal("an item had no answer"));
    Ok(items
        .into_iter()
        .map(|row| {
            let outcome = row.item.id.parse().ok().and_then(|id: JobId| outcomes.remove(&id));
            finished(set.verb, row.item, outcome.unwrap_or_else(missing))
        })
        .collect())
}

/// An item with what became of it. What is refused by its state was possible when the dry run looked, and is passed by.
fn finished(verb: ChangeVerb, item: ChangeItem, outcome: Result<Job, Error>) -> ChangeItem {
    match outcome {
        Ok(job) => {
            let result_job_id = verb.makes_jobs().then(|| job.job_id.to_string());
            ChangeItem { state: ItemState::Done, result_job_id, ..item }
        }
        Err(error) => {
            let (state, code) = match error.code {
                Code::JobNotFound | Code::NotFound => (ItemState::Skipped, ItemRefusal::NotFound),
                Code::InvalidTransition => (ItemState::Skipped, ItemRefusal::NotPossible),
                _ => (ItemState::Failed, ItemRefusal::Error),
            };
            ChangeItem { state, code: Some(code), message: Some(error.public), ..item }
        }
    }
}
