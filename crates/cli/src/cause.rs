//! What goes beside a write.

use clap::Args;
use stella_contract::job::Cause;
use stella_sdk::Write;

/// Who answers for a write.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Why")]
pub(crate) struct Why {
    /// Why, in at most 256 characters; it is kept in the history.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The ticket it belongs to.
    #[arg(long, value_name = "ID")]
    pub(crate) ticket: Option<String>,
    /// Makes a repeated command the same write.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

impl Why {
    pub(crate) fn write(&self) -> Write {
        Write {
            cause: Cause { reason: self.reason.clone(), ticket: self.ticket.clone() },
            idempotency_key: self.idempotency_key.clone(),
            version: None,
        }
    }
}

/// Which version of the thing was looked at.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Why")]
pub(crate) struct Seen {
    /// Refuse it when the thing is of another version by now.
    #[arg(long, value_name = "NUMBER")]
    if_version: Option<i64>,
}

impl Seen {
    pub(crate) fn write(&self, why: &Why) -> Write {
        Write { version: self.if_version, ..why.write() }
    }
}
