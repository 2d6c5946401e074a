//! Gathered keys become a run: when nothing came in for a moment, the last such run is over and its interval has passed.

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::impact::MAX_KEYS;
use crate::jobs::engine_itself;
use crate::runs::start::{self, SetOff};
use std::collections::BTreeSet;
use stella_contract::job::Cause;
use stella_contract::run::{RunScope, RunTrigger, StartRun};
use stella_contract::time::Micros;
use stella_contract::trigger::{TriggerKind, TriggerScope};
use stella_ledger::triggers::{self, Keys, TriggerRow};
use stella_ledger::{LedgerError, Tx, runs};

/// A burst of readings is gathered for so long before its run starts.
const SETTLE_MS: i64 = 5_000;
/// How often it is asked whether the last run is over.
const AGAIN_MS: i64 = 5_000;
/// Rules looked at in one activation.
const MOST: i64 = 100;

/// When a run over what is gathered since then may start.
pub(super) fn due(row: &TriggerRow, since: Micros) -> Micros {
    let settled = since.plus_ms(SETTLE_MS);
    row.last_run_at.map_or(settled, |last| settled.max(last.plus_ms(row.min_interval_s * 1_000)))
}

/// Starts the runs that are due; how many, and when the next may be.
pub(crate) async fn start_due(engine: &Engine) -> Result<(usize, Option<Micros>), Error> {
    let now = engine.now();
    let waiting = engine
        .ledger()
        .read::<_, LedgerError, _>(|tx| Box::pin(async move { triggers::pending(tx, MOST).await }))
        .await?;
    let (mut did, mut next): (usize, Option<Micros>) = (0, None);
    for row in waiting {
        let again = match row.pending_since.map(|since| due(&row, since)) {
            Some(due) if due > now && row.enabled => Some(due),
            Some(_) | None => {
                let (tenant, kind) = (row.tenant.clone(), row.kind);
                let write = engine
                    .ledger()
                    .write(move |tx| Box::pin(async move { follow(tx, &tenant, kind, now).await }));
                match write.await? {
                    Followed::Done => {
                        did += 1;
                        None
                    }
                    Followed::NotYet => Some(now.plus_ms(AGAIN_MS)),
                }
            }
        };
        next = [next, again].into_iter().flatten().min();
    }
    Ok((did, next))
}

/// What became of gathered keys.
enum Followed {
    /// They are in a run, or forgotten because none is wanted.
    Done,
    /// The run before is still at work.
    NotYet,
}

async fn follow(
    tx: &mut Tx,
    tenant: &stella_contract::ids::Tenant,
    kind: TriggerKind,
    now: Micros,
) -> Result<Followed, Error> {
    let row = triggers::get(tx, tenant, kind).await?;
    let Some((row, since)) = row.and_then(|row| Some((row.clone(), row.pending_since?))) else {
        return Ok(Followed::Done);
    };
    if !row.enabled {
        triggers::clear(tx, tenant, kind, None).await?;
        return Ok(Followed::Done);
    }
    if let Some(last) = &row.last_run_id
        && runs::get(tx, tenant, last).await?.is_some_and(|run| !run.state.is_final())
    {
        return Ok(Followed::NotYet);
    }
    let most = i64::try_from(MAX_KEYS).unwrap_or(i64::MAX);
    let mut keys = triggers::keys(tx, tenant, kind, most + 1).await?;
    keys.everything |= row.everything || keys.vuln_ids.len() + keys.purls.len() > MAX_KEYS;
    let detail = detail(&keys);
    let wish = StartRun {
        mode: row.mode,
        scope: scope(row.scope, keys),
        kev_first: false,
        priority: None,
        preview_id: None,
        allow_stale: false,
        policy_snapshot_id: None,
        segment_size: None,
    };
    // Two nodes that look at once ask for the same run.
    let key = format!("trigger:{kind}:{}", since.0);
    let caller = asking(&row, &key);
    let set_off = SetOff { trigger: trigger_of(kind), detail: Some(detail) };
    let new = start::new_run(&caller, set_off, wish, Some(&key), now)?;
    let by = By { cause: caller.cause.clone(), ..engine_itself("trigger") };
    let run = start::ask(tx, new, &by, now).await?.run;
    triggers::clear(tx, tenant, kind, Some((&run.run_id, now))).await?;
    Ok(Followed::Done)
}

fn scope(scope: TriggerScope, keys: Keys) -> RunScope {
    match (scope, keys.everything) {
        (TriggerScope::Changed, false) => RunScope::Keys { purls: keys.purls, vuln_ids: keys.vuln_ids },
        (TriggerScope::Changed, true) | (TriggerScope::All, _) => RunScope::All,
    }
}

fn detail(keys: &Keys) -> String {
    let (vulnerabilities, packages) = (keys.vuln_ids.len(), keys.purls.len());
    match keys.everything {
        true => "a reading that touches everything".to_owned(),
        false => format!("{vulnerabilities} vulnerabilities and {packages} packages changed"),
    }
}

/// What a run is set off by when something of this kind comes in.
pub(super) fn trigger_of(kind: TriggerKind) -> RunTrigger {
    match kind {
        TriggerKind::Concelier => RunTrigger::Concelier,
        TriggerKind::Excititor => RunTrigger::Excititor,
    }
}

/// The one who asks: the product itself, for the tenant.
fn asking(row: &TriggerRow, key: &str) -> Caller {
    let what = match row.kind {
        TriggerKind::Concelier => "Advisories changed",
        TriggerKind::Excititor => "VEX statements changed",
    };
    Caller {
        tenant: row.tenant.clone(),
        subject: "engine/trigger".to_owned(),
        scopes: BTreeSet::new(),
        read_only: false,
        correlation_id: key.to_owned(),
        cause: Cause { reason: Some(what.to_owned()), ticket: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::run::RunMode;

    #[test]
    fn a_run_waits_for_the_burst_to_settle_and_for_its_interval() {
        let tenant: stella_contract::ids::Tenant = "acme".parse().unwrap();
        let row = TriggerRow { min_interval_s: 60, ..super::super::unset(&tenant, TriggerKind::Concelier) };
        let since = Micros(0);
        assert_eq!(due(&row, since), Micros(0).plus_ms(5_000));
        let lately = TriggerRow { last_run_at: Some(Micros(0).minus_ms(10_000)), ..row.clone() };
        assert_eq!(due(&lately, since), Micros(0).plus_ms(50_000));
        let long_ago = TriggerRow { last_run_at: Some(Micros(0).minus_ms(100_000)), ..row };
        assert_eq!(due(&long_ago, since), Micros(0).plus_ms(5_000));
        assert_eq!(long_ago.mode, RunMode::AnalysisOnly);
    }
}
