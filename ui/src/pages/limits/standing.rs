//! How limits stand, in shapes and words: pure, so that it can be tried without a browser.

use crate::kit::format::{clock_or_date, count, counted};
use crate::kit::{Shape, Tone};
use stella_contract::breaker::{Breaker, BreakerState};
use stella_contract::pressure::{Bucket, GaugeReading, Pool, PressureGauge, PressureLevel};
use stella_contract::quota::{DrainBound, DrainEstimate, Quota, QuotaStrategy};
use stella_contract::throttle::{ThrottleKind, ThrottleLevel};
use stella_contract::time::Micros;

/// From this share of a limit on it is said to be near.
const NEAR: f64 = 0.9;

/// The share of a limit that is used; all of it where nothing is allowed.
pub(super) fn share(used: i64, limit: i64) -> f64 {
    if limit <= 0 { 1.0 } else { used as f64 / limit as f64 }
}

/// Shape, colour and words of a quota's state.
pub(super) fn quota(quota: &Quota) -> (Shape, Tone, &'static str) {
    if quota.paused {
        return (Shape::RingBars, Tone::Idle, "paused");
    }
    if quota.limits.strategy == QuotaStrategy::Unlimited {
        return (Shape::DiscCheck, Tone::Ok, "normal");
    }
    let active = share(quota.live.active, quota.limits.max_active);
    let hour = share(quota.live.used_last_hour, quota.limits.max_per_hour);
    let spent = quota.live.tokens < 1.0;
    match active.max(hour) {
        used if used >= 1.0 => (Shape::Gauge, Tone::Warn, "at limit"),
        _ if spent => (Shape::Gauge, Tone::Warn, "burst used up"),
        used if used >= NEAR => (Shape::Gauge, Tone::Warn, "near limit"),
        _ => (Shape::DiscCheck, Tone::Ok, "normal"),
    }
}

/// What an imagined limit would mean, sentence by sentence. `slots` is what is imagined, `now` what is.
pub(super) fn drain(estimate: &DrainEstimate, slots: i64, now: i64, at: Micros) -> Vec<String> {
    if estimate.backlog == 0 {
        return vec!["Nothing waits for it.".to_owned()];
    }
    let wait = counted(estimate.backlog, "job waits", "jobs wait");
    let clock = |moment: Micros| clock_or_date(moment, at);
    match estimate.bound_by {
        DrainBound::Paused => {
            return vec![format!("{wait}. It is paused: nothing starts before it is resumed.")];
        }
        DrainBound::Unknown => {
            return vec![format!("{wait}. Too few have ended lately to say for how long.")];
        }
        DrainBound::MaxActive | DrainBound::MaxPerHour | DrainBound::Workers => {}
    }
    let as_is = match estimate.drained_at_now {
        Some(moment) => format!("As it is they are through at {}", clock(moment)),
        None => "As it is they do not get fewer".to_owned(),
    };
    let mut out = vec![format!("{wait}. {as_is}.")];
    if slots != now || estimate.drained_at != estimate.drained_at_now {
        out.push(match estimate.drained_at {
            Some(moment) => format!("With {} at once: {}.", count(slots), clock(moment)),
            None => format!("With {} at once they do not get fewer either.", count(slots)),
        });
    }
    let bound = match estimate.bound_by {
        DrainBound::MaxActive | DrainBound::Paused | DrainBound::Unknown => None,
        DrainBound::MaxPerHour => Some("The hourly limit is then what bounds it."),
        DrainBound::Workers => {
            Some("The workers' places are then what bounds it; more slots change nothing.")
        }
    };
    out.extend(bound.map(str::to_owned));
    out
}

/// Shape, colour and words of a breaker.
pub(super) fn breaker(state: BreakerState) -> (Shape, Tone, &'static str) {
    match state {
        BreakerState::Closed => (Shape::ContactClosed, Tone::Ok, "closed"),
        BreakerState::Open => (Shape::ContactOpen, Tone::Bad, "open"),
        BreakerState::HalfOpen => (Shape::ContactTilted, Tone::Warn, "half-open"),
    }
}

