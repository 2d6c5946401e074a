//! A length of time cut into stretches: each a bar as wide as it lasted, with its words above and below where they fit.

use super::gantt::Hatches;
use super::icon::Shape;
use super::measure::use_width;
use super::tone::Tone;
use yew::prelude::*;

/// How a stretch is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StretchFill {
    /// Solid, in the colour of a state.
    Solid(Tone),
    /// Hatched: held.
    Held,
    /// Dashed outline: still to come.
    Ahead,
}

/// One stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// How long, in milliseconds.
    pub ms: i64,
    /// How it is filled.
    pub fill: StretchFill,
    /// A shape above it.
    pub shape: Option<(Shape, Tone)>,
    /// Words above it.
    pub head: AttrValue,
    /// Words below it.
    pub foot: AttrValue,
}

/// What [`Stretches`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct StretchesProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The stretches in order.
    pub parts: Vec<Stretch>,
}

/// Between two bars.
const GAP: f64 = 2.0;
/// However short, a bar is at least so wide.
const LEAST: f64 = 6.0;
/// About so wide is a character of the words.
const CHARACTER: f64 = 6.0;
const WIDTH: f64 = 1_100.0;

/// Left edge and width of each stretch: by its length, but never too narrow to be seen.
fn places(parts: &[Stretch], width: f64) -> Vec<(f64, f64)> {
    let gaps = GAP * parts.len().saturating_sub(1) as f64;
    let room = (width - gaps - LEAST * parts.len() as f64).max(0.0);
    let all: f64 = parts.iter().map(|part| part.ms.max(0) as f64).sum();
    let mut left = 0.0;
    parts
        .iter()
        .map(|part| {
            let share = if all > 0.0 { part.ms.max(0) as f64 / all } else { 0.0 };
            let at = (left, LEAST + room * share);
            left += at.1 + GAP;
            at
        })
        .collect()
}

/// The bars. All of their words are in a list for assistive technology.
#[component]
pub fn Stretches(props: &StretchesProps) -> Html {
    let node = use_node_ref();
    let width = use_width(node.clone()).unwrap_or(WIDTH);
    let places = places(&props.parts, width);
    let spoken: Vec<String> = props.parts.iter().map(|part| format!("{} {}", part.head, part.foot)).collect();
    html! {
        <>
            <Hatches />
            <svg ref={node} class="ch stretches" width="100%" height="50" role="img"
                aria-label={format!("{}: {}", props.label, spoken.join("; "))}>
                { for props.parts.iter().zip(places).enumerate().map(|(at, (part, (x, width)))| html! {
                    <g key={at} transform={format!("translate({x:.1} 0)")}>
                        <title>{ format!("{} {}", part.head, part.foot) }</title>
                        { bar(part.fill, width) }
                        { words(part, width) }
                    </g>
                }) }
            </svg>
        </>
    }
}

fn bar(fill: StretchFill, width: f64) -> Html {
    let (class, fill) = match fill {
        StretchFill::Solid(tone) => (classes!("stretch", tone.class()), None),
        StretchFill::Held => (classes!("stretch", "is-held"), Some("url(#hatch-held)")),
        StretchFill::Ahead => (classes!("stretch", "is-ahead"), None),
    };
    html! { <rect {class} {fill} x=".5" y="22.5" width={format!("{:.1}", (width - 1.0).max(1.0))} height="10" rx="2" /> }
}

fn words(part: &Stretch, width: f64) -> Html {
    let fits = |text: &str, from: f64| text.chars().count() as f64 * CHARACTER + from <= width + 4.0;
    let icon = part.shape.filter(|_| width >= 14.0);
    html! {
        <>
            if let Some((shape, tone)) = icon {
                <svg class={classes!("i", "i-14", tone.class())} x="0" y="3" width="14" height="14"><use href={shape.href()} /></svg>
            }
            if fits(&part.head, 20.0) { <text class="v stretch-head" x={if icon.is_some() { "20" } else { "0" }} y="14">{ &part.head }</text> }
            if fits(&part.foot, 0.0) { <text x="0" y="46">{ &part.foot }</text> }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ms: i64) -> Stretch {
        Stretch { ms, fill: StretchFill::Held, shape: None, head: "".into(), foot: "".into() }
    }

    #[test]
    fn stretches_fill_the_width_and_the_shortest_can_be_seen() {
        let parts = [part(1), part(1_000_000), part(-5), part(500_000)];
        let places = places(&parts, 1_000.0);
        let (x, width) = places[3];
        assert!((x + width - 1_000.0).abs() < 0.01, "{places:?}");
        assert!(places.iter().all(|(_, width)| *width >= LEAST));
        assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 < pair[1].0));
        assert!(super::places(&[], 10.0).is_empty());
        assert_eq!(super::places(&[part(0)], 100.0), [(0.0, LEAST)]);
    }
}
