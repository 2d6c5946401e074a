//! The graph around a job, with its run over time.

mod artifacts;
mod model;
mod page;
mod timeline;

pub use page::DagPage;
