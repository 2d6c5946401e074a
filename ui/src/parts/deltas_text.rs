//! What a run changed, in a row's width: the worst first, the rest counted.

use crate::router::{Link, Query};
use stella_contract::delta::Deltas;
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`DeltasText`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct DeltasTextProps {
    /// The counts.
    pub deltas: Deltas,
    /// The run, so that every number leads to its rows.
    pub run: RunId,
    /// `none yet` instead of `none` while the run is open.
    #[prop_or_default]
    pub open: bool,
    /// How many counts are shown before the rest is summed up.
    #[prop_or(2)]
    pub most: usize,
}

/// `+2 critical, +5 high, 2 more`.
#[component]
pub fn DeltasText(props: &DeltasTextProps) -> Html {
    let said = said(&props.deltas);
    if said.is_empty() {
        return html! { <span class="f2 sm">{ if props.open { "none yet" } else { "none" } }</span> };
    }
    let rest = said.len().saturating_sub(props.most);
    let query = Query::default().with("tab", "deltas");
    html! {
        <span class="deltas sm" title={props.deltas.to_string()}>
            { for said.iter().take(props.most).enumerate().map(|(at, one)| html! {
                <span key={one.text.clone()} class="nw">
                    <Link to={Route::Run(props.run.clone())} query={query.clone()}
                        class={classes!("n", one.class)}>{ &one.text }</Link>
                    { if at + 1 < said.len() { ", " } else { "" } }
                </span>
            }) }
            if rest > 0 {
                <Link to={Route::Run(props.run.clone())} {query} class="n f2 nw">{ format!("{rest} more") }</Link>
            }
        </span>
    }
}

#[derive(Debug, PartialEq)]
struct Said {
    text: String,
    class: Option<&'static str>,
}

/// The counts above zero, in the order of a row's text; new critical and exploited ones stand out.
fn said(deltas: &Deltas) -> Vec<Said> {
    deltas
        .parts()
        .into_iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(label, sign, count)| Said {
            text: format!("{sign}{} {label}", crate::kit::format::count(count as i64)),
            class: match (label, sign) {
                ("critical" | "KEV", '+') => Some("k-bad"),
                (_, '−') => Some("f2"),
                _ => None,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_critical_ones_come_first_and_stand_out() {
        let deltas = Deltas { new_critical: 2, new_high: 1_005, quieted: 3, ..Deltas::default() };
        let said = said(&deltas);
        assert_eq!(said[0], Said { text: "+2 critical".into(), class: Some("k-bad") });
        assert_eq!(said[1].text, "+1,005 high");
        assert_eq!(said[2], Said { text: "−3 quieted".into(), class: Some("f2") });
    }
}
