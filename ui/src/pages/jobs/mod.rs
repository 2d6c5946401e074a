//! Jobs: the list and one job.

mod dag;
mod detail;
mod filter;
mod history;
mod list;
mod tabs;
mod timeline;

pub use dag::DagPage;
pub use detail::JobPage;
pub use list::JobsPage;
