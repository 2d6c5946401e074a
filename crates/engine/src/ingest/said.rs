//! Reading VEX documents and lists of likelihoods into the ledger.

use super::keep::Merged;
use super::window::Asked;
use super::{Reading, epss, ledger_failed, off_thread, unreadable, vex};
use crate::handlers::{Done, Failure};
use crate::triggers::Touched;
use stella_contract::source::IngestReport;
use stella_contract::watermark::Window;
use stella_ledger::vex::NewStatement;

impl Reading<'_> {
    /// Everything that is said at the location.
    pub(super) async fn vex(&self) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let (known, bytes) = (content.known.clone(), content.bytes);
        let said = off_thread(move || vex::read(&content)).await?;
        if let (true, Some(refusal)) = (said.statements.is_empty(), said.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        let source_id = self.source.source_id.clone();
        let before = self
            .engine()
            .ledger()
            .read(|tx| Box::pin(async move { stella_ledger::vex::digests(tx, &source_id).await }))
            .await
            .map_err(ledger_failed)?;
        let mut report = IngestReport {
            bytes: bytes as i64,
            digest: known.digest.clone().unwrap_or_default(),
            records: said.statements.len() as i64,
            refused: said.refused,
            errors: said.problems.clone(),
            ..IngestReport::default()
        };
        let times = said.times();
        let newest = times.newest.map(|at| at.to_string());
        let change = said.change(&before);
        self.refuse_suspicious(before.len() as i64, change.total)?;
        change.count(&mut report);
        let read = self.read_mark(known, change.total, newest, &report);
        let tenant = self.tenant.clone();
        self.done(report, times, read, move |tx, source_id| {
            Box::pin(async move {
                let gone = stella_ledger::vex::vulnerabilities_of(tx, &source_id, &change.removed).await?;
                stella_ledger::vex::remove_many(tx, &source_id, &change.removed).await?;
                stella_ledger::vex::insert_many(tx, tenant.as_str(), &source_id, &change.added).await?;
                Ok(Touched::of(change.added.into_iter().map(|one| one.vuln_id).chain(gone)))
            })
        })
    }

    /// What was said within the window joins what is known.
    pub(super) async fn vex_of(&self, window: Window) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let (known, bytes) = (content.known.clone(), content.bytes);
        let mut said = off_thread(move || vex::read(&content)).await?;
        if let (true, Some(refusal)) = (said.statements.is_empty(), said.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        said.keep_only(window);
        let times = said.times();
        let source_id = self.source.source_id.clone();
        let before = self
            .engine()
            .ledger()
            .read(|tx| Box::pin(async move { stella_ledger::vex::digests(tx, &source_id).await }))
            .await
            .map_err(ledger_failed)?;
        let added = said.statements.keys().filter(|digest| !before.contains(*digest)).count() as i64;
        let report = IngestReport {
            bytes: bytes as i64,
            digest: known.digest.unwrap_or_default(),
            records: said.statements.len() as i64,
            added,
            unchanged: added == 0,
            refused: said.refused,
            errors: said.problems.clone(),
            ..IngestReport::default()
        };
        let statements: Vec<NewStatement> =
            said.statements.into_values().filter(|one| !before.contains(&one.digest)).collect();
        let tenant = self.tenant.clone();
        self.merged(report, self.asked, times, None, move |tx, source_id| {
            Box::pin(async move {
                let added =
                    stella_ledger::vex::insert_many(tx, tenant.as_str(), &source_id, &statements).await?;
                let count = stella_ledger::vex::count_of_source(tx, &source_id).await?;
                let touched = Touched::of(statements.into_iter().map(|one| one.vuln_id));
                Ok(Merged { count, changed: added > 0, touched })
            })
        })
    }

    /// The list of likelihoods as it is now, or, for a window, when it was made within it and is not older than the one
    /// there is.
    pub(super) async fn epss(&self) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let (known, bytes) = (content.known.clone(), content.bytes);
        let list = off_thread(move || epss::read(&content)).await?;
        if let (0, Some(refusal)) = (list.count(), list.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        let report = IngestReport {
            bytes: bytes as i64,
            digest: known.digest.clone().unwrap_or_default(),
            records: list.count(),
            changed: list.count(),
            refused: list.refused,
            errors: list.problems.clone(),
            ..IngestReport::default()
        };
        let (tenant, times, scored_at) = (self.tenant.clone(), list.times(), list.at());
        let (pages, count) = (list.pages(), list.count());
        let at = scored_at.unwrap_or(self.engine().now()).0;
        match self.asked {
            Asked::Whole => {
                self.refuse_suspicious(self.source.record_count, count)?;
                let read = self.read_mark(known, count, list.scored_at, &report);
                self.done(report, times, read, move |tx, source_id| {
                    Box::pin(async move {
                        stella_ledger::epss::replace(tx, tenant.as_str(), &source_id, at, &pages).await?;
                        Ok(Touched::default())
                    })
                })
            }
            Asked::Live(window) | Asked::Backfill(window) => {
                let is_within = scored_at.is_some_and(|at| window.holds(at));
                let before = self.source.record_count;
                self.merged(report, self.asked, times, list.scored_at, move |tx, source_id| {
                    Box::pin(async move {
                        let stored = stella_ledger::epss::scored_at(tx, &source_id).await?;
                        if !is_within || stored.is_some_and(|stored| stored > at) {
                            return Ok(Merged { count: before, changed: false, touched: Touched::default() });
                        }
                        stella_ledger::epss::replace(tx, tenant.as_str(), &source_id, at, &pages).await?;
                        Ok(Merged { count, changed: true, touched: Touched::default() })
                    })
                })
            }
        }
    }
}
