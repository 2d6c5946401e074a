//! Where a handler stands when it is called. Only the wrapper makes a desk, so there is no other way to a caller with
//! the right to write.

use crate::auth::Auth;
use crate::openapi::ApiDocument;
use crate::slot::EngineSlot;
use crate::tallies::Tallies;
use http::HeaderMap;
use std::sync::Arc;
use stella_contract::ids::Tenant;
use stella_engine::{Caller, Engine};

/// At the desk: a known caller, let pass, and the engine.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    /// The tenants the caller may see, the default first.
    pub(crate) tenants: Vec<Tenant>,
    /// The key that makes a repeated write the same write.
    pub(crate) idempotency_key: Option<String>,
    /// What this process counts.
    pub(crate) tallies: Arc<Tallies>,
}

/// In the hall: anybody.
#[derive(Clone)]
pub(crate) struct Hall {
    pub(crate) slot: EngineSlot,
    pub(crate) document: Arc<ApiDocument>,
    pub(crate) headers: HeaderMap,
    /// How callers are recognised, for what is open only to those at this machine.
    pub(crate) auth: Auth,
    /// Whether the request came from this machine.
    pub(crate) is_near: bool,
    /// What this process counts.
    pub(crate) tallies: Arc<Tallies>,
}
