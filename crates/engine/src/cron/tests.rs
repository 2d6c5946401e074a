//! The table of cron and daylight cases (acceptance of issue 4), and what is refused.

use super::*;

/// Expression, zone, a moment, and the moments of the next fires.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    // Plain, in UTC.
    ("* * * * *", "UTC", "2026-11-21T14:00:30Z", &["2026-11-21T14:01:00Z", "2026-11-21T14:02:00Z"]),
    ("*/20 * * * *", "UTC", "2026-11-21T14:40:00Z", &["2026-11-21T15:00:00Z", "2026-11-21T15:20:00Z"]),
    ("10,40 * * * *", "UTC", "2026-11-21T14:10:00Z", &["2026-11-21T14:40:00Z", "2026-11-21T15:10:00Z"]),
    ("30 2 * * *", "UTC", "2026-11-21T02:30:00Z", &["2026-11-22T02:30:00Z"]),
    ("0 6 * * 1", "UTC", "2026-11-21T00:00:00Z", &["2026-11-23T06:00:00Z", "2026-11-30T06:00:00Z"]),
    ("0 6 * * MON-FRI", "UTC", "2026-11-20T06:00:00Z", &["2026-11-23T06:00:00Z", "2026-11-24T06:00:00Z"]),
    ("0 6 * * 0", "UTC", "2026-11-21T00:00:00Z", &["2026-11-22T06:00:00Z"]),
    ("0 6 * * 7", "UTC", "2026-11-21T00:00:00Z", &["2026-11-22T06:00:00Z"]),
    ("15 */4 * * *", "UTC", "2026-11-21T14:00:00Z", &["2026-11-21T16:15:00Z", "2026-11-21T20:15:00Z"]),
    ("5-10/5 0 * * *", "UTC", "2026-11-21T00:00:00Z", &["2026-11-21T00:05:00Z", "2026-11-21T00:10:00Z"]),
    ("0 0 1 jan *", "UTC", "2026-11-21T00:00:00Z", &["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
    // Either day when both are restricted; both when one begins with `*`.
    ("0 0 13 * 5", "UTC", "2026-11-12T12:00:00Z", &["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]),
    ("0 0 15 * 5", "UTC", "2026-11-12T12:00:00Z", &["2026-11-13T00:00:00Z", "2026-11-15T00:00:00Z"]),
    ("0 0 */2 * 1", "UTC", "2026-11-01T00:00:00Z", &["2026-11-09T00:00:00Z", "2026-11-23T00:00:00Z"]),
    ("0 0 1-31/2 * 1", "UTC", "2026-11-01T00:00:00Z", &["2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"]),
    // Shorthands.
    ("@hourly", "UTC", "2026-11-21T14:00:00Z", &["2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z"]),
    ("@daily", "UTC", "2026-11-21T14:00:00Z", &["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]),
    ("@weekly", "UTC", "2026-11-21T14:00:00Z", &["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"]),
    ("@monthly", "UTC", "2026-11-21T14:00:00Z", &["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    (" @daily ", "Europe/Sofia", "2026-11-21T14:00:00Z", &["2026-11-21T22:00:00Z"]),
    ("@hourly", "Asia/Kolkata", "2026-11-21T14:00:00Z", &["2026-11-21T14:30:00Z", "2026-11-21T15:30:00Z"]),
    ("@weekly", "America/New_York", "2026-11-21T14:00:00Z", &["2026-11-22T05:00:00Z"]),
    ("@monthly", "Pacific/Auckland", "2026-11-21T14:00:00Z", &["2026-11-30T11:00:00Z"]),
    // Leap days, ends of months and years.
    ("0 12 29 2 *", "UTC", "2026-11-21T00:00:00Z", &["2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z"]),
    ("0 12 29 2 *", "UTC", "2096-03-01T00:00:00Z", &["2104-02-29T12:00:00Z"]),
    ("0 12 29 2 *", "Asia/Tokyo", "2027-03-01T00:00:00Z", &["2028-02-29T03:00:00Z"]),
    ("0 0 29 2 */7", "UTC", "2026-11-21T00:00:00Z", &["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z"]),
    ("59 23 31 12 *", "UTC", "2026-11-21T00:00:00Z", &["2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"]),
    ("0 0 1 1 *", "Pacific/Kiritimati", "2026-11-21T00:00:00Z", &["2026-12-31T10:00:00Z"]),
    ("0 0 1 1 *", "Etc/GMT+12", "2026-11-21T00:00:00Z", &["2027-01-01T12:00:00Z"]),
    (
        "0 0 31 * *",
        "UTC",
        "2026-11-21T00:00:00Z",
        &["2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z", "2027-03-31T00:00:00Z"],
    ),
    ("0 9 30 * *", "UTC", "2027-01-30T09:00:00Z", &["2027-03-30T09:00:00Z"]),
    // Zones of half and quarter hours.
    (
        "10,40 * * * *",
        "Asia/Kolkata",
        "2026-11-21T14:32:00Z",
        &["2026-11-21T14:40:00Z", "2026-11-21T15:10:00Z"],
    ),
    ("0 9 * * *", "Asia/Kathmandu", "2026-11-21T00:00:00Z", &["2026-11-21T03:15:00Z"]),
    ("0 9 * * *", "Australia/Eucla", "2026-11-21T02:00:00Z", &["2026-11-22T00:15:00Z"]),
    ("0 9 * * *", "America/St_Johns", "2026-11-21T00:00:00Z", &["2026-11-21T12:30:00Z"]),
    ("30 0 * * *", "Asia/Kabul", "2026-11-21T00:00:00Z", &["2026-11-21T20:00:00Z"]),
    // The gap in spring: the first moment after it, once.
    (
        "30 2 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    ),
    ("0 2 * * *", "Europe/Vienna", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
    (
        "59 2 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:59:00Z"],
    ),
    (
        "0,30 2 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
    ),
    (
        "30 2,3 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
    ),
    (
        "0 2,3 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
    ),
    ("30 3 * * *", "Europe/Vienna", "2026-03-28T12:00:00Z", &["2026-03-29T01:30:00Z"]),
    (
        "30 1 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z"],
    ),
    (
        "30 3 28 3 *",
        "Europe/Sofia",
        "2026-11-21T14:00:00Z",
        &["2027-03-28T01:00:00Z", "2028-03-28T00:30:00Z"],
    ),
    (
        "30 2 * * 0",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"],
    ),
    (
        "30 2 * * *",
        "America/New_York",
        "2027-03-13T12:00:00Z",
        &["2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"],
    ),
    (
        "30 1 * * *",
        "Europe/London",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    ),
    // Asked at the very moment after the gap, it has fired.
    ("30 2 * * *", "Europe/Vienna", "2026-03-29T01:00:00Z", &["2026-03-30T00:30:00Z"]),
    ("30 2 * * *", "Europe/Vienna", "2026-03-29T00:59:59Z", &["2026-03-29T01:00:00Z"]),
    // A gap at midnight.
    (
        "@daily",
        "America/Sao_Paulo",
        "2018-11-03T12:00:00Z",
        &["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
    ),
    ("15 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", &["2026-04-23T22:00:00Z", "2026-04-24T21:15:00Z"]),
    ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", &["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"]),
    // What follows the clock has no times in the gap and goes on behind it.
    (
        "*/20 * * * *",
        "Europe/Sofia",
        "2027-03-28T00:30:00Z",
        &["2027-03-28T00:40:00Z", "2027-03-28T01:00:00Z", "2027-03-28T01:20:00Z"],
    ),
    ("0 * * * *", "Europe/Vienna", "2026-03-29T00:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]),
    (
        "30 * * * *",
        "Europe/Vienna",
        "2026-03-29T00:00:00Z",
        &["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"],
    ),
    (
        "0 */2 * * *",
        "Europe/Vienna",
        "2026-03-28T23:30:00Z",
        &["2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z"],
    ),
    (
        "*/15 2 * * *",
        "Europe/Vienna",
        "2026-03-28T12:00:00Z",
        &["2026-03-30T00:00:00Z", "2026-03-30T00:15:00Z"],
    ),
    // The repeated hour in autumn: once, the first time.
    (
        "30 2 * * *",
        "Europe/Vienna",
        "2026-10-24T12:00:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    ),
    ("0 2 * * *", "Europe/Vienna", "2026-10-24T12:00:00Z", &["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"]),
    ("0 3 * * *", "Europe/Vienna", "2026-10-24T12:00:00Z", &["2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"]),
    (
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T12:00:00Z",
        &["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
    ),
    (
        "0,30 1 * * *",
        "America/New_York",
        "2026-10-31T12:00:00Z",
        &["2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:00:00Z"],
    ),
    // Asked in the middle of the second time, it has fired.
    ("30 2 * * *", "Europe/Vienna", "2026-10-25T01:10:00Z", &["2026-10-26T01:30:00Z"]),
    ("45 2 * * *", "Europe/Vienna", "2026-10-25T01:10:00Z", &["2026-10-26T01:45:00Z"]),
    // What follows the clock fires in both hours.
    (
        "0 * * * *",
        "Europe/Vienna",
        "2026-10-24T23:30:00Z",
        &["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"],
    ),
    (
        "*/30 * * * *",
        "America/New_York",
        "2026-11-01T05:00:00Z",
        &["2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"],
    ),
    (
        "*/30 1 * * *",
        "America/New_York",
        "2026-11-01T04:30:00Z",
        &[
            "2026-11-01T05:00:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-01T06:00:00Z",
            "2026-11-01T06:30:00Z",
            "2026-11-02T06:00:00Z",
        ],
    ),
    // The southern hemisphere.
    (
        "30 2 * * *",
        "Australia/Sydney",
        "2026-10-03T12:00:00Z",
        &["2026-10-03T16:00:00Z", "2026-10-04T15:30:00Z"],
    ),
    (
        "30 2 * * *",
        "Australia/Sydney",
        "2027-04-03T12:00:00Z",
        &["2027-04-03T15:30:00Z", "2027-04-04T16:30:00Z"],
    ),
    (
        "30 2 * * *",
        "Pacific/Auckland",
        "2026-09-26T12:00:00Z",
        &["2026-09-26T14:00:00Z", "2026-09-27T13:30:00Z"],
    ),
    (
        "30 23 * * *",
        "America/Santiago",
        "2027-04-03T20:00:00Z",
        &["2027-04-04T02:30:00Z", "2027-04-05T03:30:00Z"],
    ),
    // Lord Howe's change of half an hour: 02:00 to 02:30, and back from 02:00 to 01:30.
    (
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
    ),
    (
        "30 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-03T15:30:00Z", "2026-10-04T15:30:00Z"],
    ),
    (
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2027-04-03T12:00:00Z",
        &["2027-04-03T14:45:00Z", "2027-04-04T15:15:00Z"],
    ),
    (
        "15 * * * *",
        "Australia/Lord_Howe",
        "2027-04-03T13:30:00Z",
        &["2027-04-03T14:15:00Z", "2027-04-03T15:45:00Z"],
    ),
    // Samoa had no 30 December 2011: its fire comes as the 31st begins.
    (
        "0 9 30 12 *",
        "Pacific/Apia",
        "2011-12-29T00:00:00Z",
        &["2011-12-30T10:00:00Z", "2012-12-29T19:00:00Z"],
    ),
    ("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z", &["2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"]),
    ("@hourly", "Pacific/Apia", "2011-12-30T09:30:00Z", &["2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z"]),
    // A zone that changed its offset without daylight saving, and one that gave it up.
    (
        "30 23 * * *",
        "Asia/Pyongyang",
        "2018-05-04T00:00:00Z",
        &["2018-05-04T15:00:00Z", "2018-05-05T14:30:00Z"],
    ),
    (
        "30 2 * * *",
        "Europe/Istanbul",
        "2016-10-29T12:00:00Z",
        &["2016-10-29T23:30:00Z", "2016-10-30T23:30:00Z"],
    ),
    ("30 1 * * *", "Asia/Kolkata", "2026-03-28T12:00:00Z", &["2026-03-28T20:00:00Z"]),
];

fn at(text: &str) -> Micros {
    Micros::parse(text).unwrap()
}

#[test]
fn every_case_of_the_table_fires_when_it_says() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let mut wrong = Vec::new();
    for (text, zone, from, expected) in CASES {
        let cron = Cron::read(text, zone).unwrap();
        let fires: Vec<Micros> = cron.after(at(from)).take(expected.len()).collect();
        let expected: Vec<Micros> = expected.iter().map(|text| at(text)).collect();
        if fires != expected {
            wrong.push(format!("{text} in {zone} from {from}: {fires:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_field_that_cannot_be_read_is_named() {
    for (text, field) in [
        ("60 * * * *", "cron.minute"),
        ("a * * * *", "cron.minute"),
        ("*/0 * * * *", "cron.minute"),
        ("0 24 * * *", "cron.hour"),
        ("0 5-2 * * *", "cron.hour"),
        ("0 0 0 * *", "cron.dayOfMonth"),
        ("0 0 32 * *", "cron.dayOfMonth"),
        ("0 0 * 13 *", "cron.month"),
        ("0 0 * foo *", "cron.month"),
        ("0 0 * * 8", "cron.dayOfWeek"),
        ("0 0 * * mo", "cron.dayOfWeek"),
        ("", "cron.minute"),
        ("0", "cron.hour"),
        ("0 0 * *", "cron.dayOfWeek"),
        ("0 0 * * * *", "cron"),
        ("@reboot", "cron"),
        ("@yearly", "cron"),
        // These days never come.
        ("0 0 31 2 *", "cron.dayOfMonth"),
        ("0 0 30 2 *", "cron.dayOfMonth"),
        ("0 0 31 4,6,9,11 *", "cron.dayOfMonth"),
    ] {
        match Cron::read(text, "UTC") {
            Err(CronProblem::Text { field: found, why }) => assert_eq!(found, field, "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let error = Error::from(Cron::read("0 25 * * *", "UTC").unwrap_err());
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::CronInvalid, "cron.hour"));
}

#[test]
fn a_zone_is_one_of_the_database_whatever_its_case() {
    for wrong in ["", "Mars/Olympus", "+02:00", "Europe/", "Europe/Vienna UTC", "local", "../etc"] {
        assert!(matches!(Cron::read("@daily", wrong), Err(CronProblem::Zone(_))), "{wrong}");
    }
    assert_eq!(Cron::read("@daily", "europe/vienna").unwrap().zone_name(), "Europe/Vienna");
    assert_eq!(Cron::read("@daily", "UTC").unwrap().zone_name(), "UTC");
}

#[test]
fn a_fire_says_its_local_time_and_the_rule_that_put_it_there() {
    let cron = Cron::read("30 2 * * *", "Europe/Vienna").unwrap();
    let plain = cron.planned(at("2026-03-28T01:30:00Z"));
    assert_eq!((plain.local.as_str(), plain.abbreviation.as_str()), ("2026-03-28T02:30+01:00", "CET"));
    assert_eq!(plain.rule, None);
    let late = cron.planned(at("2026-03-29T01:00:00Z"));
    assert_eq!(late.local, "2026-03-29T03:00+02:00");
    let rule = "2026-03-29T02:30 is left out by the clock; it fires right after the gap";
    assert_eq!(late.rule.as_deref(), Some(rule));
    let first = cron.planned(at("2026-10-25T00:30:00Z"));
    assert_eq!(first.rule.as_deref(), Some("2026-10-25T02:30 comes twice; it fires the first time only"));
    // Right after the gap by its own right.
    let own = Cron::read("0 3 * * *", "Europe/Vienna").unwrap();
    assert_eq!(own.planned(at("2026-03-29T01:00:00Z")).rule, None);
}

#[test]
fn the_next_changes_of_the_clock_say_what_they_do() {
    let now = at("2026-11-21T12:00:00Z");
    let told = |text: &str, zone: &str| {
        let changes = changes(&Cron::read(text, zone).unwrap(), now);
        changes.into_iter().map(|change| (change.kind, change.from_local, change.effect)).collect::<Vec<_>>()
    };
    use ClockChangeKind::{Gap, Repeat};
    use stella_contract::schedule::ClockChangeKind;
    let of = |kind, from: &str, effect: &str| (kind, from.to_owned(), effect.to_owned());
    assert_eq!(
        told("30 2 * * *", "Europe/Vienna"),
        [
            of(Gap, "2027-03-28T02:00", "The fire of 02:30 comes at 03:00, right after the gap."),
            of(Repeat, "2027-10-31T03:00", "02:30 comes twice; it fires the first time only."),
        ]
    );
    assert_eq!(told("0 12 * * *", "Europe/Vienna")[0].2, "No fire is touched.");
    assert_eq!(told("@hourly", "Europe/Vienna").len(), 2);
    assert!(told("@daily", "Asia/Kolkata").is_empty());
}
