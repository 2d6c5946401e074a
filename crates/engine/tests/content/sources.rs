//! Sources are added, read, refused and judged.

use crate::support::{START, World, failure, feed, record, report, sbom, zip};
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, JobState};
use stella_contract::page::PageQuery;
use stella_contract::source::{RunSource, SourceHealth, SourceType, UpdateSource};
use wiremock::matchers::{header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_that_names_the_field() {
    for world in World::all().await {
        world.try_add("go", SourceType::Advisory, "https://feeds.example/go.zip").await.unwrap();
        let error = world.try_add("go", SourceType::Kev, "https://feeds.example/kev.json").await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Conflict, "name"));
        let error = world.try_add("x", SourceType::Kev, "feeds/kev.json").await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "location"));
    }
}

#[tokio::test]
async fn sources_are_listed_by_name_page_by_page() {
    for world in World::all().await {
        for name in ["c", "a", "b"] {
            world.try_add(name, SourceType::Advisory, "/feeds").await.unwrap();
        }
        let mut names = Vec::new();
        let mut query = PageQuery { page_token: None, page_size: Some(2) };
        loop {
            let page = world.engine.sources().list(&world.caller, &Default::default(), &query).await.unwrap();
            assert_eq!(page.total_estimate, Some(3));
            names.extend(page.items.into_iter().map(|source| source.name));
            query.page_token = page.next_page_token;
            if query.page_token.is_none() {
                break;
            }
        }
        assert_eq!(names, ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn a_source_has_one_open_job_at_a_time() {
    for world in World::all().await {
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", feed(2))).await;
        let first = world.submit(&source).await;
        assert_eq!(world.submit(&source).await.job_id, first.job_id);
        assert_eq!(first.source_id, Some(source.source_id.clone()));
        let done = world.settle(&first).await;
        assert_eq!(report(&done).records, 2);
        assert_ne!(world.submit(&source).await.job_id, first.job_id);
    }
}

#[tokio::test]
async fn a_feed_is_read_and_only_its_changes_move_the_index() {
    for world in World::all().await {
        let path = world.file("f.ndjson", feed(3));
        let source = world.add("feed", SourceType::Advisory, &path).await;
        assert_eq!(source.health, SourceHealth::Unknown);

        let first = report(&world.run(&source).await);
        assert_eq!((first.added, first.changed, first.removed, first.records), (3, 0, 0, 3));
        assert!(!first.unchanged && first.digest.starts_with("sha256:"));
        let read = world.source(&source).await;
        assert_eq!((read.record_count, read.health), (3, SourceHealth::Healthy));
        assert_eq!(read.watermark.as_deref(), Some("2026-01-01T00:00:00Z"));
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert_eq!((index.generation(), index.records()), (1, 3));

        let same = report(&world.run(&source).await);
        assert!(same.unchanged);
        let again = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert!(std::sync::Arc::ptr_eq(&index, &again), "nothing changed, so nothing is parsed again");

        let changed = [
            record("R-0001", "CVE-2026-0001", "pack-1", "9.9"),
            feed(4).lines().skip(2).collect::<Vec<_>>().join("\n"),
        ];
        std::fs::write(&path, changed.join("\n")).unwrap();
        let third = report(&world.run(&source).await);
        assert_eq!((third.added, third.changed, third.removed, third.records), (1, 1, 1, 3));
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert_eq!((index.generation(), index.records()), (2, 3));
        assert!(index.packages_of("R-0002").is_empty());
    }
}

#[tokio::test]
async fn the_feeds_survive_a_restart() {
    for world in World::all().await {
        let source = world
            .add(
                "feed",
                SourceType::Advisory,
                &world.file(
                    "f.zip",
                    zip(&[
                        ("R-1.json", &record("R-1", "CVE-2026-0001", "quill", "2.0")),
                        ("R-2.json", &record("R-2", "CVE-2026-0002", "quill", "3.0")),
                    ]),
                ),
            )
            .await;
        report(&world.run(&source).await);
        let options = world.engine.options().clone();
        world.engine.close().await;
        drop(world.engine);
        let engine = stella_engine::Engine::open(options).await.unwrap();
        assert_eq!(engine.feed_index(&world.caller.tenant).await.unwrap().records(), 2);
    }
}

#[tokio::test]
async fn a_feed_that_shrank_or_came_empty_is_refused_until_somebody_says_why() {
    for world in World::all().await {
        let path = world.file("f.ndjson", feed(10));
        let source = world.add("feed", SourceType::Advisory, &path).await;
        report(&world.run(&source).await);

        for (text, word) in [(feed(4), "shrank from 10 to 4"), (String::new(), "came empty")] {
            std::fs::write(&path, text).unwrap();
            let detail = world.run(&source).await;
            let (code, message) = failure(&detail);
            assert_eq!((code, detail.job.error_class), (Code::FeedSuspicious, Some(ErrorClass::Validation)));
            assert!(message.contains(word) && message.contains("force"), "{message}");
            assert_eq!(detail.job.state, JobState::Failed, "a refused feed is not tried again by itself");
            assert_eq!(world.source(&source).await.record_count, 10);
            assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().records(), 10);
        }
        let sad = world.source(&source).await;
        assert_eq!(
            (sad.health, sad.last_error_code.as_deref()),
            (SourceHealth::Degraded, Some("FEED_SUSPICIOUS"))
        );

        let error = world
            .engine
            .sources()
            .run(&world.caller, &source.source_id, RunSource { force: true })
            .await
            .unwrap_err();
        assert_eq!(error.code, Code::ReasonRequired);
        std::fs::write(&path, feed(4)).unwrap();
        assert_eq!(report(&world.force(&source).await).removed, 6);
        assert_eq!(world.source(&source).await.health, SourceHealth::Healthy);
        std::fs::write(&path, "").unwrap();
        assert_eq!(report(&world.force(&source).await).removed, 4);
    }
}

#[tokio::test]
async fn half_of_a_feed_is_not_yet_suspicious() {
    for world in World::all().await {
        let path = world.file("f.ndjson", feed(10));
        let source = world.add("feed", SourceType::Advisory, &path).await;
        report(&world.run(&source).await);
        std::fs::write(&path, feed(5)).unwrap();
        assert_eq!(report(&world.run(&source).await).removed, 5);
    }
}

#[tokio::test]
async fn a_feed_that_cannot_be_read_at_all_is_named_and_changes_nothing() {
    for world in World::all().await {
        let good = zip(&[("R-1.json", &record("R-1", "CVE-2026-0001", "quill", "2.0"))]);
        let path = world.file("f.zip", &good);
        let source = world.add("feed", SourceType::Advisory, &path).await;
        report(&world.run(&source).await);
        let deep = "[".repeat(200_000);
        for (bytes, class) in [
            (&good[..good.len() - 30], ErrorClass::ParseError),
            (&b"{\"id\":"[..], ErrorClass::ParseError),
            (b"{\"hello\":1}", ErrorClass::SchemaMismatch),
            (b"<html>not found</html>", ErrorClass::ParseError),
            (deep.as_bytes(), ErrorClass::ParseError),
        ] {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            std::fs::write(&path, bytes).unwrap();
            let detail = world.run(&source).await;
            let (code, message) = failure(&detail);
            assert_eq!(
                (code, detail.job.error_class),
                (Code::FeedInvalid, Some(class)),
                "{shown}: {message}"
            );
            assert!(message.contains("f.zip") && message.contains("Check the source"), "{shown}: {message}");
            assert_eq!(detail.job.state, JobState::Failed, "{shown}");
            assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().records(), 1, "{shown}");
        }
        assert_eq!(world.source(&source).await.health, SourceHealth::Failing);
    }
}

#[tokio::test]
async fn bad_records_are_listed_and_never_stop_the_good_ones() {
    for world in World::all().await {
        let deep =
            format!("{}{}", r#"{"id":"R-9","modified":"2026-01-01T00:00:00Z","x":"#, "[".repeat(100_000));
        let path = world.file(
            "f.zip",
            zip(&[
                ("R-1.json", &record("R-1", "CVE-2026-0001", "quill", "2.0")),
                ("R-2.json", "{\"id\":\"R-2\""),
                ("R-3.json", "{\"id\":\"R-3\",\"modified\":7}"),
                ("R-9.json", &deep),
                ("R-1-again.json", &record("R-1", "CVE-2026-0001", "quill", "2.0")),
                ("R-4.json", &record("R-4", "CVE-2026-0004", "quill", "4.0")),
            ]),
        );
        let source = world.add("feed", SourceType::Advisory, &path).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.records, done.added, done.refused), (2, 2, 3));
        let told: Vec<(&str, &str)> =
            done.errors.iter().map(|problem| (problem.file.as_str(), problem.code.as_str())).collect();
        assert_eq!(
            told,
            [
                ("f.zip, R-2.json", "parse_error"),
                ("f.zip, R-3.json", "schema_mismatch"),
                ("f.zip, R-9.json", "parse_error"),
                ("f.zip, R-1-again.json", "duplicate_id"),
            ]
        );
        assert_eq!(done.errors[1].path, "modified");
        // What was bad is told again although the bytes are the same.
        assert_eq!(report(&world.run(&source).await).refused, 3);
    }
}

