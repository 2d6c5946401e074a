//! Schedules and their fires: kept, listed, acted on in their order, and each fire decided once.

use crate::support::{Exam, NOW};
use stella_contract::ids::{ScheduleId, Tenant};
use stella_contract::run::{RunMode, RunScope, RunTrigger};
use stella_contract::schedule::{
    FireOutcome, OverlapPolicy, ScheduleFilter, ScheduleLimits, ScheduleNotify, ScheduleState,
};
use stella_contract::time::Micros;
use stella_ledger::runs::{self, NewRun};
use stella_ledger::schedules::{self, FireRow, Pause, ScheduleRow};
use stella_ledger::{LedgerError, Tx};

fn acme() -> Tenant {
    "acme".parse().expect("a sound name")
}

fn id(n: u32) -> ScheduleId {
    format!("sch_01890000-0000-7000-8000-{n:012}").parse().expect("a sound id")
}

fn row(n: u32, next_fire_at: Option<Micros>) -> ScheduleRow {
    ScheduleRow {
        schedule_id: id(n),
        tenant: acme(),
        name: format!("n{n}"),
        state: if next_fire_at.is_some() { ScheduleState::Enabled } else { ScheduleState::Disabled },
        pause: None,
        cron: "@daily".to_owned(),
        time_zone: "UTC".to_owned(),
        jitter_s: 30,
        overlap_policy: OverlapPolicy::BufferOne,
        catchup_window_s: 600,
        mode: RunMode::AnalysisOnly,
        scope: RunScope::Keys { purls: vec!["pkg:pypi/django".to_owned()], vuln_ids: vec![] },
        policy_snapshot_id: Some("sha256:00".to_owned()),
        kev_first: true,
        max_targets: 9,
        limits: ScheduleLimits { parallelism: 2, targets_per_minute: 3 },
        notify: ScheduleNotify { min_severity: Some(stella_contract::finding::Severity::High), on_kev: true },
        next_fire_at,
        acts_at: next_fire_at,
        buffered_at: None,
        last_fire_at: None,
        last_run_id: None,
        missed_count: 0,
        created_by: "ada".to_owned(),
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

pub(crate) async fn kept(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            let mut one = row(1, Some(NOW));
            schedules::insert(tx, &one).await?;
            assert_eq!(
                schedules::get(tx, &acme(), &id(1)).await?,
                Some(one.clone()),
                "it comes back as written"
            );
            assert_eq!(schedules::get(tx, &"globex".parse().expect("a sound name"), &id(1)).await?, None);
            one.state = ScheduleState::Paused;
            one.pause = Some(Pause {
                reason: Some("why".to_owned()),
                ticket: Some("OPS-1".to_owned()),
                by: "ada".to_owned(),
                at: NOW,
                resume_at: Some(NOW.plus_ms(5)),
            });
            (one.next_fire_at, one.acts_at) = (None, Some(NOW.plus_ms(5)));
            assert!(schedules::update(tx, &one).await?);
            assert!(!schedules::update(tx, &one).await?, "an older version changes nothing");
            one.version = 2;
            assert_eq!(schedules::get(tx, &acme(), &id(1)).await?, Some(one.clone()));
            assert_eq!(schedules::next_act(tx).await?, Some(NOW.plus_ms(5)));
            assert_eq!(schedules::by_state(tx).await?, [("acme".to_owned(), "paused".to_owned(), 1)]);
            assert!(schedules::delete(tx, &acme(), &id(1)).await?);
            assert!(!schedules::delete(tx, &acme(), &id(1)).await?);
            Ok::<_, LedgerError>(())
        })
    })
    .await;
}

pub(crate) async fn in_order(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            for (n, at) in [(1, Some(30)), (2, None), (3, Some(10)), (4, Some(20)), (5, None), (6, Some(10))]
            {
                schedules::insert(tx, &row(n, at.map(|ms| NOW.plus_ms(ms)))).await?;
            }
            let (mut names, mut after) = (Vec::new(), None);
            loop {
                let page =
                    schedules::list(tx, &acme(), &ScheduleFilter::default(), after.as_ref(), 2).await?;
                let Some(last) = page.last() else { break };
                after = Some((
                    last.next_fire_at.map_or(i64::MAX, |at| at.0),
                    last.schedule_id.as_str().to_owned(),
                ));
                names.extend(page.into_iter().map(|row| row.name));
            }
            assert_eq!(names, ["n3", "n6", "n4", "n1", "n2", "n5"]);
            let due = schedules::due(tx, NOW.plus_ms(20), 10).await?;
            assert_eq!(due.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["n3", "n6", "n4"]);
            assert_eq!(schedules::due(tx, NOW.plus_ms(20), 1).await?.len(), 1);
            assert_eq!(schedules::overdue(tx, &acme(), NOW.plus_ms(20)).await?, 2);
            let moved: Vec<ScheduleRow> = due
                .into_iter()
                .map(|row| ScheduleRow {
                    next_fire_at: Some(NOW.plus_ms(99)),
                    acts_at: Some(NOW.plus_ms(100)),
                    last_fire_at: row.next_fire_at,
                    missed_count: 7,
                    name: "not written".to_owned(),
                    ..row
                })
                .collect();
            schedules::advance(tx, &moved).await?;
            let after = schedules::get(tx, &acme(), &id(3)).await?.expect("it is there");
            assert_eq!((after.acts_at, after.missed_count, after.version), (Some(NOW.plus_ms(100)), 7, 1));
            assert_eq!((after.name.as_str(), after.last_fire_at), ("n3", Some(NOW.plus_ms(10))));
            assert_eq!(schedules::missed_by_tenant(tx).await?, [("acme".to_owned(), 21)]);
            assert_eq!(schedules::upcoming(tx, &acme(), None, NOW.plus_ms(50), 9).await?.len(), 1);
            assert_eq!(schedules::last_fire(tx, &acme()).await?, Some(NOW.plus_ms(20)));
            Ok::<_, LedgerError>(())
        })
    })
    .await;
}

