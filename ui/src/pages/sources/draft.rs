//! A backfill as it is being asked for: what was typed, read and judged. No browser is needed to try it.

use super::map::{moment, written};
use crate::api::Problem;
use crate::kit::format::counted;
use stella_contract::backfill::{
    Backfill, BackfillOrder, CreateBackfill, MOST_ACTIVE, MOST_DAYS, MOST_WINDOWS, OverlapPolicy, Reprocess,
};
use stella_contract::error::Code;
use stella_contract::ids::{BackfillId, SourceId};
use stella_contract::job::Cause;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;

/// The lengths of a window to choose from, in seconds.
pub(super) const WINDOWS: &[(i64, &str)] =
    &[(3_600, "1 hour"), (21_600, "6 hours"), (86_400, "1 day"), (604_800, "7 days")];

/// What was typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub from: String,
    pub to: String,
    pub window_s: i64,
    pub order: BackfillOrder,
    pub reprocess: Reprocess,
    pub max_active: String,
    /// In percent.
    pub share: String,
    pub overlap: OverlapPolicy,
    pub reason: String,
    pub ticket: String,
}

impl Draft {
    /// A draft for a range.
    pub(super) fn over(range: Option<Window>) -> Self {
        let text = |at: fn(Window) -> Micros| range.map(|range| written(at(range))).unwrap_or_default();
        let short = range.is_some_and(|range| range.end.0 - range.start.0 < 86_400_000_000);
        Self {
            from: text(|range| range.start),
            to: text(|range| range.end),
            window_s: if short { 3_600 } else { 86_400 },
            order: BackfillOrder::OldestFirst,
            reprocess: Reprocess::None,
            max_active: "2".to_owned(),
            share: "25".to_owned(),
            overlap: OverlapPolicy::BufferAll,
            reason: String::new(),
            ticket: String::new(),
        }
    }

    /// What is asked of the core, or which field is wrong and how.
    pub(super) fn request(&self, source: &SourceId) -> Result<CreateBackfill, (&'static str, String)> {
        let time = |field, text: &str| {
            moment(text).ok_or_else(|| {
                (field, "Write a day or a time, as 2026-11-03 or 2026-11-03T14:00Z".to_owned())
            })
        };
        let (from, to) = (time("from", &self.from)?, time("to", &self.to)?);
        let Some(range) = Window::between(from, to) else {
            return Err(("to", "Ends before it begins".to_owned()));
        };
        let length = (range.end.0 - range.start.0) / 1_000_000;
        if length > MOST_DAYS * 86_400 {
            return Err(("to", format!("Spans more than {MOST_DAYS} days")));
        }
        if (length + self.window_s - 1) / self.window_s > MOST_WINDOWS {
            return Err(("window", format!("More than {MOST_WINDOWS} windows; take longer ones")));
        }
        let max_active = self.max_active.trim().parse::<i64>().ok().filter(|n| (1..=MOST_ACTIVE).contains(n));
        let share =
            self.share.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0);
        Ok(CreateBackfill {
            window_s: self.window_s,
            order: self.order,
            reprocess: self.reprocess,
            max_active: max_active.ok_or_else(|| ("max_active", format!("1 to {MOST_ACTIVE}")))?,
            bucket_share: share.ok_or_else(|| ("share", "Above 0 and up to 100 percent".to_owned()))? / 100.0,
            overlap_policy: self.overlap,
            ..CreateBackfill::of(source.clone(), range.start, range.end)
        })
    }

    /// Reason and ticket, as the core takes them.
    pub(super) fn cause(&self) -> Cause {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Cause { reason: some(&self.reason), ticket: some(&self.ticket) }
    }

    /// Why it cannot be previewed yet.
    pub(super) fn blocked(&self, source: &SourceId) -> Option<String> {
        if let Err((_, why)) = self.request(source) {
            return Some(why);
        }
        let cause = self.cause();
        match (cause.reason.is_none(), cause.ticket.is_none()) {
            (true, true) => Some("Needs a reason and a ticket".to_owned()),
            (true, false) => Some("Needs a reason".to_owned()),
            (false, true) => Some("Needs a ticket".to_owned()),
            (false, false) => None,
        }
    }

    /// The command that asks for the same.
    pub(super) fn command(&self, source: &SourceId) -> Vec<String> {
        let plain = Self::over(None);
        let mut words: Vec<String> = ["orch", "backfill", "create", "--source"].map(str::to_owned).to_vec();
        words.push(source.to_string());
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        // The command line takes whole times only.
        let whole = |text: &str| moment(text).map_or_else(|| text.trim().to_owned(), |at| at.to_string());
        option("--from", &whole(&self.from));
        option("--to", &whole(&self.to));
        let window = self.window_s.to_string();
        let changed = [
            ("--window-s", window.as_str(), self.window_s != plain.window_s),
            ("--order", self.order.as_str(), self.order != plain.order),
            ("--reprocess", self.reprocess.as_str(), self.reprocess != plain.reprocess),
            ("--max-active", self.max_active.trim(), self.max_active != plain.max_active),
            ("--overlap-policy", self.overlap.as_str(), self.overlap != plain.overlap),
        ];
        for (name, value, _) in changed.into_iter().filter(|(_, _, other)| *other) {
            option(name, value);
        }
        if let Some(share) = self.share.trim().parse::<f64>().ok().filter(|_| self.share != plain.share) {
            option("--bucket-share", &format!("{}", share / 100.0));
        }
        let cause = self.cause();
        if let Some(reason) = &cause.reason {
            option("--reason", reason);
        }
        if let Some(ticket) = &cause.ticket {
            option("--ticket", ticket);
        }
        words
    }
}

