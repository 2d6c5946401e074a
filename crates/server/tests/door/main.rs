//! The router as any client meets it, on an engine of its own in a temporary folder.

mod app;
mod auth;
mod envelope;
mod hosts;
mod idempotency;
mod live;
mod openapi;
mod pages;
