//! Quotas: places, hours, bursts, pauses, changes that go back, and what an operator is refused.

use crate::scene::wide;
use crate::support::World;
use sha2::{Digest, Sha256};
use stella_contract::blocker::BlockerKind;
use stella_contract::error::Code;
use stella_contract::job::{JobFilter, JobState, SubmitJob, WaitReason};
use stella_contract::page::PageQuery;
use stella_contract::quota::{
    AddQuota, ChangeQuota, DrainBound, ExportFormat, ExportQuery, PauseQuota, QuotaFilter, QuotaSnapshot,
    QuotaStrategy, WhatIf,
};
use stella_engine::Caller;

pub(crate) async fn no_more_jobs_than_a_quota_allows_are_handed_out_and_the_others_wait_for_it(world: World) {
    let before = world.submit_many(3).await;
    let quota = world.quota(AddQuota { max_active: Some(2), ..wide() }).await;
    let after = world.submit_many(2).await;
    // Those that came after the quota never became ready; the queue stands for the two places.
    assert_eq!(world.waits(&after[0].job_id).await, Some(WaitReason::QuotaMaxActive));
    let leases = world.start_many(2).await;
    assert_eq!(leases.len(), 2);
    // The third was queued before; that nothing is left for it is said at once, in its detail and in the list.
    assert_eq!(world.state(&before[2].job_id).await, JobState::Queued);
    assert_eq!(world.waits(&before[2].job_id).await, Some(WaitReason::QuotaMaxActive));
    let filter = JobFilter { state: Some(JobState::Queued), ..JobFilter::default() };
    let listed = world.engine.jobs().list(&world.caller, &filter, &PageQuery::default()).await.unwrap().items;
    assert_eq!(
        listed.iter().map(|job| job.wait_reason).collect::<Vec<_>>(),
        [Some(WaitReason::QuotaMaxActive)]
    );
    assert_eq!(world.start_many(5).await.len(), 0);
    assert_eq!(world.state(&before[2].job_id).await, JobState::Pending);
    assert_eq!(world.waits(&before[2].job_id).await, Some(WaitReason::QuotaMaxActive));
    let explained = world.explain(&before[2].job_id).await;
    assert_eq!(explained.blockers[0].kind, BlockerKind::QuotaMaxActive);
    assert_eq!(explained.blockers[0].holder, quota.quota_id.as_str());
    assert_eq!((explained.blockers[0].number, explained.blockers[0].limit), (Some(2.0), Some(2.0)));
    let lift = explained.blockers[0].lift.clone().unwrap();
    assert!(lift.cli_command.starts_with(&format!("stella orch quota set {}", quota.quota_id)), "{lift:?}");
    let live = world.engine.quotas().get(&world.caller, &quota.quota_id).await.unwrap().live;
    assert_eq!((live.active, live.waiting, live.used_last_hour), (2, 3, 2));
    assert!(live.refused_last_hour > 0);
    world.complete(&leases[0].fence).await.unwrap();
    world.idle().await;
    assert_eq!(world.count(&before, JobState::Queued).await, 1);
    assert_eq!(world.claim(5).await.len(), 1);
    world.assert_chain().await;
}

pub(crate) async fn the_quota_of_the_tenant_bounds_what_the_quota_of_the_type_allows(world: World) {
    world.quota(AddQuota { max_active: Some(9), ..wide() }).await;
    let of_all = AddQuota { job_type: "*".to_owned(), max_active: Some(1), ..wide() };
    let tenant = world.quota(of_all).await;
    let jobs = world.submit_many(2).await;
    assert_eq!(world.claim(2).await.len(), 1);
    let explained = world.explain(&jobs[1].job_id).await;
    assert_eq!(explained.blockers[0].holder, tenant.quota_id.as_str());
    let summary = world.engine.quotas().summary(&world.caller).await.unwrap();
    assert_eq!((summary.quotas, summary.active, summary.waiting), (2, 1, 1));
    assert_eq!(summary.tightest[0].quota_id, tenant.quota_id);
    assert_eq!(summary.held_by[0].wait_reason, WaitReason::QuotaMaxActive);
}

