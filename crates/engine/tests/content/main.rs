//! What comes in, on a whole engine: sources, feeds, SBOMs, targets, previews; on SQLite and on Postgres.

mod real;
mod sources;
mod support;
mod targets;
