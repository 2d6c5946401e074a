//! One file per noun. A handler reads its inputs, calls one method of the engine, and wraps the answer.

pub(crate) mod backfills;
pub(crate) mod change_sets;
pub(crate) mod core;
pub(crate) mod dead_letters;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod jobs;
pub(crate) mod limits;
pub(crate) mod live;
pub(crate) mod ops;
pub(crate) mod policies;
pub(crate) mod quotas;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod sources;
pub(crate) mod targets;
pub(crate) mod triggers;
pub(crate) mod worker;

use crate::refusal::Refusal;

/// What a handler gives back.
pub(crate) type Answered<T> = Result<T, Refusal>;
