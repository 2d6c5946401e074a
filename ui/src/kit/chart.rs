//! Small charts in SVG: a sparkline and an area over time. Each says its main fact in words.

use super::format;
use super::measure::use_width;
use super::tone::Tone;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`Sparkline`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SparklineProps {
    /// The values, oldest first.
    pub values: Vec<f64>,
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// `Warn` and `Bad` colour the line.
    #[prop_or_default]
    pub tone: Tone,
}

/// A line of 96 by 20 with a dot at its end.
#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    let class = match props.tone {
        Tone::Warn => Some("w"),
        Tone::Bad => Some("b"),
        Tone::Idle | Tone::Live | Tone::Ok => None,
    };
    let points = scaled(&props.values, Frame { left: 3.0, top: 3.0, width: 89.0, height: 14.0 }, None);
    html! {
        <svg class={classes!("spark", class)} viewBox="0 0 96 20" role="img" aria-label={props.label.clone()}>
            <path d={line(&points)} />
            if let Some((x, y)) = points.last() { <circle cx={px(*x)} cy={px(*y)} r="2" /> }
        </svg>
    }
}

/// One line of an [`AreaChart`]; the second is stacked on the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is called at its end: `412 queued`.
    pub label: AttrValue,
    /// A value per time.
    pub values: Vec<f64>,
}

/// A dashed line with its text on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// At which value.
    pub value: f64,
    /// What it means.
    pub label: AttrValue,
}

/// What an [`AreaChart`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct AreaChartProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// When each value was, oldest first.
    pub times: Vec<Micros>,
    /// The lower line, then the one stacked on it.
    pub series: Vec<Series>,
    /// A limit worth seeing.
    #[prop_or_default]
    pub threshold: Option<Threshold>,
}

/// The width before it is measured.
const WIDTH: f64 = 718.0;
const HEIGHT: f64 = 196.0;
/// Left of the plot stand its numbers, right of it the names of its lines.
const LEFT: f64 = 38.0;
const RIGHT: f64 = 86.0;

/// Where the lines are drawn in a chart of this width.
fn plot(width: f64) -> Frame {
    Frame { left: LEFT, top: 16.0, width: (width - LEFT - RIGHT).max(60.0), height: 158.0 }
}

/// Values over time, stacked, with a hairline grid and labels at the ends of the lines.
#[component]
pub fn AreaChart(props: &AreaChartProps) -> Html {
    let node = use_node_ref();
    let width = use_width(node.clone()).unwrap_or(WIDTH);
    let plot = plot(width);
    let stacked = stack(&props.series);
    let highest = stacked.iter().flatten().copied().fold(0.0, f64::max);
    let top = nice(highest.max(props.threshold.as_ref().map_or(0.0, |limit| limit.value)));
    let y = |value: f64| plot.top + plot.height * (1.0 - value / top);
    let lines: Vec<Vec<(f64, f64)>> =
        stacked.iter().map(|values| scaled(values, plot, Some((0.0, top)))).collect();
    let right = plot.left + plot.width;
    html! {
        <svg ref={node} class="ch area" width="100%" height={HEIGHT.to_string()} viewBox={format!("0 0 {width} {HEIGHT}")}
            role="img" aria-label={props.label.clone()}>
            { for hours(&props.times).into_iter().map(|(share, text)| {
                let x = px(plot.left + plot.width * share);
                html! {
                    <g key={text.clone()}>
                        <text class="m" x={x.clone()} y="191">{ text }</text>
                        <line class="grid" x1={x.clone()} x2={x} y1={px(plot.top)} y2={px(plot.top + plot.height)} />
                    </g>
                }
            }) }
            { for [0.0, 0.5, 1.0].into_iter().map(|share| html! {
                <g key={share.to_string()}>
                    <text class="e" x="32" y={px(y(top * share) + 4.0)}>{ format::count((top * share) as i64) }</text>
                    <line class="grid" x1={px(plot.left)} x2={px(right)} y1={px(y(top * share))} y2={px(y(top * share))} />
                </g>
            }) }
            { for lines.iter().enumerate().rev().map(|(at, points)| html! {
                <g key={at}>
                    <path class={if at == 0 { "a1" } else { "a2" }} d={area(points, plot.top + plot.height)} />
                    <path class={if at == 0 { "l1" } else { "l2" }} d={line(points)} />
                </g>
            }) }
            if let Some(limit) = &props.threshold {
                <line class="thr" x1={px(plot.left)} x2={px(right)} y1={px(y(limit.value))} y2={px(y(limit.value))} />
                <text class="wn" x={px(plot.left + 6.0)} y={px(y(limit.value) - 5.0)}>{ &limit.label }</text>
            }
            { for end_labels(&lines).into_iter().zip(&props.series).zip(&lines).map(|((at, series), points)| html! {
                <g key={series.label.to_string()}>
                    if let Some((x, y)) = points.last() { <circle class="end" cx={px(*x)} cy={px(*y)} r="2.5" /> }
                    <text class="v" x={px(right + 8.0)} y={px(at + 4.0)}>{ &series.label }</text>
                </g>
            }) }
            <text class="m f2" x={px(right)} y="191">{ "now" }</text>
        </svg>
    }
}

