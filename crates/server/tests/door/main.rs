//! The router as any client meets it, on an engine of its own in a temporary folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod app;
mod assets;
mod auth;
mod envelope;
mod events;
mod exports;
mod hosts;
mod idempotency;
mod junk;
mod limit;
mod live;
mod matrix;
mod metrics;
mod openapi;
mod overview;
mod pages;
mod policies;
mod schedules;
mod slos;
mod socket;
mod tenants;
mod told;
mod workers;
