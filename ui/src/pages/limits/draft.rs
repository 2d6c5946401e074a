//! What an operator types into the form of a quota, and what it means: which fields change, what is wrong, the same as
//! a command.

use crate::kit::format::count;
use stella_contract::quota::{AddQuota, ChangeQuota, QuotaLimits, QuotaStrategy};
use stella_contract::time::Micros;

/// A quota as it is being typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// Jobs at work at once.
    pub max_active: String,
    /// Jobs started within an hour.
    pub max_per_hour: String,
    /// Jobs that may start in one go.
    pub burst: String,
    /// How it shares with others.
    pub strategy: QuotaStrategy,
    /// Its weight among proportional quotas.
    pub weight: String,
    /// Places that are its own.
    pub reserved: String,
    /// After how many hours it goes back to what it was; empty: never.
    pub back_in_h: String,
}

/// The fields that hold a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Jobs at work at once.
    MaxActive,
    /// Jobs started within an hour.
    MaxPerHour,
    /// Jobs that may start in one go.
    Burst,
    /// Its weight.
    Weight,
    /// Places that are its own.
    Reserved,
}

impl Field {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::MaxActive, Self::MaxPerHour, Self::Burst, Self::Weight, Self::Reserved];

    /// Its label.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::MaxActive => "Max active",
            Self::MaxPerHour => "Max per hour",
            Self::Burst => "Burst",
            Self::Weight => "Weight",
            Self::Reserved => "Reserved",
        }
    }

    /// As the command line spells it.
    const fn flag(self) -> &'static str {
        match self {
            Self::MaxActive => "--max-active",
            Self::MaxPerHour => "--max-per-hour",
            Self::Burst => "--burst",
            Self::Weight => "--weight",
            Self::Reserved => "--reserved",
        }
    }

    /// The least and the most it may be.
    const fn bounds(self) -> (i64, i64) {
        match self {
            Self::MaxActive | Self::Reserved => (0, 1_000_000),
            Self::MaxPerHour => (0, 100_000_000),
            Self::Burst => (1, 1_000_000),
            Self::Weight => (1, 1_000),
        }
    }

    /// Its value among limits.
    pub(super) const fn of(self, limits: &QuotaLimits) -> i64 {
        match self {
            Self::MaxActive => limits.max_active,
            Self::MaxPerHour => limits.max_per_hour,
            Self::Burst => limits.burst,
            Self::Weight => limits.weight,
            Self::Reserved => limits.reserved,
        }
    }
}

impl Draft {
    /// The form as it opens over these limits.
    pub(super) fn of(limits: &QuotaLimits) -> Self {
        Self {
            max_active: limits.max_active.to_string(),
            max_per_hour: limits.max_per_hour.to_string(),
            burst: limits.burst.to_string(),
            strategy: limits.strategy,
            weight: limits.weight.to_string(),
            reserved: limits.reserved.to_string(),
            back_in_h: String::new(),
        }
    }

    /// The fields that mean anything under the chosen strategy.
    pub(super) fn fields(&self) -> Vec<Field> {
        let matters = |field: &Field| match field {
            Field::MaxActive | Field::MaxPerHour | Field::Burst => self.strategy != QuotaStrategy::Unlimited,
            Field::Weight => self.strategy == QuotaStrategy::Proportional,
            Field::Reserved => {
                self.strategy == QuotaStrategy::Reserved || self.strategy == QuotaStrategy::Priority
            }
        };
        Field::ALL.into_iter().filter(matters).collect()
    }

    /// What stands in a field.
    pub(super) fn text(&self, field: Field) -> &str {
        match field {
            Field::MaxActive => &self.max_active,
            Field::MaxPerHour => &self.max_per_hour,
            Field::Burst => &self.burst,
            Field::Weight => &self.weight,
            Field::Reserved => &self.reserved,
        }
    }

    /// The same with another text in a field.
    pub(super) fn with(&self, field: Field, text: String) -> Self {
        let mut next = self.clone();
        *match field {
            Field::MaxActive => &mut next.max_active,
            Field::MaxPerHour => &mut next.max_per_hour,
            Field::Burst => &mut next.burst,
            Field::Weight => &mut next.weight,
            Field::Reserved => &mut next.reserved,
        } = text;
        next
    }

