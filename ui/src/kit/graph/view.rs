//! The drawing of a graph: scrolls, zooms, follows the current box.

use super::layout::{Area, NODE, Placed, fit, moved, node_at, place, strokes};
use super::{EdgeLook, Graph, GraphEdge, GraphNode};
use crate::kit::button::{Button, ButtonKind};
use crate::kit::icon::Shape;
use crate::kit::keys::{Key, use_keys};
use crate::kit::measure::{View, use_view};
use crate::kit::tone::Tone;
use std::rc::Rc;
use yew::prelude::*;

/// What a [`GraphView`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct GraphViewProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// What is drawn.
    pub graph: Rc<Graph>,
    /// The current box.
    #[prop_or_default]
    pub current: Option<AttrValue>,
    /// Told the box that became current.
    pub on_choose: Callback<AttrValue>,
    /// Told the box that was opened: Enter, or a double click.
    #[prop_or_default]
    pub on_open: Callback<AttrValue>,
    /// What stands over the drawing, at the left.
    #[prop_or_default]
    pub children: Html,
    /// What stands over the drawing, before the zoom.
    #[prop_or_default]
    pub tools: Html,
}

/// Below this scale nobody can read the words; boxes are then drawn as plain shapes.
const READABLE: f64 = 0.5;
/// So much beyond the view is drawn too.
const BEYOND: f64 = 240.0;
/// So many boxes are drawn at once and left alone while the view moves: to draw them anew costs more than to keep them.
const KEPT: usize = 600;
/// More lines than these are a wall; then only those of the current box and the strong ones are drawn.
const DENSE: usize = 300;
/// From one step of the zoom to the next.
const STEP: f64 = 1.25;

/// Boxes and lines, with keys: arrows along the lines, Enter opens, F shows all or life size, + and − zoom.
#[component]
pub fn GraphView(props: &GraphViewProps) -> Html {
    let scroller = use_node_ref();
    let view = use_view(scroller.clone());
    let scale = use_state_eq(|| 1.0_f64);
    let placed = use_memo(props.graph.clone(), |graph| Rc::new(place(graph)));
    let current = use_memo((props.graph.clone(), props.current.clone()), |(graph, current)| {
        let wanted = current.as_ref()?;
        graph.nodes.iter().position(|node| node.id == *wanted)
    });
    let whole = fit(placed.size, (view.width - 2.0, view.height - 2.0));
    let zoom = {
        let scale = scale.clone();
        Callback::from(move |wanted: f64| scale.set(wanted.clamp(whole.min(READABLE), 1.5)))
    };
    // The view grows a little when its scroll bars go.
    let fitted = *scale <= whole * 1.05;
    let toggle = {
        let zoom = zoom.clone();
        Callback::from(move |()| zoom.emit(if fitted { 1.0 } else { whole }))
    };
    use_follow(&scroller, &placed, *current, *scale, view);
    {
        let (graph, placed, current) = (props.graph.clone(), placed.clone(), *current);
        let (choose, open, toggle, zoom, scale) =
            (props.on_choose.clone(), props.on_open.clone(), toggle.clone(), zoom.clone(), *scale);
        use_keys(move |key: &Key| {
            match (key.name.as_str(), key.ctrl) {
                (_, true) => return false,
                ("f", _) => toggle.emit(()),
                ("+" | "=", _) => zoom.emit(scale * STEP),
                ("-", _) => zoom.emit(scale / STEP),
                ("Enter", _) => match current.and_then(|at| graph.nodes.get(at)) {
                    Some(node) => open.emit(node.id.clone()),
                    None => return false,
                },
                (name, _) => match moved(&graph, &placed, current, name) {
                    Some(at) => choose.emit(graph.nodes[at].id.clone()),
                    // An arrow that leads nowhere does not scroll the page either.
                    None => return name.starts_with("Arrow") && current.is_some(),
                },
            }
            true
        });
    }
    let hit = {
        let (graph, placed, scale) = (props.graph.clone(), placed.clone(), *scale);
        move |event: &MouseEvent| {
            // Events are heard at the root of the page, which is what they call their current target.
            let hit: web_sys::Element = wasm_bindgen::JsCast::dyn_into(event.target()?).ok()?;
            let drawing = hit.closest(".graph-svg").ok()??;
            let corner = drawing.get_bounding_client_rect();
            let x = (f64::from(event.client_x()) - corner.left()) / scale;
            let y = (f64::from(event.client_y()) - corner.top()) / scale;
            node_at(&placed, (x, y)).map(|at| graph.nodes[at].id.clone())
        }
    };
    let on_click = {
        let (hit, choose) = (hit.clone(), props.on_choose.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some(id) = hit(&event) {
                choose.emit(id);
            }
        })
    };
    let on_double = {
        let open = props.on_open.clone();
        Callback::from(move |event: MouseEvent| {
            if let Some(id) = hit(&event) {
                open.emit(id);
            }
        })
    };
    let area = if props.graph.nodes.len() > KEPT { seen(&view, *scale) } else { EVERYWHERE };
    let dense = props.graph.edges.len() > DENSE;
    let size = ((placed.size.0 * *scale).ceil(), (placed.size.1 * *scale).ceil());
    html! {
        <div class="graph">
            <div class="graph-bar">
                { props.children.clone() }
                if dense { <span class="f3 sm">{ "lines of the chosen box only" }</span> }
                <span class="grow"></span>
                { props.tools.clone() }
                <span class="row gap1">
                    <Button kind={ButtonKind::Ghost} small={true} icon={Shape::Dash} label="Smaller" on_click={zoom.reform({ let scale = *scale; move |()| scale / STEP })} />
                    <span class="graph-zoom f2">{ format!("{:.0}%", *scale * 100.0) }</span>
                    <Button kind={ButtonKind::Ghost} small={true} icon={Shape::Plus} label="Larger" on_click={zoom.reform({ let scale = *scale; move |()| scale * STEP })} />
                </span>
                <Button small={true} key_hint="F" pressed={fitted && whole < 0.99} on_click={toggle}>{ "Fit" }</Button>
            </div>
            <div ref={scroller} class="graph-view" tabindex="0" role="group" aria-label={props.label.clone()}>
                <svg class={classes!("ch", "graph-svg", (*scale < READABLE).then_some("is-far"), dense.then_some("is-dense"))} role="img" aria-label={props.label.clone()}
                    width={size.0.to_string()} height={size.1.to_string()}
                    viewBox={format!("0 0 {} {}", placed.size.0, placed.size.1)} onclick={on_click} ondblclick={on_double}>
                    <Drawing graph={props.graph.clone()} placed={(*placed).clone()} {area} far={*scale < READABLE}
                        chosen={if dense { *current } else { None }} {dense} />
                    { current.map(|at| marked(placed.boxes[at])).unwrap_or_default() }
                </svg>
            </div>
        </div>
    }
}

