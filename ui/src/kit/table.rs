//! The table for long lists: fixed rows, a sticky head, only what is in view is drawn. Smooth at 100,000 rows.

use super::choice::{Checkbox, Checked};
use super::column::{Align, Column, Sort, template};
use super::css::{set_css_vars, use_css_vars, use_element_id};
use super::icon::{Icon, IconSize, Shape};
use super::keys::{Key, use_keys};
use super::measure::{Measure, use_measure};
use super::row::{Row, RowAct};
use super::sheet::Sheet;
use super::window::{Window, moved, offset_to_show};
use std::collections::BTreeSet;
use std::rc::Rc;
use yew::prelude::*;

/// Keys of the selected rows.
pub type Selection = Rc<BTreeSet<String>>;

/// How high a row is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
    /// One line.
    #[default]
    One,
    /// Two lines.
    Two,
}

/// What a [`Table`] takes.
#[derive(Properties)]
pub struct TableProps<T: PartialEq + 'static> {
    /// What is listed.
    pub label: AttrValue,
    /// The rows that are loaded, in order.
    pub rows: Sheet<T>,
    /// What tells a row from the others.
    pub row_key: fn(&T) -> String,
    /// The columns in order; keep them in `use_memo`.
    pub columns: Rc<Vec<Column<T>>>,
    /// How high a row is.
    #[prop_or_default]
    pub lines: Lines,
    /// How many rows match, loaded or not.
    #[prop_or_default]
    pub total: Option<u64>,
    /// The selected rows; absent where rows cannot be selected.
    #[prop_or_default]
    pub selected: Option<Selection>,
    /// Told the new selection.
    #[prop_or_default]
    pub on_select: Callback<Selection>,
    /// The row that is open elsewhere, or otherwise current.
    #[prop_or_default]
    pub current: Option<String>,
    /// Told the row that was opened: Enter, or a click.
    #[prop_or_default]
    pub on_open: Option<Callback<String>>,
    /// Told when the end of what is loaded comes near.
    #[prop_or_default]
    pub on_more: Option<Callback<()>>,
    /// More rows are on their way.
    #[prop_or_default]
    pub loading: bool,
    /// Told the id of a column whose head was pressed.
    #[prop_or_default]
    pub on_sort: Option<Callback<&'static str>>,
    /// Answers to keys anywhere on the page; off for a second table on the same page.
    #[prop_or(true)]
    pub main: bool,
    /// Told whether the pointer is over the table; updates are held meanwhile.
    #[prop_or_default]
    pub on_hold: Callback<bool>,
}

impl<T: PartialEq + 'static> PartialEq for TableProps<T> {
    fn eq(&self, other: &Self) -> bool {
        self.label == other.label
            && self.rows == other.rows
            && Rc::ptr_eq(&self.columns, &other.columns)
            && self.lines == other.lines
            && self.total == other.total
            && self.selected == other.selected
            && self.on_select == other.on_select
            && self.current == other.current
            && self.on_open == other.on_open
            && self.on_more == other.on_more
            && self.loading == other.loading
            && self.on_sort == other.on_sort
            && self.main == other.main
            && self.on_hold == other.on_hold
    }
}

