//! Error codes and the envelope in which every door returns them (spec 09 §9.2).

use crate::words;
use serde::{Deserialize, Serialize};

/// A word that is not a member of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a known {kind}")]
pub struct UnknownWord {
    /// The set.
    pub kind: &'static str,
    /// The word that was given.
    pub word: String,
}

words! {
    /// Stable codes. A code exists only where some client acts on it.
    Code {
        /// The request cannot be read.
        BadRequest = "BAD_REQUEST",
        /// A filter that cannot be read; the message names the place.
        FilterInvalid = "FILTER_INVALID",
        /// A page token that is damaged or belongs to other filters.
        PageTokenInvalid = "PAGE_TOKEN_INVALID",
        /// A write under this scope must say why.
        ReasonRequired = "REASON_REQUIRED",
        /// A reason of more than 256 or a ticket of more than 128 characters.
        ReasonTooLong = "REASON_TOO_LONG",
        /// A write under this scope must name a ticket.
        TicketRequired = "TICKET_REQUIRED",
        /// No token, or one that is unknown, expired or revoked.
        Unauthenticated = "UNAUTHENTICATED",
        /// The caller named no tenant.
        TenantRequired = "TENANT_REQUIRED",
        /// The token lacks the scope that the message names.
        ScopeMissing = "SCOPE_MISSING",
        /// The connection or the caller is read-only.
        ReadOnly = "READ_ONLY",
        /// No such thing for this tenant.
        NotFound = "NOT_FOUND",
        /// A job id that this tenant does not have.
        JobNotFound = "JOB_NOT_FOUND",
        /// The thing's state does not allow it.
        InvalidTransition = "INVALID_TRANSITION",
        /// The lease is not, or no longer, the caller's.
        LeaseLost = "LEASE_LOST",
        /// The job already ended with another outcome.
        AlreadyFinished = "ALREADY_FINISHED",
        /// The same idempotency key is being written right now.
        IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS",
        /// The same idempotency key came with another body.
        IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
        /// The name is taken.
        Conflict = "CONFLICT",
        /// The impact index moved on since the preview.
        PreviewStale = "PREVIEW_STALE",
        /// Items of a change-set changed since its dry run.
        SelectionChanged = "SELECTION_CHANGED",
        /// The dead-letter entry is not open.
        DeadletterNotOpen = "DEADLETTER_NOT_OPEN",
        /// It was done so often that it needs `force`.
        ForceRequired = "FORCE_REQUIRED",
        /// The end of the range belongs to the live windows.
        BackfillOverlapsLive = "BACKFILL_OVERLAPS_LIVE",
        /// Another backfill is at work on a part of the range.
        BackfillOverlap = "BACKFILL_OVERLAP",
        /// More windows or days than one backfill may have.
        BackfillTooLarge = "BACKFILL_TOO_LARGE",
        /// The range begins before what the source keeps.
        BackfillBeyondRetention = "BACKFILL_BEYOND_RETENTION",
        /// The source is switched off.
        SourceDisabled = "SOURCE_DISABLED",
        /// The source is held by an operator.
        SourcePaused = "SOURCE_PAUSED",
        /// The run is still open.
        RunNotTerminal = "RUN_NOT_TERMINAL",
        /// It failed a moment ago and rests before it may be retried.
        CooldownActive = "COOLDOWN_ACTIVE",
        /// The part of the product is switched off on this ledger.
        FeatureOff = "FEATURE_OFF",
        /// The thing changed since it was read.
        VersionMismatch = "VERSION_MISMATCH",
        /// The body is larger than the door takes.
        PayloadTooLarge = "PAYLOAD_TOO_LARGE",
        /// The body is of another type than the endpoint reads.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// A field has a value that cannot be.
        Invalid = "INVALID",
        /// A cron text that cannot be read, or never fires; the message names the field.
        CronInvalid = "CRON_INVALID",
        /// A purl or vulnerability id that cannot be read.
        KeyInvalid = "KEY_INVALID",
        /// An SBOM that cannot be read.
        SbomInvalid = "SBOM_INVALID",
        /// An SBOM format or version this product does not read.
        SbomUnsupported = "SBOM_UNSUPPORTED",
        /// A policy that cannot be read; the details name lines and rules.
        PolicyInvalid = "POLICY_INVALID",
        /// A feed that cannot be read at all.
        FeedInvalid = "FEED_INVALID",
        /// A feed that came empty or shrank by more than half.
        FeedSuspicious = "FEED_SUSPICIOUS",
        /// A source's place that cannot be reached or read.
        SourceUnreachable = "SOURCE_UNREACHABLE",
        /// Edges that would lead back to where they come from; the message names the jobs.
        DagCycle = "DAG_CYCLE",
        /// An edge between jobs of two tenants.
        DagCrossTenant = "DAG_CROSS_TENANT",
        /// More jobs or edges than one graph holds.
        DagTooLarge = "DAG_TOO_LARGE",
        /// An artifact whose bytes do not have the digest that was said.
        ArtifactDigestMismatch = "ARTIFACT_DIGEST_MISMATCH",
        /// Come back later.
        RateLimited = "RATE_LIMITED",
        /// The tenant is under pressure, and the priority is too low to be taken in now.
        Backpressure = "BACKPRESSURE",
        /// The core is starting.
        Starting = "STARTING",
        /// The network is sealed.
        SealedMode = "SEALED_MODE",
        /// The ledger did not answer, or not in time.
        LedgerUnavailable = "LEDGER_UNAVAILABLE",
        /// The ledger file is held by another process.
        LedgerLocked = "LEDGER_LOCKED",
        /// The ledger was written by a newer version.
        LedgerNewer = "LEDGER_NEWER",
        /// The ledger has the same schema numbers as this version, but other steps behind them.
        LedgerOtherSchema = "LEDGER_OTHER_SCHEMA",
        /// The file is not a ledger of ours, or is damaged.
        LedgerNotOne = "LEDGER_NOT_ONE",
        /// The disk has no room.
        NoSpace = "NO_SPACE",
        /// The place cannot be written.
        NotWritable = "NOT_WRITABLE",
        /// A stored row cannot be read.
        Corrupt = "CORRUPT",
        /// A fault of ours; the correlation id finds it in the log.
        Internal = "INTERNAL",
    }
}

