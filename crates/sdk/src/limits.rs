//! What holds jobs back beside quotas: throttles, breakers, blackouts, pressure (spec 02).

use crate::client::{Client, Write};
use crate::error::Error;
use stella_contract::blackout::{AddBlackout, Blackout};
use stella_contract::breaker::{AddBreaker, Breaker, BreakerFilter};
use stella_contract::ids::{BlackoutId, BreakerId, BucketId, ThrottleId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::pressure::{Bucket, LimitPool, OverrideBucket, Pool, Pressure};
use stella_contract::throttle::{Throttle, ThrottleFilter};

const THROTTLES: &str = "/api/v1/throttles";
const BREAKERS: &str = "/api/v1/breakers";
const BLACKOUTS: &str = "/api/v1/blackouts";

/// What holds a tenant's jobs back.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a>(&'a Client);

impl Client {
    /// What holds the tenant's jobs back.
    pub fn limits(&self) -> Limits<'_> {
        Limits(self)
    }
}

impl Limits<'_> {
    /// One page of the throttles that the filter lets through.
    pub async fn throttles(self, filter: &ThrottleFilter, page: &PageQuery) -> Result<Page<Throttle>, Error> {
        self.0.get(THROTTLES, &[filter, page]).await
    }

    /// Ends a throttle.
    pub async fn clear_throttle(self, id: &ThrottleId, write: &Write) -> Result<Throttle, Error> {
        self.0.post_nothing(&format!("{THROTTLES}/{id}:clear"), write).await
    }

    /// The breakers that the filter lets through.
    pub async fn breakers(self, filter: &BreakerFilter) -> Result<Page<Breaker>, Error> {
        self.0.get(BREAKERS, &[filter]).await
    }

    /// Opens or closes the breaker of a host or job type by force.
    pub async fn add_breaker(self, wish: &AddBreaker, write: &Write) -> Result<Breaker, Error> {
        self.0.post(BREAKERS, wish, write).await
    }

    /// Opens a breaker until a reset.
    pub async fn open_breaker(self, id: &BreakerId, write: &Write) -> Result<Breaker, Error> {
        self.0.post_nothing(&format!("{BREAKERS}/{id}:open"), write).await
    }

    /// Closes a breaker until a reset.
    pub async fn close_breaker(self, id: &BreakerId, write: &Write) -> Result<Breaker, Error> {
        self.0.post_nothing(&format!("{BREAKERS}/{id}:close"), write).await
    }

    /// Gives a breaker back to the rules.
    pub async fn reset_breaker(self, id: &BreakerId, write: &Write) -> Result<Breaker, Error> {
        self.0.post_nothing(&format!("{BREAKERS}/{id}:reset"), write).await
    }

    /// One page of the blackouts.
    pub async fn blackouts(self, page: &PageQuery) -> Result<Page<Blackout>, Error> {
        self.0.get(BLACKOUTS, &[page]).await
    }

    /// Makes a blackout.
    pub async fn add_blackout(self, wish: &AddBlackout, write: &Write) -> Result<Blackout, Error> {
        self.0.post(BLACKOUTS, wish, write).await
    }

    /// Ends a blackout; the answer is what it was.
    pub async fn delete_blackout(self, id: &BlackoutId, write: &Write) -> Result<Blackout, Error> {
        self.0.post_nothing(&format!("{BLACKOUTS}/{id}:delete"), write).await
    }

    /// Levels of pressure, pools of workers, buckets of hosts.
    pub async fn pressure(self) -> Result<Pressure, Error> {
        self.0.get("/api/v1/pressure", &[]).await
    }

    /// Bounds a pool of workers, or takes its bound away.
    pub async fn limit_pool(self, wish: &LimitPool, write: &Write) -> Result<Pool, Error> {
        self.0.post("/api/v1/pools:limit", wish, write).await
    }

    /// Sets the rate of a host's bucket for a while, or gives it back to the rules.
    pub async fn override_bucket(
        self,
        id: &BucketId,
        wish: &OverrideBucket,
        write: &Write,
    ) -> Result<Bucket, Error> {
        self.0.post(&format!("/api/v1/buckets/{id}:override"), wish, write).await
    }
}
