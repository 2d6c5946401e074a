//! Where advisories, lists and SBOMs come from.

mod add;
mod list;
mod run;

pub use list::SourcesPage;
