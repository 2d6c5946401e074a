//! What comes in and goes out at the doors: wishes, messages, SBOMs read anew.

use super::*;

on_both! {
    the_same_wish_is_the_same_run => same_wish;
    a_reader_that_fell_behind_gets_a_reset_and_a_snapshot => behind;
    a_flood_of_log_lines_is_cut_and_the_cut_is_told => flood;
    a_content_refresh_reads_the_sboms_anew_first => refreshed;
}

async fn same_wish(place: LedgerPlace) {
    let world = World::small(place).await;
    let runs = world.engine.runs();
    let start = |wish: StartRun, key: Option<&'static str>| {
        let (runs, caller) = (runs.clone(), world.caller.clone());
        async move { runs.start(&caller, wish, key).await }
    };
    let (first, replayed) = start(wish(), None).await.unwrap();
    assert!(!replayed);
    let (same, replayed) = start(wish(), None).await.unwrap();
    assert_eq!((same.run_id, replayed), (first.run_id.clone(), true));
    let other = StartRun { kev_first: true, ..wish() };
    assert_eq!(start(other.clone(), None).await.unwrap_err().code, Code::Conflict);

    let (keyed, replayed) = start(wish(), Some("k1")).await.unwrap();
    assert!(keyed.run_id != first.run_id && !replayed);
    world.clock.advance_ms(60_000);
    let (same, replayed) = start(wish(), Some("k1")).await.unwrap();
    assert_eq!((same.run_id, replayed), (keyed.run_id, true));
    assert_eq!(start(other, Some("k1")).await.unwrap_err().code, Code::IdempotencyKeyReused);
    let (later, replayed) = start(wish(), None).await.unwrap();
    assert!(later.run_id != first.run_id && !replayed);

    let silent = Caller::local(world.caller.tenant.clone(), "ada");
    assert_eq!(runs.start(&silent, wish(), None).await.unwrap_err().code, Code::ReasonRequired);
    let stranger = Caller::local("other".parse().unwrap(), "eve").because("why", None);
    assert_eq!(runs.get(&stranger, &first.run_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(runs.cancel(&stranger, &first.run_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(runs.messages(&stranger, &first.run_id, None, 0).await.unwrap_err().code, Code::NotFound);

    // A preview binds the wish to the index it was made on.
    let request = PreviewRequest { scope: Some(RunScope::All), ..PreviewRequest::default() };
    let preview = world.engine.previews().make(&world.caller, request).await.unwrap();
    let bound = StartRun { preview_id: Some(preview.preview_id), ..wish() };
    world.clock.advance_ms(1_000);
    assert!(start(bound.clone(), None).await.is_ok());
    world.sbom("third", &["pkg:pypi/alpha@1.0"]).await;
    world.clock.advance_ms(1_000);
    assert_eq!(start(bound, None).await.unwrap_err().code, Code::PreviewStale);
}

async fn behind(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.run().await;
    let (all, _) = world.messages(&run.run_id, Some(0)).await;
    let (rest, ended) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!((rest.as_slice(), ended), (&all[2..], true));
    let last = all.last().unwrap().seq;
    let (only, ended) = world.messages(&run.run_id, Some(last)).await;
    assert!(ended && matches!(only[..], [RunMessage { body: RunMessageBody::End { .. }, .. }]));
    let names = |told: &[RunMessage]| told.iter().map(|one| one.body.name()).collect::<Vec<_>>();
    let (foreign, _) = world.messages(&run.run_id, Some(last + 1)).await;
    assert_eq!(names(&foreign), ["reset", "snapshot", "end"]);

    world.clock.advance_ms(31 * 60_000);
    let (late, ended) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!((names(&late), ended), (vec!["reset", "snapshot", "end"], true));
    let RunMessageBody::Snapshot { run: whole, segments } = &late[1].body else { panic!("a snapshot") };
    assert_eq!((whole.run_id.clone(), segments.len() as i64), (run.run_id.clone(), run.segments.total()));
    world.tasks().await;
    let (late, _) = world.messages(&run.run_id, Some(2)).await;
    assert_eq!(names(&late), ["reset", "snapshot", "end"]);

    // An open run: a reader waits until something is told.
    let open = world.start(wish()).await;
    let (first, ended) = world.messages(&open.run_id, None).await;
    assert_eq!((names(&first), ended), (vec!["snapshot"], false));
    let runs = world.engine.runs();
    let waiting = runs.messages(&world.caller, &open.run_id, Some(first[0].seq), 30_000);
    let (told, worked) = tokio::join!(waiting, world.engine.run_until_idle());
    worked.unwrap();
    assert_eq!(told.unwrap().items[0].seq, first[0].seq + 1);
}

async fn refreshed(place: LedgerPlace) {
    let world = World::open(place).await;
    world.feed(&feed()).await;
    let bom = |purl: &str| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": { "component": { "type": "application", "name": "shop", "version": "1" } },
            "components": [{ "type": "library", "name": "a", "purl": purl }]
        })
    };
    std::fs::create_dir_all(world.feeds.path().join("sboms")).unwrap();
    let file = world.feeds.path().join("sboms/shop.cdx.json");
    std::fs::write(&file, bom("pkg:pypi/clean@1.0").to_string()).unwrap();
    let location = world.feeds.path().join("sboms").to_str().unwrap().to_owned();
    let wish_for = AddSource { name: "sboms".to_owned(), source_type: SourceType::Sbom, location };
    world.engine.sources().add(&world.caller, wish_for).await.unwrap();
    let anew = || StartRun { mode: RunMode::ContentRefresh, ..wish() };

    let run = world.start(anew()).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.candidates, run.findings), (RunState::Completed, 1, 0));
    assert_eq!(run.badges, [RunBadge::ContentRefresh]);

    std::fs::write(&file, bom("pkg:pypi/alpha@1.0").to_string()).unwrap();
    let plain = world.run().await;
    assert_eq!(plain.findings, 0);
    let run = world.start(anew()).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.findings, run.deltas.new_critical), (1, 1));
    let jobs = JobFilter { run: Some(run.run_id.clone()), ..JobFilter::default() };
    let jobs = world.engine.jobs().list(&world.caller, &jobs, &PageQuery::default()).await.unwrap();
    let types: BTreeSet<_> = jobs.items.iter().map(|job| job.job_type.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), ["ingest.sbom", "scan.segment"]);

    std::fs::remove_dir_all(world.feeds.path().join("sboms")).unwrap();
    let run = world.start(anew()).await;
    for _ in 0..7 {
        world.engine.run_until_idle().await.unwrap();
        world.clock.advance_ms(901_000);
    }
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.findings), (RunState::Completed, 1), "{:?}", run.error_message);
}

