//! How far sources are read, what is read again, what is said of products.

use crate::support::{Exam, NOW, tenant};
use stella_contract::backfill::{BackfillFilter, BackfillState, WindowState};
use stella_contract::ids::{BackfillId, SourceId};
use stella_contract::time::Micros;
use stella_contract::vex::VexFilter;
use stella_contract::watermark::Window;
use stella_ledger::backfills::{self, BackfillRow};
use stella_ledger::epss;
use stella_ledger::sources::{self, NewSource};
use stella_ledger::vex::{self, NewStatement};
use stella_ledger::watermarks::{self, WatermarkRow};

async fn source(exam: &Exam, name: &str) -> String {
    let new = NewSource {
        source_id: SourceId::from_uuid(&exam.uuid()).as_str().to_owned(),
        tenant: tenant().as_str().to_owned(),
        name: name.to_owned(),
        source_type: "epss".to_owned(),
        location: "https://feeds.example/x".to_owned(),
        host: Some("feeds.example".to_owned()),
        created_at: NOW.0,
    };
    let id = new.source_id.clone();
    exam.write(move |tx| Box::pin(async move { sources::insert(tx, &new).await })).await;
    id
}

fn mark(source_id: &str, low: i64, version: i64) -> WatermarkRow {
    WatermarkRow {
        source_id: source_id.to_owned(),
        part: String::new(),
        tenant: tenant().as_str().to_owned(),
        coverage_from: Some(0),
        low_watermark: Some(low),
        high_watermark: None,
        resume_cursor: None,
        completed_ranges: "[]".to_owned(),
        gaps: "[]".to_owned(),
        last_event_hash: None,
        updated_at: NOW.0,
        version,
    }
}

pub(crate) async fn one_version(exam: Exam) {
    let id = source(&exam, "feed").await;
    let advance = async |row: WatermarkRow| {
        exam.write(move |tx| Box::pin(async move { watermarks::advance(tx, &row).await })).await
    };
    assert_eq!(advance(mark(&id, 10, 0)).await, 1);
    assert_eq!(advance(mark(&id, 20, 0)).await, 0, "somebody else was first");
    assert_eq!(advance(mark(&id, 20, 1)).await, 1);
    assert_eq!(advance(mark(&id, 30, 1)).await, 0, "it is at version 2 by now");
    let (wanted, owner) = (id.clone(), tenant());
    let (row, lows, lags) = exam
        .write(move |tx| {
            Box::pin(async move {
                let row = watermarks::get(tx, &owner, &wanted, "").await?;
                let lows = watermarks::lows(tx, std::slice::from_ref(&wanted)).await?;
                Ok((row, lows, watermarks::lags(tx, Micros(5_000_020)).await?))
            })
        })
        .await;
    let row = row.expect("it was stored");
    assert_eq!((row.low_watermark, row.version), (Some(20), 2));
    assert_eq!(lows, [(id.clone(), Some(20))]);
    assert_eq!(lags.len(), 1);
    assert_eq!((lags[0].source_id.as_str(), lags[0].name.as_str(), lags[0].lag_s), (id.as_str(), "feed", 5));
}

fn backfill(exam: &Exam, source_id: &str, start: i64, end: i64) -> BackfillRow {
    BackfillRow {
        backfill_id: BackfillId::from_uuid(&exam.uuid()).as_str().to_owned(),
        tenant: tenant().as_str().to_owned(),
        source_id: source_id.to_owned(),
        range_start: start,
        range_end: end,
        request: "{}".to_owned(),
        state: BackfillState::Running.as_str().to_owned(),
        failure_reason: None,
        preview: None,
        planned: 0,
        done: 0,
        failed: 0,
        active: 0,
        failures_in_a_row: 0,
        next_feed_at: None,
        reason: "r".to_owned(),
        ticket: "t".to_owned(),
        created_by: "ada".to_owned(),
        correlation_id: "c".to_owned(),
        created_at: NOW.0,
        started_at: None,
        ended_at: None,
        version: 1,
    }
}

pub(crate) async fn windows(exam: Exam) {
    let id = source(&exam, "feed").await;
    let row = backfill(&exam, &id, 0, 40);
    let (own, stored, of_source) = (row.backfill_id.clone(), row.clone(), id.clone());
    let told = exam
        .write(move |tx| {
            Box::pin(async move {
                backfills::insert(tx, &stored).await?;
                let window = |start: i64| Window { start: Micros(start), end: Micros(start + 10) };
                let all = [
                    (0, window(0), WindowState::Planned),
                    (1, window(10), WindowState::Planned),
                    (2, window(20), WindowState::AlreadyDone),
                    (3, window(30), WindowState::Planned),
                ];
                backfills::add_windows(tx, &own, &all).await?;
                let fed =
                    backfills::feed(tx, &own, &[(0, 7, "job_a"), (1, 8, "job_b"), (2, 9, "job_c")]).await?;
                let ended = [
                    backfills::end_window(tx, 7, WindowState::Done, None, 1).await?,
                    backfills::end_window(tx, 7, WindowState::Failed, Some("X"), 2).await?,
                    backfills::end_window(tx, 8, WindowState::Failed, Some("X"), 2).await?,
                    backfills::end_window(tx, 99, WindowState::Done, None, 1).await?,
                ];
                let failed =
                    backfills::windows_of_source(tx, &of_source, &[WindowState::Failed], window(15), 10)
                        .await?;
                let before =
                    backfills::windows_of_source(tx, &of_source, &[WindowState::Failed], window(0), 10)
                        .await?;
                let cancelled = backfills::cancel_planned(tx, &own, 3).await?;
                let all = backfills::windows(tx, &own, Some(0), 10).await?;
                Ok((
                    fed,
                    ended,
                    failed.len(),
                    before.len(),
                    cancelled,
                    all,
                    backfills::count_windows(tx, &own).await?,
                ))
            })
        })
        .await;
    let (fed, ended, failed, before, cancelled, all, count) = told;
    assert_eq!((fed, ended), (2, [1, 0, 1, 0]), "only what is planned is fed, and ends once");
    assert_eq!((failed, before, cancelled, count), (1, 0, 1, 4), "windows are half-open");
    let states: Vec<&str> = all.iter().map(|window| window.state.as_str()).collect();
    assert_eq!(states, ["failed", "already_done", "cancelled"]);
    assert_eq!((all[0].error_code.as_deref(), all[0].job_id.as_deref()), (Some("X"), Some("job_b")));
}

