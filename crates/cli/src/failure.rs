//! How a command fails: a sentence with its code, what to do next, the trace id, and the exit code (spec 09 §9.4).

use std::io;
use std::process::ExitCode;
use stella_contract::error::{Code, Problem};
use stella_sdk::{Error, Fault};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The core refused, or did not answer.
    #[error(transparent)]
    Sdk(#[from] Error),
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read or written.
    #[error("{what}: {why}.")]
    File {
        /// The file and what was to be done with it.
        what: String,
        /// What the system says.
        why: io::Error,
    },
    /// What was waited for ended badly.
    #[error("{what}")]
    Ended {
        /// What ended, and how.
        what: String,
        /// What to do next.
        next: Option<String>,
        /// The exit code.
        exit: u8,
    },
    /// What was waited for did not end in time.
    #[error("{0} has not ended in time. It goes on; nothing was cancelled.")]
    TimedOut(String),
    /// The operator interrupted.
    #[error("Interrupted.")]
    Interrupted,
    /// Printing failed.
    #[error("The output cannot be written: {0}.")]
    Print(#[from] io::Error),
}

impl Failure {
    /// A file, what was to be done with it, and what the system says.
    pub(crate) fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |why| Self::File { what, why }
    }

    /// A refusal made on this side of the door.
    pub(crate) fn refusal(code: Code, message: impl Into<String>) -> Self {
        let problem = Problem {
            code,
            message: message.into(),
            trace_id: String::new(),
            trace_id_alias: String::new(),
            details: Vec::new(),
            retryable: false,
            retry_after_ms: None,
        };
        Self::Sdk(Error::Problem(Box::new(problem)))
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Sdk(Error::Problem(problem)) => problem.code.exit(),
            Self::Sdk(Error::Transport { fault: Fault::Unreachable, .. }) => 6,
            Self::Sdk(Error::Transport {
                fault: Fault::Unsendable | Fault::Broken | Fault::Unreadable,
                ..
            }) => 1,
            Self::Sdk(Error::Timeout(_)) | Self::TimedOut(_) => 7,
            Self::Usage(_) | Self::File { .. } | Self::Print(_) => 1,
            Self::Ended { exit, .. } => *exit,
            Self::Interrupted => 130,
        }
    }

    /// What to do next, where there is something.
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Sdk(Error::Problem(problem)) => next_step(problem.code).map(str::to_owned),
            Self::Sdk(Error::Transport { fault: Fault::Unreachable, .. }) => Some(
                "Is `stella serve` running there? Without --server the command works on the local ledger."
                    .to_owned(),
            ),
            Self::Ended { next, .. } => next.clone(),
            Self::Sdk(Error::Transport { .. } | Error::Timeout(_))
            | Self::Usage(_)
            | Self::File { .. }
            | Self::TimedOut(_)
            | Self::Interrupted
            | Self::Print(_) => None,
        }
    }

    /// Says it on stderr and gives the exit code. Who stopped reading our output is not told anything.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("stella: {self}");
        if let Self::Sdk(Error::Problem(problem)) = self {
            for detail in &problem.details {
                eprintln!("  {}: {}", detail.field, detail.message);
            }
        }
        if let Some(next) = self.next_step() {
            eprintln!("next: {next}");
        }
        if let Self::Sdk(Error::Problem(problem)) = self
            && !problem.trace_id.is_empty()
        {
            eprintln!("trace: {}", problem.trace_id);
        }
        ExitCode::from(self.exit())
    }
}

