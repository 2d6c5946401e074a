//! Backfills: drafted, previewed, started, fed at their share of the rate, ended.

use crate::support::{START, World, record_at, report};
use stella_contract::backfill::{
    Backfill, BackfillFilter, BackfillOrder, BackfillState, BackfillWindow, CreateBackfill, OverlapPolicy,
    Reprocess, StartBackfill, WindowState,
};
use stella_contract::error::Code;
use stella_contract::job::{JobFilter, JobState};
use stella_contract::page::PageQuery;
use stella_contract::source::{RunSource, Source, SourceType, UpdateSource};
use stella_contract::time::Micros;
use stella_contract::watermark::{SkipWindow, Watermark};
use stella_engine::verbs::Verb;
use stella_engine::{Caller, Error};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

const DAY: i64 = 24 * 3_600_000;

fn ago(days: i64) -> Micros {
    Micros(START.minus_ms(days * DAY).0 / 1_000_000 * 1_000_000)
}

fn operator(world: &World) -> Caller {
    world.caller.clone().because("the mirror lost a week", Some("OPS-7"))
}

/// A folder feed with a record of each of so many days, read once; what is covered begins with the oldest record.
async fn read_feed(world: &World, days: impl IntoIterator<Item = i64>) -> Source {
    for day in days {
        world.file(&format!("feed/r{day}.json"), record_at(&format!("R-{day}"), ago(day)));
    }
    let source = world.add("feed", SourceType::Advisory, &world.folder("feed")).await;
    report(&world.run(&source).await);
    source
}

async fn draft(world: &World, wish: CreateBackfill) -> Result<Backfill, Error> {
    world.engine.backfills().create(&operator(world), wish).await
}

async fn started(world: &World, wish: CreateBackfill) -> Backfill {
    let drafted = draft(world, wish).await.unwrap();
    start(world, &drafted).await.unwrap()
}

async fn start(world: &World, drafted: &Backfill) -> Result<Backfill, Error> {
    let (backfills, caller) = (world.engine.backfills(), operator(world));
    let previewed = backfills.preview(&caller, &drafted.backfill_id).await.unwrap();
    let preview_digest = previewed.preview.unwrap().digest;
    backfills.start(&caller, &drafted.backfill_id, StartBackfill { preview_digest }).await
}

async fn seen(world: &World, one: &Backfill) -> Backfill {
    world.engine.backfills().get(&world.caller, &one.backfill_id).await.unwrap()
}

async fn windows(world: &World, one: &Backfill) -> Vec<BackfillWindow> {
    let query = PageQuery { page_size: Some(500), page_token: None };
    world.engine.backfills().windows(&world.caller, &one.backfill_id, &query).await.unwrap().items
}

async fn states(world: &World, one: &Backfill) -> Vec<WindowState> {
    windows(world, one).await.into_iter().map(|window| window.state).collect()
}

async fn mark(world: &World, source: &Source) -> Watermark {
    let all = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
    all.items.into_iter().next().unwrap()
}

/// Runs until the backfill has ended, the clock going on by the second.
async fn carry_out(world: &World, one: &Backfill) -> Backfill {
    for _ in 0..600 {
        world.engine.run_until_idle().await.unwrap();
        let now = seen(world, one).await;
        if now.state.is_final() {
            return now;
        }
        world.clock.advance_ms(4_000);
    }
    panic!("the backfill does not end: {:?}", seen(world, one).await);
}

