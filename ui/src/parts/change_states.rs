//! How the states of change-sets and of their items look.

use super::state_badge::Badge;
use crate::kit::{Shape, Tone};
use stella_contract::change_set::{ChangeSetState, ItemState};

impl Badge for ChangeSetState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Draft => (Shape::DashedRing, Tone::Idle),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Paused => (Shape::RingBars, Tone::Idle),
            Self::Completed => (Shape::DiscCheck, Tone::Ok),
            Self::Stopped => (Shape::OctagonCross, Tone::Bad),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for ItemState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Waiting => (Shape::Ring, Tone::Idle),
            Self::Refused => (Shape::RingSlash, Tone::Idle),
            Self::Done => (Shape::DiscCheck, Tone::Ok),
            Self::Skipped => (Shape::Chevrons, Tone::Idle),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}