/// All of the drawing.
const EVERYWHERE: Area = Area { at: (f64::MIN, f64::MIN), to: (f64::MAX, f64::MAX) };

#[derive(Clone, Properties)]
struct DrawingProps {
    graph: Rc<Graph>,
    placed: Rc<Placed>,
    area: Area,
    far: bool,
    /// Only strong lines and those of the chosen box.
    dense: bool,
    #[prop_or_default]
    chosen: Option<usize>,
}

impl PartialEq for DrawingProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.graph, &other.graph)
            && Rc::ptr_eq(&self.placed, &other.placed)
            && self.area == other.area
            && self.far == other.far
            && self.dense == other.dense
            && self.chosen == other.chosen
    }
}

/// Ranks, lines and boxes; drawn anew only when one of them is another.
#[component]
fn Drawing(props: &DrawingProps) -> Html {
    let DrawingProps { graph, placed, area, far: is_far, dense, chosen } = props;
    let shown =
        |edge: &GraphEdge| !dense || edge.strong || Some(edge.from) == *chosen || Some(edge.to) == *chosen;
    html! {
        <>
            { heads(placed) }
            { lines(graph, placed, area, &shown) }
            { if *is_far { far(graph, placed, area) } else { near(graph, placed, area) } }
        </>
    }
}

/// The part of the drawing that is on the screen, and some more.
fn seen(view: &View, scale: f64) -> Area {
    let at = ((view.left - BEYOND) / scale, (view.top - BEYOND) / scale);
    let to = ((view.left + view.width + BEYOND) / scale, (view.top + view.height + BEYOND) / scale);
    Area { at, to }
}

/// Keeps the current box in view when it or the scale changes.
#[hook]
fn use_follow(scroller: &NodeRef, placed: &Rc<Placed>, current: Option<usize>, scale: f64, view: View) {
    let at = current.and_then(|at| placed.boxes.get(at).copied());
    let known = view.width > 0.0;
    let scroller = scroller.clone();
    use_effect_with(
        (at.map(|(x, y)| (x as i64, y as i64)), scale.to_bits(), known),
        move |(at, scale, known)| {
            let (Some((x, y)), true) = (*at, *known) else { return };
            let Some(element) = scroller.cast::<web_sys::Element>() else { return };
            let scale = f64::from_bits(*scale);
            let reach = |start: f64, length: f64, scrolled: i32, view: i32| {
                let (start, end) = (start * scale, (start + length) * scale);
                let (from, to) = (f64::from(scrolled), f64::from(scrolled + view));
                (start < from + 12.0 || end > to - 12.0)
                    .then(|| ((start + end - f64::from(view)) / 2.0) as i32)
            };
            if let Some(left) = reach(x as f64, NODE.0, element.scroll_left(), element.client_width()) {
                element.set_scroll_left(left);
            }
            if let Some(top) = reach(y as f64, NODE.1, element.scroll_top(), element.client_height()) {
                element.set_scroll_top(top);
            }
        },
    );
}