pub(crate) async fn an_hour_is_sixty_minutes_that_slide(world: World) {
    world.quota(AddQuota { max_per_hour: Some(2), refill_per_second: Some(100.0), ..wide() }).await;
    let jobs = world.submit_many(3).await;
    let first = world.start_many(1).await.remove(0);
    world.complete(&first.fence).await.unwrap();
    world.pass_ms(10 * 60_000).await;
    let second = world.start_many(2).await;
    assert_eq!(second.len(), 1);
    world.complete(&second[0].fence).await.unwrap();
    world.idle().await;
    let waiting = world.job(&jobs[2].job_id).await;
    assert_eq!(waiting.wait_reason, Some(WaitReason::QuotaMaxPerHour));
    // The first claim's minute leaves the hour sixty minutes after it began.
    let at = waiting.next_eligible_at.expect("an hour ends");
    assert!((49 * 60_000..=50 * 60_000).contains(&at.ms_since(world.now())), "{at}");
    world.pass_ms(at.ms_since(world.now())).await;
    assert_eq!(world.state(&jobs[2].job_id).await, JobState::Queued);
    assert_eq!(world.claim(1).await.len(), 1);
}

pub(crate) async fn a_burst_is_used_up_and_refilled(world: World) {
    world.quota(AddQuota { burst: Some(2), refill_per_second: Some(0.1), ..wide() }).await;
    let jobs = world.submit_many(3).await;
    let leases = world.start_many(3).await;
    assert_eq!(leases.len(), 2);
    world.idle().await;
    let waiting = world.job(&jobs[2].job_id).await;
    assert_eq!(waiting.wait_reason, Some(WaitReason::RateLimited));
    assert_eq!(waiting.next_eligible_at, Some(world.now().plus_ms(10_000)));
    world.pass_ms(9_999).await;
    assert_eq!(world.state(&jobs[2].job_id).await, JobState::Pending);
    world.pass_ms(1).await;
    assert_eq!(world.claim(1).await.len(), 1);
}

pub(crate) async fn a_paused_quota_starts_nothing_and_what_runs_goes_on(world: World) {
    let quota = world.quota(wide()).await;
    let jobs = world.submit_many(2).await;
    let lease = world.start_many(1).await.remove(0);
    let quotas = world.engine.quotas();
    let paused = quotas.pause(&world.caller, &quota.quota_id, None, PauseQuota::default()).await.unwrap();
    assert_eq!((paused.paused, paused.pause_reason.as_deref()), (true, Some("a test")));
    assert_eq!(paused.pause_ticket.as_deref(), Some("OPS-1"));
    assert_eq!(world.claim(2).await, []);
    let waiting = world.job(&jobs[1].job_id).await;
    assert_eq!((waiting.wait_reason, waiting.next_eligible_at), (Some(WaitReason::Paused), None));
    assert_eq!(world.complete(&lease.fence).await.unwrap().state, JobState::Succeeded);
    let only = QuotaFilter { paused: Some(true), ..QuotaFilter::default() };
    let listed = quotas.list(&world.caller, &only, &PageQuery::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    quotas.resume(&world.caller, &quota.quota_id, None).await.unwrap();
    world.idle().await;
    assert_eq!(world.claim(2).await.len(), 1);
    let refused = quotas.resume(&world.caller, &quota.quota_id, None).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidTransition);
}

pub(crate) async fn a_pause_ends_at_its_time(world: World) {
    let quota = world.quota(wide()).await;
    let job = world.submitted().await;
    let until = Some(world.now().plus_ms(60_000));
    let quotas = world.engine.quotas();
    quotas.pause(&world.caller, &quota.quota_id, None, PauseQuota { until }).await.unwrap();
    assert_eq!(world.claim(1).await, []);
    assert_eq!(world.job(&job.job_id).await.next_eligible_at, until);
    world.pass_ms(59_999).await;
    assert_eq!(world.waits(&job.job_id).await, Some(WaitReason::Paused));
    world.pass_ms(1).await;
    assert_eq!(world.claim(1).await.len(), 1);
    let now = quotas.get(&world.caller, &quota.quota_id).await.unwrap();
    assert_eq!((now.paused, now.paused_until, now.updated_by.as_str()), (false, None, "engine/limit-keeper"));
    let past = PauseQuota { until: Some(world.now()) };
    let refused = quotas.pause(&world.caller, &quota.quota_id, None, past).await.unwrap_err();
    assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, "until"));
}

