//! A strip of cells, a row per group: filled when done, part filled at work, crossed when failed, outlined waiting.

use yew::prelude::*;

/// How a cell stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeatState {
    /// Not begun.
    Waiting,
    /// At it; the share that is done.
    Live(f64),
    /// Ended well; the slower, the paler.
    Done(Paleness),
    /// Failed.
    Failed,
    /// Ended without a result.
    Ended,
}

/// How pale a cell is that ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paleness {
    /// As fast as most, or nobody knows.
    Full,
    /// Slower than most.
    Pale,
    /// Much slower than most.
    Palest,
}

impl Paleness {
    const fn class(self) -> &'static str {
        match self {
            Self::Full => "f-ok",
            Self::Pale => "f-ok pale",
            Self::Palest => "f-ok palest",
        }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatCell {
    /// What it stands for.
    pub id: AttrValue,
    /// Its name for assistive technology and on hover: "segment 4, failed".
    pub label: AttrValue,
    /// How it stands.
    pub state: HeatState,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatRow {
    /// The group's name.
    pub label: AttrValue,
    /// Its cells in order.
    pub cells: Vec<HeatCell>,
}

/// What a [`HeatStrip`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct HeatStripProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The rows in order.
    pub rows: Vec<HeatRow>,
    /// The chosen cell.
    #[prop_or_default]
    pub current: Option<AttrValue>,
    /// Told the cell that was opened.
    #[prop_or_default]
    pub on_open: Callback<AttrValue>,
}

const CELL_W: usize = 30;
const CELL_H: usize = 15;
const STEP_X: usize = 34;
const STEP_Y: usize = 19;
const LEFT: usize = 64;

/// The strip. Arrows move, Enter opens.
#[component]
pub fn HeatStrip(props: &HeatStripProps) -> Html {
    let at = use_state_eq(|| (0usize, 0usize));
    let columns = props.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let (width, height) = (LEFT + columns * STEP_X, props.rows.len() * STEP_Y);
    let on_key = {
        let (at, rows, open) = (at.clone(), props.rows.clone(), props.on_open.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" {
                if let Some(cell) = rows.get(at.0).and_then(|row| row.cells.get(at.1)) {
                    open.emit(cell.id.clone());
                }
                return;
            }
            let lengths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
            if let Some(next) = moved(*at, &lengths, &event.key()) {
                event.prevent_default();
                at.set(next);
            }
        })
    };
    html! {
        <div class="heat" tabindex="0" role="group" aria-label={props.label.clone()} onkeydown={on_key}>
            <svg class="ch" width={width.to_string()} height={height.to_string()}
                viewBox={format!("0 0 {width} {height}")} role="img" aria-label={props.label.clone()}>
                { for props.rows.iter().enumerate().map(|(y, row)| html! {
                    <g key={row.label.to_string()} transform={format!("translate(0 {})", y * STEP_Y)}>
                        <text class="e f2" x={(LEFT - 10).to_string()} y="12">{ &row.label }</text>
                        { for row.cells.iter().enumerate().map(|(x, cell)| {
                            let marked = *at == (y, x) || props.current.as_ref() == Some(&cell.id);
                            let id = cell.id.clone();
                            html! {
                                <g key={cell.id.to_string()} class={classes!("cell", marked.then_some("is-at"))}
                                    transform={format!("translate({} 0)", LEFT + x * STEP_X)}
                                    onclick={props.on_open.reform(move |_| id.clone())}>
                                    <title>{ &cell.label }</title>
                                    { drawing(cell.state) }
                                </g>
                            }
                        }) }
                    </g>
                }) }
            </svg>
        </div>
    }
}

fn drawing(state: HeatState) -> Html {
    let frame = |class: &'static str| {
        html! { <rect {class} x=".5" y=".5" width={(CELL_W - 1).to_string()} height={(CELL_H - 1).to_string()} rx="2" /> }
    };
    let filled = |class: &'static str, width: f64| {
        html! { <rect {class} width={format!("{width:.1}")} height={CELL_H.to_string()} rx="2" /> }
    };
    match state {
        HeatState::Waiting => frame("o-wait"),
        HeatState::Ended => html! { <>{ frame("o-wait") }<path class="x-wait" d="M10 11.5l10-8" /></> },
        HeatState::Live(share) => html! {
            <>{ frame("o-live") }{ filled("f-live", share.clamp(0.0, 1.0) * CELL_W as f64) }</>
        },
        HeatState::Done(paleness) => filled(paleness.class(), CELL_W as f64),
        HeatState::Failed => html! {
            <>{ filled("f-bad", CELL_W as f64) }<path class="x-bad" d="M12 4.5l6 6M18 4.5l-6 6" /></>
        },
    }
}

/// Where an arrow leads; rows may differ in length.
fn moved((y, x): (usize, usize), lengths: &[usize], key: &str) -> Option<(usize, usize)> {
    let last = |row: usize| lengths.get(row).copied().unwrap_or(0).saturating_sub(1);
    let next = match key {
        "ArrowRight" => (y, (x + 1).min(last(y))),
        "ArrowLeft" => (y, x.saturating_sub(1)),
        "ArrowDown" if y + 1 < lengths.len() => (y + 1, x.min(last(y + 1))),
        "ArrowUp" if y > 0 => (y - 1, x.min(last(y - 1))),
        _ => return None,
    };
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_stay_within_rows_of_different_length() {
        let lengths = [5, 2];
        assert_eq!(moved((0, 4), &lengths, "ArrowDown"), Some((1, 1)));
        assert_eq!(moved((1, 1), &lengths, "ArrowDown"), None);
        assert_eq!(moved((0, 4), &lengths, "ArrowRight"), Some((0, 4)));
        assert_eq!(moved((0, 0), &lengths, "ArrowLeft"), Some((0, 0)));
        assert_eq!(moved((0, 0), &[], "ArrowDown"), None);
    }
}
