//! One verb on what is selected: a dry run, then the same with the hash it gave. Pure; the dialog draws it.

use super::words;
use crate::api::Problem;
use crate::kit::format::count;
use stella_contract::change_set::{
    AfterFirst, ChangeOptions, ChangeParameters, ChangeSet, ChangeVerb, Changed, CreateChangeSet, Selection,
    StartChangeSet,
};
use stella_contract::dead_letter::{NOTE_MAX, ResolutionCode};
use stella_contract::error::Code;
use stella_contract::ids::ChangeSetId;
use stella_contract::job::Cause;

/// The priority that is offered first.
const OFFERED_PRIORITY: &str = "75";
/// What the dry run says before anybody wrote a note; nothing is closed under it.
const NO_NOTE_YET: &str = "not written yet";

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// The dry run is on its way.
    Looking,
    /// It could not be made.
    Unseen(Problem),
    /// It was made.
    Seen(ChangeSet),
    /// It is being started.
    Starting(ChangeSet),
    /// It is started.
    Started(ChangeSet),
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DryRun {
    pub verb: ChangeVerb,
    pub selection: Selection,
    pub stage: Stage,
    pub priority: String,
    pub first: String,
    pub stop_above: String,
    pub pace: String,
    pub then_pause: bool,
    pub resolution: ResolutionCode,
    pub note: String,
    pub force: bool,
    pub reason: String,
    pub ticket: String,
    pub problem: Option<Problem>,
}

/// What happens.
#[derive(Debug)]
pub(super) enum Said {
    Priority(String),
    First(String),
    StopAbove(String),
    Pace(String),
    ThenPause(bool),
    Resolution(ResolutionCode),
    Note(String),
    Force(bool),
    Reason(String),
    Ticket(String),
    /// Another dry run.
    Look,
    Looked(Box<Result<ChangeSet, Problem>>),
    Confirm(Changed),
    Started(Box<Result<ChangeSet, Problem>>),
}

/// What has to be asked of the core.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    Look(Box<CreateChangeSet>),
    Start(ChangeSetId, StartChangeSet, Cause),
    /// The options changed since the dry run: make it anew, and start it when it names the same items.
    LookAndStart(Box<CreateChangeSet>, StartChangeSet, Cause),
}

impl DryRun {
    pub(super) fn new(verb: ChangeVerb, selection: Selection) -> Self {
        Self {
            verb,
            selection,
            stage: Stage::Looking,
            priority: OFFERED_PRIORITY.to_owned(),
            first: String::new(),
            stop_above: String::new(),
            pace: verb.usual_pace_per_s().map(|pace| pace.to_string()).unwrap_or_default(),
            then_pause: false,
            resolution: ResolutionCode::FixedUpstream,
            note: String::new(),
            force: false,
            reason: String::new(),
            ticket: String::new(),
            problem: None,
        }
    }

    /// What the dry run found.
    pub(super) fn seen(&self) -> Option<&ChangeSet> {
        match &self.stage {
            Stage::Seen(set) | Stage::Starting(set) | Stage::Started(set) => Some(set),
            Stage::Looking | Stage::Unseen(_) => None,
        }
    }

    fn wish(&self) -> CreateChangeSet {
        let number = |text: &str| text.trim().parse().ok();
        let first_n = number(&self.first);
        let (resolves, note) = (self.verb == ChangeVerb::DeadLetterResolve, self.note.trim());
        CreateChangeSet {
            verb: self.verb,
            selection: self.selection.clone(),
            parameters: ChangeParameters {
                priority: (self.verb == ChangeVerb::Prioritize)
                    .then(|| self.priority.trim().parse().ok())
                    .flatten(),
                code: resolves.then(|| self.resolution.to_string()),
                note: resolves.then(|| if note.is_empty() { NO_NOTE_YET } else { note }.to_owned()),
                force: self.force && self.verb == ChangeVerb::DeadLetterReplay,
            },
            options: ChangeOptions {
                first_n,
                after_first: (first_n.is_some() && self.then_pause).then_some(AfterFirst::Pause),
                stop_above_percent: number(&self.stop_above),
                pace_per_s: number(&self.pace),
            },
        }
    }

