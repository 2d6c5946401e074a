//! Runs: the list with one of them beside it, the forms that start one, its live stream, and the scheduler's index.

mod board;
mod changes;
mod draft;
mod drawer;
mod figures;
mod filter;
mod form;
mod impact;
mod list;
mod log;
mod scheduler;
mod segments;
mod steps;
mod stream;
mod summary;
mod table;
mod verbs;

pub use list::RunsPage;
pub use scheduler::SchedulerPage;
pub use stream::RunStreamPage;
