//! Sources are steered, and how far they are read is kept in event time.

use crate::support::{START, World, failure, record_at, report};
use stella_contract::backfill::{CreateBackfill, StartBackfill};
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::job::{JobFilter, JobState};
use stella_contract::page::PageQuery;
use stella_contract::source::{RunSource, Source, SourceHealth, SourceType, UpdateSource};
use stella_contract::time::Micros;
use stella_contract::watermark::{ResetWatermark, SkipWindow, StretchState, Watermark, Window};
use stella_engine::Caller;
use wiremock::matchers::{method, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn ago(ms: i64) -> Micros {
    Micros(START.minus_ms(ms).0 / 1_000_000 * 1_000_000)
}

fn operator(world: &World) -> Caller {
    world.caller.clone().because("the feed moved", Some("OPS-7"))
}

async fn mark(world: &World, source: &Source) -> Watermark {
    let all = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
    all.items.into_iter().next().unwrap()
}

async fn windowed(world: &World, server: &MockServer) -> Source {
    let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
    world.try_add("changes", SourceType::Advisory, &location).await.unwrap()
}

async fn answers(server: &MockServer, window: Window, lines: &[String]) {
    Mock::given(method("GET"))
        .and(query_param("from", window.start.to_string()))
        .and(query_param("to", window.end.to_string()))
        .respond_with(ResponseTemplate::new(200).set_body_string(lines.join("\n")))
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_whole_feed_covers_everything_up_to_its_newest_record() {
    for world in World::all().await {
        let text = [record_at("R-1", ago(3 * DAY)), record_at("R-2", ago(DAY))].join("\n");
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", text)).await;
        let empty = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
        assert_eq!((empty.items.len(), empty.stretches[0].state), (0, StretchState::Missing));
        report(&world.run(&source).await);
        let read = mark(&world, &source).await;
        assert_eq!((read.coverage_from, read.high_watermark), (Some(ago(3 * DAY)), Some(ago(DAY))));
        assert_eq!(read.low_watermark, Some(ago(DAY).plus_ms(1)));
        assert_eq!(read.lag_s, Some(START.ms_since(read.low_watermark.unwrap()) / 1_000));
        assert!(read.last_event_hash.is_some());
        let shown = world.source(&source).await;
        assert_eq!((shown.low_watermark, shown.lag_s), (read.low_watermark, read.lag_s));
        let lags = world
            .engine
            .ledger()
            .read(|tx| Box::pin(async move { stella_ledger::watermarks::lags(tx, START).await }))
            .await;
        let lags: Vec<(String, i64)> = lags
            .unwrap_or_else(|error: stella_ledger::LedgerError| panic!("{error}"))
            .into_iter()
            .map(|lag| (lag.name, lag.lag_s))
            .collect();
        assert_eq!(lags, [("feed".to_owned(), read.lag_s.unwrap())]);
    }
}

#[tokio::test]
async fn a_live_reading_asks_for_the_next_window_and_keeps_what_changed_within_it() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let source = windowed(&world, &server).await;
        assert!(source.windowed);
        assert_eq!(source.host.as_deref(), Some(server.address().to_string().as_str()));
        let until = Micros(START.minus_ms(900_000).0);
        let first = Window { start: until.minus_ms(HOUR), end: until };
        let inside = record_at("R-1", first.start);
        let outside = record_at("R-2", first.start.minus_ms(1));
        answers(&server, first, &[inside, outside]).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.window, done.records, done.added), (Some(first), 1, 1));
        assert_eq!(mark(&world, &source).await.low_watermark, Some(first.end));

        // Nothing is old enough yet, so that nothing is asked for.
        let idle = report(&world.run(&source).await);
        assert!(idle.unchanged && idle.warnings[0].contains("old enough"), "{idle:?}");

        world.clock.advance_ms(HOUR / 2);
        let next = Window { start: first.end.minus_ms(300_000), end: first.end.plus_ms(HOUR / 2) };
        assert_eq!(mark(&world, &source).await.next_window, Some(next));
        answers(&server, next, &[record_at("R-3", next.start.plus_ms(400_000))]).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.window, done.added), (Some(next), 1));
        let read = mark(&world, &source).await;
        assert_eq!((read.coverage_from, read.low_watermark), (Some(first.start), Some(next.end)));
        assert_eq!(world.source(&source).await.record_count, 2);
        assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().records(), 2);
    }
}

