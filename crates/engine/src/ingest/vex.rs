//! Reading VEX documents: what is said now takes the place of what was said. Pure.

use super::keep::Times;
use super::window::holds;
use super::{Change, Refusal, problem};
use crate::fetch::Content;
use std::collections::{BTreeMap, HashSet};
use stella_bundle::digest;
use stella_contract::source::RecordProblem;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_evaluator::vex::Statement;
use stella_evaluator::{RecordCode, RecordError, parse_vex};
use stella_ledger::vex::NewStatement;

/// Problems that one report lists.
const MAX_PROBLEMS: usize = 100;
/// The longest vulnerability id, product or component that is kept.
const MAX_NAME: usize = 500;

/// What documents say.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The statements by digest.
    pub(super) statements: BTreeMap<String, NewStatement>,
    /// When each was said, as its document has it, by digest.
    times: BTreeMap<String, String>,
    /// The first problems.
    pub(super) problems: Vec<RecordProblem>,
    /// Documents and statements that could not be read.
    pub(super) refused: i64,
    /// Why the first of them could not.
    pub(super) first_refusal: Option<Refusal>,
}

/// Reads every document of a location.
pub(super) fn read(content: &Content) -> Said {
    let mut said = Said::default();
    for part in &content.parts {
        match parse_vex(&part.bytes) {
            Ok(parsed) => {
                for error in &parsed.errors {
                    said.refuse(&part.name, error);
                }
                for statement in parsed.statements {
                    said.take(&part.name, statement);
                }
            }
            Err(error) => said.refuse(&part.name, &error),
        }
    }
    said
}

impl Said {
    fn refuse(&mut self, file: &str, error: &RecordError) {
        self.refused += 1;
        self.first_refusal.get_or_insert_with(|| Refusal::of(file, error));
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem(file, error));
        }
    }

    fn take(&mut self, file: &str, statement: Statement) {
        let wrong = |message: &str| RecordError {
            file: String::new(),
            path: statement.vulnerability_id.clone(),
            code: RecordCode::SchemaMismatch,
            message: message.to_owned(),
        };
        let names = [&statement.vulnerability_id, &statement.product, &statement.document_id];
        let is_odd = |name: &String| name.len() > MAX_NAME || name.contains('\0');
        if names.into_iter().chain(statement.component.as_ref()).any(is_odd) {
            let error = wrong("a name has more than 500 characters or one that is none; mend the document");
            return self.refuse(file, &error);
        }
        let Some(at) = Micros::parse(&statement.at) else {
            let error = wrong("the time is not an RFC 3339 time; mend the document");
            return self.refuse(file, &error);
        };
        // A plain struct of texts has no way to fail; no database keeps a NUL, as `\u0000` or otherwise.
        let body = serde_json::to_string(&statement).unwrap_or_default().replace("\\u0000", "");
        let key = digest::hex_of_bytes(body.as_bytes());
        self.times.insert(key.clone(), statement.at);
        let new =
            NewStatement { vuln_id: statement.vulnerability_id, said_at: at.0, digest: key.clone(), body };
        self.statements.insert(key, new);
    }

    /// When it was said.
    pub(super) fn times(&self) -> Times {
        Times::of(self.times.iter().map(|(digest, at)| (at.as_str(), Some(digest.as_str()))))
    }

    /// Leaves out what was not said within the window.
    pub(super) fn keep_only(&mut self, window: Window) {
        let times = &self.times;
        self.statements.retain(|digest, _| times.get(digest).is_some_and(|at| holds(window, at)));
        self.times.retain(|_, at| holds(window, at));
    }

    /// What changes against the digests of last time. While something could not be read nothing is taken away, since it
    /// does not say what it was.
    pub(super) fn change(self, before: &HashSet<String>) -> Change<NewStatement> {
        let mut change = Change::default();
        for digest in before.iter().filter(|digest| !self.statements.contains_key(*digest)) {
            if self.refused > 0 {
                change.kept += 1;
            } else {
                change.removed.push(digest.clone());
            }
        }
        change.total = self.statements.len() as i64 + change.kept;
        change.added = self.statements.into_values().filter(|one| !before.contains(&one.digest)).collect();
        change.removed.sort_unstable();
        change
    }
}
