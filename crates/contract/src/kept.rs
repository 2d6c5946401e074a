//! How much of what happens is kept, how much is read ahead, and for how long: what the API document and the runbook
//! tell of the streams (spec 08 §8.5).

/// Events of a tenant's feed that are kept.
pub const FEED_EVENTS: i64 = 10_000;
/// Of those, how many are held in memory.
pub const FEED_IN_MEMORY: i64 = 4_096;
/// A silent stream is told that it is alive after so many seconds.
pub const PING_S: u64 = 15;
/// A reader of a WebSocket who leaves a frame unread for so many seconds is hung up on.
pub const HANG_UP_S: u64 = 10;
/// Messages of one run that are kept.
pub const RUN_MESSAGES: i64 = 2_000;
/// Minutes for which they are kept.
pub const RUN_MESSAGES_MIN: i64 = 30;
/// Hours for which the answer to an idempotency key is kept.
pub const ANSWERS_H: i64 = 24;
/// Days for which closed dead letters and incidents that are over are kept.
pub const CLOSED_DAYS: i64 = 90;
