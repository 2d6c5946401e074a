//! The code a run failed with, leading to its section of the runbook.

use crate::router::{Link, Query};
use stella_contract::route::Route;
use stella_contract::run::RunErrorCode;
use yew::prelude::*;

/// What a [`RunCode`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunCodeProps {
    /// The code.
    pub code: RunErrorCode,
}

/// `ERR_RUN_005`; its meaning is in the tooltip, what to do behind the link.
#[component]
pub fn RunCode(props: &RunCodeProps) -> Html {
    let code = props.code;
    html! {
        <Link to={Route::Runbook} query={runbook(code)} class="n mono sm k-bad">
            <span title={format!("{}. Open the runbook.", code.meaning())}>{ code.as_str() }</span>
        </Link>
    }
}

/// The query that opens a code's section of the runbook.
pub fn runbook(code: RunErrorCode) -> Query {
    Query::default().with("code", code.as_str())
}
