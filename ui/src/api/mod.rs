//! The core as the interface sees it: one typed method per endpoint, over a transport.
//!
//! | name | is |
//! |---|---|
//! | `Api` | the client; take it by `store::use_api()`. Methods: `session`, `overview`, `jobs(&filter, &page)`, `job(&id)`, `job_history(&id, &page)`, `submit_job`, `cancel_job(&id, &cause)`, `verify_history`, `artifact(&digest)`, `workers(&page)`, `sources(&page)`, `source`, `add_source`, `run_source(&id, &wish, &cause)`, `targets(&filter, &page)`, `target`, `import_sbom(&place, text)`, `runs(&filter, &page)`, `run`, `preview_run`, `start_run(&wish, &cause)`, `cancel_run`, `retry_run`, `segments(&id, &page)`, `run_changes(&id, &page)`, `run_messages(&id, &query)`, `findings(&filter, &page)`, `explain(&query)`, `export_findings(&filter)`, `policies(&page)`, `policy(&id)`, `check_policy`, `add_policy`, `promote_policy`, `triggers`, `vex(&filter, &page)` |
//! | `Problem` | why there is no answer: `sentence()`, `next_step()`, `code()`, `refused()`, `trace()`, `of_field(name)` |
//! | `Load<T>` | `Idle`, `Loading`, `Ready(T, at)`, `Stale(T, at, problem)`, `Failed(problem)`; `value()`, `as_of()`, `problem()`, `is_waiting()` |
//!
//! All methods are `async` and answer `Result<T, Problem>`. Pages rarely call the reading ones: `store::use_query` and
//! `store::use_list` do, keep the answers, and ask again when the live feed tells of a change.

mod backfills;
pub mod chance;
mod change_sets;
mod client;
mod dead_letters;
mod engine;
mod http;
mod limits;
mod load;
mod policies;
mod problem;
mod run_board;
mod run_diffs;
mod schedules;
pub mod shell;
pub mod sse;
pub mod transport;

pub use backfills::BackfillVerb;
pub use change_sets::ChangeSetVerb;
pub use client::{Api, Result};
pub use engine::WorkerVerb;
pub use http::Http;
pub use limits::BreakerVerb;
pub use load::Load;
pub use problem::Problem;
pub use schedules::ScheduleVerb;
pub use transport::{Answer, FeedKind, FeedSink, Request, RunSink, Transport};
