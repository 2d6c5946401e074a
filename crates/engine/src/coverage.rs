//! What of a source's event time is covered, as arithmetic on windows (spec 03 §3.3). Pure.
//!
//! The unbroken run `[from, low)` is what live readings completed, end to end, with what was let pass unread taken out
//! as gaps. Windows that do not touch the run yet lie beside it and join it when they do.

use stella_contract::source::SourceSettings;
use stella_contract::time::Micros;
use stella_contract::watermark::{Gap, Stretch, StretchState, Window};

/// What is covered of one part of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// The unbroken run of completed windows; its end is the low watermark.
    pub(crate) run: Option<Run>,
    /// The newest event time seen.
    pub(crate) high: Option<Micros>,
    /// Completed windows beside the run, apart from each other, oldest first.
    pub(crate) completed: Vec<Window>,
    /// What was let pass unread, apart from each other, oldest first.
    pub(crate) gaps: Vec<Gap>,
}

/// An unbroken run. Unlike a window it may be empty: a source that was sent back to a moment begins there anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where it begins.
    pub(crate) from: Micros,
    /// Where it ends: the low watermark.
    pub(crate) low: Micros,
}

impl Run {
    fn window(self) -> Option<Window> {
        Window::between(self.from, self.low)
    }
}

/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

/// Later by so many seconds; earlier when there are less than none.
pub(crate) const fn plus_s(at: Micros, seconds: i64) -> Micros {
    Micros(at.0.saturating_add(seconds.saturating_mul(SECOND)))
}

/// Whole milliseconds, as times go over the wire: nothing of a window is lost on the way.
pub(crate) const fn whole_ms(at: Micros) -> Micros {
    Micros(at.0.div_euclid(1_000) * 1_000)
}

impl Coverage {
    /// Where the unbroken run ends.
    pub(crate) fn low(&self) -> Option<Micros> {
        self.run.map(|run| run.low)
    }

    /// The window the next live reading asks for: `[low − overlap, min(low + window, now − lateness))`. It does not reach
    /// back into a gap, since that could not be read. `None` while nothing is old enough to be asked for.
    pub(crate) fn next_live(&self, settings: &SourceSettings, now: Micros) -> Option<Window> {
        let until = whole_ms(plus_s(now, -settings.allowed_lateness_s));
        let Some(Run { low, .. }) = self.run else {
            return Window::between(plus_s(until, -settings.fetch_window_s), until);
        };
        let end = plus_s(low, settings.fetch_window_s).min(until);
        let passed = self.gaps.iter().rfind(|gap| gap.end <= low).map(|gap| gap.end);
        let start = plus_s(low, -settings.overlap_s);
        let start = passed.map_or(start, |passed| start.max(passed));
        // A window that only repeats what was read brings the mark no further.
        Window::between(start, end).filter(|window| window.end > low)
    }

    /// Where live windows begin to be theirs: a backfill ends there or before.
    pub(crate) fn live_from(&self, settings: &SourceSettings, now: Micros) -> Micros {
        let live = self.next_live(&SourceSettings { overlap_s: 0, ..settings.clone() }, now);
        let low = self.low().or(live.map(|window| window.start)).unwrap_or(now);
        plus_s(low, -settings.overlap_s)
    }

    /// A live window is complete. The mark moves when the window touches the run; else the window waits beside it.
    pub(crate) fn live(&mut self, window: Window) {
        if self.run.is_none() {
            self.run = Some(Run { from: window.start, low: window.end });
        }
        self.completed.push(window);
        self.join();
    }

    /// Everything in the window was read at once, and nothing older is known to be there: the run reaches as far.
    pub(crate) fn whole(&mut self, window: Window) {
        let run = self.run.get_or_insert(Run { from: window.start, low: window.end });
        *run = Run { from: run.from.min(window.start), low: run.low.max(window.end) };
        self.fill_gaps(window);
        self.join();
    }

    /// A window of a backfill is complete. It closes gaps and makes the run begin earlier when it touches it; the low
    /// watermark stays where it is.
    pub(crate) fn filled(&mut self, window: Window) {
        self.fill_gaps(window);
        let older = match self.run {
            Some(run) => Window::between(window.start, window.end.min(run.from)),
            None => Some(window),
        };
        self.completed.extend(older);
        self.join();
    }

    /// An operator lets a window pass unread, from the low watermark on.
    pub(crate) fn pass(&mut self, gap: Gap) {
        let run = self.run.get_or_insert(Run { from: gap.start, low: gap.start });
        run.low = run.low.max(gap.end);
        self.gaps.push(gap);
        self.gaps.sort_unstable_by_key(Gap::window);
        self.join();
    }

