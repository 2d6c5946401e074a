//! What is watched: one SBOM each.

mod import;
mod list;
mod reading;

pub use list::TargetsPage;
