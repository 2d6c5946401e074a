//! The states of a schedule and what became of its fires, as shape, word and colour.

use super::state_badge::Badge;
use crate::kit::{Shape, Tone};
use stella_contract::schedule::{FireOutcome, FireProspect, OverlapPolicy, ScheduleState, SchedulerStatus};

impl Badge for ScheduleState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Enabled => (Shape::DiscCheck, Tone::Ok),
            Self::Paused => (Shape::RingBars, Tone::Idle),
            Self::Disabled => (Shape::RingSlash, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for FireOutcome {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Started => (Shape::DiscCheck, Tone::Ok),
            Self::Buffered => (Shape::RingClock, Tone::Live),
            Self::SkippedOverlap => (Shape::Chevrons, Tone::Idle),
            Self::SkippedBlackout => (Shape::Crescent, Tone::Warn),
            Self::Missed => (Shape::Triangle, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Buffered => "waits for the run before",
            Self::SkippedOverlap => "skipped, overlap",
            Self::SkippedBlackout => "skipped, blackout",
            Self::Missed => "missed",
        }
    }
}

impl Badge for FireProspect {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Starts => (Shape::Ring, Tone::Idle),
            Self::SkipsIfOpen => (Shape::Chevrons, Tone::Warn),
            Self::WaitsIfOpen => (Shape::RingClock, Tone::Idle),
            Self::Held => (Shape::Crescent, Tone::Warn),
            Self::LeftOut => (Shape::RingSlash, Tone::Warn),
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Starts => "starts a run",
            Self::SkipsIfOpen => "left out while a run is open",
            Self::WaitsIfOpen => "waits for the open run",
            Self::Held => "held by a blackout",
            Self::LeftOut => "left out by a blackout",
        }
    }
}

impl Badge for SchedulerStatus {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Ok => (Shape::DiscCheck, Tone::Ok),
            Self::Warn => (Shape::Triangle, Tone::Warn),
            Self::Fail => (Shape::OctagonCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "on time",
            Self::Warn => "fires passed without a run",
            Self::Fail => "not at work",
        }
    }
}

/// What becomes of a fire while the run before is open, in words.
pub const fn overlap_words(policy: OverlapPolicy) -> &'static str {
    match policy {
        OverlapPolicy::Skip => "skip on overlap",
        OverlapPolicy::BufferOne => "buffer one on overlap",
        OverlapPolicy::Allow => "runs side by side",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_them_look_alike() {
        fn apart<S: Badge + std::fmt::Debug>(all: &[S]) {
            for (at, one) in all.iter().enumerate() {
                for two in &all[at + 1..] {
                    assert_ne!(one.look().0, two.look().0, "{one:?} and {two:?}");
                }
            }
        }
        apart(ScheduleState::ALL);
        apart(FireOutcome::ALL);
        apart(FireProspect::ALL);
        apart(SchedulerStatus::ALL);
    }
}