pub(crate) async fn a_change_goes_back_at_its_time(world: World) {
    let quota = world.quota(AddQuota { max_active: Some(5), ..wide() }).await;
    let quotas = world.engine.quotas();
    let wish = |max_active, minutes: i64| ChangeQuota {
        max_active: Some(max_active),
        revert_at: Some(world.now().plus_ms(minutes * 60_000)),
        ..ChangeQuota::default()
    };
    quotas.change(&world.caller, &quota.quota_id, None, wish(1, 10)).await.unwrap();
    // A second change on top goes back to what was before both.
    let changed = quotas.change(&world.caller, &quota.quota_id, None, wish(2, 20)).await.unwrap();
    assert_eq!((changed.limits.max_active, changed.revert_to.map(|to| to.max_active)), (2, Some(5)));
    world.submit_many(6).await;
    assert_eq!(world.claim(6).await.len(), 2);
    world.pass_ms(20 * 60_000).await;
    let now = quotas.get(&world.caller, &quota.quota_id).await.unwrap();
    assert_eq!((now.limits.max_active, now.revert_at, now.revert_to), (5, None, None));
    let past = ChangeQuota { revert_at: Some(world.now()), ..ChangeQuota::default() };
    let refused = quotas.change(&world.caller, &quota.quota_id, None, past).await.unwrap_err();
    assert_eq!(refused.fields[0].field, "revertAt");
}

pub(crate) async fn a_wish_for_a_quota_that_cannot_be_is_refused(world: World) {
    let quotas = world.engine.quotas();
    for (field, wish) in [
        ("jobType", AddQuota { job_type: "Exam".to_owned(), ..wide() }),
        ("jobType", AddQuota { job_type: "**".to_owned(), ..wide() }),
        ("maxActive", AddQuota { max_active: Some(-1), ..wide() }),
        ("maxPerHour", AddQuota { max_per_hour: Some(-1), ..wide() }),
        ("burst", AddQuota { burst: Some(0), ..wide() }),
        ("weight", AddQuota { weight: Some(0), ..wide() }),
        ("reserved", AddQuota { reserved: Some(-1), ..wide() }),
        ("refillPerSecond", AddQuota { refill_per_second: Some(-0.1), ..wide() }),
        ("refillPerSecond", AddQuota { refill_per_second: Some(f64::NAN), ..wide() }),
    ] {
        let refused = quotas.add(&world.caller, wish).await.unwrap_err();
        assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, field));
    }
    world.quota(wide()).await;
    let twice = quotas.add(&world.caller, wide()).await.unwrap_err();
    assert_eq!(twice.code, Code::Conflict);
}

pub(crate) async fn an_older_version_is_refused_and_so_is_a_change_without_a_reason(world: World) {
    let quotas = world.engine.quotas();
    let quota = world.quota(wide()).await;
    let wish = ChangeQuota { max_active: Some(3), ..ChangeQuota::default() };
    let changed =
        quotas.change(&world.caller, &quota.quota_id, Some(quota.version), wish.clone()).await.unwrap();
    assert_eq!((changed.version, changed.limits.max_active), (2, 3));
    let late = quotas.change(&world.caller, &quota.quota_id, Some(quota.version), wish.clone()).await;
    assert_eq!(late.unwrap_err().code, Code::VersionMismatch);
    let silent = Caller::local("acme".parse().unwrap(), "ada");
    let refused = quotas.change(&silent, &quota.quota_id, None, wish.clone()).await.unwrap_err();
    assert_eq!(refused.code, Code::ReasonRequired);
    let foreign = Caller::local("globex".parse().unwrap(), "eve").because("why", None);
    assert_eq!(quotas.get(&foreign, &quota.quota_id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(quotas.change(&foreign, &quota.quota_id, None, wish).await.unwrap_err().code, Code::NotFound);
    let stale = quotas.delete(&world.caller, &quota.quota_id, Some(1)).await.unwrap_err();
    assert_eq!(stale.code, Code::VersionMismatch);
    quotas.delete(&world.caller, &quota.quota_id, Some(2)).await.unwrap();
    assert_eq!(quotas.get(&world.caller, &quota.quota_id).await.unwrap_err().code, Code::NotFound);
}

pub(crate) async fn urgent_jobs_may_take_the_places_that_are_reserved_for_them(world: World) {
    world
        .quota(AddQuota {
            max_active: Some(1),
            reserved: Some(1),
            strategy: Some(QuotaStrategy::Priority),
            ..wide()
        })
        .await;
    let plain = world.submit_many(2).await;
    assert_eq!(world.claim(2).await.len(), 1);
    let urgent = world.submit(SubmitJob { priority: Some(90), ..world.wish() }).await;
    assert_eq!(world.held_by(&plain[1].job_id).await, [BlockerKind::QuotaMaxActive]);
    let leases = world.claim(2).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].job.job_id, urgent.job_id);
}