fn fire(n: u32, ms: i64, outcome: FireOutcome) -> FireRow {
    FireRow {
        schedule_id: id(n),
        due_at: NOW.plus_ms(ms),
        outcome,
        run_id: None,
        decided_at: NOW.plus_ms(ms),
    }
}

async fn a_run(tx: &mut Tx, n: u32) -> Result<stella_contract::ids::RunId, LedgerError> {
    let run = NewRun {
        run_id: format!("run:acme:20261121T090000Z:{n:08x}").parse().expect("a sound id"),
        tenant: acme(),
        trigger: RunTrigger::Cron,
        trigger_detail: None,
        schedule_id: Some(id(1)),
        initiator: "scheduler".to_owned(),
        reason: None,
        ticket: None,
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        scope_digest: "sha256:0".to_owned(),
        request_digest: "sha256:1".to_owned(),
        idempotency_key: None,
        preview_id: None,
        priority: 50,
        segment_size: 50,
        planner_shard_count: 8,
        kev_first: false,
        allow_stale: false,
        retry_of: None,
        only_failed: false,
        policy_snapshot_id: None,
        policy_revision: None,
        retry_number: 0,
        correlation_id: "c".to_owned(),
        created_at: NOW,
    };
    assert_eq!(runs::insert_many(tx, std::slice::from_ref(&run)).await?.len(), 1);
    assert_eq!(runs::insert_many(tx, std::slice::from_ref(&run)).await?.len(), 0, "an id is written once");
    Ok(run.run_id)
}

pub(crate) async fn once(exam: Exam) {
    use FireOutcome::{Buffered, Missed, SkippedOverlap, Started};
    exam.write(|tx| {
        Box::pin(async move {
            schedules::insert(tx, &ScheduleRow { buffered_at: Some(NOW), ..row(1, Some(NOW)) }).await?;
            let first = [fire(1, 0, Started), fire(1, 10, Buffered), fire(1, 20, Missed)];
            assert_eq!(schedules::decide(tx, &first).await?.len(), 3);
            let again = [fire(1, 10, Started), fire(1, 30, SkippedOverlap)];
            let decided = schedules::decide(tx, &again).await?;
            assert_eq!(decided, [(id(1).as_str().to_owned(), NOW.plus_ms(30).0)], "a fire is decided once");
            let run = a_run(tx, 1).await?;
            assert_eq!(
                schedules::open_runs(tx).await?,
                [(id(1).as_str().to_owned(), run.as_str().to_owned())]
            );
            assert_eq!(schedules::unblocked(tx, 5).await?.len(), 0, "its run is open");
            schedules::started(tx, &[(id(1), NOW.plus_ms(10), run.clone())]).await?;
            let fires = schedules::fires(tx, &id(1), None, 10).await?;
            let outcomes: Vec<FireOutcome> = fires.iter().map(|fire| fire.outcome).collect();
            assert_eq!(outcomes, [SkippedOverlap, Missed, Started, Started]);
            assert_eq!(fires[2].run_id, Some(run.clone()));
            assert_eq!(schedules::fires(tx, &id(1), Some(NOW.plus_ms(20).0), 10).await?.len(), 2);
            assert_eq!(schedules::count_fires(tx, &id(1)).await?, 4);
            assert_eq!(schedules::missed_since(tx, &acme(), NOW.plus_ms(20)).await?, 1);
            assert_eq!(schedules::missed_since(tx, &acme(), NOW.plus_ms(21)).await?, 0);
            a_run(tx, 2).await?;
            let recent = schedules::recent(tx, &[id(1).as_str()], 1).await?;
            assert_eq!(recent.len(), 1);
            assert!(recent[0].run_id.as_str().ends_with("00000002"), "the newest");
            assert_eq!(schedules::forget(tx, NOW.plus_ms(11), 10).await?, 2);
            assert!(schedules::delete(tx, &acme(), &id(1)).await?);
            assert_eq!(schedules::count_fires(tx, &id(1)).await?, 0, "fires go with their schedule");
            assert_eq!(schedules::open_runs(tx).await?.len(), 1, "runs stay");
            Ok::<_, LedgerError>(())
        })
    })
    .await;
}
