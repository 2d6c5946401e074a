//! What is counted along the history, and what follows from it: figures by type, objectives, the watch.

use crate::support::World;
use stella_contract::event::FeedQuery;
use stella_contract::incident::{IncidentFilter, IncidentKind};
use stella_contract::job::ErrorClass;
use stella_contract::page::PageQuery;
use stella_contract::slo::{BurnTier, ChangeSlo, MakeSlo, Sli, Slo};

const MINUTE: i64 = 60_000;

async fn end(world: &World, good: usize, bad: usize) {
    for at in 0..good + bad {
        world.submitted().await;
        let lease = world.start().await;
        world.clock.advance_ms(100);
        if at < good {
            world.complete(&lease.fence).await.unwrap();
        } else {
            world.fail(&lease.fence, ErrorClass::Validation).await;
        }
    }
}

async fn slo(world: &World, sli: Sli) -> Slo {
    let all = world.engine.slos().list(&world.caller, &PageQuery::default()).await.unwrap();
    all.items.into_iter().find(|slo| slo.sli == sli).unwrap()
}

async fn told(world: &World) -> Vec<String> {
    let query = FeedQuery { cursor: Some(0), max_wait_ms: None };
    let batch = world.engine.feed().since(&world.caller, query).await.unwrap();
    batch.events.into_iter().map(|event| event.kind).filter(|kind| kind.starts_with("orch.slo")).collect()
}

pub(crate) async fn job_types_are_told_with_what_waits_flows_and_fails(world: World) {
    end(&world, 3, 1).await;
    world.submitted().await;
    let stats = world.engine.stats().jobs(&world.caller).await.unwrap();
    let one = &stats.by_type[0];
    assert_eq!((one.job_type.as_str(), one.queued, one.pending, one.active), ("exam", 1, 0, 0));
    assert_eq!((one.succeeded_24h, one.failed_24h, one.failure_rate), (3, 1, Some(0.25)));
    // Each ran 100 ms: between the boundaries 75 and 100.
    assert!(one.run_p50_ms.is_some_and(|ms| (75.0..=100.0).contains(&ms)), "{one:?}");
    assert!(one.queue_p95_ms.is_some_and(|ms| ms <= 1.0), "{one:?}");
    assert_eq!(one.sparkline.len(), 24);
    let last = one.sparkline.last().unwrap();
    assert_eq!((last.succeeded, last.failed), (3, 1));
    world.clock.advance_ms(25 * 60 * MINUTE);
    let stats = world.engine.stats().jobs(&world.caller).await.unwrap();
    assert_eq!((stats.by_type[0].succeeded_24h, stats.by_type[0].failure_rate), (0, None));
}

pub(crate) async fn figures_are_the_same_however_often_they_are_counted(world: World) {
    end(&world, 2, 0).await;
    let first = world.engine.metrics().scrape(Vec::new()).await.unwrap();
    for _ in 0..3 {
        world.engine.run_until_idle().await.unwrap();
        world.engine.stats().jobs(&world.caller).await.unwrap();
    }
    let again = world.engine.metrics().scrape(Vec::new()).await.unwrap();
    let jobs = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("orch_job")).map(str::to_owned).collect()
    };
    assert_eq!(jobs(&first), jobs(&again));
    let line = "orch_jobs_total{job_type=\"exam\",state=\"succeeded\"} 2";
    assert!(jobs(&first).iter().any(|one| one == line), "{first}");
}

pub(crate) async fn a_tenant_starts_with_four_objectives_and_those_deleted_do_not_come_back(world: World) {
    world.engine.run_until_idle().await.unwrap();
    let all = world.engine.slos().list(&world.caller, &PageQuery::default()).await.unwrap();
    let names: Vec<&str> = all.items.iter().map(|slo| slo.name.as_str()).collect();
    assert_eq!(
        names,
        ["Jobs start within 5 minutes", "Jobs succeed", "Runs complete", "The core is at work"]
    );
    for slo in &all.items {
        world.engine.slos().delete(&world.caller, &slo.slo_id, None).await.unwrap();
    }
    world.pass_ms(2 * MINUTE).await;
    let all = world.engine.slos().list(&world.caller, &PageQuery::default()).await.unwrap();
    assert_eq!(all.items, []);
}

pub(crate) async fn an_objective_that_burns_is_told_once_and_again_when_it_recovers(world: World) {
    world.engine.run_until_idle().await.unwrap();
    end(&world, 10, 10).await;
    world.pass_ms(MINUTE).await;
    let burning = slo(&world, Sli::JobSuccess).await;
    assert_eq!(burning.status.tier, Some(BurnTier::Critical));
    assert_eq!((burning.status.bad, burning.status.total), (10, 20));
    assert!((burning.status.budget_remaining + 1.0).abs() < 1e-9, "{:?}", burning.status);
    assert_eq!(burning.status.exhausted_in_ms, Some(0));
    assert!(burning.status.burning_since.is_some());
    let up =
        world.engine.incidents().list(&world.caller, &IncidentFilter::default(), &PageQuery::default()).await;
    let up = up.unwrap().items;
    assert!(
        up.iter().any(|one| one.kind == IncidentKind::SloBurn && one.subject == burning.slo_id.as_str()),
        "{up:?}"
    );
    world.pass_ms(MINUTE).await;
    assert_eq!(told(&world).await, ["orch.slo.burning"], "a burn that lasts is not news");
    // After three hours nothing happened within the short windows.
    world.pass_ms(180 * MINUTE).await;
    assert_eq!(slo(&world, Sli::JobSuccess).await.status.tier, None);
    assert_eq!(told(&world).await, ["orch.slo.burning", "orch.slo.recovered"]);
    world.assert_chain().await;
}

pub(crate) async fn an_objective_that_is_switched_off_does_not_burn(world: World) {
    world.engine.run_until_idle().await.unwrap();
    let quiet = slo(&world, Sli::JobSuccess).await;
    let off = ChangeSlo { enabled: Some(false), ..ChangeSlo::default() };
    world.engine.slos().change(&world.caller, &quiet.slo_id, off, None).await.unwrap();
    end(&world, 0, 20).await;
    world.pass_ms(MINUTE).await;
    assert_eq!(told(&world).await, ["orch.slo.updated"]);
}

pub(crate) async fn an_objective_of_one_type_counts_no_other(world: World) {
    end(&world, 1, 1).await;
    let wish = |job_type: &str| MakeSlo {
        name: format!("of {job_type}"),
        sli: Sli::JobSuccess,
        target: 0.9,
        window_days: None,
        threshold_ms: None,
        job_type: Some(job_type.to_owned()),
        enabled: None,
    };
    let own = world.engine.slos().make(&world.caller, wish("exam")).await.unwrap();
    let own = world.engine.slos().get(&world.caller, &own.slo_id).await.unwrap();
    assert_eq!((own.status.bad, own.status.total), (1, 2));
    let other = world.engine.slos().make(&world.caller, wish("other")).await.unwrap();
    assert_eq!((other.status.bad, other.status.total), (0, 0));
}
