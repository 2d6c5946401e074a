//! Tokens, kept answers, samples and the figures of the overview.

use crate::support::{Exam, NOW, tenant};
use stella_contract::feature::Feature;
use stella_contract::time::Micros;
use stella_ledger::features::{self, FeatureRow};
use stella_ledger::idempotency::{self, Answer, Place};
use stella_ledger::query::Query;
use stella_ledger::tokens::{self, TokenRow};
use stella_ledger::{LedgerError, overview, run_samples, samples};

fn token(number: u32, kind: &str) -> TokenRow {
    TokenRow {
        token_id: format!("tok_{number}"),
        tenant: "exam".to_owned(),
        name: "robot".to_owned(),
        kind: kind.to_owned(),
        secret_hash: format!("hash-{number}"),
        scopes: r#"["orch:read"]"#.to_owned(),
        read_only: 0,
        created_by: "ada".to_owned(),
        created_at: NOW.0 + i64::from(number),
        expires_at: NOW.plus_ms(60_000).0,
        used_at: None,
        revoked_at: None,
    }
}

pub(crate) async fn tokens_live_and_end(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            let (one, two) = (token(1, "bearer"), token(2, "bearer"));
            tokens::insert(tx, &one).await?;
            tokens::insert(tx, &two).await?;
            assert_eq!(tokens::find(tx, "hash-1").await?, Some(one.clone()));
            assert_eq!(tokens::find(tx, "hash-9").await?, None);
            assert!(!tokens::revoke(tx, "other", "tok_1", NOW.0).await?);
            assert!(tokens::revoke(tx, "exam", "tok_1", NOW.0).await?);
            assert!(!tokens::revoke(tx, "exam", "tok_1", NOW.0).await?);
            let listed = tokens::list(tx, "exam", 10).await?;
            assert_eq!(listed, [two, TokenRow { revoked_at: Some(NOW.0), ..one }]);
            assert_eq!(tokens::forget_ended(tx, NOW.plus_ms(60_000).0).await?, 0);
            assert_eq!(tokens::forget_ended(tx, NOW.plus_ms(60_000).0 + 1).await?, 2);
            Ok(())
        })
    })
    .await;
    let twice = exam
        .ledger
        .write::<_, LedgerError, _>(|tx| {
            Box::pin(async move {
                tokens::insert(tx, &token(3, "bearer")).await?;
                tokens::insert(tx, &TokenRow { token_id: "tok_4".to_owned(), ..token(3, "bearer") }).await
            })
        })
        .await;
    assert!(matches!(twice, Err(LedgerError::Unique(_))), "{twice:?}");
}

pub(crate) async fn once(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            tokens::insert(tx, &token(1, "one_time")).await?;
            tokens::insert(tx, &token(2, "bearer")).await?;
            let late = NOW.plus_ms(60_000).0;
            assert_eq!(tokens::use_once(tx, "hash-1", late).await?, None);
            let used = tokens::use_once(tx, "hash-1", NOW.0).await?;
            assert_eq!(used, Some(TokenRow { used_at: Some(NOW.0), ..token(1, "one_time") }));
            assert_eq!(tokens::use_once(tx, "hash-1", NOW.0).await?, None);
            assert_eq!(tokens::use_once(tx, "hash-2", NOW.0).await?, None);
            Ok(())
        })
    })
    .await;
}

pub(crate) async fn first_answers(exam: Exam) {
    let place =
        Place { tenant: "exam".to_owned(), path: "POST /jobs".to_owned(), idempotency_key: "k".to_owned() };
    exam.write(move |tx| {
        Box::pin(async move {
            let now = NOW.0;
            let (expired, abandoned) = (now - 1_000, now - 10);
            assert!(idempotency::claim(tx, &place, "d1", now, expired, abandoned).await?);
            assert!(!idempotency::claim(tx, &place, "d2", now + 1, expired, abandoned).await?);
            // An earlier start, so an earlier claim: it keeps and releases nothing.
            let answer = |started_at, digest: &str, status| {
                vec![Answer {
                    place: place.clone(),
                    started_at,
                    body_digest: digest.to_owned(),
                    status,
                    media_type: "application/json".to_owned(),
                    body: "{}".to_owned(),
                }]
            };
            assert_eq!(idempotency::keep_many(tx, answer(now - 1, "d0", 500), now).await?, 0);
            idempotency::release(tx, &place, now + 1).await?;
            let open = idempotency::find(tx, &place).await?.expect("it is still claimed");
            assert_eq!((open.body_digest.as_str(), open.status), ("d1", None));
            // It is open for so long that its process must be gone.
            assert!(idempotency::claim(tx, &place, "d2", now + 20, expired, now + 1).await?);
            assert_eq!(idempotency::keep_many(tx, answer(now + 20, "d2", 201), now + 21).await?, 1);
            assert!(!idempotency::claim(tx, &place, "d3", now + 30, expired, now + 29).await?);
            idempotency::release(tx, &place, now + 20).await?;
            let kept = idempotency::find(tx, &place).await?.expect("an answer is not released");
            let other = Place { idempotency_key: "another".to_owned(), ..place.clone() };
            let together = [other.clone(), place.clone(), other, place.clone()];
            let found = idempotency::find_many(tx, &together).await?;
            assert_eq!(found, [None, Some(kept.clone()), None, Some(kept.clone())]);
            assert_eq!((kept.status, kept.body.as_deref()), (Some(201), Some("{}")));
            assert_eq!(idempotency::keep_many(tx, answer(now + 20, "d2", 204), now + 22).await?, 0);
            // And now it is so old that it counts no more.
            assert!(idempotency::claim(tx, &place, "d3", now + 40, now + 21, now).await?);
            assert_eq!(idempotency::forget(tx, now + 40).await?, 0);
            assert_eq!(idempotency::forget(tx, now + 41).await?, 1);
            assert_eq!(idempotency::find(tx, &place).await?, None);
            Ok(())
        })
    })
    .await;
}