/// The failures of a breaker's window as a share.
pub(super) fn failing(breaker: &Breaker) -> Option<f64> {
    (breaker.attempts > 0).then(|| breaker.failures as f64 / breaker.attempts as f64)
}

/// The shape of a kind of throttle.
pub(super) fn throttle(kind: ThrottleKind) -> Shape {
    match kind {
        ThrottleKind::Bucket => Shape::Gauge,
        ThrottleKind::Quota => Shape::Hourglass,
        ThrottleKind::Breaker => Shape::ContactOpen,
        ThrottleKind::Blackout => Shape::Crescent,
        ThrottleKind::Backpressure => Shape::Triangle,
        ThrottleKind::Manual => Shape::RingBars,
    }
}

/// The colour of a throttle.
pub(super) fn weight(level: ThrottleLevel) -> Tone {
    match level {
        ThrottleLevel::Info => Tone::Idle,
        ThrottleLevel::Warn => Tone::Warn,
        ThrottleLevel::Critical => Tone::Bad,
    }
}

/// Shape, colour and words of a level of pressure.
pub(super) fn pressure(level: PressureLevel) -> (Shape, Tone, &'static str) {
    match level {
        PressureLevel::Normal => (Shape::DiscCheck, Tone::Ok, "No backpressure"),
        PressureLevel::Elevated => (Shape::Triangle, Tone::Warn, "Backpressure level 1"),
        PressureLevel::High => (Shape::Triangle, Tone::Warn, "Backpressure level 2"),
        PressureLevel::Critical => (Shape::OctagonCross, Tone::Bad, "Backpressure level 3"),
    }
}

/// What a level means for those who submit.
pub(super) const fn consequence(level: PressureLevel) -> &'static str {
    match level {
        PressureLevel::Normal => "nothing is refused",
        PressureLevel::Elevated => "schedules get up to 30 s of jitter",
        PressureLevel::High => "jobs of priority below 25 are refused, backfills are held",
        PressureLevel::Critical => "only priority 75 and more is taken and handed out",
    }
}

/// A gauge: its name, its value, the threshold ahead.
pub(super) fn gauge(reading: &GaugeReading) -> (&'static str, String, String) {
    let (name, write): (_, fn(f64) -> String) = match reading.gauge {
        PressureGauge::Queue => ("Queue", |value| count(value as i64)),
        PressureGauge::OldestQueued => {
            ("Oldest queued", |value| crate::kit::format::duration_short(value as i64))
        }
        PressureGauge::WriteP95 => ("Writes, p95", |value| format!("{value:.0} ms")),
        PressureGauge::DiskFree => ("Disk free", |value| format!("{value:.0}%")),
    };
    let value = reading.value.map_or_else(|| "not measured".to_owned(), write);
    let next =
        reading.next_at.map_or_else(|| "highest level".to_owned(), |at| format!("next at {}", write(at)));
    (name, value, next)
}

/// What the rule recommends for a pool against its limit: `+1`, `keep`, `−3`.
pub(super) fn advice(pool: &Pool) -> String {
    if pool.follows {
        return "follows".to_owned();
    }
    match pool.recommended - pool.limit {
        0 => "keep".to_owned(),
        more if more > 0 => format!("+{more}"),
        fewer => format!("−{}", fewer.abs()),
    }
}

