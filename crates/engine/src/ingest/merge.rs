//! Reading one window of a source: its records join what is there. What is stored already stays unless what comes is
//! newer, so that a window may be read twice and a backfill beside a live reading.

use super::advisory::{self, is_newer};
use super::keep::{Merged, Times};
use super::{Reading, kev, off_thread, unreadable};
use crate::handlers::{Done, Failure};
use crate::triggers::Touched;
use stella_contract::source::IngestReport;
use stella_contract::watermark::Window;
use stella_ledger::advisories::{self, NewAdvisory};
use stella_ledger::{LedgerError, Tx};

impl Reading<'_> {
    /// The advisories that changed last within the window.
    pub(super) async fn advisories_of(&self, window: Window) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let (known, bytes) = (content.known.clone(), content.bytes);
        self.ctx.progress(0, 0, "Reading the records");
        let mut feed = off_thread(move || advisory::read(content)).await?;
        if let (true, Some(refusal)) = (feed.records.is_empty(), feed.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        feed.keep_only(window);
        let mut report = feed.report();
        report.bytes = bytes as i64;
        report.digest = known.digest.unwrap_or_default();
        report.errors.clone_from(&feed.problems);
        let times = feed.times();
        let newest =
            feed.watermark.clone().filter(|newest| is_newer(Some(newest), self.source.watermark.as_deref()));
        let records: Vec<NewAdvisory> = feed.records.into_values().collect();
        let (source_id, wanted) = (self.source.source_id.clone(), records.clone());
        let (added, changed) = self
            .engine()
            .ledger()
            .read::<_, LedgerError, _>(|tx| {
                Box::pin(async move {
                    let sorted = sort(tx, &source_id, wanted).await?;
                    Ok((sorted.added.len(), sorted.changed.len()))
                })
            })
            .await
            .map_err(super::ledger_failed)?;
        report.added = added as i64;
        report.changed = changed as i64;
        report.unchanged = added + changed == 0;
        let (tenant, asked) = (self.tenant.clone(), self.asked);
        self.merged(report, asked, times, newest, move |tx, source_id| {
            Box::pin(async move {
                let sorted = sort(tx, &source_id, records).await?;
                let gone: Vec<String> =
                    sorted.changed.iter().map(|record| record.record_id.clone()).collect();
                let packages = advisories::packages_of(tx, &source_id, &gone).await?;
                advisories::remove_many(tx, &source_id, &gone).await?;
                let new: Vec<NewAdvisory> = sorted.changed.into_iter().chain(sorted.added).collect();
                advisories::insert_many(tx, tenant.as_str(), &source_id, &new).await?;
                let count = advisories::count(tx, &source_id).await?;
                let changed = !new.is_empty();
                let vuln_ids = new.into_iter().map(|record| record.record_id).collect();
                Ok(Merged { count, changed, touched: Touched { vuln_ids, packages } })
            })
        })
    }

    /// The entries of the list that were added within the window.
    pub(super) async fn kev_of(&self, window: Window) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let list = kev::read(&content);
        if let (true, Some(refusal)) = (list.entries.is_empty(), list.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        let entries = list.within(window);
        let source_id = self.source.source_id.clone();
        let before = self
            .engine()
            .ledger()
            .read(|tx| Box::pin(async move { stella_ledger::kev::of_source(tx, &source_id).await }))
            .await
            .map_err(super::ledger_failed)?;
        let added = entries.iter().filter(|(cve, _)| !before.contains_key(cve)).count();
        let changed =
            entries.iter().filter(|(cve, body)| before.get(cve).is_some_and(|known| known != body)).count();
        let report = IngestReport {
            bytes: content.bytes as i64,
            digest: content.known.digest.clone().unwrap_or_default(),
            records: entries.len() as i64,
            added: added as i64,
            changed: changed as i64,
            unchanged: added + changed == 0,
            refused: list.refused,
            errors: list.problems.clone(),
            ..IngestReport::default()
        };
        let (tenant, times, asked) = (self.tenant.clone(), Times::default(), self.asked);
        self.merged(report, asked, times, None, move |tx, source_id| {
            Box::pin(async move {
                let mut all = stella_ledger::kev::of_source(tx, &source_id).await?;
                let mut listed = Vec::new();
                for (cve, body) in entries {
                    if all.insert(cve.clone(), body.clone()).is_none_or(|known| known != body) {
                        listed.push(cve);
                    }
                }
                let changed = !listed.is_empty();
                let mut all: Vec<(String, String)> = all.into_iter().collect();
                all.sort_unstable();
                if changed {
                    stella_ledger::kev::replace(tx, tenant.as_str(), &source_id, &all).await?;
                }
                Ok(Merged { count: all.len() as i64, changed, touched: Touched::of(listed) })
            })
        })
    }
}

/// Records that are not there yet, and those that are newer than what is there.
struct Sorted {
    added: Vec<NewAdvisory>,
    changed: Vec<NewAdvisory>,
}

async fn sort(tx: &mut Tx, source_id: &str, records: Vec<NewAdvisory>) -> Result<Sorted, LedgerError> {
    let ids: Vec<String> = records.iter().map(|record| record.record_id.clone()).collect();
    let known = advisories::known(tx, source_id, &ids).await?;
    let mut sorted = Sorted { added: Vec::new(), changed: Vec::new() };
    for record in records {
        match known.get(&record.record_id) {
            None => sorted.added.push(record),
            Some((_, digest)) if *digest == record.digest => {}
            Some((modified, _)) if is_newer(Some(modified), Some(&record.modified)) => {}
            Some(_) => sorted.changed.push(record),
        }
    }
    sorted.added.sort_unstable_by(|one, two| one.record_id.cmp(&two.record_id));
    sorted.changed.sort_unstable_by(|one, two| one.record_id.cmp(&two.record_id));
    Ok(sorted)
}
