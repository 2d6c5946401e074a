//! The pages in Chromium, served by `stella serve` on a ledger of the test's own.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod aliases;
mod axe;
mod dead_letter;
mod focus;
mod frame;
mod journey;
mod keyboard;
mod limits;
mod live;
mod repair;
mod runs;
mod schedules;
mod table;

use stella_tests::hand;
