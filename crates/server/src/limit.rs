//! How many requests one token may make: a bucket that fills evenly, judged by the engine's clock.

use crate::refusal::Refusal;
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use stella_contract::api;
use stella_contract::error::Code;
use stella_contract::ids::TokenId;
use stella_contract::time::Micros;
use stella_engine::Engine;

/// How many requests one token may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimit {
    /// At once, after a rest.
    pub burst: NonZeroU32,
    /// Per second, for ever.
    pub per_second: NonZeroU32,
}

impl Default for RequestLimit {
    /// Far more than a page or a worker asks: it stops a loop that ran away, not work.
    fn default() -> Self {
        const BURST: NonZeroU32 = NonZeroU32::new(20_000).expect("it is not 0");
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not 0");
        Self { burst: BURST, per_second: PER_SECOND }
    }
}

/// The engine's clock as the limiter asks it.
#[derive(Clone)]
struct EngineClock(Arc<dyn stella_engine::Clock>);

impl Clock for EngineClock {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Nanos::new(self.0.now().0.unsigned_abs().saturating_mul(1_000))
    }
}

type Buckets = RateLimiter<TokenId, HashMapStateStore<TokenId>, EngineClock, StateInformationMiddleware>;

/// The buckets of all tokens.
pub(crate) struct Limiter {
    limit: RequestLimit,
    /// Made with the clock of the first engine that answers.
    buckets: OnceLock<Buckets>,
}

/// What a token has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
    /// When the bucket is full again.
    full_at: Micros,
}

impl Limiter {
    pub(crate) fn new(limit: RequestLimit) -> Self {
        Self { limit, buckets: OnceLock::new() }
    }

    /// Takes one request out of the token's bucket; what is left, and a refusal when nothing was.
    pub(crate) fn take(&self, engine: &Engine, token: &TokenId) -> (Left, Result<(), Refusal>) {
        let buckets = self.buckets.get_or_init(|| {
            let quota = Quota::per_second(self.limit.per_second).allow_burst(self.limit.burst);
            let clock = EngineClock(engine.clock().clone());
            Buckets::new(quota, HashMapStateStore::default(), clock)
        });
        let now = engine.now();
        match buckets.check_key(token) {
            Ok(state) => (self.left(state.remaining_burst_capacity(), now), Ok(())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(EngineClock(engine.clock().clone()).now());
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
                let sentence =
                    "This token made more requests than it may. Come back after the time in `retryAfterMs`.";
                let mut refusal = Refusal::new(Code::RateLimited, sentence);
                refusal.retry_after_ms = Some(wait_ms);
                (self.left(0, now), Err(refusal))
            }
        }
    }

    fn left(&self, remaining: u32, now: Micros) -> Left {
        let limit = self.limit.burst.get();
        let missing = i64::from(limit.saturating_sub(remaining));
        let full_at = now.plus_ms(missing * 1_000 / i64::from(self.limit.per_second.get()));
        Left { limit, remaining, full_at }
    }
}

impl Left {
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        // Rounded up: who comes at that second finds the bucket full.
        let reset = (self.full_at.0 + 999_999).div_euclid(1_000_000);
        for (name, value) in [
            (api::LIMIT_HEADER, HeaderValue::from(self.limit)),
            (api::REMAINING_HEADER, HeaderValue::from(self.remaining)),
            (api::RESET_HEADER, HeaderValue::from(reset)),
        ] {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
