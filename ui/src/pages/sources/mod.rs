//! Where advisories, lists and SBOMs come from.

mod add;
mod backfill_dialog;
mod backfills;
mod board;
mod coverage;
mod draft;
mod list;
mod map;
mod page;
mod run;
mod settings;
mod verbs;

pub use list::SourcesPage;
pub(super) use map::{moment, written};
pub use page::{SourcePage, SourcePageProps};
