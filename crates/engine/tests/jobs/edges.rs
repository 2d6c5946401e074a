//! Jobs that wait for jobs: release, failure upstream, repeats, skips, and what no graph may be.

use crate::support::World;
use stella_contract::edge::{AddEdges, Dependency, EdgeKind, NewEdge};
use stella_contract::error::Code;
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, Job, JobState, SubmitJob, WaitReason};
use stella_engine::verbs::Verb;
use stella_engine::{Caller, Error};

fn on(kind: EdgeKind, job: &Job) -> Dependency {
    Dependency { job_id: job.job_id.clone(), kind }
}

async fn after(world: &World, upstream: Vec<Dependency>) -> Job {
    world.submit(SubmitJob { depends_on: upstream, ..world.wish() }).await
}

async fn stands(world: &World, id: &JobId) -> (JobState, Option<WaitReason>) {
    let job = world.job(id).await;
    (job.state, job.wait_reason)
}

async fn link(world: &World, pairs: &[(&Job, &Job, EdgeKind)]) -> Result<i64, Error> {
    let edges = pairs
        .iter()
        .map(|(from, to, kind)| NewEdge {
            from_job_id: from.job_id.clone(),
            to_job_id: to.job_id.clone(),
            kind: *kind,
        })
        .collect();
    world.engine.edges().add(&world.caller, AddEdges { edges }).await.map(|added| added.added)
}

/// Fails the only ready job for good.
async fn break_next(world: &World) -> JobId {
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::Validation).await.job_id
}

const WAITS: (JobState, Option<WaitReason>) = (JobState::Pending, Some(WaitReason::Dependency));
const MISSED: (JobState, Option<WaitReason>) = (JobState::Pending, Some(WaitReason::UpstreamFailed));
const READY: (JobState, Option<WaitReason>) = (JobState::Queued, None);

pub(crate) async fn a_job_goes_when_all_it_waits_for_has_come(world: World) {
    let (one, two) = (world.submitted().await, world.submitted().await);
    let last = after(&world, vec![on(EdgeKind::OnSuccess, &one), on(EdgeKind::OnCompletion, &two)]).await;
    assert_eq!(stands(&world, &last.job_id).await, WAITS);
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(stands(&world, &last.job_id).await, WAITS);
    // No background task looks: the end of the last upstream job itself lets it go.
    assert_eq!(break_next(&world).await, two.job_id);
    assert_eq!(stands(&world, &last.job_id).await, READY);
    assert_eq!(world.kinds(&last.job_id).await, ["submitted", "queued"]);
    world.assert_chain().await;
}

pub(crate) async fn each_kind_of_edge_goes_by_its_own_end(world: World) {
    let up = world.submitted().await;
    let success = after(&world, vec![on(EdgeKind::OnSuccess, &up)]).await;
    let completion = after(&world, vec![on(EdgeKind::OnCompletion, &up)]).await;
    let failure = after(&world, vec![on(EdgeKind::OnFailure, &up)]).await;
    break_next(&world).await;
    assert_eq!(stands(&world, &success.job_id).await, MISSED);
    assert_eq!(stands(&world, &completion.job_id).await, READY);
    assert_eq!(stands(&world, &failure.job_id).await, READY);
    // Who comes late is told at once.
    assert_eq!(after(&world, vec![on(EdgeKind::OnSuccess, &up)]).await.wait_reason, MISSED.1);
    assert_eq!(after(&world, vec![on(EdgeKind::OnFailure, &up)]).await.state, JobState::Queued);
}

pub(crate) async fn a_cancelled_upstream_job_lets_nobody_go_that_needs_its_success(world: World) {
    let up = world.submitted().await;
    let down = after(&world, vec![on(EdgeKind::OnSuccess, &up)]).await;
    let failure = after(&world, vec![on(EdgeKind::OnFailure, &up)]).await;
    world.engine.jobs().cancel(&world.caller, &up.job_id).await.unwrap();
    assert_eq!(stands(&world, &down.job_id).await, MISSED);
    assert_eq!(stands(&world, &failure.job_id).await, MISSED);
}

