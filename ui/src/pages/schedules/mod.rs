//! Schedules: when runs start by themselves, with one of them beside the list, the form that makes one, and what can be
//! done to one.

mod acts;
mod draft;
mod form;
mod list;
mod pause;
mod preview;
mod side;
mod table;

pub use acts::{FireDialog, FireDialogProps, FireVerb, SwitchDialog, SwitchDialogProps};
pub use list::SchedulesPage;
