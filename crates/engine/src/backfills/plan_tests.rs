use super::*;
use crate::coverage::Run;

const NOW: Micros = Micros(1_795_271_295_000_000);

fn days(days: i64) -> Micros {
    whole_ms(plus_s(NOW, days * 86_400))
}

fn wish(from: i64, to: i64) -> CreateBackfill {
    let source = "src_01890000-0000-7000-8000-000000000000".parse().unwrap();
    CreateBackfill::of(source, days(from), days(to))
}

fn facts() -> Facts {
    Facts {
        enabled: true,
        settings: SourceSettings::default(),
        rate: 1.0,
        coverage: Coverage { run: Some(Run { from: days(-5), low: days(0) }), ..Coverage::default() },
        failed: Vec::new(),
        others: Vec::new(),
    }
}

#[test]
fn a_wish_is_checked_field_by_field() {
    for (wrong, field) in [
        (wish(-1, -1), "to"),
        (wish(-1, -2), "to"),
        (CreateBackfill { window_s: 3_599, ..wish(-9, -8) }, "windowS"),
        (CreateBackfill { window_s: 604_801, ..wish(-9, -8) }, "windowS"),
        (CreateBackfill { max_active: 0, ..wish(-9, -8) }, "maxActive"),
        (CreateBackfill { max_active: 17, ..wish(-9, -8) }, "maxActive"),
        (CreateBackfill { bucket_share: 0.0, ..wish(-9, -8) }, "bucketShare"),
        (CreateBackfill { bucket_share: 1.1, ..wish(-9, -8) }, "bucketShare"),
        (CreateBackfill { bucket_share: f64::NAN, ..wish(-9, -8) }, "bucketShare"),
    ] {
        let error = checked(wrong).unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field));
    }
}

#[test]
fn more_than_1000_windows_or_366_days_is_too_large() {
    let hours = |hours: i64| CreateBackfill {
        window_s: 3_600,
        to: plus_s(days(-100), hours * 3_600),
        ..wish(-100, -1)
    };
    assert!(checked(hours(1_000)).is_ok());
    assert_eq!(checked(hours(1_001)).unwrap_err().code, Code::BackfillTooLarge);
    assert!(checked(wish(-366, 0)).is_ok());
    assert_eq!(checked(wish(-367, 0)).unwrap_err().code, Code::BackfillTooLarge);
}

#[test]
fn windows_lie_end_to_end_and_the_last_may_be_shorter() {
    let wish = CreateBackfill { window_s: 40_000, ..wish(-10, -9) };
    let windows = cut(&wish);
    assert_eq!(windows.len(), 3);
    assert_eq!((windows[0].start, windows[2].end), (wish.from, wish.to));
    assert!(windows.windows(2).all(|pair| pair[0].end == pair[1].start));
}

#[test]
fn what_is_read_again_follows_from_the_wish() {
    let failed = Window { start: days(-7), end: days(-6) };
    let facts = Facts { failed: vec![failed], ..facts() };
    for (reprocess, runs) in [
        (Reprocess::None, [true, false, true, false]),
        (Reprocess::Failed, [true, true, true, false]),
        (Reprocess::Completed, [true, true, true, true]),
    ] {
        let wish = CreateBackfill { reprocess, ..wish(-8, -4) };
        let plan = Plan::of(&wish, &facts);
        assert_eq!(plan.windows.iter().map(|one| one.will_run).collect::<Vec<_>>(), runs, "{reprocess}");
        let preview = plan.preview(&wish, &facts, NOW).unwrap();
        let missing = runs.iter().filter(|runs| !**runs).count() as i64;
        assert_eq!((preview.will_run, preview.already_done + preview.left_failed), (4 - missing, missing));
    }
}

#[test]
fn the_newest_go_first_when_asked() {
    let wish = CreateBackfill { order: BackfillOrder::NewestFirst, ..wish(-10, -7) };
    let plan = Plan::of(&wish, &facts());
    let starts: Vec<Micros> = plan.windows.iter().map(|one| one.start).collect();
    assert_eq!(starts, [days(-8), days(-9), days(-10)]);
}

#[test]
fn everything_that_stands_in_the_way_is_named() {
    let codes = |wish: &CreateBackfill, facts: &Facts| {
        collisions(wish, facts, NOW).into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&wish(-10, -1), &facts()), []);
    assert_eq!(codes(&wish(-10, 0), &facts()), [Code::BackfillOverlapsLive]);
    let to_the_edge = CreateBackfill { to: plus_s(days(0), -300), ..wish(-10, 0) };
    assert_eq!(codes(&to_the_edge, &facts()), []);
    assert_eq!(codes(&wish(-366, -1), &facts()), [Code::BackfillBeyondRetention]);
    assert_eq!(codes(&wish(-10, -1), &Facts { enabled: false, ..facts() }), [Code::SourceDisabled]);
    let other = Facts { others: vec!["bf_1".to_owned()], ..facts() };
    assert_eq!(codes(&wish(-10, -1), &other), [Code::BackfillOverlap]);
}

#[test]
fn another_request_or_another_plan_has_another_digest() {
    let digest = |wish: &CreateBackfill, facts: &Facts| Plan::of(wish, facts).digest(wish).unwrap();
    let one = wish(-10, -1);
    assert_eq!(digest(&one, &facts()), digest(&one, &facts()));
    let slower = CreateBackfill { max_active: 1, ..one.clone() };
    assert_ne!(digest(&slower, &facts()), digest(&one, &facts()));
    let failed = Facts { failed: vec![Window { start: days(-10), end: days(-9) }], ..facts() };
    assert_ne!(digest(&one, &failed), digest(&one, &facts()));
}

#[test]
fn the_share_of_the_rate_is_kept() {
    // Ten in the bucket, one a second, a quarter of it: two at once, then one every four seconds.
    let (wish, rate) = (wish(-10, -1), Pace { rate: 1.0, capacity: 10 });
    let (fed, until) = pace(&wish, rate, None, NOW, 16);
    assert_eq!((fed, until), (2, plus_s(NOW, 8)));
    assert_eq!(pace(&wish, rate, Some(until), plus_s(NOW, 3), 16).0, 0);
    assert_eq!(due(&wish, rate, until), plus_s(NOW, 4));
    let (fed, until) = pace(&wish, rate, Some(until), plus_s(NOW, 4), 16);
    assert_eq!((fed, until), (1, plus_s(NOW, 12)));
    // Over any stretch it is never more than the bucket's share and what flows into it.
    let (mut until, mut total) = (None, 0);
    for second in 0..=400 {
        let (fed, used) = pace(&wish, rate, until, plus_s(NOW, second), 16);
        (until, total) = (Some(used), total + fed);
        assert!(total <= 2 + second / 4, "{total} after {second} s");
    }
    assert_eq!(total, 102);
}

#[test]
fn a_preview_says_how_long_it_takes_and_until_when_it_holds() {
    let wish = wish(-10, -6);
    let preview = Plan::of(&wish, &facts()).preview(&wish, &facts(), NOW).unwrap();
    assert_eq!((preview.window_count, preview.will_run, preview.estimated_requests), (4, 4, 4));
    assert_eq!(preview.estimated_duration_s, 16);
    assert_eq!(preview.valid_until, NOW.plus_ms(900_000));
    let short =
        Facts { settings: SourceSettings { retention_days: 8, ..SourceSettings::default() }, ..facts() };
    assert_eq!(Plan::of(&wish, &short).preview(&wish, &short, NOW).unwrap().retention_hits, 2);
}