/// Submits jobs of another type and claims of it what it gets.
async fn claim_other(world: &World, n: usize) -> usize {
    for _ in 0..n {
        world.submit(SubmitJob { job_type: "other".to_owned(), ..world.wish() }).await;
    }
    world.engine.work().claim(&world.worker, &["other".to_owned()], n).await.unwrap().len()
}

pub(crate) async fn proportional_quotas_share_the_places_of_the_workers_by_weight(world: World) {
    let proportional = |job_type: &str, weight: i64| AddQuota {
        job_type: job_type.to_owned(),
        strategy: Some(QuotaStrategy::Proportional),
        weight: Some(weight),
        ..wide()
    };
    world.quota(proportional("exam", 1)).await;
    world.quota(AddQuota { max_active: Some(2), ..proportional("other", 3) }).await;
    // The worker has four places: one part in four is one of them.
    let jobs = world.submit_many(3).await;
    assert_eq!(world.claim(3).await.len(), 1);
    let held = world.explain(&jobs[2].job_id).await.blockers.remove(0);
    assert_eq!((held.kind, held.limit), (BlockerKind::QuotaMaxActive, Some(1.0)));
    // Three parts would be three; `maxActive` is less.
    assert_eq!(claim_other(&world, 4).await, 2);
}

pub(crate) async fn reserved_places_are_kept_free_for_their_quota(world: World) {
    let reserved = AddQuota {
        job_type: "other".to_owned(),
        strategy: Some(QuotaStrategy::Reserved),
        reserved: Some(3),
        max_active: Some(3),
        ..wide()
    };
    world.quota(reserved).await;
    // Of the worker's four places three are kept, so that others take one.
    let jobs = world.submit_many(2).await;
    assert_eq!(world.claim(2).await.len(), 1);
    let held = world.explain(&jobs[1].job_id).await.blockers.remove(0);
    assert_eq!((held.kind, held.holder.as_str()), (BlockerKind::QuotaMaxActive, "reserved"));
    assert_eq!(world.waits(&jobs[1].job_id).await, Some(WaitReason::QuotaMaxActive));
    // Those it is for take all of them and not one more.
    assert_eq!(claim_other(&world, 4).await, 3);
}

pub(crate) async fn an_unlimited_quota_bounds_nothing(world: World) {
    let wish = AddQuota { max_active: Some(0), strategy: Some(QuotaStrategy::Unlimited), ..wide() };
    world.quota(wish).await;
    world.submit_many(3).await;
    assert_eq!(world.claim(3).await.len(), 3);
}

pub(crate) async fn a_snapshot_names_every_quota_and_its_own_digest(world: World) {
    world.quota(AddQuota { job_type: "zeta".to_owned(), ..wide() }).await;
    world.quota(wide()).await;
    world.quota(AddQuota { job_type: "*".to_owned(), ..wide() }).await;
    let quotas = world.engine.quotas();
    let json = quotas.export(&world.caller, &ExportQuery::default()).await.unwrap();
    let snapshot: QuotaSnapshot = serde_json::from_slice(&json.bytes).unwrap();
    let types: Vec<&str> = snapshot.quotas.iter().map(|quota| quota.job_type.as_str()).collect();
    assert_eq!(types, ["*", "exam", "zeta"]);
    assert_eq!(json.digest, format!("sha256:{}", hex::encode(Sha256::digest(&json.bytes))));
    let rows = serde_json::to_value(&snapshot.quotas).unwrap();
    let rows = stella_bundle::canonical::to_string(&rows).unwrap();
    assert_eq!(snapshot.sha256, format!("sha256:{}", hex::encode(Sha256::digest(rows))));
    let csv = ExportQuery { format: Some(ExportFormat::Csv) };
    let csv = quotas.export(&world.caller, &csv).await.unwrap();
    let text = String::from_utf8(csv.bytes.clone()).unwrap();
    assert_eq!(text.lines().count(), 4);
    assert!(text.starts_with("tenant,jobType,quotaId,maxActive"), "{text}");
    assert_eq!(csv.media_type, "text/csv");
    // Twice at one moment is the same document.
    assert_eq!(quotas.export(&world.caller, &ExportQuery::default()).await.unwrap(), json);
}