    /// Whether the priority or the options are other than those of the dry run.
    fn is_changed(&self, set: &ChangeSet) -> bool {
        let wish = self.wish();
        set.options != wish.options || set.parameters != wish.parameters
    }

    pub(super) fn cause(&self) -> Cause {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Cause { reason: some(&self.reason), ticket: some(&self.ticket) }
    }

    /// What is wrong with the field of this name.
    pub(super) fn wrong(&self, field: &str) -> Option<&'static str> {
        let is_number = |text: &str, least: u32, most: u32| {
            text.trim().is_empty()
                || text.trim().parse().is_ok_and(|number: u32| (least..=most).contains(&number))
        };
        match field {
            "priority" => {
                let sound = !self.priority.trim().is_empty() && is_number(&self.priority, 0, 100);
                (self.verb == ChangeVerb::Prioritize && !sound).then_some("0 to 100")
            }
            "first" => (!is_number(&self.first, 1, u32::MAX)).then_some("1 or more, or empty"),
            "stopAbove" => (!is_number(&self.stop_above, 0, 100)).then_some("0 to 100, or empty"),
            "note" => {
                let long = self.note.trim().chars().count() > NOTE_MAX;
                (self.verb == ChangeVerb::DeadLetterResolve && long).then_some("it is too long")
            }
            "pace" => (!is_number(&self.pace, 1, 1_000)).then_some("1 to 1,000, or empty"),
            _ => None,
        }
    }

    /// Why it cannot be confirmed yet.
    pub(super) fn blocked(&self) -> Option<String> {
        let verb = words::verb(self.verb);
        match &self.stage {
            Stage::Looking => return Some("The dry run is on its way".to_owned()),
            Stage::Unseen(_) => return Some("Without a dry run nothing is changed".to_owned()),
            Stage::Started(_) => return Some("It is started".to_owned()),
            Stage::Seen(set) | Stage::Starting(set) if set.dry_run.eligible == 0 => {
                return Some("None of them can be changed now".to_owned());
            }
            Stage::Seen(_) | Stage::Starting(_) => {}
        }
        if ["priority", "first", "stopAbove", "pace", "note"].iter().any(|field| self.wrong(field).is_some())
        {
            return Some("A field above is wrong".to_owned());
        }
        if self.verb == ChangeVerb::DeadLetterResolve && self.note.trim().is_empty() {
            return Some(format!("{verb} needs a note"));
        }
        let cause = self.cause();
        match (cause.reason.is_none(), cause.ticket.is_none()) {
            (true, true) => Some(format!("{verb} needs a reason and a ticket")),
            (true, false) => Some(format!("{verb} needs a reason")),
            (false, true) => Some(format!("{verb} needs a ticket")),
            (false, false) => None,
        }
    }

    /// Whether the start was refused because items changed meanwhile.
    pub(super) fn is_selection_changed(&self) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.refused() == Some(Code::SelectionChanged))
    }

    /// The words of the confirming button.
    pub(super) fn words(&self) -> String {
        let verb = words::verb(self.verb);
        match self.seen() {
            Some(set) => format!("{verb} {}", count(set.dry_run.eligible)),
            None => verb.to_owned(),
        }
    }

    /// The command that does the same: the dry run, or, once it is seen, the start.
    pub(super) fn command(&self) -> Vec<String> {
        let mut words: Vec<String> = ["orch", "change-set"].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        if let Some(set) = self.seen() {
            option("start", set.change_set_id.as_str());
            option("--selection", &set.selection_hash);
            let cause = self.cause();
            if let Some(reason) = &cause.reason {
                option("--reason", reason);
            }
            if let Some(ticket) = &cause.ticket {
                option("--ticket", ticket);
            }
            return words;
        }
        option("create", "--verb");
        words.push(self.verb.as_str().to_owned());
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        match &self.selection {
            Selection::Filter { filter, excluding } => {
                option("--filter", filter);
                excluding.iter().for_each(|id| option("--exclude", id));
            }
            Selection::DeadLetters { matching, excluding } => {
                option("--dead-letters", &words::query(matching).to_string().replacen('?', "", 1));
                excluding.iter().for_each(|id| option("--exclude", id));
            }
            Selection::Ids { ids } => ids.iter().for_each(|id| option("--id", id)),
        }
        if self.verb == ChangeVerb::Prioritize {
            option("--priority", self.priority.trim());
        }
        if self.verb == ChangeVerb::DeadLetterResolve {
            option("--code", self.resolution.as_str());
            option("--note", self.note.trim());
        }
        if self.force && self.verb == ChangeVerb::DeadLetterReplay {
            words.push("--force".to_owned());
        }
        words
    }
}

