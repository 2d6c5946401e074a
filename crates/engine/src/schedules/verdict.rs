//! What becomes of the due fires of one schedule. Pure: the same schedule, time and surroundings give the same verdict,
//! whichever node looks.

use crate::blackouts::{FireHeld, FireHolds};
use crate::cron::Cron;
use crate::limits::uuid_of;
use crate::pressure::FireDelays;
use stella_contract::schedule::{FireOutcome, OverlapPolicy};
use stella_contract::time::Micros;
use stella_ledger::schedules::ScheduleRow;

/// A held fire is looked at again after so long, since an operator may end a blackout before its time.
const LOOK_AGAIN_MS: i64 = 60_000;
/// Of many missed fires, the newest so many are kept one by one; all are counted.
const KEPT_MISSED: usize = 50;

/// By how much a fire is put off, so that not everything starts at once: the same for the same fire on every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// By the jitter of the schedule.
    pub(super) jitter_ms: i64,
    /// At most so much, so that fires stay in their order.
    most_ms: i64,
}

impl Spread {
    pub(super) fn of(row: &ScheduleRow, cron: &Cron, due: Micros) -> Self {
        let gap_ms = cron.next(due).map_or(i64::MAX, |next| next.ms_since(due));
        Self::within(row, due, gap_ms)
    }

    fn within(row: &ScheduleRow, due: Micros, gap_ms: i64) -> Self {
        let most_ms = gap_ms / 2;
        let bound = row.jitter_s.saturating_mul(1_000).min(most_ms);
        let uuid = uuid_of(&["jitter", row.schedule_id.as_str()], due.0);
        let chance = uuid.get(..8).and_then(|hex| i64::from_str_radix(hex, 16).ok()).unwrap_or(0);
        Self { jitter_ms: chance % (bound + 1), most_ms }
    }

    /// When the fire starts under this pressure.
    fn starts(self, due: Micros, pressure_ms: i64) -> Micros {
        due.plus_ms((self.jitter_ms + pressure_ms).min(self.most_ms.max(self.jitter_ms)))
    }
}

/// What surrounds a schedule when it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) holds: &'a FireHolds,
    pub(super) delays: &'a FireDelays,
    pub(super) has_open_run: bool,
    pub(super) now: Micros,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The schedule after it.
    pub(super) row: ScheduleRow,
    /// Fires and what becomes of each, oldest first. Of those that start a run, there is at most one.
    pub(super) fires: Vec<(Micros, FireOutcome)>,
    /// Missed fires that are counted and not kept one by one.
    pub(super) missed_beside: i64,
    /// Fires that were looked at.
    pub(super) looked: usize,
}

impl Verdict {
    /// The fire that starts a run.
    pub(super) fn start(&self) -> Option<Micros> {
        self.fires.iter().find(|(_, outcome)| *outcome == FireOutcome::Started).map(|(due, _)| *due)
    }
    /// All fires that were missed.
    pub(super) fn missed(&self) -> i64 {
        let kept = self.fires.iter().filter(|(_, outcome)| *outcome == FireOutcome::Missed).count();
        self.missed_beside + i64::try_from(kept).unwrap_or(i64::MAX)
    }
}

/// Looks at the fires whose time has come, at most so many. The newest decides whether there is a run; older ones are
/// missed. Where there are more, the next look goes on with the newest of these.
pub(super) fn look(before: &ScheduleRow, cron: &Cron, around: Around<'_>, most: usize) -> Verdict {
    let mut verdict = Verdict { row: before.clone(), fires: Vec::new(), missed_beside: 0, looked: 0 };
    let Some(mut due) = before.next_fire_at else { return verdict };
    let mut newest: Option<Begun> = None;
    loop {
        let following = cron.next(due);
        let gap_ms = following.map_or(i64::MAX, |following| following.ms_since(due));
        let pressure_ms = around.delays.of(&before.tenant, before.schedule_id.as_str(), due);
        let starts = Spread::within(before, due, gap_ms).starts(due, pressure_ms);
        if starts > around.now {
            (verdict.row.next_fire_at, verdict.row.acts_at) = (Some(due), Some(starts));
            break;
        }
        if verdict.looked >= most && newest.is_some() {
            let reached = newest.take().map(|begun| begun.due);
            (verdict.row.next_fire_at, verdict.row.acts_at) = (reached, Some(around.now));
            break;
        }
        verdict.looked += 1;
        if let Some(older) = newest.replace(Begun { due, starts }) {
            verdict.passed_over(older, around);
        }
        match following {
            Some(following) => due = following,
            None => {
                (verdict.row.next_fire_at, verdict.row.acts_at) = (None, None);
                break;
            }
        }
    }
    if let Some(begun) = newest {
        verdict.decide(before, begun, around);
    }
    verdict.row.missed_count += verdict.missed();
    verdict
}

/// A fire whose time has come.
#[derive(Debug, Clone, Copy)]
struct Begun {
    due: Micros,
    starts: Micros,
}

impl Verdict {
    /// A newer fire has come since.
    fn passed_over(&mut self, fire: Begun, around: Around<'_>) {
        if self.held(fire.starts, around) == FireHeld::Skipped {
            self.fires.push((fire.due, FireOutcome::SkippedBlackout));
            return;
        }
        self.fires.push((fire.due, FireOutcome::Missed));
        let missed = self.fires.iter().filter(|(_, outcome)| *outcome == FireOutcome::Missed).count();
        if missed > KEPT_MISSED {
            let first = self.fires.iter().position(|(_, outcome)| *outcome == FireOutcome::Missed);
            self.fires.remove(first.unwrap_or(0));
            self.missed_beside += 1;
        }
    }

    fn held(&self, at: Micros, around: Around<'_>) -> FireHeld {
        around.holds.of(&self.row.tenant, self.row.schedule_id.as_str(), at)
    }

    fn decide(&mut self, before: &ScheduleRow, fire: Begun, around: Around<'_>) {
        if self.held(fire.starts, around) == FireHeld::Skipped {
            self.fires.push((fire.due, FireOutcome::SkippedBlackout));
            return;
        }
        match self.held(around.now, around) {
            FireHeld::Skipped => self.fires.push((fire.due, FireOutcome::SkippedBlackout)),
            FireHeld::Until(until) => {
                self.row.next_fire_at = Some(fire.due);
                self.row.acts_at = Some(until.min(around.now.plus_ms(LOOK_AGAIN_MS)));
            }
            FireHeld::Free => {
                // One that was held is late from when it was to be looked at, not from its own time.
                let promised = before.acts_at.filter(|_| before.next_fire_at == Some(fire.due));
                let late_ms = around.now.ms_since(promised.unwrap_or(fire.starts).max(fire.starts));
                let outcome = match late_ms > self.row.catchup_window_s.saturating_mul(1_000) {
                    true => FireOutcome::Missed,
                    false => self.overlap(around.has_open_run),
                };
                if outcome == FireOutcome::Buffered {
                    self.row.buffered_at = Some(fire.due);
                }
                self.fires.push((fire.due, outcome));
            }
        }
    }

    fn overlap(&self, has_open_run: bool) -> FireOutcome {
        match (self.row.overlap_policy, has_open_run) {
            (OverlapPolicy::Allow, _) | (_, false) => FireOutcome::Started,
            (OverlapPolicy::Skip, true) => FireOutcome::SkippedOverlap,
            (OverlapPolicy::BufferOne, true) if self.row.buffered_at.is_none() => FireOutcome::Buffered,
            (OverlapPolicy::BufferOne, true) => FireOutcome::SkippedOverlap,
        }
    }
}

#[cfg(test)]
mod tests;
