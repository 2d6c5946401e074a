//! Entries as a file: NDJSON or CSV, oldest first, with a manifest that says what it must be.

use super::DeadLetters;
use crate::caller::Caller;
use crate::error::Error;
use crate::redact;
use serde_json::Value;
use stella_bundle::digest;
use stella_contract::dead_letter::{
    DeadLetter, DeadLetterExport, ExportDeadLetters, ExportFormat, ExportManifest,
};
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
        let mut file = Sheet::new(format, with_payload)?;
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
                let payload = if with_payload {
                    let job = found.iter().find(|job| job.key == record.key);
                    Some(redact::value(&self.payload(job, &record.entry).await?))
                } else {
                    None
                };
                file.add(&record.entry, payload)?;
            }
            if (records.len() as i64) < STRIDE {
                break;
            }
        }
        let generated_at = self.engine.now();
        let (count, content) = file.end()?;
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

/// A file that grows entry by entry.
enum Sheet {
    Ndjson { text: String, count: u64 },
    Csv { writer: Box<csv::Writer<Vec<u8>>>, count: u64 },
}

impl Sheet {
    fn new(format: ExportFormat, with_payload: bool) -> Result<Self, Error> {
        Ok(match format {
            ExportFormat::Ndjson => Self::Ndjson { text: String::new(), count: 0 },
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                let last = with_payload.then_some("payload");
                writer.write_record(HEADINGS.into_iter().chain(last)).map_err(Error::internal)?;
                Self::Csv { writer: Box::new(writer), count: 0 }
            }
        })
    }

    fn add(&mut self, entry: &DeadLetter, payload: Option<Value>) -> Result<(), Error> {
        let mut value = serde_json::to_value(entry).map_err(Error::internal)?;
        match self {
            Self::Ndjson { text, count } => {
                if let Some(payload) = payload {
                    value["payload"] = payload;
                }
                text.push_str(&serde_json::to_string(&value).map_err(Error::internal)?);
                text.push('\n');
                *count += 1;
            }
            Self::Csv { writer, count } => {
                let cells = HEADINGS.iter().map(|name| cell(value.get(*name)));
                let last = payload.map(|payload| cell(Some(&Value::String(payload.to_string()))));
                writer.write_record(cells.chain(last)).map_err(Error::internal)?;
                *count += 1;
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(u64, String), Error> {
        Ok(match self {
            Self::Ndjson { text, count } => (count, text),
            Self::Csv { writer, count } => {
                let bytes = writer.into_inner().map_err(Error::internal)?;
                (count, String::from_utf8(bytes).map_err(Error::internal)?)
            }
        })
    }
}

/// A value as a cell. Programs for sheets take text that begins with one of these signs for a formula and run it, so
/// an apostrophe is put before it; numbers of ours are never below zero.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    {
        return format!("'{text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (value, expected) in [
            (json!("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!("@sum(a1)"), "'@sum(a1)"),
            (json!("\t=1"), "'\t=1"),
            (json!("\u{ff1d}1"), "'\u{ff1d}1"),
            (json!("plain = text"), "plain = text"),
            (json!(3), "3"),
            (json!(true), "true"),
            (json!(null), ""),
        ] {
            assert_eq!(cell(Some(&value)), expected);
        }
        assert_eq!(cell(None), "");
    }
}
