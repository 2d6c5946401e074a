//! Dead letters listed, by cause, in figures, as a file; and forgotten.

use crate::dead_letters::{DAY_MS, all, dead, dead_with, desk, entry, entry_of, resolution};
use crate::support::World;
use serde_json::{Value, json};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, DeadLetterFilter, DeadLetterHealth, DeadLetterState, ExportDeadLetters,
    ExportFormat,
};
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::time::Micros;
use stella_engine::handlers::Failure;

pub(crate) async fn entries_are_listed_by_every_filter_and_page_by_page(world: World) {
    let mut failure = Failure::new(ErrorClass::UpstreamError, "GONE", "https://a.example/1 answered 503");
    failure.host = Some("a.example".to_owned());
    dead_with(&world, world.wish(), failure).await;
    world.clock.advance_ms(1_000);
    let second = entry(&world, &entry_of(&dead(&world, ErrorClass::Validation).await)).await;
    for _ in 0..5 {
        dead(&world, ErrorClass::Network).await;
    }
    let of = async |filter: DeadLetterFilter| all(&world, &filter).await.len();
    let f = DeadLetterFilter::default;
    assert_eq!(of(f()).await, 7);
    assert_eq!(of(DeadLetterFilter { state: Some(DeadLetterState::Open), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { state: Some(DeadLetterState::Resolved), ..f() }).await, 0);
    assert_eq!(of(DeadLetterFilter { category: Some(ErrorClass::Network), ..f() }).await, 5);
    assert_eq!(of(DeadLetterFilter { fingerprint: Some(second.fingerprint), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { job_type: Some("exam".to_owned()), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { job_type: Some("other".to_owned()), ..f() }).await, 0);
    assert_eq!(of(DeadLetterFilter { host: Some("a.example".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { error_code: Some("GONE".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { retryable: Some(false), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { acknowledged: Some(false), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { since: Some(world.now()), ..f() }).await, 6);
    assert_eq!(of(DeadLetterFilter { until: Some(world.now()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { q: Some("ANSWERED".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { q: Some("%".to_owned()), ..f() }).await, 0, "a wildcard is a letter");

    let mut seen = Vec::new();
    let mut query = PageQuery { page_token: None, page_size: Some(3) };
    loop {
        let page = desk(&world).list(&world.caller, &f(), &query).await.unwrap();
        assert_eq!(page.total_estimate, Some(7));
        seen.extend(page.items.into_iter().map(|entry| (entry.dead_lettered_at, entry.entry_id.to_string())));
        match page.next_page_token {
            Some(token) => query.page_token = Some(token),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.reverse();
    assert_eq!((seen.len(), &seen), (7, &sorted), "each once, newest first");
    let other = DeadLetterFilter { retryable: Some(true), ..f() };
    query.page_token = query.page_token.or(Some("x".to_owned()));
    let error = desk(&world).list(&world.caller, &other, &query).await.unwrap_err();
    assert_eq!(error.code, Code::PageTokenInvalid);
}

pub(crate) async fn entries_of_one_cause_are_one_cluster(world: World) {
    for n in 0..4 {
        let message = format!("line {n}: cannot read `x{n}`");
        dead_with(&world, world.wish(), Failure::new(ErrorClass::ParseError, "FEED_INVALID", message)).await;
    }
    world.clock.advance_ms(2 * 60 * 60 * 1_000);
    let last = dead_with(
        &world,
        world.wish(),
        Failure::new(ErrorClass::ParseError, "FEED_INVALID", "line 9: cannot read `y`"),
    )
    .await;
    dead(&world, ErrorClass::Network).await;
    let query = PageQuery { page_token: None, page_size: Some(1) };
    let page = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!(page.total_estimate, Some(2));
    let cluster = &page.items[0];
    assert_eq!((cluster.count, cluster.open, cluster.category), (5, 5, ErrorClass::ParseError));
    assert_eq!(
        (cluster.sample.as_str(), &cluster.sample_entry_id),
        ("line 9: cannot read `y`", &entry_of(&last))
    );
    assert_eq!(
        (cluster.last_seen_at, cluster.first_seen_at),
        (world.now(), world.now().minus_ms(2 * 60 * 60 * 1_000))
    );
    assert_eq!(cluster.retryable_share, 0.0);
    assert_eq!(cluster.hours.len(), 24);
    assert_eq!((cluster.hours[21], cluster.hours[22], cluster.hours[23]), (0, 4, 1));
    let query = PageQuery { page_token: page.next_page_token, page_size: Some(1) };
    let page = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!((page.items[0].count, page.items[0].retryable_share), (1, 1.0));
    assert_eq!(page.next_page_token, None);
}

pub(crate) async fn the_figures_say_how_it_is_doing(world: World) {
    let stats = desk(&world).stats(&world.caller).await.unwrap();
    assert_eq!((stats.health, stats.open, stats.oldest_open_at), (DeadLetterHealth::Ok, 0, None));
    let oldest = world.now();
    for _ in 0..3 {
        dead(&world, ErrorClass::Network).await;
    }
    let closed = entry_of(&dead(&world, ErrorClass::Auth).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let watched = entry_of(&dead(&world, ErrorClass::Auth).await);
    desk(&world).acknowledge(&world.caller, &watched, AcknowledgeDeadLetter::default()).await.unwrap();
    let stats = desk(&world).stats(&world.caller).await.unwrap();
    assert_eq!((stats.health, stats.open, stats.resolved), (DeadLetterHealth::Note, 4, 1));
    assert_eq!((stats.retryable, stats.unacknowledged, stats.added24h), (3, 3, 5));
    assert_eq!(stats.oldest_open_at, Some(oldest));
    let common = stats.most_common.unwrap();
    assert_eq!((common.count, common.error_code.as_str()), (3, "BROKEN"));
    let categories: Vec<(ErrorClass, u64)> =
        stats.by_category.iter().map(|one| (one.category, one.count)).collect();
    assert_eq!(categories, [(ErrorClass::Network, 3), (ErrorClass::Auth, 1)]);
    assert_eq!(stats.heat.iter().map(|one| one.hours[23]).collect::<Vec<_>>(), [3, 2]);
}

pub(crate) async fn an_export_is_ordered_and_its_manifest_fits(world: World) {
    let wish = SubmitJob { payload: json!({ "apiKey": "hunter2", "n": 1 }), ..world.wish() };
    dead_with(&world, wish, Failure::new(ErrorClass::Auth, "X", "=cmd|'/C calc'!A0")).await;
    world.clock.advance_ms(1);
    dead(&world, ErrorClass::Network).await;
    let filter = DeadLetterFilter::default;
    let wish = ExportDeadLetters::of(filter(), ExportFormat::Ndjson, false);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let lines: Vec<Value> = export.content.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((export.manifest.count, lines.len()), (2, 2));
    assert_eq!(
        export.manifest.sha256,
        stella_bundle::digest::of_bytes(export.content.as_bytes()).trim_start_matches("sha256:")
    );
    assert_eq!(
        (&lines[0]["errorCode"], &lines[1]["errorCode"]),
        (&json!("X"), &json!("BROKEN")),
        "oldest first"
    );
    assert_eq!(lines[0].get("payload"), None, "payloads only when they are asked for");
    let wish = ExportDeadLetters::of(filter(), ExportFormat::Ndjson, true);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let first: Value = serde_json::from_str(export.content.lines().next().unwrap()).unwrap();
    assert_eq!(first["payload"], json!({ "apiKey": "[redacted]", "n": 1 }));

    let wish = ExportDeadLetters::of(filter(), ExportFormat::Csv, false);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let mut rows = export.content.lines();
    assert!(rows.next().unwrap().starts_with("entryId,deadLetteredAt,state,"));
    assert!(rows.next().unwrap().contains("'=cmd|"), "{}", export.content);
    assert_eq!(export.manifest.count, 2);
    let again = desk(&world).export(&world.caller, &wish).await.unwrap();
    assert_eq!(export, again, "the same entries are the same bytes");
}

pub(crate) async fn closed_entries_are_forgotten_after_ninety_days_and_open_ones_never(world: World) {
    let job = dead(&world, ErrorClass::Network).await;
    let (closed, open) = (entry_of(&job), entry_of(&dead(&world, ErrorClass::Network).await));
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    world.pass_ms(90 * DAY_MS).await;
    assert_eq!(entry(&world, &closed).await.state, DeadLetterState::Resolved);
    world.pass_ms(DAY_MS).await;
    assert_eq!(desk(&world).get(&world.caller, &closed).await.unwrap_err().code, Code::NotFound);
    assert_eq!(world.job(&job.job_id).await.dead_letter_id, None, "no link leads nowhere");
    assert_eq!(entry(&world, &open).await.state, DeadLetterState::Open);
}

pub(crate) async fn ten_thousand_entries_are_counted_and_paged(world: World) {
    let place = Micros(world.now().0);
    let entries: Vec<stella_ledger::dead_letters::NewDeadLetter> = (0..10_000_u32)
        .map(|n| stella_ledger::dead_letters::NewDeadLetter {
            job_id: stella_contract::ids::JobId::from_uuid(&stella_ledger::key::uuid_of(
                u64::try_from(place.0 / 1_000).unwrap(),
                n,
                u64::from(n),
            )),
            tenant: "acme".parse().unwrap(),
            run_id: None,
            source_id: None,
            job_type: "exam".to_owned(),
            priority: 50,
            failed: stella_ledger::dead_letters::Failed {
                category: ErrorClass::Network,
                error_code: "X".to_owned(),
                error_message: format!("It broke ({n})."),
                fingerprint: format!("{:016x}", n % 7),
                http_status: None,
                host: None,
                worker_id: None,
            },
            attempts: 1,
            dead_lettered_at: place.plus_ms(i64::from(n)),
            payload_digest: "sha256:0".to_owned(),
            correlation_id: "c".to_owned(),
        })
        .collect();
    let write = world.engine.ledger().write::<_, stella_engine::Error, _>(move |tx| {
        Box::pin(async move { Ok(stella_ledger::dead_letters::insert_many(tx, &entries).await?) })
    });
    write.await.unwrap();
    let query = PageQuery { page_token: None, page_size: Some(500) };
    let filter = DeadLetterFilter { fingerprint: Some(format!("{:016x}", 3)), ..DeadLetterFilter::default() };
    let page = desk(&world).list(&world.caller, &filter, &query).await.unwrap();
    assert_eq!((page.items.len(), page.total_estimate), (500, Some(1_429)));
    let clusters = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!(clusters.items.iter().map(|one| one.count).sum::<u64>(), 10_000);
    let wish = ExportDeadLetters::of(DeadLetterFilter::default(), ExportFormat::Csv, false);
    assert_eq!(desk(&world).export(&world.caller, &wish).await.unwrap().manifest.count, 10_000);
}