#[tokio::test]
async fn a_source_that_fell_behind_is_read_window_by_window_until_it_is_up_to_date() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let source = windowed(&world, &server).await;
        report(&world.run(&source).await);
        world.clock.advance_ms(5 * HOUR + HOUR / 2);
        let first = world.run(&source).await;
        let until = Micros(START.plus_ms(5 * HOUR + HOUR / 2 - 900_000).0);
        assert_eq!(mark(&world, &source).await.low_watermark, Some(until));
        assert_eq!(report(&first).window.map(|window| window.end), Some(until.minus_ms(4 * HOUR + HOUR / 2)));
        // One job for each window, all of one cause; there is nothing more to do.
        let filter = JobFilter { source: Some(source.source_id.clone()), ..JobFilter::default() };
        let jobs =
            world.engine.jobs().list(&world.caller, &filter, &PageQuery::default()).await.unwrap().items;
        let alike = jobs.iter().filter(|job| job.correlation_id == first.job.correlation_id).count();
        assert_eq!((jobs.len(), alike), (7, 7));
        assert!(jobs.iter().all(|job| job.state == JobState::Succeeded), "{jobs:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 7);
    }
}

#[tokio::test]
async fn what_a_windowed_source_no_longer_keeps_is_forgotten_and_a_whole_one_keeps_what_is_published() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let old = record_at("R-1", ago(40 * DAY));
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_string(&old))
            .mount(&server)
            .await;
        let whole = world.add("whole", SourceType::Advisory, &world.file("f.ndjson", &old)).await;
        report(&world.run(&whole).await);
        let source = windowed(&world, &server).await;
        let wish = CreateBackfill::of(source.source_id.clone(), ago(41 * DAY), ago(39 * DAY));
        let (backfills, caller) = (world.engine.backfills(), operator(&world));
        let drafted = backfills.create(&caller, wish).await.unwrap();
        let previewed = backfills.preview(&caller, &drafted.backfill_id).await.unwrap();
        let start = StartBackfill { preview_digest: previewed.preview.unwrap().digest };
        backfills.start(&caller, &drafted.backfill_id, start).await.unwrap();
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(world.source(&source).await.record_count, 1);
        assert_eq!(mark(&world, &source).await.completed_ranges.len(), 1);

        for one in [&source, &whole] {
            let month = UpdateSource { retention_days: Some(30), ..UpdateSource::default() };
            world.engine.sources().update(&caller, &one.source_id, month).await.unwrap();
        }
        world.clock.advance_ms(10 * 60 * 1_000);
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(world.source(&source).await.record_count, 0);
        assert_eq!(mark(&world, &source).await.completed_ranges, []);
        assert_eq!(world.source(&whole).await.record_count, 1, "absent is not clean");
        assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().records(), 1);
    }
}

#[tokio::test]
async fn a_failed_window_moves_nothing_and_is_asked_for_again() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let source = windowed(&world, &server).await;
        let until = Micros(START.minus_ms(900_000).0);
        let first = Window { start: until.minus_ms(HOUR), end: until };
        let (code, _) = failure(&world.run(&source).await);
        assert_eq!(code, Code::SourceUnreachable);
        let all = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
        assert_eq!(all.items, []);
        answers(&server, first, &[record_at("R-1", first.start)]).await;
        assert_eq!(report(&world.run(&source).await).window, Some(first));
        world.clock.advance_ms(2 * HOUR);
        let before = mark(&world, &source).await;
        failure(&world.run(&source).await);
        assert_eq!(mark(&world, &source).await, before);
    }
}

