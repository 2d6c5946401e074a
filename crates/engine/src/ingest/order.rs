//! What a job that reads a source is told.

use serde::{Deserialize, Serialize};
use stella_contract::ids::SourceId;
use stella_contract::time::Micros;
use stella_contract::watermark::Window;

/// What a job that reads a source is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IngestOrder {
    /// The source.
    pub(crate) source_id: SourceId,
    /// Take the feed even if it came empty or shrank.
    #[serde(default)]
    pub(crate) force: bool,
    /// Only what lies in this window of event time, for a backfill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<Window>,
    /// How far a live reading goes that needs several windows; each of them is a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Micros>,
    /// How many windows were read before on the way there.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) read: u32,
}

/// So many windows are read on one wish at most.
pub(super) const MOST_WINDOWS: u32 = 1_000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

impl IngestOrder {
    /// The next live reading: everything, or the next window.
    pub(crate) const fn whole(source_id: SourceId, force: bool) -> Self {
        Self { source_id, force, window: None, until: None, read: 0 }
    }
}
