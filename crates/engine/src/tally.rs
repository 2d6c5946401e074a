//! Counts along the history: how many jobs were made and ended, why attempts failed, how long they waited and ran. The
//! history is numbered without a gap, so that what is counted up to a number is counted exactly once, after a crash as
//! on any day, and a ledger that is older than the counting is counted from its first entry.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::BTreeMap;
use stella_contract::ids::Tenant;
use stella_contract::stats::bucket_of;
use stella_contract::time::Micros;
use stella_ledger::counts::{self, Count, EVER, SPAN_US, ToldRow};
use stella_ledger::{LedgerError, Tx, chains};

/// Entries counted in one transaction.
const STRIDE: i64 = 2_000;
/// Strides before whoever waits for the figures waits no longer.
const MOST_STRIDES: usize = 20;

/// The start of the span in which this time lies.
pub(crate) const fn span_of(at: Micros) -> i64 {
    at.0.div_euclid(SPAN_US) * SPAN_US
}

/// Counts what was written down since; how many entries that were.
pub(crate) async fn catch_up(engine: &Engine, tenant: &Tenant) -> Result<usize, Error> {
    let mut walked = 0;
    for _ in 0..MOST_STRIDES {
        let read = tenant.clone();
        let seen = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| Box::pin(async move { look(tx, &read).await }));
        let Some(seen) = seen.await? else { break };
        walked += usize::try_from(seen.upto - seen.after).unwrap_or(0);
        let counts = counted(&seen.rows)?;
        let (own, after, upto) = (tenant.clone(), seen.after, seen.upto);
        let write = engine.ledger().write::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                // Somebody else may have counted the same meanwhile.
                if counts::mark(tx, &own).await? != after {
                    return Ok(());
                }
                counts::add(tx, &own, &counts).await?;
                counts::move_mark(tx, &own, upto).await
            })
        });
        // A ledger that cannot be written can still be read; its figures are as old as the last count.
        if let Err(error) = write.await {
            tracing::debug!(%error, "the history is not counted on");
            break;
        }
    }
    Ok(walked)
}

/// A stretch of the history that was not counted yet.
struct Seen {
    after: i64,
    upto: i64,
    rows: Vec<ToldRow>,
}

async fn look(tx: &mut Tx, tenant: &Tenant) -> Result<Option<Seen>, LedgerError> {
    let after = counts::mark(tx, tenant).await?;
    let upto = chains::tip(tx, tenant).await?.history_seq.min(after + STRIDE);
    if upto <= after {
        return Ok(None);
    }
    let rows = counts::told(tx, tenant, after, upto).await?;
    Ok(Some(Seen { after, upto, rows }))
}

#[derive(Default)]
struct Sums(BTreeMap<(&'static str, i64, String, String), (i64, i64)>);

impl Sums {
    fn add(&mut self, row: &ToldRow, kind: &'static str, label: impl Into<String>, ms: i64) {
        let label = label.into();
        for at in [span_of(Micros(row.occurred_at)), EVER] {
            let sum = self.0.entry((kind, at, row.job_type.clone(), label.clone())).or_default();
            sum.0 += 1;
            sum.1 += ms;
        }
    }

    /// A duration, from a moment that may not be known.
    fn time(&mut self, row: &ToldRow, kind: &'static str, from: Option<i64>) {
        if let Some(from) = from {
            let ms = Micros(row.occurred_at).ms_since(Micros(from)).max(0);
            self.add(row, kind, bucket_of(ms).to_string(), ms);
        }
    }
}

fn counted(rows: &[ToldRow]) -> Result<Vec<Count>, Error> {
    let mut sums = Sums::default();
    for row in rows {
        let data: serde_json::Value = match &row.data {
            Some(data) => serde_json::from_str(data).map_err(Error::internal)?,
            None => serde_json::Value::Null,
        };
        let said = |name: &str| data.get(name).and_then(|value| value.as_str());
        let category = || said("errorClass").unwrap_or("internal").to_owned();
        match row.kind.as_str() {
            "orch.job.submitted" => sums.add(row, "made", "", 0),
            "orch.job.started" => sums.time(row, "queue", row.queued_at),
            "orch.job.retry" => {
                sums.add(row, "again", "", 0);
                sums.add(row, "failed", category(), 0);
                sums.time(row, "run", row.started_at);
            }
            "orch.job.failed" | "orch.job.timed_out" => {
                sums.add(row, "failed", category(), 0);
                sums.add(row, "dead", category(), 0);
                end(&mut sums, row);
            }
            "orch.job.succeeded" | "orch.job.cancelled" | "orch.job.skipped" => end(&mut sums, row),
            // The statement reads no other kinds but what was given back.
            _ => {}
        }
        if matches!(said("outcome"), Some("lease_expired" | "ack_timeout")) {
            sums.add(row, "lost", "", 0);
        }
    }
    let one = |((kind, at, job_type, label), (n, ms))| Count { kind, at, job_type, label, n, ms };
    Ok(sums.0.into_iter().map(one).collect())
}

fn end(sums: &mut Sums, row: &ToldRow) {
    let state = row.kind.rsplit('.').next().unwrap_or_default();
    sums.add(row, "ended", state, 0);
    sums.time(row, "run", row.started_at);
    sums.time(row, "total", Some(row.created_at));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, at_ms: i64, data: Option<&str>) -> ToldRow {
        ToldRow {
            kind: kind.to_owned(),
            job_type: "exam".to_owned(),
            occurred_at: SPAN_US + at_ms * 1_000,
            created_at: SPAN_US,
            started_at: Some(SPAN_US + 100_000),
            queued_at: Some(SPAN_US),
            data: data.map(str::to_owned),
        }
    }

    fn told(counts: &[Count], at: i64) -> Vec<String> {
        let of_span = counts.iter().filter(|count| count.at == at);
        of_span.map(|one| format!("{} {} {} {}", one.kind, one.label, one.n, one.ms)).collect()
    }

    #[test]
    fn a_job_s_life_is_counted_by_span_and_since_ever() {
        let failed = r#"{"outcome":"failed","errorClass":"upstream_5xx"}"#;
        let lost = r#"{"outcome":"ack_timeout"}"#;
        let rows = [
            row("orch.job.submitted", 0, None),
            row("orch.job.released", 20, Some(lost)),
            row("orch.job.started", 100, None),
            row("orch.job.retry", 300, Some(failed)),
            row("orch.job.succeeded", 400, None),
        ];
        let counts = counted(&rows).unwrap();
        let expected = [
            "again  1 0",
            "ended succeeded 1 0",
            "failed upstream_5xx 1 0",
            "lost  1 0",
            "made  1 0",
            "queue 7 1 100",
            "run 10 1 300",
            "run 9 1 200",
            "total 11 1 400",
        ];
        assert_eq!(told(&counts, SPAN_US), expected);
        assert_eq!(told(&counts, EVER), expected);
        assert_eq!(counts.len(), 2 * expected.len());
    }
}
