//! A schedule as it is being written down: what was typed, and what it comes to.

use crate::pages::runs::RunDraft;
use stella_contract::finding::Severity;
use stella_contract::run::RunMode;
use stella_contract::schedule::{
    CATCHUP_WINDOW_S, ChangeSchedule, JITTER_S, MAX_TARGETS, MakeSchedule, OverlapPolicy, Schedule,
    ScheduleLimits, ScheduleNotify,
};

/// What was typed, beside the run it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub name: String,
    pub cron: String,
    pub zone: String,
    pub overlap: OverlapPolicy,
    pub jitter_s: String,
    pub catchup_s: String,
    pub max_targets: String,
    pub parallelism: String,
    pub per_minute: String,
    pub policy: String,
    pub severity: Option<Severity>,
    pub on_kev: bool,
}

impl Default for Draft {
    fn default() -> Self {
        let limits = ScheduleLimits::default();
        Self {
            name: String::new(),
            cron: "30 2 * * *".to_owned(),
            zone: "UTC".to_owned(),
            overlap: OverlapPolicy::Skip,
            jitter_s: JITTER_S.to_string(),
            catchup_s: CATCHUP_WINDOW_S.to_string(),
            max_targets: MAX_TARGETS.to_string(),
            parallelism: limits.parallelism.to_string(),
            per_minute: limits.targets_per_minute.to_string(),
            policy: String::new(),
            severity: None,
            on_kev: false,
        }
    }
}

/// A whole number within these bounds.
fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    text.trim().replace(',', "").parse::<i64>().ok().filter(|number| (least..=most).contains(number))
}

impl Draft {
    /// What would have been typed for this schedule.
    pub(super) fn of(one: &Schedule) -> Self {
        Self {
            name: one.name.clone(),
            cron: one.cron.clone(),
            zone: one.timezone.clone(),
            overlap: one.overlap_policy,
            jitter_s: one.jitter_s.to_string(),
            catchup_s: one.catchup_window_s.to_string(),
            max_targets: one.max_targets.to_string(),
            parallelism: one.limits.parallelism.to_string(),
            per_minute: one.limits.targets_per_minute.to_string(),
            policy: one.policy_snapshot_id.clone().unwrap_or_default(),
            severity: one.notify.min_severity,
            on_kev: one.notify.on_kev,
        }
    }

    pub(super) fn jitter(&self) -> Option<i64> {
        number(&self.jitter_s, 0, 3_600)
    }
    pub(super) fn catchup(&self) -> Option<i64> {
        number(&self.catchup_s, 10, 31_536_000)
    }
    pub(super) fn most(&self) -> Option<i64> {
        number(&self.max_targets, 1, 1_000_000)
    }
    pub(super) fn parallel(&self) -> Option<i64> {
        number(&self.parallelism, 1, 64)
    }
    pub(super) fn rate(&self) -> Option<i64> {
        number(&self.per_minute, 1, 100_000)
    }

    /// The first thing that is missing or wrong, beside the cron text, which the core reads.
    pub(super) fn wrong(&self, run: &RunDraft) -> Option<String> {
        if self.name.trim().is_empty() {
            return Some("Needs a name".to_owned());
        }
        if self.cron.trim().is_empty() {
            return Some("Needs a cron text".to_owned());
        }
        let numbers = [self.jitter(), self.catchup(), self.most(), self.parallel(), self.rate()];
        if numbers.iter().any(Option::is_none) {
            return Some("A number is out of its bounds".to_owned());
        }
        run.scope().err()
    }

    fn limits(&self) -> Option<ScheduleLimits> {
        Some(ScheduleLimits { parallelism: self.parallel()?, targets_per_minute: self.rate()? })
    }

    fn notify(&self) -> ScheduleNotify {
        ScheduleNotify { min_severity: self.severity, on_kev: self.on_kev }
    }

    /// The schedule that is wished for.
    pub(super) fn wish(&self, run: &RunDraft) -> Result<MakeSchedule, String> {
        let policy = self.policy.trim();
        Ok(MakeSchedule {
            name: self.name.trim().to_owned(),
            cron: self.cron.trim().to_owned(),
            timezone: Some(self.zone.trim().to_owned()),
            jitter_s: self.jitter(),
            overlap_policy: Some(self.overlap),
            catchup_window_s: self.catchup(),
            mode: run.mode,
            scope: run.scope()?,
            policy_snapshot_id: (!policy.is_empty()).then(|| policy.to_owned()),
            kev_first: run.kev_first,
            max_targets: self.most(),
            limits: self.limits(),
            notify: Some(self.notify()),
            enabled: None,
        })
    }

    /// What is to be different; the core leaves alone what is the same.
    pub(super) fn change(&self, run: &RunDraft) -> Result<ChangeSchedule, String> {
        let wish = self.wish(run)?;
        Ok(ChangeSchedule {
            name: Some(wish.name),
            cron: Some(wish.cron),
            timezone: wish.timezone,
            jitter_s: wish.jitter_s,
            overlap_policy: wish.overlap_policy,
            catchup_window_s: wish.catchup_window_s,
            mode: Some(wish.mode),
            scope: Some(wish.scope),
            policy_snapshot_id: Some(self.policy.trim().to_owned()),
            kev_first: Some(wish.kev_first),
            max_targets: wish.max_targets,
            limits: wish.limits,
            notify: wish.notify,
        })
    }

