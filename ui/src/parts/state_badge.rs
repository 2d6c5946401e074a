//! A state as shape, word and colour; the maps are total over the contract's states, so a new state is a compile error.

use crate::kit::{Icon, IconSize, Shape, Tone};
use stella_contract::finding::FindingStatus;
use stella_contract::job::JobState;
use stella_contract::run::{Run, RunState};
use stella_contract::segment::SegmentState;
use stella_contract::source::SourceHealth;
use stella_contract::worker::WorkerState;
use yew::prelude::*;

/// Something that is shown as shape, word and colour.
pub trait Badge: Copy + PartialEq + 'static {
    /// Its shape and its colour.
    fn look(self) -> (Shape, Tone);
    /// Its word, as the API spells it.
    fn word(self) -> &'static str;
    /// Whether its shape turns while it is on the screen.
    fn turns(self) -> bool {
        false
    }
}

impl Badge for JobState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Pending => (Shape::DashedRing, Tone::Idle),
            Self::Queued => (Shape::Ring, Tone::Idle),
            Self::Leased => (Shape::RingDot, Tone::Live),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Succeeded => (Shape::DiscCheck, Tone::Ok),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
            Self::TimedOut => (Shape::DiscClock, Tone::Bad),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
            Self::Skipped => (Shape::Chevrons, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for RunState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Planning => (Shape::RingDots, Tone::Live),
            Self::Queued => (Shape::Ring, Tone::Idle),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Completed => (Shape::DiscCheck, Tone::Ok),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
            Self::Error => (Shape::OctagonCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for SegmentState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Pending => (Shape::DashedRing, Tone::Idle),
            Self::Queued => (Shape::Ring, Tone::Idle),
            Self::Running => (Shape::RingPlay, Tone::Live),
            Self::Succeeded => (Shape::DiscCheck, Tone::Ok),
            Self::Failed => (Shape::OctagonCross, Tone::Bad),
            Self::Cancelled => (Shape::RingSlash, Tone::Idle),
            Self::Skipped => (Shape::Chevrons, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for WorkerState {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Online => (Shape::DiscCheck, Tone::Ok),
            Self::Late => (Shape::RingClock, Tone::Warn),
            Self::Offline => (Shape::OctagonCross, Tone::Bad),
            Self::Draining => (Shape::RingArrowDown, Tone::Idle),
            Self::Quarantined => (Shape::ShieldCross, Tone::Bad),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for SourceHealth {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Unknown => (Shape::DashedRing, Tone::Idle),
            Self::Healthy => (Shape::DiscCheck, Tone::Ok),
            Self::Degraded => (Shape::HalfRing, Tone::Warn),
            Self::Failing => (Shape::OctagonCross, Tone::Bad),
            Self::Stale => (Shape::RingClock, Tone::Warn),
            Self::Paused => (Shape::RingBars, Tone::Idle),
            Self::Disabled => (Shape::RingSlash, Tone::Idle),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Badge for FindingStatus {
    fn look(self) -> (Shape, Tone) {
        match self {
            Self::Affected => (Shape::Triangle, Tone::Bad),
            Self::Fixed => (Shape::SquareCheck, Tone::Ok),
            Self::NotAffected => (Shape::RingSlash, Tone::Idle),
            Self::UnderInvestigation => (Shape::Eye, Tone::Warn),
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// What a [`StateBadge`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct StateBadgeProps<S: Badge> {
    /// The state: of a job, a run, a segment, a worker, a source or a finding.
    pub state: S,
    /// On a tint; only in the heads of pages and drawers.
    #[prop_or_default]
    pub pill: bool,
}

/// Shape, word and colour of a state.
#[component]
pub fn StateBadge<S: Badge>(props: &StateBadgeProps<S>) -> Html {
    let (shape, tone) = props.state.look();
    mark(shape, tone, props.state.word(), props.pill, props.state.turns())
}

/// What a [`RunStateBadge`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunStateBadgeProps {
    /// The run.
    pub run: Run,
    /// On a tint.
    #[prop_or_default]
    pub pill: bool,
}

/// A run's state; completed in part looks different from completed.
#[component]
pub fn RunStateBadge(props: &RunStateBadgeProps) -> Html {
    let (shape, tone) =
        if props.run.is_partial() { (Shape::HalfRing, Tone::Warn) } else { props.run.state.look() };
    mark(shape, tone, props.run.state.word(), props.pill, false)
}

/// Shape and word in one colour.
pub fn mark(shape: Shape, tone: Tone, word: &str, pill: bool, spin: bool) -> Html {
    html! {
        <span class={classes!("st", tone.class(), pill.then_some("pill"))}>
            <Icon {shape} size={IconSize::Small} {spin} />{ word }
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_of_one_noun_look_alike() {
        fn apart<S: Badge + std::fmt::Debug>(all: &[S]) {
            for (at, one) in all.iter().enumerate() {
                for two in &all[at + 1..] {
                    assert_ne!(one.look().0, two.look().0, "{one:?} and {two:?}");
                }
            }
        }
        apart(JobState::ALL);
        apart(RunState::ALL);
        apart(SegmentState::ALL);
        apart(WorkerState::ALL);
        apart(SourceHealth::ALL);
        apart(FindingStatus::ALL);
    }
}