    /// Sends the low watermark back to a moment; what lies after it is to be read again.
    pub(crate) fn rewind(&mut self, to: Micros) {
        let before = |window: Window| Window::between(window.start, window.end.min(to));
        self.completed = self.completed.iter().filter_map(|window| before(*window)).collect();
        self.gaps.retain_mut(|gap| {
            gap.end = gap.end.min(to);
            gap.start < gap.end
        });
        self.run = self.run.map(|run| Run { from: run.from.min(to), low: run.low.min(to) });
        self.join();
    }

    /// What lies before a moment is not kept any more. A run that ends before it is as it was: nothing newer is known.
    pub(crate) fn forget_before(&mut self, kept: Micros) {
        let after = |window: Window| Window::between(window.start.max(kept), window.end);
        self.completed = self.completed.iter().filter_map(|window| after(*window)).collect();
        self.gaps.retain_mut(|gap| {
            gap.start = gap.start.max(kept);
            gap.start < gap.end
        });
        self.run = self.run.map(|run| Run { from: run.from.max(kept.min(run.low)), low: run.low });
    }

    /// The newest event time seen.
    pub(crate) fn seen(&mut self, at: Option<Micros>) {
        self.high = self.high.max(at);
    }

    /// Whether all of the window was read.
    pub(crate) fn covers(&self, window: Window) -> bool {
        let read = self.run.and_then(Run::window).into_iter().chain(self.completed.iter().copied());
        read.into_iter().any(|one| one.covers(window))
            && !self.gaps.iter().any(|gap| gap.window().meets(window))
    }

    /// Whether this very moment was read.
    fn holds(&self, at: Micros) -> bool {
        self.run.and_then(Run::window).is_some_and(|run| run.holds(at))
            || self.completed.iter().any(|window| window.holds(at))
    }

    fn fill_gaps(&mut self, window: Window) {
        let mut left = Vec::with_capacity(self.gaps.len());
        for gap in self.gaps.drain(..) {
            for part in [
                Window::between(gap.start, gap.end.min(window.start)),
                Window::between(gap.start.max(window.end), gap.end),
            ] {
                left.extend(part.map(|part| Gap { start: part.start, end: part.end, ..gap.clone() }));
            }
        }
        self.gaps = left;
    }

    /// Joins what touches: completed windows with each other and with the run, on either side of it.
    fn join(&mut self) {
        self.completed.sort_unstable();
        let mut apart: Vec<Window> = Vec::with_capacity(self.completed.len());
        for window in self.completed.drain(..) {
            match apart.last_mut() {
                Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
                Some(_) | None => apart.push(window),
            }
        }
        if let Some(run) = &mut self.run {
            // They are apart from each other, so that at most one touches the run on each side.
            for window in apart
                .iter()
                .filter(|window| window.start <= run.low && run.from <= window.end)
                .copied()
                .collect::<Vec<_>>()
            {
                *run = Run { from: run.from.min(window.start), low: run.low.max(window.end) };
            }
            apart.retain(|window| !(run.from <= window.start && window.end <= run.low));
        }
        self.completed = apart;
    }

    /// The map between two moments, end to end: what is under way and what failed comes from backfills.
    pub(crate) fn stretches(&self, map: Window, running: &[Window], failed: &[Window]) -> Vec<Stretch> {
        let gaps: Vec<Window> = self.gaps.iter().map(Gap::window).collect();
        let own = self.run.and_then(Run::window).into_iter().chain(self.completed.iter().copied());
        let mut cuts: Vec<Micros> = own
            .chain(gaps.iter().chain(running).chain(failed).copied())
            .flat_map(|window| [window.start, window.end])
            .filter(|at| map.holds(*at))
            .chain([map.start])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let any = |windows: &[Window], at: Micros| windows.iter().any(|window| window.holds(at));
        let mut stretches: Vec<Stretch> = Vec::with_capacity(cuts.len());
        for (place, start) in cuts.iter().enumerate() {
            let end = cuts.get(place + 1).copied().unwrap_or(map.end);
            let state = match start {
                at if any(running, *at) => StretchState::Running,
                at if any(&gaps, *at) => StretchState::Gap,
                at if self.holds(*at) => StretchState::Covered,
                at if any(failed, *at) => StretchState::Failed,
                _ => StretchState::Missing,
            };
            match stretches.last_mut() {
                Some(last) if last.state == state => last.end = end,
                Some(_) | None => stretches.push(Stretch { start: *start, end, state }),
            }
        }
        stretches
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
