//! Many entries at once: a dry run, then the same with the hash it gave. Pure; the dialog draws it.

use super::filter::options;
use crate::api::Problem;
use crate::kit::format::count;
use crate::router::Query;
use stella_contract::dead_letter::{
    BatchReplay, BatchResolve, DeadLetterBatch, DeadLetterFilter, DeadLetterPreview, NOTE_MAX,
    ResolutionCode, SelectDeadLetters,
};
use stella_contract::error::Code;
use stella_contract::ids::DeadLetterId;
use stella_contract::job::Cause;
use stella_contract::time::Micros;

/// What is done to every entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchVerb {
    Replay,
    Resolve,
}

/// What was selected.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Picked {
    /// These.
    Ids(Vec<DeadLetterId>),
    /// All that match, as the address says it and as the core is asked.
    All(Query, Box<DeadLetterFilter>),
}

impl Picked {
    fn selection(&self) -> SelectDeadLetters {
        match self {
            Self::Ids(ids) => SelectDeadLetters { ids: Some(ids.clone()), filter: None },
            Self::All(_, filter) => SelectDeadLetters { ids: None, filter: Some((**filter).clone()) },
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// The dry run is on its way.
    Looking,
    /// It could not be made.
    Unseen(Problem),
    /// It was made then.
    Seen(DeadLetterPreview, Micros),
    /// It is under way.
    Running(DeadLetterPreview, Micros),
    /// It is done.
    Done(DeadLetterBatch),
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    pub verb: BatchVerb,
    pub picked: Picked,
    pub stage: Stage,
    pub force: bool,
    pub resolution: ResolutionCode,
    pub note: String,
    pub reason: String,
    pub ticket: String,
    pub problem: Option<Problem>,
}

/// What happens.
#[derive(Debug)]
pub(super) enum Said {
    Reason(String),
    Ticket(String),
    Note(String),
    Resolution(ResolutionCode),
    Force(bool),
    /// Another dry run.
    Look,
    Looked(Box<Result<DeadLetterPreview, Problem>>, Micros),
    Confirm,
    Ran(Box<Result<DeadLetterBatch, Problem>>),
}

/// What has to be asked of the core.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    Look(SelectDeadLetters),
    Replay(Box<BatchReplay>, Cause),
    Resolve(Box<BatchResolve>, Cause),
}

impl Batch {
    pub(super) fn new(verb: BatchVerb, picked: Picked) -> Self {
        Self {
            verb,
            picked,
            stage: Stage::Looking,
            force: false,
            resolution: ResolutionCode::FixedUpstream,
            note: String::new(),
            reason: String::new(),
            ticket: String::new(),
            problem: None,
        }
    }

    /// What the dry run found.
    pub(super) fn preview(&self) -> Option<&DeadLetterPreview> {
        match &self.stage {
            Stage::Seen(preview, _) | Stage::Running(preview, _) => Some(preview),
            Stage::Done(batch) => Some(&batch.preview),
            Stage::Looking | Stage::Unseen(_) => None,
        }
    }

    /// How many entries will be changed.
    pub(super) fn eligible(&self) -> Option<u64> {
        let preview = self.preview()?;
        Some(match self.verb {
            BatchVerb::Resolve => preview.resolvable,
            // With force only what is not open is left out.
            BatchVerb::Replay if self.force => preview.resolvable,
            BatchVerb::Replay => preview.replayable,
        })
    }

    /// Why some are left out, with how many.
    pub(super) fn left_out(&self) -> Vec<(String, u64)> {
        let Some(preview) = self.preview() else { return Vec::new() };
        let not_open = preview.count - preview.resolvable;
        let open = (not_open > 0).then(|| ("skipped:not_open".to_owned(), not_open));
        match self.verb {
            BatchVerb::Replay if !self.force => {
                preview.left_out.iter().map(|one| (one.why.clone(), one.count)).collect()
            }
            BatchVerb::Replay | BatchVerb::Resolve => open.into_iter().collect(),
        }
    }

    /// Whether force would take in more.
    pub(super) fn force_takes(&self) -> u64 {
        match (self.verb, self.preview()) {
            (BatchVerb::Replay, Some(preview)) => preview.resolvable.saturating_sub(preview.replayable),
            (BatchVerb::Replay | BatchVerb::Resolve, _) => 0,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running(..))
    }

    pub(super) fn cause(&self) -> Cause {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Cause { reason: some(&self.reason), ticket: some(&self.ticket) }
    }

