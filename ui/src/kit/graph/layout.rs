//! Where the boxes of a layered graph stand and how its lines run. All of it is arithmetic on rank and order, so that
//! the same graph always looks the same.

use super::{Graph, GraphEdge};

/// The size of a box.
pub const NODE: (f64, f64) = (164.0, 40.0);
/// Between two ranks.
const GAP_X: f64 = 42.0;
/// From the top of a box to the top of the next one below.
const STEP_Y: f64 = 60.0;
/// From the left of a box to the left of the next one of the same rank.
const STEP_X: f64 = NODE.0 + 12.0;
/// Around everything; the head of the ranks stands in the upper one.
const EDGE: (f64, f64) = (24.0, 40.0);
/// Behind the last rank.
const RIGHT: f64 = 12.0;
/// A rank of more boxes is folded into several columns, about twice as wide as high.
const FOLD: usize = 12;
/// So many lines that skip a rank get a way of their own below the boxes; more would be a wall.
const DETOURS: usize = 24;

/// A point in the drawing.
pub type Point = (f64, f64);

/// Where everything stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placed {
    /// The upper left corner of each box.
    pub boxes: Vec<Point>,
    /// Left edge and number of each rank.
    pub ranks: Vec<(f64, u32)>,
    /// Each line in the order of the edges, from the right of a box to the left of another.
    pub lines: Vec<Line>,
    /// The whole drawing.
    pub size: (f64, f64),
}

/// How a line runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Where it begins.
    pub from: Point,
    /// Where it ends.
    pub to: Point,
    /// Passes below all boxes, at this height.
    pub below: Option<f64>,
}

/// A part of the drawing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Area {
    /// Left and top.
    pub at: Point,
    /// Right and bottom.
    pub to: Point,
}

impl Area {
    /// Whether a rectangle lies in it, in part at least.
    pub fn meets(&self, at: Point, to: Point) -> bool {
        at.0 <= self.to.0 && to.0 >= self.at.0 && at.1 <= self.to.1 && to.1 >= self.at.1
    }
}

/// Places every box and every line.
pub fn place(graph: &Graph) -> Placed {
    let blocks = blocks(graph);
    let height = blocks.iter().map(|block| block.rows as f64 * STEP_Y).fold(0.0, f64::max);
    let mut boxes = vec![EDGE; graph.nodes.len()];
    let mut ranks = Vec::with_capacity(blocks.len());
    let mut left = EDGE.0;
    for block in &blocks {
        ranks.push((left, block.rank));
        let top = EDGE.1 + (height - block.rows as f64 * STEP_Y) / 2.0;
        for (at, node) in block.nodes.iter().enumerate() {
            let (column, row) = (at / block.rows.max(1), at % block.rows.max(1));
            boxes[*node] = (left + column as f64 * STEP_X, top + row as f64 * STEP_Y);
        }
        left += (block.columns() - 1) as f64 * STEP_X + NODE.0 + GAP_X;
    }
    let bottom = EDGE.1 + height;
    let lines = lines(graph, &boxes, bottom);
    let detours = lines.iter().filter_map(|line| line.below).fold(bottom, f64::max);
    let size = ((left - GAP_X).max(EDGE.0) + RIGHT, detours + 8.0);
    Placed { boxes, ranks, lines, size }
}

/// The boxes of one rank.
struct Block {
    rank: u32,
    nodes: Vec<usize>,
    rows: usize,
}

impl Block {
    fn columns(&self) -> usize {
        self.nodes.len().div_ceil(self.rows.max(1)).max(1)
    }
}

fn blocks(graph: &Graph) -> Vec<Block> {
    let mut order: Vec<usize> = (0..graph.nodes.len()).collect();
    order.sort_by_key(|at| (graph.nodes[*at].rank, graph.nodes[*at].order, *at));
    let mut out: Vec<Block> = Vec::new();
    for at in order {
        let rank = graph.nodes[at].rank;
        match out.last_mut().filter(|block| block.rank == rank) {
            Some(block) => block.nodes.push(at),
            None => out.push(Block { rank, nodes: vec![at], rows: 0 }),
        }
    }
    for block in &mut out {
        block.rows = rows(block.nodes.len());
    }
    out
}

/// How many boxes stand below each other in a rank of so many.
fn rows(count: usize) -> usize {
    let folded = (count as f64 * STEP_X / (2.0 * STEP_Y)).sqrt().ceil() as usize;
    count.min(folded.max(FOLD))
}

