//! What a caller may do. Every write names one scope; some scopes demand a reason or a ticket.

use crate::words;

words! {
    /// A permission. `runs.*`, `policy:runs`, `downloads.read`, `orch:quota` and `orch:backfill` are the platform's names.
    Scope {
        /// See jobs, workers, sources, targets, findings and history.
        OrchRead = "orch:read",
        /// Submit jobs, add sources and SBOMs, run a source.
        OrchSubmit = "orch:submit",
        /// Steer what others started: cancel, prioritise, pause; needs a reason and a ticket.
        OrchOperate = "orch:operate",
        /// Change limits; needs a reason.
        OrchQuota = "orch:quota",
        /// Backfill and reset watermarks; needs a reason and a ticket.
        OrchBackfill = "orch:backfill",
        /// See runs.
        RunsRead = "runs.read",
        /// Start, cancel and retry runs; needs a reason.
        RunsManage = "runs.manage",
        /// See policy deltas of runs.
        PolicyRuns = "policy:runs",
        /// Fetch evidence and exports.
        DownloadsRead = "downloads.read",
        /// Claim and finish jobs as a worker.
        Worker = "worker",
        /// Make and revoke tokens.
        TokensManage = "tokens.manage",
    }
}

impl Scope {
    /// Whether a write under this scope must say why (spec 02 §2.2).
    pub const fn needs_reason(self) -> bool {
        match self {
            Self::OrchOperate | Self::OrchQuota | Self::OrchBackfill | Self::RunsManage => true,
            Self::OrchRead
            | Self::OrchSubmit
            | Self::RunsRead
            | Self::PolicyRuns
            | Self::DownloadsRead
            | Self::Worker
            | Self::TokensManage => false,
        }
    }
    /// Whether a write under this scope must name a ticket.
    pub const fn needs_ticket(self) -> bool {
        matches!(self, Self::OrchOperate | Self::OrchBackfill)
    }
}

/// The longest reason, in characters.
pub const REASON_MAX: usize = 256;
/// The longest ticket, in characters.
pub const TICKET_MAX: usize = 128;
