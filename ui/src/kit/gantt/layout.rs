//! Where the bars of a Gantt chart stand: arithmetic on milliseconds and pixels.

use super::{BarLook, GanttBar};

/// A bar as it is drawn: in pixels within its lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Its left edge.
    pub x: f64,
    /// Its width, at least so much that it can be seen.
    pub width: f64,
    /// How it is filled.
    pub look: BarLook,
    /// The bars it stands for, as places in the list; several where they are too narrow to tell apart.
    pub bars: (usize, usize),
}

/// Narrower bars cannot be seen.
const LEAST: f64 = 2.0;

/// The window of time a chart shows, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
}

impl Span {
    /// The pixel of a moment in a lane of this width.
    pub fn x(&self, at: i64, width: f64) -> f64 {
        let length = (self.to - self.from).max(1) as f64;
        ((at - self.from) as f64 / length).clamp(0.0, 1.0) * width
    }
}

/// The bars of one lane as they are drawn; `bars` holds the lane's bars by their start, each with its place in the
/// whole list. Neighbours of one look closer than a pixel become one, so that a lane never draws more than its width.
pub fn drawn(bars: &[(usize, &GanttBar)], span: Span, width: f64) -> Vec<Drawn> {
    let mut out: Vec<Drawn> = Vec::new();
    for (place, bar) in bars {
        if bar.to < span.from || bar.from > span.to {
            continue;
        }
        let (from, to) = (span.x(bar.from, width), span.x(bar.to, width));
        let joins = out.last_mut().filter(|last| {
            last.look == bar.look
                && from - (last.x + last.width) < 1.0
                && (to - from < LEAST || last.width < LEAST * 2.0)
        });
        match joins {
            Some(last) => {
                last.width = last.width.max(to - last.x);
                last.bars.1 = *place;
            }
            None => out.push(Drawn {
                x: from.min(width - LEAST),
                width: (to - from).max(LEAST),
                look: bar.look,
                bars: (*place, *place),
            }),
        }
    }
    out
}

/// Round moments to write on the axis: their distance in milliseconds and the first of them.
pub fn ticks(span: Span, most: usize) -> Vec<i64> {
    const STEPS: [i64; 16] = [
        100, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
        3_600_000, 7_200_000, 21_600_000, 86_400_000,
    ];
    let length = (span.to - span.from).max(1);
    let wanted = length / most.max(1) as i64;
    let step = STEPS.into_iter().find(|step| *step >= wanted).unwrap_or(length.max(1));
    let first = span.from.div_euclid(step) * step + if span.from.rem_euclid(step) == 0 { 0 } else { step };
    (0..).map(|at| first + at * step).take_while(|at| *at <= span.to).collect()
}

/// The bar that a key leads to from bar `at`: left and right within the lane, up and down to the nearest in time of the
/// next lane that has one.
pub fn moved(bars: &[GanttBar], at: Option<usize>, key: &str) -> Option<usize> {
    let Some(here) = at.and_then(|at| bars.get(at)) else {
        let first = || (0..bars.len()).min_by_key(|one| (bars[*one].lane, bars[*one].from));
        return matches!(key, "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown" | "Home")
            .then(first)
            .flatten();
    };
    let lane = |wanted: usize| (0..bars.len()).filter(move |one| bars[*one].lane == wanted);
    let before = |one: &usize| (bars[*one].from, *one) < (here.from, at.unwrap_or_default());
    let after = |one: &usize| (bars[*one].from, *one) > (here.from, at.unwrap_or_default());
    let nearest = |wanted: usize| lane(wanted).min_by_key(|one| (bars[*one].from - here.from).abs());
    match key {
        "ArrowLeft" => lane(here.lane).filter(before).max_by_key(|one| (bars[*one].from, *one)),
        "ArrowRight" => lane(here.lane).filter(after).min_by_key(|one| (bars[*one].from, *one)),
        "ArrowUp" => bars.iter().map(|bar| bar.lane).filter(|lane| *lane < here.lane).max().and_then(nearest),
        "ArrowDown" => {
            bars.iter().map(|bar| bar.lane).filter(|lane| *lane > here.lane).min().and_then(nearest)
        }
        "Home" => lane(here.lane).min_by_key(|one| bars[*one].from),
        "End" => lane(here.lane).max_by_key(|one| bars[*one].from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(lane: usize, from: i64, to: i64, look: BarLook) -> GanttBar {
        GanttBar { lane, id: "".into(), from, to, look, label: "".into() }
    }

    fn of(bars: &[GanttBar], span: Span, width: f64) -> Vec<Drawn> {
        let places: Vec<(usize, &GanttBar)> = bars.iter().enumerate().collect();
        drawn(&places, span, width)
    }

    #[test]
    fn ten_thousand_bars_of_one_lane_draw_no_more_than_its_width() {
        let bars: Vec<GanttBar> = (0..10_000).map(|at| bar(0, at * 10, at * 10 + 9, BarLook::Ok)).collect();
        let out = of(&bars, Span { from: 0, to: 100_000 }, 900.0);
        assert!(out.len() <= 900, "{}", out.len());
        assert_eq!(out.first().unwrap().bars.0, 0);
        assert_eq!(out.last().unwrap().bars.1, 9_999);
        assert!(out.iter().all(|one| one.x >= 0.0 && one.x + one.width <= 901.0));
    }

    #[test]
    fn bars_of_different_looks_stay_apart_and_the_shortest_can_be_seen() {
        let bars =
            [bar(0, 0, 10, BarLook::Wait), bar(0, 10, 11, BarLook::Live), bar(0, 500, 1_000, BarLook::Ok)];
        let out = of(&bars, Span { from: 0, to: 1_000 }, 500.0);
        assert_eq!(out.len(), 3);
        assert!(out.iter().all(|one| one.width >= LEAST));
        assert_eq!((out[2].x, out[2].width), (250.0, 250.0));
        assert!(of(&bars, Span { from: 2_000, to: 3_000 }, 500.0).is_empty());
    }

    #[test]
    fn the_axis_is_marked_at_round_moments() {
        assert_eq!(
            ticks(Span { from: 0, to: 60_000 }, 6),
            [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
        );
        assert_eq!(ticks(Span { from: 2_500, to: 9_000 }, 4), [4_000, 6_000, 8_000]);
        assert!(!ticks(Span { from: 0, to: 0 }, 5).is_empty());
    }

    #[test]
    fn arrows_move_between_bars_and_lanes() {
        let bars = [
            bar(0, 0, 10, BarLook::Ok),
            bar(0, 20, 30, BarLook::Ok),
            bar(2, 18, 40, BarLook::Ok),
            bar(2, 90, 95, BarLook::Ok),
        ];
        let go = |at, key| moved(&bars, at, key);
        assert_eq!(go(None, "ArrowRight"), Some(0));
        assert_eq!(go(Some(0), "ArrowRight"), Some(1));
        assert_eq!(go(Some(1), "ArrowRight"), None);
        assert_eq!(go(Some(1), "ArrowDown"), Some(2));
        assert_eq!(go(Some(3), "ArrowUp"), Some(1));
        assert_eq!((go(Some(1), "Home"), go(Some(2), "End")), (Some(0), Some(3)));
        assert_eq!(moved(&[], None, "Home"), None);
    }
}
