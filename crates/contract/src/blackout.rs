//! Blackouts: times in which nothing starts (spec 02 §2.7).

use crate::ids::{BlackoutId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What a blackout is about.
    BlackoutTargetKind {
        /// Everything of the tenant.
        Tenant = "tenant",
        /// The jobs of a source, by its id.
        Source = "source",
        /// The jobs of all sources at a host.
        Host = "host",
        /// The jobs of a type.
        JobType = "jobType",
        /// The fires of a schedule, by its id.
        Schedule = "schedule",
    }
}

words! {
    /// What becomes of what would have started.
    BlackoutAction {
        /// It waits until the blackout is over.
        Hold = "hold",
        /// Fires of schedules are left out; jobs that are there wait.
        Skip = "skip",
    }
}

/// One thing a blackout is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlackoutTarget {
    /// What kind of thing.
    pub kind: BlackoutTargetKind,
    /// Its id, host, type; left out for the tenant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_length = 253, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub key: String,
}

/// When a blackout is on: once, or again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct BlackoutTimes {
    /// The beginning of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Micros>,
    /// The end of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Micros>,
    /// The beginnings of a repeated one: five fields of cron.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How long each lasts, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<i64>,
    /// The zone the fields of cron are read in; `UTC` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Its beginning, included.
    pub from: Micros,
    /// Its end, excluded.
    pub until: Micros,
}

/// A blackout as every door shows it. Order of lists: newest first, then id desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Blackout {
    /// Its id.
    pub blackout_id: BlackoutId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it is about.
    pub targets: Vec<BlackoutTarget>,
    /// When it is on.
    #[serde(flatten)]
    pub times: BlackoutTimes,
    /// What becomes of what would have started.
    pub action: BlackoutAction,
    /// So many seconds before its beginning nothing new starts either.
    pub drain_before_s: i64,
    /// Why.
    pub reason: String,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
    /// Whether it holds jobs back now, the time of draining included.
    pub active: bool,
    /// The span at hand or the next one, the time of draining included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A wish for a blackout. The reason and the ticket stand in the headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddBlackout {
    /// What it is about; at least one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    #[serde(deserialize_with = "crate::object::each")]
    pub targets: Vec<BlackoutTarget>,
    /// The beginning of a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Micros>,
    /// The end of a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Micros>,
    /// The beginnings of a repeated one: five fields of cron.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^\\s*\\S+(\\s+\\S+){4}\\s*$"))]
    pub cron: Option<String>,
    /// How long each lasts, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 604_800))]
    pub duration_s: Option<i64>,
    /// The zone the fields of cron are read in; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^\\S+$"))]
    pub time_zone: Option<String>,
    /// `hold` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<BlackoutAction>,
    /// 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 86_400))]
    pub drain_before_s: Option<i64>,
}

/// Spans that touch or overlap become one; the latest end counts.
pub fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.from < span.until);
    spans.sort_by_key(|span| span.from);
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, until: i64) -> Span {
        Span { from: Micros(from), until: Micros(until) }
    }

    #[test]
    fn spans_that_overlap_or_touch_merge_and_the_latest_end_counts() {
        for (given, expected) in [
            (vec![], vec![]),
            (vec![span(5, 5)], vec![]),
            (vec![span(0, 10), span(2, 5)], vec![span(0, 10)]),
            (vec![span(2, 12), span(0, 10)], vec![span(0, 12)]),
            (vec![span(0, 10), span(10, 11)], vec![span(0, 11)]),
            (vec![span(0, 10), span(11, 12)], vec![span(0, 10), span(11, 12)]),
        ] {
            assert_eq!(merge(given.clone()), expected, "{given:?}");
        }
    }
}
