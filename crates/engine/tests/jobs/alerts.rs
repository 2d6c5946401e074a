//! Spikes and backlogs of dead letters: when they come up, that they come up once, and when they go.

use crate::support::World;
use stella_contract::dead_letter::{DeadLetterFilter, MuteCause, UnmuteCause};
use stella_contract::error::Code;
use stella_contract::event::FeedQuery;
use stella_contract::incident::{
    Incident, IncidentFilter, IncidentKind, IncidentState, NoteIncident, Severity,
};
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::scope::Scope;
use stella_engine::Caller;
use stella_engine::handlers::Failure;
use stella_engine::work::Progress;
use stella_ledger::leases::Beat;

const MINUTE_MS: i64 = 60 * 1_000;

async fn fail(world: &World, times: usize, message: &str) {
    for _ in 0..times {
        world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
        let lease = world.start().await;
        // Of a class that opens no breaker, so that the next job comes as well.
        let failure = Failure::new(ErrorClass::UpstreamClient, "SOURCE_UNREACHABLE", message);
        world.engine.work().fail(&lease.fence, failure).await.unwrap();
    }
    world.engine.run_until_idle().await.unwrap();
}

async fn incidents(world: &World, kind: IncidentKind) -> Vec<Incident> {
    let filter = IncidentFilter { kind: Some(kind), ..IncidentFilter::default() };
    let query = PageQuery { page_token: None, page_size: Some(500) };
    world.engine.incidents().list(&world.caller, &filter, &query).await.unwrap().items
}

async fn spikes(world: &World) -> Vec<Incident> {
    incidents(world, IncidentKind::DeadLetterSpike).await
}

/// How often this was told since the beginning.
async fn told(world: &World, kind: &str) -> usize {
    let query = FeedQuery { cursor: Some(0), max_wait_ms: Some(0) };
    let batch = world.engine.feed().since(&world.caller, query).await.unwrap();
    batch.events.iter().filter(|event| event.kind == kind).count()
}

pub(crate) async fn ten_failures_of_one_cause_are_one_spike(world: World) {
    fail(&world, 9, "a.example fell silent after 3 s").await;
    assert_eq!(spikes(&world).await, []);
    fail(&world, 1, "a.example fell silent after 4 s").await;
    let found = spikes(&world).await;
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((spike.state, spike.severity, spike.count), (IncidentState::Open, Severity::Warning, 10));
    assert_eq!(
        (spike.alert_name.as_str(), spike.reason_code.as_str()),
        ("ErrorCluster", "SOURCE_UNREACHABLE")
    );
    assert!(
        spike.summary.starts_with("10 jobs of type exam failed for good in 15 minutes"),
        "{}",
        spike.summary
    );
    let path = format!("/ops/operations/dead-letter/queue?fingerprint={}", spike.subject);
    assert_eq!(spike.links[0].path, path);
    assert_eq!(told(&world, "orch.deadletter.spike").await, 1);
    fail(&world, 20, "a.example fell silent after 5 s").await;
    let found = spikes(&world).await;
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((spike.severity, spike.count), (Severity::Critical, 30), "it got worse and is still the same");
    assert_eq!(told(&world, "orch.deadletter.spike").await, 1, "a spike is told once");
    world.assert_chain().await;
}

pub(crate) async fn of_a_muted_cause_nobody_is_called_though_its_incident_is_there(world: World) {
    fail(&world, 1, "a.example fell silent after 3 s").await;
    let letters = world.engine.dead_letters();
    let all = letters.list(&world.caller, &DeadLetterFilter::default(), &PageQuery::default()).await.unwrap();
    let fingerprint = all.items[0].fingerprint.clone();
    let until = Some(world.now().plus_ms(60 * MINUTE_MS));
    let bare = Caller::local(world.caller.tenant.clone(), "ada");
    let desk = bare.clone().because("it is being mended", Some("OPS-1"));
    let wish = MuteCause { fingerprint: fingerprint.clone(), until };
    let error = letters.mute(&bare, wish.clone()).await.unwrap_err();
    assert_eq!(error.code, Code::ReasonRequired);
    let past = MuteCause { until: Some(world.now()), ..wish.clone() };
    assert_eq!(letters.mute(&desk, past).await.unwrap_err().code, Code::Invalid);
    let mute = letters.mute(&desk, wish).await.unwrap();
    assert_eq!((mute.until, mute.reason.as_deref()), (until, Some("it is being mended")));
    fail(&world, 11, "a.example fell silent after 4 s").await;
    assert_eq!((spikes(&world).await.len(), told(&world, "orch.deadletter.spike").await), (1, 0));
    let mutes = letters.mutes(&world.caller, &PageQuery::default()).await.unwrap();
    assert_eq!(mutes.items, std::slice::from_ref(&mute));
    let other = UnmuteCause { fingerprint: "0000000000000000".to_owned() };
    assert_eq!(letters.unmute(&desk, other).await.unwrap_err().code, Code::NotFound);
    assert_eq!(letters.unmute(&desk, UnmuteCause { fingerprint }).await.unwrap(), mute);
    let mutes = letters.mutes(&world.caller, &PageQuery::default()).await.unwrap();
    assert_eq!(mutes.items, []);
    world.assert_chain().await;
}

