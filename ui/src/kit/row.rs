//! One row of a table. It draws itself anew only when it, its columns or its marks change, so that scrolling draws
//! the rows that come into view and no others.

use super::choice::{Checkbox, Checked};
use super::column::{Align, Column};
use super::measure::is_in_control;
use super::sheet::Sheet;
use std::rc::Rc;
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
#[derive(Properties)]
pub struct RowProps<T: 'static> {
    /// All rows.
    pub rows: Sheet<T>,
    /// Which one this is.
    pub at: usize,
    /// What tells it from the others.
    pub name: String,
    /// The columns.
    pub columns: Rc<Vec<Column<T>>>,
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

impl<T> PartialEq for RowProps<T> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
            && self.rows == other.rows
            && self.name == other.name
            && Rc::ptr_eq(&self.columns, &other.columns)
            && self.width == other.width
            && self.base == other.base
            && self.chosen == other.chosen
            && self.current == other.current
            && self.opens == other.opens
            && self.on_act == other.on_act
    }
}

/// One row.
#[component]
pub fn Row<T: 'static>(props: &RowProps<T>) -> Html {
    let Some(row) = props.rows.get(props.at) else { return Html::default() };
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
    html! {
        <div id={format!("{}-{at}", props.base)} role="row" {class} aria-rowindex={(at + 2).to_string()}
            aria-selected={props.chosen.map(|on| on.to_string())} onclick={on_click}>
            if let Some(on) = props.chosen {
                <span role="gridcell" class="vt-cell">
                    <Checkbox checked={Checked::from(on)} label={format!("Select {}", props.name)}
                        on_toggle={props.on_act.reform(move |_| RowAct::Flip(at))} />
                </span>
            }
            { for props.columns.iter().filter(|column| column.is_shown(props.width)).map(|column| html! {
                <span key={column.id} role={if props.chosen.is_some() { "gridcell" } else { "cell" }}
                    class={classes!("vt-cell", (column.align == Align::End).then_some("num"))}>
                    { (column.cell)(row) }
                </span>
            }) }
        </div>
    }
}
