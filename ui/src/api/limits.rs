//! The endpoints of what holds jobs back: quotas, throttles, breakers, blackouts, pressure, and why a job waits.

use super::client::{Api, Result, with_query};
use super::transport::accepted;
use stella_contract::api::Method;
use stella_contract::blackout::{AddBlackout, Blackout};
use stella_contract::blocker::Explanation;
use stella_contract::breaker::{AddBreaker, Breaker};
use stella_contract::ids::{BlackoutId, BreakerId, BucketId, JobId, QuotaId, ThrottleId};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::pressure::{Bucket, LimitPool, OverrideBucket, Pool, Pressure};
use stella_contract::quota::{
    AddQuota, ChangeQuota, DrainEstimate, ExportFormat, ExportQuery, PauseQuota, Quota, QuotaFilter, WhatIf,
};
use stella_contract::throttle::{Throttle, ThrottleFilter};

/// What an operator may do to a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerVerb {
    /// Opens it until a reset.
    Open,
    /// Closes it until a reset.
    Close,
    /// Gives it back to the rules.
    Reset,
}

impl BreakerVerb {
    /// As the address and the command line spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Reset => "reset",
        }
    }
}

impl Api {
    /// A page of quotas.
    pub async fn quotas(&self, filter: &QuotaFilter, page: &PageQuery) -> Result<Page<Quota>> {
        self.get(with_query("/api/v1/quotas", filter, page)?).await
    }
    /// One quota.
    pub async fn quota(&self, id: &QuotaId) -> Result<Quota> {
        self.get(format!("/api/v1/quotas/{id}")).await
    }
    /// Makes a quota.
    pub async fn add_quota(&self, wish: &AddQuota, cause: &Cause) -> Result<Quota> {
        self.post_json("/api/v1/quotas".into(), wish, cause).await
    }
    /// Changes a quota.
    pub async fn change_quota(&self, id: &QuotaId, wish: &ChangeQuota, cause: &Cause) -> Result<Quota> {
        self.post_json(format!("/api/v1/quotas/{id}:update"), wish, cause).await
    }
    /// Takes a quota away.
    pub async fn delete_quota(&self, id: &QuotaId, cause: &Cause) -> Result<Quota> {
        self.post(format!("/api/v1/quotas/{id}:delete"), None, cause).await
    }
    /// Pauses a quota: no new lease starts.
    pub async fn pause_quota(&self, id: &QuotaId, wish: &PauseQuota, cause: &Cause) -> Result<Quota> {
        self.post_json(format!("/api/v1/quotas/{id}:pause"), wish, cause).await
    }
    /// Ends a pause.
    pub async fn resume_quota(&self, id: &QuotaId, cause: &Cause) -> Result<Quota> {
        self.post(format!("/api/v1/quotas/{id}:resume"), None, cause).await
    }
    /// How long the backlog would last under an imagined limit.
    pub async fn what_if(&self, wish: &WhatIf) -> Result<DrainEstimate> {
        self.post_json("/api/v1/quotas:whatIf".into(), wish, &Cause::default()).await
    }
    /// All quotas with their live values as a file.
    pub async fn export_quotas(&self, format: ExportFormat) -> Result<String> {
        let path = with_query("/api/v1/quotas/export", &ExportQuery { format: Some(format) }, &())?;
        let answer = self.send(Method::Get, path.clone(), None, &Cause::default()).await?;
        accepted(&path, &answer).map(str::to_owned)
    }

    /// A page of throttles.
    pub async fn throttles(&self, filter: &ThrottleFilter, page: &PageQuery) -> Result<Page<Throttle>> {
        self.get(with_query("/api/v1/throttles", filter, page)?).await
    }
    /// Ends a throttle.
    pub async fn clear_throttle(&self, id: &ThrottleId, cause: &Cause) -> Result<Throttle> {
        self.post(format!("/api/v1/throttles/{id}:clear"), None, cause).await
    }

    /// All breakers.
    pub async fn breakers(&self) -> Result<Page<Breaker>> {
        self.get("/api/v1/breakers".into()).await
    }
    /// Makes a breaker and forces it open or closed.
    pub async fn add_breaker(&self, wish: &AddBreaker, cause: &Cause) -> Result<Breaker> {
        self.post_json("/api/v1/breakers".into(), wish, cause).await
    }
    /// Opens, closes or resets a breaker.
    pub async fn steer_breaker(&self, id: &BreakerId, verb: BreakerVerb, cause: &Cause) -> Result<Breaker> {
        self.post(format!("/api/v1/breakers/{id}:{}", verb.as_str()), None, cause).await
    }

    /// A page of blackouts.
    pub async fn blackouts(&self, page: &PageQuery) -> Result<Page<Blackout>> {
        self.get(with_query("/api/v1/blackouts", &(), page)?).await
    }
    /// Makes a blackout.
    pub async fn add_blackout(&self, wish: &AddBlackout, cause: &Cause) -> Result<Blackout> {
        self.post_json("/api/v1/blackouts".into(), wish, cause).await
    }
    /// Takes a blackout away.
    pub async fn delete_blackout(&self, id: &BlackoutId, cause: &Cause) -> Result<Blackout> {
        self.post(format!("/api/v1/blackouts/{id}:delete"), None, cause).await
    }

    /// The pressure the tenant is under, its pools and its buckets.
    pub async fn pressure(&self) -> Result<Pressure> {
        self.get("/api/v1/pressure".into()).await
    }
    /// Sets a bucket's rate for a while, or gives it back to the rules.
    pub async fn override_bucket(
        &self,
        id: &BucketId,
        wish: &OverrideBucket,
        cause: &Cause,
    ) -> Result<Bucket> {
        self.post_json(format!("/api/v1/buckets/{id}:override"), wish, cause).await
    }
    /// Bounds a pool of workers, or takes the bound away.
    pub async fn limit_pool(&self, wish: &LimitPool, cause: &Cause) -> Result<Pool> {
        self.post_json("/api/v1/pools:limit".into(), wish, cause).await
    }

    /// Everything that holds a job.
    pub async fn explain_job(&self, id: &JobId) -> Result<Explanation> {
        self.get(format!("/api/v1/jobs/{id}/explain")).await
    }
}
