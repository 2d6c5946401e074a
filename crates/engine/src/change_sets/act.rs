//! Doing the verb of a change-set to some of its items, each with its own result.

use super::letters;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::verbs::{self, Verb};
use std::collections::HashMap;
use stella_contract::change_set::{ChangeItem, ChangeVerb, ItemRefusal, ItemState};
use stella_contract::error::Code;
use stella_contract::ids::{DeadLetterId, JobId};
use stella_contract::job::Job;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::change_items::ItemRecord;
use stella_ledger::change_sets::ChangeSetRecord;

/// What became of an item: the job that came of it, or why it was not changed.
pub(super) type Outcome = Result<Option<String>, (ItemState, ItemRefusal, String)>;

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
        ChangeVerb::Cancel => Some(Verb::Cancel),
        ChangeVerb::Retry => Some(Verb::Retry),
        ChangeVerb::Replay => Some(Verb::Replay),
        ChangeVerb::Prioritize => Some(Verb::Prioritize(set.parameters.priority.unwrap_or_default())),
        ChangeVerb::DeadLetterReplay | ChangeVerb::DeadLetterResolve => None,
    };
    let outcomes: Vec<(String, Outcome)> = match verb {
        Some(verb) => {
            let ids: Vec<JobId> = items.iter().filter_map(|row| row.item.id.parse().ok()).collect();
            let done = verbs::apply(engine, tx, &set.tenant, verb, &ids, by, now, journal).await?;
            done.into_iter().map(|(id, one)| (id.to_string(), of_job(set.verb, one))).collect()
        }
        None => {
            let ids: Vec<DeadLetterId> = items.iter().filter_map(|row| row.item.id.parse().ok()).collect();
            letters::act(tx, engine, set, &ids, by, now, journal).await?
        }
    };
    let mut outcomes: HashMap<String, Outcome> = outcomes.into_iter().collect();
    Ok(items
        .into_iter()
        .map(|row| {
            let silent = || Err((ItemState::Failed, ItemRefusal::Error, "It had no answer.".to_owned()));
            let outcome = outcomes.remove(&row.item.id).unwrap_or_else(silent);
            finished(row.item, outcome)
        })
        .collect())
}

/// What is refused by its state was possible when the dry run looked, and is passed by.
fn of_job(verb: ChangeVerb, outcome: Result<Job, Error>) -> Outcome {
    match outcome {
        Ok(job) => Ok(verb.makes_jobs().then(|| job.job_id.to_string())),
        Err(error) => {
            let (state, code) = match error.code {
                Code::JobNotFound | Code::NotFound => (ItemState::Skipped, ItemRefusal::NotFound),
                Code::InvalidTransition => (ItemState::Skipped, ItemRefusal::NotPossible),
                _ => (ItemState::Failed, ItemRefusal::Error),
            };
            Err((state, code, error.public))
        }
    }
}

/// An item with what became of it.
fn finished(item: ChangeItem, outcome: Outcome) -> ChangeItem {
    match outcome {
        Ok(result_job_id) => ChangeItem { state: ItemState::Done, result_job_id, ..item },
        Err((state, code, message)) => ChangeItem { state, code: Some(code), message: Some(message), ..item },
    }
}
