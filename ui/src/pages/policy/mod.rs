//! Policy: rules over findings, snapshot by snapshot, and the runs that follow what comes in.

mod editor;
mod follow_up;
mod page;
mod promote;
mod snapshot;
mod trial;

pub use page::PolicyPage;
