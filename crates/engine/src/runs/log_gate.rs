//! How many log lines of a run are told in one second (spec 05 §5.9). Pure: the count lives with the run's row.

/// The most log lines told in one second.
pub(crate) const LINES_PER_SECOND: i64 = 50;

/// What a run remembers of its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LogGate {
    /// The second that is counted.
    pub second: i64,
    /// Lines told in it.
    pub lines: i64,
    /// Lines kept back since the last one that was told.
    pub dropped: i64,
}

/// What becomes of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It is told.
    Told,
    /// It is told after a line that says how many were dropped.
    ToldAfterDropped(i64),
    /// It is counted and not told.
    Dropped,
}

impl LogGate {
    /// Lets one line pass, or not, in this second.
    pub(crate) fn pass(&mut self, second: i64) -> Passage {
        if second == self.second && self.lines >= LINES_PER_SECOND {
            self.dropped += 1;
            return Passage::Dropped;
        }
        if second != self.second {
            self.second = second;
            self.lines = 0;
        }
        self.lines += 1;
        match self.take_dropped() {
            0 => Passage::Told,
            dropped => Passage::ToldAfterDropped(dropped),
        }
    }

    /// How many were kept back and not yet spoken of; from now on they are.
    pub(crate) const fn take_dropped(&mut self) -> i64 {
        std::mem::replace(&mut self.dropped, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_lines_of_a_second_are_told_and_the_next_second_says_how_many_were_not() {
        let mut gate = LogGate::default();
        let told = (0..70).filter(|_| gate.pass(7) == Passage::Told).count();
        assert_eq!((told, gate.dropped), (50, 20));
        assert_eq!(gate.pass(8), Passage::ToldAfterDropped(20));
        assert_eq!(gate.pass(8), Passage::Told);
        assert_eq!(gate, LogGate { second: 8, lines: 2, dropped: 0 });
    }

    #[test]
    fn lines_kept_back_at_the_very_end_are_still_spoken_of() {
        let mut gate = LogGate { second: 3, lines: 50, dropped: 0 };
        assert_eq!(gate.pass(3), Passage::Dropped);
        assert_eq!(gate.take_dropped(), 1);
        assert_eq!(gate.take_dropped(), 0);
    }
}
