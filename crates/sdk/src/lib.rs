//! The client of Stella Operator's HTTP interface: one method per endpoint of `contract::api`.
//!
//! It speaks in the words of the contract and decides nothing. It does not know the engine or the ledger; what carries
//! its requests is a [`Transport`], so that the same client speaks over TCP and to a router in the same process.
//!
//! | file | what it is about |
//! |---|---|
//! | `client` | the client: headers, refusals, when a read is repeated |
//! | `transport` | what carries a request; the one place where HTTP clients are made |
//! | `error` | how a call can fail |
//! | `pages` | every row of a list, page after page |
//! | `change_sets`, `jobs`, `runs`, `sources`, `targets`, `findings`, `core` | the endpoints, one file per noun |
//! | `floor`, `worker` | what workers say, call by call; a worker that says it all in the right order |
//! | `conformance` | a list of cases that a server or a worker of anybody has to stand |
//! | `quotas`, `limits` | what holds jobs back |
//! | `sse` | event streams, byte by byte |
//! | `run_stream` | a run watched live, over every broken connection |
//! | `feed` | the tenant's live feed |
//!
//! A binary that speaks `https` installs a crypto provider for rustls before it makes a client.

#![warn(missing_docs)]

mod backfills;
mod change_sets;
mod client;
pub mod conformance;
mod core;
mod dead_letters;
mod error;
mod feed;
mod findings;
mod floor;
mod jobs;
mod limits;
mod ops;
mod pages;
mod policies;
mod quotas;
mod run_stream;
mod runs;
mod schedules;
mod sources;
pub mod sse;
mod targets;
mod transport;
pub mod worker;

pub use backfills::Backfills;
pub use change_sets::{ChangeSets, Views};
pub use client::{Client, Write};
pub use core::Core;
pub use dead_letters::{DeadLetters, Incidents};
pub use error::{Error, Fault};
pub use feed::Feed;
pub use findings::Findings;
pub use floor::{Floor, Upload};
pub use jobs::Jobs;
pub use limits::Limits;
pub use ops::Ops;
pub use pages::{Rows, collect_all};
pub use policies::{Policies, Triggers};
pub use quotas::Quotas;
pub use run_stream::RunStream;
pub use runs::Runs;
pub use schedules::Schedules;
pub use sources::Sources;
pub use targets::Targets;
pub use transport::{ByteStream, HttpTransport, Transport};
