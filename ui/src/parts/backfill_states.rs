//! How the states of backfills, of their windows and of stretches of event time look.

use super::state_badge::Badge;
use crate::kit::{Shape, Tone};
use stella_contract::backfill::{BackfillState, WindowState};
use stella_contract::watermark::StretchState;

impl Badge for BackfillState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Draft => (Shape::DashedRing, Tone::Idle),
            Self::Previewed => (Shape::Eye, Tone::Idle),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Paused => (Shape::RingBars, Tone::Idle),
            Self::Completed => (Shape::DiscCheck, Tone::Ok),
            Self::CompletedWithErrors => (Shape::HalfRing, Tone::Warn),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for WindowState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Planned => (Shape::DashedRing, Tone::Idle),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Done => (Shape::DiscCheck, Tone::Ok),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
            Self::AlreadyDone => (Shape::Chevrons, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for StretchState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Covered => (Shape::DiscCheck, Tone::Ok),
            Self::Missing => (Shape::DashedRing, Tone::Idle),
            Self::Gap => (Shape::RingSlash, Tone::Bad),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
            Self::Running => (Shape::RingPlay, Tone::Live),
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Missing => "missing",
            Self::Gap => "skipped",
            Self::Failed => "failed",
            Self::Running => "being read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_of_a_backfill_or_of_event_time_look_alike() {
        fn apart<S: Badge + std::fmt::Debug>(all: &[S]) {
            for (at, one) in all.iter().enumerate() {
                for two in &all[at + 1..] {
                    assert_ne!(one.look().0, two.look().0, "{one:?} and {two:?}");
                }
            }
        }
        apart(BackfillState::ALL);
        apart(WindowState::ALL);
        apart(StretchState::ALL);
    }
}
