//! What stands behind the door, shared by every request.

use crate::auth::Auth;
use crate::limit::Limiter;
use crate::openapi::ApiDocument;
use crate::slot::EngineSlot;
use crate::tallies::Tallies;
use std::sync::Arc;

/// What the wrapper needs of the door.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) slot: EngineSlot,
    pub(crate) auth: Auth,
    pub(crate) document: Arc<ApiDocument>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) tallies: Arc<Tallies>,
}