    /// Why it cannot be confirmed yet.
    pub(super) fn blocked(&self) -> Option<String> {
        let verb = match self.verb {
            BatchVerb::Replay => "Replay",
            BatchVerb::Resolve => "Resolve",
        };
        match &self.stage {
            Stage::Looking => return Some("The dry run is on its way".to_owned()),
            Stage::Unseen(_) => return Some("Without a dry run nothing is changed".to_owned()),
            Stage::Done(_) => return Some("It is done".to_owned()),
            Stage::Seen(..) | Stage::Running(..) => {}
        }
        if self.eligible() == Some(0) {
            return Some("None of them can be changed now".to_owned());
        }
        if self.verb == BatchVerb::Resolve {
            match self.note.trim().chars().count() {
                0 => return Some("Resolve needs a note".to_owned()),
                long if long > NOTE_MAX => {
                    return Some(format!("The note has more than {NOTE_MAX} characters"));
                }
                _ => {}
            }
        }
        let cause = self.cause();
        match (cause.reason.is_none(), cause.ticket.is_none()) {
            (true, true) => Some(format!("{verb} needs a reason and a ticket")),
            (true, false) => Some(format!("{verb} needs a reason")),
            (false, true) => Some(format!("{verb} needs a ticket")),
            (false, false) => None,
        }
    }

    /// The words of the confirming button.
    pub(super) fn words(&self) -> String {
        let verb = match self.verb {
            BatchVerb::Replay => "Replay",
            BatchVerb::Resolve => "Resolve",
        };
        match self.eligible() {
            Some(eligible) => format!("{verb} {}", count(eligible as i64)),
            None => verb.to_owned(),
        }
    }

    /// The command that does the same.
    pub(super) fn command(&self, now: Micros) -> Vec<String> {
        let verb = match self.verb {
            BatchVerb::Replay => "replay",
            BatchVerb::Resolve => "resolve",
        };
        let mut words: Vec<String> = ["orch", "deadletter", verb].map(str::to_owned).to_vec();
        match &self.picked {
            Picked::Ids(ids) => words.extend(ids.iter().map(ToString::to_string)),
            Picked::All(query, _) => {
                words.push("--all-matching".to_owned());
                words.extend(options(query, now));
            }
        }
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        if self.verb == BatchVerb::Resolve {
            option("--code", self.resolution.as_str());
            option("--note", self.note.trim());
        }
        if let Some(preview) = self.preview() {
            option("--selection-hash", &preview.selection_hash);
        }
        let cause = self.cause();
        if let Some(reason) = &cause.reason {
            option("--reason", reason);
        }
        if let Some(ticket) = &cause.ticket {
            option("--ticket", ticket);
        }
        if self.force && self.verb == BatchVerb::Replay {
            words.push("--force".to_owned());
        }
        words
    }

