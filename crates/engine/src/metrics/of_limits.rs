//! Figures of what holds work back: buckets, breakers, pressure, backfills, lag, dead letters.

use super::exposition::Family;
use super::labelled;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::exposition::{self, WordRow};
use stella_ledger::{LedgerError, Tx, dead_letter_figures, watermarks};

/// The state in which a dead letter waits for somebody.
const OPEN: &str = "open";

pub(super) async fn read(tx: &mut Tx, tenants: &[Tenant], now: Micros) -> Result<Vec<Family>, LedgerError> {
    let mut dead =
        Family::gauge("orch_deadletter_open", "Dead letters that are open, by category and tenant.");
    for tenant in tenants {
        for row in dead_letter_figures::by_state(tx, tenant).await? {
            if row.state != OPEN {
                continue;
            }
            let mut labels = labelled(tenant, tenants);
            labels.push(("category", row.category));
            dead.add(labels, row.entries as f64);
        }
    }
    let mut lag = Family::gauge("orch_watermark_lag_seconds", "How far each source lags behind, by its id.");
    for row in watermarks::lags(tx, now).await? {
        lag.add(vec![("source", row.source_id)], row.lag_s as f64);
    }
    let mut pressure = Family::gauge("orch_backpressure_level", "The highest level of pressure, 0 to 3.");
    pressure.add(Vec::new(), exposition::pressure_level(tx).await? as f64);
    let mut breakers = Family::gauge("orch_breaker_state", "Breakers by key: 0 closed, 1 half open, 2 open.");
    for row in exposition::breaker_states(tx).await? {
        breakers.add(vec![("key", format!("{}:{}", row.word, row.other))], row.number);
    }
    let hits = by_words(
        Family::counter("orch_rate_limit_hits_total", "How often a host said that it was too much."),
        exposition::rate_limit_hits(tx).await?,
        ["host", "reason"],
    );
    let windows = by_words(
        Family::gauge("orch_backfill_windows", "Windows of backfills that have not ended, by state."),
        exposition::backfill_windows(tx).await?,
        ["backfill", "state"],
    );
    let mut tokens =
        Family::gauge("orch_bucket_tokens", "What was in each host's bucket when it was last filled.");
    for row in exposition::bucket_tokens(tx).await? {
        tokens.add(vec![("host", row.word)], row.number);
    }
    let mut rates = Family::gauge("orch_bucket_rate", "How many tokens per second each host's bucket gets.");
    for row in exposition::bucket_rates(tx).await? {
        rates.add(vec![("host", row.word)], row.number);
    }
    Ok(vec![dead, lag, pressure, breakers, hits, windows, tokens, rates])
}

fn by_words(mut family: Family, rows: Vec<WordRow>, [first, second]: [&'static str; 2]) -> Family {
    for row in rows {
        family.add(vec![(first, row.word), (second, row.other)], row.number);
    }
    family
}