#[tokio::test]
async fn a_record_that_is_bad_today_keeps_what_it_said_yesterday() {
    for world in World::all().await {
        let good = |id: &str| record(id, "CVE-2026-0001", "quill", "2.0");
        let path = world.file(
            "f.zip",
            zip(&[("R-1.json", &good("R-1")), ("R-2.json", &good("R-2")), ("R-3.json", &good("R-3"))]),
        );
        let source = world.add("feed", SourceType::Advisory, &path).await;
        report(&world.run(&source).await);
        std::fs::write(&path, zip(&[("R-1.json", &good("R-1")), ("R-2.json", "{")])).unwrap();
        let done = report(&world.run(&source).await);
        assert_eq!((done.removed, done.refused), (1, 1));
        assert!(done.warnings[0].contains("1 records of last time"), "{:?}", done.warnings);
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert_eq!(index.records(), 2);
    }
}

#[tokio::test]
async fn a_place_that_is_not_there_is_named() {
    for world in World::all().await {
        let source = world.add("feed", SourceType::Advisory, &world.folder("gone.zip")).await;
        let detail = world.run(&source).await;
        let (code, message) = failure(&detail);
        assert_eq!(code, Code::SourceUnreachable);
        assert!(message.contains("gone.zip does not exist"), "{message}");
    }
}

