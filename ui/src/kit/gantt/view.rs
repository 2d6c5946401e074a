//! The drawing of a Gantt chart.

use super::layout::{Drawn, Span, drawn, moved, ticks};
use super::{BarLook, GanttBar, GanttLane};
use crate::kit::css::{set_css_vars, use_css_vars};
use crate::kit::measure::{use_measure, use_width};
use crate::kit::window::{Window, offset_to_show};
use std::rc::Rc;
use yew::prelude::*;

/// What a [`GanttChart`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct GanttChartProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The rows.
    pub lanes: Rc<Vec<GanttLane>>,
    /// The bars, by start.
    pub bars: Rc<Vec<GanttBar>>,
    /// What is shown of time.
    pub span: Span,
    /// Where a line stands for now.
    #[prop_or_default]
    pub now: Option<i64>,
    /// How a moment is written.
    pub clock: Callback<i64, String>,
    /// The thing whose bars stand out.
    #[prop_or_default]
    pub current: Option<AttrValue>,
    /// Told the thing whose bar was chosen.
    pub on_choose: Callback<AttrValue>,
    /// Told the thing whose bar was opened: Enter, or a double click.
    pub on_open: Callback<AttrValue>,
}

/// How many moments are written on the axis.
const TICKS: usize = 8;
/// Room at the right, so that the last moment can be written.
const RIGHT: f64 = 40.0;

/// Bars over time. Left and right move between bars, up and down between lanes, Enter opens.
#[component]
pub fn GanttChart(props: &GanttChartProps) -> Html {
    let (scroller, ruler, sheet, axis) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let measure = use_measure(scroller.clone(), ruler.clone());
    let width = (use_width(axis.clone()).unwrap_or(0.0) - RIGHT).max(0.0);
    let at = use_state_eq(|| None::<usize>);
    let window = Window::over(props.lanes.len(), measure.row, measure.offset, measure.view);
    let by_lane = use_memo((props.bars.clone(), props.lanes.len()), |(bars, lanes)| by_lane(bars, *lanes));
    use_css_vars(scroller.clone(), vec![("--rows", props.lanes.len().to_string())]);
    {
        let sheet = sheet.clone();
        use_effect_with((window.start, measure.row.to_bits()), move |(start, row)| {
            let offset = *start as f64 * f64::from_bits(*row);
            set_css_vars(&sheet, &[("transform", format!("translateY({offset}px)"))]);
        });
    }
    let on_key = {
        let (bars, at, choose, open) =
            (props.bars.clone(), at.clone(), props.on_choose.clone(), props.on_open.clone());
        let (scroller, row, view) = (scroller.clone(), measure.row, measure.view - measure.head);
        Callback::from(move |event: KeyboardEvent| {
            let key = event.key();
            let here = at.filter(|at| *at < bars.len());
            if let (Some(bar), "Enter") = (here.and_then(|at| bars.get(at)), key.as_str()) {
                event.prevent_default();
                open.emit(bar.id.clone());
                return;
            }
            let Some(next) = moved(&bars, here, &key) else {
                // An arrow that leads nowhere moves nothing else on the page.
                if key.starts_with("Arrow") {
                    event.prevent_default();
                }
                return;
            };
            event.prevent_default();
            at.set(Some(next));
            choose.emit(bars[next].id.clone());
            if let Some(element) = scroller.cast::<web_sys::Element>()
                && let Some(offset) =
                    offset_to_show(bars[next].lane, row, f64::from(element.scroll_top()), view)
            {
                element.set_scroll_top(offset.ceil() as i32);
            }
        })
    };
    let said = at.and_then(|at| props.bars.get(at)).map(|bar| bar.label.clone());
    let now = props.now.filter(|_| width > 0.0).map(|now| props.span.x(now, width));
    // A moment too near to now would be written over it.
    let marks: Vec<(f64, String)> = ticks(props.span, TICKS)
        .into_iter()
        .map(|moment| (props.span.x(moment, width), props.clock.emit(moment)))
        .filter(|(x, _)| now.is_none_or(|now| (x - now).abs() > 48.0))
        .collect();
    html! {
        <div ref={scroller} class="gantt" tabindex="0" role="group" aria-label={props.label.clone()} onkeydown={on_key}>
            <div ref={ruler} class="gantt-ruler" aria-hidden="true"></div>
            <Hatches />
            <div class="gantt-row vt-head gantt-head">
                <span></span>
                <svg ref={axis} class="ch" width="100%" height="24" aria-hidden="true">
                    { for marks.iter().map(|(x, text)| html! { <text key={text.clone()} class="m" x={px(x.max(18.0))} y="16">{ text }</text> }) }
                    if let Some(x) = now {
                        <text class="m gb-now" x={px(x)} y="16">{ "now" }</text>
                        <rect class="gb-now" x={px(x - 0.5)} y="20" width="1" height="4" />
                    }
                </svg>
            </div>
            <div class="gantt-space">
                <div ref={sheet} class="gantt-sheet">
                    { for (window.start..window.end).filter_map(|lane| Some((lane, props.lanes.get(lane)?))).map(|(lane, one)| html! {
                        <LaneRow key={lane} lane={one.clone()} bars={by_lane.get(lane).cloned().unwrap_or_default()} all={props.bars.clone()}
                            span={props.span} {width} {now} grid={marks.iter().map(|(x, _)| *x as i64).collect::<Vec<_>>()}
                            current={props.current.clone()} at={at.filter(|at| props.bars.get(*at).is_some_and(|bar| bar.lane == lane))}
                            on_choose={props.on_choose.clone()} on_open={props.on_open.clone()} />
                    }) }
                </div>
            </div>
            <span class="vh" role="status">{ said.unwrap_or_default() }</span>
        </div>
    }
}

