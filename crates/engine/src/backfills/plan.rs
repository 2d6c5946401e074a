//! What a backfill would do: its windows, which of them are read, how long that takes, and what stands in its way. Pure.

use crate::coverage::{Coverage, plus_s, whole_ms};
use crate::error::Error;
use crate::watermarks::retained_from;
use stella_bundle::digest;
use stella_contract::backfill::{
    BackfillOrder, BackfillPreview, Collision, CreateBackfill, LONGEST_WINDOW_S, MOST_ACTIVE, MOST_DAYS,
    MOST_WINDOWS, PlannedWindow, Reprocess, SHORTEST_WINDOW_S,
};
use stella_contract::error::Code;
use stella_contract::source::SourceSettings;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;

/// Windows that a preview lists.
const SHOWN: usize = 100;
/// How long a preview may be started on.
const VALID_MS: i64 = 15 * 60 * 1_000;

/// What is known of the source when a backfill is planned.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Whether it is switched on.
    pub(super) enabled: bool,
    /// How it is read.
    pub(super) settings: SourceSettings,
    /// How many requests per second its far side takes now.
    pub(super) rate: f64,
    /// What is covered.
    pub(super) coverage: Coverage,
    /// Windows of earlier backfills that failed.
    pub(super) failed: Vec<Window>,
    /// Other backfills at work on a part of the range.
    pub(super) others: Vec<String>,
}

/// What a backfill does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its windows, in the order in which they are read.
    pub(super) windows: Vec<PlannedWindow>,
}

/// The wish with its moments in whole milliseconds, or what is wrong with it.
pub(super) fn checked(wish: CreateBackfill) -> Result<CreateBackfill, Error> {
    let wish = CreateBackfill { from: whole_ms(wish.from), to: whole_ms(wish.to), ..wish };
    if wish.from >= wish.to {
        return Err(Error::invalid("to", "is later than `from`"));
    }
    if !(SHORTEST_WINDOW_S..=LONGEST_WINDOW_S).contains(&wish.window_s) {
        return Err(Error::invalid(
            "windowS",
            format!("is {SHORTEST_WINDOW_S} to {LONGEST_WINDOW_S} seconds"),
        ));
    }
    if !(1..=MOST_ACTIVE).contains(&wish.max_active) {
        return Err(Error::invalid("maxActive", format!("is 1 to {MOST_ACTIVE}")));
    }
    if !(wish.bucket_share > 0.0 && wish.bucket_share <= 1.0) {
        return Err(Error::invalid("bucketShare", "is above 0 and up to 1"));
    }
    let count = window_count(&wish);
    let seconds = (wish.to.0 - wish.from.0) / 1_000_000;
    if count > MOST_WINDOWS || seconds > MOST_DAYS * 86_400 {
        let sentence = format!(
            "That is {count} windows over {} days; a backfill has at most {MOST_WINDOWS} windows, of at most {MOST_DAYS} \
             days. Ask for less, or for longer windows.",
            seconds.div_euclid(86_400)
        );
        return Err(Error::new(Code::BackfillTooLarge, sentence));
    }
    Ok(wish)
}

fn window_count(wish: &CreateBackfill) -> i64 {
    let length = wish.window_s.saturating_mul(1_000_000);
    (wish.to.0.saturating_sub(wish.from.0).saturating_add(length - 1)) / length
}

/// Why it could not be started as things are.
pub(super) fn collisions(wish: &CreateBackfill, facts: &Facts, now: Micros) -> Vec<Collision> {
    let mut collisions = Vec::new();
    let mut refuse = |code, message: String| collisions.push(Collision { code, message });
    if !facts.enabled {
        refuse(Code::SourceDisabled, "The source is switched off. Switch it on first.".to_owned());
    }
    let live = facts.coverage.live_from(&facts.settings, now);
    if wish.to > live {
        let message =
            format!("The range ends after {live}; what is newer is read live. End it there or earlier.");
        refuse(Code::BackfillOverlapsLive, message);
    }
    for other in &facts.others {
        let message =
            format!("The backfill {other} is at work on a part of this range. Wait for it, or cancel it.");
        refuse(Code::BackfillOverlap, message);
    }
    let kept = retained_from(&facts.settings, now);
    if wish.from < kept {
        let days = facts.settings.retention_days;
        let message = format!("The source keeps {days} days, back to {kept}. Begin there or later.");
        refuse(Code::BackfillBeyondRetention, message);
    }
    collisions
}