#[tokio::test]
async fn a_window_that_cannot_succeed_is_skipped_with_its_reason_and_shown_as_a_gap() {
    for world in World::all().await {
        let text = record_at("R-1", ago(3 * DAY));
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", text)).await;
        report(&world.run(&source).await);
        let (sources, id) = (world.engine.sources(), &source.source_id);
        let low = mark(&world, &source).await.low_watermark.unwrap();
        let error = sources.skip_window(&world.caller, id, SkipWindow::default()).await.unwrap_err();
        assert_eq!(error.code, Code::ReasonRequired);
        let caller = world.caller.clone().because("broken", None);
        let error = sources.skip_window(&caller, id, SkipWindow::default()).await.unwrap_err();
        assert_eq!(error.code, Code::TicketRequired);
        let caller = operator(&world);
        for wrong in [START.plus_ms(1_000), low] {
            let error = sources.skip_window(&caller, id, SkipWindow { end: Some(wrong) }).await.unwrap_err();
            assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "end"));
        }
        let passed = sources.skip_window(&caller, id, SkipWindow::default()).await.unwrap();
        let gap = &passed.gaps[0];
        assert_eq!((gap.start, gap.end), (low, low.plus_ms(HOUR)));
        assert_eq!(
            (gap.reason.as_str(), gap.ticket.as_str(), gap.by.as_str()),
            ("the feed moved", "OPS-7", "ada")
        );
        assert_eq!(passed.low_watermark, Some(gap.end));
        let map = sources.watermarks(&caller, id).await.unwrap();
        assert!(map.stretches.iter().any(|one| one.state == StretchState::Gap && one.start == low));
        assert!(map.stretches.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}

#[tokio::test]
async fn a_reset_sends_the_low_watermark_back_and_never_forward() {
    for world in World::all().await {
        let text = [record_at("R-1", ago(3 * DAY)), record_at("R-2", ago(DAY))].join("\n");
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", text)).await;
        let (sources, id, caller) = (world.engine.sources(), &source.source_id, operator(&world));
        let wish = |at: Micros| ResetWatermark { low_watermark: at };
        let error = sources.reset_watermark(&caller, id, wish(ago(DAY))).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidTransition, "it was never read");
        report(&world.run(&source).await);
        let error = sources.reset_watermark(&world.caller, id, wish(ago(2 * DAY))).await.unwrap_err();
        assert_eq!(error.code, Code::ReasonRequired);
        let error = sources.reset_watermark(&caller, id, wish(ago(0))).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "lowWatermark"));
        let back = sources.reset_watermark(&caller, id, wish(ago(2 * DAY))).await.unwrap();
        assert_eq!(back.low_watermark, Some(ago(2 * DAY)));
        // What the far side said last time does not keep it from being read again.
        let again = report(&world.run(&source).await);
        assert!(again.bytes > 0, "{again:?}");
        assert_eq!(mark(&world, &source).await.low_watermark, Some(ago(DAY).plus_ms(1)));
    }
}

