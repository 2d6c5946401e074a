//! The newest of a numbered sequence in memory: read from the ledger once for everybody who follows it. The feed of a
//! tenant and the messages of a run are such sequences.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use stella_contract::time::Micros;
use stella_ledger::LedgerPlace;
use tokio::sync::watch;

/// Another process on the same Postgres rings no bell here, so that its news are looked for this often.
const LOOK_MS: i64 = 500;

/// What stands in a sequence.
pub(crate) trait Numbered {
    /// Its number; each is one more than that of the one before.
    fn number(&self) -> i64;
}

/// The newest of one sequence, and what is said of it as a whole.
#[derive(Debug)]
pub(crate) struct Tail<T, W = ()> {
    held: RwLock<Held<T, W>>,
    /// Held by the one who reads the ledger for all.
    turn: tokio::sync::Mutex<()>,
}

/// Everything after number `from` up to number `newest`, in order and without a gap.
#[derive(Debug)]
struct Held<T, W> {
    from: i64,
    newest: i64,
    lines: VecDeque<Arc<T>>,
    whole: W,
    /// The bell's count before the last look, and when that was; nothing before the first.
    looked: Option<(u64, Micros)>,
}

/// What one look at the ledger found.
pub(crate) struct Look<T, W> {
    /// What came after the known number.
    pub lines: Vec<Arc<T>>,
    /// The number of the newest.
    pub newest: i64,
    /// What is said of the whole.
    pub whole: W,
}

/// What a tail holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span<W> {
    /// Everything after this number is there.
    pub from: i64,
    /// The number of the newest.
    pub newest: i64,
    /// What is said of the whole.
    pub whole: W,
}

/// What a tail says about a number.
#[derive(Debug, PartialEq)]
pub(crate) enum Place<T, W> {
    /// What comes after it, oldest first; with what is said of the whole once that reaches the newest.
    Here { lines: Vec<Arc<T>>, whole: Option<W> },
    /// It is further back than the tail reaches.
    Behind,
    /// It is ahead of the newest.
    Ahead { newest: i64 },
}

impl<T, W: Default> Default for Tail<T, W> {
    fn default() -> Self {
        Self { held: RwLock::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<T, W: Default> Default for Held<T, W> {
    fn default() -> Self {
        Self { from: 0, newest: 0, lines: VecDeque::new(), whole: W::default(), looked: None }
    }
}

impl<T: Numbered, W: Clone> Tail<T, W> {
    /// Makes sure that everything committed before the bell counted `rung` is in the tail, of which it keeps the newest
    /// `most`. `read` is given the number of the newest that is known, nothing at first.
    pub(crate) async fn catch_up(
        &self,
        engine: &Engine,
        rung: u64,
        most: i64,
        read: impl AsyncFnOnce(Option<i64>) -> Result<Look<T, W>, Error>,
    ) -> Result<(), Error> {
        if self.is_current(engine, rung) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.is_current(engine, rung) {
            return Ok(());
        }
        let now = engine.now();
        let known = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            held.looked.map(|_| held.newest)
        };
        let found = read(known).await?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.take(found, most);
        held.looked = Some((rung, now));
        Ok(())
    }

    /// At most `limit` after the number.
    pub(crate) fn after(&self, number: i64, limit: usize) -> Place<T, W> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if number > held.newest {
            return Place::Ahead { newest: held.newest };
        }
        let Ok(skipped) = usize::try_from(number.saturating_sub(held.from)) else { return Place::Behind };
        let lines: Vec<Arc<T>> = held.lines.iter().skip(skipped).take(limit).cloned().collect();
        let reached = lines.last().map_or(number, |line| line.number());
        let whole = (reached == held.newest).then(|| held.whole.clone());
        Place::Here { lines, whole }
    }

    /// What the tail holds.
    pub(crate) fn span(&self) -> Span<W> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Span { from: held.from, newest: held.newest, whole: held.whole.clone() }
    }

    fn is_current(&self, engine: &Engine, rung: u64) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.looked.is_some_and(|(count, at)| {
            // The count only grows, apart from wrapping after longer than the universe lasts.
            count >= rung && (is_alone(engine) || engine.now().ms_since(at) < LOOK_MS)
        })
    }
}

