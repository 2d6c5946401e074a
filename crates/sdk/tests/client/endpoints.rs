//! What the client can ask is held against the table of the contract: nothing is missing, nothing is made up.

use crate::{refusal, start};
use futures::TryStreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stella_contract::api::ENDPOINTS;
use stella_contract::feature::Feature;
use stella_contract::ids::{
    BackfillId, BlackoutId, BreakerId, BucketId, ChangeSetId, DeadLetterId, IncidentId, JobId, LeaseId,
    PolicySnapshotId, QuotaId, RunId, ScheduleId, SegmentId, SloId, SourceId, TargetId, ThrottleId, ViewId,
    WorkerId,
};
use stella_contract::page::PageQuery;
use stella_contract::trigger::TriggerKind;
use stella_sdk::{Client, Upload, Write};
use wiremock::{Mock, Request, ResponseTemplate};

const UUID: &str = "01890000-0000-7000-8000-000000000001";
const RUN: &str = "run:acme:20261121T140815Z:9c1f04ab";
const SNAPSHOT: &str = "sha256:9c1f04ab5d0f7c3e2a1b9c1f04ab5d0f7c3e2a1b9c1f04ab5d0f7c3e2a1b9c1f";
const DIGEST: &str = "sha256:00";
const ARTIFACT: &str = "report.json";
const FROM: &str = "2026-11-20T00:00:00.000Z";
const TO: &str = "2026-11-21T00:00:00.000Z";

/// What the client leaves to others, and why.
const LEFT_TO_OTHERS: &[(&str, &str)] = &[
    ("GET /api/v1/events/ws", "the feed once more, for pages; a program reads the poll or the event stream"),
    ("GET /api/v1/jobs/summary", "the former address of the figures of jobs"),
    ("GET /api/v1/jobs/{id}/detail", "the former address of a job"),
];

#[tokio::test]
async fn every_endpoint_of_the_contract_has_a_method() {
    let (server, client) = start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(404).set_body_json(refusal("NOT_FOUND", None)))
        .mount(&server)
        .await;
    ask_core(&client).await;
    ask_ops(&client).await;
    ask_jobs(&client).await;
    ask_change_sets(&client).await;
    ask_views(&client).await;
    ask_quotas(&client).await;
    ask_limits(&client).await;
    ask_floor(&client).await;
    ask_sources(&client).await;
    ask_backfills(&client).await;
    ask_targets(&client).await;
    ask_runs(&client).await;
    ask_schedules(&client).await;
    ask_policies(&client).await;
    ask_dead_letters(&client).await;
    ask_incidents(&client).await;

    let requests = server.received_requests().await.unwrap();
    let mut asked: Vec<String> = requests.iter().map(pattern).collect();
    asked.extend(LEFT_TO_OTHERS.iter().map(|(endpoint, _)| (*endpoint).to_owned()));
    asked.sort();
    let mut known: Vec<String> =
        ENDPOINTS.iter().map(|endpoint| format!("{} {}", endpoint.method.as_str(), endpoint.path)).collect();
    known.sort();
    assert_eq!(asked, known);
}

async fn ask_core(client: &Client) {
    let (core, write, worker) = (client.core(), Write::default(), id::<WorkerId>("wrk_"));
    let _ = core.ready().await;
    let _ = core.live().await;
    let _ = core.discover().await;
    let _ = core.openapi().await;
    let _ = core.open_session(&wish(json!({ "oneTimeToken": "x" }))).await;
    let _ = core.session().await;
    let _ = core.overview().await;
    let _ = core.features(&PageQuery::default()).await;
    let _ = core.set_feature(Feature::Sse, &wish(json!({ "enabled": false })), &write).await;
    let _ = core.verify_history().await;
    let _ = core.artifact(DIGEST).await;
    let _ = core.workers(&PageQuery::default()).await;
    let _ = core.drain_worker(&worker, &write).await;
    let _ = core.resume_worker(&worker, &write).await;
    let _ = core.quarantine_worker(&worker, &write).await;
    let _ = client.feed().cursor().await;
}

