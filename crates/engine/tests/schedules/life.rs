//! What operators do to schedules.

use crate::scene::{at, wish};
use crate::support::World;
use stella_contract::blackout::{AddBlackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind};
use stella_contract::error::Code;
use stella_contract::finding::Severity;
use stella_contract::page::PageQuery;
use stella_contract::run::{RunMode, RunScope};
use stella_contract::schedule::*;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_engine::Caller;

pub(crate) async fn a_schedule_is_made_changed_switched_and_taken_away(world: World) {
    let schedules = world.engine.schedules();
    let made = world
        .make(MakeSchedule {
            timezone: Some("europe/sofia".to_owned()),
            notify: Some(ScheduleNotify { min_severity: Some(Severity::High), on_kev: true }),
            jitter_s: None,
            ..wish("nightly", " 30  2 * * * ")
        })
        .await;
    assert_eq!((made.cron.as_str(), made.timezone.as_str()), ("30 2 * * *", "Europe/Sofia"));
    assert_eq!(made.words.as_deref(), Some("at 02:30"));
    // It is 09:00 UTC: the next 02:30 in Sofia is at 00:30 UTC.
    assert_eq!(made.next_fire_at, Micros::parse("2026-11-22T00:30:00Z"));
    assert_eq!(made.next_fire_local.as_deref(), Some("2026-11-22T02:30+02:00"));
    assert_eq!((made.jitter_s, made.catchup_window_s, made.max_targets), (30, 600, 50_000));
    assert_eq!((made.overlap_policy, made.limits), (OverlapPolicy::Skip, ScheduleLimits::default()));
    assert_eq!((made.state, made.created_by.as_str(), made.version), (ScheduleState::Enabled, "ada", 1));

    let change = ChangeSchedule {
        name: Some("weekly".to_owned()),
        cron: Some("@weekly".to_owned()),
        timezone: Some("UTC".to_owned()),
        mode: Some(RunMode::ContentRefresh),
        ..ChangeSchedule::default()
    };
    let changed = schedules.change(&world.caller, &made.schedule_id, change, Some(1)).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.mode, changed.version),
        ("weekly", RunMode::ContentRefresh, 2)
    );
    assert_eq!(changed.next_fire_at, Micros::parse("2026-11-22T00:00:00Z"));
    assert_eq!(changed.notify, made.notify, "what is absent stays");

    let off = schedules.disable(&world.caller, &made.schedule_id, None).await.unwrap();
    assert_eq!((off.state, off.enabled, off.next_fire_at), (ScheduleState::Disabled, false, None));
    let on = schedules.enable(&world.caller, &made.schedule_id, None).await.unwrap();
    assert_eq!((on.state, on.next_fire_at), (ScheduleState::Enabled, changed.next_fire_at));

    let gone = schedules.delete(&world.caller, &made.schedule_id, Some(on.version)).await.unwrap();
    assert_eq!(gone.name, "weekly");
    let missing = schedules.get(&world.caller, &made.schedule_id).await.unwrap_err();
    assert_eq!(missing.code, Code::NotFound);
    assert_eq!(world.kinds_said().await, ["created", "updated", "disabled", "enabled", "deleted"]);
    let entry = world.said().await.remove(1);
    assert_eq!(
        (&entry.data["before"]["name"], &entry.data["after"]["name"]),
        (&"nightly".into(), &"weekly".into())
    );
    assert_eq!((entry.reason.as_deref(), entry.ticket.as_deref()), (Some("a test"), Some("OPS-1")));
    world.assert_chain().await;
}

pub(crate) async fn a_wish_that_cannot_be_is_refused_with_its_field(world: World) {
    let good = || wish("nightly", "@daily");
    let zone = |zone: &str| MakeSchedule { timezone: Some(zone.to_owned()), ..good() };
    let limits = |parallelism, targets_per_minute| MakeSchedule {
        limits: Some(ScheduleLimits { parallelism, targets_per_minute }),
        ..good()
    };
    for (field, code, wish) in [
        ("cron.hour", Code::CronInvalid, wish("n", "0 24 * * *")),
        ("cron.dayOfMonth", Code::CronInvalid, wish("n", "0 0 31 2 *")),
        ("cron", Code::CronInvalid, wish("n", "@never")),
        ("timezone", Code::Invalid, zone("Mars/Olympus")),
        ("name", Code::Invalid, wish("  ", "@daily")),
        ("name", Code::Invalid, wish(&"x".repeat(81), "@daily")),
        ("jitterS", Code::Invalid, MakeSchedule { jitter_s: Some(3_601), ..good() }),
        ("catchupWindowS", Code::Invalid, MakeSchedule { catchup_window_s: Some(9), ..good() }),
        ("maxTargets", Code::Invalid, MakeSchedule { max_targets: Some(0), ..good() }),
        ("limits.parallelism", Code::Invalid, limits(65, 600)),
        ("limits.targetsPerMinute", Code::Invalid, limits(4, 0)),
        (
            "policySnapshotId",
            Code::Invalid,
            MakeSchedule { policy_snapshot_id: Some("a b".to_owned()), ..good() },
        ),
        (
            "scope.digests",
            Code::Invalid,
            MakeSchedule { scope: RunScope::Digests { digests: vec![] }, ..good() },
        ),
    ] {
        let error = world.engine.schedules().make(&world.caller, wish).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (code, field));
    }
    let past = PauseSchedule { resume_at: Some(world.now()) };
    let made = world.make(good()).await;
    let error =
        world.engine.schedules().pause(&world.caller, &made.schedule_id, past, None).await.unwrap_err();
    assert_eq!(error.fields[0].field, "resumeAt");
}

