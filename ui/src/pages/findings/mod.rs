//! Findings: every vulnerability that stands, and why.

mod drawer;
mod filter;
mod list;
pub(crate) mod purl;

pub use list::FindingsPage;
