//! Parts of the product that an operator can switch off for everybody on this ledger.

use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// A switch. The names are the platform's.
    Feature {
        /// The figures, trends and warnings over the list of runs.
        Dashboard = "runs.dashboard.enabled",
        /// The live stream of a run; without it pages ask every 30 seconds.
        Sse = "runs.sse.enabled",
        /// Repeating runs and segments.
        Retry = "runs.retry.enabled",
        /// What runs leave as evidence.
        EvidenceBundles = "runs.evidenceBundles",
    }
}

impl Feature {
    /// What it is, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Dashboard => "Figures, trends, warnings and telemetry over the list of runs.",
            Self::Sse => {
                "The live stream of a run. Without it pages and programs ask for its messages, every 30 s."
            }
            Self::Retry => "Repeating runs, and segments of runs.",
            Self::EvidenceBundles => "What runs leave as evidence: its list, and its files to download.",
        }
    }
    /// Why something is refused while it is off.
    pub fn refusal(self) -> String {
        format!("`{self}` is switched off on this ledger; Settings or `stella features set` switch it on")
    }
}

/// A switch as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FeatureSwitch {
    /// Which.
    pub feature: Feature,
    /// Whether it is on. Every switch is, until somebody turns it.
    pub enabled: bool,
    /// What it is, in a sentence.
    pub meaning: String,
    /// When it was last turned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Micros>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Rises with every change, from 0; for `If-Match`.
    pub version: i64,
}

/// A wish to turn a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetFeature {
    /// Whether it shall be on.
    pub enabled: bool,
}
