//! What is taken away of runs: the list as a file with its manifest, and what a run's segments left.

use crate::caller::Caller;
use crate::error::Error;
use crate::runs::{Runs, demand_possible, find, view, wanted};
use crate::sheet::Sheet;
use crate::{features, page};
use stella_bundle::digest;
use stella_contract::dead_letter::ExportFormat;
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run_export::{
    ExportRuns, MOST_EXPORTED, MOST_NAMED, RunEvidence, RunExport, RunManifest,
};
use stella_contract::scope::Scope;
use stella_ledger::LedgerError;
use stella_ledger::artifacts::{self, SegmentArtifact};
use stella_ledger::runs::{self, Wanted};

/// Runs read in one go.
const STRIDE: i64 = 1_000;
const SCHEMA: &str = "stella.run-export.v1";

const HEADINGS: [&str; 56] = [
    "runId",
    "createdAt",
    "state",
    "errorCode",
    "errorMessage",
    "trigger",
    "triggerDetail",
    "initiator",
    "reason",
    "ticket",
    "mode",
    "scope",
    "scopeDigest",
    "plannerShardCount",
    "impactIndexGeneration",
    "kevReleased",
    "kevFirst",
    "badges",
    "candidates",
    "processed",
    "failed",
    "findings",
    "segments.pending",
    "segments.queued",
    "segments.running",
    "segments.succeeded",
    "segments.failed",
    "segments.cancelled",
    "segments.skipped",
    "deltas.newCritical",
    "deltas.newHigh",
    "deltas.newMedium",
    "deltas.newLow",
    "deltas.newUnknown",
    "deltas.resolvedCritical",
    "deltas.resolvedHigh",
    "deltas.resolvedMedium",
    "deltas.resolvedLow",
    "deltas.resolvedUnknown",
    "deltas.severityRaised",
    "deltas.severityLowered",
    "deltas.quieted",
    "deltas.unquieted",
    "deltas.kevAdded",
    "deltas.kevRemoved",
    "retryOf",
    "onlyFailed",
    "determinism.score",
    "determinism.sample",
    "correlationId",
    "plannedAt",
    "startedAt",
    "executedAt",
    "finishedAt",
    "tenant",
    "version",
];

impl Runs {
    /// The matching runs as a file, newest first.
    pub async fn export(&self, caller: &Caller, wish: &ExportRuns) -> Result<RunExport, Error> {
        caller.demand(Scope::DownloadsRead)?;
        let format = wish.format.unwrap_or(ExportFormat::Ndjson);
        let named = named(wish.runs.as_deref())?;
        demand_possible(&wish.filter())?;
        let wanted = Wanted { run_ids: named, ..wanted(&wish.filter()) };
        let mut file = Sheet::new(format, HEADINGS.to_vec())?;
        let (now, mut after) = (self.engine.now(), None::<(i64, String)>);
        loop {
            let (tenant, wanted, from) = (caller.tenant.clone(), wanted.clone(), after.take());
            let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let rows = runs::list(tx, &tenant, &wanted, from.as_ref(), STRIDE).await?;
                    let beside = view::beside(tx, &rows, now).await?;
                    rows.iter().map(|row| view::of(row, &beside)).collect::<Result<Vec<_>, _>>()
                })
            });
            let found = read.await?;
            for run in &found {
                file.add(&serde_json::to_value(run).map_err(Error::internal)?)?;
            }
            if file.count() > MOST_EXPORTED {
                let why = format!("at most {MOST_EXPORTED} runs fit into one file; narrow the filter");
                return Err(Error::invalid("since", why));
            }
            match found.last() {
                Some(last) if found.len() as i64 == STRIDE => {
                    after = Some((last.created_at.0, last.run_id.as_str().to_owned()));
                }
                Some(_) | None => break,
            }
        }
        let (count, content) = (file.count(), file.end()?);
        Ok(RunExport {
            manifest: RunManifest {
                schema: SCHEMA.to_owned(),
                format,
                file_name: format!("runs-{}-{}.{format}", caller.tenant, now.basic()),
                count,
                sha256: digest::of_bytes(content.as_bytes()).trim_start_matches("sha256:").to_owned(),
                tenant: caller.tenant.clone(),
                generated_at: now,
            },
            content,
        })
    }

    /// What the segments of a run left, by shard, place and name.
    pub async fn evidence(
        &self,
        caller: &Caller,
        run_id: &RunId,
        query: &PageQuery,
    ) -> Result<Page<RunEvidence>, Error> {
        caller.demand(Scope::DownloadsRead)?;
        let after: Option<(i64, i64, String)> = page::after(&("evidence", run_id), query)?;
        let (tenant, wanted) = (caller.tenant.clone(), run_id.clone());
        let limit = i64::from(query.size()) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::EvidenceBundles).await?;
                let run = find(tx, &tenant, &wanted).await?;
                let total = artifacts::count_of_run(tx, &tenant, run.run_key).await?;
                let rows = artifacts::of_run(tx, &tenant, run.run_key, after.as_ref(), limit).await?;
                let rows = rows.into_iter().map(evidence).collect::<Result<Vec<_>, LedgerError>>()?;
                Ok((rows, total))
            })
        });
        let (rows, total) = read.await?;
        page::of(&("evidence", run_id), query, rows, u64::try_from(total).ok(), |one: &RunEvidence| {
            (i64::from(one.shard), i64::from(one.ordinal), one.artifact.name.clone())
        })
    }
}

/// The ids that were named, each of which must be one.
fn named(text: Option<&str>) -> Result<Vec<String>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let ids: Vec<&str> = text.split(',').collect();
    if ids.len() > MOST_NAMED {
        return Err(Error::invalid("runs", format!("1 to {MOST_NAMED} ids with commas between them")));
    }
    ids.iter()
        .map(|id| id.parse::<RunId>().map(|id| id.as_str().to_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::invalid("runs", error.to_string()))
}

fn evidence(row: SegmentArtifact) -> Result<RunEvidence, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("segments", column, &row.segment_id);
    Ok(RunEvidence {
        segment_id: row.segment_id.parse().map_err(|_| corrupt("segment_id"))?,
        shard: i32::try_from(row.shard).map_err(|_| corrupt("shard"))?,
        ordinal: i32::try_from(row.ordinal).map_err(|_| corrupt("ordinal"))?,
        artifact: row.artifact,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_be_runs_and_not_too_many() {
        let run = "run:acme:20261121T140815Z:9c1f04ab";
        assert_eq!(named(None).unwrap(), Vec::<String>::new());
        assert_eq!(named(Some(&format!("{run},{run}"))).unwrap().len(), 2);
        assert!(named(Some(&format!("{run}, {run}"))).is_err());
        assert!(named(Some(",")).is_err());
        assert!(named(Some("job_1")).is_err());
        assert!(named(Some(&vec![run; MOST_NAMED + 1].join(","))).is_err());
    }
}