pub(crate) async fn a_replay_of_what_failed_lets_its_dependents_go(world: World) {
    let up = world.submitted().await;
    let down = after(&world, vec![on(EdgeKind::OnSuccess, &up)]).await;
    break_next(&world).await;
    assert_eq!(stands(&world, &down.job_id).await, MISSED);
    let jobs = world.engine.jobs();
    let again = jobs.apply_to(&world.caller, Verb::Replay, &up.job_id).await.unwrap();
    assert_eq!(stands(&world, &down.job_id).await, WAITS);
    break_next(&world).await;
    assert_eq!(stands(&world, &down.job_id).await, MISSED);
    let third = jobs.apply_to(&world.caller, Verb::Replay, &again.job_id).await.unwrap();
    let lease = world.start().await;
    assert_eq!(lease.job.job_id, third.job_id);
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(stands(&world, &down.job_id).await, READY);
    // And who waits from now on for the first one has nothing to wait for.
    assert_eq!(after(&world, vec![on(EdgeKind::OnSuccess, &up)]).await.state, JobState::Queued);
}

pub(crate) async fn a_released_job_still_waits_for_its_time(world: World) {
    let up = world.submitted().await;
    let at = world.now().plus_ms(60_000);
    let down = world
        .submit(SubmitJob {
            not_before: Some(at),
            depends_on: vec![on(EdgeKind::OnSuccess, &up)],
            ..world.wish()
        })
        .await;
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    let waiting = world.job(&down.job_id).await;
    assert_eq!((waiting.wait_reason, waiting.next_eligible_at), (Some(WaitReason::NotBefore), Some(at)));
    world.pass_ms(60_000).await;
    assert_eq!(stands(&world, &down.job_id).await, READY);
}

pub(crate) async fn an_edge_may_be_added_until_a_worker_holds_the_job(world: World) {
    let (up, down) = (world.submitted().await, world.submitted().await);
    assert_eq!(link(&world, &[(&up, &down, EdgeKind::OnSuccess)]).await, Ok(1));
    assert_eq!(stands(&world, &down.job_id).await, WAITS);
    assert_eq!(world.kinds(&down.job_id).await, ["submitted", "queued", "held"]);
    // Asked again it is there already; asked otherwise it is refused.
    assert_eq!(link(&world, &[(&up, &down, EdgeKind::OnSuccess)]).await, Ok(0));
    let other = link(&world, &[(&up, &down, EdgeKind::OnFailure)]).await.unwrap_err();
    assert_eq!(other.code, Code::Conflict);
    let lease = world.start().await;
    let late = link(&world, &[(&down, &up, EdgeKind::OnSuccess)]).await.unwrap_err();
    assert_eq!(late.code, Code::InvalidTransition);
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(stands(&world, &down.job_id).await, READY);
}

pub(crate) async fn a_cycle_is_refused_and_its_jobs_are_named(world: World) {
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(world.submitted().await);
    }
    let kind = EdgeKind::OnCompletion;
    link(&world, &[(&jobs[0], &jobs[1], kind), (&jobs[1], &jobs[2], kind)]).await.unwrap();
    let error = link(&world, &[(&jobs[3], &jobs[0], kind), (&jobs[2], &jobs[0], kind)]).await.unwrap_err();
    assert_eq!(error.code, Code::DagCycle);
    let named: Vec<&str> = error.fields.iter().map(|field| field.message.as_str()).collect();
    let round: Vec<&str> = jobs[..3].iter().map(|job| job.job_id.as_str()).collect();
    assert_eq!(named, round);
    // All or none: the sound one of the two edges is not there either.
    assert_eq!(stands(&world, &jobs[0].job_id).await, READY);
    let own = link(&world, &[(&jobs[3], &jobs[3], kind)]).await.unwrap_err();
    assert_eq!(own.code, Code::DagCycle);
}

pub(crate) async fn a_graph_beyond_its_limits_is_refused(world: World) {
    let (one, two, three) = (world.submitted().await, world.submitted().await, world.submitted().await);
    link(&world, &[(&one, &two, EdgeKind::OnSuccess)]).await.unwrap();
    for (nodes, edges) in [(10_000, 1), (2, 50_000)] {
        let graph_key = stella_ledger::key_of(&one.job_id);
        let full = stella_ledger::edges::Graph { graph_key, nodes, edges };
        world
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { stella_ledger::edges::put_graph(tx, full).await }))
            .await
            .unwrap();
        let error = link(&world, &[(&two, &three, EdgeKind::OnSuccess)]).await.unwrap_err();
        assert_eq!(error.code, Code::DagTooLarge, "{nodes} {edges}");
    }
    assert_eq!(stands(&world, &three.job_id).await, READY);
}