pub(crate) async fn two_large_causes_are_two_incidents_and_small_ones_none(world: World) {
    fail(&world, 12, "a.example fell silent").await;
    fail(&world, 11, "b.example: bad gateway").await;
    fail(&world, 2, "something else").await;
    assert_eq!(spikes(&world).await.len(), 2);
}

pub(crate) async fn a_spike_goes_after_thirty_calm_minutes_and_thirty_more(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    world.pass_ms(15 * MINUTE_MS).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Open, "calm has only begun");
    world.pass_ms(30 * MINUTE_MS - 1).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Open);
    world.pass_ms(1).await;
    let spike = spikes(&world).await.remove(0);
    assert_eq!((spike.state, spike.cleared_at), (IncidentState::Mitigated, Some(world.now())));
    world.pass_ms(30 * MINUTE_MS - 1).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Mitigated);
    world.pass_ms(1).await;
    let spike = spikes(&world).await.remove(0);
    assert_eq!((spike.state, spike.resolved_at), (IncidentState::Resolved, Some(world.now())));
    assert_eq!(told(&world, "incident.resolved").await, 1);
}

pub(crate) async fn calm_that_is_broken_starts_anew(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    world.pass_ms(15 * MINUTE_MS).await;
    world.pass_ms(20 * MINUTE_MS).await;
    fail(&world, 5, "a.example fell silent").await;
    world.pass_ms(15 * MINUTE_MS).await;
    world.pass_ms(30 * MINUTE_MS - 1).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Open);
    world.pass_ms(1).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Mitigated);
}

pub(crate) async fn a_spike_that_comes_again_is_told_again(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    for _ in 0..2 {
        world.pass_ms(15 * MINUTE_MS).await;
    }
    world.pass_ms(15 * MINUTE_MS).await;
    assert_eq!(spikes(&world).await[0].state, IncidentState::Mitigated);
    fail(&world, 10, "a.example fell silent").await;
    let found = spikes(&world).await;
    assert_eq!((found.len(), found[0].state), (1, IncidentState::Open));
    assert_eq!(told(&world, "orch.deadletter.spike").await, 2);
}

pub(crate) async fn an_operator_looks_after_an_incident_and_ends_it(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    let id = spikes(&world).await.remove(0).incident_id;
    let desk = world.engine.incidents();
    let note = |text: &str| NoteIncident { note: Some(text.to_owned()) };
    let seen = desk.acknowledge(&world.caller, &id, note("calling them")).await.unwrap();
    assert_eq!((seen.state, seen.ack.unwrap().by), (IncidentState::Acknowledged, "ada".to_owned()));
    let error = desk.acknowledge(&world.caller, &id, NoteIncident::default()).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidTransition);
    for wrong in [NoteIncident::default(), note(" "), note(&"x".repeat(1_001))] {
        let error = desk.resolve(&world.caller, &id, wrong).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "note"));
    }
    let over = desk.resolve(&world.caller, &id, note("they restarted it")).await.unwrap();
    assert_eq!((over.state, over.resolved_by.as_deref()), (IncidentState::Resolved, Some("ada")));
    let error = desk.resolve(&world.caller, &id, note("again")).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidTransition);

    // As long as the condition lasts, who said that it is over is not told again.
    fail(&world, 10, "a.example fell silent").await;
    assert_eq!((spikes(&world).await.len(), told(&world, "orch.deadletter.spike").await), (1, 1));
    for _ in 0..4 {
        world.pass_ms(15 * MINUTE_MS).await;
    }
    fail(&world, 10, "a.example fell silent").await;
    assert_eq!((spikes(&world).await.len(), told(&world, "orch.deadletter.spike").await), (2, 2));
}