/// What an operator does about a refusal at the command line.
const fn next_step(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => {
            Some("Give a token: --token, or STELLA_TOKEN. `stella token create` makes one.")
        }
        Code::TenantRequired => Some("Name the tenant: --tenant, or STELLA_TENANT."),
        Code::ScopeMissing => {
            Some("Use a token that has this scope; `stella token create --scope …` makes one.")
        }
        Code::ReadOnly => Some("Use a connection or token that may write."),
        Code::ReasonRequired => Some("Say why: --reason \"…\"."),
        Code::ReasonTooLong => Some("Say it in at most 256 characters, the ticket in at most 128."),
        Code::TicketRequired => Some("Name the ticket: --ticket …."),
        Code::PageTokenInvalid => Some("List again from the start, without --page-token."),
        Code::DeadletterNotOpen => Some("See its state: stella orch deadletter show."),
        Code::ForceRequired => Some("Mend the cause first, or add --force."),
        Code::SelectionChanged => {
            Some("Make the dry run again, or leave out what changed with --changed skip.")
        }
        Code::PreviewStale => Some("Preview again, look at it, and hand over the new id."),
        Code::BackfillOverlapsLive => {
            Some("End the range earlier: --to; `stella orch source watermarks` shows where.")
        }
        Code::BackfillOverlap => Some("Wait for the other one, or cancel it: stella orch backfill cancel."),
        Code::BackfillTooLarge => Some("Ask for less, or for longer windows: --window-s."),
        Code::BackfillBeyondRetention => {
            Some("Begin later: --from; or keep more days: stella source update.")
        }
        Code::SourceDisabled => Some("Switch the source on: stella source update --enabled true."),
        Code::SourcePaused => Some("Let the source go on: stella source resume."),
        Code::FeatureOff => Some("See what is switched off: stella features list."),
        Code::RunNotTerminal => Some("Wait until the run has ended, or cancel it: stella runs cancel."),
        Code::CooldownActive => Some("Ask again when it has rested, or retry the run: stella runs retry."),
        Code::FeedSuspicious => {
            Some("If the feed is right as it is, read it again with --force --reason \"…\".")
        }
        Code::SourceUnreachable => Some("Check the place of the source and the network, then run it again."),
        Code::IdempotencyKeyReused => Some("Use another --idempotency-key for another request."),
        Code::SealedMode => Some("Leave out --sealed, or read from a folder."),
        Code::LedgerLocked => Some(
            "The window or `stella serve` holds it. Call that with --server URL and --token TOKEN, or close it first.",
        ),
        Code::LedgerNewer => Some("Use the version that wrote it, or a newer one."),
        Code::LedgerOtherSchema => Some("Use the build that made it, or choose another place with --ledger."),
        Code::LedgerNotOne => {
            Some("Check --ledger; if the file is ours and damaged, restore it from a backup.")
        }
        Code::LedgerUnavailable => Some("Check that the database is up and that its address is right."),
        Code::NoSpace => Some("Make room on the disk that holds the ledger."),
        Code::NotWritable => Some("Check the rights of the folder, or choose another place with --ledger."),
        Code::IdempotencyInProgress | Code::RateLimited | Code::Backpressure | Code::Starting => {
            Some("Try again in a moment.")
        }
        Code::Corrupt | Code::Internal => Some("Look the trace id up in the log of the core."),
        Code::BadRequest
        | Code::FilterInvalid
        | Code::NotFound
        | Code::JobNotFound
        | Code::InvalidTransition
        | Code::LeaseLost
        | Code::AlreadyFinished
        | Code::Conflict
        | Code::VersionMismatch
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::Invalid
        | Code::CronInvalid
        | Code::KeyInvalid
        | Code::SbomInvalid
        | Code::SbomUnsupported
        | Code::PolicyInvalid
        | Code::FeedInvalid
        | Code::DagCycle
        | Code::DagCrossTenant
        | Code::DagTooLarge
        | Code::ArtifactDigestMismatch => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_kind_of_failure_has_the_exit_code_of_the_specification() {
        let transport = |fault| Failure::Sdk(Error::Transport { fault, what: String::new() });
        let cases = [
            (Failure::Usage(String::new()), 1),
            (Failure::refusal(Code::Invalid, ""), 1),
            (Failure::refusal(Code::LedgerLocked, ""), 1),
            (Failure::refusal(Code::Unauthenticated, ""), 2),
            (Failure::refusal(Code::ScopeMissing, ""), 2),
            (Failure::refusal(Code::TenantRequired, ""), 2),
            (Failure::refusal(Code::InvalidTransition, ""), 3),
            (Failure::refusal(Code::PreviewStale, ""), 3),
            (Failure::refusal(Code::NotFound, ""), 4),
            (Failure::refusal(Code::JobNotFound, ""), 4),
            (Failure::refusal(Code::ArtifactDigestMismatch, ""), 5),
            (Failure::refusal(Code::SealedMode, ""), 6),
            (transport(Fault::Unreachable), 6),
            (transport(Fault::Unreadable), 1),
            (Failure::Sdk(Error::Timeout(Duration::ZERO)), 7),
            (Failure::TimedOut(String::new()), 7),
            (Failure::Interrupted, 130),
        ];
        for (failure, exit) in cases {
            assert_eq!(failure.exit(), exit, "{failure:?}");
        }
    }
}