pub(crate) async fn a_name_is_taken_once_and_an_older_version_is_refused(world: World) {
    let schedules = world.engine.schedules();
    let one = world.make(wish("one", "@daily")).await;
    let two = world.make(wish("two", "@daily")).await;
    let again = schedules.make(&world.caller, wish("one", "@hourly")).await.unwrap_err();
    assert_eq!(again.code, Code::Conflict);
    let rename = ChangeSchedule { name: Some("one".to_owned()), ..ChangeSchedule::default() };
    let taken = schedules.change(&world.caller, &two.schedule_id, rename, None).await.unwrap_err();
    assert_eq!(taken.code, Code::Conflict);
    assert!(taken.public.contains("`one`"), "{}", taken.public);
    let old = Some(one.version + 1);
    let stale = |error: stella_engine::Error| assert_eq!(error.code, Code::VersionMismatch);
    stale(
        schedules.change(&world.caller, &one.schedule_id, ChangeSchedule::default(), old).await.unwrap_err(),
    );
    stale(schedules.pause(&world.caller, &one.schedule_id, PauseSchedule::default(), old).await.unwrap_err());
    stale(schedules.disable(&world.caller, &one.schedule_id, old).await.unwrap_err());
    stale(schedules.delete(&world.caller, &one.schedule_id, old).await.unwrap_err());
}

pub(crate) async fn a_verb_that_its_state_does_not_allow_is_refused(world: World) {
    let schedules = world.engine.schedules();
    let made = world.make(wish("one", "@daily")).await;
    let refused = |error: stella_engine::Error| assert_eq!(error.code, Code::InvalidTransition, "{error}");
    refused(schedules.resume(&world.caller, &made.schedule_id, None).await.unwrap_err());
    refused(schedules.enable(&world.caller, &made.schedule_id, None).await.unwrap_err());
    schedules.pause(&world.caller, &made.schedule_id, PauseSchedule::default(), None).await.unwrap();
    refused(
        schedules.pause(&world.caller, &made.schedule_id, PauseSchedule::default(), None).await.unwrap_err(),
    );
    schedules.disable(&world.caller, &made.schedule_id, None).await.unwrap();
    refused(schedules.resume(&world.caller, &made.schedule_id, None).await.unwrap_err());
    refused(schedules.disable(&world.caller, &made.schedule_id, None).await.unwrap_err());
}

pub(crate) async fn nobody_touches_a_schedule_of_another_tenant_or_without_the_scope(world: World) {
    let schedules = world.engine.schedules();
    let made = world.make(wish("one", "@daily")).await;
    let id = &made.schedule_id;
    let stranger = Caller::local("other".parse().unwrap(), "eve").because("curious", Some("OPS-9"));
    let missing = |error: stella_engine::Error| assert_eq!(error.code, Code::NotFound);
    missing(schedules.get(&stranger, id).await.unwrap_err());
    missing(schedules.fires(&stranger, id, &PageQuery::default()).await.unwrap_err());
    missing(schedules.change(&stranger, id, ChangeSchedule::default(), None).await.unwrap_err());
    missing(schedules.pause(&stranger, id, PauseSchedule::default(), None).await.unwrap_err());
    missing(schedules.trigger(&stranger, id, TriggerSchedule::default()).await.unwrap_err());
    missing(schedules.delete(&stranger, id, None).await.unwrap_err());
    let asked = PreviewSchedule {
        schedule_id: Some(id.clone()),
        cron: "@daily".to_owned(),
        ..PreviewSchedule::default()
    };
    missing(schedules.preview(&stranger, asked).await.unwrap_err());
    let all = schedules.list(&stranger, &ScheduleFilter::default(), &PageQuery::default()).await.unwrap();
    assert!(all.items.is_empty());

    let mut weak = world.caller.clone();
    weak.scopes.remove(&Scope::RunsManage);
    let refused = schedules.make(&weak, wish("two", "@daily")).await.unwrap_err();
    assert_eq!(refused.code, Code::ScopeMissing);
    weak.scopes.remove(&Scope::OrchOperate);
    let refused = schedules.pause(&weak, id, PauseSchedule::default(), None).await.unwrap_err();
    assert_eq!(refused.code, Code::ScopeMissing);
    let mut silent = world.caller.clone();
    silent.cause.reason = None;
    let refused = schedules.disable(&silent, id, None).await.unwrap_err();
    assert_eq!(refused.code, Code::ReasonRequired);
    let mut bare = world.caller.clone();
    bare.cause.ticket = None;
    let refused = schedules.pause(&bare, id, PauseSchedule::default(), None).await.unwrap_err();
    assert_eq!(refused.code, Code::TicketRequired);
}

