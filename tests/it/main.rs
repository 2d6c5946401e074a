//! The product through HTTP: `stella serve` as a program, spoken to as any client would.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod bad_input;
mod chaos;
mod client;
mod crash;
mod disk;
mod journey;
