//! Runs: the list with one of them beside it, what is wrong and how they have been doing, two of them held against each
//! other, the forms that start one, its live stream, and the scheduler's index.

mod alerts;
mod board;
mod changes;
mod diff;
mod draft;
mod drawer;
mod escalate;
mod evidence;
mod export;
mod figures;
mod filter;
mod form;
mod impact;
mod list;
mod log;
mod picked;
mod pinned;
mod policy_choice;
mod rows;
mod schedule_choice;
mod scheduled;
mod scheduler;
mod segment_retry;
mod segments;
mod steps;
mod stream;
mod summary;
mod tab;
mod tabbed;
mod table;
mod telemetry;
mod trends;
mod verbs;

pub use diff::RunDiffPage;
pub(in crate::pages) use draft::Draft as RunDraft;
pub(in crate::pages) use form::{Edit as EditRun, reach};
pub use list::RunsPage;
pub use scheduler::SchedulerPage;
pub use stream::RunStreamPage;
