//! Levels of pressure: what asks for one, when it is entered and when left (spec 02 §2.8).

use serde::{Deserialize, Serialize};
use stella_contract::pressure::{GaugeReading, PressureGauge, PressureLevel};
use stella_contract::time::Micros;

/// A level is entered when it was asked for so long.
const ENTER_MS: i64 = 30_000;
/// It is left when nothing reached 80 % of its threshold so long.
const LEAVE_MS: i64 = 120_000;
const LEAVE_SHARE: f64 = 0.8;

/// Where a tenant stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    /// The level in force.
    pub(crate) level: PressureLevel,
    /// Since when.
    pub(crate) since: Micros,
    /// Since when levels 1, 2 and 3 are asked for without a break.
    pub(crate) asked_since: [Option<Micros>; 3],
    /// Since when nothing keeps the level in force.
    pub(crate) idle_since: Option<Micros>,
}

impl Standing {
    /// Under no pressure.
    pub(crate) const fn calm(now: Micros) -> Self {
        Self { level: PressureLevel::Normal, since: now, asked_since: [None; 3], idle_since: None }
    }
}

/// The thresholds of levels 1, 2 and 3 on a gauge.
const fn thresholds(gauge: PressureGauge) -> [Option<f64>; 3] {
    match gauge {
        PressureGauge::Queue => [Some(1_000.0), Some(5_000.0), Some(20_000.0)],
        PressureGauge::OldestQueued => [None, Some(30.0 * 60_000.0), None],
        PressureGauge::WriteP95 => [Some(100.0), Some(250.0), None],
        PressureGauge::DiskFree => [None, None, Some(5.0)],
    }
}

/// Whether a value is beyond a share of a threshold; less room on the disk is worse, more of anything else is.
fn is_beyond(gauge: PressureGauge, value: f64, threshold: f64, share: f64) -> bool {
    match gauge {
        PressureGauge::Queue | PressureGauge::OldestQueued | PressureGauge::WriteP95 => {
            value > threshold * share
        }
        PressureGauge::DiskFree => value < threshold / share,
    }
}

fn level_at(gauge: PressureGauge, value: Option<f64>, share: f64) -> PressureLevel {
    let Some(value) = value else { return PressureLevel::Normal };
    let reached = (1..=3)
        .rev()
        .zip(thresholds(gauge).into_iter().rev())
        .find(|(_, threshold)| threshold.is_some_and(|threshold| is_beyond(gauge, value, threshold, share)));
    PressureLevel::of(reached.map_or(0, |(level, _)| level))
}

/// What a gauge shows and asks for.
pub(crate) fn reading(gauge: PressureGauge, value: Option<f64>) -> GaugeReading {
    let level = level_at(gauge, value, 1.0);
    let above = usize::try_from(level.number()).unwrap_or(0);
    let next_at = thresholds(gauge).into_iter().skip(above).flatten().next();
    GaugeReading { gauge, value, level, next_at }
}

/// The level that the gauges ask for.
pub(crate) fn asked(readings: &[GaugeReading]) -> PressureLevel {
    readings.iter().map(|reading| reading.level).max().unwrap_or(PressureLevel::Normal)
}