fn heads(placed: &Placed) -> Html {
    html! {
        <g class="g-ranks">{ for placed.ranks.iter().map(|(x, rank)| html! {
            <text key={*rank} x={px(*x)} y="20">{ if *rank == 0 { "rank 0".to_owned() } else { rank.to_string() } }</text>
        }) }</g>
    }
}

fn lines(graph: &Graph, placed: &Placed, area: &Area, shown: &dyn Fn(&GraphEdge) -> bool) -> Html {
    let all = EdgeLook::ALL.into_iter().flat_map(|look| [(look, false), (look, true)]);
    html! { <>{ for all.map(|(look, strong)| {
        let (lines, heads) = strokes(graph, placed, area, &|edge| edge.look == look && edge.strong == strong && shown(edge));
        html! {
            <g key={format!("{} {strong}", look.class())} class={classes!("g-line", look.class(), strong.then_some("is-strong"))}>
                <path d={lines} /><path class="g-head" d={heads} />
            </g>
        }
    }) }</> }
}

/// Boxes as shapes only: one path for each colour.
fn far(graph: &Graph, placed: &Placed, area: &Area) -> Html {
    let tones = [Tone::Idle, Tone::Live, Tone::Ok, Tone::Warn, Tone::Bad];
    let (width, height) = NODE;
    let rectangles = |wanted: &dyn Fn(&GraphNode) -> bool| {
        let mut out = String::new();
        for (node, (x, y)) in graph.nodes.iter().zip(&placed.boxes) {
            if wanted(node) && area.meets((*x, *y), (x + width, y + height)) {
                out.push_str(&format!("M{x:.0} {y:.0}h{width}v{height}h-{width}z"));
            }
        }
        out
    };
    html! { <>
        { for tones.into_iter().map(|tone| html! {
            <path key={tone.class()} class={classes!("g-far", tone.class())} d={rectangles(&|node| node.tone == tone)} />
        }) }
        <path class="g-far-strong" d={rectangles(&|node| node.strong)} />
    </> }
}

/// Boxes with their words.
fn near(graph: &Graph, placed: &Placed, area: &Area) -> Html {
    let boxes = graph.nodes.iter().zip(&placed.boxes);
    let seen = boxes.filter(|(_, (x, y))| area.meets((*x, *y), (x + NODE.0, y + NODE.1)));
    html! { <>{ for seen.map(|(node, at)| html! { <GraphBox key={node.id.to_string()} node={node.clone()} at={*at} /> }) }</> }
}

/// The frame around the current box.
fn marked((x, y): (f64, f64)) -> Html {
    html! {
        <rect class="g-current" x={px(x - 1.0)} y={px(y - 1.0)} width={px(NODE.0 + 2.0)} height={px(NODE.1 + 2.0)} rx="5" />
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct GraphBoxProps {
    node: GraphNode,
    at: (f64, f64),
}

#[component]
fn GraphBox(props: &GraphBoxProps) -> Html {
    let node = &props.node;
    let (title, detail) =
        (cut(&node.title, 21), cut(&node.detail, 23_usize.saturating_sub(node.note.chars().count())));
    html! {
        <g class={classes!("g-box", node.strong.then_some("is-strong"), (node.tone == Tone::Bad).then_some("is-bad"))}
            transform={format!("translate({:.0} {:.0})", props.at.0, props.at.1)}>
            <title>{ format!("{}, {}, {}", node.title, node.detail, node.note) }</title>
            <rect width={NODE.0.to_string()} height={NODE.1.to_string()} rx="4" />
            <svg class={classes!("i", "i-14", node.tone.class())} x="9" y="6" width="14" height="14"><use href={node.shape.href()} /></svg>
            <text class="g-title" x="29" y="17">{ title }</text>
            <text x="10" y="33">{ detail }</text>
            <text class="e" x={(NODE.0 - 9.0).to_string()} y="33">{ &node.note }</text>
        </g>
    }
}

/// At most so many characters; what is cut off is in the title on hover.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn px(value: f64) -> String {
    format!("{value:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_do_not_fit_are_cut_with_a_mark() {
        assert_eq!(cut("scan.segment", 21), "scan.segment");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abc", 0), "…");
    }

    #[test]
    fn what_is_seen_grows_when_the_scale_shrinks() {
        let view = View { left: 0.0, top: 0.0, width: 1_000.0, height: 400.0 };
        assert_eq!(seen(&view, 1.0).to, (1_240.0, 640.0));
        assert_eq!(seen(&view, 0.5).to, (2_480.0, 1_280.0));
    }
}
