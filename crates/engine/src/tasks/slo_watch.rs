//! Counts along the history, notes that the core is at work, and tells when an objective starts or stops to burn.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::incidents::{Raise, Step, apply, is_news, look_after};
use crate::journal::{Draft, Journal, Tiding};
use crate::slos;
use crate::tally::{self, span_of};
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use serde_json::json;
use std::sync::atomic::{AtomicI64, Ordering};
use stella_contract::ids::Tenant;
use stella_contract::incident::{IncidentKind, Severity};
use stella_contract::slo::{BurnTier, SloStatus};
use stella_contract::time::Micros;
use stella_ledger::counts::{self, Count, HOUR_US};
use stella_ledger::slos::SloRow;
use stella_ledger::{LedgerError, Tx, incidents};

/// How often it counts.
const COUNT_EVERY_MS: i64 = 5_000;
/// How often objectives are looked at.
const LOOK_EVERY_MS: i64 = 60_000;
/// Counts are kept by five minutes so long, then by hour.
const FINE_MS: i64 = 48 * 60 * 60 * 1_000;
/// Counts are kept by hour so long.
const KEPT_MS: i64 = 35 * 24 * 60 * 60 * 1_000;
/// Objectives of one tenant that are looked at.
const MOST: i64 = 1_000;

/// Watches objectives.
#[derive(Debug, Default)]
pub(super) struct SloWatch {
    /// When it last counted, and last looked, in microseconds.
    counted: AtomicI64,
    looked: AtomicI64,
    folded: AtomicI64,
}

#[async_trait]
impl Task for SloWatch {
    fn name(&self) -> &'static str {
        "slo-watch"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let due = Micros(self.counted.load(Ordering::Relaxed)).plus_ms(COUNT_EVERY_MS);
        // A clock that was set back must not stop the counting.
        if now < due && due <= now.plus_ms(COUNT_EVERY_MS) {
            return Ok(Activity { did: 0, next_at: Some(due) });
        }
        let is_minute = !is_recent(&self.looked, now, LOOK_EVERY_MS);
        let is_hour = !is_recent(&self.folded, now, HOUR_US / 1_000);
        let mut did = 0;
        for tenant in &engine.options().tenants {
            did += tally::catch_up(engine, tenant).await?;
            if is_minute {
                did += look(engine, tenant, now).await?;
            }
            if is_hour {
                fold(engine, tenant, now).await?;
            }
        }
        self.counted.store(now.0, Ordering::Relaxed);
        if is_minute {
            self.looked.store(now.0, Ordering::Relaxed);
        }
        if is_hour {
            self.folded.store(now.0, Ordering::Relaxed);
        }
        Ok(Activity { did, next_at: Some(now.plus_ms(COUNT_EVERY_MS)) })
    }
}

fn is_recent(last: &AtomicI64, now: Micros, every_ms: i64) -> bool {
    let since = now.ms_since(Micros(last.load(Ordering::Relaxed)));
    (0..every_ms).contains(&since)
}

async fn fold(engine: &Engine, tenant: &Tenant, now: Micros) -> Result<(), Error> {
    let tenant = tenant.clone();
    let before = now.minus_ms(FINE_MS).0.div_euclid(HOUR_US) * HOUR_US;
    let oldest = now.minus_ms(KEPT_MS).0;
    let write = engine.ledger().write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move { counts::fold(tx, &tenant, before, oldest).await })
    });
    write.await?;
    Ok(())
}

