//! What stands in place of data that could not be had, and over data that is old.

use crate::api::Problem;
use crate::kit::{Banner, Button, CopyId, Empty, Shape, TimeAgo, Tone};
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`ProblemView`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ProblemViewProps {
    /// What could not be had: "Jobs".
    pub what: AttrValue,
    /// Why.
    pub problem: Problem,
    /// Asks again.
    #[prop_or_default]
    pub on_retry: Option<Callback<()>>,
}

/// What happened, why, what next.
#[component]
pub fn ProblemView(props: &ProblemViewProps) -> Html {
    let problem = &props.problem;
    html! {
        <Empty icon={Shape::OctagonCross} tone={Tone::Bad} fact={format!("{} could not be read", props.what)}
            actions={html! {
                <>
                    if let Some(retry) = props.on_retry.clone() { <Button on_click={retry}>{ "Retry now" }</Button> }
                    if let Some(trace) = problem.trace() {
                        <span class="f3 sm">{ "Trace" }</span><CopyId text={trace.to_owned()} />
                    }
                </>
            }}>
            { problem.sentence() }{ " (" }<span class="mono">{ problem.code() }</span>{ ") " }{ problem.next_step() }
        </Empty>
    }
}

/// What a [`StaleBanner`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct StaleBannerProps {
    /// When what is shown was true.
    pub as_of: Micros,
    /// Why there is nothing newer.
    pub problem: Problem,
    /// Asks again.
    pub on_retry: Callback<()>,
}

/// Says how old the rows are and why.
#[component]
pub fn StaleBanner(props: &StaleBannerProps) -> Html {
    let retry = props.on_retry.clone();
    html! {
        <Banner tone={Tone::Warn} icon={Shape::RingClock} fact="This is old."
            action={html! { <Button small={true} on_click={retry}>{ "Ask again" }</Button> }}>
            { "Shown as it was " }<TimeAgo at={props.as_of} />{ ". " }
            { props.problem.sentence() }{ " (" }{ props.problem.code() }{ ")" }
        </Banner>
    }
}
