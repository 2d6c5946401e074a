//! The pages in Chromium, served by `stella serve` on a ledger of the test's own.

mod aliases;
