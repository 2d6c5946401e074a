//! How far sources have been read: what is stored of it, how it is moved, how it is shown (spec 03 §3.3).

use crate::coverage::{Coverage, Run, plus_s, whole_ms};
use crate::error::Error;
use stella_contract::error::Code;
use stella_contract::ids::Tenant;
use stella_contract::source::SourceSettings;
use stella_contract::time::Micros;
use stella_contract::watermark::{Watermark, Window};
use stella_ledger::watermarks::{self, WatermarkRow};
use stella_ledger::{LedgerError, Tx};

/// The part of a source that is the whole of it.
pub(crate) const WHOLE: &str = "";

/// How far a part of a source has been read, as it was stored at one version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// What is covered.
    pub(crate) coverage: Coverage,
    /// The digest of the newest event seen.
    pub(crate) last_event_hash: Option<String>,
    row: WatermarkRow,
}

/// How far a source has been read.
pub(crate) async fn load(tx: &mut Tx, tenant: &Tenant, source_id: &str) -> Result<Mark, Error> {
    let row = watermarks::get(tx, tenant, source_id, WHOLE).await?;
    let fresh = || WatermarkRow {
        source_id: source_id.to_owned(),
        part: WHOLE.to_owned(),
        tenant: tenant.as_str().to_owned(),
        coverage_from: None,
        low_watermark: None,
        high_watermark: None,
        resume_cursor: None,
        completed_ranges: "[]".to_owned(),
        gaps: "[]".to_owned(),
        last_event_hash: None,
        updated_at: 0,
        version: 0,
    };
    Mark::of(row.unwrap_or_else(fresh))
}

impl Mark {
    pub(crate) fn of(row: WatermarkRow) -> Result<Self, Error> {
        let corrupt = |column| LedgerError::corrupt("watermarks", column, &row.source_id);
        let coverage = Coverage {
            run: row
                .coverage_from
                .zip(row.low_watermark)
                .map(|(from, low)| Run { from: Micros(from), low: Micros(low) }),
            high: row.high_watermark.map(Micros),
            completed: serde_json::from_str(&row.completed_ranges)
                .map_err(|_| corrupt("completed_ranges"))?,
            gaps: serde_json::from_str(&row.gaps).map_err(|_| corrupt("gaps"))?,
        };
        Ok(Self { coverage, last_event_hash: row.last_event_hash.clone(), row })
    }

    /// Stores it, unless somebody else moved it since it was loaded.
    pub(crate) async fn save(&self, tx: &mut Tx, now: Micros) -> Result<(), Error> {
        let row = WatermarkRow {
            coverage_from: self.coverage.run.map(|run| run.from.0),
            low_watermark: self.coverage.run.map(|run| run.low.0),
            high_watermark: self.coverage.high.map(|at| at.0),
            completed_ranges: serde_json::to_string(&self.coverage.completed).map_err(Error::internal)?,
            gaps: serde_json::to_string(&self.coverage.gaps).map_err(Error::internal)?,
            last_event_hash: self.last_event_hash.clone(),
            updated_at: now.0,
            ..self.row.clone()
        };
        if watermarks::advance(tx, &row).await? == 0 {
            let sentence =
                "The watermark of the source was moved by somebody else at the same time. Try again.";
            return Err(Error::new(Code::LedgerUnavailable, sentence));
        }
        Ok(())
    }

    /// Where the far side said to go on; without news it stays where it was.
    pub(crate) fn go_on_at(&mut self, cursor: Option<String>) {
        self.row.resume_cursor = cursor.or_else(|| self.row.resume_cursor.take());
    }

    /// As every door shows it.
    pub(crate) fn view(&self, settings: &SourceSettings, now: Micros) -> Watermark {
        let run = self.coverage.run;
        Watermark {
            partition: self.row.part.clone(),
            coverage_from: run.map(|run| run.from),
            low_watermark: run.map(|run| run.low),
            high_watermark: self.coverage.high,
            cursor: self.row.resume_cursor.clone(),
            completed_ranges: self.coverage.completed.clone(),
            gaps: self.coverage.gaps.clone(),
            last_event_hash: self.last_event_hash.clone(),
            lag_s: run.map(|run| lag_s(run.low, now)),
            next_window: self.coverage.next_live(settings, now),
            version: self.row.version,
        }
    }
}

/// Seconds between a low watermark and now.
pub(crate) const fn lag_s(low: Micros, now: Micros) -> i64 {
    let behind = (now.0 - low.0) / 1_000_000;
    if behind < 0 { 0 } else { behind }
}

/// What the gap map of a source spans: from what is kept, or covered, to what may still come late.
pub(crate) fn map_of(coverage: &Coverage, settings: &SourceSettings, now: Micros) -> Window {
    let kept = retained_from(settings, now);
    let oldest = coverage
        .run
        .map(|run| run.from)
        .into_iter()
        .chain(coverage.completed.first().map(|window| window.start))
        .fold(kept, Micros::min);
    let until = whole_ms(plus_s(now, -settings.allowed_lateness_s)).max(coverage.low().unwrap_or(oldest));
    Window { start: oldest, end: until }
}

/// The oldest moment that a source keeps.
pub(crate) fn retained_from(settings: &SourceSettings, now: Micros) -> Micros {
    whole_ms(plus_s(now, -settings.retention_days * 86_400))
}
