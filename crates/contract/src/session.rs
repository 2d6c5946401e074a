//! Who is asking, and of which core: what the frame of the UI shows.

use crate::feature::Feature;
use crate::ids::Tenant;
use crate::scope::Scope;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where the core keeps its book.
    LedgerKind {
        /// One file.
        Sqlite = "sqlite",
        /// A server.
        Postgres = "postgres",
    }
}

/// The caller as the core sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The OS user or the token's name.
    pub subject: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The tenants it may see; the first is the default.
    pub tenants: Vec<Tenant>,
    /// Whether it may only read.
    pub read_only: bool,
    /// What is switched off on this ledger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<Feature>,
    /// The core's version.
    pub version: String,
    /// Where the core keeps its book.
    pub ledger: LedgerKind,
    /// The core's clock.
    pub now: Micros,
}

/// A one-time token to be exchanged for a session's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenSession {
    /// The secret from the address that `stella serve` printed.
    pub one_time_token: String,
}

/// A bearer token; it is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OpenedSession {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Micros,
    /// The tenant it belongs to.
    pub tenant: Tenant,
}

/// The answer of `/health/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Whether requests will be answered.
    pub ready: bool,
    /// What is not ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<String>,
}
