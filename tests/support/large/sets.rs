//! What operators did: dead letters looked after, change-sets, views.

use super::{World, wish};
use serde_json::json;
use stella_contract::change_set::StartChangeSet;
use stella_contract::dead_letter::{DeadLetter, DeadLetterFilter};
use stella_contract::ids::{ChangeSetId, DeadLetterId, JobId};
use stella_contract::page::PageQuery;

/// Looks after the newest entries; the one that is left as it is stands for all.
pub(super) async fn tend(world: &World) -> (JobId, DeadLetterId) {
    let letters = world.engine.dead_letters();
    let caller = world.operator("ada", "the morning round");
    let query = PageQuery { page_token: None, page_size: Some(120) };
    let page = letters.list(&caller, &DeadLetterFilter::default(), &query).await.unwrap();
    let (left, tended) = page.items.split_first().unwrap();
    for (number, entry) in tended.iter().enumerate() {
        tend_one(world, number, entry).await;
    }
    (left.job_id.clone(), left.entry_id.clone())
}

async fn tend_one(world: &World, number: usize, entry: &DeadLetter) {
    let (letters, id) = (world.engine.dead_letters(), &entry.entry_id);
    let caller = world.operator(["ada", "grace", "night-shift"][number % 3], "the morning round");
    if number.is_multiple_of(3) {
        let note = json!({"note": "The publisher knows.", "dueAt": world.now().plus_ms(86_400_000)});
        letters.acknowledge(&caller, id, wish(note)).await.unwrap();
    } else if number % 3 == 1 {
        let closed = json!({"resolution": "fixed_upstream", "note": "mended this morning"});
        letters.resolve(&caller, id, wish(closed)).await.unwrap();
    } else {
        letters.replay(&caller, id, wish(json!({"force": true}))).await.unwrap();
    }
}

/// Change-sets in several states, and views under a name; the one with the most items stands for all.
pub(super) async fn make(world: &World) -> ChangeSetId {
    let caller = world.operator("ada", "the mirror is back");
    for (page, name, query) in [
        ("jobs", "Crawls that wait", "filter=state:pending type:registry.crawl"),
        ("jobs", "Urgent", "filter=priority:>=75 state:pending,queued"),
        ("dead_letter", "Throttled", "filter=category:upstream_throttle"),
        ("runs", "Of this week", "state=completed"),
        ("findings", "Exploited", "kev=true"),
    ] {
        let save = wish(json!({"page": page, "name": name, "query": query}));
        world.engine.views().save(&caller, save).await.unwrap();
    }
    set(world, json!({"verb": "cancel", "selection": {"kind": "filter", "filter": "state:pending type:index.compact"}}), false).await;
    set(
        world,
        json!({"verb": "retry", "options": {"pacePerS": 20},
        "selection": {"kind": "filter", "filter": "state:failed error:HTTP_503 age:<6h"}}),
        true,
    )
    .await;
    set(world, json!({"verb": "dead_letter_resolve", "parameters": {"code": "wont_fix", "note": "Too old to matter."},
        "selection": {"kind": "filter", "filter": "category:integrity"}}), true).await
}

async fn set(world: &World, value: serde_json::Value, starts: bool) -> ChangeSetId {
    let caller = world.operator("grace", "the mirror is back");
    let sets = world.engine.change_sets();
    let made = sets.create(&caller, wish(value)).await.unwrap();
    if starts && made.progress.waiting > 0 {
        let start = StartChangeSet { selection_hash: made.selection_hash.clone(), changed: None };
        sets.start(&caller, &made.change_set_id, start).await.unwrap();
        for _ in 0..4 {
            world.clock.advance_ms(1_000);
            world.look().await;
        }
    }
    made.change_set_id
}