#[tokio::test]
async fn a_backfill_reads_its_windows_and_begins_the_coverage_earlier() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        world.file("feed/r9.json", record_at("R-9", ago(9)));
        world.file("feed/r7.json", record_at("R-7", ago(7)));
        let before = mark(&world, &source).await;
        let wish = CreateBackfill::of(source.source_id.clone(), ago(10), ago(4));
        let running = started(&world, wish).await;
        assert_eq!((running.state, running.planned, running.progress), (BackfillState::Running, 6, 0.0));

        let done = carry_out(&world, &running).await;
        assert_eq!((done.state, done.done, done.failed, done.active), (BackfillState::Completed, 6, 0, 0));
        assert_eq!((done.progress, done.ended_at.is_some()), (1.0, true));
        let after = mark(&world, &source).await;
        assert_eq!(after.coverage_from, Some(ago(10)));
        assert_eq!(after.low_watermark, before.low_watermark, "a backfill never moves it");
        assert_eq!(world.source(&source).await.record_count, 4);
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert_eq!(index.records(), 4);

        let jobs = world.engine.jobs();
        for window in windows(&world, &done).await {
            let job = jobs.get(&world.caller, &window.job_id.unwrap()).await.unwrap().job;
            assert_eq!((job.priority, job.source_id.as_ref()), (25, Some(&source.source_id)));
            let key = format!("bf:{}:{}:{}", done.backfill_id, window.start, window.end);
            assert_eq!((job.idempotency_key, job.state), (key, JobState::Succeeded));
        }
    }
}

#[tokio::test]
async fn a_backfill_of_a_gap_closes_it() {
    for world in World::all().await {
        let source = read_feed(&world, [5]).await;
        let end = Some(ago(3));
        world
            .engine
            .sources()
            .skip_window(&operator(&world), &source.source_id, SkipWindow { end })
            .await
            .unwrap();
        let skipped = mark(&world, &source).await;
        assert_eq!((skipped.gaps.len(), skipped.low_watermark), (1, Some(ago(3))));
        world.file("feed/r4.json", record_at("R-4", ago(4)));
        let late = CreateBackfill {
            overlap_policy: OverlapPolicy::AllowAll,
            ..CreateBackfill::of(source.source_id.clone(), ago(5), ago(3).minus_ms(300_000))
        };
        let done = carry_out(&world, &started(&world, late).await).await;
        assert_eq!(done.state, BackfillState::Completed);
        let mended = mark(&world, &source).await;
        assert_eq!((mended.gaps.len(), mended.low_watermark), (1, Some(ago(3))), "five minutes are left");
        assert_eq!((mended.gaps[0].start, mended.gaps[0].end), (ago(3).minus_ms(300_000), ago(3)));
    }
}

