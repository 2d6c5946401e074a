//! How the states of dead letters and incidents look.

use super::state_badge::Badge;
use crate::kit::{Shape, Tone};
use stella_contract::dead_letter::{DeadLetterHealth, DeadLetterState};
use stella_contract::incident::{IncidentState, Severity};

impl Badge for DeadLetterState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Open => (Shape::Triangle, Tone::Bad),
            Self::Replaying => (Shape::Loop, Tone::Live),
            Self::Replayed => (Shape::LoopCheck, Tone::Ok),
            Self::Resolved => (Shape::SquareCheck, Tone::Ok),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
    fn turns(self) -> bool {
        self == Self::Replaying
    }
}

impl Badge for DeadLetterHealth {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Ok => (Shape::DiscCheck, Tone::Ok),
            Self::Note => (Shape::RingDot, Tone::Idle),
            Self::Warn => (Shape::Triangle, Tone::Warn),
            Self::Fail => (Shape::OctagonCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for IncidentState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Open => (Shape::Triangle, Tone::Bad),
            Self::Acknowledged => (Shape::Eye, Tone::Warn),
            Self::Mitigated => (Shape::HalfRing, Tone::Live),
            Self::Resolved => (Shape::SquareCheck, Tone::Ok),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for Severity {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Note => (Shape::RingDot, Tone::Idle),
            Self::Warning => (Shape::Triangle, Tone::Warn),
            Self::Critical => (Shape::OctagonCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_of_the_dead_letter_or_of_an_incident_look_alike() {
        fn apart<S: Badge + std::fmt::Debug>(all: &[S]) {
            for (at, one) in all.iter().enumerate() {
                for two in &all[at + 1..] {
                    assert_ne!(one.look().0, two.look().0, "{one:?} and {two:?}");
                }
            }
        }
        apart(DeadLetterState::ALL);
        apart(DeadLetterHealth::ALL);
        apart(IncidentState::ALL);
        apart(Severity::ALL);
    }
}
