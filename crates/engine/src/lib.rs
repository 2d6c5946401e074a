//! The rules: what may happen to jobs, runs, sources and findings, and what follows from it.
//!
//! It opens every transaction, asks `contract::…::next` for every arrow, and writes the change, its history entry and
//! its feed event together. It holds no SQL text and knows no HTTP server. Nothing here reads the wall clock but
//! `clock`, nothing makes random but `chance`.
//!
//! | file | holds |
//! |---|---|
//! | `clock`, `chance`, `caller`, `error`, `page`, `bus` | what every noun needs |
//! | `jobs`, `intake`, `work`, `report`, `worker`, `retry`, `journal`, `change`, `history`, `blobs`, `artifacts`, `workers` | a job's life |
//! | `backfills`, `coverage`, `watermarks`, `source_changes`, `source_test`, `source_watermarks` | how far sources are read, and steering it |
//! | `gate`, `limits`, `feedback`, `quotas`, `throttles`, `breakers`, `blackouts`, `pressure` | what holds jobs back |
//! | `sources`, `fetch`, `ingest`, `targets`, `feed_index` | what comes in |
//! | `impact`, `previews` | which targets a scope or key touches |
//! | `runs`, `findings`, `vex`, `epss` | what comes out, what is said of it, how likely it is used |
//! | `schedules`, `cron` | when runs start by themselves; local times and changes of the clock |
//! | `change_sets`, `views` | one verb on many things; views under a name |
//! | `dead_letters`, `incidents` | what failed for good, and what needs attention |
//! | `handlers` | what the workers of this process do for each job type |
//! | `sessions`, `features`, `idempotency` | who asks; what is switched off; the first answer to each idempotency key |
//! | `sheet` | things as a file |
//! | `tally`, `stats`, `slos`, `timeline`, `events`, `metrics` | what is counted along the history; figures by job type; objectives; runs over time; events and figures for others |
//! | `feed`, `overview` | what is told live; the figures of the first page |
//! | `tasks` | background work that looks and repairs |

pub mod artifacts;
mod attempts;
mod backfills;
pub mod blackouts;
pub mod blobs;
pub mod breakers;
pub mod bus;
pub mod caller;
pub mod chance;
pub mod change;
pub mod change_sets;
pub mod clock;
mod coverage;
mod cron;
mod dag;
pub mod dead_letters;
pub mod edges;
mod engine;
mod epss;
pub mod error;
pub mod events;
pub mod features;
pub mod feed;
mod feed_index;
pub mod feed_tail;
mod feedback;
mod fetch;
pub mod findings;
mod findings_csv;
pub mod floor;
mod floor_claims;
mod floor_lines;
mod floor_watch;
mod gate;
mod graph;
pub mod handlers;
pub mod history;
mod host_buckets;
pub mod idempotency;
mod impact;
pub mod incidents;
mod ingest;
mod intake;
mod intake_line;
pub mod jobs;
pub mod journal;
mod kept_looks;
mod limit_changes;
mod limits;
mod line;
mod lineage;
pub mod metrics;
pub mod overview;
pub mod page;
mod policies;
pub mod pressure;
mod previews;
pub mod quotas;
pub mod redact;
mod report;
mod retention;
pub mod retry;
mod running;
mod runs;
mod sbom;
pub mod schedules;
mod secrets;
pub mod sessions;
mod sheet;
pub mod slos;
mod source_changes;
mod source_test;
mod source_watermarks;
pub mod sources;
pub mod stats;
mod tail;
mod tally;
pub mod targets;
pub mod tasks;
pub mod throttles;
pub mod timeline;
mod told_watermarks;
mod triggers;
pub mod verbs;
mod vex;
pub mod views;
mod watermarks;
pub mod work;
mod worker;
pub mod workers;

pub use backfills::Backfills;
pub use caller::Caller;
pub use chance::{Chance, SeededChance, SystemChance};
pub use clock::{Clock, SystemClock, TestClock};
pub use engine::{Engine, Options};
pub use error::Error;
pub use fetch::FetchLimits;
pub use findings::Findings;
pub use findings_csv::FindingsCsv;
pub use policies::Policies;
pub use previews::Previews;
pub use running::Running;
pub use runs::{RunLine, RunLines, Runs};
pub use stella_ledger::{BoxFuture, LedgerPlace, Tx};
pub use triggers::{Delivery, Triggers};