#[tokio::test]
async fn a_start_needs_a_preview_that_is_fresh_and_of_the_same_plan() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let (backfills, caller) = (world.engine.backfills(), operator(&world));
        let wish = CreateBackfill::of(source.source_id.clone(), ago(10), ago(4));
        let drafted = draft(&world, wish.clone()).await.unwrap();
        let id = &drafted.backfill_id;
        let by = |digest: &str| StartBackfill { preview_digest: digest.to_owned() };
        let error = backfills.start(&caller, id, by("sha256:0")).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidTransition, "preview is mandatory before start");

        let first = backfills.preview(&caller, id).await.unwrap();
        assert_eq!(first.state, BackfillState::Previewed);
        let preview = first.preview.unwrap();
        assert_eq!((preview.window_count, preview.will_run, preview.windows.len()), (6, 6, 6));
        assert_eq!((preview.estimated_requests, preview.estimated_duration_s), (6, 24));
        assert_eq!((preview.collisions.len(), preview.retention_hits), (0, 0));
        assert_eq!(backfills.start(&caller, id, by("sha256:0")).await.unwrap_err().code, Code::PreviewStale);

        world.clock.advance_ms(15 * 60 * 1_000);
        let error = backfills.start(&caller, id, by(&preview.digest)).await.unwrap_err();
        assert_eq!(error.code, Code::PreviewStale, "valid for fifteen minutes");

        let again = backfills.preview(&caller, id).await.unwrap().preview.unwrap();
        // Another backfill reads a part of the range meanwhile, so that it would do something else.
        let other = started(&world, CreateBackfill::of(source.source_id.clone(), ago(10), ago(8))).await;
        carry_out(&world, &other).await;
        let error = backfills.start(&caller, id, by(&again.digest)).await.unwrap_err();
        assert_eq!(error.code, Code::PreviewStale, "what it would do has changed");
        let fresh = backfills.preview(&caller, id).await.unwrap().preview.unwrap();
        assert_eq!((fresh.already_done, fresh.will_run), (2, 4));
        let running = backfills.start(&caller, id, by(&fresh.digest)).await.unwrap();
        assert_eq!((running.state, running.planned), (BackfillState::Running, 4));
        let error = backfills.start(&caller, id, by(&fresh.digest)).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidTransition);
    }
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let of = |from: i64, to: i64| CreateBackfill::of(source.source_id.clone(), ago(from), ago(to));
        let code = async |wish: CreateBackfill| draft(&world, wish).await.unwrap_err().code;
        assert_eq!(code(of(10, 1)).await, Code::BackfillOverlapsLive);
        assert_eq!(
            code(CreateBackfill { to: ago(2), ..of(10, 4) }).await,
            Code::BackfillOverlapsLive,
            "the overlap too"
        );
        assert_eq!(code(of(366, 4)).await, Code::BackfillBeyondRetention);
        assert_eq!(code(of(400, 4)).await, Code::BackfillTooLarge);
        assert_eq!(code(CreateBackfill { window_s: 3_600, ..of(60, 4) }).await, Code::BackfillTooLarge);
        assert_eq!(code(of(4, 10)).await, Code::Invalid);
        assert_eq!(code(CreateBackfill { max_active: 17, ..of(10, 4) }).await, Code::Invalid);

        let running = started(&world, of(10, 6)).await;
        assert_eq!(code(of(7, 4)).await, Code::BackfillOverlap);
        let beside = draft(&world, of(6, 4)).await.unwrap();
        // What is only to be looked at is told what stands in its way instead.
        let look = draft(&world, CreateBackfill { dry_run: true, ..of(10, 1) }).await.unwrap();
        let looked = world.engine.backfills().preview(&operator(&world), &look.backfill_id).await.unwrap();
        let told: Vec<Code> = looked.preview.unwrap().collisions.into_iter().map(|one| one.code).collect();
        assert_eq!(told, [Code::BackfillOverlapsLive, Code::BackfillOverlap]);
        assert_eq!(
            start(&world, &look).await.unwrap_err().code,
            Code::InvalidTransition,
            "a dry run is never started"
        );

        world.engine.backfills().cancel(&operator(&world), &running.backfill_id).await.unwrap();
        let off = UpdateSource { enabled: Some(false), ..UpdateSource::default() };
        world.engine.sources().update(&operator(&world), &source.source_id, off).await.unwrap();
        assert_eq!(code(of(10, 6)).await, Code::SourceDisabled);
        assert_eq!(
            start(&world, &beside).await.unwrap_err().code,
            Code::SourceDisabled,
            "looked at again at the start"
        );

        let sboms = world.add("sboms", SourceType::Sbom, &world.folder("feed")).await;
        let wish = CreateBackfill::of(sboms.source_id.clone(), ago(10), ago(4));
        assert_eq!(code(wish).await, Code::Invalid, "SBOMs have no event time");
        let (id, backfills) = (&beside.backfill_id, world.engine.backfills());
        assert_eq!(backfills.cancel(&world.caller, id).await.unwrap_err().code, Code::ReasonRequired);
        let untold = world.caller.clone().because("so", None);
        assert_eq!(backfills.create(&untold, of(10, 6)).await.unwrap_err().code, Code::TicketRequired);
        let stranger = Caller { tenant: "other".parse().unwrap(), ..operator(&world) };
        assert_eq!(backfills.get(&stranger, id).await.unwrap_err().code, Code::NotFound);
        assert_eq!(backfills.create(&stranger, of(10, 6)).await.unwrap_err().code, Code::NotFound);
    }
}