impl Plan {
    /// The windows of a wish, with what is known of each.
    pub(super) fn of(wish: &CreateBackfill, facts: &Facts) -> Self {
        let mut windows: Vec<PlannedWindow> = cut(wish)
            .into_iter()
            .map(|window| {
                let done_before = facts.coverage.covers(window);
                let failed_before = !done_before && facts.failed.iter().any(|failed| failed.meets(window));
                let will_run = match wish.reprocess {
                    Reprocess::None => !done_before && !failed_before,
                    Reprocess::Failed => !done_before,
                    Reprocess::Completed => true,
                };
                PlannedWindow { start: window.start, end: window.end, done_before, failed_before, will_run }
            })
            .collect();
        match wish.order {
            BackfillOrder::OldestFirst => {}
            BackfillOrder::NewestFirst => windows.reverse(),
        }
        Self { windows }
    }

    /// Windows that will be read.
    pub(super) fn will_run(&self) -> i64 {
        self.windows.iter().filter(|window| window.will_run).count() as i64
    }

    /// Binds a start to what was looked at: the request, and what it would do.
    pub(super) fn digest(&self, wish: &CreateBackfill) -> Result<String, Error> {
        digest::of_value(&(wish, &self.windows)).map_err(Error::internal)
    }

    /// What is shown before it starts.
    pub(super) fn preview(
        &self,
        wish: &CreateBackfill,
        facts: &Facts,
        now: Micros,
    ) -> Result<BackfillPreview, Error> {
        let count = |wanted: fn(&PlannedWindow) -> bool| {
            self.windows.iter().filter(|window| wanted(window)).count() as i64
        };
        let kept = retained_from(&facts.settings, now);
        let will_run = self.will_run();
        Ok(BackfillPreview {
            digest: self.digest(wish)?,
            windows: self.windows.iter().take(SHOWN).cloned().collect(),
            window_count: self.windows.len() as i64,
            already_done: count(|window| window.done_before && !window.will_run),
            left_failed: count(|window| window.failed_before && !window.will_run),
            will_run,
            // One window is one request.
            estimated_requests: will_run,
            estimated_duration_s: (will_run as f64 * interval_s(wish, facts.rate)).ceil() as i64,
            retention_hits: self.windows.iter().filter(|window| window.start < kept).count() as i64,
            collisions: collisions(wish, facts, now),
            valid_until: now.plus_ms(VALID_MS),
        })
    }
}

/// Half-open windows from the start of the range on; the last one may be shorter.
fn cut(wish: &CreateBackfill) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut start = wish.from;
    while let Some(window) = Window::between(start, plus_s(start, wish.window_s).min(wish.to)) {
        windows.push(window);
        start = window.end;
    }
    windows
}

/// Seconds between two requests at the backfill's share of the rate.
pub(super) fn interval_s(wish: &CreateBackfill, rate: f64) -> f64 {
    1.0 / (rate * wish.bucket_share)
}

/// How fast a backfill may go: its share of what the source's far side takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Requests per second that the far side takes now.
    pub(super) rate: f64,
    /// Requests that the source's bucket holds.
    pub(super) capacity: i64,
}

impl Pace {
    /// Microseconds between two requests, and by how much they may come early.
    fn interval(self, wish: &CreateBackfill) -> (i64, i64) {
        let interval = ((interval_s(wish, self.rate) * 1e6).ceil() as i64).max(1);
        let at_once = ((self.capacity as f64 * wish.bucket_share).floor() as i64).max(1);
        (interval, interval.saturating_mul(at_once - 1))
    }
}

/// How many windows may be fed now, and when the share of the rate is used up until: each one takes its interval, and
/// as many as the share of the bucket holds may come in one go.
pub(super) fn pace(
    wish: &CreateBackfill,
    pace: Pace,
    used_until: Option<Micros>,
    now: Micros,
    most: i64,
) -> (i64, Micros) {
    let (interval, tolerance) = pace.interval(wish);
    let mut until = used_until.map_or(now, |until| until.max(now));
    let mut fed = 0;
    while fed < most && until.0 - tolerance <= now.0 {
        until = Micros(until.0.saturating_add(interval));
        fed += 1;
    }
    (fed, until)
}

/// When the next window may be fed.
pub(super) fn due(wish: &CreateBackfill, pace: Pace, used_until: Micros) -> Micros {
    Micros(used_until.0 - pace.interval(wish).1)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