impl<T: Numbered, W> Held<T, W> {
    fn take(&mut self, found: Look<T, W>, most: i64) {
        let Look { lines, newest, whole } = found;
        let follows = match lines.first() {
            Some(first) => first.number() == self.newest + 1,
            None => newest == self.newest,
        };
        if !follows || self.looked.is_none() {
            self.lines.clear();
            self.from = lines.first().map_or(newest, |first| first.number() - 1);
        }
        self.lines.extend(lines);
        (self.newest, self.whole) = (newest, whole);
        while self.newest - self.from > most {
            self.lines.pop_front();
            self.from += 1;
        }
    }
}

/// Whether no other process can write into the ledger.
pub(crate) fn is_alone(engine: &Engine) -> bool {
    match engine.options().place {
        LedgerPlace::Sqlite(_) => true,
        LedgerPlace::Postgres(_) => false,
    }
}

/// Waits until the bell rings, it is this time, or others may have written; whether it pays to look again. The bell has to
/// be read before the look that found nothing, so that a commit in between is not slept through.
pub(crate) async fn wait_for_news(engine: &Engine, bell: &mut watch::Receiver<u64>, until: Micros) -> bool {
    let nap = match is_alone(engine) {
        true => until,
        false => until.min(engine.now().plus_ms(LOOK_MS)),
    };
    tokio::select! {
        rung = bell.changed() => rung.is_ok(),
        () = engine.clock().sleep_until(nap) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Numbered for i64 {
        fn number(&self) -> i64 {
            *self
        }
    }

    fn held() -> Held<i64, &'static str> {
        Held { looked: Some((1, Micros(0))), ..Held::default() }
    }

    fn look(numbers: std::ops::RangeInclusive<i64>, newest: i64) -> Look<i64, &'static str> {
        Look { lines: numbers.map(Arc::new).collect(), newest, whole: "open" }
    }

    fn tail(held: Held<i64, &'static str>) -> Tail<i64, &'static str> {
        Tail { held: RwLock::new(held), turn: tokio::sync::Mutex::default() }
    }

    fn here(place: Place<i64, &'static str>) -> Option<(Vec<i64>, bool)> {
        match place {
            Place::Here { lines, whole } => {
                Some((lines.iter().map(|line| **line).collect(), whole.is_some()))
            }
            Place::Behind | Place::Ahead { .. } => None,
        }
    }

    #[test]
    fn a_reader_within_the_tail_misses_nothing_and_one_beyond_it_is_told_so() {
        let mut held = Held::default();
        held.take(Look { lines: Vec::new(), newest: 4, whole: "" }, 10);
        held.looked = Some((1, Micros(0)));
        held.take(look(5..=7, 7), 10);
        let tail = tail(held);
        assert_eq!(here(tail.after(4, 10)), Some((vec![5, 6, 7], true)));
        assert_eq!(here(tail.after(5, 1)), Some((vec![6], false)));
        assert_eq!(here(tail.after(7, 10)), Some((vec![], true)));
        assert_eq!(tail.after(3, 10), Place::Behind);
        assert_eq!(tail.after(8, 10), Place::Ahead { newest: 7 });
        assert_eq!(tail.span(), Span { from: 4, newest: 7, whole: "open" });
    }

    #[test]
    fn a_gap_or_too_many_move_the_front() {
        let mut held = held();
        held.take(look(1..=3, 3), 100);
        held.take(look(9..=10, 10), 100);
        assert_eq!((held.from, held.lines.len()), (8, 2));
        held.take(look(11..=110, 110), 100);
        assert_eq!((held.from, held.lines.len()), (10, 100));
    }

    #[test]
    fn numbers_that_were_given_and_are_gone_leave_no_gap_in_silence() {
        let mut held = held();
        held.take(look(1..=3, 3), 100);
        // Four more were written and trimmed before anybody looked.
        held.take(Look { lines: Vec::new(), newest: 7, whole: "open" }, 100);
        assert_eq!(tail(held).after(3, 10), Place::Behind);
    }
}
