//! Jobs: the list and one job.

mod detail;
mod filter;
mod history;
mod list;
mod timeline;

pub use detail::JobPage;
pub use list::JobsPage;