async fn flood(place: LedgerPlace) {
    let world = World::small(place).await;
    let run = world.start(wish()).await;
    let pour = async |count: usize| {
        let (tenant, run_id, now) = (world.caller.tenant.clone(), run.run_id.clone(), world.engine.now());
        let write = world.engine.ledger().write::<_, crate::Error, _>(move |tx| {
            Box::pin(async move {
                let mut row = stella_ledger::runs::get(tx, &tenant, &run_id).await?.unwrap();
                let line = |at| messages::log(&row, LogSeverity::Info, format!("line {at}"));
                let lines = (0..count).map(line).collect();
                messages::tell(tx, &mut row, lines, now).await
            })
        });
        write.await.unwrap();
    };
    world.clock.advance_ms(1_000);
    pour(40).await;
    pour(40).await;
    world.clock.advance_ms(1_000);
    pour(1).await;
    let (told, _) = world.messages(&run.run_id, Some(1)).await;
    let lines: Vec<&str> = told
        .iter()
        .filter_map(|one| match &one.body {
            RunMessageBody::Log { message, .. } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(lines.len(), 52);
    assert_eq!(lines[49..], ["line 9", "dropped 30 log lines: more than 50 in a second", "line 0"]);

    for _ in 0..45 {
        world.clock.advance_ms(1_000);
        pour(50).await;
    }
    let (late, _) = world.messages(&run.run_id, Some(1)).await;
    assert!(matches!(late[0].body, RunMessageBody::Reset {}), "only the newest 2,000 are kept");
    let (rest, _) = world.messages(&run.run_id, Some(late[0].seq - 10)).await;
    assert_eq!(rest.len(), 10);
}
