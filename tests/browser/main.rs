//! The pages in Chromium, served by `stella serve` on a ledger of the test's own.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod aliases;
mod dead_letter;
mod frame;
mod hand;
mod journey;
mod limits;
mod live;
mod runs;
mod schedules;
mod table;
