//! Whatever workers, operators and time do in whatever order: no job is lost, attempts and epochs only rise, what has
//! ended stays ended, and the chain is whole.

use crate::support::World;
use std::collections::BTreeMap;
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, Job, JobFilter, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_engine::handlers::{Done, Failure};
use stella_engine::work::Fence;
use stella_engine::{Chance, SeededChance};
use stella_ledger::leases::Beat;

const STEPS: usize = 250;
const SEEDS: u64 = 3;

struct Story {
    chance: SeededChance,
    /// Every fence ever given out, so that old ones speak up again.
    fences: Vec<Fence>,
    seen: BTreeMap<JobId, Job>,
}

impl Story {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0_u8; 8];
        self.chance.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    async fn step(&mut self, world: &World) {
        let work = world.engine.work();
        let fence = (!self.fences.is_empty()).then(|| {
            // Mostly recent ones.
            let back = 1 + self.below(self.fences.len().min(1 + self.below(12)));
            self.fences[self.fences.len() - back].clone()
        });
        // What is refused must change nothing; that is checked after each step.
        match (self.below(10), fence) {
            (0 | 1, _) => {
                let later = (self.below(3) == 0).then(|| world.now().plus_ms(20_000));
                let attempts = 1 + i32::try_from(self.below(3)).unwrap();
                let wish = SubmitJob {
                    not_before: later,
                    max_attempts: Some(attempts),
                    timeout_s: Some(100),
                    ..world.wish()
                };
                world.submit(wish).await;
            }
            (2 | 3, _) => {
                let leases = world.claim(1 + self.below(3)).await;
                self.fences.extend(leases.into_iter().map(|lease| lease.fence));
            }
            (4, Some(fence)) => drop(work.ack(&[fence]).await),
            (5, Some(fence)) => {
                drop(work.ack(std::slice::from_ref(&fence)).await);
                let class = ErrorClass::ALL[self.below(ErrorClass::ALL.len())];
                drop(work.fail(&fence, Failure::new(class, "X", "x")).await);
            }
            (6, Some(fence)) => drop(work.complete(&fence, Done::default()).await),
            (7, Some(fence)) if self.below(2) == 0 => drop(work.release(&[fence]).await),
            (7, Some(fence)) => {
                drop(work.heartbeat(&world.worker, vec![Beat { fence, progress: None }]).await);
            }
            (8, Some(fence)) => drop(world.engine.jobs().cancel(&world.caller, &fence.job_id).await),
            (_, _) => world.pass_ms([100, 5_000, 16_000, 66_000][self.below(4)]).await,
        }
    }

    async fn check(&mut self, world: &World) {
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let jobs =
            world.engine.jobs().list(&world.caller, &JobFilter::default(), &query).await.unwrap().items;
        let now: BTreeMap<JobId, Job> = jobs.into_iter().map(|job| (job.job_id.clone(), job)).collect();
        for (id, before) in &self.seen {
            let after = now.get(id).unwrap_or_else(|| panic!("{id} is lost"));
            assert!(after.lease_epoch >= before.lease_epoch, "{id}: the epoch fell");
            assert!(after.version >= before.version, "{id}: the version fell");
            if before.state.is_final() {
                assert_eq!(before, after, "{id} had ended");
            }
            // Only an attempt that was given back or never started is taken off again.
            let given_back = before.state == JobState::Leased || after.lease_epoch > before.lease_epoch;
            assert!(after.attempt >= before.attempt - i32::from(given_back), "{id}: the attempt fell");
            let held = matches!(after.state, JobState::Leased | JobState::Running);
            assert_eq!(after.lease_until.is_some(), held, "{id}");
            // Who waits says why; a ready job says what holds it by now, as a breaker that opened since.
            let may_wait = matches!(after.state, JobState::Pending | JobState::Queued);
            assert!(after.wait_reason.is_some() || after.state != JobState::Pending, "{id}");
            assert!(after.wait_reason.is_none() || may_wait, "{id}");
            assert_eq!(after.ended_at.is_some(), after.state.is_final(), "{id}");
        }
        self.seen = now;
    }
}

pub(crate) async fn random_legal_events_keep_the_invariants(world: World) {
    for seed in 0..SEEDS {
        let mut story = Story { chance: SeededChance::new(seed), fences: Vec::new(), seen: BTreeMap::new() };
        for _ in 0..STEPS {
            story.step(&world).await;
            story.check(&world).await;
        }
        // In the end everything that was taken in has ended, one way or another.
        while story.seen.values().any(|job| !job.state.is_final()) {
            for lease in world.claim(16).await {
                world.engine.work().ack(std::slice::from_ref(&lease.fence)).await.unwrap();
                world.complete(&lease.fence).await.unwrap();
            }
            world.pass_ms(66_000).await;
            story.check(&world).await;
        }
        for id in story.seen.keys() {
            let kinds = world.kinds(id).await;
            let ends = ["succeeded", "failed", "timed_out", "cancelled"];
            let ended: Vec<&String> = kinds.iter().filter(|kind| ends.contains(&kind.as_str())).collect();
            assert_eq!(ended.len(), 1, "{id}: {kinds:?}");
            assert_eq!(kinds.last(), ended.last().copied(), "{id}: {kinds:?}");
        }
    }
    world.assert_chain().await;
}