pub(crate) async fn depth(exam: Exam) {
    exam.insert(vec![exam.job("exam", 50, NOW), exam.job("exam", 50, NOW), exam.waiting(NOW.plus_ms(9_000))])
        .await;
    exam.write(|tx| {
        Box::pin(async move {
            assert_eq!(samples::newest(tx).await?, None);
            let minute = 60_000_000;
            let start = NOW.0 / (5 * minute) * (5 * minute);
            for number in 0..7 {
                samples::take(tx, "exam", start + number * minute).await?;
                samples::take(tx, "other", start + number * minute).await?;
            }
            samples::take(tx, "exam", start).await?;
            assert_eq!(samples::newest(tx).await?, Some(start + 6 * minute));
            let points = samples::since(tx, "exam", start, 5 * minute).await?;
            let told: Vec<_> = points.iter().map(|point| (point.at, point.queued, point.held)).collect();
            assert_eq!(told, [(start, 2, 1), (start + 5 * minute, 2, 1)]);
            let none = samples::since(tx, "other", start + 6 * minute, 5 * minute).await?;
            assert_eq!((none.len(), none[0].queued), (1, 0));
            assert_eq!(samples::forget(tx, start + minute).await?, 2);
            Ok(())
        })
    })
    .await;
}

pub(crate) async fn backlog(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            let minute = 60_000_000;
            let start = NOW.0 / (5 * minute) * (5 * minute);
            for number in 0..7 {
                run_samples::take(tx, "exam", start + number * minute).await?;
            }
            run_samples::take(tx, "exam", start).await?;
            let mut of_schedule = Query::new(
                "insert into backlog_samples (tenant, at, schedule_id, planner, executor) values ('exam', ",
            );
            of_schedule.bind(start).push(", 'sch_1', 1, 40), ('exam', ").bind(start + minute);
            of_schedule.push(", 'sch_1', 0, 50)");
            of_schedule.execute(tx).await?;
            let told: Vec<_> = run_samples::since(tx, "exam", start, 5 * minute)
                .await?
                .into_iter()
                .map(|row| (row.schedule_id, row.at - start, row.planner, row.executor))
                .collect();
            let schedule = Some("sch_1".to_owned());
            assert_eq!(told, [(None, 0, 0, 0), (None, 5 * minute, 0, 0), (schedule, 0, 1, 50)]);
            assert_eq!(run_samples::forget(tx, start + minute).await?, 2);
            Ok(())
        })
    })
    .await;
}

pub(crate) async fn switches(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            assert!(features::is_on(tx, Feature::Sse).await?, "nobody has turned it");
            let mut row = FeatureRow {
                feature: Feature::Sse.as_str().to_owned(),
                enabled: 0,
                changed_at: NOW.0,
                changed_by: "ada".to_owned(),
                version: 0,
            };
            assert_eq!(features::set(tx, &row).await?, 1);
            assert!(!features::is_on(tx, Feature::Sse).await?);
            assert!(features::is_on(tx, Feature::Retry).await?);
            row.enabled = 1;
            assert_eq!(features::set(tx, &row).await?, 2);
            assert_eq!(features::all(tx).await?, [FeatureRow { version: 2, ..row }]);
            Ok(())
        })
    })
    .await;
}

pub(crate) async fn figures(exam: Exam) {
    let later = NOW.plus_ms(9_000);
    exam.insert(vec![exam.job("exam", 50, NOW), exam.job("exam", 50, NOW.plus_ms(1)), exam.waiting(later)])
        .await;
    exam.start(NOW).await;
    exam.write(move |tx| {
        Box::pin(async move {
            let tenant = tenant();
            let waiting = overview::waiting(tx, tenant.as_str()).await?;
            assert_eq!((waiting[0].jobs, waiting[0].next_eligible_at), (1, Some(later.0)));
            let active = overview::active(tx, tenant.as_str()).await?;
            let states: Vec<_> = active.iter().map(|row| (row.state.as_str(), row.jobs)).collect();
            assert_eq!(states, [("queued", 1), ("running", 1)]);
            assert_eq!(overview::active(tx, "other").await?, []);
            assert_eq!(overview::ended(tx, tenant.as_str(), 0).await?, []);
            assert_eq!(overview::open_runs(tx, tenant.as_str()).await?, []);
            assert_eq!(overview::ended_runs(tx, tenant.as_str(), 0).await?, []);
            assert_eq!(overview::planner_beat(tx).await?, None);
            assert_eq!(overview::inputs(tx, tenant.as_str()).await?, overview::InputRow::default());
            assert_eq!(
                overview::ingest_reports(tx, tenant.as_str(), Micros(0).0).await?,
                Vec::<String>::new()
            );
            Ok(())
        })
    })
    .await;
}
