//! Links to things by their id: short on the screen, whole in the address and on the clipboard.

use crate::kit::format::short_id;
use crate::router::{Link, Query};
use stella_contract::ids::{JobId, RunId};
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`JobLink`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct JobLinkProps {
    /// The job.
    pub id: JobId,
    /// The whole id instead of its ends.
    #[prop_or_default]
    pub whole: bool,
}

/// A job's id as a link to its page.
#[component]
pub fn JobLink(props: &JobLinkProps) -> Html {
    let shown = if props.whole { props.id.to_string() } else { short_id(props.id.as_str()) };
    html! {
        <Link to={Route::Job(props.id.clone())} class="mono id"><span title={props.id.to_string()}>{ shown }</span></Link>
    }
}

/// What a [`RunLink`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunLinkProps {
    /// The run.
    pub id: RunId,
    /// Only its last eight digits, beside other things.
    #[prop_or_default]
    pub short: bool,
    /// With which query.
    #[prop_or_default]
    pub query: Query,
}

/// A run's id as a link to it; what all runs of the tenant share stands back.
#[component]
pub fn RunLink(props: &RunLinkProps) -> Html {
    let (head, tail) = split(props.id.as_str());
    let shown = if props.short {
        html! { { tail.rsplit(':').next().unwrap_or(tail) } }
    } else {
        html! { <><span class="f3">{ head }</span>{ tail }</> }
    };
    html! {
        <Link to={Route::Run(props.id.clone())} query={props.query.clone()}
            class={classes!("mono", "id", props.short.then_some("n"))}>
            <span title={props.id.to_string()}>{ shown }</span>
        </Link>
    }
}

/// `run:acme:` and the rest.
pub fn split(id: &str) -> (&str, &str) {
    let at = id.match_indices(':').nth(1).map_or(0, |(at, _)| at + 1);
    id.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_runs_of_a_tenant_share_is_told_apart() {
        assert_eq!(split("run:acme:20261121T140815Z:9c1f04ab"), ("run:acme:", "20261121T140815Z:9c1f04ab"));
        assert_eq!(split("odd"), ("", "odd"));
    }
}