pub(crate) async fn backfills_lists(exam: Exam) {
    let id = source(&exam, "feed").await;
    let rows = [backfill(&exam, &id, 0, 10), backfill(&exam, &id, 10, 20), backfill(&exam, &id, 20, 30)];
    let (stored, owner, of_source) = (rows.clone(), tenant(), id.clone());
    let (listed, rest, count, active, saved, stale) = exam
        .write(move |tx| {
            Box::pin(async move {
                for row in &stored {
                    backfills::insert(tx, row).await?;
                }
                let all = BackfillFilter { source: of_source.parse().ok(), state: None };
                let listed = backfills::list(tx, &owner, &all, None, 2).await?;
                let last = listed.last().map(|row| row.backfill_id.clone());
                let rest = backfills::list(tx, &owner, &all, last.as_deref(), 2).await?;
                let range = Window { start: Micros(10), end: Micros(20) };
                let active = backfills::active_on(tx, &of_source, range).await?;
                let ended = BackfillRow { state: "cancelled".to_owned(), ..stored[0].clone() };
                let saved = backfills::save(tx, &ended).await?;
                let stale = backfills::save(tx, &ended).await?;
                let running = BackfillFilter { source: None, state: Some(BackfillState::Running) };
                let count = backfills::total(tx, &owner, &running).await?;
                assert_eq!(Some(backfills::running(tx).await?.len() as i64), count);
                Ok((listed, rest, count, active, saved, stale))
            })
        })
        .await;
    let ids: Vec<&str> = listed.iter().chain(&rest).map(|row| row.backfill_id.as_str()).collect();
    let expected: Vec<&str> = rows.iter().rev().map(|row| row.backfill_id.as_str()).collect();
    assert_eq!(ids, expected, "newest first");
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].backfill_id, rows[1].backfill_id, "those beside it do not meet it");
    assert_eq!((saved, stale, count), (1, 0, Some(2)));
}

pub(crate) async fn statements(exam: Exam) {
    let (one, two) = (source(&exam, "one").await, source(&exam, "two").await);
    let said = |cve: &str, digest: &str| NewStatement {
        vuln_id: cve.to_owned(),
        said_at: 1,
        digest: digest.to_owned(),
        body: format!("{{\"of\":\"{digest}\"}}"),
    };
    let new = vec![said("CVE-1", "a"), said("CVE-2", "b")];
    let (owner, first, second) = (tenant(), one.clone(), two.clone());
    let told = exam
        .write(move |tx| {
            Box::pin(async move {
                let name = owner.as_str().to_owned();
                let added = vex::insert_many(tx, &name, &first, &new).await?;
                let again = vex::insert_many(tx, &name, &first, &new).await?;
                vex::insert_many(tx, &name, &second, &new[..1]).await?;
                let filter = VexFilter { vulnerability: Some("cve-1".to_owned()), source: None };
                let about = vex::list(tx, &owner, &filter, None, 10).await?;
                let count = vex::total(tx, &owner, &filter).await?;
                let removed = vex::remove_many(tx, &first, &["a".to_owned(), "z".to_owned()]).await?;
                let left = vex::digests(tx, &first).await?;
                Ok((
                    added,
                    again,
                    about.len() as i64,
                    count,
                    removed,
                    left,
                    vex::count_of_source(tx, &second).await?,
                ))
            })
        })
        .await;
    let (added, again, about, count, removed, left, other) = told;
    assert_eq!((added, again), (2, 0), "what is said already stays as it is");
    assert_eq!((about, count), (2, Some(2)));
    assert_eq!((removed, other), (1, 1), "what one source takes back another still says");
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["b"]);
}

pub(crate) async fn likelihoods(exam: Exam) {
    let (one, two) = (source(&exam, "one").await, source(&exam, "two").await);
    let pages = |text: &str| vec![("2026-0".to_owned(), text.to_owned())];
    let (old, new, newer) = (pages("old"), pages("new"), pages("newer"));
    let told = exam
        .write(move |tx| {
            Box::pin(async move {
                let name = tenant().as_str().to_owned();
                epss::replace(tx, &name, &two, 5, &newer).await?;
                epss::replace(tx, &name, &one, 1, &old).await?;
                epss::replace(tx, &name, &one, 2, &new).await?;
                let wanted = ["2026-0".to_owned(), "2026-1".to_owned()];
                Ok((epss::pages(tx, &name, &wanted).await?, epss::scored_at(tx, &one).await?))
            })
        })
        .await;
    assert_eq!(told, (vec!["new".to_owned(), "newer".to_owned()], Some(2)), "the newest list last");
}
