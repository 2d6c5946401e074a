//! What a reading leaves: the job's result, and the change that is made in the transaction that completes the job.
//! Only there does the watermark move, so that a reading that failed moves nothing.

use super::window::Asked;
use super::{Next, Reading, summary};
use crate::coverage::whole_ms;
use crate::engine::Engine;
use crate::error::Error;
use crate::handlers::{Done, Effect, Failure, NewArtifact};
use crate::jobs::{self, JobWish, Payload, engine_itself};
use crate::journal::Journal;
use crate::triggers::{self, Touched};
use crate::{sources as rules, watermarks};
use serde_json::{Value, json};
use stella_contract::ids::Tenant;
use stella_contract::source::{IngestReport, SourceType};
use stella_contract::time::Micros;
use stella_contract::watermark::Window;
use stella_ledger::sources::{self, SourceMerge, SourceRead};
use stella_ledger::{BoxFuture, LedgerError, Tx, impact};

/// The event times a reading saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// The oldest.
    pub(super) oldest: Option<Micros>,
    /// The newest.
    pub(super) newest: Option<Micros>,
    /// The digest of the newest record.
    pub(super) hash: Option<String>,
}

impl Times {
    /// The times of records: when each is of, as its feed writes it, and its digest.
    pub(super) fn of<'r>(records: impl Iterator<Item = (&'r str, Option<&'r str>)>) -> Self {
        let mut times = Self::default();
        for (text, digest) in records {
            let Some(at) = Micros::parse(text) else { continue };
            times.oldest = Some(times.oldest.map_or(at, |oldest| oldest.min(at)));
            if times.newest.is_none_or(|newest| newest < at) {
                times.newest = Some(at);
                times.hash = digest.map(str::to_owned);
            }
        }
        times
    }
}

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merged {
    /// Records the source has now.
    pub(super) count: i64,
    /// Whether anything differs from before.
    pub(super) changed: bool,
    /// What that is about.
    pub(super) touched: Touched,
}

impl Reading<'_> {
    /// The end of a reading of everything: what is there takes the place of what was.
    pub(super) fn done<F>(
        &self,
        report: IngestReport,
        times: Times,
        mut read: SourceRead,
        store: F,
    ) -> Result<Done, Failure>
    where
        F: for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<Touched, LedgerError>> + Send + 'static,
    {
        let moves = Moves { asked: Asked::Whole, times };
        let (tenant, unchanged, counts) = (self.tenant.clone(), report.unchanged, self.counts_in_the_index());
        let follow_up = self.source_type;
        let has_event_time = self.source_type.has_event_time();
        let (journal, source) = (self.journal("orch.source.read", summary(&report)), self.teller());
        let effect: Effect = Box::new(move |tx: &mut Tx, now: Micros| {
            Box::pin(async move {
                read.at = now.0;
                let source_id = read.source_id.clone();
                if sources::succeed(tx, &read).await? == 0 {
                    return Err(Error::internal(format!(
                        "{source_id} was changed by another reading meanwhile"
                    )));
                }
                let touched = store(tx, source_id.clone()).await?;
                if counts {
                    note_in_index(tx, &tenant, !unchanged, now).await?;
                }
                if !unchanged {
                    triggers::gather(tx, &tenant, follow_up, touched, now).await?;
                }
                let mut journal = journal(now);
                if has_event_time {
                    let moved = moves.make(tx, &tenant, &source_id, now).await?;
                    journal.append(source(moved, now));
                }
                Ok(journal)
            })
        });
        finished(&report, effect)
    }

    /// The end of a reading of one window: what is in it joins what is there.
    pub(super) fn merged<F>(
        &self,
        mut report: IngestReport,
        asked: Asked,
        times: Times,
        watermark: Option<String>,
        store: F,
    ) -> Result<Done, Failure>
    where
        F: for<'t> FnOnce(&'t mut Tx, String) -> BoxFuture<'t, Result<Merged, LedgerError>> + Send + 'static,
    {
        report.window = asked.window();
        let moves = Moves { asked, times };
        let (tenant, source_id, counts) =
            (self.tenant.clone(), self.source.source_id.clone(), self.counts_in_the_index());
        let (journal, source) = (self.journal("orch.source.read", summary(&report)), self.teller());
        let (engine, next, follow_up) = (self.engine().clone(), self.next.clone(), self.source_type);
        let effect: Effect = Box::new(move |tx: &mut Tx, now: Micros| {
            Box::pin(async move {
                let merged = store(tx, source_id.clone()).await?;
                let mark = SourceMerge {
                    source_id: source_id.clone(),
                    record_count: merged.count,
                    watermark,
                    at: now.0,
                };
                sources::merge(tx, &mark).await?;
                if counts {
                    note_in_index(tx, &tenant, merged.changed, now).await?;
                }
                if merged.changed {
                    triggers::gather(tx, &tenant, follow_up, merged.touched, now).await?;
                }
                let mut journal = journal(now);
                let moved = moves.make(tx, &tenant, &source_id, now).await?;
                journal.append(source(moved, now));
                if let Some(next) = next {
                    read_on(&engine, tx, next, now, &mut journal).await?;
                }
                Ok(journal)
            })
        });
        finished(&report, effect)
    }

    /// Whether what the source holds is matched against, so that evaluations depend on it.
    fn counts_in_the_index(&self) -> bool {
        match self.source_type {
            SourceType::Advisory | SourceType::Kev | SourceType::Vex => true,
            // Targets keep their own account, likelihoods are looked up when findings are shown.
            SourceType::Sbom | SourceType::Registry | SourceType::Epss | SourceType::Custom => false,
        }
    }

    /// Writes down and tells that the watermark moved, when it did.
    fn teller(&self) -> impl FnOnce(Option<Value>, Micros) -> Journal + Send + use<> {
        let advanced = self.journal_of("watermark", "orch.watermark.advanced");
        move |moved, now| moved.map_or_else(Journal::default, |data| advanced(data, now))
    }
}

