//! Quotas and pressure: limits against live use, throttles, buckets, breakers, blackouts, pools.

mod acts;
mod add_form;
mod blackout_form;
mod blackouts;
mod draft;
mod editor;
mod export;
mod hosts;
mod lift;
mod override_form;
mod page;
mod pause_form;
mod pool_form;
mod quotas;
mod standing;
mod throttles;

pub use lift::{LiftDialog, Lifting};
pub use page::QuotasPage;
