//! Cells of equal time, column by column like a calendar, of which a range can be chosen: with the pointer by drawing
//! over them, with the keyboard by arrows and Shift.

use std::rc::Rc;
use yew::prelude::*;

/// How a cell is drawn. Each has its own shape, so that it can be told without its colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapFill {
    /// Outlined: nothing is there.
    Empty,
    /// Filled as far as it is there, 0.0 to 1.0.
    Part(f64),
    /// Filled.
    Full,
    /// At work.
    Live,
    /// Struck through: left out on purpose.
    Struck,
    /// Crossed: failed.
    Crossed,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct MapCell {
    /// What it is, in words: "2026-11-03, covered".
    pub label: AttrValue,
    /// How it is drawn.
    pub fill: MapFill,
}

/// The first and the last cell of a range, both of them within it.
pub type CellRange = (usize, usize);

/// What a [`RangeMap`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct RangeMapProps {
    /// What is mapped.
    pub label: AttrValue,
    /// The cells, the oldest first.
    pub cells: Rc<Vec<MapCell>>,
    /// Cells in a column.
    #[prop_or(1)]
    pub rows: usize,
    /// Empty places before the first cell.
    #[prop_or_default]
    pub lead: usize,
    /// Words above columns, by column.
    #[prop_or_default]
    pub heads: Vec<(usize, AttrValue)>,
    /// Words left of rows, by row.
    #[prop_or_default]
    pub sides: Vec<(usize, AttrValue)>,
    /// The chosen range.
    #[prop_or_default]
    pub selected: Option<CellRange>,
    /// Told the range that is chosen now.
    pub on_select: Callback<Option<CellRange>>,
    /// Told that Enter was pressed.
    #[prop_or_default]
    pub on_open: Callback<()>,
}

const CELL: usize = 14;
const STEP: usize = 16;
const TOP: usize = 18;
const LEFT: usize = 40;

/// Where the reader stands, and where the range began that is being drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hand {
    at: usize,
    anchor: usize,
    drawing: bool,
}

