//! How far a source has been read, in event time: what is covered, what was skipped, what comes next (spec 03 §3.3).

use crate::ids::SourceId;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// A stretch of event time, half-open: its start belongs to it, its end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// The first moment of it.
    pub start: Micros,
    /// The first moment after it.
    pub end: Micros,
}

impl Window {
    /// The window between two moments; `None` when there is nothing between them.
    pub fn between(start: Micros, end: Micros) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }
    /// Whether the moment is in it.
    pub fn holds(self, at: Micros) -> bool {
        self.start <= at && at < self.end
    }
    /// Whether all of the other is in it.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
    /// Whether the two share a moment.
    pub fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
    /// What the two share.
    pub fn common(self, other: Self) -> Option<Self> {
        Self::between(self.start.max(other.start), self.end.min(other.end))
    }
}

/// A window that an operator let pass unread. A backfill of it takes it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The first moment of it.
    pub start: Micros,
    /// The first moment after it.
    pub end: Micros,
    /// Why it was let pass.
    pub reason: String,
    /// The ticket that says more.
    pub ticket: String,
    /// Who let it pass.
    pub by: String,
    /// When.
    pub at: Micros,
}

impl Gap {
    /// The time it leaves out.
    pub const fn window(&self) -> Window {
        Window { start: self.start, end: self.end }
    }
}

/// How far one part of a source has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Watermark {
    /// The part; `""` where the source is one.
    pub partition: String,
    /// Where the unbroken run of completed windows begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage_from: Option<Micros>,
    /// Where it ends. It never moves back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_watermark: Option<Micros>,
    /// The newest event time seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_watermark: Option<Micros>,
    /// Where the far side said to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Completed windows that do not touch that run yet.
    pub completed_ranges: Vec<Window>,
    /// What was let pass unread.
    pub gaps: Vec<Gap>,
    /// The digest of the newest event seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_hash: Option<String>,
    /// Seconds between the low watermark and now; absent before the first window is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_s: Option<i64>,
    /// The window the next live reading asks for; absent while there is none to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_window: Option<Window>,
    /// Rises with every change.
    pub version: i64,
}

words! {
    /// What is known of a stretch of event time.
    StretchState {
        /// Its records were read.
        Covered = "covered",
        /// It was never asked for.
        Missing = "missing",
        /// An operator let it pass unread.
        Gap = "gap",
        /// A backfill of it failed.
        Failed = "failed",
        /// A backfill of it is under way.
        Running = "running",
    }
}

/// One stretch of the gap map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// The first moment of it.
    pub start: Micros,
    /// The first moment after it.
    pub end: Micros,
    /// What is known of it.
    pub state: StretchState,
}

/// How far a source has been read, with the gap map: its stretches lie end to end from `from` to `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Watermarks {
    /// The source.
    pub source_id: SourceId,
    /// Where the map begins: what is older is not kept, unless it is covered.
    pub from: Micros,
    /// Where it ends: what is newer may still come late.
    pub to: Micros,
    /// The parts of the source, by name.
    pub items: Vec<Watermark>,
    /// The map of the part that is the whole, oldest first.
    pub stretches: Vec<Stretch>,
}

/// A wish to read a source again from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetWatermark {
    /// Where the low watermark goes back to; not later than where it is.
    pub low_watermark: Micros,
}

/// A wish to let a window pass unread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SkipWindow {
    /// Where it ends; the end of the next live window when absent. It begins at the low watermark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Micros>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: i64, end: i64) -> Window {
        Window { start: Micros(start), end: Micros(end) }
    }

    #[test]
    fn a_window_is_half_open() {
        assert!(window(1, 3).holds(Micros(1)) && window(1, 3).holds(Micros(2)));
        assert!(!window(1, 3).holds(Micros(3)));
        assert!(!window(1, 3).meets(window(3, 5)) && window(1, 4).meets(window(3, 5)));
        assert_eq!(window(1, 4).common(window(3, 5)), Some(window(3, 4)));
        assert_eq!(Window::between(Micros(2), Micros(2)), None);
    }
}
