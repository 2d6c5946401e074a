//! Which snapshot runs use when they name none. A promotion may be followed by a run over everything.

use super::{Policies, find, note_down};
use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::page;
use crate::runs::start::{self, SetOff};
use serde_json::json;
use stella_contract::error::Code;
use stella_contract::ids::{PolicySnapshotId, PromotionId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::policy::{PolicyPromotion, PromotePolicy};
use stella_contract::run::{RunMode, RunScope, RunTrigger, StartRun};
use stella_contract::scope::Scope;
use stella_ledger::LedgerError;
use stella_ledger::policies::{self, PromotionRow};

impl Policies {
    /// Makes a snapshot the active one, and starts the run that follows when that is asked for.
    pub async fn promote(
        &self,
        caller: &Caller,
        id: &PolicySnapshotId,
        wish: PromotePolicy,
    ) -> Result<PolicyPromotion, Error> {
        caller.demand_write(Scope::RunsManage)?;
        // What cannot be asked must not become what everything is judged by.
        super::compiled(&self.engine, &caller.tenant, id).await?;
        let now = self.engine.now();
        let promotion_id = PromotionId::from_uuid(&self.engine.uuid(now));
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let snapshot = find(tx, &caller.tenant, &id).await?;
                let previous = policies::active(tx, &caller.tenant).await?;
                if previous.as_ref() == Some(&id) && !wish.follow_up {
                    let sentence = format!("Revision {} is the active one already.", snapshot.revision);
                    return Err(Error::new(Code::InvalidTransition, sentence));
                }
                policies::activate(tx, &caller.tenant, &id).await?;
                let run_id = match wish.follow_up {
                    false => None,
                    true => {
                        let set_off = SetOff {
                            trigger: RunTrigger::Policy,
                            detail: Some(promotion_id.as_str().to_owned()),
                        };
                        let run = StartRun {
                            mode: wish.mode.unwrap_or(RunMode::AnalysisOnly),
                            scope: RunScope::All,
                            kev_first: false,
                            priority: None,
                            preview_id: None,
                            allow_stale: false,
                            policy_snapshot_id: Some(id.clone()),
                            segment_size: None,
                        };
                        let key = Some(promotion_id.as_str());
                        let new = start::new_run(&caller, set_off, run, key, now)?;
                        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
                        Some(start::ask(tx, new, &by, now).await?.run.run_id)
                    }
                };
                let row = PromotionRow {
                    promotion_id,
                    policy_snapshot_id: id,
                    revision: snapshot.revision,
                    previous,
                    promoted_by: caller.subject.clone(),
                    reason: caller.cause.reason.clone().unwrap_or_default(),
                    ticket: caller.cause.ticket.clone(),
                    promoted_at: now,
                    run_id,
                };
                policies::promoted(tx, &caller.tenant, &row).await?;
                let said = json!({
                    "policy": snapshot.policy,
                    "revision": row.revision,
                    "promotionId": row.promotion_id,
                    "previousSnapshotId": row.previous,
                    "runId": row.run_id,
                });
                note_down(tx, &caller, "policy.promoted", &row.policy_snapshot_id, said, now);
                Ok(view(row))
            })
        });
        write.await
    }

    /// Promotions, newest first.
    pub async fn promotions(
        &self,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<PolicyPromotion>, Error> {
        caller.demand(Scope::PolicyRuns)?;
        let key = (&caller.tenant, "policy promotions");
        let before: Option<(i64, String)> = page::after(&key, query)?;
        let (tenant, limit) = (caller.tenant.clone(), i64::from(query.size()) + 1);
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { policies::promotions(tx, &tenant, before.as_ref(), limit).await })
        });
        let items: Vec<PolicyPromotion> = read.await?.into_iter().map(view).collect();
        page::of(&key, query, items, None, |promotion| {
            (promotion.promoted_at.0, promotion.promotion_id.as_str().to_owned())
        })
    }
}

fn view(row: PromotionRow) -> PolicyPromotion {
    PolicyPromotion {
        promotion_id: row.promotion_id,
        policy_snapshot_id: row.policy_snapshot_id,
        policy_revision: row.revision,
        previous_snapshot_id: row.previous,
        promoted_by: row.promoted_by,
        reason: row.reason,
        ticket: row.ticket,
        promoted_at: row.promoted_at,
        run_id: row.run_id,
    }
}
