//! The dead letter: causes, the queue of entries, and one entry with its replay workbench.

mod act;
mod causes;
mod entry;
mod export;
mod filter;
mod heat;
mod home;
mod mute;
mod payload;
mod queue;
mod rail;
mod workbench;

pub use entry::{DeadLetterEntryPage, DeadLetterEntryPageProps};
pub use home::DeadLetterPage;
pub(crate) use mute::MutedCauses;
pub use queue::DeadLetterQueuePage;