/// The wizard: a draft, and what the core said it would do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wizard {
    pub source: SourceId,
    pub draft: Draft,
    /// The newest answer, and to which request.
    pub seen: Option<(CreateBackfill, Backfill)>,
    pub busy: bool,
    pub problem: Option<Problem>,
}

/// What happens to it.
#[derive(Debug)]
pub(super) enum Said {
    /// Something was typed.
    Edit(Box<Draft>),
    /// The operator wants to see what it would do.
    Preview,
    /// The core answered.
    Previewed(Box<CreateBackfill>, Box<Result<Backfill, Problem>>),
    /// The operator starts what was seen.
    Start,
    /// The core answered.
    Started(Box<Result<Backfill, Problem>>),
}

/// What has to be done outside.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    /// Ask the core; a draft that is no longer wanted is cancelled.
    Preview { request: Box<CreateBackfill>, cause: Cause, known: Option<BackfillId>, old: Option<BackfillId> },
    /// Start.
    Start { id: BackfillId, digest: String, cause: Cause },
    /// Tell that it is under way.
    Tell(Box<Backfill>),
}

impl Wizard {
    pub(super) fn new(source: SourceId, range: Option<Window>) -> Self {
        Self { source, draft: Draft::over(range), seen: None, busy: false, problem: None }
    }

    /// What was answered, while it is still to what the form says.
    pub(super) fn current(&self) -> Option<&Backfill> {
        let request = self.draft.request(&self.source).ok()?;
        self.seen.as_ref().filter(|(asked, _)| *asked == request).map(|(_, backfill)| backfill)
    }

    /// Why it cannot be started, once it was previewed.
    pub(super) fn start_blocked(&self, now: Micros) -> Option<String> {
        let Some(preview) = self.current().and_then(|backfill| backfill.preview.as_ref()) else {
            return Some("Preview first: nothing starts unseen".to_owned());
        };
        match () {
            () if !preview.collisions.is_empty() => Some("It cannot start as things are".to_owned()),
            () if preview.will_run == 0 => Some("No window would run".to_owned()),
            () if preview.valid_until <= now => Some("The preview is too old; preview again".to_owned()),
            () => self.draft.blocked(&self.source),
        }
    }

