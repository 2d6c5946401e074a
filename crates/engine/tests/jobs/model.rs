//! The same random commands on both databases, step by step: they tell of the same jobs, and what waits for what agrees
//! with a model in memory.

use crate::support::{World, postgres, sqlite};
use std::collections::BTreeMap;
use stella_contract::edge::{AddEdges, Dependency, EdgeKind, NewEdge};
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, Job, JobFilter, JobState, SubmitJob, WaitReason};
use stella_contract::page::PageQuery;
use stella_engine::handlers::{Done, Failure};
use stella_engine::verbs::Verb;
use stella_engine::work::Fence;
use stella_engine::{Chance, SeededChance};

const STEPS: usize = 160;
const SEEDS: u64 = 1;

struct Story {
    chance: SeededChance,
    fences: Vec<Fence>,
    seen: BTreeMap<JobId, Job>,
    waits: BTreeMap<JobId, Vec<(JobId, EdgeKind)>>,
}

impl Story {
    fn below(&self, end: usize) -> usize {
        usize::try_from(self.chance.number() % end as u64).unwrap()
    }

    fn any_job(&self) -> Option<JobId> {
        (!self.seen.is_empty()).then(|| self.seen.keys().nth(self.below(self.seen.len())).unwrap().clone())
    }

    fn any_kind(&self) -> EdgeKind {
        EdgeKind::ALL[self.below(EdgeKind::ALL.len())]
    }

    async fn step(&mut self, world: &World) {
        let work = world.engine.work();
        let fence = (!self.fences.is_empty()).then(|| {
            let back = 1 + self.below(self.fences.len().min(6));
            self.fences[self.fences.len() - back].clone()
        });
        match (self.below(14), fence) {
            (0, _) => {
                let wish = SubmitJob { max_attempts: Some(2), timeout_s: Some(100), ..world.wish() };
                world.submit(wish).await;
            }
            (1..=3, _) => {
                let mut on: Vec<Dependency> = Vec::new();
                for _ in 0..1 + self.below(2) {
                    if let Some(job_id) = self.any_job()
                        && on.iter().all(|other| other.job_id != job_id)
                    {
                        on.push(Dependency { job_id, kind: self.any_kind() });
                    }
                }
                let wish = SubmitJob { max_attempts: Some(2), depends_on: on.clone(), ..world.wish() };
                let made = world.submit(wish).await;
                let waits = on.into_iter().map(|one| (one.job_id, one.kind)).collect();
                self.waits.insert(made.job_id, waits);
            }
            (4 | 5, _) => {
                let leases = world.claim(1 + self.below(3)).await;
                self.fences.extend(leases.into_iter().map(|lease| lease.fence));
            }
            (6 | 7, Some(fence)) => {
                drop(work.ack(std::slice::from_ref(&fence)).await);
                drop(work.complete(&fence, Done::default()).await);
            }
            (8, Some(fence)) => {
                drop(work.ack(std::slice::from_ref(&fence)).await);
                let class = ErrorClass::ALL[self.below(ErrorClass::ALL.len())];
                drop(work.fail(&fence, Failure::new(class, "X", "x")).await);
            }
            (9, Some(fence)) => drop(work.release(&[fence]).await),
            (10 | 11, _) => {
                if let Some(id) = self.any_job() {
                    let verbs = [Verb::Cancel, Verb::Retry, Verb::Replay, Verb::Prioritize(90)];
                    let verb = verbs[self.below(verbs.len())];
                    drop(world.engine.jobs().apply_to(&world.caller, verb, &id).await);
                }
            }
            (12, _) => self.link(world).await,
            (_, _) => world.pass_ms([100, 16_000, 66_000][self.below(3)]).await,
        }
    }

    async fn link(&mut self, world: &World) {
        let (Some(from), Some(to)) = (self.any_job(), self.any_job()) else { return };
        let kind = self.any_kind();
        let edge = NewEdge { from_job_id: from.clone(), to_job_id: to.clone(), kind };
        let wish = AddEdges { edges: vec![edge] };
        let added = world.engine.edges().add(&world.caller, wish).await;
        if added.is_ok_and(|added| added.added == 1) {
            self.waits.entry(to).or_default().push((from, kind));
        }
    }

    async fn look(&mut self, world: &World) {
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let jobs =
            world.engine.jobs().list(&world.caller, &JobFilter::default(), &query).await.unwrap().items;
        self.seen = jobs.into_iter().map(|job| (job.job_id.clone(), job)).collect();
    }

    /// The first job of a lineage.
    fn origin<'a>(&'a self, id: &'a JobId) -> &'a JobId {
        let job = &self.seen[id];
        job.replay_of.as_ref().or(job.retry_of.as_ref()).map_or(id, |of| self.origin(of))
    }

    fn lineage(&self, id: &JobId) -> Vec<&Job> {
        let origin = self.origin(id);
        self.seen.values().filter(|job| self.origin(&job.job_id) == origin).collect()
    }

    fn is_satisfied(&self, upstream: &JobId, kind: EdgeKind) -> bool {
        let by_itself = kind.is_satisfied_by(self.seen[upstream].state);
        let has_succeeded = || self.lineage(upstream).iter().any(|job| job.state == JobState::Succeeded);
        by_itself || (kind == EdgeKind::OnSuccess && has_succeeded())
    }

    /// Whether it will not come, as long as nobody repeats the upstream job.
    fn is_missed(&self, upstream: &JobId, kind: EdgeKind) -> bool {
        // The open repeat stands for the job, only of what is no repeat itself is there none newer.
        let origin = self.origin(upstream);
        let open = self
            .lineage(upstream)
            .into_iter()
            .filter(|job| job.job_id != *origin && !job.state.is_final())
            .max_by(|one, other| one.job_id.cmp(&other.job_id));
        let stands_for = open.unwrap_or(&self.seen[upstream]);
        !self.is_satisfied(upstream, kind) && kind.is_missed_by(stands_for.state)
    }

    fn check(&self) {
        for (id, waits) in &self.waits {
            let job = &self.seen[id];
            let unmet: Vec<_> = waits.iter().filter(|(on, kind)| !self.is_satisfied(on, *kind)).collect();
            let missed = unmet.iter().any(|(on, kind)| self.is_missed(on, *kind));
            match (job.state, job.wait_reason) {
                (JobState::Pending, Some(WaitReason::UpstreamFailed)) => assert!(missed, "{id} {waits:?}"),
                (JobState::Pending, Some(WaitReason::Dependency)) => {
                    assert!(!missed && !unmet.is_empty(), "{id} {waits:?}");
                }
                (JobState::Cancelled | JobState::Skipped, _) => {}
                (_, _) => assert!(unmet.is_empty(), "{id} is {} in spite of {unmet:?}", job.state),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_tell_the_same_story_and_the_model_agrees() {
    let (one, other) = (sqlite().await, postgres().await);
    for seed in 0..SEEDS {
        let story = || Story {
            chance: SeededChance::new(seed),
            fences: Vec::new(),
            seen: BTreeMap::new(),
            waits: BTreeMap::new(),
        };
        let (mut here, mut there) = (story(), story());
        for step in 0..STEPS {
            for (story, world) in [(&mut here, &one), (&mut there, &other)] {
                story.step(world).await;
                story.look(world).await;
                story.check();
            }
            assert_eq!(here.seen, there.seen, "seed {seed}, step {step}");
        }
    }
    one.assert_chain().await;
    other.assert_chain().await;
}
