//! The history's chain: whole under many writers, and no change of it goes unseen.

use crate::support::World;
use std::sync::Arc;
use stella_contract::history::ChainBreak;
use stella_engine::{Error, LedgerPlace};
use tokio::sync::Barrier;

pub(crate) async fn a_chain_of_many_writers_is_whole(world: World) {
    const CALLERS: usize = 16;
    let barrier = Arc::new(Barrier::new(CALLERS));
    let world = Arc::new(world);
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (world, barrier) = (world.clone(), barrier.clone());
        callers.push(tokio::spawn(async move {
            barrier.wait().await;
            for _ in 0..5 {
                world.submitted().await;
            }
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let check = world.engine.history().verify(&world.caller).await.unwrap();
    assert_eq!((check.entries, check.verified_to, check.broken), (160, 160, None));
}

/// Does what the database refuses: its triggers are taken away first.
async fn tamper(world: &World, text: &'static str) {
    let open = match world.options.place {
        LedgerPlace::Sqlite(_) => {
            "drop trigger if exists history_keeps_rows; drop trigger if exists history_keeps_values"
        }
        LedgerPlace::Postgres(_) => "alter table history disable trigger all",
    };
    let done: Result<(), Error> = world
        .engine
        .ledger()
        .write(move |tx| {
            Box::pin(async move {
                tx.run(open).await?;
                Ok(tx.run(text).await?)
            })
        })
        .await;
    done.unwrap();
}

async fn broken(world: &World) -> Option<ChainBreak> {
    world.engine.history().verify(&world.caller).await.unwrap().broken
}

pub(crate) async fn a_changed_missing_or_cut_off_entry_is_named(world: World) {
    for _ in 0..5 {
        world.submitted().await;
    }
    assert_eq!(broken(&world).await, None);
    // Each damage with its repair, so that they are seen one by one.
    for (damage, repair, seq, why) in [
        (
            "update history set reason = 'another' where seq = 4",
            "update history set reason = 'a test' where seq = 4",
            4,
            "The entry does not have its hash.",
        ),
        (
            "update history set occurred_at = occurred_at + 1000000 where seq = 6",
            "update history set occurred_at = occurred_at - 1000000 where seq = 6",
            6,
            "The entry does not have its hash.",
        ),
        (
            "update history set data = replace(data, 'exam', 'exem') where seq = 3",
            "update history set data = replace(data, 'exem', 'exam') where seq = 3",
            3,
            "The data does not have its digest.",
        ),
        (
            "update history set run_id = 'nonsense' where seq = 5",
            "update history set run_id = null where seq = 5",
            5,
            "The entry cannot be read.",
        ),
        (
            "update history set seq = 100 where seq = 7",
            "update history set seq = 7 where seq = 100",
            7,
            "The entry is missing.",
        ),
        (
            "update history set prev_hash = hash where seq = 2",
            "update history set prev_hash = (select hash from history as before where before.seq = 1) where seq = 2",
            2,
            "The hash of the entry before is another one.",
        ),
    ] {
        tamper(&world, damage).await;
        let found = broken(&world).await.unwrap_or_else(|| panic!("{damage} goes unseen"));
        assert_eq!((found.seq, found.why.as_str()), (seq, why), "{damage}");
        tamper(&world, repair).await;
        assert_eq!(broken(&world).await, None, "{repair}");
    }
    tamper(&world, "delete from history where seq > 8").await;
    let found = broken(&world).await.unwrap();
    assert_eq!(found.seq, 9);
}
