//! How a run is followed: as a stream while that works, by asking every half minute when it does not. Pure.

use super::feed::backoff_ms;
use crate::api::Problem;
use stella_contract::error::Code;

/// A stream that is silent for longer is dead: the core says every 15 s that it is alive.
pub(super) const SILENCE_MS: i64 = 45_000;
/// So many tries in a row without a word, and the run is asked for instead.
pub(super) const MOST_FAILURES: u32 = 5;
/// How often it is asked for then.
pub(super) const POLL_MS: u32 = 30_000;
/// After so many questions the stream is tried once more.
const QUESTIONS: u32 = 10;

/// Why a run is asked for every half minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// The stream could not be held.
    StreamLost,
    /// Streams are switched off on this ledger.
    SwitchedOff,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Open the stream, after so many milliseconds.
    Stream {
        /// How long to wait before.
        wait: u32,
    },
    /// Ask for what was told since, after so many milliseconds.
    Poll {
        /// How long to wait before.
        wait: u32,
        /// Why.
        why: Slow,
    },
    /// It cannot be followed at all.
    GiveUp,
}

/// How far following has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Following {
    failures: u32,
    questions: u32,
    slow: Option<Slow>,
}

impl Following {
    /// At the beginning; a switch that is known to be off is not tried.
    pub(super) const fn new(is_off: bool) -> Self {
        let slow = if is_off { Some(Slow::SwitchedOff) } else { None };
        Self { failures: 0, questions: 0, slow }
    }
    /// The first step.
    pub(super) const fn start(self) -> Next {
        match self.slow {
            None => Next::Stream { wait: 0 },
            Some(why) => Next::Poll { wait: 0, why },
        }
    }
    /// Why it is slow now.
    pub(super) const fn slow(self) -> Option<Slow> {
        self.slow
    }
    /// How many tries have failed in a row.
    pub(super) const fn failures(self) -> u32 {
        self.failures
    }

    /// The stream told something: it stands.
    pub(super) const fn heard(&mut self) {
        *self = Self::new(false);
    }

    /// The stream broke, was refused, or was silent for too long.
    pub(super) fn broke(&mut self, problem: &Problem, share: f64) -> Next {
        if problem.refused() == Some(Code::FeatureOff) {
            self.slow = Some(Slow::SwitchedOff);
            return Next::Poll { wait: 0, why: Slow::SwitchedOff };
        }
        if !comes_back(problem) {
            return Next::GiveUp;
        }
        self.failures += 1;
        if self.failures < MOST_FAILURES {
            return Next::Stream { wait: backoff_ms(self.failures, share) };
        }
        self.questions = 0;
        self.slow = Some(Slow::StreamLost);
        Next::Poll { wait: 0, why: Slow::StreamLost }
    }

    /// A question was answered, or not.
    pub(super) fn asked(&mut self, problem: Option<&Problem>) -> Next {
        if problem.is_some_and(|problem| !comes_back(problem)) {
            return Next::GiveUp;
        }
        self.questions += 1;
        match self.slow {
            // The stream may be possible again by now; one more failure leads back here.
            Some(Slow::StreamLost) | None if self.questions >= QUESTIONS => {
                self.failures = MOST_FAILURES - 1;
                Next::Stream { wait: 0 }
            }
            Some(why) => Next::Poll { wait: POLL_MS, why },
            None => Next::Poll { wait: POLL_MS, why: Slow::StreamLost },
        }
    }
}

/// Whether the same may go well later.
fn comes_back(problem: &Problem) -> bool {
    problem.refused().is_none() || super::queries::comes_back(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Problem {
        let text = format!(r#"{{"code":"{code}","message":"No.","traceId":"t","retryable":false}}"#);
        serde_json::from_str::<stella_contract::error::Problem>(&text).unwrap().into()
    }

    #[test]
    fn tries_come_after_1_2_4_and_8_seconds_and_the_fifth_failure_leads_to_polling() {
        let mut following = Following::new(false);
        assert_eq!(following.start(), Next::Stream { wait: 0 });
        let waits: Vec<Next> = (0..5).map(|_| following.broke(&Problem::Unreachable, 0.0)).collect();
        let stream = |wait| Next::Stream { wait };
        let slow = Next::Poll { wait: 0, why: Slow::StreamLost };
        assert_eq!(waits, [stream(1_000), stream(2_000), stream(4_000), stream(8_000), slow]);
        assert_eq!(following.slow(), Some(Slow::StreamLost));
        assert_eq!(following.asked(None), Next::Poll { wait: POLL_MS, why: Slow::StreamLost });
    }

    #[test]
    fn a_word_from_the_stream_forgets_every_failure() {
        let mut following = Following::new(false);
        for _ in 0..4 {
            following.broke(&Problem::Unreachable, 0.0);
        }
        following.heard();
        assert_eq!(following.broke(&Problem::Unreachable, 0.0), Next::Stream { wait: 1_000 });
        assert_eq!(following.slow(), None);
    }

    #[test]
    fn while_polling_the_stream_is_tried_again_now_and_then() {
        let mut following = Following::new(false);
        for _ in 0..5 {
            following.broke(&Problem::Unreachable, 0.0);
        }
        let steps: Vec<Next> = (0..QUESTIONS).map(|_| following.asked(Some(&Problem::Unreachable))).collect();
        assert!(steps[..9].iter().all(|step| matches!(step, Next::Poll { wait: POLL_MS, .. })), "{steps:?}");
        assert_eq!(steps[9], Next::Stream { wait: 0 });
        let back = following.broke(&Problem::Unreachable, 0.0);
        assert_eq!(back, Next::Poll { wait: 0, why: Slow::StreamLost }, "one more failure is enough");
    }

    #[test]
    fn a_stream_that_is_switched_off_is_not_tried_again_and_an_unknown_run_is_given_up() {
        let mut known = Following::new(true);
        assert_eq!(known.start(), Next::Poll { wait: 0, why: Slow::SwitchedOff });
        for _ in 0..30 {
            assert_eq!(known.asked(None), Next::Poll { wait: POLL_MS, why: Slow::SwitchedOff });
        }
        let mut told = Following::new(false);
        let off = told.broke(&refused("FEATURE_OFF"), 0.0);
        assert_eq!(off, Next::Poll { wait: 0, why: Slow::SwitchedOff });
        assert_eq!(told.broke(&refused("NOT_FOUND"), 0.0), Next::GiveUp);
        assert_eq!(told.asked(Some(&refused("SCOPE_MISSING"))), Next::GiveUp);
    }
}