#[tokio::test]
async fn it_has_never_more_windows_under_way_than_it_may_nor_more_than_its_share_of_the_rate() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let wish =
            CreateBackfill { max_active: 1, ..CreateBackfill::of(source.source_id.clone(), ago(12), ago(4)) };
        let running = started(&world, wish).await;
        let feeder = |world: &World| world.engine.clone();
        // One after the other, and after the first two only as fast as a quarter of one a second.
        feeder(&world).run_until_idle().await.unwrap();
        assert_eq!(seen(&world, &running).await.done, 2);
        world.clock.advance_ms(3_000);
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(seen(&world, &running).await.done, 2);
        world.clock.advance_ms(1_000);
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(seen(&world, &running).await.done, 3);
    }
}

#[tokio::test]
async fn paused_it_feeds_nothing_and_cancelled_its_jobs_are_cancelled_too() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let (backfills, caller) = (world.engine.backfills(), operator(&world));
        let running = started(&world, CreateBackfill::of(source.source_id.clone(), ago(12), ago(4))).await;
        let id = &running.backfill_id;
        assert_eq!(backfills.resume(&caller, id).await.unwrap_err().code, Code::InvalidTransition);
        assert_eq!(backfills.pause(&caller, id).await.unwrap().state, BackfillState::Paused);
        assert_eq!(backfills.pause(&caller, id).await.unwrap_err().code, Code::InvalidTransition);
        world.engine.run_until_idle().await.unwrap();
        assert!(states(&world, &running).await.iter().all(|state| *state == WindowState::Planned));
        assert_eq!(backfills.resume(&caller, id).await.unwrap().state, BackfillState::Running);
        world.feed().await;
        assert_eq!(seen(&world, &running).await.active, 2);
        let ended = backfills.cancel(&caller, id).await.unwrap();
        assert_eq!((ended.state, ended.active), (BackfillState::Cancelled, 0));
        assert!(states(&world, &running).await.iter().all(|state| *state == WindowState::Cancelled));
        let filter = JobFilter {
            source: Some(source.source_id.clone()),
            state: Some(JobState::Cancelled),
            ..JobFilter::default()
        };
        let jobs = world.engine.jobs().list(&caller, &filter, &PageQuery::default()).await.unwrap();
        assert_eq!(jobs.items.len(), 2);
        assert_eq!(backfills.cancel(&caller, id).await.unwrap_err().code, Code::InvalidTransition);
    }
}

#[tokio::test]
async fn five_failures_in_a_row_end_it_as_failed() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
        let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
        let source = world.try_add("changes", SourceType::Advisory, &location).await.unwrap();
        let running = started(&world, CreateBackfill::of(source.source_id.clone(), ago(12), ago(4))).await;
        let ended = carry_out(&world, &running).await;
        assert_eq!(
            (ended.state, ended.failure_reason.as_deref()),
            (BackfillState::Failed, Some("consecutive_failures"))
        );
        assert_eq!((ended.failed, ended.done), (5, 0));
        let of = |state: WindowState| move |one: &&WindowState| **one == state;
        let states = states(&world, &running).await;
        assert_eq!(states.iter().filter(of(WindowState::Failed)).count(), 5);
        assert_eq!(states.iter().filter(of(WindowState::Cancelled)).count(), 3);
        let all = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
        assert_eq!(all.items, [], "a failed window changes nothing");
    }
}

#[tokio::test]
async fn a_window_that_fails_does_not_stop_the_rest() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(404))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
        let source = world.try_add("changes", SourceType::Advisory, &location).await.unwrap();
        let of = || CreateBackfill::of(source.source_id.clone(), ago(8), ago(4));
        let ended = carry_out(&world, &started(&world, of()).await).await;
        assert_eq!((ended.state, ended.done, ended.failed), (BackfillState::CompletedWithErrors, 3, 1));
        assert_eq!(ended.progress, 0.75);
        let failed = windows(&world, &ended).await.remove(0);
        assert_eq!(
            (failed.state, failed.error_code.as_deref()),
            (WindowState::Failed, Some("SOURCE_UNREACHABLE"))
        );

        // Left out as it is, read again when asked for; then everything once more.
        for (reprocess, planned) in [(Reprocess::None, 0), (Reprocess::Failed, 1), (Reprocess::Completed, 4)]
        {
            let again = started(&world, CreateBackfill { reprocess, ..of() }).await;
            assert_eq!(again.planned, planned, "{reprocess}");
            assert_eq!(carry_out(&world, &again).await.state, BackfillState::Completed);
        }
    }
}

