//! All quotas of a tenant at one moment, as one document.

use super::Quotas;
use crate::caller::Caller;
use crate::error::Error;
use stella_bundle::{canonical, digest};
use stella_contract::quota::{ExportFormat, ExportQuery, Quota, QuotaSnapshot};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;

/// The schema of the snapshot.
const SCHEMA: &str = "orch.quota-snapshot.v1";

/// A document to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What it is.
    pub media_type: &'static str,
    /// What to call it.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `sha256:<64 hex>` of the bytes.
    pub digest: String,
}

impl Quotas {
    /// All quotas with their live values, sorted by tenant and job type, as JSON or CSV.
    pub async fn export(&self, caller: &Caller, query: &ExportQuery) -> Result<Export, Error> {
        caller.demand(Scope::OrchRead)?;
        let now = self.engine.now();
        let quotas = self.all(caller).await?;
        let stamp = now.basic();
        let (media_type, ending, bytes) = match query.format.unwrap_or(ExportFormat::Json) {
            ExportFormat::Json => ("application/json", "json", as_json(caller, quotas, now)?),
            ExportFormat::Csv => ("text/csv", "csv", as_csv(&quotas)?),
        };
        Ok(Export {
            media_type,
            file_name: format!("quotas-{}-{stamp}.{ending}", caller.tenant),
            digest: digest::of_bytes(&bytes),
            bytes,
        })
    }
}

fn as_json(caller: &Caller, quotas: Vec<Quota>, now: Micros) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_value(&quotas).map_err(Error::internal)?;
    let sha256 = digest::of_bytes(canonical::to_string(&plain).map_err(Error::internal)?.as_bytes());
    let snapshot = QuotaSnapshot {
        schema: SCHEMA.to_owned(),
        tenant: caller.tenant.clone(),
        exported_at: now,
        quotas,
        sha256,
    };
    let snapshot = serde_json::to_value(&snapshot).map_err(Error::internal)?;
    Ok(canonical::to_string(&snapshot).map_err(Error::internal)?.into_bytes())
}

const HEADING: [&str; 22] = [
    "tenant",
    "jobType",
    "quotaId",
    "maxActive",
    "maxPerHour",
    "burst",
    "refillPerSecond",
    "strategy",
    "weight",
    "reserved",
    "paused",
    "pauseReason",
    "pausedUntil",
    "active",
    "waiting",
    "usedLastHour",
    "tokens",
    "refusedLastHour",
    "nextResetAt",
    "revertAt",
    "updatedBy",
    "version",
];

fn as_csv(quotas: &[Quota]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADING).map_err(Error::internal)?;
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    for quota in quotas {
        let (limits, live) = (&quota.limits, &quota.live);
        let row: [String; 22] = [
            quota.tenant.as_str().to_owned(),
            quota.job_type.clone(),
            quota.quota_id.as_str().to_owned(),
            limits.max_active.to_string(),
            limits.max_per_hour.to_string(),
            limits.burst.to_string(),
            limits.refill_per_second.to_string(),
            limits.strategy.to_string(),
            limits.weight.to_string(),
            limits.reserved.to_string(),
            quota.paused.to_string(),
            plain_cell(quota.pause_reason.as_deref().unwrap_or_default()),
            at(quota.paused_until),
            live.active.to_string(),
            live.waiting.to_string(),
            live.used_last_hour.to_string(),
            live.tokens.to_string(),
            live.refused_last_hour.to_string(),
            at(live.next_reset_at),
            at(quota.revert_at),
            plain_cell(&quota.updated_by),
            quota.version.to_string(),
        ];
        writer.write_record(row).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// A text that a spreadsheet would take for a formula is marked as text.
fn plain_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