/// One step.
pub(super) fn update(model: &DryRun, said: Said) -> (DryRun, Vec<Wish>) {
    let mut next = model.clone();
    let mut wishes = Vec::new();
    match said {
        Said::Priority(text) => next.priority = text,
        Said::First(text) => next.first = text,
        Said::StopAbove(text) => next.stop_above = text,
        Said::Pace(text) => next.pace = text,
        Said::ThenPause(on) => next.then_pause = on,
        Said::Resolution(code) => next.resolution = code,
        Said::Note(text) => next.note = text,
        Said::Force(on) => {
            // Another verdict on the items, so that they are looked at again.
            next.force = on;
            next.stage = Stage::Looking;
            next.problem = None;
            wishes.push(Wish::Look(Box::new(next.wish())));
        }
        Said::Reason(text) => next.reason = text,
        Said::Ticket(text) => next.ticket = text,
        Said::Look => {
            if !matches!(model.stage, Stage::Starting(_) | Stage::Started(_)) {
                next.stage = Stage::Looking;
                next.problem = None;
                wishes.push(Wish::Look(Box::new(model.wish())));
            }
        }
        Said::Looked(answer) => match *answer {
            Ok(set) => next.stage = Stage::Seen(set),
            Err(problem) => next.stage = Stage::Unseen(problem),
        },
        Said::Confirm(changed) => {
            if let (Stage::Seen(set), None) = (&model.stage, model.blocked()) {
                let changed = (changed == Changed::Skip).then_some(changed);
                let start = StartChangeSet { selection_hash: set.selection_hash.clone(), changed };
                wishes.push(match model.is_changed(set) {
                    true => Wish::LookAndStart(Box::new(model.wish()), start, model.cause()),
                    false => Wish::Start(set.change_set_id.clone(), start, model.cause()),
                });
                next.stage = Stage::Starting(set.clone());
                next.problem = None;
            }
        }
        Said::Started(answer) => match (*answer, &model.stage) {
            (Ok(set), _) => next.stage = Stage::Started(set),
            (Err(problem), Stage::Starting(set)) => {
                next.problem = Some(problem);
                next.stage = Stage::Seen(set.clone());
            }
            (Err(problem), _) => next.problem = Some(problem),
        },
    }
    (next, wishes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::dead_letter::DeadLetterFilter;

    fn set(eligible: i64) -> ChangeSet {
        serde_json::from_value(serde_json::json!({
            "changeSetId": "chg_01890000-0000-7000-8000-000000000001", "tenant": "acme", "verb": "cancel", "state": "draft",
            "selection": { "kind": "filter", "filter": "state:queued" }, "parameters": {}, "options": {},
            "dryRun": { "selected": 5, "eligible": eligible, "refusals": [], "byState": [], "byType": [], "byCategory": [],
                "bySource": [], "impact": [] },
            "selectionHash": "sha256:1", "progress": { "waiting": eligible, "done": 0, "skipped": 0, "failed": 0 },
            "createdBy": "ada", "createdAt": "2026-11-21T14:28:15.204Z", "version": 1
        }))
        .unwrap()
    }

    fn selection() -> Selection {
        Selection::Filter { filter: "state:queued".to_owned(), excluding: vec!["job_1".to_owned()] }
    }

    fn after(model: DryRun, all: Vec<Said>) -> (DryRun, Vec<Wish>) {
        all.into_iter().fold((model, Vec::new()), |(model, _), said| update(&model, said))
    }

    fn seen(eligible: i64) -> DryRun {
        let model = DryRun::new(ChangeVerb::Cancel, selection());
        after(model, vec![Said::Look, Said::Looked(Box::new(Ok(set(eligible))))]).0
    }

    #[test]
    fn it_looks_first_and_starts_with_the_hash_a_reason_and_a_ticket() {
        let model = seen(4);
        assert_eq!(model.words(), "Cancel 4");
        assert_eq!(model.blocked().as_deref(), Some("Cancel needs a reason and a ticket"));
        assert_eq!(update(&model, Said::Confirm(Changed::Refuse)).1, []);
        let typed =
            vec![Said::Reason("why".into()), Said::Ticket("OPS-1".into()), Said::Confirm(Changed::Refuse)];
        let (model, wishes) = after(model, typed);
        let start = StartChangeSet { selection_hash: "sha256:1".into(), changed: None };
        let cause = Cause { reason: Some("why".into()), ticket: Some("OPS-1".into()) };
        assert_eq!(wishes, [Wish::Start(set(4).change_set_id, start, cause)]);
        let (model, _) = update(&model, Said::Started(Box::new(Ok(set(4)))));
        assert!(matches!(model.stage, Stage::Started(_)));
    }

    #[test]
    fn other_options_than_those_of_the_dry_run_are_looked_at_again() {
        let typed = vec![
            Said::Reason("why".into()),
            Said::Ticket("OPS-1".into()),
            Said::First("2".into()),
            Said::Confirm(Changed::Refuse),
        ];
        let (_, wishes) = after(seen(4), typed);
        let [Wish::LookAndStart(wish, start, _)] = wishes.as_slice() else { panic!("{wishes:?}") };
        assert_eq!((wish.options.first_n, start.selection_hash.as_str()), (Some(2), "sha256:1"));
    }

    #[test]
    fn nothing_eligible_or_a_wrong_field_cannot_be_confirmed() {
        assert_eq!(seen(0).blocked().as_deref(), Some("None of them can be changed now"));
        let (model, _) = update(&seen(4), Said::Pace("0".into()));
        assert_eq!(model.blocked().as_deref(), Some("A field above is wrong"));
        assert_eq!(model.wrong("pace"), Some("1 to 1,000, or empty"));
    }

    #[test]
    fn a_refused_start_keeps_what_was_typed() {
        let typed =
            vec![Said::Reason("why".into()), Said::Ticket("OPS-1".into()), Said::Confirm(Changed::Refuse)];
        let (model, _) = after(seen(4), typed);
        let (model, _) = update(&model, Said::Started(Box::new(Err(Problem::Unreachable))));
        assert!(matches!(model.stage, Stage::Seen(_)));
        assert_eq!((model.reason.as_str(), model.problem), ("why", Some(Problem::Unreachable)));
    }

    #[test]
    fn the_command_is_the_dry_run_and_then_the_start() {
        let model = DryRun::new(ChangeVerb::Cancel, selection());
        assert_eq!(
            model.command().join(" "),
            "orch change-set create --verb cancel --filter state:queued --exclude job_1"
        );
        assert!(seen(4).command().join(" ").starts_with("orch change-set start chg_"));
    }

    #[test]
    fn entries_are_closed_under_a_note_and_looked_at_anew_when_force_takes_in_more() {
        let matching = Box::new(DeadLetterFilter::default());
        let selection = Selection::DeadLetters { matching, excluding: Vec::new() };
        let resolve = DryRun::new(ChangeVerb::DeadLetterResolve, selection.clone());
        assert_eq!(resolve.wish().parameters.note.as_deref(), Some(NO_NOTE_YET));
        let all =
            vec![Said::Looked(Box::new(Ok(set(3)))), Said::Reason("r".into()), Said::Ticket("T-1".into())];
        let (seen, _) = after(resolve, all);
        assert_eq!(seen.blocked().as_deref(), Some("Resolve needs a note"));
        let (noted, _) = update(&seen, Said::Note("mended".to_owned()));
        assert_eq!(noted.blocked(), None);
        let (_, wishes) = update(&noted, Said::Confirm(Changed::Refuse));
        assert!(
            matches!(wishes.as_slice(), [Wish::LookAndStart(..)]),
            "the note is in the set that is started"
        );
        let replay = DryRun::new(ChangeVerb::DeadLetterReplay, selection);
        let (forced, wishes) = update(&replay, Said::Force(true));
        assert_eq!(forced.stage, Stage::Looking);
        assert_eq!(wishes, [Wish::Look(Box::new(forced.wish()))]);
        assert!(forced.command().join(" ").ends_with("--dead-letters  --force"));
    }
}