impl Code {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest
            | Self::FilterInvalid
            | Self::PageTokenInvalid
            | Self::ReasonRequired
            | Self::ReasonTooLong
            | Self::TicketRequired => 400,
            Self::Unauthenticated => 401,
            Self::TenantRequired | Self::ScopeMissing | Self::ReadOnly => 403,
            Self::NotFound | Self::JobNotFound => 404,
            Self::InvalidTransition
            | Self::LeaseLost
            | Self::AlreadyFinished
            | Self::IdempotencyInProgress
            | Self::Conflict
            | Self::PreviewStale
            | Self::SelectionChanged
            | Self::DeadletterNotOpen
            | Self::ForceRequired
            | Self::BackfillOverlapsLive
            | Self::BackfillOverlap
            | Self::SourceDisabled
            | Self::SourcePaused
            | Self::RunNotTerminal
            | Self::CooldownActive
            | Self::FeatureOff => 409,
            Self::VersionMismatch => 412,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::IdempotencyKeyReused
            | Self::Invalid
            | Self::CronInvalid
            | Self::KeyInvalid
            | Self::SbomInvalid
            | Self::SbomUnsupported
            | Self::PolicyInvalid
            | Self::FeedInvalid
            | Self::FeedSuspicious
            | Self::SourceUnreachable
            | Self::BackfillTooLarge
            | Self::BackfillBeyondRetention
            | Self::DagCycle
            | Self::DagCrossTenant
            | Self::DagTooLarge
            | Self::ArtifactDigestMismatch => 422,
            Self::RateLimited | Self::Backpressure => 429,
            Self::Starting
            | Self::SealedMode
            | Self::LedgerUnavailable
            | Self::LedgerLocked
            | Self::LedgerNewer
            | Self::LedgerOtherSchema
            | Self::LedgerNotOne
            | Self::NoSpace
            | Self::NotWritable => 503,
            Self::Corrupt | Self::Internal => 500,
        }
    }

    /// The exit code of `stella` that goes with the code (spec 09 §9.4).
    pub const fn exit(self) -> u8 {
        match self {
            Self::SealedMode => 6,
            Self::ArtifactDigestMismatch => 5,
            _ => match self.status() {
                401 | 403 => 2,
                404 => 4,
                409 | 412 => 3,
                _ => 1,
            },
        }
    }
}

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Envelope {
    /// What went wrong.
    pub error: Problem,
}

/// What went wrong, in words for people and a code for programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[error("{message} ({code})")]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// One or two sentences: what, where, what next.
    pub message: String,
    /// Finds the private context in the log.
    pub trace_id: String,
    /// The same as `traceId`, for older clients.
    #[serde(rename = "trace_id", default)]
    pub trace_id_alias: String,
    /// Per-field findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<FieldProblem>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FieldProblem {
    /// The field, as a path: `scope.labels`, `purls[3]`.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// What is expected.
    pub message: String,
}
