//! What a refusal means: a code for programs, a sentence for people, and a private part for the log.

use stella_contract::NoSuchArrow;
use stella_contract::error::{Code, FieldProblem, Problem};
use stella_contract::filter::FilterError;
use stella_contract::scope::Scope;
use stella_ledger::LedgerError;

/// Why the engine did not do it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{public} ({code})")]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What, where, what next; shown to clients.
    pub public: String,
    /// What is wrong with single fields.
    pub fields: Vec<FieldProblem>,
    /// When to try again.
    pub retry_after_ms: Option<u64>,
    /// For the log only.
    pub private: Option<String>,
}

impl Error {
    /// A refusal with this code and sentence.
    pub fn new(code: Code, public: impl Into<String>) -> Self {
        Self { code, public: public.into(), fields: Vec::new(), retry_after_ms: None, private: None }
    }
    /// No such thing for this tenant.
    pub fn not_found(noun: &str, id: impl std::fmt::Display) -> Self {
        let code = if noun == "job" { Code::JobNotFound } else { Code::NotFound };
        Self::new(code, format!("There is no {noun} `{id}` in this tenant."))
    }
    /// A field has a value that cannot be.
    pub fn invalid(field: &str, why: impl Into<String>) -> Self {
        let why = why.into();
        let mut error = Self::new(Code::Invalid, format!("`{field}`: {why}"));
        error.fields.push(FieldProblem {
            field: field.to_owned(),
            code: Code::Invalid.as_str().to_owned(),
            message: why,
        });
        error
    }
    /// A fault of ours; the detail goes to the log.
    pub fn internal(private: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, "Something inside the product failed; the trace id finds it in the log.")
            .with_private(private)
    }
    /// The caller lacks the scope.
    pub fn scope_missing(scope: Scope) -> Self {
        Self::new(
            Code::ScopeMissing,
            format!("This needs the scope `{scope}`, which the caller does not have."),
        )
    }
    /// Adds what only the log is told.
    #[must_use]
    pub fn with_private(mut self, private: impl std::fmt::Display) -> Self {
        self.private = Some(private.to_string());
        self
    }
    /// Adds what is wrong with single fields.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<FieldProblem>) -> Self {
        self.fields = fields;
        self
    }
    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
    /// Whether the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self.code,
            Code::RateLimited
                | Code::Backpressure
                | Code::Starting
                | Code::LedgerUnavailable
                | Code::LedgerLocked
                | Code::NoSpace
                | Code::IdempotencyInProgress
        )
    }
    /// The form in which every door returns it.
    pub fn problem(&self, trace_id: &str) -> Problem {
        Problem {
            code: self.code,
            message: self.public.clone(),
            trace_id: trace_id.to_owned(),
            trace_id_alias: trace_id.to_owned(),
            details: self.fields.clone(),
            retryable: self.is_retryable(),
            retry_after_ms: self.retry_after_ms,
        }
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        let (code, public) = match &error {
            LedgerError::Locked => (
                Code::LedgerLocked,
                "Another process holds this ledger. Close it, or connect to it with its address and a token.",
            ),
            LedgerError::Newer { .. } => (
                Code::LedgerNewer,
                "A newer version wrote this ledger. Install that version or open another ledger.",
            ),
            LedgerError::OtherSchema { .. } => (
                Code::LedgerOtherSchema,
                "Another build made this ledger, with another schema under the same number. Open it with that build, or \
                 choose another place; it is sound and was left alone.",
            ),
            LedgerError::NotOne(_) => {
                (Code::LedgerNotOne, "This is not a ledger of ours, or it is damaged. Choose another place.")
            }
            LedgerError::NoSpace => {
                (Code::NoSpace, "The disk of the ledger is full. Free some room; nothing was lost.")
            }
            LedgerError::NotWritable(_) => {
                (Code::NotWritable, "The ledger's place cannot be written. Check its path and permissions.")
            }
            LedgerError::Unavailable(_) => {
                (Code::LedgerUnavailable, "The ledger did not answer in time. Try again in a moment.")
            }
            LedgerError::OutcomeUnknown(_) => (
                Code::LedgerUnavailable,
                "It is not known whether the last change was stored. Repeat the request with the same idempotency key.",
            ),
            LedgerError::Corrupt { .. } => {
                (Code::Corrupt, "A stored row cannot be read; the trace id finds which one in the log.")
            }
            LedgerError::Unique(_) => (Code::Conflict, "Such a thing is already there."),
            LedgerError::Other(_) => {
                (Code::Internal, "Something inside the product failed; the trace id finds it in the log.")
            }
        };
        Self::new(code, public).with_private(error)
    }
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        let mut refusal = Self::new(Code::FilterInvalid, format!("The filter cannot be read: {error}."));
        refusal.fields.push(FieldProblem {
            field: "filter".to_owned(),
            code: Code::FilterInvalid.as_str().to_owned(),
            message: format!("{error}"),
        });
        refusal
    }
}

impl From<NoSuchArrow> for Error {
    fn from(arrow: NoSuchArrow) -> Self {
        Self::new(
            Code::InvalidTransition,
            format!("The {} is {}; `{}` is not possible then.", arrow.entity, arrow.state, arrow.event),
        )
    }
}