/// Looks at every objective of a tenant; how many changed.
async fn look(engine: &Engine, tenant: &Tenant, now: Micros) -> Result<usize, Error> {
    let (own, tenant) = (engine.clone(), tenant.clone());
    let write = engine.ledger().write(move |tx| {
        Box::pin(async move {
            let mut did = 0;
            if stella_ledger::slos::seed(tx, &tenant, now).await? {
                for row in slos::first_of(&tenant, now, || own.uuid(now)) {
                    stella_ledger::slos::insert(tx, &row).await?;
                    did += 1;
                }
            }
            let beat = Count {
                kind: "alive",
                at: span_of(now),
                job_type: String::new(),
                label: slos::minute_of(now),
                n: 1,
                ms: 0,
            };
            counts::add(tx, &tenant, &[beat]).await?;
            let mut journal = Journal::default();
            let mut steps = Vec::new();
            for row in stella_ledger::slos::list(tx, &tenant, None, MOST).await? {
                let tier = match row.enabled {
                    true => Some(slos::status(tx, &row, now).await?),
                    false => None,
                };
                let burning = tier.as_ref().and_then(|status| status.tier);
                steps.extend(step(tx, &row, burning, now).await?);
                if let Some(status) = tier {
                    did += usize::from(judge(tx, row, &status, now, &mut journal).await?);
                }
            }
            did += steps.len();
            apply(&own, tx, steps, "slo-watch", now, &mut journal).await?;
            journal.leave(tx);
            Ok::<_, Error>(did)
        })
    });
    write.await
}

/// The step of the objective's incident: it comes up with a burn and calms down without.
async fn step(
    tx: &mut Tx,
    row: &SloRow,
    tier: Option<BurnTier>,
    now: Micros,
) -> Result<Option<Step>, LedgerError> {
    let subject = row.slo_id.as_str();
    let live = incidents::at(tx, &row.tenant, IncidentKind::SloBurn, subject).await?;
    let Some(tier) = tier else {
        return Ok(live.and_then(|record| look_after(&record, 0, now)));
    };
    let (severity, reason_code) = match tier {
        BurnTier::Critical => (Severity::Critical, "SLO_BURN_CRITICAL"),
        BurnTier::High => (Severity::Warning, "SLO_BURN_HIGH"),
        BurnTier::Warn => (Severity::Note, "SLO_BURN_WARN"),
    };
    let raise = Raise {
        tenant: row.tenant.clone(),
        kind: IncidentKind::SloBurn,
        subject: subject.to_owned(),
        severity,
        count: 1,
        threshold: 1,
        reason_code: reason_code.to_owned(),
        summary: format!("The error budget of `{}` is used up too fast: {tier}.", row.name),
        links: Vec::new(),
    };
    let is_due = live.is_none_or(|record| is_news(&raise, &record));
    Ok(is_due.then(|| Step::Raise(Box::new(raise))))
}

/// Writes down a tier that is not the one that was seen before; whether it did.
async fn judge(
    tx: &mut Tx,
    mut row: SloRow,
    status: &SloStatus,
    now: Micros,
    journal: &mut Journal,
) -> Result<bool, Error> {
    let before = row.burning;
    if before.map(|(tier, _)| tier) == status.tier {
        return Ok(false);
    }
    row.burning = status.tier.map(|tier| (tier, before.map_or(now, |(_, since)| since)));
    slos::store(tx, &mut row).await?;
    let kind = match (before, status.tier) {
        (_, None) => "orch.slo.recovered",
        (None, Some(_)) => "orch.slo.burning",
        (Some(_), Some(_)) => "orch.slo.tier_changed",
    };
    let hourly = status.burn.iter().find(|window| window.window == "1h").map_or(0.0, |window| window.burn);
    let data = json!({
        "sloId": row.slo_id, "name": row.name, "sli": row.sli, "tier": status.tier,
        "burn1h": hourly, "budgetRemaining": status.budget_remaining,
    });
    let by = By::itself("slo-watch");
    let correlation_id = format!("slo-watch:{}", row.slo_id);
    journal.enter(
        &row.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "slo",
            kind: kind.to_owned(),
            from_state: before.map(|(tier, _)| tier.as_str()),
            to_state: status.tier.map(BurnTier::as_str),
            attempt: None,
            lease_epoch: None,
            actor: by.actor,
            cause: by.cause,
            correlation_id: correlation_id.clone(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        &row.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "slo",
            id: row.slo_id.as_str().to_owned(),
            run_id: None,
            correlation_id,
            at: now,
            data,
        },
    );
    Ok(true)
}
