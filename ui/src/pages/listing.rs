//! What every long list of the pages shows around its table: old, failed, awaited, empty, and how much is loaded.

use crate::kit::format::{count, counted};
use crate::kit::{Skeleton, use_keys};
use crate::parts::{ProblemView, StaleBanner};
use crate::store::List;
use yew::prelude::*;

/// How much of a list is loaded.
pub fn reach(loaded: usize, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {}", count(loaded as i64), count(total as i64)),
        None => format!("{} loaded", count(loaded as i64)),
    }
}

/// The table, or what stands in its place. `what` names the rows: "Jobs".
pub fn listing<T: 'static>(what: &'static str, list: &List<T>, nothing: Html, table: Html) -> Html {
    html! {
        <>
            if let Some((problem, as_of)) = list.staleness() {
                <StaleBanner {as_of} problem={problem.clone()} on_retry={list.reload.clone()} />
            }
            if let Some(problem) = list.failure() {
                <ProblemView {what} problem={problem.clone()} on_retry={list.reload.clone()} />
            } else if list.is_waiting() {
                <Skeleton rows={12} />
            } else if list.state.rows.is_empty() {
                { nothing }
            } else {
                { table }
            }
        </>
    }
}

/// The line below the table.
pub fn foot<T: 'static>(list: &List<T>, right: Html) -> Html {
    html! {
        <div class="list-foot" role="status">
            <span>{ reach(list.state.rows.len(), list.state.total) }</span>
            if list.state.news > 0 { <span class="f3">{ format!("{} waiting", counted(list.state.news as i64, "change", "changes")) }</span> }
            <span class="grow"></span>
            { right }
        </div>
    }
}

/// Shift R reads the list anew.
#[hook]
pub fn use_reload_key(reload: Callback<()>) {
    use_keys(move |key| {
        let used = key.shift && key.name == "R";
        if used {
            reload.emit(());
        }
        used
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_foot_says_how_much_is_loaded() {
        assert_eq!(reach(200, Some(1_742)), "200 of 1,742");
        assert_eq!(reach(3, None), "3 loaded");
    }
}
