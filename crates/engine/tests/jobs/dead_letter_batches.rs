//! Many dead letters at once: what a dry run shows is what is done, each with its own answer.

use crate::dead_letters::{dead, desk, entry, entry_of, replay, resolution};
use crate::support::World;
use stella_contract::dead_letter::{
    BatchReplay, BatchResolve, DeadLetterFilter, DeadLetterState, ResolutionCode, SelectDeadLetters,
};
use stella_contract::error::Code;
use stella_contract::ids::DeadLetterId;
use stella_contract::job::ErrorClass;

pub(crate) async fn a_batch_runs_what_its_dry_run_showed_and_answers_per_entry(world: World) {
    let retryable = entry_of(&dead(&world, ErrorClass::Network).await);
    let stubborn = entry_of(&dead(&world, ErrorClass::Validation).await);
    let closed = entry_of(&dead(&world, ErrorClass::Network).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let ids = vec![retryable.clone(), stubborn.clone(), closed.clone()];
    let selection = SelectDeadLetters { ids: Some(ids.clone()), filter: None };
    let preview = desk(&world).preview(&world.caller, selection).await.unwrap();
    assert_eq!((preview.count, preview.resolvable, preview.replayable), (3, 2, 1));
    let left: Vec<(&str, u64)> = preview.left_out.iter().map(|one| (one.why.as_str(), one.count)).collect();
    assert_eq!(left, [("skipped:not_open", 1), ("skipped:not_retryable", 1)]);
    let categories: Vec<(ErrorClass, u64)> =
        preview.by_category.iter().map(|one| (one.category, one.count)).collect();
    assert_eq!(categories, [(ErrorClass::Network, 2), (ErrorClass::Validation, 1)]);
    assert_eq!((preview.by_source.len(), preview.by_source[0].count), (1, 3));

    let wish = |hash: Option<&str>, dry_run| BatchReplay {
        ids: Some(ids.clone()),
        selection_hash: hash.map(str::to_owned),
        dry_run,
        ..BatchReplay::default()
    };
    let dry = desk(&world).batch_replay(&world.caller, wish(None, true)).await.unwrap();
    assert_eq!((&dry.preview, dry.dry_run, dry.results.len()), (&preview, true, 0));
    let error = desk(&world).batch_replay(&world.caller, wish(None, false)).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "selectionHash"));
    let error = desk(&world).batch_replay(&world.caller, wish(Some("00"), false)).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged);

    let hash = Some(preview.selection_hash.as_str());
    let batch = desk(&world).batch_replay(&world.caller, wish(hash, false)).await.unwrap();
    let outcome = |id: &DeadLetterId| {
        let found = batch.results.iter().find(|one| one.entry_id == *id).unwrap();
        (found.outcome.clone(), found.job_id.is_some())
    };
    assert_eq!(outcome(&retryable), ("replayed".to_owned(), true));
    assert_eq!(outcome(&stubborn), ("skipped:not_retryable".to_owned(), false));
    assert_eq!(outcome(&closed), ("skipped:not_open".to_owned(), false));
    assert_eq!((batch.done, batch.skipped, batch.failed), (1, 2, 0));

    let error = desk(&world).batch_replay(&world.caller, wish(hash, false)).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged, "the run itself changed what was looked at");
}

pub(crate) async fn a_batch_by_filter_is_paced_at_five_a_second(world: World) {
    for _ in 0..12 {
        dead(&world, ErrorClass::Auth).await;
    }
    let filter = DeadLetterFilter { state: Some(DeadLetterState::Open), ..DeadLetterFilter::default() };
    let wish = BatchReplay { filter: Some(filter), force: true, ..BatchReplay::default() };
    let dry = BatchReplay { dry_run: true, ..wish.clone() };
    let preview = desk(&world).batch_replay(&world.caller, dry).await.unwrap().preview;
    assert_eq!((preview.count, preview.paced_over_s), (12, 2));
    let run = BatchReplay { selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_replay(&world.caller, run).await.unwrap();
    assert_eq!(batch.done, 12);
    let mut waits = Vec::new();
    for result in &batch.results {
        let job = world.job(result.job_id.as_ref().unwrap()).await;
        waits.push(job.not_before.map_or(0, |at| at.ms_since(world.now())));
    }
    let expected: Vec<i64> = (0..12).map(|place| place * 200).collect();
    assert_eq!(waits, expected);
    assert_eq!(world.claim(20).await.len(), 1);
    world.pass_ms(1_000).await;
    assert_eq!(world.claim(20).await.len(), 5);
}

pub(crate) async fn a_batch_says_why_one_needs_force(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    for _ in 0..5 {
        replay(&world, &id).await;
        let lease = world.start().await;
        world.fail(&lease.fence, ErrorClass::Network).await;
    }
    let wish = BatchReplay { ids: Some(vec![id.clone()]), dry_run: true, ..BatchReplay::default() };
    let preview = desk(&world).batch_replay(&world.caller, wish.clone()).await.unwrap().preview;
    assert_eq!(preview.left_out[0].why, "error:FORCE_REQUIRED");
    let run = BatchReplay { dry_run: false, selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_replay(&world.caller, run.clone()).await.unwrap();
    assert_eq!((batch.failed, batch.results[0].outcome.as_str()), (1, "error:FORCE_REQUIRED"));
    let forced = desk(&world).batch_replay(&world.caller, BatchReplay { force: true, ..run }).await.unwrap();
    assert_eq!(forced.done, 1);
}

pub(crate) async fn a_selection_is_ids_or_a_filter_and_not_too_many(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let many: Vec<DeadLetterId> =
        (0..501).map(|n| DeadLetterId::from_uuid(&format!("01890000-0000-7000-8000-{n:012}"))).collect();
    for (ids, filter) in [
        (None, None),
        (Some(vec![id.clone()]), Some(DeadLetterFilter::default())),
        (Some(Vec::new()), None),
        (Some(many.clone()), None),
    ] {
        let error = desk(&world).preview(&world.caller, SelectDeadLetters { ids, filter }).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "ids"));
    }
    let strange = SelectDeadLetters { ids: Some(many[..1].to_vec()), filter: None };
    assert_eq!(desk(&world).preview(&world.caller, strange).await.unwrap_err().code, Code::NotFound);
}

pub(crate) async fn a_batch_resolves_with_one_code_and_note(world: World) {
    let open = entry_of(&dead(&world, ErrorClass::Network).await);
    let closed = entry_of(&dead(&world, ErrorClass::Network).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let wish = BatchResolve {
        ids: None,
        filter: Some(DeadLetterFilter::default()),
        dry_run: true,
        selection_hash: None,
        resolution: ResolutionCode::Obsolete,
        note: "no longer needed".to_owned(),
    };
    let preview = desk(&world).batch_resolve(&world.caller, wish.clone()).await.unwrap().preview;
    let wrong = BatchResolve { note: " ".to_owned(), ..wish.clone() };
    assert_eq!(desk(&world).batch_resolve(&world.caller, wrong).await.unwrap_err().code, Code::Invalid);
    let run = BatchResolve { dry_run: false, selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_resolve(&world.caller, run).await.unwrap();
    let outcomes: Vec<(&DeadLetterId, &str)> =
        batch.results.iter().map(|one| (&one.entry_id, one.outcome.as_str())).collect();
    assert_eq!(outcomes, [(&open, "resolved"), (&closed, "skipped:not_open")]);
    assert_eq!(entry(&world, &open).await.resolution, Some(ResolutionCode::Obsolete));
    assert_eq!(entry(&world, &closed).await.resolution, Some(ResolutionCode::FixedUpstream));
}