    /// The number in a field, or what is wrong with it.
    pub(super) fn number(&self, field: Field) -> Result<i64, String> {
        let (least, most) = field.bounds();
        let typed = self.text(field).trim().replace(',', "");
        let number = typed.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("A whole number from {} to {}", count(least), count(most)))
    }

    /// The first thing that is wrong.
    pub(super) fn wrong(&self) -> Option<String> {
        self.fields().into_iter().find_map(|field| {
            self.number(field).err().map(|why| format!("{}: {}", field.label(), lowered(&why)))
        })
    }

    /// What would be different: label, before, after.
    pub(super) fn told(&self, limits: &QuotaLimits) -> Vec<(&'static str, String, String)> {
        let mut out = Vec::new();
        if self.strategy != limits.strategy {
            out.push(("Strategy", limits.strategy.to_string(), self.strategy.to_string()));
        }
        for (field, number) in self.changed(limits) {
            out.push((field.label(), count(field.of(limits)), count(number)));
        }
        out
    }

    /// The numbers that would be different.
    fn changed(&self, limits: &QuotaLimits) -> Vec<(Field, i64)> {
        let numbers = self.fields().into_iter().filter_map(|field| Some((field, self.number(field).ok()?)));
        numbers.filter(|(field, number)| field.of(limits) != *number).collect()
    }

    fn change_of(&self, changed: &[(Field, i64)], wanted: Field) -> Option<i64> {
        changed.iter().find(|(field, _)| *field == wanted).map(|(_, number)| *number)
    }

    /// The wish for a change, as it is sent.
    pub(super) fn change(&self, limits: &QuotaLimits, now: Micros) -> ChangeQuota {
        let changed = self.changed(limits);
        ChangeQuota {
            max_active: self.change_of(&changed, Field::MaxActive),
            max_per_hour: self.change_of(&changed, Field::MaxPerHour),
            burst: self.change_of(&changed, Field::Burst),
            refill_per_second: None,
            strategy: (self.strategy != limits.strategy).then_some(self.strategy),
            weight: self.change_of(&changed, Field::Weight),
            reserved: self.change_of(&changed, Field::Reserved),
            revert_at: self.back_at(now),
        }
    }

    /// The wish for a new quota, as it is sent.
    pub(super) fn add(&self, job_type: &str) -> AddQuota {
        let of = |field: Field| self.fields().contains(&field).then(|| self.number(field).ok()).flatten();
        AddQuota {
            job_type: job_type.trim().to_owned(),
            max_active: of(Field::MaxActive),
            max_per_hour: of(Field::MaxPerHour),
            burst: of(Field::Burst),
            refill_per_second: None,
            strategy: Some(self.strategy),
            weight: of(Field::Weight),
            reserved: of(Field::Reserved),
        }
    }

    /// When it goes back to what it was.
    pub(super) fn back_at(&self, now: Micros) -> Option<Micros> {
        let hours: i64 = self.back_in_h.parse().ok()?;
        Some(now.plus_ms(hours * 3_600_000))
    }

    /// The change as the words of a command.
    pub(super) fn flags(&self, limits: &QuotaLimits, now: Micros) -> Vec<String> {
        let mut out = Vec::new();
        if self.strategy != limits.strategy {
            out.extend(["--strategy".to_owned(), self.strategy.to_string()]);
        }
        for (field, number) in self.changed(limits) {
            out.extend([field.flag().to_owned(), number.to_string()]);
        }
        if let Some(at) = self.back_at(now) {
            out.extend(["--revert-at".to_owned(), at.to_string()]);
        }
        out
    }
}

/// The sentence with a small first letter, to go on another.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The strategies with what they mean.
pub(super) const STRATEGIES: [(QuotaStrategy, &str); 5] = [
    (QuotaStrategy::MaxLimit, "Never more than max active"),
    (QuotaStrategy::Proportional, "A share of the workers by weight"),
    (QuotaStrategy::Priority, "Reserved places beyond, for priority 75 and more"),
    (QuotaStrategy::Reserved, "Reserved places are kept free for it"),
    (QuotaStrategy::Unlimited, "No bound but a pause"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_sent_and_told() {
        let limits = QuotaLimits::default();
        let draft = Draft::of(&limits).with(Field::MaxActive, " 1,600 ".into());
        let change = draft.change(&limits, Micros(0));
        assert_eq!(change, ChangeQuota { max_active: Some(1_600), ..ChangeQuota::default() });
        assert_eq!(draft.told(&limits), [("Max active", "10".to_owned(), "1,600".to_owned())]);
        assert_eq!(draft.flags(&limits, Micros(0)), ["--max-active", "1600"]);
        assert!(Draft::of(&limits).told(&limits).is_empty());
    }

    #[test]
    fn a_number_out_of_bounds_names_its_field_and_the_bounds() {
        let limits = QuotaLimits::default();
        for wrong in ["", "-1", "ten", "1.5"] {
            let draft = Draft::of(&limits).with(Field::MaxActive, wrong.into());
            assert_eq!(
                draft.wrong().as_deref(),
                Some("Max active: a whole number from 0 to 1,000,000"),
                "{wrong}"
            );
        }
        assert_eq!(Draft::of(&limits).wrong(), None);
    }

    #[test]
    fn a_strategy_shows_the_fields_it_uses_and_sends_no_others() {
        let limits = QuotaLimits::default();
        let mut draft = Draft::of(&limits);
        assert_eq!(draft.fields(), [Field::MaxActive, Field::MaxPerHour, Field::Burst]);
        draft.strategy = QuotaStrategy::Proportional;
        assert!(draft.fields().contains(&Field::Weight));
        draft.strategy = QuotaStrategy::Unlimited;
        assert!(draft.fields().is_empty());
        let add = draft.add(" scan.segment ");
        assert_eq!((add.job_type.as_str(), add.max_active), ("scan.segment", None));
    }

    #[test]
    fn a_change_that_goes_back_says_when() {
        let limits = QuotaLimits::default();
        let draft = Draft { back_in_h: "4".into(), ..Draft::of(&limits) };
        assert_eq!(draft.change(&limits, Micros(0)).revert_at, Some(Micros(4 * 3_600_000_000)));
        assert_eq!(draft.flags(&limits, Micros(0))[0], "--revert-at");
    }
}