pub(crate) async fn a_preview_says_what_a_text_would_do_and_what_holds_it(world: World) {
    let schedules = world.engine.schedules();
    let made = world.make(wish("often", "*/20 * * * *")).await;
    let asked = PreviewSchedule {
        cron: "*/20 * * * *".to_owned(),
        timezone: Some("Europe/Sofia".to_owned()),
        schedule_id: Some(made.schedule_id.clone()),
        resume_at: None,
    };
    let preview = schedules.preview(&world.caller, asked.clone()).await.unwrap();
    assert_eq!((preview.words.as_deref(), preview.offset.as_str()), (Some("every 20 minutes"), "+02:00"));
    assert_eq!(preview.fires.len(), 5);
    assert_eq!(
        (preview.fires[0].at, preview.fires[0].local.as_str()),
        (at("09:20:00"), "2026-11-21T11:20+02:00")
    );
    assert_eq!(preview.earliest_next_run.as_ref().map(|fire| fire.at), Some(at("09:20:00")));
    assert_eq!((preview.dropped, preview.blackout.as_ref()), (0, None));
    assert_eq!(preview.clock_changes.len(), 2);

    // A pause until 17:00 and a blackout from 16:00 to 18:00, as in the design.
    let blackout = AddBlackout {
        targets: vec![BlackoutTarget { kind: BlackoutTargetKind::Tenant, key: String::new() }],
        start: Some(at("16:00:00")),
        end: Some(at("18:00:00")),
        cron: None,
        duration_s: None,
        time_zone: None,
        action: Some(BlackoutAction::Skip),
        drain_before_s: None,
    };
    world.engine.blackouts().add(&world.caller, blackout).await.unwrap();
    let paused = PreviewSchedule { resume_at: Some(at("17:00:00")), ..asked.clone() };
    let preview = schedules.preview(&world.caller, paused).await.unwrap();
    assert_eq!(preview.earliest_next_run.map(|fire| fire.at), Some(at("18:00:00")));
    // From 09:20 to 17:40.
    assert_eq!(preview.dropped, 26);
    let blackout = preview.blackout.unwrap();
    assert_eq!((blackout.action, blackout.until, blackout.fires), (BlackoutAction::Skip, at("18:00:00"), 6));

    let wrong = PreviewSchedule { cron: "*/20 * * *".to_owned(), ..asked };
    let error = schedules.preview(&world.caller, wrong).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::CronInvalid, "cron.dayOfWeek"));
}

pub(crate) async fn coming_fires_of_all_schedules_come_in_one_order(world: World) {
    let schedules = world.engine.schedules();
    let hourly = world.make(wish("hourly", "@hourly")).await;
    let daily = world.make(wish("daily", "30 10 * * *")).await;
    let off = world.make(MakeSchedule { enabled: Some(false), ..wish("off", "* * * * *") }).await;
    let far = world.make(wish("far", "0 0 1 6 *")).await;
    let coming = schedules.upcoming(&world.caller, UpcomingQuery::default()).await.unwrap();
    assert_eq!((coming.items.len(), coming.truncated), (MOST_UPCOMING, true));
    let first: Vec<(&str, Micros)> =
        coming.items.iter().take(4).map(|item| (item.name.as_str(), item.fire.at)).collect();
    let expected = [
        ("hourly", at("10:00:00")),
        ("daily", at("10:30:00")),
        ("hourly", at("11:00:00")),
        ("hourly", at("12:00:00")),
    ];
    assert_eq!(first, expected);
    assert!(coming.items.is_sorted_by_key(|item| item.fire.at));
    assert!(
        coming
            .items
            .iter()
            .all(|item| item.schedule_id != off.schedule_id && item.schedule_id != far.schedule_id)
    );
    let only = UpcomingQuery { schedule_id: Some(daily.schedule_id.clone()) };
    let of_one = schedules.upcoming(&world.caller, only).await.unwrap();
    assert_eq!((of_one.items.len(), of_one.truncated), (14, false));
    assert_eq!(of_one.until.ms_since(of_one.as_of), 14 * 24 * 3_600_000);
    assert_ne!(hourly.schedule_id, daily.schedule_id);
}

