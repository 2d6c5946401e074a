//! One row of a table. It draws itself anew only when it, its columns or its marks change, so that scrolling draws
//! the rows that come into view and no others.

use super::choice::{Checkbox, Checked};
use super::column::Align;
use super::measure::is_in_control;
use super::table_body::TableBody;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowAct {
    /// It is clicked.
    Open(usize),
    /// Its box is ticked.
    Flip(usize),
}

/// What a [`Row`] takes.
#[derive(Properties, PartialEq)]
pub struct RowProps {
    /// All rows, and their columns.
    pub body: TableBody,
    /// Which one this is.
    pub at: usize,
    /// What tells it from the others.
    pub name: String,
    /// How wide the table is.
    pub width: u32,
    /// What the ids of rows begin with.
    pub base: AttrValue,
    /// Whether it is selected; absent where rows cannot be.
    pub chosen: Option<bool>,
    /// Whether it is current.
    pub current: bool,
    /// Whether it can be opened.
    pub opens: bool,
    /// Told what is done to it; the same callback as long as the table lives.
    pub on_act: Callback<RowAct>,
}

/// One row.
#[component]
pub fn Row(props: &RowProps) -> Html {
    let at = props.at;
    let class = classes!(
        "vt-row",
        (props.chosen == Some(true)).then_some("is-sel"),
        props.current.then_some("is-cur"),
        props.opens.then_some("is-open"),
    );
    let on_act = props.on_act.clone();
    let on_click = Callback::from(move |event: MouseEvent| {
        // A link or a button inside the row acts for itself.
        if !event.default_prevented() && !is_in_control(&event) {
            on_act.emit(RowAct::Open(at));
        }
    });
    let node = use_node_ref();
    {
        let (node, current) = (node.clone(), props.current);
        // After each drawing, for a cell may have brought new controls.
        use_effect(move || {
            set_stops(&node, current);
            || ()
        });
    }
    html! {
        <div ref={node} id={format!("{}-{at}", props.base)} role="row" {class} aria-rowindex={(at + 2).to_string()}
            aria-selected={props.chosen.map(|on| on.to_string())} onclick={on_click}>
            if let Some(on) = props.chosen {
                <span role="gridcell" class="vt-cell">
                    <Checkbox checked={Checked::from(on)} label={format!("Select {}", props.name)}
                        on_toggle={props.on_act.reform(move |_| RowAct::Flip(at))} />
                </span>
            }
            { for props.body.shown(props.width).into_iter().map(|(column, head)| html! {
                <span key={head.id} role="gridcell"
                    class={classes!("vt-cell", (head.align == Align::End).then_some("num"))}>
                    { props.body.cell(at, column) }
                </span>
            }) }
        </div>
    }
}

/// What stands in rows is a stop of the Tab key in the row of the cursor alone: who passes a table of 100,000 rows does not
/// pass each of its links.
fn set_stops(node: &NodeRef, on: bool) {
    let found = node
        .cast::<web_sys::Element>()
        .and_then(|row| row.query_selector_all("a[href], button, input, select, [tabindex]").ok());
    let Some(found) = found else { return };
    for at in 0..found.length() {
        if let Some(control) = found.item(at).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) {
            // Refused only for names that no attribute can have.
            let _ = control.set_attribute("tabindex", if on { "0" } else { "-1" });
        }
    }
}