#[tokio::test]
async fn an_address_is_asked_again_only_for_what_changed() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(header("if-none-match", "\"v1\""))
            .respond_with(ResponseTemplate::new(304))
            .expect(1)
            .mount(&server)
            .await;
        let answer = ResponseTemplate::new(200).set_body_string(feed(2)).insert_header("etag", "\"v1\"");
        Mock::given(method("GET")).respond_with(answer).with_priority(9).expect(1).mount(&server).await;
        let source = world.try_add("feed", SourceType::Advisory, &server.uri()).await.unwrap();
        assert_eq!(report(&world.run(&source).await).added, 2);
        let second = report(&world.run(&source).await);
        assert!(second.unchanged);
        assert_eq!(second.records, 2);
    }
}

#[tokio::test]
async fn a_far_side_that_asks_for_a_pause_is_given_it() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(429).insert_header("retry-after", "7200");
        Mock::given(method("GET")).respond_with(busy).up_to_n_times(1).mount(&server).await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_string(feed(1)))
            .mount(&server)
            .await;
        let source = world.try_add("feed", SourceType::Advisory, &server.uri()).await.unwrap();
        let job = world.submit(&source).await;
        let waiting = world.settle(&job).await.job;
        assert_eq!(
            (waiting.state, waiting.error_class),
            (JobState::Pending, Some(ErrorClass::UpstreamThrottle))
        );
        assert!(
            waiting.next_eligible_at.unwrap() >= START.plus_ms(7_200_000),
            "{:?}",
            waiting.next_eligible_at
        );
        let paused = world.source(&source).await;
        assert_eq!(
            (paused.health, paused.not_before),
            (SourceHealth::Degraded, Some(START.plus_ms(7_200_000)))
        );
        world.clock.advance_ms(3 * 3_600_000);
        assert_eq!(report(&world.settle(&job).await).added, 1);
        assert_eq!(world.source(&source).await.not_before, None);
    }
}

