//! The grammar of filters.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_example_of_the_grammar_is_read_and_written_in_one_way() {
    for (given, written) in [
        ("state:failed", "state:failed"),
        ("state:failed state:timed_out", "state:failed,timed_out"),
        ("state:failed type:ingest.* state:timed_out", "state:failed,timed_out type:ingest.*"),
        ("type:ingest.kev", "type:ingest.kev"),
        ("priority:>=75", "priority:>=75"),
        ("priority:>75", "priority:>=76"),
        ("priority:<25", "priority:<=24"),
        ("priority:..25", "priority:<=25"),
        ("priority:25..75", "priority:25..75"),
        ("priority:50", "priority:50"),
        ("age:>1h", "age:>1h"),
        ("age:>=90m", "age:>90m"),
        ("age:<24h", "age:<24h"),
        ("age:<48h", "age:<2d"),
        ("age:1h..1w", "age:1h..7d"),
        ("run:run:acme:20261121T140815Z:9c1f04ab", "run:run:acme:20261121T140815Z:9c1f04ab"),
        ("error:HTTP_429 category:network", "error:HTTP_429 category:network"),
        ("error:HTTP_*", "error:HTTP_*"),
        ("wait:quota_max_active", "wait:quota_max_active"),
        ("created:2026-11-20..2026-11-21", "created:2026-11-20..2026-11-21"),
        ("created:2026-11-20", "created:2026-11-20"),
        ("created:>2026-11-20", "created:>=2026-11-21"),
        ("created:<=2026-11-20", "created:<2026-11-21"),
        (
            "created:2026-11-20T10:00:00Z..2026-11-21",
            "created:2026-11-20T10:00:00.000Z..2026-11-22T00:00:00.000Z",
        ),
        ("created:>=2026-11-20T10:00:00+02:00", "created:>=2026-11-20T08:00:00.000Z"),
        ("  state:queued   wait:backoff ", "state:queued wait:backoff"),
        ("state:failed,failed", "state:failed"),
        ("", ""),
    ] {
        assert_eq!(read(given).to_string(), written, "{given}");
        assert_eq!(read(written), read(given), "{given}");
    }
}

#[test]
fn a_word_that_cannot_be_read_is_named_with_its_place_and_what_is_expected() {
    for (text, at, word) in [
        ("asleep", 1, "asleep"),
        ("colour:red", 1, "colour:red"),
        ("state:failed state:asleep", 20, "asleep"),
        ("state:failed,asleep,queued", 14, "asleep"),
        ("é type:ingest", 1, "é"),
        ("type:Ingest", 6, "Ingest"),
        ("type:*", 6, "*"),
        ("type:", 6, ""),
        ("priority:101", 10, "101"),
        ("priority:>100", 10, ">100"),
        ("priority:75..25", 10, "75..25"),
        ("priority:+5", 10, "+5"),
        ("age:1h", 5, "1h"),
        ("age:>1", 5, ">1"),
        ("age:>1y", 5, ">1y"),
        ("age:2h..1h", 5, "2h..1h"),
        ("created:2026-13-01", 9, "2026-13-01"),
        ("created:2026-11-21..2026-11-20", 9, "2026-11-21..2026-11-20"),
        ("created:2026-11-21T10:00:00Z", 9, "2026-11-21T10:00:00Z"),
        ("run:acme", 5, "acme"),
        ("job:src_01890000-0000-7000-8000-000000000000", 5, "src_01890000-0000-7000-8000-000000000000"),
    ] {
        let error = text.parse::<Filter>().unwrap_err();
        assert_eq!((error.at, error.text.as_str()), (at, word), "{text}");
        assert!(error.to_string().contains("expected "), "{error}");
    }
    let error = "state:asleep".parse::<Filter>().unwrap_err();
    assert!(error.to_string().starts_with("`asleep` at 7: expected one of pending, queued,"), "{error}");
}

#[test]
fn a_wrong_word_does_not_hide_the_others() {
    let pieces = pieces("state:failed nonsense type:scan.*");
    let sound: Vec<bool> = pieces.iter().map(|piece| piece.tokens.is_ok()).collect();
    assert_eq!(sound, [true, false, true]);
}