#[tokio::test]
async fn the_newest_windows_go_first_when_asked() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let wish = CreateBackfill {
            order: BackfillOrder::NewestFirst,
            ..CreateBackfill::of(source.source_id.clone(), ago(10), ago(4))
        };
        let running = started(&world, wish).await;
        let starts: Vec<Micros> = windows(&world, &running).await.into_iter().map(|one| one.start).collect();
        assert!(starts.is_sorted_by(|one, two| one > two));
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(
            mark(&world, &source).await.coverage_from,
            Some(ago(6)),
            "each joins what is covered at once"
        );
    }
}

#[tokio::test]
async fn its_windows_wait_for_a_live_reading_unless_they_may_go_beside_it() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let of = |from, to| CreateBackfill::of(source.source_id.clone(), ago(from), ago(to));
        let buffered = started(&world, of(10, 7)).await;
        let beside = CreateBackfill { overlap_policy: OverlapPolicy::AllowAll, ..of(7, 5) };
        let beside = started(&world, beside).await;
        world.submit(&source).await;
        world.feed().await;
        assert_eq!((seen(&world, &buffered).await.active, seen(&world, &beside).await.active), (0, 2));
        for one in [&buffered, &beside] {
            assert_eq!(carry_out(&world, one).await.state, BackfillState::Completed);
        }
    }
}

#[tokio::test]
async fn a_source_that_is_held_holds_its_backfills() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let running = started(&world, CreateBackfill::of(source.source_id.clone(), ago(10), ago(4))).await;
        world.engine.sources().pause(&operator(&world), &source.source_id).await.unwrap();
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(seen(&world, &running).await.done, 0);
        let error = world.engine.sources().run(&world.caller, &source.source_id, RunSource::default()).await;
        assert_eq!(error.unwrap_err().code, Code::SourcePaused);
        world.engine.sources().resume(&operator(&world), &source.source_id).await.unwrap();
        assert_eq!(carry_out(&world, &running).await.state, BackfillState::Completed);
    }
}

#[tokio::test]
async fn backfills_are_listed_newest_first_and_by_source_and_state() {
    for world in World::all().await {
        let source = read_feed(&world, [2, 4]).await;
        let of = |from, to| CreateBackfill::of(source.source_id.clone(), ago(from), ago(to));
        let first = draft(&world, of(10, 8)).await.unwrap();
        let second = started(&world, of(8, 6)).await;
        let third = draft(&world, of(6, 5)).await.unwrap();
        let (backfills, caller) = (world.engine.backfills(), &world.caller);
        let query = PageQuery { page_size: Some(2), page_token: None };
        let all = BackfillFilter { source: Some(source.source_id.clone()), state: None };
        let page = backfills.list(caller, &all, &query).await.unwrap();
        assert_eq!(page.total_estimate, Some(3));
        let query = PageQuery { page_token: page.next_page_token, ..query };
        let rest = backfills.list(caller, &all, &query).await.unwrap();
        let ids: Vec<_> = page.items.into_iter().chain(rest.items).map(|one| one.backfill_id).collect();
        assert_eq!(ids, [third.backfill_id, second.backfill_id, first.backfill_id.clone()]);
        let drafts = BackfillFilter { source: None, state: Some(BackfillState::Draft) };
        assert_eq!(backfills.list(caller, &drafts, &PageQuery::default()).await.unwrap().items.len(), 2);
        let gone = backfills.cancel(&operator(&world), &first.backfill_id).await.unwrap();
        assert_eq!(gone.state, BackfillState::Cancelled, "a draft can be thrown away");
    }
}