async fn ask_ops(client: &Client) {
    let (ops, write, slo) = (client.ops(), Write::default(), id::<SloId>("slo_"));
    let objective = wish(json!({ "name": "jobs", "sli": "job_success", "target": 0.99 }));
    let _ = ops.metrics().await;
    let _ = ops.job_stats().await;
    let _ = ops.timeline(&run()).await;
    let _ = ops.slos(&PageQuery::default()).await;
    let _ = ops.slo(&slo).await;
    let _ = ops.make_slo(&objective, &write).await;
    let _ = ops.change_slo(&slo, &wish(json!({ "target": 0.9 })), &write).await;
    let _ = ops.delete_slo(&slo, &write).await;
    let _ = ops.events(None).await;
}

async fn ask_jobs(client: &Client) {
    let (jobs, page, write, job) =
        (client.jobs(), PageQuery::default(), Write::default(), id::<JobId>("job_"));
    let edges = wish(json!({ "edges": [{ "fromJobId": job, "toJobId": job }] }));
    let _ = jobs.list(&Default::default(), &page).await;
    let _ = jobs.submit(&wish(json!({ "jobType": "demo.wait", "payload": {} })), &write).await;
    let _ = jobs.get(&job).await;
    let _ = jobs.explain(&job).await;
    let _ = jobs.history(&job, &page).await;
    let _ = jobs.dag(&job).await;
    let _ = jobs.lineage(&job).await;
    let _ = jobs.artifacts(&job).await;
    let _ = jobs.log(&job, &page).await;
    let _ = jobs.cancel(&job, &write).await;
    let _ = jobs.retry(&job, &write).await;
    let _ = jobs.replay(&job, &write).await;
    let _ = jobs.prioritize(&job, 80, &write).await;
    let _ = jobs.add_edges(&edges, &write).await;
}

async fn ask_change_sets(client: &Client) {
    let (sets, page, write, set) =
        (client.change_sets(), PageQuery::default(), Write::default(), id::<ChangeSetId>("chg_"));
    let new = wish(json!({ "verb": "cancel", "selection": { "kind": "filter", "filter": "" } }));
    let _ = sets.list(&Default::default(), &page).await;
    let _ = sets.create(&new).await;
    let _ = sets.get(&set).await;
    let _ = sets.items(&set, &Default::default(), &page).await;
    let _ = sets.start(&set, &wish(json!({ "selectionHash": DIGEST })), &write).await;
    let _ = sets.pause(&set, &write).await;
    let _ = sets.resume(&set, &write).await;
    let _ = sets.cancel(&set, &write).await;
}

async fn ask_views(client: &Client) {
    let (views, write, view) = (client.views(), Write::default(), id::<ViewId>("view_"));
    let new = wish(json!({ "page": "jobs", "name": "mine", "query": "" }));
    let _ = views.list(&Default::default(), &PageQuery::default()).await;
    let _ = views.save(&new, &write).await;
    let _ = views.update(&view, &wish(json!({ "version": 1, "name": "ours" })), &write).await;
    let _ = views.delete(&view, &write).await;
}

async fn ask_quotas(client: &Client) {
    let (quotas, write, quota) = (client.quotas(), Write::default(), id::<QuotaId>("quo_"));
    let _ = quotas.list(&Default::default(), &PageQuery::default()).await;
    let _ = quotas.add(&wish(json!({ "jobType": "*" })), &write).await;
    let _ = quotas.get(&quota).await;
    let _ = quotas.change(&quota, &wish(json!({ "maxActive": 2 })), &write).await;
    let _ = quotas.pause(&quota, &Default::default(), &write).await;
    let _ = quotas.resume(&quota, &write).await;
    let _ = quotas.delete(&quota, &write).await;
    let _ = quotas.summary().await;
    let _ = quotas.export(&Default::default()).await;
    let _ = quotas.what_if(&wish(json!({ "jobType": "*" }))).await;
}