pub(crate) async fn an_incident_needs_scope_reason_and_ticket_and_its_tenant(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    let id = spikes(&world).await.remove(0).incident_id;
    let desk = world.engine.incidents();
    let wish = || NoteIncident { note: Some("x".to_owned()) };
    let bare = Caller::local("acme".parse().unwrap(), "ada");
    assert_eq!(desk.resolve(&bare, &id, wish()).await.unwrap_err().code, Code::ReasonRequired);
    let ticketless = bare.because("why", None);
    assert_eq!(desk.acknowledge(&ticketless, &id, wish()).await.unwrap_err().code, Code::TicketRequired);
    let mut reader = world.caller.clone();
    reader.scopes.remove(&Scope::OrchOperate);
    assert_eq!(desk.resolve(&reader, &id, wish()).await.unwrap_err().code, Code::ScopeMissing);
    let other = Caller::local("other".parse().unwrap(), "eve").because("why", Some("OPS-1"));
    assert_eq!(desk.resolve(&other, &id, wish()).await.unwrap_err().code, Code::NotFound);
    assert_eq!(desk.get(&other, &id).await.unwrap_err().code, Code::NotFound);
}

pub(crate) async fn more_than_ten_open_entries_are_a_backlog(world: World) {
    fail(&world, 10, "a.example fell silent").await;
    assert_eq!(incidents(&world, IncidentKind::DeadLetterBacklog).await, []);
    fail(&world, 1, "a.example fell silent").await;
    let backlog = incidents(&world, IncidentKind::DeadLetterBacklog).await.remove(0);
    assert_eq!((backlog.severity, backlog.count), (Severity::Warning, 11));
    fail(&world, 40, "a.example fell silent").await;
    let backlog = incidents(&world, IncidentKind::DeadLetterBacklog).await.remove(0);
    assert_eq!((backlog.severity, backlog.count), (Severity::Critical, 51));
}

pub(crate) async fn a_breaker_that_opened_is_an_incident_until_it_closes(world: World) {
    for _ in 0..10 {
        let job = world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
        let Some(lease) = world.claim(1).await.pop() else { break };
        assert_eq!(lease.job.job_id, job.job_id);
        world.engine.work().ack(std::slice::from_ref(&lease.fence)).await.unwrap();
        world.fail(&lease.fence, ErrorClass::Network).await;
    }
    world.engine.run_until_idle().await.unwrap();
    let found = incidents(&world, IncidentKind::BreakerOpened).await;
    let [incident] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((incident.state, incident.reason_code.as_str()), (IncidentState::Open, "BREAKER_OPEN"));
    assert!(incident.subject.ends_with(":exam"), "{}", incident.subject);
}

pub(crate) async fn three_leases_that_expire_in_five_minutes_are_a_stall(world: World) {
    for expired in 1..=3 {
        world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
        world.start().await;
        world.pass_ms(65_000).await;
        let stalls = incidents(&world, IncidentKind::LeaseStall).await;
        assert_eq!(stalls.len(), usize::from(expired == 3), "{expired}");
    }
    let stall = incidents(&world, IncidentKind::LeaseStall).await.remove(0);
    assert_eq!((stall.subject.as_str(), stall.count, stall.state), ("one", 3, IncidentState::Open));
    world.pass_ms(5 * MINUTE_MS).await;
    assert_eq!(incidents(&world, IncidentKind::LeaseStall).await[0].state, IncidentState::Mitigated);
    world.pass_ms(30 * MINUTE_MS).await;
    assert_eq!(incidents(&world, IncidentKind::LeaseStall).await[0].state, IncidentState::Resolved);
}

pub(crate) async fn a_job_that_gets_no_further_for_ten_minutes_is_stuck(world: World) {
    let job = world.submit(SubmitJob { timeout_s: Some(86_400), ..world.wish() }).await;
    let lease = world.start().await;
    let beat = async |processed: i64| {
        let told = Progress { processed, total: 100, message: None };
        let beats = vec![Beat { fence: lease.fence.clone(), progress: Some(told) }];
        world.engine.work().heartbeat(&world.worker, beats).await.unwrap();
        world.engine.run_until_idle().await.unwrap();
    };
    let stand_still = async |processed: i64, minutes: usize| {
        for _ in 0..minutes {
            beat(processed).await;
            world.clock.advance_ms(MINUTE_MS);
        }
        beat(processed).await;
    };
    stand_still(1, 9).await;
    assert_eq!(incidents(&world, IncidentKind::JobStuck).await, []);
    stand_still(2, 9).await;
    assert_eq!(incidents(&world, IncidentKind::JobStuck).await, [], "it got further meanwhile");
    stand_still(2, 1).await;
    let stuck = incidents(&world, IncidentKind::JobStuck).await.remove(0);
    assert_eq!((stuck.subject.as_str(), stuck.state), (job.job_id.as_str(), IncidentState::Open));
    beat(3).await;
    let stuck = incidents(&world, IncidentKind::JobStuck).await.remove(0);
    assert_eq!(stuck.state, IncidentState::Mitigated);
}
