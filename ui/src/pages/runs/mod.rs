//! Runs: the list with one of them beside it, two of them held against each other, the forms that start one, its live stream, and the scheduler's index.

mod board;
mod changes;
mod diff;
mod draft;
mod drawer;
mod figures;
mod filter;
mod form;
mod impact;
mod list;
mod log;
mod scheduler;
mod segment_retry;
mod segments;
mod steps;
mod stream;
mod summary;
mod table;
mod verbs;

pub use diff::RunDiffPage;
pub use list::RunsPage;
pub use scheduler::SchedulerPage;
pub use stream::RunStreamPage;