/// A rectangle to draw in.
#[derive(Debug, Clone, Copy)]
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// The values as points within the frame; the range is the values' own when none is given.
fn scaled(values: &[f64], frame: Frame, range: Option<(f64, f64)>) -> Vec<(f64, f64)> {
    let (low, high) = range.unwrap_or_else(|| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    });
    let span = if high > low { high - low } else { 1.0 };
    let step = frame.width / values.len().saturating_sub(1).max(1) as f64;
    let point = |(at, value): (usize, &f64)| {
        (frame.left + at as f64 * step, frame.top + frame.height * (1.0 - (value - low) / span))
    };
    values.iter().enumerate().map(point).collect()
}

/// Each series on top of those before it.
fn stack(series: &[Series]) -> Vec<Vec<f64>> {
    let mut below: Vec<f64> = Vec::new();
    let mut out = Vec::with_capacity(series.len());
    for one in series {
        below = one
            .values
            .iter()
            .enumerate()
            .map(|(at, value)| value + below.get(at).copied().unwrap_or(0.0))
            .collect();
        out.push(below.clone());
    }
    out
}

/// The next round number at or above: 4, 6, 8, 10, 20, 40, ... always even, so that the middle grid line is whole too.
fn nice(highest: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 4.0, 6.0, 8.0] {
            if step * factor >= highest.max(4.0) {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

/// Where to say which hour it was: every fourth full hour, as a share of the width.
fn hours(times: &[Micros]) -> Vec<(f64, String)> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Vec::new() };
    const STEP: i64 = 4 * 3_600 * 1_000_000;
    let span = (last.0 - first.0).max(1) as f64;
    let mut at = first.0.div_euclid(STEP) * STEP + STEP;
    let mut out = Vec::new();
    while at < last.0 {
        let share = (at - first.0) as f64 / span;
        if (0.03..0.95).contains(&share) {
            out.push((share, Micros(at).to_string().get(11..16).unwrap_or_default().to_owned()));
        }
        at += STEP;
    }
    out
}

/// Heights of the labels at the ends, moved apart where they would overlap.
fn end_labels(lines: &[Vec<(f64, f64)>]) -> Vec<f64> {
    let mut out: Vec<f64> = lines.iter().map(|points| points.last().map_or(0.0, |(_, y)| *y)).collect();
    for at in 1..out.len() {
        // A later line is stacked higher, so its label belongs above.
        if out[at] > out[at - 1] - 14.0 {
            out[at] = out[at - 1] - 14.0;
        }
    }
    out
}

fn line(points: &[(f64, f64)]) -> String {
    let mut out = String::with_capacity(points.len() * 12);
    for (at, (x, y)) in points.iter().enumerate() {
        out.push_str(if at == 0 { "M" } else { "L" });
        out.push_str(&format!("{x:.1} {y:.1}"));
    }
    out
}

fn area(points: &[(f64, f64)], floor: f64) -> String {
    match (points.first(), points.last()) {
        (Some((first, _)), Some((last, _))) => {
            format!("{}L{last:.1} {floor:.1}L{first:.1} {floor:.1}Z", line(points))
        }
        _ => String::new(),
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_series_draws_nothing_and_does_not_divide_by_zero() {
        assert_eq!(line(&scaled(&[], plot(WIDTH), None)), "");
        assert_eq!(area(&[], 0.0), "");
        let flat = scaled(&[3.0, 3.0], plot(WIDTH), None);
        assert!(flat.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
    }

    #[test]
    fn the_scale_ends_at_an_even_round_number() {
        for (highest, top) in [(0.0, 4.0), (4.0, 4.0), (7.0, 8.0), (1_094.0, 2_000.0), (2_001.0, 4_000.0)] {
            assert_eq!(nice(highest), top);
        }
    }

    #[test]
    fn a_second_series_stands_on_the_first() {
        let series = |values: &[f64]| Series { label: "".into(), values: values.to_vec() };
        assert_eq!(stack(&[series(&[1.0, 2.0]), series(&[3.0, 4.0])])[1], vec![4.0, 6.0]);
    }

    #[test]
    fn labels_at_the_ends_do_not_overlap() {
        let at = end_labels(&[vec![(0.0, 100.0)], vec![(0.0, 95.0)]]);
        assert!(at[0] - at[1] >= 14.0);
    }
}
