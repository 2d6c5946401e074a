//! The sixteen counts of a delta as columns of runs and segments.

use crate::query::Query;
use sqlx::FromRow;
use stella_contract::delta::Deltas;

/// The columns in the order of [`Deltas::parts`].
pub(crate) const COLUMNS: &str = "new_critical, new_high, new_medium, new_low, new_unknown,
    resolved_critical, resolved_high, resolved_medium, resolved_low, resolved_unknown,
    severity_raised, severity_lowered, quieted, unquieted, kev_added, kev_removed";

/// One assignment per column, in the same order, each ending where its parameter goes.
const ADDED: [&str; 16] = [
    ", new_critical = new_critical + ",
    ", new_high = new_high + ",
    ", new_medium = new_medium + ",
    ", new_low = new_low + ",
    ", new_unknown = new_unknown + ",
    ", resolved_critical = resolved_critical + ",
    ", resolved_high = resolved_high + ",
    ", resolved_medium = resolved_medium + ",
    ", resolved_low = resolved_low + ",
    ", resolved_unknown = resolved_unknown + ",
    ", severity_raised = severity_raised + ",
    ", severity_lowered = severity_lowered + ",
    ", quieted = quieted + ",
    ", unquieted = unquieted + ",
    ", kev_added = kev_added + ",
    ", kev_removed = kev_removed + ",
];

/// Goes on an `update … set …` with the additions that are not zero.
pub(crate) fn push_added(query: &mut Query, deltas: &Deltas) {
    for (text, (_, _, count)) in ADDED.into_iter().zip(deltas.parts()) {
        if count > 0 {
            query.push(text).bind(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

/// The counts as they lie in a row.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub(crate) struct DeltaColumns {
    new_critical: i64,
    new_high: i64,
    new_medium: i64,
    new_low: i64,
    new_unknown: i64,
    resolved_critical: i64,
    resolved_high: i64,
    resolved_medium: i64,
    resolved_low: i64,
    resolved_unknown: i64,
    severity_raised: i64,
    severity_lowered: i64,
    quieted: i64,
    unquieted: i64,
    kev_added: i64,
    kev_removed: i64,
}

impl From<DeltaColumns> for Deltas {
    fn from(row: DeltaColumns) -> Self {
        // Counts only grow from zero, so that no column is ever negative.
        let count = |column: i64| u64::try_from(column).unwrap_or(0);
        Self {
            new_critical: count(row.new_critical),
            new_high: count(row.new_high),
            new_medium: count(row.new_medium),
            new_low: count(row.new_low),
            new_unknown: count(row.new_unknown),
            resolved_critical: count(row.resolved_critical),
            resolved_high: count(row.resolved_high),
            resolved_medium: count(row.resolved_medium),
            resolved_low: count(row.resolved_low),
            resolved_unknown: count(row.resolved_unknown),
            severity_raised: count(row.severity_raised),
            severity_lowered: count(row.severity_lowered),
            quieted: count(row.quieted),
            unquieted: count(row.unquieted),
            kev_added: count(row.kev_added),
            kev_removed: count(row.kev_removed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_additions_name_the_same_things_in_the_same_order() {
        let columns: Vec<&str> = COLUMNS.split(',').map(str::trim).collect();
        for (column, added) in columns.iter().zip(ADDED) {
            assert_eq!(added, format!(", {column} = {column} + "));
        }
        assert_eq!(columns.len(), ADDED.len());
    }
}