fn lines(graph: &Graph, boxes: &[Point], bottom: f64) -> Vec<Line> {
    let skips = |at: usize| {
        let edge = &graph.edges[at];
        graph.nodes[edge.to].rank > graph.nodes[edge.from].rank + 1
    };
    let skipping = (0..graph.edges.len()).filter(|at| skips(*at)).count();
    let mut taken = 0;
    (0..graph.edges.len())
        .map(|at| {
            let edge = &graph.edges[at];
            let (from, to) = (boxes[edge.from], boxes[edge.to]);
            let below = (skipping <= DETOURS && skips(at)).then(|| {
                taken += 1;
                bottom + f64::from(taken) * 8.0 - 14.0
            });
            Line { from: (from.0 + NODE.0, from.1 + NODE.1 / 2.0), to: (to.0, to.1 + NODE.1 / 2.0), below }
        })
        .collect()
}

impl Line {
    /// Whether any of it may be seen in an area.
    pub fn is_in(&self, area: &Area) -> bool {
        let top = self.from.1.min(self.to.1);
        let bottom = self.from.1.max(self.to.1).max(self.below.unwrap_or(f64::MIN));
        area.meets((self.from.0.min(self.to.0), top), (self.from.0.max(self.to.0), bottom))
    }

    /// Writes it as the path of a drawing.
    pub fn draw(&self, out: &mut String) {
        let ((x1, y1), (x2, y2)) = (self.from, (self.to.0 - 5.0, self.to.1));
        match self.below {
            None => {
                let bend = ((x2 - x1) / 2.0).max(16.0);
                out.push_str(&format!(
                    "M{x1:.0} {y1:.0}C{:.0} {y1:.0} {:.0} {y2:.0} {x2:.0} {y2:.0}",
                    x1 + bend,
                    x2 - bend
                ));
            }
            Some(low) => out.push_str(&format!(
                "M{x1:.0} {y1:.0}C{:.0} {y1:.0} {:.0} {low:.0} {:.0} {low:.0}L{:.0} {low:.0}C{:.0} {low:.0} {:.0} {y2:.0} {x2:.0} {y2:.0}",
                x1 + 30.0,
                x1 + 6.0,
                x1 + 36.0,
                x2 - 30.0,
                x2 - 4.0,
                x2 - 26.0
            )),
        }
    }

    /// Writes its arrow head.
    pub fn draw_head(&self, out: &mut String) {
        let (x, y) = self.to;
        out.push_str(&format!("M{x:.0} {y:.0}l-6 -3v6z"));
    }
}

/// The wanted lines as one path, and their heads as another: a thousand lines are two elements.
pub fn strokes(
    graph: &Graph,
    placed: &Placed,
    area: &Area,
    wanted: &dyn Fn(&GraphEdge) -> bool,
) -> (String, String) {
    let (mut lines, mut heads) = (String::new(), String::new());
    for (edge, line) in graph.edges.iter().zip(&placed.lines) {
        if wanted(edge) && line.is_in(area) {
            line.draw(&mut lines);
            line.draw_head(&mut heads);
        }
    }
    (lines, heads)
}

/// The box at a point.
pub fn node_at(placed: &Placed, point: Point) -> Option<usize> {
    placed
        .boxes
        .iter()
        .position(|(x, y)| (*x..=x + NODE.0).contains(&point.0) && (*y..=y + NODE.1).contains(&point.1))
}

/// The scale at which the whole drawing is in view; never larger than life.
pub fn fit(size: (f64, f64), view: (f64, f64)) -> f64 {
    if size.0 <= 0.0 || size.1 <= 0.0 || view.0 <= 0.0 || view.1 <= 0.0 {
        return 1.0;
    }
    (view.0 / size.0).min(view.1 / size.1).clamp(0.02, 1.0)
}

