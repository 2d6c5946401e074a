//! One folder per area, one file per page: model, message, update (pure), view. The switch below is the only place
//! that knows which page an address shows.

pub mod absent;

use stella_contract::route::Route;
use yew::prelude::*;

/// The page of a route.
pub fn page(route: &Route) -> Html {
    html! { <absent::Absent route={route.clone()} /> }
}
