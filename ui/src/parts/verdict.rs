//! What policy says of a finding.

use super::state_badge::Badge;
use crate::kit::{Shape, Tone};
use stella_contract::policy::Verdict;

impl Badge for Verdict {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Block => (Shape::OctagonCross, Tone::Bad),
            Self::Warn => (Shape::Triangle, Tone::Warn),
            Self::Ignore => (Shape::RingSlash, Tone::Idle),
            Self::Quiet => (Shape::Crescent, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}