/// What is going on with a bucket, in words.
pub(super) fn bucket(bucket: &Bucket, now: Micros) -> (Tone, String) {
    if bucket.override_until.is_some_and(|until| until > now) {
        let by = bucket.overridden_by.as_deref().unwrap_or("an operator");
        return (Tone::Warn, format!("rate set by {by}"));
    }
    if bucket.frozen_until.is_some_and(|until| until > now) {
        return (Tone::Warn, "asked for fewer".to_owned());
    }
    if bucket.current_rate < bucket.base_rate {
        return (Tone::Idle, format!("recovering, +{:.2}/min", bucket.base_rate * 0.1));
    }
    (Tone::Idle, "none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::quota::QuotaLimits;

    fn a_quota(active: i64, used: i64, tokens: f64) -> Quota {
        let mut quota: Quota = serde_json::from_value(serde_json::json!({
            "quotaId": stella_contract::ids::QuotaId::from_uuid("01890000-0000-7000-8000-000000000000"), "tenant": "acme", "jobType": "scan.segment",
            "maxActive": 10, "maxPerHour": 600, "burst": 20, "refillPerSecond": 0.1, "strategy": "max_limit",
            "weight": 1, "reserved": 0, "paused": false, "updatedBy": "o", "createdAt": Micros(0),
            "updatedAt": Micros(0), "version": 1,
            "live": {"active": active, "waiting": 0, "usedLastHour": used, "tokens": tokens, "refusedLastHour": 0},
        }))
        .unwrap();
        quota.limits = QuotaLimits::default();
        quota
    }

    #[test]
    fn a_quota_says_which_limit_is_met_and_a_pause_before_all() {
        assert_eq!(quota(&a_quota(3, 10, 5.0)).2, "normal");
        assert_eq!(quota(&a_quota(9, 10, 5.0)).2, "near limit");
        assert_eq!(quota(&a_quota(10, 10, 5.0)).2, "at limit");
        assert_eq!(quota(&a_quota(1, 600, 5.0)).2, "at limit");
        assert_eq!(quota(&a_quota(1, 1, 0.4)).2, "burst used up");
        let paused = Quota { paused: true, ..a_quota(10, 10, 0.0) };
        assert_eq!(quota(&paused).2, "paused");
        let mut none = a_quota(0, 0, 5.0);
        none.limits.max_active = 0;
        assert_eq!(quota(&none).2, "at limit");
    }

    fn estimate(bound_by: DrainBound, now: Option<i64>, then: Option<i64>) -> DrainEstimate {
        let at = |seconds: Option<i64>| seconds.map(|seconds| Micros(seconds * 1_000_000));
        DrainEstimate {
            job_type: "scan.segment".into(),
            backlog: 187,
            active: 10,
            throughput_per_minute: 5.0,
            arrivals_per_minute: 1.0,
            mean_ms: Some(1_000),
            projected_per_minute: Some(8.0),
            bound_by,
            drained_at: at(then),
            drained_at_now: at(now),
        }
    }

    #[test]
    fn a_drain_is_told_as_it_is_and_as_it_would_be() {
        let told =
            |bound, now, then, slots| drain(&estimate(bound, now, then), slots, 10, Micros(0)).join(" ");
        assert_eq!(
            told(DrainBound::MaxActive, Some(3_600), Some(1_800), 16),
            "187 jobs wait. As it is they are through at 01:00:00Z. With 16 at once: 00:30:00Z."
        );
        assert_eq!(
            told(DrainBound::MaxActive, Some(3_600), Some(3_600), 10),
            "187 jobs wait. As it is they are through at 01:00:00Z."
        );
        assert!(told(DrainBound::Workers, None, None, 16).contains("more slots change nothing"));
        assert!(told(DrainBound::Unknown, None, None, 16).contains("Too few"));
        assert!(told(DrainBound::Paused, None, None, 16).contains("resumed"));
        let none = DrainEstimate { backlog: 0, ..estimate(DrainBound::Unknown, None, None) };
        assert_eq!(drain(&none, 1, 1, Micros(0)), ["Nothing waits for it."]);
    }

    #[test]
    fn a_pool_is_told_what_to_change() {
        let pool = |limit, recommended| Pool {
            pool: "core".into(),
            limit,
            fixed: false,
            follows: false,
            in_use: 1,
            recommended,
            utilisation: 0.5,
            error_rate: 0.0,
            p95_ms: None,
            median_ms: None,
            adjusted_at: Micros(0),
        };
        assert_eq!(advice(&pool(4, 4)), "keep");
        assert_eq!(advice(&pool(4, 5)), "+1");
        assert_eq!(advice(&pool(10, 7)), "−3");
    }
}
