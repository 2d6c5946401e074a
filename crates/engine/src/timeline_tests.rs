use super::*;
use serde_json::{Value, json};
use stella_contract::history::{Actor, GENESIS};

const T0: Micros = Micros(1_795_251_600_000_000);
const JOB: &str = "job_019aa6e1-0000-7000-8000-000000000001";
const WORKER: &str = "wrk_019aa6e1-0000-7000-8000-00000000000a";

fn entry(
    at_ms: i64,
    kind: &str,
    (from, to): (Option<&str>, &str),
    attempt: i32,
    data: Value,
) -> HistoryEntry {
    HistoryEntry {
        seq: at_ms + 1,
        event_id: "evt_019aa6e1-0000-7000-8000-000000000000".parse().unwrap(),
        job_id: Some(JOB.parse().unwrap()),
        run_id: None,
        entity: "job".to_owned(),
        kind: kind.to_owned(),
        from_state: from.map(str::to_owned),
        to_state: Some(to.to_owned()),
        attempt: Some(attempt),
        lease_epoch: Some(1),
        actor: Actor { subject: "ada".to_owned(), scopes: Vec::new() },
        reason: None,
        ticket: None,
        correlation_id: "c".to_owned(),
        occurred_at: T0.plus_ms(at_ms),
        data_digest: String::new(),
        data,
        prev_hash: GENESIS.to_owned(),
        hash: GENESIS.to_owned(),
    }
}

fn picture(entries: &[HistoryEntry]) -> Picture {
    let mut picture = Picture { t0: T0, ..Picture::default() };
    picture.segment_of.insert(JOB.to_owned(), "seg_1".to_owned());
    for entry in entries {
        picture.draw(entry);
    }
    picture
}

fn told(bar: &Bar) -> String {
    let end = bar.end.map_or_else(|| "…".to_owned(), |end| end.to_string());
    let lane = if bar.lane == WORKER { "worker" } else { bar.lane.as_str() };
    format!("{lane} {} {} {}-{end} {}", bar.phase, bar.attempt, bar.start, bar.state)
}

#[test]
fn each_wait_and_each_attempt_is_a_bar_of_its_own() {
    let leased = json!({ "workerId": WORKER });
    let backoff = json!({ "outcome": "failed", "errorCode": "HTTP_503", "waitReason": "backoff" });
    let entries = [
        entry(0, "orch.job.submitted", (None, "pending"), 0, json!({ "waitReason": "quota_max_active" })),
        entry(10, "orch.job.queued", (Some("pending"), "queued"), 0, json!({})),
        entry(30, "orch.job.leased", (Some("queued"), "leased"), 1, leased.clone()),
        entry(31, "orch.job.started", (Some("leased"), "running"), 1, json!({})),
        entry(100, "orch.job.retry", (Some("running"), "pending"), 1, backoff),
        entry(600, "orch.job.queued", (Some("pending"), "queued"), 1, json!({})),
        entry(600, "orch.job.leased", (Some("queued"), "leased"), 2, leased),
        entry(601, "orch.job.started", (Some("leased"), "running"), 2, json!({})),
    ];
    let picture = picture(&entries);
    let bars: Vec<String> = picture.bars.iter().map(told).collect();
    assert_eq!(
        bars,
        [
            "seg_1 throttled 1 0-10 queued",
            "seg_1 queued 1 10-30 leased",
            "worker leased 1 30-31 running",
            "worker running 1 31-100 pending",
            "seg_1 backoff 2 100-600 queued",
            "worker leased 2 600-601 running",
        ]
    );
    let open: Vec<String> = picture.open.values().map(|open| told(&open.bar)).collect();
    assert_eq!(open, ["worker running 2 601-… running"], "what lasts has no end");
}

#[test]
fn a_failure_and_a_wish_to_cancel_are_marks_and_end_no_bar_before_its_time() {
    let failed = json!({ "outcome": "failed", "errorMessage": "The far side said no." });
    let entries = [
        entry(0, "orch.job.started", (Some("leased"), "running"), 1, json!({ "workerId": WORKER })),
        entry(40, "orch.job.cancel_requested", (Some("running"), "running"), 1, json!({})),
        entry(90, "orch.job.failed", (Some("running"), "failed"), 1, failed),
    ];
    let picture = picture(&entries);
    let bars: Vec<String> = picture.bars.iter().map(told).collect();
    assert_eq!(bars, ["worker running 1 0-90 failed"]);
    assert!(picture.open.is_empty());
    let marks: Vec<(i64, &str)> = picture.marks.iter().map(|mark| (mark.at, mark.text.as_str())).collect();
    assert_eq!(marks, [(40, "job running"), (90, "job failed: The far side said no.")]);
}