pub(crate) async fn an_imagined_limit_tells_when_the_backlog_is_gone(world: World) {
    world.quota(AddQuota { max_active: Some(1), max_per_hour: Some(100_000), ..wide() }).await;
    world.submit_many(13).await;
    for _ in 0..3 {
        world.idle().await;
        let lease = world.start_many(1).await.remove(0);
        world.clock.advance_ms(30_000);
        world.complete(&lease.fence).await.unwrap();
    }
    world.idle().await;
    let quotas = world.engine.quotas();
    let ask = |max_active| WhatIf { job_type: "exam".to_owned(), max_active, max_per_hour: None };
    let as_is = quotas.what_if(&world.caller, ask(None)).await.unwrap();
    assert_eq!((as_is.backlog, as_is.active, as_is.mean_ms), (10, 0, Some(30_000)));
    // One place of half a minute each ends two jobs per minute, while about one per minute came lately.
    assert_eq!((as_is.projected_per_minute, as_is.bound_by), (Some(2.0), DrainBound::MaxActive));
    assert_eq!(as_is.drained_at, as_is.drained_at_now);
    let wider = quotas.what_if(&world.caller, ask(Some(2))).await.unwrap();
    assert_eq!(wider.projected_per_minute, Some(4.0));
    assert!(wider.drained_at < wider.drained_at_now, "{wider:?}");
    let none = quotas.what_if(&world.caller, ask(Some(0))).await.unwrap();
    assert_eq!(none.drained_at, None);
}

pub(crate) async fn every_change_is_written_down_with_what_was_before(world: World) {
    let quota = world.quota(AddQuota { max_active: Some(5), ..wide() }).await;
    let wish = ChangeQuota { max_active: Some(1), ..ChangeQuota::default() };
    world.engine.quotas().change(&world.caller, &quota.quota_id, None, wish).await.unwrap();
    let tenant = world.caller.tenant.clone();
    let entries = world
        .engine
        .ledger()
        .read::<_, stella_engine::Error, _>(move |tx| {
            Box::pin(async move {
                let about = stella_ledger::history::About::Everything;
                Ok(stella_ledger::history::newest(tx, &tenant, &about, None, 5).await?)
            })
        })
        .await
        .unwrap();
    let change = entries.iter().find(|entry| entry.kind == "orch.quota.changed").unwrap();
    assert_eq!(change.reason.as_deref(), Some("a test"));
    assert_eq!(change.data["before"]["maxActive"], 5);
    assert_eq!(change.data["after"]["maxActive"], 1);
    assert_eq!(change.data["id"], quota.quota_id.as_str());
    world.assert_chain().await;
}

/// What the operator saw: a backlog behind a rate kept a whole core busy, for each of its thousands was due at every
/// token.
pub(crate) async fn a_backlog_behind_a_rate_is_not_looked_at_whole_for_every_token(world: World) {
    let rate = AddQuota { max_active: Some(64), burst: Some(1), refill_per_second: Some(0.1), ..wide() };
    world.quota(rate).await;
    let jobs = world.submit_many(40).await;
    world.idle().await;
    world.pass_ms(60_000).await;
    let due: Result<i64, stella_ledger::LedgerError> = world
        .engine
        .ledger()
        .read(|tx| {
            Box::pin(async move {
                stella_ledger::query::Query::new(
                    "select count(*) from jobs where state = 'pending' and next_eligible_at is not null",
                )
                .fetch_count(tx)
                .await
            })
        })
        .await;
    assert_eq!(due.unwrap(), 8, "of the others it is known without their rows");
    // Who looks is told of each when it may go on, all the same.
    let last = world.job(&jobs[39].job_id).await;
    assert_eq!(last.wait_reason, Some(WaitReason::RateLimited));
    assert!(last.next_eligible_at.is_some());
}
