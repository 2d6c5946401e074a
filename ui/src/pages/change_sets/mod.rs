//! Change-sets: the dialog with the dry run, the list, one set with its items.

mod dialog;
mod dry_run;
mod list;
mod page;
mod words;

pub use dialog::{DryRunDialog, DryRunDialogProps, resolutions};
pub use list::ChangeSetsPage;
pub use page::ChangeSetPage;
