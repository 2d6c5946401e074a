//! The table for long lists: fixed rows, a sticky head, only what is in view is drawn. Smooth at 100,000 rows.

use super::choice::{Checkbox, Checked};
use super::column::{Align, Head, Sort, template};
use super::css::{set_css_vars, use_css_vars, use_element_id};
use super::icon::{Icon, IconSize, Shape};
use super::keys::{Key, use_keys};
use super::measure::{Measure, use_measure};
use super::row::{Row, RowAct};
use super::table_body::TableBody;
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
#[derive(Properties, PartialEq)]
pub struct TableProps {
    /// What is listed.
    pub label: AttrValue,
    /// The rows that are loaded, in order, and their columns.
    pub body: TableBody,
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

/// Rows in columns.
#[component]
pub fn Table(props: &TableProps) -> Html {
    let base = use_element_id("row");
    let scroller = use_node_ref();
    let ruler = use_node_ref();
    let sheet = use_node_ref();
    let measure = use_measure(scroller.clone(), ruler.clone());
    let cursor = use_state_eq(|| None::<String>);
    let anchor = use_state_eq(|| None::<String>);
    let count = props.body.len();
    let window = Window::over(count, measure.row, measure.offset, measure.view);

    let width = measure.width.max(1.0) as u32;
    let shown = props.body.shown(width);
    use_css_vars(
        scroller.clone(),
        vec![
            ("--columns", template(shown.iter().map(|(_, head)| *head), props.selected.is_some())),
            ("--rows", count.to_string()),
        ],
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
    let at = use_memo((SameRows(props.body.clone()), (*cursor).clone()), |(SameRows(body), key)| {
        let key = key.as_ref()?;
        body.keys().position(|one| one == *key)
    });
    let act = Act {
        body: props.body.clone(),
        at: *at,
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
    let newest = use_mut_ref(|| None::<Act>);
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
            role="grid"
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
                { for shown.iter().map(|(_, head)| head_cell(head, props.on_sort.as_ref())) }
            </div>
            <div class="vt-space" role="rowgroup">
                <div ref={sheet} class="vt-sheet" role="presentation">
                    { for (window.start..window.end).filter_map(|at| Some((at, props.body.key(at)?))).map(|(at, name)| {
                        let chosen = props.selected.as_ref().map(|selected| selected.contains(&name));
                        let current = active == Some(at) || props.current.as_ref() == Some(&name);
                        html! {
                            <Row key={name.clone()} name={name.clone()} body={props.body.clone()} {at} {width}
                                base={base.clone()} {chosen} {current} opens={props.on_open.is_some()}
                                on_act={on_act.clone()} />
                        }
                    }) }
                </div>
            </div>
            if props.loading { <div class="vt-more f3 sm late" role="status">{ "Loading more rows" }</div> }
        </div>
    }
}

fn head_cell(column: &Head, on_sort: Option<&Callback<&'static str>>) -> Html {
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
        // A column of verbs has no title to see, and all the same one to hear.
        (_, None) if column.title.is_empty() => html! { <span class="vh">{ id }</span> },
        (_, None) => html! { { &column.title } },
    };
    html! { <span key={id} role="columnheader" {class} aria-sort={sorted}>{ title }</span> }
}

/// A body that is the same as long as its rows are: new columns move no cursor.
#[derive(Clone)]
struct SameRows(TableBody);

impl PartialEq for SameRows {
    fn eq(&self, other: &Self) -> bool {
        self.0.has_rows_of(&other.0)
    }
}

/// What keys and clicks on rows do.
#[derive(Clone)]
struct Act {
    body: TableBody,
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

impl Act {
    fn key_at(&self, at: usize) -> Option<String> {
        self.body.key(at)
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
            (name, false) => match moved(self.at, self.body.len(), page, name) {
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
        let from = self.body.keys().position(|key| Some(&key) == anchor).unwrap_or(at);
        let mut next = BTreeSet::clone(selected);
        next.extend((from.min(at)..=from.max(at)).filter_map(|at| self.key_at(at)));
        self.on_select.emit(Rc::new(next));
        true
    }

    fn select_all(&self) {
        self.on_select.emit(Rc::new(self.body.keys().collect()));
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
