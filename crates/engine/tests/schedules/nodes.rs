//! Two nodes on one ledger: each due time fires exactly once, whoever looks and whoever is killed.

use crate::scene::{at, scheduler, tick, wish};
use crate::support::World;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use stella_contract::schedule::{FireOutcome, MakeSchedule, OverlapPolicy, ScheduleState};
use stella_contract::time::Micros;
use stella_engine::{Engine, LedgerPlace};
use stella_ledger::schedules::{self, ScheduleRow};
use stella_ledger::{LedgerError, Query};
use tokio::sync::Barrier;

/// Looks, and is dropped where it waits for the so-maniest time: before it began, in the middle, or when it is done.
async fn cut_off(engine: &Engine, after: u64) {
    let task = scheduler();
    let mut look = task.activate(engine);
    let mut waits = 0;
    poll_fn(|context| {
        waits += 1;
        match waits > after || look.as_mut().poll(context).is_ready() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// A second node on the same ledger. A file belongs to one process at a time, so that there the second node is the same
/// process looking twice at once.
async fn another(world: &World) -> Engine {
    match world.options.place {
        LedgerPlace::Sqlite(_) => world.engine.clone(),
        LedgerPlace::Postgres(_) => Engine::open(world.options.clone()).await.unwrap(),
    }
}

pub(crate) async fn two_nodes_that_look_at_once_fire_once(world: World) {
    let other = another(&world).await;
    let mut ids = Vec::new();
    for n in 0..50 {
        ids.push(world.make(wish(&format!("n{n}"), "* * * * *")).await.schedule_id);
    }
    for _ in 0..5 {
        world.clock.advance_ms(60_000);
        let barrier = Arc::new(Barrier::new(2));
        let mut nodes = Vec::new();
        for engine in [world.engine.clone(), other.clone()] {
            let barrier = barrier.clone();
            nodes.push(tokio::spawn(async move {
                barrier.wait().await;
                tick(&engine).await
            }));
        }
        let mut did = 0;
        for node in nodes {
            did += node.await.unwrap();
        }
        assert_eq!(did, 50, "each schedule was acted on once");
        world.engine.run_until_idle().await.unwrap();
    }
    for id in &ids {
        let outcomes = world.outcomes(id).await;
        assert_eq!(outcomes.len(), 5);
        assert!(outcomes.iter().all(|(_, outcome)| *outcome == FireOutcome::Started), "{outcomes:?}");
    }
    assert_eq!(world.runs().await.len(), 250);
    world.assert_chain().await;
}

pub(crate) async fn a_look_that_is_cut_off_leaves_everything_to_the_next(world: World) {
    let made = world.make(wish("often", "* * * * *")).await;
    for minute in 1..=30_u64 {
        world.clock.advance_ms(60_000);
        cut_off(&world.engine, minute % 6).await;
        world.engine.run_until_idle().await.unwrap();
        let outcomes = world.outcomes(&made.schedule_id).await;
        assert_eq!(outcomes.len() as u64, minute);
        assert!(outcomes.iter().all(|(_, outcome)| *outcome == FireOutcome::Started), "{outcomes:?}");
    }
    assert_eq!(world.runs().await.len(), 30);
}

const SCHEDULES: usize = 10_000;
const MINUTES: i64 = 20;

/// Expressions that between them fire often, seldom, and all at once.
fn cron(n: usize) -> String {
    match n % 4 {
        0 => format!("{} * * * *", n % 60),
        1 => format!("{}-59/5 * * * *", n % 5),
        2 => format!("{},{} 9 * * *", n % 20, 20 + n % 40),
        _ => "*/10 * * * *".to_owned(),
    }
}

/// Ten thousand rows, in one transaction.
async fn fill(world: &World) {
    let base = world
        .make(MakeSchedule { overlap_policy: Some(OverlapPolicy::Allow), ..wish("base", "0 0 1 1 *") })
        .await;
    let (tenant, now) = (world.caller.tenant.clone(), world.now());
    let write = world.engine.ledger().write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move {
            let base = schedules::get(tx, &tenant, &base.schedule_id).await?.expect("it was just made");
            for n in 0..SCHEDULES {
                let row = ScheduleRow {
                    schedule_id: format!("sch_01890000-0000-7000-8000-{n:012}").parse().unwrap(),
                    name: format!("n{n}"),
                    cron: cron(n),
                    jitter_s: if n.is_multiple_of(2) { 20 } else { 0 },
                    // The first look plans nothing anew: it fires what is due after now.
                    next_fire_at: Some(first_fire(n, now)),
                    acts_at: Some(first_fire(n, now)),
                    state: ScheduleState::Enabled,
                    ..base.clone()
                };
                schedules::insert(tx, &row).await?;
            }
            Ok(())
        })
    });
    write.await.unwrap();
}

