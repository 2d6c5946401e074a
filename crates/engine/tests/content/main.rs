//! What comes in, on a whole engine: sources, feeds, SBOMs, targets, previews; on SQLite and on Postgres.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod backfills;
mod real;
mod sources;
mod support;
mod targets;
mod windows;