async fn ask_limits(client: &Client) {
    let (limits, page, write) = (client.limits(), PageQuery::default(), Write::default());
    let breaker: BreakerId = id("brk_");
    let forced = wish(json!({ "kind": "host", "key": "feeds.example", "state": "open" }));
    let blackout = wish(json!({ "targets": [{ "kind": "tenant" }], "start": FROM, "end": TO }));
    let _ = limits.throttles(&Default::default(), &page).await;
    let _ = limits.clear_throttle(&id::<ThrottleId>("thr_"), &write).await;
    let _ = limits.breakers(&Default::default()).await;
    let _ = limits.add_breaker(&forced, &write).await;
    let _ = limits.open_breaker(&breaker, &write).await;
    let _ = limits.close_breaker(&breaker, &write).await;
    let _ = limits.reset_breaker(&breaker, &write).await;
    let _ = limits.blackouts(&page).await;
    let _ = limits.add_blackout(&blackout, &write).await;
    let _ = limits.delete_blackout(&id::<BlackoutId>("blk_"), &write).await;
    let _ = limits.pressure().await;
    let _ = limits.limit_pool(&wish(json!({ "pool": "scan", "limit": 4 })), &write).await;
    let _ = limits.override_bucket(&id::<BucketId>("bkt_"), &wish(json!({ "rate": 1.5 })), &write).await;
}

async fn ask_floor(client: &Client) {
    let (floor, lease) = (client.floor(), id::<LeaseId>("lease_"));
    let introduction = wish(json!({
        "name": "w", "version": "0.1.0", "hostname": "bench", "jobTypes": ["demo.wait"], "concurrency": 1,
    }));
    let upload = Upload {
        name: ARTIFACT,
        kind: "report",
        media_type: "application/json",
        digest: DIGEST,
        bytes: "{}".into(),
    };
    let failure = wish(json!({ "leaseEpoch": 1, "category": "network", "code": "X", "message": "x" }));
    let _ = floor.register(&introduction).await;
    let _ = floor.claim(&wish(json!({ "workerId": id::<WorkerId>("wrk_") }))).await;
    let _ = floor.payload(&lease).await;
    let _ = floor.ack(&lease, &wish(json!({ "leaseEpoch": 1 }))).await;
    let of_lease = json!({ "leaseId": lease.as_str(), "leaseEpoch": 1 });
    let _ = floor.ack_many(&wish(json!({ "leases": [of_lease] }))).await;
    let of_lease = json!({ "leaseId": lease.as_str(), "complete": { "leaseEpoch": 1 } });
    let _ = floor.complete_many(&wish(json!({ "leases": [of_lease] }))).await;
    let _ = floor.heartbeat(&lease, &wish(json!({ "leaseEpoch": 1 }))).await;
    let _ = floor.log(&lease, &wish(json!({ "leaseEpoch": 1, "lines": [] }))).await;
    let _ = floor.put(&lease, 1, upload).await;
    let _ = floor.complete(&lease, &wish(json!({ "leaseEpoch": 1 }))).await;
    let _ = floor.fail(&lease, &failure).await;
    let _ = floor.release(&lease, &wish(json!({ "leaseEpoch": 1, "reason": "full" }))).await;
}

async fn ask_sources(client: &Client) {
    let (sources, page, write, source) =
        (client.sources(), PageQuery::default(), Write::default(), id::<SourceId>("src_"));
    let new = wish(json!({ "name": "x", "sourceType": "kev", "location": "/x" }));
    let _ = sources.list(&Default::default(), &page).await;
    let _ = sources.add(&new, &write).await;
    let _ = sources.get(&source).await;
    let _ = sources.run(&source, &Default::default(), &write).await;
    let _ = sources.test(&source, &write).await;
    let _ = sources.update(&source, &wish(json!({ "name": "y" })), &write).await;
    let _ = sources.pause(&source, &write).await;
    let _ = sources.resume(&source, &write).await;
    let _ = sources.watermarks(&source).await;
    let _ = sources.reset_watermark(&source, &wish(json!({ "lowWatermark": FROM })), &write).await;
    let _ = sources.skip_window(&source, &Default::default(), &write).await;
    let _ = sources.vex(&Default::default(), &page).await;
}

