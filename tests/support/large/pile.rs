//! What waits at the end: ready jobs, jobs for later, jobs that a limit holds.

use super::{HOUR, Size, World, story};
use stella_contract::job::SubmitJob;
use stella_contract::time::Micros;

/// Ready jobs and jobs for later, of a full ledger; limits hold more.
const READY: usize = 4_500;
const LATER: usize = 1_500;

pub(super) async fn leave(world: &World, size: Size, until: Micros) {
    let (ready, later) = (READY.min(size.jobs / 16), LATER.min(size.jobs / 32));
    world.go_to(until.minus_ms(HOUR / 12));
    let caller = world.operator("platform", "the day's work");
    let wishes = (0..later).map(|number| SubmitJob {
        not_before: Some(until.plus_ms(HOUR / 2 + world.below(12 * 3_600_000) as i64)),
        ..story::job(world, number)
    });
    world.submit(&caller, wishes.collect()).await;
    let wishes = (0..ready).map(|number| story::job(world, number)).collect();
    world.submit(&caller, wishes).await;
    for _ in 0..8 {
        world.look().await;
    }
    world.go_to(until);
}
