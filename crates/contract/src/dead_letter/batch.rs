//! Many entries at once: a selection, what it would meet, what came of it.

use super::{CategoryCount, DeadLetterFilter, ResolutionCode, SourceCount};
use crate::ids::{DeadLetterId, JobId};
use serde::{Deserialize, Serialize};

/// A selection of entries: by name, or all that match a filter. Exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SelectDeadLetters {
    /// These, at most 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(deserialize_with = "crate::object::maybe", skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
}

/// What a batch would meet, and the hash that its run has to quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterPreview {
    /// Quote it with the run; it is another as soon as the selection or one of its entries is.
    pub selection_hash: String,
    /// Entries that were selected.
    pub count: u64,
    /// Those of them that are open and so can be closed.
    pub resolvable: u64,
    /// Those of them that a batch repeats without force.
    pub replayable: u64,
    /// By category, the most first.
    pub by_category: Vec<CategoryCount>,
    /// By source, the most first.
    pub by_source: Vec<SourceCount>,
    /// Why some would be left out, with how many.
    pub left_out: Vec<LeftOut>,
    /// Seconds over which a batch replay spreads its jobs.
    pub paced_over_s: i64,
}

/// Entries that a batch leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Why: `skipped:not_open`, `skipped:not_retryable` or `error:FORCE_REQUIRED`.
    pub why: String,
    /// How many.
    pub count: u64,
}

/// A wish to repeat many entries. Exactly one of `ids` and `filter`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BatchReplay {
    /// These, at most 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(deserialize_with = "crate::object::maybe", skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// The hash that the dry run gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_hash: Option<String>,
    /// Repeat what is not retryable, and what was repeated five times, as well.
    pub force: bool,
}

/// A wish to close many entries. Exactly one of `ids` and `filter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchResolve {
    /// These, at most 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(deserialize_with = "crate::object::maybe", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
    /// Only tell what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// The hash that the dry run gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_hash: Option<String>,
    /// Why, in one word, for all.
    pub resolution: ResolutionCode,
    /// Why, in 1 to 1,000 characters, for all.
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000, pattern = "\\S"))]
    pub note: String,
}

/// What a batch did, entry by entry. Some may have failed: the answer is a success all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterBatch {
    /// What the selection held.
    pub preview: DeadLetterPreview,
    /// Whether this only tells what would happen.
    pub dry_run: bool,
    /// Entries that are now being repeated or closed.
    pub done: u64,
    /// Entries that were left as they were.
    pub skipped: u64,
    /// Entries that could not be changed.
    pub failed: u64,
    /// Per entry, in the order of `deadLetteredAt`; empty for a dry run.
    pub results: Vec<BatchResult>,
}

/// What a batch did to one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    /// The entry.
    pub entry_id: DeadLetterId,
    /// `replayed`, `resolved`, `skipped:not_open`, `skipped:not_retryable` or `error:<code>`.
    pub outcome: String,
    /// The job that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}