#[tokio::test]
async fn a_source_is_changed_only_at_the_version_that_was_read() {
    for world in World::all().await {
        let source = world.try_add("go", SourceType::Advisory, "https://feeds.example/go.zip").await.unwrap();
        world.try_add("py", SourceType::Advisory, "https://feeds.example/py.zip").await.unwrap();
        let (sources, id, caller) = (world.engine.sources(), &source.source_id, operator(&world));
        let wish = UpdateSource {
            version: Some(source.version),
            name: Some("golang".to_owned()),
            location: Some("https://other.example:8443/go.zip".to_owned()),
            retention_days: Some(30),
            auth_ref: Some("feeds/go".to_owned()),
            ..UpdateSource::default()
        };
        assert_eq!(
            sources.update(&world.caller, id, wish.clone()).await.unwrap_err().code,
            Code::ReasonRequired
        );
        let changed = sources.update(&caller, id, wish.clone()).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.host.as_deref()), ("golang", Some("other.example:8443")));
        assert_eq!((changed.settings.retention_days, changed.settings.overlap_s), (30, 300));
        assert_eq!(changed.settings.auth_ref.as_deref(), Some("feeds/go"));
        assert_eq!(sources.update(&caller, id, wish).await.unwrap_err().code, Code::VersionMismatch);
        for (wish, field) in [
            (UpdateSource { fetch_window_s: Some(59), ..UpdateSource::default() }, "fetchWindowS"),
            (UpdateSource { overlap_s: Some(-1), ..UpdateSource::default() }, "overlapS"),
            (UpdateSource { allowed_lateness_s: Some(-1), ..UpdateSource::default() }, "allowedLatenessS"),
            (UpdateSource { retention_days: Some(0), ..UpdateSource::default() }, "retentionDays"),
            (UpdateSource { bucket_capacity: Some(0), ..UpdateSource::default() }, "bucketCapacity"),
            (UpdateSource { bucket_rate: Some(0.0), ..UpdateSource::default() }, "bucketRate"),
            (UpdateSource { location: Some("feeds".to_owned()), ..UpdateSource::default() }, "location"),
            (UpdateSource { job_type: Some("a.b".to_owned()), ..UpdateSource::default() }, "jobType"),
            (UpdateSource { auth_ref: Some("../key".to_owned()), ..UpdateSource::default() }, "authRef"),
        ] {
            let error = sources.update(&caller, id, wish).await.unwrap_err();
            assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field));
        }
        let taken = UpdateSource { name: Some("py".to_owned()), ..UpdateSource::default() };
        assert_eq!(sources.update(&caller, id, taken).await.unwrap_err().code, Code::Conflict);
        let nobody: SourceId = "src_01890000-0000-7000-8000-000000000000".parse().unwrap();
        let error = sources.update(&caller, &nobody, UpdateSource::default()).await.unwrap_err();
        assert_eq!(error.code, Code::NotFound);
    }
}

#[tokio::test]
async fn a_source_that_is_held_or_switched_off_is_not_read() {
    for world in World::all().await {
        let file = world.file("f.ndjson", record_at("R-1", ago(DAY)));
        let source = world.add("feed", SourceType::Advisory, &file).await;
        let (sources, id, caller) = (world.engine.sources(), &source.source_id, operator(&world));
        assert_eq!(sources.pause(&world.caller, id).await.unwrap_err().code, Code::ReasonRequired);
        assert_eq!(sources.resume(&caller, id).await.unwrap_err().code, Code::InvalidTransition);
        let held = sources.pause(&caller, id).await.unwrap();
        assert_eq!(
            (held.health, held.pause_reason.as_deref()),
            (SourceHealth::Paused, Some("the feed moved"))
        );
        assert_eq!(sources.pause(&caller, id).await.unwrap_err().code, Code::InvalidTransition);
        let error = sources.run(&caller, id, RunSource::default()).await.unwrap_err();
        assert_eq!(error.code, Code::SourcePaused);
        assert!(!sources.resume(&caller, id).await.unwrap().paused);

        let off = |on: bool| UpdateSource { enabled: Some(on), ..UpdateSource::default() };
        assert_eq!(sources.update(&caller, id, off(false)).await.unwrap().health, SourceHealth::Disabled);
        let error = sources.run(&caller, id, RunSource::default()).await.unwrap_err();
        assert_eq!(error.code, Code::SourceDisabled);
        sources.update(&caller, id, off(true)).await.unwrap();
        report(&world.run(&source).await);
    }
}