    /// The command that does the same; of an edit, what differs from before.
    pub(super) fn command(&self, run: &RunDraft, before: Option<(&Self, &RunDraft, &str)>) -> Vec<String> {
        let start = match before {
            Some((_, _, name)) => ["schedules".to_owned(), "set".to_owned(), name.to_owned()],
            None => ["schedules".to_owned(), "add".to_owned(), self.name.trim().to_owned()],
        };
        let basis = before.map_or_else(Self::default, |(draft, _, _)| draft.clone());
        let is_new = before.is_none();
        let named = before.is_some_and(|(draft, _, _)| draft.name != self.name);
        let differs = |one: &str, other: &str| one.trim() != other.trim();
        let options = [
            ("--name", self.name.trim().to_owned(), named),
            ("--cron", self.cron.trim().to_owned(), is_new || differs(&self.cron, &basis.cron)),
            ("--timezone", self.zone.trim().to_owned(), differs(&self.zone, &basis.zone)),
            (
                "--mode",
                run.mode.to_string(),
                before.map_or(run.mode != RunMode::AnalysisOnly, |(_, was, _)| was.mode != run.mode),
            ),
            ("--overlap", self.overlap.to_string(), self.overlap != basis.overlap),
            ("--jitter-s", self.jitter_s.trim().to_owned(), differs(&self.jitter_s, &basis.jitter_s)),
            (
                "--catchup-window-s",
                self.catchup_s.trim().to_owned(),
                differs(&self.catchup_s, &basis.catchup_s),
            ),
            (
                "--max-targets",
                self.max_targets.trim().to_owned(),
                differs(&self.max_targets, &basis.max_targets),
            ),
            (
                "--parallelism",
                self.parallelism.trim().to_owned(),
                differs(&self.parallelism, &basis.parallelism),
            ),
            (
                "--targets-per-minute",
                self.per_minute.trim().to_owned(),
                differs(&self.per_minute, &basis.per_minute),
            ),
            ("--policy", self.policy.trim().to_owned(), differs(&self.policy, &basis.policy)),
        ];
        let said = options.into_iter().filter(|(_, _, is_said)| *is_said);
        let mut words: Vec<String> = start.into();
        words.extend(said.flat_map(|(option, value, _)| [option.to_owned(), value]));
        if let Some(severity) = self.severity.filter(|severity| Some(*severity) != basis.severity) {
            words.extend(["--notify-severity".to_owned(), severity.to_string()]);
        }
        if self.on_kev != basis.on_kev {
            words.extend(["--notify-kev".to_owned(), self.on_kev.to_string()]);
        }
        match before {
            None => words.extend(run.kev_first.then(|| "--kev-first".to_owned())),
            Some((_, was, _)) if was.kev_first != run.kev_first => {
                words.extend(["--kev-first".to_owned(), run.kev_first.to_string()]);
            }
            Some(_) => {}
        }
        if before.is_none_or(|(_, was, _)| was.scope_words() != run.scope_words()) {
            words.extend(run.scope_words());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Draft {
        Draft { name: " nightly ".into(), ..Draft::default() }
    }

    #[test]
    fn what_is_missing_is_named_before_it_is_sent() {
        let run = RunDraft::default();
        assert_eq!(Draft::default().wrong(&run).as_deref(), Some("Needs a name"));
        assert_eq!(named().wrong(&run), None);
        let wrong = |draft: Draft| draft.wrong(&run).unwrap();
        assert_eq!(wrong(Draft { cron: " ".into(), ..named() }), "Needs a cron text");
        assert_eq!(wrong(Draft { jitter_s: "3601".into(), ..named() }), "A number is out of its bounds");
        assert_eq!(wrong(Draft { catchup_s: "9".into(), ..named() }), "A number is out of its bounds");
    }

    #[test]
    fn the_command_says_what_differs_and_no_more() {
        let run = RunDraft { kev_first: true, ..RunDraft::default() };
        let draft = Draft { zone: "Europe/Sofia".into(), severity: Some(Severity::High), ..named() };
        assert_eq!(
            draft.command(&run, None).join(" "),
            "schedules add nightly --cron 30 2 * * * --timezone Europe/Sofia --notify-severity high --kev-first"
        );
        let edited = Draft { cron: "@daily".into(), ..draft.clone() };
        assert_eq!(
            edited.command(&run, Some((&draft, &run, "nightly"))).join(" "),
            "schedules set nightly --cron @daily"
        );
        let wish = draft.wish(&run).unwrap();
        assert_eq!((wish.name.as_str(), wish.kev_first, wish.jitter_s), ("nightly", true, Some(30)));
        assert_eq!(draft.change(&run).unwrap().policy_snapshot_id.as_deref(), Some(""));
    }
}
