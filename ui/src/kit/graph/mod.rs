//! A layered graph in SVG: boxes by rank and order, lines between them, one current box; only what is in view is
//! drawn, and from far away boxes are drawn as one shape per colour, so that thousands stay smooth.

pub mod layout;
mod view;

use super::icon::Shape;
use super::tone::Tone;
use yew::AttrValue;

pub use view::{GraphView, GraphViewProps};

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphNode {
    /// Tells it from the others.
    pub id: AttrValue,
    /// How far from the left, 0 first.
    pub rank: u32,
    /// How far from the top within the rank.
    pub order: u32,
    /// The first line.
    pub title: AttrValue,
    /// The second line, left.
    pub detail: AttrValue,
    /// The second line, right.
    pub note: AttrValue,
    /// Its state as a shape.
    pub shape: Shape,
    /// Its state as a colour.
    pub tone: Tone,
    /// Outlined in strong ink.
    pub strong: bool,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeLook {
    /// Solid.
    Met,
    /// Dashed.
    Unmet,
    /// Dashed, in the colour of failure.
    Broken,
}

impl EdgeLook {
    /// All of them, in the order in which they are drawn.
    pub const ALL: [Self; 3] = [Self::Met, Self::Unmet, Self::Broken];

    /// The class that draws it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Met => "g-met",
            Self::Unmet => "g-unmet",
            Self::Broken => "g-broken",
        }
    }
}

/// One line, from the box at one place in the list to the box at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphEdge {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// How it is drawn.
    pub look: EdgeLook,
    /// In strong ink.
    pub strong: bool,
}

/// Boxes and lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<GraphNode>,
    /// The lines; both ends are places in `nodes`.
    pub edges: Vec<GraphEdge>,
}