/// The box that a key leads to: left and right along the lines (a strong one first, then the nearest), up and down
/// within the rank, Home and End to the ends.
pub fn moved(graph: &Graph, placed: &Placed, at: Option<usize>, key: &str) -> Option<usize> {
    let Some(at) = at.filter(|at| *at < graph.nodes.len()) else {
        let wanted = matches!(key, "ArrowRight" | "ArrowLeft" | "ArrowUp" | "ArrowDown" | "Home" | "End");
        return (wanted && !graph.nodes.is_empty()).then_some(0);
    };
    let along = |ends: fn(&super::GraphEdge) -> (usize, usize)| {
        let far = |node: usize| (placed.boxes[node].1 - placed.boxes[at].1).abs();
        let next = graph.edges.iter().filter(|edge| ends(edge).0 == at);
        next.min_by(|one, two| {
            two.strong.cmp(&one.strong).then(far(ends(one).1).total_cmp(&far(ends(two).1)))
        })
        .map(|edge| ends(edge).1)
    };
    let beside = |step: i64| {
        let here = &graph.nodes[at];
        let mut same: Vec<usize> =
            (0..graph.nodes.len()).filter(|one| graph.nodes[*one].rank == here.rank).collect();
        same.sort_by_key(|one| (graph.nodes[*one].order, *one));
        let place = same.iter().position(|one| *one == at)? as i64 + step;
        usize::try_from(place).ok().and_then(|place| same.get(place).copied())
    };
    let ends = |last: bool| {
        let by = |one: &usize| (graph.nodes[*one].rank, graph.nodes[*one].order);
        let all = 0..graph.nodes.len();
        if last { all.max_by_key(by) } else { all.min_by_key(by) }
    };
    match key {
        "ArrowRight" => along(|edge| (edge.from, edge.to)),
        "ArrowLeft" => along(|edge| (edge.to, edge.from)),
        "ArrowDown" => beside(1),
        "ArrowUp" => beside(-1),
        "Home" => ends(false),
        "End" => ends(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EdgeLook, GraphNode};
    use super::*;
    use crate::kit::{Shape, Tone};

    fn node(rank: u32, order: u32) -> GraphNode {
        GraphNode {
            id: format!("{rank}.{order}").into(),
            rank,
            order,
            title: "".into(),
            detail: "".into(),
            note: "".into(),
            shape: Shape::Ring,
            tone: Tone::Idle,
            strong: false,
        }
    }

    fn edge(from: usize, to: usize) -> GraphEdge {
        GraphEdge { from, to, look: EdgeLook::Met, strong: false }
    }

    /// Two roots, one middle, two ends, and a line that skips the middle.
    fn small() -> Graph {
        Graph {
            nodes: vec![node(0, 0), node(0, 1), node(1, 0), node(2, 0), node(2, 1)],
            edges: vec![edge(0, 2), edge(1, 2), edge(2, 3), edge(2, 4), edge(0, 4)],
        }
    }

    fn overlaps(one: Point, two: Point) -> bool {
        (one.0 - two.0).abs() < NODE.0 && (one.1 - two.1).abs() < NODE.1
    }

    #[test]
    fn two_thousand_boxes_of_one_rank_are_folded_and_none_covers_another() {
        let mut nodes = vec![node(0, 0)];
        nodes.extend((0..2_000).map(|order| node(1, order)));
        let edges = (1..=2_000).map(|to| edge(0, to)).collect();
        let graph = Graph { nodes, edges };
        let placed = place(&graph);
        assert!(placed.size.0 < 4.0 * placed.size.1, "{:?}", placed.size);
        for at in 1..200 {
            assert!((at + 1..2_001).all(|other| !overlaps(placed.boxes[at], placed.boxes[other])), "{at}");
        }
        let view = Area { at: (0.0, 0.0), to: (1_200.0, 420.0) };
        let seen = placed.boxes.iter().filter(|(x, y)| view.meets((*x, *y), (x + NODE.0, y + NODE.1)));
        assert!(seen.count() < 80);
    }

    #[test]
    fn every_line_goes_to_the_right_and_one_that_skips_a_rank_passes_below() {
        let graph = small();
        let placed = place(&graph);
        assert!(placed.lines.iter().all(|line| line.to.0 > line.from.0));
        let below: Vec<bool> = placed.lines.iter().map(|line| line.below.is_some()).collect();
        assert_eq!(below, [false, false, false, false, true]);
        let lowest = placed.boxes.iter().map(|(_, y)| y + NODE.1).fold(0.0, f64::max);
        assert!(placed.lines[4].below.unwrap() >= lowest);
    }

    #[test]
    fn arrows_go_along_the_lines_and_the_strong_one_first() {
        let mut graph = small();
        graph.edges[3].strong = true;
        let placed = place(&graph);
        let go = |at: Option<usize>, key| moved(&graph, &placed, at, key);
        assert_eq!(go(Some(2), "ArrowRight"), Some(4));
        assert_eq!(go(Some(2), "ArrowLeft"), Some(0));
        assert_eq!(go(Some(4), "ArrowUp"), Some(3));
        assert_eq!(go(Some(3), "ArrowUp"), None);
        assert_eq!(go(Some(3), "ArrowRight"), None);
        assert_eq!((go(None, "ArrowDown"), go(None, "x")), (Some(0), None));
        assert_eq!((go(Some(2), "Home"), go(Some(0), "End")), (Some(0), Some(4)));
        let nothing = Graph::default();
        assert_eq!(moved(&nothing, &place(&nothing), None, "Home"), None);
    }

    #[test]
    fn a_point_finds_its_box_and_the_fit_never_enlarges() {
        let graph = small();
        let placed = place(&graph);
        let (x, y) = placed.boxes[3];
        assert_eq!(node_at(&placed, (x + 3.0, y + 3.0)), Some(3));
        assert_eq!(node_at(&placed, (x - 3.0, y)), None);
        assert_eq!(fit((100.0, 50.0), (1_000.0, 1_000.0)), 1.0);
        assert_eq!(fit((1_000.0, 50.0), (500.0, 500.0)), 0.5);
        assert_eq!(fit((0.0, 0.0), (500.0, 500.0)), 1.0);
    }
}