#[tokio::test]
async fn a_window_whose_job_is_repeated_with_success_is_done() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(404))
            .up_to_n_times(2)
            .mount(&server)
            .await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
        let source = world.try_add("changes", SourceType::Advisory, &location).await.unwrap();
        let wish = CreateBackfill::of(source.source_id.clone(), ago(8), ago(4));
        let ended = carry_out(&world, &started(&world, wish).await).await;
        assert_eq!((ended.done, ended.failed), (2, 2));
        let failed: Vec<BackfillWindow> = windows(&world, &ended)
            .await
            .into_iter()
            .filter(|one| one.state == WindowState::Failed)
            .collect();

        let jobs = world.engine.jobs();
        let replay =
            jobs.apply_to(&operator(&world), Verb::Replay, failed[0].job_id.as_ref().unwrap()).await.unwrap();
        let retry =
            jobs.apply_to(&operator(&world), Verb::Retry, failed[1].job_id.as_ref().unwrap()).await.unwrap();
        world.engine.run_until_idle().await.unwrap();
        let now = windows(&world, &ended).await;
        assert!(now.iter().all(|one| one.state == WindowState::Done && one.error_code.is_none()), "{now:?}");
        let by: Vec<_> = failed.iter().map(|one| now[one.position as usize].job_id.clone()).collect();
        assert_eq!(by, [Some(replay.job_id), Some(retry.job_id)], "it names the job that read it");
        let after = seen(&world, &ended).await;
        assert_eq!((after.state, after.done, after.failed), (BackfillState::CompletedWithErrors, 4, 0));
        let map = world.engine.sources().watermarks(&world.caller, &source.source_id).await.unwrap();
        assert_eq!(
            map.items[0].completed_ranges.len() + usize::from(map.items[0].low_watermark.is_some()),
            1
        );
    }
}

#[tokio::test]
async fn a_repeat_that_fails_leaves_its_window_failed_and_a_repeat_of_that_may_mend_it() {
    for world in World::all().await {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(404))
            .up_to_n_times(2)
            .mount(&server)
            .await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
        let source = world.try_add("changes", SourceType::Advisory, &location).await.unwrap();
        let wish = CreateBackfill::of(source.source_id.clone(), ago(5), ago(4));
        let ended = carry_out(&world, &started(&world, wish).await).await;
        let (jobs, caller) = (world.engine.jobs(), operator(&world));
        let first = windows(&world, &ended).await.remove(0).job_id.unwrap();
        let second = jobs.apply_to(&caller, Verb::Retry, &first).await.unwrap().job_id;
        world.engine.run_until_idle().await.unwrap();
        let window = windows(&world, &ended).await.remove(0);
        assert_eq!((window.state, window.job_id.as_ref()), (WindowState::Failed, Some(&second)));
        jobs.apply_to(&caller, Verb::Retry, &second).await.unwrap();
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(windows(&world, &ended).await.remove(0).state, WindowState::Done);
        let after = seen(&world, &ended).await;
        assert_eq!((after.done, after.failed), (1, 0));
    }
}

#[tokio::test]
async fn how_long_a_backfill_takes_is_judged_by_what_the_far_side_takes_now() {
    for world in World::all().await {
        let server = MockServer::start().await;
        let slow = ResponseTemplate::new(429).insert_header("retry-after", "1");
        Mock::given(method("GET")).respond_with(slow).up_to_n_times(1).mount(&server).await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let location = format!("{}/changes?from={{from}}&to={{to}}", server.uri());
        let source = world.try_add("changes", SourceType::Advisory, &location).await.unwrap();
        let wish = CreateBackfill::of(source.source_id.clone(), ago(8), ago(4));
        let drafted = draft(&world, wish).await.unwrap();
        let seconds = async || {
            let previewed = world.engine.backfills().preview(&operator(&world), &drafted.backfill_id).await;
            previewed.unwrap().preview.unwrap().estimated_duration_s
        };
        assert_eq!(seconds().await, 16, "a quarter of one per second");
        // The far side asks for fewer requests, and the rate is halved.
        world.submit(&source).await;
        world.engine.run_until_idle().await.unwrap();
        assert_eq!(seconds().await, 32);
    }
}
