//! The pages in Chromium, served by `stella serve` on a ledger of the test's own.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod aliases;
mod frame;
mod hand;
mod journey;
mod live;
mod table;
