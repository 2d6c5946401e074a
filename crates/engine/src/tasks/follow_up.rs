//! Starts the runs that follow what came in.

use crate::engine::Engine;
use crate::error::Error;
use crate::tasks::{Activity, Task};
use crate::triggers::follow;
use async_trait::async_trait;

/// Starts follow-up runs.
#[derive(Debug)]
pub(crate) struct FollowUp;

#[async_trait]
impl Task for FollowUp {
    fn name(&self) -> &'static str {
        "follow-up"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let (did, next_at) = follow::start_due(engine).await?;
        Ok(Activity { did, next_at })
    }
}
