//! Which rows of a long list are drawn: those in view and a few beyond, found by arithmetic on a fixed row height.

/// Rows drawn beyond the view, above and below.
pub const OVERSCAN: usize = 8;
/// The window moves in steps of so many rows, so that most scroll events redraw nothing.
const STEP: usize = 4;

/// The rows to draw: `start..end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub start: usize,
    /// The one behind the last.
    pub end: usize,
}

impl Window {
    /// The window over `count` rows of `row` pixels when `offset` pixels are scrolled off and `view` are visible.
    pub fn over(count: usize, row: f64, offset: f64, view: f64) -> Self {
        if row <= 0.0 {
            return Self { start: 0, end: count.min(OVERSCAN * 4) };
        }
        let first = (offset.max(0.0) / row) as usize / STEP * STEP;
        let visible = (view.max(0.0) / row).ceil() as usize + STEP;
        let start = first.saturating_sub(OVERSCAN).min(count);
        Self { start, end: (first + visible + OVERSCAN).min(count) }
    }
}

/// The offset in whole steps: in between the window is the same, and nothing is redrawn.
pub fn snapped(offset: f64, row: f64) -> f64 {
    let step = row * STEP as f64;
    if step <= 0.0 { offset } else { (offset / step).floor() * step }
}

/// Where to scroll so that row `at` is in view, not hidden under the head; `None` when it is in view.
pub fn offset_to_show(at: usize, row: f64, offset: f64, view: f64) -> Option<f64> {
    let (top, bottom) = (at as f64 * row, (at + 1) as f64 * row);
    if top < offset {
        return Some(top);
    }
    (bottom > offset + view).then_some(bottom - view)
}

/// The row a key leads to from row `at` (none yet: the first).
pub fn moved(at: Option<usize>, count: usize, page: usize, key: &str) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let next = match key {
        "j" | "ArrowDown" => at.map_or(0, |at| (at + 1).min(last)),
        "k" | "ArrowUp" => at.map_or(0, |at| at.saturating_sub(1)),
        "PageDown" => at.map_or(0, |at| (at + page.max(1)).min(last)),
        "PageUp" => at.map_or(0, |at| at.saturating_sub(page.max(1))),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_rows_draw_a_few_dozen() {
        for offset in [0.0, 31.0, 1_600_000.0, 3_199_200.0] {
            let window = Window::over(100_000, 32.0, offset, 800.0);
            let first = (offset / 32.0) as usize;
            let last = (((offset + 800.0) / 32.0).ceil() as usize).min(100_000);
            assert!(window.start <= first && window.end >= last, "{offset}: {window:?}");
            assert!(window.end - window.start <= 25 + 2 * OVERSCAN + 2 * STEP, "{window:?}");
        }
    }

    #[test]
    fn scrolling_less_than_a_step_changes_nothing() {
        let at = |offset| Window::over(1_000, 32.0, offset, 600.0);
        assert_eq!(at(0.0), at(100.0));
        assert_ne!(at(0.0), at(1_000.0));
    }

    #[test]
    fn short_and_empty_lists_are_drawn_whole() {
        assert_eq!(Window::over(3, 32.0, 0.0, 800.0), Window { start: 0, end: 3 });
        assert_eq!(Window::over(0, 32.0, 500.0, 800.0), Window { start: 0, end: 0 });
        assert_eq!(Window::over(10, 0.0, 0.0, 0.0).end, 10);
    }

    #[test]
    fn a_row_out_of_view_is_brought_to_the_nearer_edge() {
        assert_eq!(offset_to_show(5, 32.0, 0.0, 320.0), None);
        assert_eq!(offset_to_show(10, 32.0, 0.0, 320.0), Some(32.0));
        assert_eq!(offset_to_show(1, 32.0, 320.0, 320.0), Some(32.0));
    }

    #[test]
    fn keys_move_within_the_list() {
        assert_eq!(moved(None, 5, 10, "j"), Some(0));
        assert_eq!(moved(Some(4), 5, 10, "ArrowDown"), Some(4));
        assert_eq!(moved(Some(0), 5, 10, "k"), Some(0));
        assert_eq!(moved(Some(1), 50, 10, "PageDown"), Some(11));
        assert_eq!(moved(Some(1), 50, 10, "x"), None);
        assert_eq!(moved(None, 0, 10, "j"), None);
    }
}
