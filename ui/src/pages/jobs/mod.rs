//! Jobs: the list and one job.

mod actions;
mod aside;
mod attempts;
mod dag;
mod detail;
mod export;
mod filter;
mod filter_edit;
mod history;
mod inputs;
mod kin;
mod list;
mod picked;
mod tabs;
mod timeline;
mod views;
mod waits;

pub use dag::DagPage;
pub use detail::JobPage;
pub use list::JobsPage;