async fn ask_backfills(client: &Client) {
    let (backfills, page, write, backfill) =
        (client.backfills(), PageQuery::default(), Write::default(), id::<BackfillId>("bf_"));
    let new = wish(json!({ "sourceId": id::<SourceId>("src_"), "from": FROM, "to": TO }));
    let _ = backfills.list(&Default::default(), &page).await;
    let _ = backfills.create(&new, &write).await;
    let _ = backfills.get(&backfill).await;
    let _ = backfills.windows(&backfill, &page).await;
    let _ = backfills.preview(&backfill, &write).await;
    let _ = backfills.start(&backfill, &wish(json!({ "previewDigest": DIGEST })), &write).await;
    let _ = backfills.pause(&backfill, &write).await;
    let _ = backfills.resume(&backfill, &write).await;
    let _ = backfills.cancel(&backfill, &write).await;
}

async fn ask_targets(client: &Client) {
    let (page, target) = (PageQuery::default(), id::<TargetId>("tgt_"));
    let which = json!({ "target": target, "purl": "pkg:pypi/a@1", "vulnerability": "CVE-2026-1" });
    let _ = client.targets().list(&Default::default(), &page).await;
    let _ = client.targets().get(&target).await;
    let _ = client.targets().import(&Default::default(), "{}".into(), &Write::default()).await;
    let _ = client.findings().list(&Default::default(), &page).await;
    let _ = client.findings().explain(&wish(which)).await;
    let _ = client.findings().export(&Default::default()).await;
}

async fn ask_policies(client: &Client) {
    let (policies, triggers, write) = (client.policies(), client.triggers(), Write::default());
    let (snapshot, page): (PolicySnapshotId, _) = (wish(json!(SNAPSHOT)), PageQuery::default());
    let _ = policies.list(&page).await;
    let _ = policies.get(&snapshot).await;
    let _ = policies.check(&wish(json!({ "source": "[]" }))).await;
    let _ = policies.add(&wish(json!({ "source": "[]" })), &write).await;
    let _ = policies.diff(&wish(json!({ "from": SNAPSHOT, "to": SNAPSHOT }))).await;
    let _ = policies.promote(&snapshot, &Default::default(), &write).await;
    let _ = policies.promotions(&page).await;
    let _ = triggers.list().await;
    let _ = triggers.change(TriggerKind::Concelier, &Default::default(), &write).await;
    let _ = triggers.rotate_secret(TriggerKind::Concelier, &write).await;
    let _ = triggers.deliver(client.tenant(), TriggerKind::Excititor, "sha256=00", "{}".into()).await;
}

async fn ask_runs(client: &Client) {
    let (runs, page, write, run) = (client.runs(), PageQuery::default(), Write::default(), run());
    let _ = runs.list(&Default::default(), &page).await;
    let _ = runs.start(&wish(json!({ "mode": "analysis-only" })), &write).await;
    let _ = runs.preview(&Default::default()).await;
    let _ = runs.trends().await;
    let _ = runs.alerts().await;
    let _ = runs.events(&page).await;
    let _ = runs.export(&Default::default()).await;
    let _ = runs.get(&run).await;
    let _ = runs.segments(&run, &page).await;
    let _ = runs.deltas(&run, &page).await;
    let _ = runs.messages(&run, Default::default()).await;
    let _ = runs.evidence(&run, &page).await;
    let _ = runs.escalation(&run).await;
    let _ = runs.cancel(&run, &write).await;
    let _ = runs.retry(&run, &Default::default(), &write).await;
    let _ = runs.retry_segment(&segment(), &write).await;
    let _ = runs.diff(&run, &Default::default()).await;
    let _ = runs.diff_segments(&run, &Default::default(), &page).await;
    let _ = runs.diff_findings(&run, &Default::default(), &page).await;
    let _ = runs.stream(run.clone(), None).try_next().await;
}

