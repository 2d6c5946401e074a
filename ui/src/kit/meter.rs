//! Shares as bars: a meter, the phases of a long task, a stack, a strip of cells.

use super::css::use_css_vars;
use super::tone::Tone;
use yew::prelude::*;

/// What a [`Meter`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct MeterProps {
    /// 0.0 to 1.0.
    pub share: f64,
    /// What it measures, for assistive technology.
    pub label: AttrValue,
    /// Its colour; by the share when absent: neutral, amber from 90%, red at 100%.
    #[prop_or_default]
    pub tone: Option<Tone>,
}

/// A bar of 4 px.
#[component]
pub fn Meter(props: &MeterProps) -> Html {
    let node = use_node_ref();
    let share = props.share.clamp(0.0, 1.0);
    use_css_vars(node.clone(), vec![("--share", format!("{:.2}%", share * 100.0))]);
    let fill = match props.tone {
        Some(Tone::Idle) => None,
        Some(Tone::Live) => Some("live"),
        Some(Tone::Ok) => Some("ok"),
        Some(Tone::Warn) => Some("warn"),
        Some(Tone::Bad) => Some("bad"),
        None if share >= 1.0 => Some("bad"),
        None if share >= 0.9 => Some("warn"),
        None => None,
    };
    html! {
        <span ref={node} class="bar" role="meter" aria-label={props.label.clone()} aria-valuemin="0"
            aria-valuemax="100" aria-valuenow={format!("{:.0}", share * 100.0)}>
            <i class={classes!(fill)}></i>
        </span>
    }
}

/// One part of a [`Stack`].
#[derive(Debug, Clone, PartialEq)]
pub struct StackPart {
    /// What it counts.
    pub label: AttrValue,
    /// How many.
    pub weight: f64,
    /// The class that fills it: `bg-ok`, `bg-1`, ...
    pub fill: &'static str,
}

/// What a [`Stack`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct StackProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The parts in order; those of weight 0 are left out.
    pub parts: Vec<StackPart>,
}

/// Parts of a whole side by side, 8 px high.
#[component]
pub fn Stack(props: &StackProps) -> Html {
    html! {
        <span class="stack" role="img" aria-label={props.label.clone()}>
            { for props.parts.iter().filter(|part| part.weight > 0.0).map(|part| html! {
                <StackCell key={part.label.to_string()} weight={part.weight} fill={part.fill} />
            }) }
        </span>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct StackCellProps {
    weight: f64,
    fill: &'static str,
}

#[component]
fn StackCell(props: &StackCellProps) -> Html {
    let node = use_node_ref();
    use_css_vars(node.clone(), vec![("--weight", props.weight.to_string())]);
    html! { <i ref={node} class={props.fill}></i> }
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PhaseState {
    /// Not begun.
    Waiting,
    /// At it: the share that is done and the share that failed.
    Live {
        /// 0.0 to 1.0.
        done: f64,
        /// 0.0 to 1.0.
        failed: f64,
    },
    /// Ended: the share that failed.
    Done {
        /// 0.0 to 1.0.
        failed: f64,
    },
    /// Ended badly.
    Failed,
}

/// One phase of a long task.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub label: AttrValue,
    /// Its width against the others.
    pub weight: f64,
    /// How far it is.
    pub state: PhaseState,
}

/// What [`ProgressSegments`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ProgressSegmentsProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The phases in order.
    pub phases: Vec<Phase>,
}

/// Phases side by side, each filled as far as it is.
#[component]
pub fn ProgressSegments(props: &ProgressSegmentsProps) -> Html {
    html! {
        <span class="phases" role="img" aria-label={props.label.clone()}>
            { for props.phases.iter().map(|phase| html! {
                <PhaseBar key={phase.label.to_string()} phase={phase.clone()} />
            }) }
        </span>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct PhaseBarProps {
    phase: Phase,
}

#[component]
fn PhaseBar(props: &PhaseBarProps) -> Html {
    let node = use_node_ref();
    use_css_vars(node.clone(), vec![("--weight", props.phase.weight.max(0.01).to_string())]);
    html! {
        <span ref={node} class="stack">
            { for parts_of(props.phase.state).into_iter().filter(|(weight, _)| *weight > 0.0).map(|(weight, fill)| html! {
                <StackCell key={fill} {weight} {fill} />
            }) }
        </span>
    }
}

/// The shares of one phase and their fills.
fn parts_of(state: PhaseState) -> Vec<(f64, &'static str)> {
    match state {
        PhaseState::Waiting => vec![(1.0, "bg-line")],
        PhaseState::Live { done, failed } => {
            let failed = failed.clamp(0.0, 1.0);
            let good = (done.clamp(0.0, 1.0) - failed).max(0.0);
            vec![(good, "bg-live"), (failed, "bg-bad"), (1.0 - good - failed, "bg-line")]
        }
        PhaseState::Done { failed } => {
            let failed = failed.clamp(0.0, 1.0);
            vec![(1.0 - failed, "bg-ok"), (failed, "bg-bad")]
        }
        PhaseState::Failed => vec![(1.0, "bg-bad")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_a_phase_are_the_whole_and_failed_work_is_not_counted_twice() {
        let parts = parts_of(PhaseState::Live { done: 0.5, failed: 0.2 });
        assert!((parts.iter().map(|(share, _)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((parts[0].0 - 0.3).abs() < 1e-9);
        let over = parts_of(PhaseState::Live { done: 7.0, failed: 0.0 });
        assert!((over[0].0 - 1.0).abs() < 1e-9);
    }
}
