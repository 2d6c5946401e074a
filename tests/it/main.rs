//! The product through HTTP: `stella serve` as a program, spoken to as any client would.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is the report of a test, and what it counted is printed"
)]

mod bad_input;
mod chaos;
mod client;
mod crash;
mod disk;
mod journey;
