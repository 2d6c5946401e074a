//! The jobs of a week: by day more than by night, most of them done, some of them failed for one of forty causes.

use super::{HOUR, Size, World, failure};
use serde_json::json;
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_contract::time::Micros;
use stella_engine::handlers::{Done, Failure};
use stella_engine::work::Lease;

/// What the platform does all day.
pub(super) const TYPES: [&str; 8] = [
    "sbom.normalise",
    "policy.evaluate",
    "vex.merge",
    "registry.crawl",
    "feed.snapshot",
    "evidence.pack",
    "index.compact",
    "report.render",
];

/// Who does it.
pub(super) const WORKERS: &[(&str, &[&str])] = &[
    ("mirror-north-1", &["registry.crawl", "feed.snapshot", "graph.fetch", "graph.plan"]),
    ("mirror-south-1", &["registry.crawl", "feed.snapshot", "graph.fetch"]),
    ("normalise-1", &["sbom.normalise", "index.compact", "graph.normalise"]),
    ("policy-1", &["policy.evaluate", "vex.merge", "graph.evaluate"]),
    ("policy-2", &["policy.evaluate", "vex.merge", "graph.evaluate"]),
    ("evidence-1", &["evidence.pack", "report.render", "graph.merge", "graph.report"]),
];

/// How attempts fail: category, code, sentence, the far side's answer, the far side.
type Kind = (ErrorClass, &'static str, &'static str, Option<u16>, Option<&'static str>);

const KINDS: [Kind; 12] = [
    (
        ErrorClass::UpstreamThrottle,
        "HTTP_429",
        "The registry asks for patience: {n} requests this minute. Try again later.",
        Some(429),
        Some("registry.example"),
    ),
    (
        ErrorClass::UpstreamError,
        "HTTP_503",
        "The mirror answered 503 for part {n}. Look at its status page.",
        Some(503),
        Some("mirror.example"),
    ),
    (
        ErrorClass::UpstreamClient,
        "HTTP_404",
        "The document https://feeds.example/v2/{n} is gone. Ask its publisher.",
        Some(404),
        Some("feeds.example"),
    ),
    (
        ErrorClass::Network,
        "CONNECT_RESET",
        "The connection broke off after {n} bytes. Look at the way to the far side.",
        None,
        Some("cdn.example"),
    ),
    (
        ErrorClass::Timeout,
        "ATTEMPT_TIMEOUT",
        "The attempt took longer than {n} s. Give it more time or less work.",
        None,
        None,
    ),
    (
        ErrorClass::SchemaMismatch,
        "SCHEMA_MISMATCH",
        "Field `components[{n}].purl` is missing. Correct the document.",
        None,
        None,
    ),
    (
        ErrorClass::ParseError,
        "JSON_MALFORMED",
        "Unexpected end of input at byte {n}. Send the whole document.",
        None,
        None,
    ),
    (
        ErrorClass::Validation,
        "VALIDATION_FAILED",
        "Product {n} has two statements that contradict each other. Withdraw one.",
        None,
        None,
    ),
    (
        ErrorClass::Auth,
        "HTTP_401",
        "The token for the registry was refused at {n}. Renew it.",
        Some(401),
        Some("registry.example"),
    ),
    (
        ErrorClass::Integrity,
        "DIGEST_MISMATCH",
        "Layer {n} does not have the digest that was said. Fetch it again.",
        None,
        None,
    ),
    (ErrorClass::Resource, "OUT_OF_SPACE", "The scratch disk has {n} bytes left. Make room.", None, None),
    (ErrorClass::Internal, "INTERNAL", "Rule {n} ended without a verdict. Report it.", None, None),
];

/// Causes of each type.
const CAUSES: usize = 5;
/// The jobs that the end of the story leaves for others to make.
const KEPT: usize = 8_000;
/// How often each job of the story stands in the ledger in the end.
pub(super) const COPIES: usize = 10;
/// One step of the clock.
const STEP: i64 = HOUR;

/// Tells the week up to the last three quarters of an hour.
pub(super) async fn tell(world: &mut World, size: Size, until: Micros) {
    let until = until.minus_ms(HOUR * 3 / 4);
    let steps = usize::try_from(until.ms_since(world.now()) / STEP).unwrap_or(1).max(1);
    let jobs = size.jobs.saturating_sub(size.nodes).saturating_sub(KEPT.min(size.jobs / 8));
    let deadly = size.dead_letters * 10_000 / jobs.max(1);
    let jobs = jobs / COPIES;
    let caller = world.operator("platform", "the day's work");
    let mut made = 0;
    for step in 0..steps {
        let due = jobs * weight_until(step + 1, steps) / weight_until(steps, steps);
        let began = world.now();
        let wishes = (made..due.max(made)).map(|number| job(world, number)).collect();
        made = due.max(made);
        world.submit(&caller, wishes).await;
        world.clock.advance_ms(1_500);
        world.look().await;
        world.work_off(usize::MAX, |world, lease| ended(world, lease, deadly)).await;
        world.go_to(began.plus_ms(STEP));
        world.look().await;
    }
}

/// By day three times as much as by night; all steps up to this one.
fn weight_until(step: usize, steps: usize) -> usize {
    (0..step.min(steps)).map(|at| if (at + 7) % 24 < 12 { 1 } else { 3 }).sum()
}

pub(super) fn job(world: &World, number: usize) -> SubmitJob {
    let job_type = TYPES[world.below(TYPES.len()).min(world.below(TYPES.len()))];
    let priority = [50, 50, 50, 25, 75, 10, 90, 40][world.below(8)];
    let team = ["search", "checkout", "stock"][number % 3];
    let payload = json!({
        "document": format!("registry.example/shop/part-{}", number % 977),
        "revision": number,
        "token": "not shown to anybody",
        "labels": {"team": team, "stage": "live"},
    });
    SubmitJob {
        job_type: job_type.to_owned(),
        priority: Some(priority),
        payload,
        correlation_id: Some(format!("day-{}", number / 40)),
        ..SubmitJob::default()
    }
}

/// So many of ten thousand fail for good; some fail once and come again; the others succeed.
fn ended(world: &World, lease: &Lease, deadly: usize) -> Result<Done, Failure> {
    let lot = world.below(10_000);
    if lease.job.attempt == 1 && lot < 250 {
        return Err(failure(
            ErrorClass::Network,
            "CONNECT_RESET",
            format!("The connection broke off after {lot} bytes."),
        ));
    }
    if world.below(10_000) < deadly {
        return Err(for_good(world, &lease.job.job_type));
    }
    Ok(Done { result: json!({"documents": lot % 90, "changed": lot % 7}), ..Done::default() })
}

/// The first causes of a type are met more often than the others.
pub(super) fn for_good(world: &World, job_type: &str) -> Failure {
    let which = TYPES.iter().position(|name| *name == job_type).unwrap_or(0);
    let cause = world.below(CAUSES).min(world.below(CAUSES));
    let (class, code, sentence, status, host) = KINDS[(which * CAUSES + cause) % KINDS.len()];
    let number = world.below(90_000);
    Failure {
        http_status: status,
        host: host.map(str::to_owned),
        is_final: true,
        ..failure(class, code, sentence.replace("{n}", &number.to_string()))
    }
}