#[tokio::test]
async fn a_far_side_that_fails_is_tried_again_until_it_does_not() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(500))
            .up_to_n_times(2)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_string(feed(1)))
            .mount(&server)
            .await;
        let source = world.try_add("feed", SourceType::Advisory, &server.uri()).await.unwrap();
        let job = world.submit(&source).await;
        let mut detail = world.settle(&job).await;
        for _ in 0..5 {
            world.clock.advance_ms(3_600_000);
            detail = world.settle(&job).await;
        }
        assert_eq!((report(&detail).added, detail.job.attempt), (1, 3));
    }
}

#[tokio::test]
async fn an_exploited_list_is_read_and_a_broken_one_refused() {
    for world in World::all().await {
        let list = |entries: &str| {
            format!(
                r#"{{"catalogVersion":"2026.01.01","dateReleased":"2026-01-02T00:00:00Z","vulnerabilities":[{entries}]}}"#
            )
        };
        let one = r#"{"cveID":"CVE-2026-0001","dateAdded":"2026-01-01"}"#;
        let path = world.file("kev.json", list(one));
        let source = world.add("kev", SourceType::Kev, &path).await;
        assert_eq!(report(&world.run(&source).await).added, 1);
        assert_eq!(world.source(&source).await.watermark.as_deref(), Some("2026-01-02T00:00:00Z"));
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert!(index.is_exploited("CVE-2026-0001"));
        assert_eq!(index.kev_released(), Some("2026-01-02T00:00:00Z"));

        std::fs::write(&path, list("")).unwrap();
        assert_eq!(failure(&world.run(&source).await).0, Code::FeedSuspicious);
        std::fs::write(&path, "{}").unwrap();
        assert_eq!(failure(&world.run(&source).await).0, Code::FeedInvalid);
        std::fs::write(&path, list(&format!("{one},{{\"cveID\":1}}"))).unwrap();
        let done = report(&world.run(&source).await);
        assert_eq!((done.refused, done.errors[0].path.as_str()), (1, "vulnerabilities[1]"));
    }
}

#[tokio::test]
async fn a_folder_of_sboms_becomes_targets_and_the_bad_ones_are_listed() {
    for world in World::all().await {
        world.file("sboms/a.json", sbom("shop", "1.0", &[("quill", "1.0")]));
        world.file("sboms/b.json", sbom("mail", "1.0", &[("quill", "2.0")]));
        world.file("sboms/c.json", "{\"bomFormat\":");
        world.file("sboms/d.json", r#"{"hello":1}"#);
        world.file("sboms/e.cdx.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x"},{"type":"library","name":"y","purl":"pkg:odd/y@1"}]}"#);
        world.file("sboms/f.json", sbom("shop", "1.0", &[("quill", "9.0")]));
        let source = world.add("sboms", SourceType::Sbom, &world.folder("sboms")).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.records, done.added, done.refused), (3, 3, 2));
        let told: Vec<(&str, &str)> =
            done.errors.iter().map(|problem| (problem.file.as_str(), problem.code.as_str())).collect();
        assert_eq!(told, [("c.json", "parse_error"), ("d.json", "unsupported"), ("f.json", "duplicate_id")]);
        assert!(
            done.warnings
                .iter()
                .any(|warning| warning.starts_with("e.cdx.json: ") && warning.contains("no package URL"))
        );
        assert!(
            done.warnings.iter().any(|warning| warning.contains("ecosystem `odd`")),
            "{:?}",
            done.warnings
        );

        let again = report(&world.run(&source).await);
        assert_eq!((again.records, again.added, again.changed, again.unchanged), (3, 0, 0, true));
    }
}

#[tokio::test]
async fn several_versions_in_one_folder_stand_side_by_side() {
    for world in World::all().await {
        world.file("sboms/a.json", sbom("shop", "1.0", &[("quill", "1.0")]));
        world.file("sboms/b.json", sbom("shop", "1.1", &[("quill", "2.0")]));
        let source = world.add("sboms", SourceType::Sbom, &world.folder("sboms")).await;
        assert_eq!(report(&world.run(&source).await).added, 2);
        assert!(report(&world.run(&source).await).unchanged);
    }
}