/// The minutes after nine o'clock at which a schedule fires, by hand and not by the code under test.
fn fires_of(n: usize, until_minute: i64) -> Vec<i64> {
    let n = i64::try_from(n).unwrap();
    (1..=until_minute)
        .filter(|minute| match n % 4 {
            0 => *minute == n % 60,
            1 => *minute % 5 == n % 5,
            2 => *minute == n % 20 || *minute == 20 + n % 40,
            _ => *minute % 10 == 0,
        })
        .collect()
}

fn first_fire(n: usize, now: Micros) -> Micros {
    let far = [fires_of(n, 59), vec![24 * 60]].concat();
    now.plus_ms(far[0] * 60_000)
}

/// One of two nodes is killed in the middle of each minute and replaced; the other goes on. On a file, which belongs to
/// one process, the node that is killed is the only one, and its successor goes on.
pub(crate) async fn ten_thousand_schedules_fire_exactly_once_while_a_node_is_killed_each_minute(
    world: World,
) {
    fill(&world).await;
    let (a, b) = (world.engine.clone(), another(&world).await);
    for minute in 1..=MINUTES {
        for second in [0, 15, 15, 25] {
            world.clock.advance_ms(second * 1_000);
            let (dies, lives) = if minute % 2 == 0 { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) };
            let after = (minute.unsigned_abs() * 7 + second.unsigned_abs()) % 9;
            tokio::join!(cut_off(&dies, after), tick(&lives));
        }
        world.clock.advance_ms(5_000);
    }
    tick(&a).await;
    assert_eq!(world.now(), at("09:20:00"));
    assert_every_due_time_fired_once(&world).await;
}

async fn assert_every_due_time_fired_once(world: &World) {
    let read = world.engine.ledger().read::<_, LedgerError, _>(|tx| {
        Box::pin(async move {
            let fires =
                "select schedule_id, due_at, outcome from schedule_fires order by schedule_id, due_at";
            let fires: Vec<(String, i64, String)> = Query::new(fires).fetch_all(tx).await?;
            let runs =
                "select schedule_id, count(*) from runs where schedule_id is not null group by schedule_id";
            let runs: Vec<(String, i64)> = Query::new(runs).fetch_all(tx).await?;
            Ok((fires, runs))
        })
    });
    let (fires, runs) = read.await.unwrap();
    let nine = at("09:00:00");
    let mut fired: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (id, due, outcome) in fires {
        assert_eq!(outcome, "started", "{id}");
        fired.entry(id).or_default().push(Micros(due).ms_since(nine) / 60_000);
    }
    let runs: BTreeMap<String, i64> = runs.into_iter().collect();
    let mut expected_fires = 0;
    for n in 0..SCHEDULES {
        let id = format!("sch_01890000-0000-7000-8000-{n:012}");
        let got = fired.remove(&id).unwrap_or_default();
        // A fire of the last minute may still be spread beyond it.
        let (before, with) = (fires_of(n, MINUTES - 1), fires_of(n, MINUTES));
        assert!(got == before || got == with, "{id} {}: {got:?}, not {with:?}", cron(n));
        assert_eq!(runs.get(&id).copied().unwrap_or(0), i64::try_from(got.len()).unwrap(), "{id}");
        expected_fires += got.len();
    }
    assert!(fired.is_empty(), "{fired:?}");
    assert!(expected_fires > 15_000, "{expected_fires}");
}
