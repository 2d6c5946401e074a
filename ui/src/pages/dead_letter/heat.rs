//! When which category failed: a row per category, a cell per hour of the last day.

use crate::kit::format::counted;
use crate::kit::{HeatGrid, HeatGridRow};
use crate::router::{Link, Query};
use stella_contract::dead_letter::{DeadLetterState, DeadLetterStats};
use stella_contract::route::Route;
use yew::prelude::*;

/// The map of the last 24 hours.
pub(super) fn heat(stats: &DeadLetterStats) -> Html {
    if stats.heat.is_empty() {
        return html! { <p class="f3 sm">{ "No job failed for good in the last 24 h." }</p> };
    }
    let hour = |at: usize| {
        let back = (stats.heat.first().map_or(24, |row| row.hours.len()) - at) as i64;
        let from = stats.at.minus_ms(back * 3_600_000).to_string();
        format!("{}Z", from.get(11..16).unwrap_or_default())
    };
    let rows: Vec<HeatGridRow> = stats
        .heat
        .iter()
        .map(|row| {
            let query = Query::default()
                .with("state", DeadLetterState::Open.as_str())
                .with("category", row.category.as_str())
                .with("age", "<24h");
            HeatGridRow {
                key: row.category.as_str().into(),
                head: html! { <Link to={Route::DeadLetterQueue} {query} class="n">{ row.category.as_str() }</Link> },
                cells: row
                    .hours
                    .iter()
                    .enumerate()
                    .map(|(at, count)| {
                        let said = format!("{}, from {}: {}", row.category, hour(at), counted(i64::from(*count), "entry", "entries"));
                        (*count, AttrValue::from(said))
                    })
                    .collect(),
            }
        })
        .collect();
    html! { <HeatGrid label={format!("Failures by category and hour; {} in 24 h", stats.added24h)} {rows} /> }
}