#[tokio::test]
async fn force_is_not_lost_in_a_plain_reading_that_is_still_open() {
    for world in World::all().await {
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", feed(2))).await;
        let open = world.submit(&source).await;
        let caller = world.caller.clone().because("the publisher says so", None);
        let forced = RunSource { force: true };
        let error = world.engine.sources().run(&caller, &source.source_id, forced.clone()).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidTransition);
        world.settle(&open).await;
        let job = world.engine.sources().run(&caller, &source.source_id, forced.clone()).await.unwrap();
        let same = world.engine.sources().run(&caller, &source.source_id, forced).await.unwrap();
        assert_eq!(same.job_id, job.job_id);
        assert_eq!(report(&world.settle(&job).await).records, 2);
    }
}

#[tokio::test]
async fn a_feed_with_odd_characters_is_stored_on_either_database() {
    for world in World::all().await {
        let odd = r#"{"id":"R-1","modified":"2026\u0000","summary":"zero \u0000 and \ud83d\ude00","aliases":["CVE-2026-0001\u0000"],"affected":[{"package":{"ecosystem":"PyPI","name":"qu\u0000ill"},"versions":["1"]}]}"#;
        let lines = [odd.to_owned(), record("R-2", "CVE-2026-0002", "ink", "2.0")].join("\n");
        let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", lines)).await;
        assert_eq!(report(&world.run(&source).await).added, 2);
        assert_eq!(world.engine.feed_index(&world.caller.tenant).await.unwrap().records(), 2);
        let list = r#"{"catalogVersion":"1","dateReleased":"2026-01-02T00:00:00Z","vulnerabilities":[{"cveID":"CVE-\u0000","dateAdded":"2026-01-01"},{"cveID":"CVE-2026-0001","dateAdded":"2026\u0000"}]}"#;
        let source = world.add("kev", SourceType::Kev, &world.file("kev.json", list)).await;
        let done = report(&world.run(&source).await);
        assert_eq!((done.added, done.refused), (1, 1));
    }
}

#[tokio::test]
async fn a_reading_writes_its_source_into_the_history_and_the_feed() {
    for world in World::all().await {
        let path = world.file("f.ndjson", feed(2));
        let source = world.add("feed", SourceType::Advisory, &path).await;
        let detail = world.run(&source).await;
        let names: Vec<&str> = detail.artifacts.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["report.json"]);
        let entries = world
            .engine
            .jobs()
            .history(&world.caller, &detail.job.job_id, &PageQuery::default())
            .await
            .unwrap();
        assert!(entries.items.iter().any(|entry| entry.kind == "orch.source.read"));
        let check = world.engine.history().verify(&world.caller).await.unwrap();
        assert_eq!(check.broken, None);
    }
}

#[tokio::test]
async fn the_secret_that_a_source_names_is_sent_and_shown_nowhere() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(header("authorization", "Bearer s3cret-of-the-feed"))
            .respond_with(ResponseTemplate::new(200).set_body_string(feed(1)))
            .mount(&server)
            .await;
        let location = format!("{}/feed.ndjson", server.uri());
        let source = world.try_add("feed", SourceType::Advisory, &location).await.unwrap();
        let (sources, caller) =
            (world.engine.sources(), world.caller.clone().because("a key", Some("OPS-7")));
        let wish = UpdateSource { auth_ref: Some("feeds/go".to_owned()), ..UpdateSource::default() };
        sources.update(&caller, &source.source_id, wish).await.unwrap();

        let (code, said) = failure(&world.run(&source).await);
        assert_eq!(code, Code::SourceUnreachable);
        assert!(said.contains("STELLA_SECRET_FEEDS_GO"), "{said}");
        assert_eq!(server.received_requests().await.unwrap().len(), 0, "nothing is asked without it");

        world.file("secrets/feeds/go", "s3cret-of-the-feed\n");
        assert!(sources.test(&world.caller, &source.source_id).await.unwrap().ok);
        let done = world.run(&source).await;
        assert_eq!(report(&done).added, 1);
        let shown = format!("{:?} {:?}", world.source(&source).await, done);
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
