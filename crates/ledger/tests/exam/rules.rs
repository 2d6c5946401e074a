//! Policies and follow-up rules: kept as written, one active, keys gathered once.

use crate::support::{Exam, NOW, tenant};
use stella_contract::ids::{PolicySnapshotId, PromotionId, RunId, Tenant};
use stella_contract::run::RunMode;
use stella_contract::trigger::{TriggerKind, TriggerScope};
use stella_ledger::policies::{self, PromotionRow, SnapshotRow};
use stella_ledger::triggers::{self, Keys, NewDelivery, TriggerRow};

fn snapshot(digit: char, revision: i64) -> SnapshotRow {
    SnapshotRow {
        policy_snapshot_id: format!("sha256:{}", digit.to_string().repeat(64)).parse().expect("64 digits"),
        revision,
        policy: "default".to_owned(),
        note: (revision == 1).then(|| "first".to_owned()),
        rules: "[]".to_owned(),
        rule_count: 0,
        source: "[]".to_owned(),
        created_by: "ada".to_owned(),
        created_at: NOW,
    }
}

pub(crate) async fn snapshots(exam: Exam) {
    let other: Tenant = "globex".parse().expect("a tenant");
    let rows = [snapshot('a', 1), snapshot('b', 2), snapshot('c', 3)];
    let written = rows.clone();
    let (all, first, page, count, next, foreign) = exam
        .write(move |tx| {
            Box::pin(async move {
                for row in &written {
                    policies::insert(tx, &tenant(), row).await?;
                }
                Ok((
                    policies::list(tx, &tenant(), None, 10).await?,
                    policies::get(tx, &tenant(), &written[0].policy_snapshot_id).await?,
                    policies::list(tx, &tenant(), Some(3), 1).await?,
                    policies::count(tx, &tenant()).await?,
                    policies::next_revision(tx, &tenant()).await?,
                    policies::get(tx, &other, &written[0].policy_snapshot_id).await?,
                ))
            })
        })
        .await;
    assert_eq!(all, [rows[2].clone(), rows[1].clone(), rows[0].clone()]);
    assert_eq!(
        (first, page, count, next, foreign),
        (Some(rows[0].clone()), vec![rows[1].clone()], 3, 4, None)
    );
    let twice = snapshot('a', 9);
    let refused: Result<(), stella_ledger::LedgerError> = exam
        .ledger
        .write(move |tx| Box::pin(async move { policies::insert(tx, &tenant(), &twice).await }))
        .await;
    assert!(matches!(refused, Err(stella_ledger::LedgerError::Unique(_))), "{refused:?}");

    let ids: Vec<PolicySnapshotId> = rows.iter().map(|row| row.policy_snapshot_id.clone()).collect();
    let promotion = |number: i64, previous: Option<PolicySnapshotId>| PromotionRow {
        promotion_id: PromotionId::from_uuid(&exam.uuid()),
        policy_snapshot_id: rows[number as usize].policy_snapshot_id.clone(),
        revision: number + 1,
        previous,
        promoted_by: "ada".to_owned(),
        reason: "why".to_owned(),
        ticket: None,
        promoted_at: NOW.plus_ms(number),
        run_id: (number == 1).then(|| "run:acme:20261121T140815Z:9c1f04ab".parse().expect("a run")),
    };
    let promotions = [promotion(0, None), promotion(1, Some(ids[0].clone()))];
    let (written, chosen) = (promotions.clone(), ids.clone());
    let (none, active, told, older) = exam
        .write(move |tx| {
            Box::pin(async move {
                let none = policies::active(tx, &tenant()).await?;
                for (row, id) in written.iter().zip(&chosen) {
                    policies::activate(tx, &tenant(), id).await?;
                    policies::promoted(tx, &tenant(), row).await?;
                }
                let last = (written[1].promoted_at.0, written[1].promotion_id.as_str().to_owned());
                Ok((
                    none,
                    policies::active(tx, &tenant()).await?,
                    policies::promotions(tx, &tenant(), None, 10).await?,
                    policies::promotions(tx, &tenant(), Some(&last), 10).await?,
                ))
            })
        })
        .await;
    assert_eq!((none, active), (None, Some(ids[1].clone())));
    assert_eq!(told, [promotions[1].clone(), promotions[0].clone()]);
    assert_eq!(older, promotions[..1]);
}