#[test]
fn a_key_is_replaced_where_it_stood() {
    let filter = read("state:failed type:scan.* age:<24h");
    let other = filter.with(FilterKey::Type, [Token::Type(Pattern::Exactly("exam".to_owned()))]);
    assert_eq!(other.to_string(), "state:failed type:exam age:<24h");
    assert_eq!(filter.without(FilterKey::State).to_string(), "type:scan.* age:<24h");
    assert_eq!(
        Filter::default().with(FilterKey::State, [Token::State(JobState::Queued)]).to_string(),
        "state:queued"
    );
}

#[test]
fn the_parameters_of_the_endpoint_are_tokens_like_the_others() {
    let filter = JobFilter {
        state: Some(JobState::Queued),
        job_type: Some("Odd Type".to_owned()),
        filter: Some("state:failed wait:backoff".to_owned()),
        ..JobFilter::default()
    };
    let found = filter.tokens().unwrap().at(Micros(0));
    assert_eq!(found.states, [JobState::Failed, JobState::Queued]);
    assert_eq!(found.types, [Pattern::Exactly("Odd Type".to_owned())]);
    assert_eq!(found.waits, [WaitReason::Backoff]);
}

#[test]
fn an_age_is_counted_from_now_and_restricts_beside_the_time_of_submission() {
    let now = Micros::parse("2026-11-21T12:00:00Z").unwrap();
    let found = read("age:>1h created:2026-11-21").at(now);
    let day = Micros::parse("2026-11-21T00:00:00Z").unwrap();
    let hour_ago = Micros::parse("2026-11-21T11:00:00Z").unwrap();
    assert_eq!(
        found.created,
        [
            vec![TimeRange { from: Some(day), until: Some(day.plus_ms(86_400_000)) }],
            vec![TimeRange { from: None, until: Some(Micros(hour_ago.0 + 1)) }],
        ]
    );
}

fn tokens() -> impl Strategy<Value = Token> {
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}";
    let pattern = |stem: &'static str| {
        (stem, any::<bool>()).prop_map(|(stem, whole)| match whole {
            true => Pattern::Exactly(stem),
            false => Pattern::Starting(stem),
        })
    };
    // From 1970 to the end of 2099, in milliseconds, often at midnight.
    let time = || {
        prop_oneof![
            (0_i64..47_000).prop_map(|day| Micros(day * 86_400_000_000)),
            (0_i64..4_000_000_000_000).prop_map(|ms| Micros(ms * 1_000)),
        ]
    };
    let age = || 0_i64..1_000_000;
    prop_oneof![
        proptest::sample::select(JobState::ALL).prop_map(Token::State),
        proptest::sample::select(ErrorClass::ALL).prop_map(Token::Category),
        proptest::sample::select(WaitReason::ALL).prop_map(Token::Wait),
        pattern("[a-z][a-z0-9.-]{0,30}").prop_map(Token::Type),
        pattern("[A-Za-z0-9_.:-]{1,30}").prop_map(Token::Error),
        (0_i32..=100, 0_i32..=100).prop_map(|(one, two)| {
            Token::Priority(PriorityRange { least: one.min(two), most: one.max(two) })
        }),
        (age(), age(), 0..3).prop_map(|(one, two, form)| {
            Token::Age(AgeRange {
                least_s: (form != 0).then_some(one.min(two)),
                most_s: (form != 1).then_some(one.max(two)),
            })
        }),
        (time(), time(), 0..3).prop_filter_map("a range has two ends", |(one, two, form)| {
            (one != two).then(|| {
                Token::Created(TimeRange {
                    from: (form != 0).then_some(one.min(two)),
                    until: (form != 1).then_some(one.max(two)),
                })
            })
        }),
        uuid.prop_map(|uuid| Token::Source(SourceId::from_uuid(&uuid))),
        uuid.prop_map(|uuid| Token::Worker(WorkerId::from_uuid(&uuid))),
        uuid.prop_map(|uuid| Token::Job(JobId::from_uuid(&uuid))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(tokens in proptest::collection::vec(tokens(), 0..12)) {
        let filter = Filter::of(tokens);
        prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in ".{0,60}") {
        for piece in pieces(&text) {
            if let Err(error) = piece.tokens {
                prop_assert!(error.at >= 1 && error.at <= text.chars().count() + 1);
            }
        }
    }
}
