//! What went wrong between the interface and the core, as a sentence and a next step.

use stella_contract::error::{Code, Problem as Refusal};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The core answered, and refused.
    Refused(Box<Refusal>),
    /// No answer came.
    Unreachable,
    /// An answer came that is not of the agreed form.
    Unreadable {
        /// What was asked.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Problem {
    /// What happened.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.message.clone(),
            Self::Unreachable => "The core did not answer.".to_owned(),
            Self::Unreadable { path, why } => format!("The answer of {path} could not be read: {why}."),
        }
    }

    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => next_step(refusal.code),
            Self::Unreachable => "It is asked again by itself. Check that the core is running.",
            Self::Unreadable { .. } => {
                "Core and interface may be of different versions. Reload; if it stays, report it."
            }
        }
    }

    /// The code, for brackets behind the sentence and for comparison.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code.as_str(),
            Self::Unreachable => "UNREACHABLE",
            Self::Unreadable { .. } => "UNREADABLE",
        }
    }

    /// The code of a refusal.
    pub fn refused(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }

    /// Finds the private context in the core's log.
    pub fn trace(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) if !refusal.trace_id.is_empty() => Some(&refusal.trace_id),
            Self::Refused(_) | Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }

    /// What is wrong with this field of the request.
    pub fn of_field(&self, field: &str) -> Option<&str> {
        match self {
            Self::Refused(refusal) => {
                refusal.details.iter().find(|one| one.field == field).map(|one| one.message.as_str())
            }
            Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }

    /// Whether the book cannot be used or nobody is signed in, so that no page can show anything.
    pub fn takes_the_page(&self) -> bool {
        matches!(
            self.refused(),
            Some(
                Code::Unauthenticated
                    | Code::LedgerUnavailable
                    | Code::LedgerLocked
                    | Code::LedgerNewer
                    | Code::LedgerOtherSchema
                    | Code::LedgerNotOne
                    | Code::NoSpace
                    | Code::NotWritable
            )
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// The next step for every code; a new code is a compile error here.
const fn next_step(code: Code) -> &'static str {
    match code {
        Code::BadRequest | Code::Invalid | Code::PageTokenInvalid => {
            "Correct the marked value and try again."
        }
        Code::ReasonRequired => "Say why; the reason is written into the history.",
        Code::ReasonTooLong => "Shorten the reason to 256 and the ticket to 128 characters.",
        Code::TicketRequired => "Name the ticket this belongs to.",
        Code::Unauthenticated => "Open the address that `stella serve` prints; it holds a new token.",
        Code::TenantRequired => "Choose a tenant in the top bar.",
        Code::ScopeMissing => "Ask an administrator of this tenant for the scope.",
        Code::ReadOnly => "Use a token or a connection that may write.",
        Code::NotFound | Code::JobNotFound => "Go back to the list; it may belong to another tenant.",
        Code::InvalidTransition | Code::AlreadyFinished | Code::LeaseLost | Code::VersionMismatch => {
            "It changed meanwhile. Look at it again, then decide."
        }
        Code::IdempotencyInProgress => "Wait for the first request to end.",
        Code::IdempotencyKeyReused => "Send it again as a new request.",
        Code::FilterInvalid => "Mend the filter at the place named.",
        Code::Conflict => "Choose another name.",
        Code::PreviewStale => "Run the preview again.",
        Code::DeadletterNotOpen => "Look at its state again; one that was closed can be reopened.",
        Code::ForceRequired => "Mend the cause first, or say that it shall be repeated all the same.",
        Code::SelectionChanged => "Run the dry run again.",
        Code::BackfillOverlapsLive => "End the range earlier; what is newer is read live.",
        Code::BackfillOverlap => "Wait for the other backfill, or cancel it.",
        Code::BackfillTooLarge => "Ask for a shorter range or for longer windows.",
        Code::BackfillBeyondRetention => "Begin later, or let the source keep more days.",
        Code::SourceDisabled => "Switch the source on first.",
        Code::SourcePaused => "Resume the source first.",
        Code::CooldownActive => "Wait until it has rested, then ask again.",
        Code::RunNotTerminal => "Wait until the run has ended, or cancel it.",
        Code::FeatureOff => "Settings show what is switched off on this ledger.",
        Code::PayloadTooLarge => "Send less at once.",
        Code::UnsupportedMediaType => "Send a CycloneDX or SPDX document as JSON.",
        Code::CronInvalid => {
            "Mend the field that is named: minute, hour, day, month or weekday, or take another zone."
        }
        Code::KeyInvalid => "Write package URLs as pkg:type/name and vulnerabilities as CVE or GHSA ids.",
        Code::SbomInvalid | Code::SbomUnsupported => {
            "Export the SBOM again as CycloneDX 1.4 to 1.6 or SPDX 2.3 JSON."
        }
        Code::PolicyInvalid => "Mend the rules at the lines named, then check them again.",
        Code::FeedInvalid => "Check that the location holds a feed of this type.",
        Code::FeedSuspicious => "Look at the feed; if it is right, run the source with force and a reason.",
        Code::SourceUnreachable => "Check the location, then run the source again.",
        Code::DagCycle => "Leave out one of the edges that the message names.",
        Code::DagCrossTenant => "Name jobs of one tenant only.",
        Code::DagTooLarge => "Split the graph into smaller ones.",
        Code::ArtifactDigestMismatch => "Fetch it again; if it stays, treat the stored bytes as damaged.",
        Code::RateLimited => "Wait a moment; it is asked again by itself.",
        Code::Backpressure => {
            "Too much is waiting. Come back when the queue is shorter, or submit it with a higher priority."
        }
        Code::Starting => "The core is starting. It is asked again by itself.",
        Code::SealedMode => "Import a kit that holds the data.",
        Code::LedgerUnavailable => "Check that the database runs and answers, then try again.",
        Code::LedgerLocked => "Close the other Stella Operator that holds this file, then try again.",
        Code::LedgerNewer => "Install the newer version of Stella Operator that wrote it.",
        Code::LedgerOtherSchema => "Open it with the build that made it, or choose another file.",
        Code::LedgerNotOne => "Choose another file, or restore this one from a backup.",
        Code::NoSpace => "Free some disk space, then try again.",
        Code::NotWritable => "Give this user the right to write there, then try again.",
        Code::Corrupt => "Verify the history; restore from a backup if it is broken.",
        Code::Internal => "Copy the trace and look it up in the core's log.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Code) -> Problem {
        Problem::from(Refusal {
            code,
            message: "No.".into(),
            trace_id: "t".into(),
            trace_id_alias: String::new(),
            details: Vec::new(),
            retryable: false,
            retry_after_ms: None,
        })
    }

    #[test]
    fn every_code_has_a_next_step_that_is_a_sentence() {
        for code in Code::ALL {
            assert!(refusal(*code).next_step().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn only_what_no_page_can_do_without_takes_the_whole_page() {
        assert!(refusal(Code::LedgerLocked).takes_the_page());
        assert!(refusal(Code::Unauthenticated).takes_the_page());
        assert!(!refusal(Code::Starting).takes_the_page());
        assert!(!Problem::Unreachable.takes_the_page());
    }
}