/// Rows in columns.
#[component]
pub fn Table<T: PartialEq + 'static>(props: &TableProps<T>) -> Html {
    let base = use_element_id("row");
    let scroller = use_node_ref();
    let ruler = use_node_ref();
    let sheet = use_node_ref();
    let measure = use_measure(scroller.clone(), ruler.clone());
    let cursor = use_state_eq(|| None::<String>);
    let anchor = use_state_eq(|| None::<String>);
    let count = props.rows.len();
    let window = Window::over(count, measure.row, measure.offset, measure.view);

    let width = measure.width.max(1.0) as u32;
    let shown: Vec<&Column<T>> = props.columns.iter().filter(|column| column.is_shown(width)).collect();
    use_css_vars(
        scroller.clone(),
        vec![("--columns", template(&shown, props.selected.is_some())), ("--rows", count.to_string())],
    );
    {
        // After the rows are drawn, before the browser paints: their place follows from the first of them.
        let sheet = sheet.clone();
        use_effect_with((window.start, measure.row.to_bits()), move |(start, row)| {
            let offset = *start as f64 * f64::from_bits(*row);
            set_css_vars(&sheet, &[("transform", format!("translateY({offset}px)"))]);
        });
    }
    {
        let near = window.end + super::window::OVERSCAN >= count && count > 0 && !props.loading;
        let more = props.on_more.clone();
        use_effect_with((near, count), move |(near, _)| {
            if let (true, Some(more)) = (*near, more) {
                more.emit(());
            }
        });
    }

    // The cursor stays with its row when rows come and go above it.
    let at = use_memo((props.rows.clone(), (*cursor).clone()), |(rows, key)| {
        let key = key.as_ref()?;
        rows.iter().position(|row| (props.row_key)(row) == *key)
    });
    let act = Act {
        rows: props.rows.clone(),
        at: *at,
        row_key: props.row_key,
        selected: props.selected.clone(),
        on_select: props.on_select.clone(),
        on_open: props.on_open.clone(),
        cursor: cursor.clone(),
        anchor,
        scroller: scroller.clone(),
        measure: measure.clone(),
    };
    {
        let (act, main) = (act.clone(), props.main);
        use_keys(move |key| main && act.press(key));
    }
    // One callback for the life of the table, so that rows need not be drawn anew; it asks the newest state.
    let newest = use_mut_ref(|| None::<Act<T>>);
    *newest.borrow_mut() = Some(act.clone());
    let on_act = use_memo((), |()| {
        Callback::from(move |what: RowAct| {
            let act = newest.borrow().clone();
            match (act, what) {
                (Some(act), RowAct::Open(at)) => act.click(at),
                (Some(act), RowAct::Flip(at)) => act.flip(at),
                (None, _) => {}
            }
        })
    });
    let on_act: Callback<RowAct> = (*on_act).clone();
    let on_key = {
        let (act, main) = (act.clone(), props.main);
        Callback::from(move |event: KeyboardEvent| {
            // The main table hears its keys from the page.
            let used = !main && Key::of(&event).is_some_and(|key| act.press(&key));
            if used {
                event.prevent_default();
            }
        })
    };
    let all = act.selected.as_ref().map(|chosen| match chosen.len() {
        0 => Checked::Off,
        some if some >= count => Checked::On,
        _ => Checked::Mixed,
    });
    let active = at.filter(|at| (window.start..window.end).contains(at));
    let hold = |on: bool| props.on_hold.reform(move |_: MouseEvent| on);

    html! {
        <div ref={scroller} class={classes!("vt", (props.lines == Lines::Two).then_some("two"))} tabindex="0"
            role={if props.selected.is_some() { "grid" } else { "table" }}
            aria-label={props.label.clone()}
            aria-rowcount={props.total.map_or(count as u64 + 1, |total| total + 1).to_string()}
            aria-colcount={shown.len().to_string()}
            aria-multiselectable={props.selected.as_ref().map(|_| "true")}
            aria-activedescendant={active.map(|at| format!("{base}-{at}"))}
            aria-busy={props.loading.then_some("true")}
            onkeydown={on_key} onmouseenter={hold(true)} onmouseleave={hold(false)}>
            <div ref={ruler} class="vt-ruler" aria-hidden="true"></div>
            <div class="vt-row vt-head" role="row" aria-rowindex="1">
                if let Some(all) = all {
                    <span role="columnheader" class="vt-cell">
                        <Checkbox checked={all} label="Select all loaded rows" on_toggle={act.toggle_all()} />
                    </span>
                }
                { for shown.iter().map(|column| head_cell(column, props.on_sort.as_ref())) }
            </div>
            <div class="vt-space" role="rowgroup">
                <div ref={sheet} class="vt-sheet" role="presentation">
                    { for (window.start..window.end).filter_map(|at| Some((at, props.rows.get(at)?))).map(|(at, row)| {
                        let name = (props.row_key)(row);
                        let chosen = props.selected.as_ref().map(|selected| selected.contains(&name));
                        let current = active == Some(at) || props.current.as_ref() == Some(&name);
                        html! {
                            <Row<T> key={name.clone()} name={name.clone()} rows={props.rows.clone()} {at} columns={props.columns.clone()}
                                {width} base={base.clone()} {chosen} {current} opens={props.on_open.is_some()}
                                on_act={on_act.clone()} />
                        }
                    }) }
                </div>
            </div>
            if props.loading { <div class="vt-more f3 sm late" role="status">{ "Loading more rows" }</div> }
        </div>
    }
}