/// The places of each lane's bars.
fn by_lane(bars: &[GanttBar], lanes: usize) -> Vec<Rc<Vec<usize>>> {
    let mut out = vec![Vec::new(); lanes];
    for (place, bar) in bars.iter().enumerate() {
        if let Some(lane) = out.get_mut(bar.lane) {
            lane.push(place);
        }
    }
    out.into_iter().map(Rc::new).collect()
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct LaneRowProps {
    lane: GanttLane,
    bars: Rc<Vec<usize>>,
    all: Rc<Vec<GanttBar>>,
    span: Span,
    width: f64,
    now: Option<f64>,
    grid: Vec<i64>,
    current: Option<AttrValue>,
    at: Option<usize>,
    on_choose: Callback<AttrValue>,
    on_open: Callback<AttrValue>,
}

#[component]
fn LaneRow(props: &LaneRowProps) -> Html {
    let own: Vec<(usize, &GanttBar)> = props.bars.iter().map(|place| (*place, &props.all[*place])).collect();
    // Nothing can be placed before the width is known.
    let bars = if props.width > 0.0 { drawn(&own, props.span, props.width) } else { Vec::new() };
    html! {
        <div class={classes!("gantt-row", props.lane.strong.then_some("is-strong"))}>
            <span class="cut" title={props.lane.label.clone()}>{ &props.lane.label }</span>
            <svg class="ch" width="100%" height="26" role="img" aria-label={format!("{}, {} bars", props.lane.label, own.len())}>
                { for props.grid.iter().map(|x| html! { <line class="grid" x1={x.to_string()} x2={x.to_string()} y1="0" y2="26" /> }) }
                { for bars.iter().map(|bar| bar_of(bar, props)) }
                if let Some(x) = props.now { <rect class="gb-now" x={px(x - 0.5)} y="0" width="1" height="26" /> }
            </svg>
        </div>
    }
}

fn bar_of(bar: &Drawn, props: &LaneRowProps) -> Html {
    let Some(first) = props.all.get(bar.bars.0) else { return Html::default() };
    let many = bar.bars.0 != bar.bars.1;
    let current = props.at.is_some_and(|at| (bar.bars.0..=bar.bars.1).contains(&at))
        || (!many && props.current.as_ref() == Some(&first.id));
    let (y, height) = if bar.look == BarLook::Wait { (11.5, 3.0) } else { (7.5, 11.0) };
    let fill = match bar.look {
        BarLook::Held => Some("url(#hatch-held)"),
        BarLook::Rest => Some("url(#hatch-rest)"),
        BarLook::Wait | BarLook::Taken | BarLook::Live | BarLook::Ok | BarLook::Bad | BarLook::Idle => None,
    };
    let title = if many { format!("{} and more", first.label) } else { first.label.to_string() };
    let (chosen, opened) = (first.id.clone(), first.id.clone());
    html! {
        <rect key={bar.bars.0} class={classes!("gb", bar.look.class(), current.then_some("is-at"))} x={px(bar.x)} width={px(bar.width)}
            y={px(y)} height={px(height)} rx="2" {fill}
            onclick={props.on_choose.reform(move |_: MouseEvent| chosen.clone())}
            ondblclick={props.on_open.reform(move |_: MouseEvent| opened.clone())}>
            <title>{ title }</title>
        </rect>
    }
}

/// The hatchings, drawn once for the page that uses them.
#[component]
pub fn Hatches() -> Html {
    let pattern = |id: &'static str| {
        html! {
            <pattern {id} class={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <path d="M0 0v5" stroke-width="1.5" />
            </pattern>
        }
    };
    html! {
        <svg class="hatches" width="0" height="0" aria-hidden="true">
            <defs>{ pattern("hatch-held") }{ pattern("hatch-rest") }</defs>
        </svg>
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
