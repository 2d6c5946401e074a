//! A run held against another: what went in, how long its segments took, which findings differ.

mod findings;
mod page;
mod segments;
mod summary;

pub use page::RunDiffPage;
pub(super) use summary::determinism;
