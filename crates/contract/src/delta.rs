//! How the findings of a target, a segment or a run changed (spec 05 §5.5).

use crate::finding::Severity;
use serde::{Deserialize, Serialize};

/// Counts of changes. They add up: target to segment, segment to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct Deltas {
    pub new_critical: u64,
    pub new_high: u64,
    pub new_medium: u64,
    pub new_low: u64,
    pub new_unknown: u64,
    pub resolved_critical: u64,
    pub resolved_high: u64,
    pub resolved_medium: u64,
    pub resolved_low: u64,
    pub resolved_unknown: u64,
    pub severity_raised: u64,
    pub severity_lowered: u64,
    pub quieted: u64,
    pub unquieted: u64,
    pub kev_added: u64,
    pub kev_removed: u64,
}

impl Deltas {
    /// The counter of new findings of this severity.
    pub const fn new_of(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.new_critical,
            Severity::High => &mut self.new_high,
            Severity::Medium => &mut self.new_medium,
            Severity::Low => &mut self.new_low,
            Severity::Unknown => &mut self.new_unknown,
        }
    }

    /// The counter of resolved findings of this severity.
    pub const fn resolved_of(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.resolved_critical,
            Severity::High => &mut self.resolved_high,
            Severity::Medium => &mut self.resolved_medium,
            Severity::Low => &mut self.resolved_low,
            Severity::Unknown => &mut self.resolved_unknown,
        }
    }

    /// Adds the counts of another set.
    pub const fn add(&mut self, other: &Self) {
        self.new_critical += other.new_critical;
        self.new_high += other.new_high;
        self.new_medium += other.new_medium;
        self.new_low += other.new_low;
        self.new_unknown += other.new_unknown;
        self.resolved_critical += other.resolved_critical;
        self.resolved_high += other.resolved_high;
        self.resolved_medium += other.resolved_medium;
        self.resolved_low += other.resolved_low;
        self.resolved_unknown += other.resolved_unknown;
        self.severity_raised += other.severity_raised;
        self.severity_lowered += other.severity_lowered;
        self.quieted += other.quieted;
        self.unquieted += other.unquieted;
        self.kev_added += other.kev_added;
        self.kev_removed += other.kev_removed;
    }

    /// All new findings together.
    pub const fn new_total(&self) -> u64 {
        self.new_critical + self.new_high + self.new_medium + self.new_low + self.new_unknown
    }

    /// All resolved findings together.
    pub const fn resolved_total(&self) -> u64 {
        self.resolved_critical
            + self.resolved_high
            + self.resolved_medium
            + self.resolved_low
            + self.resolved_unknown
    }

    /// Whether nothing changed.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Every count with its label and sign, in the order of a row's text: `("critical", '+', 2)`.
    pub const fn parts(&self) -> [(&'static str, char, u64); 16] {
        [
            ("critical", '+', self.new_critical),
            ("high", '+', self.new_high),
            ("medium", '+', self.new_medium),
            ("low", '+', self.new_low),
            ("unknown", '+', self.new_unknown),
            ("critical", '−', self.resolved_critical),
            ("high", '−', self.resolved_high),
            ("medium", '−', self.resolved_medium),
            ("low", '−', self.resolved_low),
            ("unknown", '−', self.resolved_unknown),
            ("raised", '+', self.severity_raised),
            ("lowered", '+', self.severity_lowered),
            ("quieted", '−', self.quieted),
            ("unquieted", '+', self.unquieted),
            ("KEV", '+', self.kev_added),
            ("KEV", '−', self.kev_removed),
        ]
    }
}

/// One line of text: `+2 critical, +5 high, −3 quieted`; zeros are left out; nothing at all is `none`.
impl std::fmt::Display for Deltas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said: Vec<String> = self
            .parts()
            .into_iter()
            .filter(|(_, _, count)| *count > 0)
            .map(|(label, sign, count)| format!("{sign}{count} {label}"))
            .collect();
        f.write_str(if said.is_empty() { "none" } else { "" })?;
        f.write_str(&said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_hides_zeros_and_says_none() {
        let deltas = Deltas { new_critical: 2, new_high: 5, quieted: 3, ..Deltas::default() };
        assert_eq!(deltas.to_string(), "+2 critical, +5 high, −3 quieted");
        assert_eq!(Deltas::default().to_string(), "none");
    }

    #[test]
    fn every_field_is_added() {
        let one = Deltas {
            new_critical: 1,
            new_high: 1,
            new_medium: 1,
            new_low: 1,
            new_unknown: 1,
            resolved_critical: 1,
            resolved_high: 1,
            resolved_medium: 1,
            resolved_low: 1,
            resolved_unknown: 1,
            severity_raised: 1,
            severity_lowered: 1,
            quieted: 1,
            unquieted: 1,
            kev_added: 1,
            kev_removed: 1,
        };
        let mut sum = one;
        sum.add(&one);
        assert!(sum.parts().iter().all(|(_, _, count)| *count == 2));
        assert_eq!((sum.new_total(), sum.resolved_total()), (10, 10));
    }
}
