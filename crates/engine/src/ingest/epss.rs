//! Reading the list of likelihoods. Pure.

use super::keep::Times;
use super::{Refusal, problem};
use crate::epss;
use crate::fetch::Content;
use stella_contract::source::RecordProblem;
use stella_contract::time::Micros;
use stella_evaluator::{EpssScore, parse_epss};
use stella_ledger::epss::EpssPage;

/// Problems that one report lists.
const MAX_PROBLEMS: usize = 100;

/// What a list holds.
#[derive(Debug, Default)]
pub(super) struct Likely {
    /// The scores.
    scores: Vec<EpssScore>,
    /// When they were made, as the list has it.
    pub(super) scored_at: Option<String>,
    /// The first problems.
    pub(super) problems: Vec<RecordProblem>,
    /// Rows and files that could not be read.
    pub(super) refused: i64,
    /// Why the first of them could not.
    pub(super) first_refusal: Option<Refusal>,
}

/// Reads every file of a location; of several the newest list counts.
pub(super) fn read(content: &Content) -> Likely {
    let mut likely = Likely::default();
    for part in &content.parts {
        match parse_epss(&part.bytes) {
            Ok(list) => {
                likely.refused += list.refused as i64;
                for error in &list.errors {
                    likely.note(problem(&part.name, error));
                }
                let (old, new) = (likely.at(), list.scored_at.as_deref().and_then(Micros::parse));
                if likely.scores.is_empty() || new >= old {
                    likely.scores = list.scores;
                    likely.scored_at = list.scored_at;
                }
            }
            Err(error) => {
                likely.refused += 1;
                likely.first_refusal.get_or_insert_with(|| Refusal::of(&part.name, &error));
                likely.note(problem(&part.name, &error));
            }
        }
    }
    likely
}

impl Likely {
    fn note(&mut self, problem: RecordProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// When the scores were made.
    pub(super) fn at(&self) -> Option<Micros> {
        self.scored_at.as_deref().and_then(Micros::parse)
    }

    /// How many there are.
    pub(super) fn count(&self) -> i64 {
        self.scores.len() as i64
    }

    /// A list is of one moment.
    pub(super) fn times(&self) -> Times {
        Times::of(self.scored_at.as_deref().map(|at| (at, None)).into_iter())
    }

    /// The scores as the ledger keeps them.
    pub(super) fn pages(&self) -> Vec<EpssPage> {
        epss::pages(&self.scores)
    }
}
