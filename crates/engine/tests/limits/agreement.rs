//! Why a job waits is the same wherever it is told: on its own page, in lists, in lists by that reason, in the counts of
//! the first page, in the graph, and in the answer to why it is not running; before anybody has put it back to wait, too.

use crate::property::act;
use crate::scene::wide;
use crate::support::World;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::ids::{JobId, SourceId};
use stella_contract::job::{Job, JobFilter, JobState, SubmitJob, WaitReason};
use stella_contract::page::PageQuery;
use stella_contract::quota::AddQuota;
use stella_contract::source::{AddSource, RunSource, SourceType};

const STEPS: usize = 60;

pub(crate) async fn lists_counts_and_the_answer_of_each_job_say_the_same_reason(world: World) {
    let mut chance = StdRng::seed_from_u64(11);
    let sources = [
        source(&world, "one", "https://feeds.example").await,
        source(&world, "two", "https://other.example").await,
    ];
    let (mut open, mut held) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        for _ in 0..chance.random_range(0..4) {
            let job_type = ["exam", "exam.other"][chance.random_range(0..2)].to_owned();
            let priority = Some([10, 50, 90][chance.random_range(0..3)]);
            let not_before = chance.random_bool(0.1).then(|| world.now().plus_ms(5_000));
            let wish = SubmitJob { job_type, priority, not_before, ..world.wish() };
            open.push(world.submit(wish).await.job_id);
        }
        if let Some(source) = sources.get(chance.random_range(0..6)) {
            let run = world.engine.sources().run(&world.caller, source, RunSource::default()).await;
            // A source that is paused is not read.
            open.extend(run.ok().map(|job| job.job_id).filter(|id| !open.contains(id)));
        }
        if chance.random_bool(0.2) {
            steer(&world, &sources[chance.random_range(0..2)]).await;
        }
        act(&world, &mut chance, &mut open, &mut held).await;
        // As it stands, before a claim or the dispatcher came by.
        agree(&world, step, &open).await;
        if chance.random_bool(0.5) {
            world.idle().await;
            held.extend(world.start_many(2).await);
            agree(&world, step, &open).await;
        }
    }
    world.assert_chain().await;
}

async fn source(world: &World, name: &str, base: &str) -> SourceId {
    let wish = AddSource {
        name: name.to_owned(),
        source_type: SourceType::Kev,
        location: format!("{base}/{name}.json"),
    };
    world.engine.sources().add(&world.caller, wish).await.unwrap().source_id
}

/// Pauses a source that goes on, and the other way round.
async fn steer(world: &World, id: &SourceId) {
    let sources = world.engine.sources();
    if sources.get(&world.caller, id).await.unwrap().paused {
        sources.resume(&world.caller, id).await.unwrap();
    } else {
        sources.pause(&world.caller, id).await.unwrap();
    }
}

async fn listed(world: &World, filter: JobFilter) -> Vec<Job> {
    let page = PageQuery { page_token: None, page_size: Some(500) };
    let page = world.engine.jobs().list(&world.caller, &filter, &page).await.unwrap();
    assert_eq!(page.total_estimate, u64::try_from(page.items.len()).ok(), "{filter:?}");
    page.items
}

async fn agree(world: &World, step: usize, open: &[JobId]) {
    let all = listed(world, JobFilter::default()).await;
    let said: BTreeMap<JobId, (Option<WaitReason>, _)> =
        all.iter().map(|job| (job.job_id.clone(), (job.wait_reason, job.next_eligible_at))).collect();
    for id in open {
        let (explained, job) = (world.explain(id).await, world.job(id).await);
        assert_eq!(explained.wait_reason, job.wait_reason, "step {step}: {explained:?}");
        assert_eq!(said[id], (job.wait_reason, job.next_eligible_at), "step {step}: {explained:?}");
        if matches!(job.state, JobState::Pending | JobState::Queued) {
            let first = explained.blockers.iter().find_map(|blocker| blocker.kind.wait_reason());
            // Whose own time has just come waits for the dispatcher, which then says what else holds it.
            let is_due = matches!(job.wait_reason, Some(WaitReason::NotBefore | WaitReason::Backoff));
            assert!(is_due || first.is_none() || first == job.wait_reason, "step {step}: {explained:?}");
            assert!(first.is_some() || job.state == JobState::Pending || job.wait_reason.is_none());
        }
        let dag = world.engine.jobs().dag(&world.caller, id).await.unwrap();
        assert_eq!(dag.nodes[0].wait_reason, job.wait_reason, "step {step}");
    }
    let counts = world.engine.overview().get(&world.caller).await.unwrap().waiting;
    for reason in WaitReason::ALL.iter().copied() {
        let expected: BTreeSet<&JobId> =
            said.iter().filter(|(_, (own, _))| *own == Some(reason)).map(|(id, _)| id).collect();
        let found = listed(world, JobFilter { wait_reason: Some(reason), ..JobFilter::default() }).await;
        let found: BTreeSet<&JobId> = found.iter().map(|job| &job.job_id).collect();
        assert_eq!(found, expected, "step {step}: {reason}");
        let counted = counts.iter().find(|count| count.reason == reason).map_or(0, |count| count.count);
        assert_eq!(counted, i64::try_from(expected.len()).unwrap(), "step {step}: {reason}");
    }
}

/// What the operator saw: a quota is paused, no worker asks, and the list of what is paused stays empty.
pub(crate) async fn a_queued_job_of_a_quota_that_was_paused_is_in_the_list_of_what_is_paused(world: World) {
    let job = world.submitted().await;
    let quota = world.quota(AddQuota { max_active: Some(5), ..wide() }).await;
    let wish = stella_contract::quota::PauseQuota { until: None };
    world.engine.quotas().pause(&world.caller, &quota.quota_id, None, wish).await.unwrap();
    let filter = |text: &str| JobFilter { filter: Some(text.to_owned()), ..JobFilter::default() };
    let found = listed(&world, filter("wait:paused")).await;
    assert_eq!(found.iter().map(|found| &found.job_id).collect::<Vec<_>>(), [&job.job_id]);
    assert_eq!(found[0].state, JobState::Queued);
    assert_eq!(listed(&world, filter("wait:paused state:queued")).await, found);
    assert_eq!(listed(&world, filter("wait:paused state:pending")).await, []);
    assert_eq!(listed(&world, filter("wait:blackout")).await, []);
}