    fn run(&self, preview: &DeadLetterPreview) -> Wish {
        let SelectDeadLetters { ids, filter } = self.picked.selection();
        let selection_hash = Some(preview.selection_hash.clone());
        match self.verb {
            BatchVerb::Replay => {
                let wish = BatchReplay { ids, filter, dry_run: false, selection_hash, force: self.force };
                Wish::Replay(Box::new(wish), self.cause())
            }
            BatchVerb::Resolve => {
                let (resolution, note) = (self.resolution, self.note.trim().to_owned());
                let wish = BatchResolve { ids, filter, dry_run: false, selection_hash, resolution, note };
                Wish::Resolve(Box::new(wish), self.cause())
            }
        }
    }
}

/// One step.
pub(super) fn update(model: &Batch, said: Said) -> (Batch, Vec<Wish>) {
    let mut next = model.clone();
    let mut wishes = Vec::new();
    match said {
        Said::Reason(text) => next.reason = text,
        Said::Ticket(text) => next.ticket = text,
        Said::Note(text) => next.note = text,
        Said::Resolution(code) => next.resolution = code,
        Said::Force(on) => next.force = on,
        Said::Look => {
            if !model.is_running() {
                next.stage = Stage::Looking;
                next.problem = None;
                wishes.push(Wish::Look(model.picked.selection()));
            }
        }
        Said::Looked(answer, at) => {
            next.stage = match *answer {
                Ok(preview) => Stage::Seen(preview, at),
                Err(problem) => Stage::Unseen(problem),
            };
        }
        Said::Confirm => {
            if let (Stage::Seen(preview, at), None) = (&model.stage, model.blocked()) {
                wishes.push(model.run(preview));
                next.stage = Stage::Running(preview.clone(), *at);
                next.problem = None;
            }
        }
        Said::Ran(answer) => match (*answer, &model.stage) {
            (Ok(batch), _) => next.stage = Stage::Done(batch),
            (Err(problem), Stage::Running(preview, at)) => {
                // What was seen is no longer what is there.
                next.stage = if problem.refused() == Some(Code::SelectionChanged) {
                    Stage::Unseen(problem)
                } else {
                    next.problem = Some(problem);
                    Stage::Seen(preview.clone(), *at)
                };
            }
            (Err(problem), _) => next.problem = Some(problem),
        },
    }
    (next, wishes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::dead_letter::LeftOut;
    use stella_contract::error::Problem as Refusal;

    fn preview() -> DeadLetterPreview {
        DeadLetterPreview {
            selection_hash: "5be1".into(),
            count: 63,
            resolvable: 60,
            replayable: 43,
            by_category: Vec::new(),
            by_source: Vec::new(),
            left_out: vec![
                LeftOut { why: "skipped:not_open".into(), count: 3 },
                LeftOut { why: "skipped:not_retryable".into(), count: 17 },
            ],
            paced_over_s: 8,
        }
    }

    fn seen(verb: BatchVerb) -> Batch {
        let id = DeadLetterId::from_uuid("01890000-0000-7000-8000-000000000000");
        let (model, _) = update(&Batch::new(verb, Picked::Ids(vec![id])), Said::Look);
        update(&model, Said::Looked(Box::new(Ok(preview())), Micros(5))).0
    }

    fn filled(verb: BatchVerb) -> Batch {
        let (model, _) = update(&seen(verb), Said::Reason("token rotated".into()));
        let (model, _) = update(&model, Said::Note("the far side mended it".into()));
        update(&model, Said::Ticket("OPS-1".into())).0
    }

    fn refused(code: Code) -> Box<Result<DeadLetterBatch, Problem>> {
        Box::new(Err(Problem::from(Refusal {
            code,
            message: "No.".into(),
            trace_id: String::new(),
            trace_id_alias: String::new(),
            details: Vec::new(),
            retryable: false,
            retry_after_ms: None,
        })))
    }

    #[test]
    fn nothing_is_asked_before_reason_and_ticket_are_there() {
        let model = seen(BatchVerb::Replay);
        assert_eq!(model.blocked().as_deref(), Some("Replay needs a reason and a ticket"));
        assert!(update(&model, Said::Confirm).1.is_empty());
        let model = filled(BatchVerb::Replay);
        assert_eq!((model.blocked(), model.words()), (None, "Replay 43".to_owned()));
    }

    #[test]
    fn the_run_quotes_the_hash_of_its_dry_run() {
        let (running, wishes) = update(&filled(BatchVerb::Replay), Said::Confirm);
        let [Wish::Replay(wish, cause)] = wishes.as_slice() else { panic!("{wishes:?}") };
        assert_eq!(wish.selection_hash.as_deref(), Some("5be1"));
        assert!(!wish.dry_run && wish.ids.as_ref().is_some_and(|ids| ids.len() == 1));
        assert_eq!(cause.ticket.as_deref(), Some("OPS-1"));
        assert!(update(&running, Said::Confirm).1.is_empty(), "a second press does nothing");
    }

    #[test]
    fn a_selection_that_changed_asks_for_another_look_and_keeps_what_was_typed() {
        let (running, _) = update(&filled(BatchVerb::Replay), Said::Confirm);
        let (model, _) = update(&running, Said::Ran(refused(Code::SelectionChanged)));
        assert!(matches!(model.stage, Stage::Unseen(_)));
        assert_eq!(model.reason, "token rotated");
        assert!(update(&model, Said::Confirm).1.is_empty());
        let (_, wishes) = update(&model, Said::Look);
        assert!(matches!(wishes.as_slice(), [Wish::Look(_)]));

        let (model, _) = update(&running, Said::Ran(refused(Code::ScopeMissing)));
        assert!(matches!(model.stage, Stage::Seen(..)) && model.problem.is_some());
    }

    #[test]
    fn force_takes_in_what_is_open_and_nothing_else() {
        let model = filled(BatchVerb::Replay);
        assert_eq!(model.force_takes(), 17);
        assert_eq!(model.left_out().len(), 2);
        let (forced, _) = update(&model, Said::Force(true));
        assert_eq!(forced.words(), "Replay 60");
        assert_eq!(forced.left_out(), [("skipped:not_open".to_owned(), 3)]);
        let words = forced.command(Micros(0)).join(" ");
        assert!(words.contains("--selection-hash 5be1") && words.ends_with("--force"), "{words}");
    }

    #[test]
    fn a_resolution_needs_its_note() {
        let (bare, _) = update(&filled(BatchVerb::Resolve), Said::Note(" ".into()));
        assert_eq!(bare.blocked().as_deref(), Some("Resolve needs a note"));
        let (_, wishes) = update(&filled(BatchVerb::Resolve), Said::Confirm);
        let [Wish::Resolve(wish, _)] = wishes.as_slice() else { panic!("{wishes:?}") };
        assert_eq!(
            (wish.resolution, wish.note.as_str()),
            (ResolutionCode::FixedUpstream, "the far side mended it")
        );
    }
}
