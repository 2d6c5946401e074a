//! The items of a change-set and what became of each.

use super::ItemRefusal;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What became of an item.
    ItemState {
        /// Not reached yet.
        Waiting = "waiting",
        /// Refused by the dry run; it is not reached.
        Refused = "refused",
        /// Changed.
        Done = "done",
        /// No longer possible when it was reached.
        Skipped = "skipped",
        /// Refused for another reason when it was reached.
        Failed = "failed",
    }
}

/// One item of a change-set. Order of lists: as selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    /// Its place, from 1.
    pub position: i64,
    /// The job or dead-letter entry.
    pub id: String,
    /// The job's type.
    pub job_type: String,
    /// Its state at the time of the dry run.
    pub was: String,
    /// What became of it.
    pub state: ItemState,
    /// Why it was not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ItemRefusal>,
    /// What the refusal said, where the code does not say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The job that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_job_id: Option<String>,
    /// When it was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Micros>,
}

/// Which items are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ItemFilter {
    /// Those of which this became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ItemState>,
}