pub(crate) async fn a_coming_fire_says_what_will_become_of_it(world: World) {
    let schedules = world.engine.schedules();
    let skips = world.make(wish("skips", "0 10 * * *")).await;
    let waits =
        MakeSchedule { overlap_policy: Some(OverlapPolicy::BufferOne), ..wish("waits", "1 10 * * *") };
    let waits = world.make(waits).await;
    let dark = world.make(wish("dark", "2 10 * * *")).await;
    world.make(wish("free", "3 10 * * *")).await;
    let paused = world.make(wish("paused", "4 10 * * *")).await;
    let for_good = world.make(wish("for good", "5 10 * * *")).await;
    let day = 24 * 3_600_000;
    let resume_at = Some(at("10:00:00").plus_ms(day));
    for (one, until) in [(&paused, resume_at), (&for_good, None)] {
        let wish = PauseSchedule { resume_at: until };
        schedules.pause(&world.caller, &one.schedule_id, wish, None).await.unwrap();
    }
    let blackout = AddBlackout {
        targets: vec![BlackoutTarget {
            kind: BlackoutTargetKind::Schedule,
            key: dark.schedule_id.to_string(),
        }],
        start: Some(at("10:00:00")),
        end: Some(at("11:00:00")),
        cron: None,
        duration_s: None,
        time_zone: None,
        action: Some(BlackoutAction::Skip),
        drain_before_s: None,
    };
    world.engine.blackouts().add(&world.caller, blackout).await.unwrap();
    let mut open = Vec::new();
    for one in [&skips, &waits] {
        let run = schedules.trigger(&world.caller, &one.schedule_id, TriggerSchedule::default()).await;
        open.push(run.unwrap().0.run_id);
    }
    let coming = schedules.upcoming(&world.caller, UpcomingQuery::default()).await.unwrap();
    let first = |name: &str| coming.items.iter().find(|item| item.name == name);
    let prospect = |name: &str| first(name).map(|item| (item.prospect, item.open_run_id.clone()));
    assert_eq!(prospect("skips"), Some((FireProspect::SkipsIfOpen, Some(open[0].clone()))));
    assert_eq!(prospect("waits"), Some((FireProspect::WaitsIfOpen, Some(open[1].clone()))));
    assert_eq!(prospect("dark"), Some((FireProspect::LeftOut, None)));
    assert_eq!(prospect("free"), Some((FireProspect::Starts, None)));
    let tomorrow = first("paused").map(|item| (item.state, item.fire.at));
    assert_eq!(tomorrow, Some((ScheduleState::Paused, at("10:04:00").plus_ms(day))), "none during its pause");
    assert_eq!((first("for good"), coming.paused), (None, 2));
    let of_skips: Vec<FireProspect> =
        coming.items.iter().filter(|item| item.name == "skips").map(|item| item.prospect).collect();
    assert_eq!(of_skips[1], FireProspect::Starts, "nobody knows what is open on another day");
}

pub(crate) async fn the_list_begins_with_the_next_fire_and_filters(world: World) {
    let schedules = world.engine.schedules();
    for n in 0..7 {
        world.make(wish(&format!("Night {n}"), &format!("{} 12 * * *", 50 - n))).await;
    }
    let off = world.make(MakeSchedule { enabled: Some(false), ..wish("off 100%", "* * * * *") }).await;
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let page = PageQuery { page_token: token, page_size: Some(3) };
        let page = schedules.list(&world.caller, &ScheduleFilter::default(), &page).await.unwrap();
        assert_eq!(page.total_estimate, Some(8));
        names.extend(page.items.into_iter().map(|one| one.name));
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    let expected: Vec<String> =
        (0..7).rev().map(|n| format!("Night {n}")).chain(["off 100%".to_owned()]).collect();
    assert_eq!(names, expected);
    let found = async |filter: ScheduleFilter| {
        let page = schedules.list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
        page.items.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let named = |text: &str| ScheduleFilter { name: Some(text.to_owned()), ..ScheduleFilter::default() };
    assert_eq!(found(named("night 3")).await, ["Night 3"]);
    assert_eq!(found(named("0%")).await, ["off 100%"]);
    assert_eq!(found(named("_")).await, Vec::<String>::new());
    let of_state = ScheduleFilter { state: Some(ScheduleState::Disabled), ..ScheduleFilter::default() };
    assert_eq!(found(of_state).await, ["off 100%"]);
    assert_eq!(off.next_fire_at, None);
}
