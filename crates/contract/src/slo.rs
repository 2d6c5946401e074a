//! Service level objectives: what share must go well, how fast the rest is used up (spec 08 §8.2).

use crate::ids::{SloId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What is counted as going well.
    Sli {
        /// A job that ends succeeds; cancelled and skipped ones do not count.
        JobSuccess = "job_success",
        /// A run that ends completes; cancelled ones do not count.
        RunSuccess = "run_success",
        /// An attempt starts at most `thresholdMs` after its job was queued.
        QueueLatency = "queue_latency",
        /// A minute in which the core was at work.
        Availability = "availability",
    }
}

words! {
    /// How urgent a burn is.
    BurnTier {
        /// 14 times over 1 h and over 5 min: 2.1 % of the budget within an hour.
        Critical = "critical",
        /// 6 times over 6 h and over 30 min: 5.4 % of the budget.
        High = "high",
        /// Twice over 24 h and over 2 h: 7.1 % of the budget.
        Warn = "warn",
    }
}

/// A tier and when it is reached: the burn of both windows is at least `factor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnRule {
    /// The tier.
    pub tier: BurnTier,
    /// Burn at which it is reached.
    pub factor: f64,
    /// The long window, in minutes.
    pub long_min: i64,
    /// The short window, in minutes; it must hold [`LEAST_EVENTS`].
    pub short_min: i64,
}

/// The tiers, most urgent first.
pub const BURN_RULES: &[BurnRule] = &[
    BurnRule { tier: BurnTier::Critical, factor: 14.0, long_min: 60, short_min: 5 },
    BurnRule { tier: BurnTier::High, factor: 6.0, long_min: 360, short_min: 30 },
    BurnRule { tier: BurnTier::Warn, factor: 2.0, long_min: 1_440, short_min: 120 },
];
/// The windows whose burn is told, in minutes and in words.
pub const BURN_WINDOWS: &[(i64, &str)] =
    &[(5, "5m"), (30, "30m"), (60, "1h"), (120, "2h"), (360, "6h"), (1_440, "24h")];
/// Events that the short window must hold before a tier is reached.
pub const LEAST_EVENTS: i64 = 20;

/// What was counted in one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// What did not go well.
    pub bad: i64,
    /// All of it.
    pub total: i64,
}

/// `(bad / total) / (1 − target)`; 0 when nothing happened.
pub fn burn(tally: Tally, target: f64) -> f64 {
    if tally.total == 0 {
        return 0.0;
    }
    (tally.bad as f64 / tally.total as f64) / (1.0 - target)
}

/// `1 − bad / (total × (1 − target))`, kept within −1 and 1; 1 when nothing happened.
pub fn budget_remaining(tally: Tally, target: f64) -> f64 {
    (1.0 - burn(tally, target)).clamp(-1.0, 1.0)
}

/// Until the budget is used up at this burn: `remaining × window / burn`. `None` when nothing burns; 0 when it is.
pub fn exhausted_in_ms(remaining: f64, burn: f64, window_days: i32) -> Option<i64> {
    if burn <= 0.0 {
        return None;
    }
    let window_ms = f64::from(window_days) * 24.0 * 3_600_000.0;
    Some((remaining.max(0.0) * window_ms / burn) as i64)
}

/// The most urgent tier that these windows reach.
pub fn tier_of(tally: impl Fn(i64) -> Tally, target: f64) -> Option<BurnTier> {
    // Ten parts in ten thousand million are lost in the division; they must not decide.
    let reaches = |tally, factor| burn(tally, target) >= factor - 1e-9;
    let rule = BURN_RULES.iter().find(|rule| {
        let short = tally(rule.short_min);
        short.total >= LEAST_EVENTS
            && reaches(short, rule.factor)
            && reaches(tally(rule.long_min), rule.factor)
    });
    rule.map(|rule| rule.tier)
}

/// An objective and how it stands. Order of lists: `name`, then id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Slo {
    /// Its id.
    pub slo_id: SloId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name, unique within the tenant.
    pub name: String,
    /// What is counted.
    pub sli: Sli,
    /// The share that must go well, above 0 and below 1.
    pub target: f64,
    /// The days over which the budget is counted.
    pub window_days: i32,
    /// For `queue_latency`: how long a job may wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_ms: Option<i64>,
    /// Only jobs of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Whether it is watched.
    pub enabled: bool,
    /// How it stands.
    pub status: SloStatus,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Micros,
    /// When it was last changed by an operator.
    pub updated_at: Micros,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// How an objective stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SloStatus {
    /// When it was counted. Windows begin at whole five minutes.
    pub as_of: Micros,
    /// The burn of each window, shortest first.
    pub burn: Vec<BurnWindow>,
    /// What did not go well within `windowDays`.
    pub bad: i64,
    /// What was counted within `windowDays`.
    pub total: i64,
    /// The share of the budget that is left, −1 to 1.
    pub budget_remaining: f64,
    /// Until the budget is used up at the burn of the last hour; absent when nothing burns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted_in_ms: Option<i64>,
    /// The most urgent tier that is reached now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<BurnTier>,
    /// Since when a tier is reached without a break, as the watch saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burning_since: Option<Micros>,
}