fn head_cell<T>(column: &Column<T>, on_sort: Option<&Callback<&'static str>>) -> Html {
    let id = column.id;
    let class = classes!("vt-cell", (column.align == Align::End).then_some("num"));
    let sorted = column.sort.map(|sort| match sort {
        Sort::Ascending => "ascending",
        Sort::Descending => "descending",
    });
    let title = match (on_sort, column.sort) {
        (Some(on_sort), Some(_)) => html! {
            <button type="button" class="vt-sort" onclick={on_sort.reform(move |_| id)}>
                { &column.title }<Icon shape={Shape::Sorted} size={IconSize::Tiny} />
            </button>
        },
        (None, Some(_)) => html! {
            <span class="row gap1">{ &column.title }<Icon shape={Shape::Sorted} size={IconSize::Tiny} /></span>
        },
        (_, None) => html! { { &column.title } },
    };
    html! { <span key={id} role="columnheader" {class} aria-sort={sorted}>{ title }</span> }
}

/// What keys and clicks on rows do.
struct Act<T: 'static> {
    rows: Sheet<T>,
    row_key: fn(&T) -> String,
    selected: Option<Selection>,
    on_select: Callback<Selection>,
    on_open: Option<Callback<String>>,
    /// Where the cursor's row stands now.
    at: Option<usize>,
    cursor: UseStateHandle<Option<String>>,
    anchor: UseStateHandle<Option<String>>,
    scroller: NodeRef,
    measure: Measure,
}

impl<T> Clone for Act<T> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            row_key: self.row_key,
            selected: self.selected.clone(),
            on_select: self.on_select.clone(),
            on_open: self.on_open.clone(),
            at: self.at,
            cursor: self.cursor.clone(),
            anchor: self.anchor.clone(),
            scroller: self.scroller.clone(),
            measure: self.measure.clone(),
        }
    }
}

impl<T> Act<T> {
    fn key_at(&self, at: usize) -> Option<String> {
        self.rows.get(at).map(self.row_key)
    }

    /// Does what a key asks; answers whether it was one of the table's.
    fn press(&self, key: &Key) -> bool {
        let page = (self.measure.view / self.measure.row.max(1.0)) as usize;
        match (key.name.as_str(), key.ctrl) {
            ("a", true) if self.selected.is_some() => {
                self.select_all();
                true
            }
            (_, true) => false,
            ("Enter", false) => self.open_cursor(),
            ("x", false) => self.flip_cursor(),
            ("X", false) => self.flip_range(),
            ("Escape", false) if self.selected.as_ref().is_some_and(|chosen| !chosen.is_empty()) => {
                self.on_select.emit(Selection::default());
                true
            }
            (name, false) => match moved(self.at, self.rows.len(), page, name) {
                Some(at) => {
                    self.cursor.set(self.key_at(at));
                    self.show(at);
                    true
                }
                None => false,
            },
        }
    }

    fn show(&self, at: usize) {
        let Some(element) = self.scroller.cast::<web_sys::Element>() else { return };
        // The sticky head covers the first line of the view.
        let view = self.measure.view - self.measure.head;
        if let Some(offset) = offset_to_show(at, self.measure.row, f64::from(element.scroll_top()), view) {
            element.set_scroll_top(offset.ceil() as i32);
        }
    }

    fn open_cursor(&self) -> bool {
        match (&self.on_open, self.at.and_then(|at| self.key_at(at))) {
            (Some(open), Some(key)) => {
                open.emit(key);
                true
            }
            _ => false,
        }
    }

    fn flip_cursor(&self) -> bool {
        let Some(at) = self.at else { return false };
        self.flip(at);
        self.selected.is_some()
    }

    fn flip(&self, at: usize) {
        let (Some(selected), Some(key)) = (&self.selected, self.key_at(at)) else { return };
        let mut next = BTreeSet::clone(selected);
        self.anchor.set(Some(key.clone()));
        if !next.remove(&key) {
            next.insert(key);
        }
        self.on_select.emit(Rc::new(next));
    }

    fn flip_range(&self) -> bool {
        let (Some(selected), Some(at)) = (&self.selected, self.at) else { return false };
        let anchor = self.anchor.as_ref();
        let from = self.rows.iter().position(|row| Some(&(self.row_key)(row)) == anchor).unwrap_or(at);
        let mut next = BTreeSet::clone(selected);
        next.extend((from.min(at)..=from.max(at)).filter_map(|at| self.key_at(at)));
        self.on_select.emit(Rc::new(next));
        true
    }

    fn select_all(&self) {
        self.on_select.emit(Rc::new(self.rows.iter().map(self.row_key).collect()));
    }

    fn toggle_all(&self) -> Callback<bool> {
        let act = self.clone();
        Callback::from(move |on| if on { act.select_all() } else { act.on_select.emit(Selection::default()) })
    }

    fn click(&self, at: usize) {
        self.cursor.set(self.key_at(at));
        if let (Some(open), Some(key)) = (&self.on_open, self.key_at(at)) {
            open.emit(key);
        }
    }
}
