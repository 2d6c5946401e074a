//! The graph around a job, with its run over time.

mod model;
mod page;
mod timeline;

pub use page::DagPage;
