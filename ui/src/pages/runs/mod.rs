//! Runs: the list with one of them beside it, the forms that start one, its live stream, and the scheduler's index.

mod figures;
mod filter;
mod list;
mod steps;
mod table;

pub use list::RunsPage;
