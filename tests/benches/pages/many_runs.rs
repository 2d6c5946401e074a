//! The table of runs over all that the ledger has: its first rows, its filters, its frames while it is scrolled.

use crate::visit::Visitor;
use crate::{Effort, at};
use stella_contract::route::Route;

/// The first rows stand within this time, over a server that is warm.
const ROWS_MS: f64 = 300.0;
/// A filter has been applied within this time.
const FILTER_MS: f64 = 200.0;
/// A frame that is drawn in time, at sixty a second.
const FRAME_MS: f64 = 16.8;

/// What an operator asks of a long list: others that ended, what failed, what is grave, what a schedule began.
const FILTERS: [&str; 4] =
    ["?tab=failures", "?tab=completed&severity=critical", "?tab=completed&trigger=cron", "?tab=active"];

/// Prints the figures.
pub(crate) async fn table(visitor: &Visitor, effort: Effort) {
    println!("\n| table of {} runs | median | most | aim |", effort.size.runs);
    println!("|---|---:|---:|---:|");
    let list = format!("{}?tab=completed", Route::Runs.path());
    let (mut colds, mut warms, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    // Once for the server.
    visitor.cold_rows(&list).await;
    for _ in 0..effort.times {
        colds.push(visitor.cold_rows(&list).await);
        warms.push(visitor.warm_rows(&list).await);
        for filter in FILTERS {
            turns.push(visitor.turned(&list, &format!("{}{filter}", Route::Runs.path())).await);
        }
    }
    line("first rows in a new document, program and all", colds, None);
    line("first rows from another page", warms, Some(ROWS_MS));
    line("another tab or filter", turns, Some(FILTER_MS));
    visitor.cold(&list).await;
    for frames in visitor.frames(effort.frames).await {
        let (middle, late) = (at(&frames.ms, 50), at(&frames.ms, 95));
        println!(
            "| frames while {} scroll: p50, p95 | {middle:.1} ms | {late:.1} ms | {FRAME_MS} ms |",
            frames.what
        );
    }
}

fn line(what: &str, mut all: Vec<f64>, aim: Option<f64>) {
    all.sort_by(f64::total_cmp);
    let most = all.last().copied().unwrap_or_default();
    let aim = aim.map_or_else(|| "none".to_owned(), |aim| format!("{aim:.0} ms"));
    println!("| {what} | {:.0} ms | {most:.0} ms | {aim} |", at(&all, 50));
}