#[tokio::test]
async fn a_look_at_a_source_says_what_is_there_and_keeps_nothing() {
    for world in World::all().await {
        let text = [record_at("R-1", ago(3 * DAY)), record_at("R-2", ago(DAY)), "{".to_owned()].join("\n");
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", text)).await;
        let (sources, id) = (world.engine.sources(), &source.source_id);
        let seen = sources.test(&world.caller, id).await.unwrap();
        assert_eq!((seen.ok, seen.files, seen.records, seen.refused), (true, 1, 2, 1));
        assert_eq!((seen.newest, seen.errors.len()), (Some(ago(DAY)), 1));
        let untouched = world.source(&source).await;
        assert_eq!((untouched.record_count, untouched.version), (0, source.version));
        assert_eq!(sources.watermarks(&world.caller, id).await.unwrap().items, []);

        let gone = world.try_add("gone", SourceType::Kev, "/nowhere/kev.json").await.unwrap();
        let seen = sources.test(&world.caller, &gone.source_id).await.unwrap();
        assert_eq!((seen.ok, seen.error_code.as_deref()), (false, Some("SOURCE_UNREACHABLE")));
        let empty = world.add("empty", SourceType::Vex, &world.file("v.json", "{}")).await;
        let seen = sources.test(&world.caller, &empty.source_id).await.unwrap();
        assert_eq!((seen.ok, seen.error_code.as_deref()), (false, Some("FEED_INVALID")));
        let reader = Caller { read_only: true, ..world.caller.clone() };
        assert_eq!(sources.test(&reader, id).await.unwrap_err().code, Code::ReadOnly);
    }
}

#[tokio::test]
async fn every_format_of_vex_comes_in_over_http() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let open = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:1","timestamp":"2026-11-01T00:00:00Z","statements":[
            {"vulnerability":{"name":"CVE-2026-1"},"products":["pkg:pypi/quill"],"status":"not_affected"},
            {"vulnerability":{"name":"CVE-2026-2"},"products":["pkg:pypi/quill"],"status":"wrong"}]}"#;
        let cyclonedx = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-02T00:00:00Z"},
            "vulnerabilities":[{"id":"CVE-2026-3","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:pypi/ink@1"}]}]}"#;
        let csaf = r#"{"document":{"csaf_version":"2.0","tracking":{"id":"A-1","current_release_date":"2026-11-03T00:00:00Z"}},
            "product_tree":{"full_product_names":[{"product_id":"p","product_identification_helper":{"purl":"pkg:pypi/pen"}}]},
            "vulnerabilities":[{"cve":"CVE-2026-4","product_status":{"fixed":["p"]}}]}"#;
        for (place, text, newest) in
            [("open", open, "2026-11-01"), ("cdx", cyclonedx, "2026-11-02"), ("csaf", csaf, "2026-11-03")]
        {
            Mock::given(method("GET"))
                .and(wiremock::matchers::path(format!("/{place}")))
                .respond_with(ResponseTemplate::new(200).set_body_string(text))
                .mount(&server)
                .await;
            let location = format!("{}/{place}", server.uri());
            let source = world.try_add(place, SourceType::Vex, &location).await.unwrap();
            let done = report(&world.run(&source).await);
            assert_eq!((done.records, done.added), (1, 1), "{place}");
            let high = mark(&world, &source).await.high_watermark.unwrap().to_string();
            assert!(high.starts_with(newest), "{place}: {high}");
            let again = report(&world.run(&source).await);
            let bad = i64::from(place == "open");
            assert_eq!((again.unchanged, again.refused), (true, bad), "a bad statement is told again");
        }
        assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().generation(), 3);
    }
}

#[tokio::test]
async fn the_list_of_likelihoods_comes_packed_and_a_broken_one_is_refused() {
    for world in World::all().await {
        let text = "#model_version:v1,score_date:2026-11-02T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,0.5,0.9\n";
        let path = world.file("epss.csv.gz", gzip(text));
        let source = world.add("epss", SourceType::Epss, &path).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.records, done.refused), (1, 0));
        let high = mark(&world, &source).await.high_watermark.unwrap();
        assert_eq!(high.to_string(), "2026-11-02T00:00:00.000Z");
        std::fs::write(&path, "cve,epss\n").unwrap();
        assert_eq!(failure(&world.run(&source).await).0, Code::FeedSuspicious);
        std::fs::write(&path, "<html>").unwrap();
        assert_eq!(failure(&world.run(&source).await).0, Code::FeedInvalid);
        assert_eq!(world.source(&source).await.record_count, 1);
    }
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}
