//! Runs: the list with one of them beside it, the forms that start one, its live stream, and the scheduler's index.

mod changes;
mod draft;
mod drawer;
mod figures;
mod filter;
mod form;
mod impact;
mod list;
mod log;
mod segments;
mod steps;
mod summary;
mod table;
mod verbs;

pub use list::RunsPage;
