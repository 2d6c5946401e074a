//! The door: one axum router for TCP and for the window in process. It translates and nothing more.
//!
//! Every endpoint of `contract::api::ENDPOINTS` is mounted in `table`, and only there. A handler takes typed inputs
//! (`take`), calls one method of the engine and wraps what comes back (`reply`); both describe themselves to the API
//! document (`describe`, `openapi`). Whatever a handler needs to be sure of is made sure by the one wrapper (`audited`).
//! It knows no SQL, no ledger and no rule.
//!
//! | file | holds |
//! |---|---|
//! | `door`, `slot`, `house`, `serve` | putting it together; the engine behind it, or why there is none |
//! | `table`, `mounted`, `handler`, `verbs` | every endpoint and its handler; paths of the form `{id}:verb` |
//! | `audited`, `auth`, `desk`, `hosts` | who may come how far |
//! | `limit`, `ageing`, `tallies` | how many requests a token may make; entity tags and addresses that go; what this process counts |
//! | `take`, `reply`, `exported`, `sse`, `sse_feed`, `sse_cloud`, `sse_run`, `socket` | what handlers read and answer |
//! | `refusal`, `envelope` | every refusal in one form, with its trace id |
//! | `describe`, `examples`, `openapi` | the API document |
//! | `assets` | the web build of the UI |
//! | `handlers` | one file per noun |

mod ageing;
mod assets;
mod audited;
mod auth;
mod describe;
mod desk;
mod door;
mod envelope;
mod examples;
mod exported;
mod handler;
mod handlers;
mod hosts;
mod house;
mod limit;
mod mounted;
mod openapi;
mod refusal;
mod reply;
mod serve;
mod slot;
mod socket;
mod sse;
mod sse_cloud;
mod sse_feed;
mod sse_run;
mod table;
mod take;
mod tallies;
mod verbs;

pub use assets::Assets;
pub use auth::{Auth, LocalOperator};
pub use door::{Door, mounted, router};
pub use hosts::Hosts;
pub use limit::RequestLimit;
pub use openapi::document;
pub use serve::serve;
pub use slot::EngineSlot;