fn rule() -> TriggerRow {
    TriggerRow {
        tenant: tenant(),
        kind: TriggerKind::Concelier,
        enabled: true,
        mode: RunMode::AnalysisOnly,
        scope: TriggerScope::Changed,
        min_interval_s: 60,
        everything: false,
        pending_since: None,
        last_run_id: None,
        last_run_at: None,
        secret: Some("whs_1".to_owned()),
        secret_made_at: Some(NOW),
        last_delivery_at: None,
        version: 0,
    }
}

pub(crate) async fn gathered(exam: Exam) {
    let run: RunId = "run:acme:20261121T140815Z:9c1f04ab".parse().expect("a run");
    let keys = |vuln_ids: &[&str], purls: &[&str]| Keys {
        vuln_ids: vuln_ids.iter().map(|one| (*one).to_owned()).collect(),
        purls: purls.iter().map(|one| (*one).to_owned()).collect(),
        everything: false,
    };
    let (one, two) = (keys(&["CVE-1", "CVE-2"], &["pkg:pypi/a"]), keys(&["CVE-2", "CVE-3"], &[]));
    let (stored, late, pending, found, few, cleared) = exam
        .write(move |tx| {
            Box::pin(async move {
                let stored = triggers::store(tx, &rule()).await?;
                let late = triggers::store(tx, &rule()).await?;
                let concelier = TriggerKind::Concelier;
                triggers::gather(tx, &tenant(), concelier, &one, NOW).await?;
                triggers::gather(tx, &tenant(), concelier, &two, NOW.plus_ms(5)).await?;
                let pending = triggers::pending(tx, 10).await?;
                let found = triggers::keys(tx, &tenant(), concelier, 100).await?;
                let few = triggers::keys(tx, &tenant(), concelier, 2).await?;
                let everything = Keys { everything: true, ..Keys::default() };
                triggers::gather(tx, &tenant(), concelier, &everything, NOW.plus_ms(6)).await?;
                let all = triggers::get(tx, &tenant(), concelier).await?;
                triggers::clear(tx, &tenant(), concelier, Some((&run, NOW.plus_ms(7)))).await?;
                let cleared = triggers::get(tx, &tenant(), concelier).await?;
                let gathered = triggers::gathered(tx, &tenant()).await?;
                Ok((stored, late, pending, found, few, (all, cleared, gathered)))
            })
        })
        .await;
    assert!(stored && !late, "a rule is written once per version");
    assert_eq!(pending, [TriggerRow { pending_since: Some(NOW), version: 1, ..rule() }]);
    assert_eq!(found, keys(&["CVE-1", "CVE-2", "CVE-3"], &["pkg:pypi/a"]));
    assert_eq!(few.vuln_ids.len() + few.purls.len(), 2);
    let (all, cleared, left) = cleared;
    assert!(all.is_some_and(|row| row.everything));
    let cleared = cleared.expect("the rule is there");
    assert_eq!(
        (cleared.everything, cleared.pending_since, cleared.last_run_at),
        (false, None, Some(NOW.plus_ms(7)))
    );
    assert_eq!(left, []);
}

pub(crate) async fn deliveries(exam: Exam) {
    let run: RunId = "run:acme:20261121T140815Z:9c1f04ab".parse().expect("a run");
    let kind = TriggerKind::Excititor;
    let (before, after, since, old, forgotten, row) = exam
        .write(move |tx| {
            Box::pin(async move {
                triggers::store(tx, &TriggerRow { kind, ..rule() }).await?;
                let before = triggers::delivery(tx, &tenant(), kind, "one").await?;
                let new = NewDelivery { export_id: "one", body_digest: "sha256:1", run_id: &run };
                triggers::take(tx, &tenant(), kind, new, NOW).await?;
                let after = triggers::delivery(tx, &tenant(), kind, "one").await?;
                let since = triggers::deliveries_since(tx, &tenant(), kind, NOW.minus_ms(1)).await?;
                let old = triggers::deliveries_since(tx, &tenant(), kind, NOW).await?;
                let row = triggers::get(tx, &tenant(), kind).await?;
                let forgotten = triggers::forget_deliveries(tx, NOW.plus_ms(1), 10).await?;
                Ok((before, after, since, old, forgotten, row))
            })
        })
        .await;
    assert_eq!(before, None);
    assert_eq!(after.map(|taken| taken.body_digest).as_deref(), Some("sha256:1"));
    assert_eq!((since, old, forgotten), ((1, Some(NOW)), (0, None), 1));
    assert_eq!(row.and_then(|row| row.last_delivery_at), Some(NOW));
}
