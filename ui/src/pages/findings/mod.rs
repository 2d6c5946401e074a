//! Findings: every vulnerability that stands, and why.

mod drawer;
mod export;
mod filter;
mod list;
pub(crate) mod purl;
mod vex;

pub use list::FindingsPage;