pub(crate) async fn an_edge_to_nowhere_or_to_another_tenant_is_refused(world: World) {
    let own = world.submitted().await;
    let nobody: JobId = "job_01890000-0000-7000-8000-000000000000".parse().unwrap();
    let unknown = SubmitJob {
        depends_on: vec![Dependency { job_id: nobody, kind: EdgeKind::OnSuccess }],
        ..world.wish()
    };
    let error = world.engine.jobs().submit(&world.caller, unknown).await.unwrap_err();
    assert_eq!(error.code, Code::JobNotFound);
    let stranger = Caller::local("other".parse().unwrap(), "eve").because("a test", Some("OPS-1"));
    let foreign = SubmitJob { depends_on: vec![on(EdgeKind::OnSuccess, &own)], ..world.wish() };
    let error = world.engine.jobs().submit(&stranger, foreign).await.unwrap_err();
    assert_eq!(error.code, Code::DagCrossTenant);
}

pub(crate) async fn adding_edges_needs_scope_reason_and_ticket(world: World) {
    let (up, down) = (world.submitted().await, world.submitted().await);
    let wish = || AddEdges {
        edges: vec![NewEdge {
            from_job_id: up.job_id.clone(),
            to_job_id: down.job_id.clone(),
            kind: EdgeKind::OnSuccess,
        }],
    };
    let mut bare = world.caller.clone();
    bare.cause.ticket = None;
    let refused = world.engine.edges().add(&bare, wish()).await.unwrap_err();
    assert_eq!(refused.code, Code::TicketRequired);
    bare.scopes.clear();
    let refused = world.engine.edges().add(&bare, wish()).await.unwrap_err();
    assert_eq!(refused.code, Code::ScopeMissing);
    let none = AddEdges { edges: Vec::new() };
    assert_eq!(world.engine.edges().add(&world.caller, none).await.unwrap_err().code, Code::Invalid);
}

pub(crate) async fn the_graph_is_drawn_with_ranks_orders_and_its_longest_path(world: World) {
    // one -> two -> four, one -> three -> four, and five beside them.
    let one = world.submitted().await;
    let two = after(&world, vec![on(EdgeKind::OnSuccess, &one)]).await;
    let three = after(&world, vec![on(EdgeKind::OnFailure, &one)]).await;
    let four = after(&world, vec![on(EdgeKind::OnSuccess, &two), on(EdgeKind::OnCompletion, &three)]).await;
    let five = world.submitted().await;
    let lease = world.start().await;
    world.clock.advance_ms(2_000);
    world.complete(&lease.fence).await.unwrap();
    let dag = world.engine.jobs().dag(&world.caller, &three.job_id).await.unwrap();
    let told: Vec<_> = dag.nodes.iter().map(|node| (node.id.clone(), node.rank, node.order)).collect();
    let expected = [(&one, 0, 0), (&two, 1, 0), (&three, 1, 1), (&four, 2, 0)];
    let expected: Vec<_> =
        expected.into_iter().map(|(job, rank, order)| (job.job_id.clone(), rank, order)).collect();
    assert_eq!(told, expected);
    assert_eq!(dag.critical_path, [&one, &two, &four].map(|job| job.job_id.clone()));
    assert_eq!(dag.nodes[0].duration_ms, Some(2_000));
    let satisfied: Vec<bool> = dag.edges.iter().map(|edge| edge.satisfied).collect();
    assert_eq!(satisfied, [true, false, false, false]);
    let counts: Vec<_> = dag.counts.iter().map(|(state, count)| (state.as_str(), *count)).collect();
    assert_eq!(counts, [("pending", 2), ("queued", 1), ("succeeded", 1)]);
    assert!(!dag.truncated && dag.omitted == 0);
    let alone = world.engine.jobs().dag(&world.caller, &five.job_id).await.unwrap();
    assert_eq!((alone.nodes.len(), alone.critical_path.len()), (1, 0));
}

pub(crate) async fn beyond_five_hundred_jobs_the_neighbourhood_is_drawn(world: World) {
    let mut before = world.submitted().await;
    let mut chain = vec![before.clone()];
    for _ in 0..520 {
        before = after(&world, vec![on(EdgeKind::OnSuccess, &before)]).await;
        chain.push(before.clone());
    }
    let dag = world.engine.jobs().dag(&world.caller, &chain[300].job_id).await.unwrap();
    let shown: Vec<_> = dag.nodes.iter().map(|node| (node.id.clone(), node.rank)).collect();
    let near: Vec<_> = (298..=302_usize).map(|at| (chain[at].job_id.clone(), at as i64)).collect();
    assert_eq!(shown, near);
    assert!(dag.truncated);
    assert_eq!(dag.omitted, 516);
    assert_eq!(dag.critical_path.len(), 521);
    assert_eq!(dag.counts.values().sum::<i64>(), 521);
}