/// Where the tenant stands after a look at the gauges.
pub(crate) fn step(before: &Standing, readings: &[GaugeReading], now: Micros) -> Standing {
    let asked = asked(readings);
    let kept = readings.iter().map(|reading| level_at(reading.gauge, reading.value, LEAVE_SHARE)).max();
    let kept = kept.unwrap_or(PressureLevel::Normal);
    let mut after = before.clone();
    for (at, since) in after.asked_since.iter_mut().enumerate() {
        let level = PressureLevel::of(i64::try_from(at).unwrap_or(0) + 1);
        *since = (asked >= level).then(|| since.unwrap_or(now));
    }
    let long_asked = |since: &Option<Micros>| since.is_some_and(|since| now.ms_since(since) >= ENTER_MS);
    let entered = after.asked_since.iter().rposition(long_asked);
    let entered = PressureLevel::of(entered.map_or(0, |at| i64::try_from(at).unwrap_or(0) + 1));
    if entered > before.level {
        (after.level, after.since, after.idle_since) = (entered, now, None);
        return after;
    }
    if kept >= before.level {
        after.idle_since = None;
        return after;
    }
    let idle_since = before.idle_since.unwrap_or(now);
    if now.ms_since(idle_since) < LEAVE_MS {
        after.idle_since = Some(idle_since);
        return after;
    }
    (after.level, after.since, after.idle_since) = (kept, now, None);
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queue(depth: f64) -> Vec<GaugeReading> {
        vec![reading(PressureGauge::Queue, Some(depth)), reading(PressureGauge::DiskFree, Some(40.0))]
    }

    #[test]
    fn each_gauge_asks_for_the_level_of_its_threshold() {
        for (gauge, value, level) in [
            (PressureGauge::Queue, 1_000.0, PressureLevel::Normal),
            (PressureGauge::Queue, 1_001.0, PressureLevel::Elevated),
            (PressureGauge::Queue, 5_001.0, PressureLevel::High),
            (PressureGauge::Queue, 20_001.0, PressureLevel::Critical),
            (PressureGauge::OldestQueued, 1_800_001.0, PressureLevel::High),
            (PressureGauge::WriteP95, 101.0, PressureLevel::Elevated),
            (PressureGauge::WriteP95, 251.0, PressureLevel::High),
            (PressureGauge::DiskFree, 5.0, PressureLevel::Normal),
            (PressureGauge::DiskFree, 4.9, PressureLevel::Critical),
        ] {
            assert_eq!(reading(gauge, Some(value)).level, level, "{gauge} {value}");
        }
        assert_eq!(reading(PressureGauge::DiskFree, None).level, PressureLevel::Normal);
        assert_eq!(reading(PressureGauge::Queue, Some(1_500.0)).next_at, Some(5_000.0));
    }

    #[test]
    fn a_level_is_entered_after_thirty_seconds_and_left_after_two_minutes_below_four_fifths() {
        let start = Micros(0);
        let mut standing = step(&Standing::calm(start), &queue(6_000.0), start);
        standing = step(&standing, &queue(6_000.0), start.plus_ms(29_999));
        assert_eq!(standing.level, PressureLevel::Normal);
        standing = step(&standing, &queue(6_000.0), start.plus_ms(30_000));
        assert_eq!(standing.level, PressureLevel::High);
        // Below the threshold, but not below four fifths of it.
        standing = step(&standing, &queue(4_001.0), start.plus_ms(500_000));
        assert_eq!((standing.level, standing.idle_since), (PressureLevel::High, None));
        standing = step(&standing, &queue(3_999.0), start.plus_ms(500_000));
        standing = step(&standing, &queue(3_999.0), start.plus_ms(619_999));
        assert_eq!(standing.level, PressureLevel::High);
        standing = step(&standing, &queue(3_999.0), start.plus_ms(620_000));
        assert_eq!(standing.level, PressureLevel::Elevated);
    }

    #[test]
    fn a_spike_of_a_moment_enters_nothing() {
        let start = Micros(0);
        let mut standing = step(&Standing::calm(start), &queue(30_000.0), start);
        standing = step(&standing, &queue(10.0), start.plus_ms(10_000));
        standing = step(&standing, &queue(30_000.0), start.plus_ms(31_000));
        assert_eq!(standing.level, PressureLevel::Normal);
    }

    proptest! {
        /// A level rises only to what was asked for thirty seconds without a break, and falls only to what is kept.
        #[test]
        fn a_level_never_rises_early_and_never_falls_early(
            steps in prop::collection::vec((1_000_i64..40_000, 0.0_f64..30_000.0), 1..80)
        ) {
            let mut now = Micros(0);
            let mut standing = Standing::calm(now);
            let mut looks: Vec<(Micros, Vec<GaugeReading>)> = Vec::new();
            for (ms, depth) in steps {
                now = now.plus_ms(ms);
                looks.push((now, queue(depth)));
                let after = step(&standing, &queue(depth), now);
                if after.level > standing.level {
                    let held = looks.iter().rev().take_while(|(_, look)| asked(look) >= after.level).last();
                    prop_assert!(held.is_some_and(|(since, _)| now.ms_since(*since) >= ENTER_MS));
                }
                if after.level < standing.level {
                    let kept = |look: &[GaugeReading]| level_at(PressureGauge::Queue, look[0].value, LEAVE_SHARE);
                    let idle = looks.iter().rev().take_while(|(_, look)| kept(look) < standing.level).last();
                    prop_assert!(idle.is_some_and(|(since, _)| now.ms_since(*since) >= LEAVE_MS));
                }
                standing = after;
            }
        }
    }
}