/// One window of an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BurnWindow {
    /// Its length: `5m`, `30m`, `1h`, `2h`, `6h`, `24h`.
    pub window: String,
    /// What did not go well.
    pub bad: i64,
    /// What was counted.
    pub total: i64,
    /// 1.0 uses up the budget exactly at the end of `windowDays`.
    pub burn: f64,
}

/// A wish for an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MakeSlo {
    /// 1 to 80 characters, unique within the tenant.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 80))]
    pub name: String,
    /// What is counted.
    pub sli: Sli,
    /// The share that must go well, 0.5 to 0.99999.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.5, maximum = 0.99999))]
    pub target: f64,
    /// 1 to 28; 28 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 28))]
    pub window_days: Option<i32>,
    /// For `queue_latency` only: how long a job may wait; one of the boundaries between which durations are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_ms: Option<i64>,
    /// For `job_success` and `queue_latency`: only jobs of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z][a-z0-9.-]{1,63}$"))]
    pub job_type: Option<String>,
    /// Whether it is watched; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What is to be different about an objective; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeSlo {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 80))]
    pub name: Option<String>,
    /// The share that must go well, 0.5 to 0.99999.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0.5, maximum = 0.99999))]
    pub target: Option<f64>,
    /// 1 to 28.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 28))]
    pub window_days: Option<i32>,
    /// How long a job may wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_ms: Option<i64>,
    /// Whether it is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: f64 = 0.99;

    fn tally(bad: i64, total: i64) -> Tally {
        Tally { bad, total }
    }

    fn is(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn a_window_without_events_burns_nothing() {
        assert!(is(burn(tally(0, 0), TARGET), 0.0));
        assert!(is(budget_remaining(tally(0, 0), TARGET), 1.0));
        assert_eq!(exhausted_in_ms(1.0, 0.0, 28), None);
    }

    #[test]
    fn burn_and_budget_follow_the_formula_and_the_budget_is_clamped() {
        assert!(is(burn(tally(1, 100), TARGET), 1.0));
        assert!(is(burn(tally(14, 100), TARGET), 14.0));
        assert!(is(budget_remaining(tally(5, 1_000), TARGET), 0.5));
        assert!(is(budget_remaining(tally(1_000, 1_000), TARGET), -1.0));
        // Half of the budget at twice the pace: a quarter of 28 days.
        assert_eq!(exhausted_in_ms(0.5, 2.0, 28), Some(7 * 24 * 3_600_000));
        assert_eq!(exhausted_in_ms(-0.5, 2.0, 28), Some(0));
    }

    /// Each tier by its factor in both of its windows, and not when one of them falls short.
    #[test]
    fn a_tier_is_reached_when_both_of_its_windows_burn_fast_enough() {
        let windows = |short: (i64, i64, i64), long: (i64, i64, i64)| {
            move |minutes: i64| {
                let found = [short, long].into_iter().find(|window| window.0 == minutes);
                found.map_or(tally(0, 100), |(_, bad, total)| tally(bad, total))
            }
        };
        for (short, long, expected) in [
            ((5, 14, 100), (60, 14, 100), Some(BurnTier::Critical)),
            ((5, 13, 100), (60, 14, 100), None),
            ((5, 14, 100), (60, 13, 100), None),
            ((30, 6, 100), (360, 6, 100), Some(BurnTier::High)),
            ((30, 6, 100), (360, 5, 100), None),
            ((120, 2, 100), (1_440, 2, 100), Some(BurnTier::Warn)),
            ((120, 1, 100), (1_440, 2, 100), None),
        ] {
            assert_eq!(tier_of(windows(short, long), TARGET), expected, "{short:?} {long:?}");
        }
    }

    #[test]
    fn fewer_than_twenty_events_in_the_short_window_reach_no_tier() {
        let of = |short_total: i64| {
            move |minutes: i64| if minutes == 5 { tally(short_total, short_total) } else { tally(50, 100) }
        };
        assert_eq!(
            tier_of(
                |minutes| if minutes == 5 || minutes == 60 { of(20)(minutes) } else { tally(0, 0) },
                TARGET
            ),
            Some(BurnTier::Critical)
        );
        assert_eq!(
            tier_of(
                |minutes| if minutes == 5 || minutes == 60 { of(19)(minutes) } else { tally(0, 0) },
                TARGET
            ),
            None
        );
    }
}
