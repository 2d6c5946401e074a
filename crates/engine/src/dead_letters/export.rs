//! Entries as a file: NDJSON or CSV, oldest first, with a manifest that says what it must be.

use super::DeadLetters;
use crate::caller::Caller;
use crate::error::Error;
use crate::redact;
use crate::sheet::Sheet;
use serde_json::Value;
use stella_bundle::digest;
use stella_contract::dead_letter::{DeadLetterExport, ExportDeadLetters, ExportFormat, ExportManifest};
use stella_contract::scope::Scope;
use stella_ledger::dead_letter_lists::{self as lists, After};
use stella_ledger::dead_letters::DeadLetterRecord;
use stella_ledger::jobs;
use stella_ledger::record::JobRecord;

/// Entries read in one go.
const STRIDE: i64 = 1_000;
const SCHEMA: &str = "stella.deadletter-export.v1";

const HEADINGS: [&str; 31] = [
    "entryId",
    "deadLetteredAt",
    "state",
    "jobType",
    "category",
    "errorCode",
    "errorMessage",
    "fingerprint",
    "httpStatus",
    "host",
    "attempts",
    "firstFailedAt",
    "retryable",
    "replayCount",
    "lastReplayJobId",
    "lastReplayAt",
    "owner",
    "acknowledgedBy",
    "acknowledgedAt",
    "dueAt",
    "resolution",
    "note",
    "resolvedBy",
    "resolvedAt",
    "jobId",
    "runId",
    "sourceId",
    "lastWorkerId",
    "payloadDigest",
    "correlationId",
    "version",
];

impl DeadLetters {
    /// The matching entries as a file. Payloads are in it when they are asked for, secrets redacted.
    pub async fn export(&self, caller: &Caller, wish: &ExportDeadLetters) -> Result<DeadLetterExport, Error> {
        caller.demand(Scope::OrchRead)?;
        let format = wish.format.unwrap_or(ExportFormat::Ndjson);
        let with_payload = wish.payload.unwrap_or(false);
        let last = with_payload.then_some("payload");
        let mut file = Sheet::new(format, HEADINGS.into_iter().chain(last).collect())?;
        let (filter, mut after) = (wish.filter(), None::<After>);
        loop {
            let (tenant, filter) = (caller.tenant.clone(), filter.clone());
            let (records, found): (Vec<DeadLetterRecord>, Vec<JobRecord>) = self
                .engine
                .ledger()
                .read(move |tx| {
                    Box::pin(async move {
                        let records = lists::oldest(tx, &tenant, &filter, after, STRIDE).await?;
                        let keys: Vec<i64> = records.iter().map(|record| record.key).collect();
                        let mut found =
                            if with_payload { jobs::get_many(tx, &keys).await? } else { Vec::new() };
                        jobs::add_payloads(tx, &mut found).await?;
                        Ok::<_, Error>((records, found))
                    })
                })
                .await?;
            after = records.last().map(|last| (last.entry.dead_lettered_at.0, last.key));
            for record in &records {
                let mut entry = serde_json::to_value(&record.entry).map_err(Error::internal)?;
                if with_payload {
                    let job = found.iter().find(|job| job.key == record.key);
                    let payload = redact::value(&self.payload(job, &record.entry).await?);
                    entry["payload"] = match format {
                        ExportFormat::Ndjson => payload,
                        // A cell holds the payload as JSON, whatever it is.
                        ExportFormat::Csv => Value::String(payload.to_string()),
                    };
                }
                file.add(&entry)?;
            }
            if (records.len() as i64) < STRIDE {
                break;
            }
        }
        let generated_at = self.engine.now();
        let (count, content) = (file.count(), file.end()?);
        Ok(DeadLetterExport {
            manifest: ExportManifest {
                schema: SCHEMA.to_owned(),
                format,
                file_name: format!("dead-letter-{}-{}.{format}", caller.tenant, generated_at.basic()),
                count,
                sha256: digest::of_bytes(content.as_bytes()).trim_start_matches("sha256:").to_owned(),
                payload: with_payload,
                tenant: caller.tenant.clone(),
                generated_at,
            },
            content,
        })
    }
}
