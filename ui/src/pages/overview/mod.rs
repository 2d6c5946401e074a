//! Jobs & Queues: what is waiting, why, and where to look; and the index of JobEngine.

mod areas;
mod below;
mod engine;
mod page;

pub use engine::JobEnginePage;
pub use page::OverviewPage;