    /// The words of the starting button.
    pub(super) fn verb(&self) -> String {
        match self.current().and_then(|backfill| backfill.preview.as_ref()) {
            Some(preview) => format!("Start {}", counted(preview.will_run, "window", "windows")),
            None => "Start".to_owned(),
        }
    }
}

/// One step of the wizard.
pub(super) fn update(model: &Wizard, said: Said) -> (Wizard, Vec<Wish>) {
    let mut next = model.clone();
    match said {
        Said::Edit(draft) => {
            next.draft = *draft;
            (next, Vec::new())
        }
        Said::Preview => {
            if model.busy || model.draft.blocked(&model.source).is_some() {
                return (next, Vec::new());
            }
            let Ok(request) = model.draft.request(&model.source) else { return (next, Vec::new()) };
            let known = model.current().map(|backfill| backfill.backfill_id.clone());
            let old = model.seen.as_ref().map(|(_, backfill)| backfill.backfill_id.clone());
            let old = old.filter(|_| known.is_none());
            next.busy = true;
            next.problem = None;
            let wish = Wish::Preview { request: Box::new(request), cause: model.draft.cause(), known, old };
            (next, vec![wish])
        }
        Said::Previewed(request, answer) => {
            next.busy = false;
            match *answer {
                Ok(backfill) => {
                    next.seen = Some((*request, backfill));
                    next.problem = None;
                }
                Err(problem) => next.problem = Some(problem),
            }
            (next, Vec::new())
        }
        Said::Start => {
            let seen = model.current().and_then(|backfill| {
                Some((backfill.backfill_id.clone(), backfill.preview.as_ref()?.digest.clone()))
            });
            let Some((id, digest)) = seen.filter(|_| !model.busy) else { return (next, Vec::new()) };
            next.busy = true;
            next.problem = None;
            (next, vec![Wish::Start { id, digest, cause: model.draft.cause() }])
        }
        Said::Started(answer) => {
            next.busy = false;
            match *answer {
                Ok(backfill) => (next, vec![Wish::Tell(Box::new(backfill))]),
                Err(problem) => {
                    // What was seen is no longer what would happen.
                    if problem.refused() == Some(Code::PreviewStale) {
                        next.seen = None;
                    }
                    next.problem = Some(problem);
                    (next, Vec::new())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::backfill::{BackfillPreview, BackfillState};

    fn source() -> SourceId {
        SourceId::from_uuid("01890000-0000-7000-8000-000000000000")
    }

    fn typed() -> Draft {
        Draft {
            from: "2026-11-01".into(),
            to: "2026-11-04".into(),
            reason: "lost by the outage".into(),
            ticket: "OPS-1".into(),
            ..Draft::over(None)
        }
    }

    fn answered(request: &CreateBackfill, will_run: i64, valid_until: Micros) -> Backfill {
        Backfill {
            backfill_id: BackfillId::from_uuid("01890000-0000-7000-8000-000000000001"),
            tenant: "acme".parse().unwrap(),
            request: request.clone(),
            source_name: "osv".into(),
            state: BackfillState::Previewed,
            failure_reason: None,
            planned: 0,
            done: 0,
            failed: 0,
            active: 0,
            progress: 0.0,
            preview: Some(BackfillPreview {
                digest: "sha256:a".into(),
                windows: Vec::new(),
                window_count: 3,
                already_done: 0,
                left_failed: 0,
                will_run,
                estimated_requests: 3,
                estimated_duration_s: 12,
                retention_hits: 0,
                collisions: Vec::new(),
                valid_until,
            }),
            reason: "r".into(),
            ticket: "t".into(),
            created_by: "op".into(),
            correlation_id: "c".into(),
            created_at: Micros(0),
            started_at: None,
            ended_at: None,
            version: 1,
        }
    }

    fn wizard() -> Wizard {
        Wizard { draft: typed(), ..Wizard::new(source(), None) }
    }

    #[test]
    fn a_draft_names_the_field_that_is_wrong() {
        let wrong = |change: fn(&mut Draft)| {
            let mut draft = typed();
            change(&mut draft);
            draft.request(&source()).unwrap_err().0
        };
        assert_eq!(wrong(|draft| draft.from = "yesterday".into()), "from");
        assert_eq!(wrong(|draft| draft.to = "2026-10-01".into()), "to");
        assert_eq!(wrong(|draft| draft.from = "2024-01-01".into()), "to");
        assert_eq!(wrong(|draft| draft.max_active = "17".into()), "max_active");
        assert_eq!(wrong(|draft| draft.share = "0".into()), "share");
        let many = |draft: &mut Draft| {
            draft.from = "2026-01-01".into();
            draft.window_s = 3_600;
        };
        assert_eq!(wrong(many), "window");
        let request = typed().request(&source()).unwrap();
        assert!((request.bucket_share - 0.25).abs() < 1e-9);
    }

    #[test]
    fn nothing_starts_unseen_and_an_edit_asks_for_another_look() {
        let now = Micros(1_000);
        let (asking, wishes) = update(&wizard(), Said::Preview);
        assert!(asking.busy && asking.start_blocked(now).is_some());
        let [Wish::Preview { request, known: None, old: None, .. }] = wishes.as_slice() else {
            panic!("{wishes:?}")
        };
        let answer = Said::Previewed(request.clone(), Box::new(Ok(answered(request, 3, Micros(2_000)))));
        let (seen, _) = update(&asking, answer);
        assert_eq!(seen.start_blocked(now), None);
        assert_eq!(seen.verb(), "Start 3 windows");
        assert!(seen.start_blocked(Micros(3_000)).is_some(), "it is too old then");

        let edited = Draft { to: "2026-11-05".into(), ..typed() };
        let (edited, _) = update(&seen, Said::Edit(Box::new(edited)));
        assert!(edited.current().is_none() && edited.start_blocked(now).is_some());
        let (_, wishes) = update(&edited, Said::Start);
        assert!(wishes.is_empty(), "what was seen is not what would start");
        let (_, wishes) = update(&edited, Said::Preview);
        assert!(matches!(wishes.as_slice(), [Wish::Preview { known: None, old: Some(_), .. }]));

        let (starting, wishes) = update(&seen, Said::Start);
        assert!(matches!(wishes.as_slice(), [Wish::Start { digest, .. }] if digest == "sha256:a"));
        let (_, wishes) = update(&starting, Said::Start);
        assert!(wishes.is_empty(), "a second press starts nothing");
    }

    #[test]
    fn a_preview_that_would_run_nothing_cannot_be_started() {
        let mut model = wizard();
        let request = model.draft.request(&source()).unwrap();
        model.seen = Some((request.clone(), answered(&request, 0, Micros(2_000))));
        assert_eq!(model.start_blocked(Micros(0)).as_deref(), Some("No window would run"));
    }

    #[test]
    fn reason_and_ticket_are_asked_for_before_anything_else_is() {
        let blank = Draft { reason: " ".into(), ticket: String::new(), ..typed() };
        assert_eq!(blank.blocked(&source()).as_deref(), Some("Needs a reason and a ticket"));
        let (_, wishes) = update(&Wizard { draft: blank, ..wizard() }, Said::Preview);
        assert!(wishes.is_empty());
    }

    #[test]
    fn the_command_names_what_differs_from_the_usual() {
        let draft = Draft { share: "50".into(), reprocess: Reprocess::Failed, ..typed() };
        let words = draft.command(&source()).join(" ");
        assert!(
            words.contains("--from 2026-11-01T00:00:00.000Z --to 2026-11-04T00:00:00.000Z --reprocess failed --bucket-share 0.5"),
            "{words}"
        );
        assert!(!words.contains("--max-active"), "{words}");
    }
}
