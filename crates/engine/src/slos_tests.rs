use super::*;
use stella_contract::slo::BurnTier;

const NOW: Micros = Micros(1_795_251_600_000_000);

fn row(sli: Sli) -> SloRow {
    let tenant = "acme".parse().unwrap();
    let uuid = || "019aa6e1-0000-7000-8000-000000000000".to_owned();
    first_of(&tenant, NOW, uuid).into_iter().find(|row| row.sli == sli).unwrap()
}

fn span(minutes_ago: i64, label: &str, n: i64) -> SpanRow {
    SpanRow { at: span_of(NOW.minus_ms(minutes_ago * MINUTE_MS)), label: label.to_owned(), n }
}

#[test]
fn what_a_tenant_starts_with_can_be_counted() {
    let tenant = "acme".parse().unwrap();
    let rows = first_of(&tenant, NOW, || "019aa6e1-0000-7000-8000-000000000000".to_owned());
    for row in &rows {
        assert_eq!(check(row), Ok(()), "{}", row.name);
    }
    let told: Vec<_> = rows.iter().map(|row| (row.sli, row.target, row.enabled)).collect();
    assert_eq!(
        told,
        [
            (Sli::JobSuccess, 0.99, true),
            (Sli::RunSuccess, 0.99, true),
            (Sli::QueueLatency, 0.95, true),
            (Sli::Availability, 0.999, false),
        ]
    );
}

#[test]
fn cancelled_and_skipped_jobs_are_neither_good_nor_bad() {
    let spans =
        [span(0, "succeeded", 97), span(0, "failed", 2), span(1, "timed_out", 1), span(1, "cancelled", 50)];
    let status = standing(&row(Sli::JobSuccess), &spans, NOW);
    assert_eq!((status.bad, status.total), (3, 100));
    assert!((status.burn[0].burn - 3.0).abs() < 1e-9, "{status:?}");
}

#[test]
fn each_window_counts_only_its_own_time() {
    let spans = [
        span(3, "failed", 1),
        span(20, "failed", 10),
        span(100, "failed", 100),
        span(2_000, "failed", 1_000),
    ];
    let status = standing(&row(Sli::JobSuccess), &spans, NOW);
    let told: Vec<(&str, i64)> =
        status.burn.iter().map(|window| (window.window.as_str(), window.bad)).collect();
    assert_eq!(told, [("5m", 1), ("30m", 11), ("1h", 11), ("2h", 111), ("6h", 111), ("24h", 111)]);
    assert_eq!(status.bad, 1_111);
}

#[test]
fn a_job_waits_too_long_only_beyond_the_threshold() {
    let place = |ms: i64| bucket_of(ms).to_string();
    let spans = [span(0, &place(300_000), 90), span(0, &place(300_001), 10)];
    let status = standing(&row(Sli::QueueLatency), &spans, NOW);
    assert_eq!((status.bad, status.total), (10, 100));
    assert!((status.burn[0].burn - 2.0).abs() < 1e-9);
}

#[test]
fn minutes_without_the_core_are_bad_from_the_first_one_it_was_at_work() {
    let status = standing(&row(Sli::Availability), &[], NOW);
    assert_eq!((status.bad, status.total), (0, 0));
    // Ten minutes ago, and now: what lies between is missing.
    let mut spans: Vec<SpanRow> = (0..5).map(|minute| span(10, &minute.to_string(), 1)).collect();
    spans.push(span(0, &minute_of(NOW), 1));
    let status = standing(&row(Sli::Availability), &spans, NOW);
    assert_eq!((status.bad, status.total), (5, 11));
}

#[test]
fn the_budget_and_the_tier_follow_from_the_windows() {
    let spans = [span(0, "failed", 20), span(0, "succeeded", 80), span(5_000, "succeeded", 9_900)];
    let status = standing(&row(Sli::JobSuccess), &spans, NOW);
    assert_eq!(status.tier, Some(BurnTier::Critical));
    assert!((status.budget_remaining - 0.8).abs() < 1e-9, "{status:?}");
    // 0.8 of 672 h at a burn of 20.
    assert_eq!(status.exhausted_in_ms.map(|ms| (ms as f64 / 3_600_000.0).round()), Some(27.0));
}

#[test]
fn an_objective_that_cannot_be_is_refused_with_its_field() {
    let base = row(Sli::JobSuccess);
    let latency = row(Sli::QueueLatency);
    for (row, field) in [
        (SloRow { name: String::new(), ..base.clone() }, "name"),
        (SloRow { name: "x".repeat(81), ..base.clone() }, "name"),
        (SloRow { target: 1.0, ..base.clone() }, "target"),
        (SloRow { target: 0.4, ..base.clone() }, "target"),
        (SloRow { target: f64::NAN, ..base.clone() }, "target"),
        (SloRow { window_days: 0, ..base.clone() }, "windowDays"),
        (SloRow { window_days: 29, ..base.clone() }, "windowDays"),
        (SloRow { threshold_ms: Some(1_000), ..base.clone() }, "thresholdMs"),
        (SloRow { threshold_ms: None, ..latency.clone() }, "thresholdMs"),
        (SloRow { threshold_ms: Some(1_234), ..latency }, "thresholdMs"),
        (SloRow { job_type: Some("exam".to_owned()), ..row(Sli::RunSuccess) }, "jobType"),
    ] {
        let error = check(&row).unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field));
    }
}
