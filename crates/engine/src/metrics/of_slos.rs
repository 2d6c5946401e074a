//! How objectives stand.

use super::exposition::Family;
use crate::slos;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, Tx};

/// Objectives of one tenant that are told.
const MOST: i64 = 200;

pub(super) async fn read(tx: &mut Tx, tenants: &[Tenant], now: Micros) -> Result<Vec<Family>, LedgerError> {
    let mut burn = Family::gauge("orch_slo_burn_rate", "Burn of each objective, by its id and window.");
    let mut left = Family::gauge(
        "orch_slo_budget_remaining_ratio",
        "Share of each objective's budget that is left, -1 to 1, by its id.",
    );
    for tenant in tenants {
        for row in stella_ledger::slos::list(tx, tenant, None, MOST).await? {
            if !row.enabled {
                continue;
            }
            let status = slos::status(tx, &row, now).await?;
            let slo = || ("slo", row.slo_id.as_str().to_owned());
            for window in &status.burn {
                burn.add(vec![slo(), ("window", window.window.clone())], window.burn);
            }
            left.add(vec![slo()], status.budget_remaining);
        }
    }
    Ok(vec![burn, left])
}
