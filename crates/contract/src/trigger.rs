//! Follow-up runs: what came in sets off a run over what it touches (spec 05 §5.1).

use crate::ids::RunId;
use crate::run::RunMode;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What comes in.
    TriggerKind {
        /// Advisories and lists of exploited vulnerabilities.
        Concelier = "concelier",
        /// VEX statements.
        Excititor = "excititor",
    }
}

words! {
    /// What a follow-up run is over.
    TriggerScope {
        /// The targets that what came in touches.
        Changed = "changed",
        /// Every target.
        All = "all",
    }
}

/// The shortest and the longest time between two follow-up runs, in seconds.
pub const TRIGGER_INTERVAL_S: (i64, i64) = (0, 86_400);

/// A follow-up rule as every door shows it; each tenant has one per kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// What comes in.
    pub kind: TriggerKind,
    /// Whether a reading that changed something sets off a run.
    pub enabled: bool,
    /// What the run does.
    pub mode: RunMode,
    /// What it is over.
    pub scope: TriggerScope,
    /// The least time between two such runs, in seconds; what comes in meanwhile is gathered.
    pub min_interval_s: i64,
    /// Keys gathered for the next run.
    pub pending_keys: i64,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_since: Option<Micros>,
    /// When the next run may start; absent while nothing is gathered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Micros>,
    /// The last run it set off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_id: Option<RunId>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<Micros>,
    /// Where others may send what came in.
    pub webhook_path: String,
    /// When the secret that signs what they send was made; absent: nothing is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret_made_at: Option<Micros>,
    /// When something was last taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivery_at: Option<Micros>,
    /// Rises with every change of the rule.
    pub version: i64,
}

/// What is to be changed of a follow-up rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeTrigger {
    /// Whether a reading that changed something sets off a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What the run does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// What it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<TriggerScope>,
    /// The least time between two such runs, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 86_400))]
    pub min_interval_s: Option<i64>,
}

/// A secret that signs what others send. It is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookSecret {
    /// For what comes in.
    pub kind: TriggerKind,
    /// The secret: sign the raw body with HMAC-SHA256 and this text.
    pub secret: String,
    /// When it was made; the one before no longer holds.
    pub made_at: Micros,
}

/// The header with the signature: `sha256=<hex>`, HMAC-SHA256 over the raw body.
pub const SIGNATURE_HEADER: &str = "x-stella-signature";

/// What an advisory service says after it published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvisoryExport {
    /// The export; the same one twice is one run.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub export_id: String,
    /// When this was signed; what is older than 15 minutes is not taken.
    pub issued_at: Micros,
    /// Package URLs whose advisories changed.
    #[serde(default)]
    pub changed_product_keys: Vec<String>,
    /// Vulnerabilities newly known to be exploited.
    #[serde(default)]
    pub kev: Vec<String>,
    /// The time the export covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ExportWindow>,
}

/// The time an export covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportWindow {
    /// From here.
    pub from: Micros,
    /// Up to there.
    pub to: Micros,
}

/// What a VEX service says after it published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VexExport {
    /// The export; the same one twice is one run.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub export_id: String,
    /// When this was signed; what is older than 15 minutes is not taken.
    pub issued_at: Micros,
    /// Claims that changed.
    pub changed_claims: Vec<ChangedClaim>,
}

/// A claim that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangedClaim {
    /// About this vulnerability.
    pub vulnerability_id: String,
    /// In this product, a package URL; it narrows nothing and is noted for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_key: Option<String>,
}

/// What became of something that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookTaken {
    /// The export.
    pub export_id: String,
    /// The run over what it touches.
    pub run_id: RunId,
    /// Whether the same export was taken before; then nothing was started.
    pub replayed: bool,
}