async fn ask_schedules(client: &Client) {
    let (schedules, page, write, one) =
        (client.schedules(), PageQuery::default(), Write::default(), id::<ScheduleId>("sch_"));
    let _ = schedules.list(&Default::default(), &page).await;
    let nightly = json!({ "name": "nightly", "cron": "@daily", "mode": "analysis-only" });
    let _ = schedules.make(&wish(nightly), &write).await;
    let _ = schedules.upcoming(&Default::default()).await;
    let _ = schedules.health().await;
    let _ = schedules.preview(&wish(json!({ "cron": "@daily" }))).await;
    let _ = schedules.get(&one).await;
    let _ = schedules.fires(&one, &page).await;
    let _ = schedules.change(&one, &Default::default(), &write).await;
    let _ = schedules.enable(&one, &write).await;
    let _ = schedules.disable(&one, &write).await;
    let _ = schedules.pause(&one, &Default::default(), &write).await;
    let _ = schedules.resume(&one, &write).await;
    let _ = schedules.trigger(&one, &Default::default(), &write).await;
    let _ = schedules.delete(&one, &write).await;
}

async fn ask_dead_letters(client: &Client) {
    let (letters, page, write, entry) =
        (client.dead_letters(), PageQuery::default(), Write::default(), id::<DeadLetterId>("dl_"));
    let end = json!({ "resolution": "obsolete", "note": "x" });
    let _ = letters.list(&Default::default(), &page).await;
    let _ = letters.clusters(&Default::default(), &page).await;
    let _ = letters.stats().await;
    let _ = letters.export(&Default::default()).await;
    let _ = letters.get(&entry).await;
    let _ = letters.replay(&entry, &Default::default(), &write).await;
    let _ = letters.resolve(&entry, &wish(end.clone()), &write).await;
    let _ = letters.reopen(&entry, &write).await;
    let _ = letters.acknowledge(&entry, &Default::default(), &write).await;
    let _ = letters.mutes(&page).await;
    let _ = letters.mute(&wish(json!({ "fingerprint": "5f1c0a9b7e2d4c68" })), &write).await;
    let _ = letters.unmute(&wish(json!({ "fingerprint": "5f1c0a9b7e2d4c68" })), &write).await;
    let _ = letters.preview(&Default::default()).await;
    let _ = letters.batch_replay(&Default::default(), &write).await;
    let _ = letters.batch_resolve(&wish(end), &write).await;
}

async fn ask_incidents(client: &Client) {
    let (incidents, write, incident) = (client.incidents(), Write::default(), id::<IncidentId>("inc_"));
    let _ = incidents.list(&Default::default(), &PageQuery::default()).await;
    let _ = incidents.get(&incident).await;
    let _ = incidents.acknowledge(&incident, &Default::default(), &write).await;
    let _ = incidents.resolve(&incident, &Default::default(), &write).await;
}

fn wish<T: DeserializeOwned>(text: Value) -> T {
    serde_json::from_value(text).unwrap()
}

fn id<T: DeserializeOwned>(prefix: &str) -> T {
    wish(json!(format!("{prefix}{UUID}")))
}

fn run() -> RunId {
    wish(json!(RUN))
}

fn segment() -> SegmentId {
    SegmentId::from_uuid(UUID)
}

/// A request in the words of the table: what stands for one thing is in braces again.
fn pattern(request: &Request) -> String {
    let part = |part: &str| match part.split_once(UUID).or_else(|| part.split_once(SNAPSHOT)) {
        Some((_, verb)) => format!("{{id}}{verb}"),
        None if part == "acme" => "{tenant}".to_owned(),
        None => part
            .replace("concelier", "{id}")
            .replace("excititor", "{kind}")
            .replace(RUN, "{id}")
            .replace(Feature::Sse.as_str(), "{id}")
            .replace(DIGEST, "{digest}")
            .replace(ARTIFACT, "{name}"),
    };
    let path: Vec<String> = request.url.path().split('/').map(part).collect();
    format!("{} {}", request.method, path.join("/"))
}
