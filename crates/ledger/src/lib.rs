//! The book: every row and every statement. The only crate that knows SQL, and that there are two databases.
//!
//! It decides nothing, reads no clock and makes no ids: the engine hands it times and identifiers. Verbs are
//! set-based; a single thing is a set of one.
//!
//! | file | holds |
//! |---|---|
//! | `db`, `query` | two databases in one page; statements with filters |
//! | `ledger`, `writer` | open; `write` (one writer, group commit) and `read` (one snapshot) |
//! | `migrate`, `error`, `key` | the schema; what can go wrong; row keys inside public ids |
//! | `jobs`, `claims`, `leases`, `listing` | the hot table: insert, claim, fence, finish, cancel, lists |
//! | `book` | what the calls of a commit leave to be written at its end |
//! | `history`, `feed`, `chains` | the hash chain and the live feed, both gap-free per tenant; where they stand |
//! | `record`, `set` | a job's row; a set as one parameter |
//! | `edges` | what waits for what; graphs and lineages |
//! | `limits`, `quotas`, `buckets`, `throttles`, `breakers`, `blackouts`, `pressure` | what holds jobs back |
//! | `workers`, `artifacts` | who did it and what it left |
//! | `sources`, `advisories`, `kev`, `targets`, `components` | what came in |
//! | `watermarks`, `backfills` | how far sources are read, and what is read again |
//! | `vex`, `epss` | what is said of products; how likely vulnerabilities are exploited |
//! | `policies`, `triggers` | rules over findings; runs that follow what comes in |
//! | `impact`, `previews`, `rows` | which targets a key touches; many rows as one parameter |
//! | `counts`, `slos`, `instance`, `telling`, `exposition` | what was counted along the history; objectives; the name of this ledger; what events and figures say |
//! | `change_sets`, `change_items`, `saved_views` | one verb on many things; views under a name |
//! | `schedules` | when runs start by themselves, and what became of every fire |
//! | `tokens`, `idempotency` | who may knock; the first answer to each idempotency key |
//! | `overview`, `samples` | the figures of the first page |
//! | `run_figures`, `run_samples` | runs over a day: counts, durations, backlog |
//! | `features` | what was switched off |

#![expect(clippy::disallowed_methods, reason = "this is the one crate that may speak SQL")]

pub mod advisories;
pub mod artifacts;
pub mod backfills;
pub mod blackouts;
pub mod book;
pub mod breakers;
pub mod bucket_samples;
pub mod buckets;
pub mod chains;
pub mod change_items;
pub mod change_sets;
pub mod claims;
pub mod components;
pub mod counts;
pub mod db;
pub mod dead_letter_figures;
pub mod dead_letter_lists;
pub mod dead_letters;
mod deltas;
pub mod edges;
pub mod epss;
pub mod error;
pub mod exposition;
pub mod features;
pub mod feed;
pub mod finding_lists;
pub mod findings;
pub mod history;
pub mod idempotency;
pub mod impact;
pub mod incidents;
pub mod instance;
pub mod jobs;
pub mod kev;
pub mod key;
pub mod leases;
pub mod ledger;
pub mod limits;
pub mod listing;
pub mod migrate;
#[cfg(feature = "testing")]
pub mod multiply;
pub mod mutes;
pub mod overview;
#[cfg(test)]
mod plans;
pub mod policies;
pub mod pressure;
pub mod previews;
pub mod query;
pub mod quotas;
pub mod record;
mod rows;
pub mod run_diffs;
pub mod run_figures;
pub mod run_messages;
pub mod run_samples;
pub mod runs;
pub mod samples;
pub mod saved_views;
pub mod schedules;
pub mod segments;
pub mod set;
pub mod slos;
pub mod sources;
pub mod targets;
pub mod telling;
#[cfg(feature = "testing")]
pub mod testing;
pub mod throttles;
pub mod tokens;
pub mod triggers;
pub mod uploads;
pub mod vex;
pub mod violations;
pub mod watermarks;
pub mod workers;
mod writer;

pub use db::{Sql, Tx};
pub use error::LedgerError;
pub use futures::future::BoxFuture;
pub use key::{key_of, key_of_lease, key_of_uuid};
pub use ledger::{Ledger, LedgerPlace, News};
pub use query::{Query, Value};