/// The map.
#[component]
pub fn RangeMap(props: &RangeMapProps) -> Html {
    let count = props.cells.len();
    let hand = use_state_eq(|| {
        let at = props.selected.map_or(count.saturating_sub(1), |(_, last)| last);
        Hand { at, anchor: props.selected.map_or(at, |(first, _)| first), drawing: false }
    });
    let rows = props.rows.max(1);
    let shown = if hand.drawing { Some(range(hand.anchor, hand.at)) } else { props.selected };
    let columns = (props.lead + count).div_ceil(rows);
    let (width, height) = (LEFT + columns * STEP, TOP + rows * STEP);
    let on_key = {
        let (hand, select, open) = (hand.clone(), props.on_select.clone(), props.on_open.clone());
        let selected = props.selected;
        Callback::from(move |event: KeyboardEvent| {
            let key = event.key();
            match key.as_str() {
                "Enter" => open.emit(()),
                " " => select.emit(Some((hand.at, hand.at))),
                "Escape" if selected.is_some() => select.emit(None),
                _ => {
                    let Some(at) = moved(hand.at, count, rows, &key) else { return };
                    let anchor = if event.shift_key() { hand.anchor } else { at };
                    hand.set(Hand { at, anchor, drawing: false });
                    if event.shift_key() {
                        select.emit(Some(range(anchor, at)));
                    }
                }
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let on_up = {
        let (hand, select) = (hand.clone(), props.on_select.clone());
        Callback::from(move |_: MouseEvent| {
            if hand.drawing {
                select.emit(Some(range(hand.anchor, hand.at)));
                hand.set(Hand { drawing: false, ..*hand });
            }
        })
    };
    let said = props.cells.get(hand.at.min(count.saturating_sub(1))).map(|cell| cell.label.clone());
    html! {
        <div class="range-map" tabindex="0" role="group" aria-label={props.label.clone()} onkeydown={on_key}
            onmouseup={on_up.clone()} onmouseleave={on_up}>
            <svg class="ch" width={width.to_string()} height={height.to_string()} viewBox={format!("0 0 {width} {height}")}
                role="img" aria-label={props.label.clone()}>
                { for props.heads.iter().map(|(column, text)| html! {
                    <text key={format!("h{column}")} x={(LEFT + column * STEP).to_string()} y="11">{ text }</text>
                }) }
                { for props.sides.iter().map(|(row, text)| html! {
                    <text key={format!("s{row}")} class="e" x={(LEFT - 8).to_string()} y={(TOP + row * STEP + 11).to_string()}>{ text }</text>
                }) }
                { for props.cells.iter().enumerate().map(|(at, cell)| {
                    let place = props.lead + at;
                    let (x, y) = (LEFT + place / rows * STEP, TOP + place % rows * STEP);
                    let chosen = shown.is_some_and(|(first, last)| (first..=last).contains(&at));
                    html! {
                        <g key={at} class={classes!("cell", (hand.at == at).then_some("is-at"), chosen.then_some("is-sel"))}
                            transform={format!("translate({x} {y})")} onmousedown={pressed(&hand, at)} onmouseenter={drawn(&hand, at)}>
                            <title>{ &cell.label }</title>
                            <rect class="hit" width={STEP.to_string()} height={STEP.to_string()} x="-1" y="-1" />
                            { drawing(cell.fill) }
                            if chosen { <rect class="pick" x="-.5" y="-.5" width={(CELL + 1).to_string()} height={(CELL + 1).to_string()} rx="2" /> }
                        </g>
                    }
                }) }
            </svg>
            <span class="vh" role="status">{ said }</span>
        </div>
    }
}

fn pressed(hand: &UseStateHandle<Hand>, at: usize) -> Callback<MouseEvent> {
    let hand = hand.clone();
    Callback::from(move |event: MouseEvent| {
        let anchor = if event.shift_key() { hand.anchor } else { at };
        hand.set(Hand { at, anchor, drawing: true });
    })
}

fn drawn(hand: &UseStateHandle<Hand>, at: usize) -> Callback<MouseEvent> {
    let hand = hand.clone();
    Callback::from(move |_: MouseEvent| {
        if hand.drawing {
            hand.set(Hand { at, ..*hand });
        }
    })
}

fn drawing(fill: MapFill) -> Html {
    let side = CELL.to_string();
    let frame = |class: &'static str| {
        let inner = (CELL - 1).to_string();
        html! { <rect {class} x=".5" y=".5" width={inner.clone()} height={inner} rx="2" /> }
    };
    match fill {
        MapFill::Empty => frame("o-wait"),
        MapFill::Full => html! { <rect class="f-ok" width={side.clone()} height={side} rx="2" /> },
        MapFill::Part(share) => {
            let filled = share.clamp(0.0, 1.0) * CELL as f64;
            html! { <>
                { frame("o-wait") }
                <rect class="f-ok" y={format!("{:.1}", CELL as f64 - filled)} width={side} height={format!("{filled:.1}")} rx="2" />
            </> }
        }
        MapFill::Live => {
            html! { <>{ frame("o-live") }<rect class="f-live" x="4" y="4" width="7" height="7" rx="1" /></> }
        }
        MapFill::Struck => html! { <>{ frame("o-bad") }<path class="l-bad" d="M3.5 11.5l8-8" /></> },
        MapFill::Crossed => html! { <>
            <rect class="f-bad" width={side.clone()} height={side} rx="2" />
            <path class="x-bad" d="M4.5 4.5l6 6M10.5 4.5l-6 6" />
        </> },
    }
}

/// The range between two cells, whichever of them comes first.
fn range(one: usize, two: usize) -> CellRange {
    (one.min(two), one.max(two))
}

/// Where a key leads; up and down along a column, left and right to the column beside.
fn moved(at: usize, count: usize, rows: usize, key: &str) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let next = match key {
        "ArrowDown" if rows > 1 => at + 1,
        "ArrowUp" if rows > 1 => at.saturating_sub(1),
        "ArrowRight" => at + rows,
        "ArrowLeft" => at.saturating_sub(rows),
        "Home" => 0,
        "End" => last,
        // Four columns: about a month of weeks.
        "PageDown" => at + 4 * rows,
        "PageUp" => at.saturating_sub(4 * rows),
        _ => return None,
    };
    Some(next.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_along_the_days_and_across_the_weeks_and_stop_at_the_ends() {
        let go = |at, key| moved(at, 30, 7, key);
        assert_eq!(go(10, "ArrowDown"), Some(11));
        assert_eq!(go(10, "ArrowUp"), Some(9));
        assert_eq!(go(10, "ArrowRight"), Some(17));
        assert_eq!(go(10, "ArrowLeft"), Some(3));
        assert_eq!((go(3, "ArrowLeft"), go(28, "ArrowRight")), (Some(0), Some(29)));
        assert_eq!((go(3, "Home"), go(3, "End")), (Some(0), Some(29)));
        assert_eq!(go(3, "a"), None);
        assert_eq!(moved(0, 0, 7, "End"), None);
        assert_eq!(moved(4, 24, 1, "ArrowDown"), None, "a single row has no other");
    }

    #[test]
    fn a_range_drawn_backwards_is_the_same_range() {
        assert_eq!(range(9, 4), (4, 9));
        assert_eq!(range(4, 4), (4, 4));
    }
}
