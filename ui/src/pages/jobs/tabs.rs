//! The two faces of a job: its own page and the graph around it.

use crate::kit::Segmented;
use crate::router::{Query, use_router};
use stella_contract::ids::JobId;
use stella_contract::route::Route;
use yew::prelude::*;

/// What [`JobTabs`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct JobTabsProps {
    /// The job.
    pub id: JobId,
    /// The one that is shown: `detail` or `dag`.
    pub current: AttrValue,
}

/// Leads from one to the other.
#[component]
pub(super) fn JobTabs(props: &JobTabsProps) -> Html {
    let router = use_router();
    let id = props.id.clone();
    let on_choose = Callback::from(move |face: AttrValue| {
        let route = if face == "dag" { Route::JobDag(id.clone()) } else { Route::Job(id.clone()) };
        router.go(&route, &Query::default());
    });
    let options = [("detail", "Detail"), ("dag", "DAG")];
    let options = options.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    html! { <Segmented label="View of the job" {options} value={props.current.clone()} {on_choose} /> }
}
