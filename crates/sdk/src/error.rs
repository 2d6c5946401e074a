//! How a call can fail.

use std::time::Duration;
use stella_contract::error::Problem;

/// Why a call did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The far side refused and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// No usable answer came.
    #[error("{what}")]
    Transport {
        /// How far the request got.
        fault: Fault,
        /// What happened, in a sentence.
        what: String,
    },
    /// No answer came in time.
    #[error("No answer came within {} s. The far side may still do what was asked; look before you repeat it.", .0.as_secs())]
    Timeout(Duration),
}

/// How far a request got that has no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It was never sent: its address or a header cannot be.
    Unsendable,
    /// The far side was not reached.
    Unreachable,
    /// The connection broke on the way.
    Broken,
    /// The answer cannot be read.
    Unreadable,
}

impl Error {
    /// The refusal, where the far side gave one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Transport { .. } | Self::Timeout(_) => None,
        }
    }

    pub(crate) fn transport(fault: Fault, what: impl Into<String>) -> Self {
        Self::Transport { fault, what: what.into() }
    }
}