/// The job that reads the next window of the same wish, unless somebody reads the source already or holds it.
async fn read_on(
    engine: &Engine,
    tx: &mut Tx,
    next: Next,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let Next { until, job, order } = next;
    let mark = watermarks::load(tx, &job.tenant, order.source_id.as_str()).await?;
    let row = rules::found(tx, &job.tenant, &order.source_id).await?;
    let is_held =
        rules::refusal(&row).is_some() || rules::open_reading(tx, &job.tenant, &row).await?.is_some();
    if is_held || mark.coverage.low().is_none_or(|low| low >= until) {
        return Ok(());
    }
    let payload = Payload::of(&serde_json::to_value(&order).map_err(Error::internal)?)?;
    let wish = JobWish {
        source_id: Some(order.source_id.clone()),
        priority: job.priority,
        not_before: row.not_before.map(Micros).filter(|at| *at > now),
        created_by: job.created_by.clone(),
        ..JobWish::new(job.tenant.clone(), &job.job_type, payload, &job.correlation_id)
    };
    let made = jobs::insert_many(engine, tx, vec![wish], &engine_itself("ingest"), now, journal).await?;
    if let Some(made) = made.first() {
        sources::note_job(tx, order.source_id.as_str(), made.job.job_id.as_str()).await?;
    }
    Ok(())
}

async fn note_in_index(tx: &mut Tx, tenant: &Tenant, changed: bool, now: Micros) -> Result<(), LedgerError> {
    if changed {
        return impact::feeds_changed(tx, tenant.as_str(), now.0).await;
    }
    impact::feeds_confirmed(tx, tenant.as_str(), now.0).await
}

/// How a reading that succeeded moves the watermark.
struct Moves {
    asked: Asked,
    times: Times,
}

impl Moves {
    /// Moves it; what there is to say of it when the low watermark is another one.
    async fn make(
        self,
        tx: &mut Tx,
        tenant: &Tenant,
        source_id: &str,
        now: Micros,
    ) -> Result<Option<Value>, Error> {
        let mut mark = watermarks::load(tx, tenant, source_id).await?;
        let before = mark.coverage.clone();
        match self.asked {
            Asked::Whole => {
                if let Some(window) = reach(&self.times, now) {
                    mark.coverage.whole(window);
                }
            }
            Asked::Live(window) => mark.coverage.live(window),
            Asked::Backfill(window) => mark.coverage.filled(window),
        }
        if self.times.newest > mark.coverage.high {
            mark.last_event_hash = self.times.hash;
        }
        mark.coverage.seen(self.times.newest);
        if mark.coverage == before {
            return Ok(None);
        }
        mark.save(tx, now).await?;
        let low = mark.coverage.low();
        let told = json!({
            "lowWatermark": low,
            "coverageFrom": mark.coverage.run.map(|run| run.from),
            "highWatermark": mark.coverage.high,
            "gaps": mark.coverage.gaps.len(),
        });
        Ok(Some(told))
    }
}

/// What a reading of everything covers: from its oldest record to its newest, that one included, and not the future.
fn reach(times: &Times, now: Micros) -> Option<Window> {
    let (oldest, newest) = times.oldest.zip(times.newest)?;
    Window::between(whole_ms(oldest), whole_ms(newest).plus_ms(1).min(whole_ms(now)))
}

fn finished(report: &IngestReport, effect: Effect) -> Result<Done, Failure> {
    let result = serde_json::to_value(report).map_err(|error| Failure::from(Error::internal(error)))?;
    let bytes =
        stella_bundle::canonical::to_vec(&result).map_err(|error| Failure::from(Error::internal(error)))?;
    let artifact = NewArtifact {
        name: "report.json".to_owned(),
        kind: "ingest-report".to_owned(),
        media_type: "application/json".to_owned(),
        bytes: bytes.into(),
        digest: None,
    };
    Ok(Done { result, artifacts: vec![artifact], effect: Some(effect) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_feed_reaches_from_its_oldest_record_to_its_newest_and_not_into_the_future() {
        let texts = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "never"];
        let times = Times::of(texts.iter().map(|text| (*text, Some("d"))));
        let now = Micros::parse("2026-02-01T00:00:00Z").unwrap();
        let window = reach(&times, now).unwrap();
        assert_eq!(window.start.to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(window.end.to_string(), "2026-01-02T00:00:00.001Z");
        let early = Micros::parse("2026-01-01T12:00:00Z").unwrap();
        assert_eq!(reach(&times, early).unwrap().end, early);
        assert_eq!(reach(&Times::default(), now), None);
    }
}
