//! What stands behind the door, shared by every request.

use crate::auth::Auth;
use crate::openapi::ApiDocument;
use crate::slot::EngineSlot;
use std::sync::Arc;

/// What the wrapper needs of the door.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) slot: EngineSlot,
    pub(crate) auth: Auth,
    pub(crate) document: Arc<ApiDocument>,
}
