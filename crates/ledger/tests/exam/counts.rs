//! What was counted, by span, by hour and since ever; objectives; the ledger's name.

use crate::support::Exam;
use stella_contract::ids::Tenant;
use stella_contract::slo::{BurnTier, Sli};
use stella_contract::time::Micros;
use stella_ledger::LedgerError;
use stella_ledger::counts::{self, Count, EVER, HOUR_US, SPAN_US};
use stella_ledger::slos::{self, SloRow};
use stella_ledger::{exposition, instance, telling};

fn acme() -> Tenant {
    "acme".parse().expect("it is well formed")
}

fn count(kind: &'static str, at: i64, label: &str, n: i64) -> Count {
    Count { kind, at, job_type: "exam".to_owned(), label: label.to_owned(), n, ms: n * 10 }
}

pub(crate) async fn folded(exam: Exam) {
    let told = exam.write(|tx| {
        Box::pin(async move {
            let day = 24 * HOUR_US;
            for _ in 0..2 {
                let set = [
                    count("ended", EVER, "failed", 3),
                    count("ended", day, "failed", 1),
                    count("ended", day + SPAN_US, "failed", 2),
                    count("alive", day, "0", 1),
                    count("alive", day, "1", 1),
                ];
                counts::add(tx, &acme(), &set).await?;
            }
            let fine = counts::spans(tx, &acme(), "ended", Some("exam"), day).await?;
            assert_eq!(
                fine.iter().map(|row| (row.at - day, row.n)).collect::<Vec<_>>(),
                [(0, 2), (SPAN_US, 4)]
            );
            assert_eq!(counts::spans(tx, &acme(), "ended", Some("other"), day).await?, []);
            counts::fold(tx, &acme(), day + HOUR_US, 0).await?;
            let folded = counts::spans(tx, &acme(), "ended", None, 1).await?;
            assert_eq!(folded.iter().map(|row| (row.at, row.n)).collect::<Vec<_>>(), [(day, 6)]);
            // A minute that was noted twice is one minute.
            let alive = counts::spans(tx, &acme(), "alive", None, 1).await?;
            assert_eq!(alive.iter().map(|row| (row.label.as_str(), row.n)).collect::<Vec<_>>(), [("", 2)]);
            counts::fold(tx, &acme(), day + HOUR_US, day + 1).await?;
            assert_eq!(counts::since(tx, &acme(), &["ended", "alive"], 1, SPAN_US).await?, []);
            let ever = counts::ever(tx, &acme()).await?;
            Ok::<_, LedgerError>(ever.into_iter().map(|row| (row.kind, row.n, row.ms)).collect::<Vec<_>>())
        })
    });
    assert_eq!(told.await, [("ended".to_owned(), 6, 60)]);
}

pub(crate) async fn objectives(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            let mut row = SloRow {
                slo_id: "slo_019aa6e1-0000-7000-8000-000000000000".parse().expect("it is well formed"),
                tenant: acme(),
                name: "Jobs succeed".to_owned(),
                sli: Sli::JobSuccess,
                target: 0.99,
                window_days: 28,
                threshold_ms: None,
                job_type: None,
                enabled: true,
                burning: None,
                created_by: "ada".to_owned(),
                created_at: Micros(1),
                updated_at: Micros(1),
                version: 1,
            };
            slos::insert(tx, &row).await?;
            row.burning = Some((BurnTier::High, Micros(5)));
            assert!(slos::update(tx, &row).await?);
            assert!(!slos::update(tx, &row).await?, "an older version changes nothing");
            row.version = 2;
            assert_eq!(slos::get(tx, &acme(), &row.slo_id).await?, Some(row.clone()));
            assert_eq!(
                slos::get(tx, &"globex".parse().expect("it is well formed"), &row.slo_id).await?,
                None
            );
            let after = (row.name.clone(), row.slo_id.as_str().to_owned());
            assert_eq!(slos::list(tx, &acme(), Some(&after), 10).await?, []);
            assert_eq!(slos::count(tx, &acme()).await?, 1);
            assert!(slos::delete(tx, &acme(), &row.slo_id).await?);
            assert!(!slos::delete(tx, &acme(), &row.slo_id).await?);
            assert!(slos::seed(tx, &acme(), Micros(1)).await?);
            assert!(!slos::seed(tx, &acme(), Micros(2)).await?, "first objectives are given once");
            Ok::<_, LedgerError>(())
        })
    })
    .await;
}

pub(crate) async fn names(exam: Exam) {
    let name = exam.write(|tx| {
        Box::pin(async move {
            assert_eq!(instance::name(tx).await?, None);
            instance::give_name(tx, "one").await?;
            instance::give_name(tx, "two").await?;
            assert_eq!(counts::mark(tx, &acme()).await?, 0);
            counts::move_mark(tx, &acme(), 7).await?;
            counts::move_mark(tx, &acme(), 9).await?;
            assert_eq!(counts::mark(tx, &acme()).await?, 9);
            assert_eq!(counts::told(tx, &acme(), 0, 100).await?, []);
            assert_eq!(counts::run_spans(tx, &acme(), 0).await?, []);
            assert_eq!(exposition::runs(tx).await?, []);
            assert_eq!(exposition::backlogs(tx).await?, []);
            assert_eq!(exposition::durations(tx).await?, []);
            assert_eq!(exposition::planning(tx).await?, []);
            assert_eq!(exposition::segments(tx).await?, []);
            assert_eq!(exposition::planner_beats(tx).await?, []);
            assert_eq!(exposition::rate_limit_hits(tx).await?, []);
            assert_eq!(exposition::bucket_tokens(tx).await?, []);
            assert_eq!(exposition::bucket_rates(tx).await?, []);
            assert_eq!(exposition::breaker_states(tx).await?, []);
            assert_eq!(exposition::backfill_windows(tx).await?, []);
            assert_eq!(exposition::pressure_level(tx).await?, 0);
            assert_eq!(telling::beginnings(tx, &acme(), &[1, 2]).await?, []);
            assert_eq!(telling::left(tx, &acme(), &[1, 2]).await?, []);
            instance::name(tx).await
        })
    });
    assert_eq!(name.await.as_deref(), Some("one"));
}
