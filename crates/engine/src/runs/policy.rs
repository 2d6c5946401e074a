//! The policy of a run: chosen when the run is asked for, read when it is planned, asked when a segment is evaluated.

use crate::engine::Engine;
use crate::epss::{self, Likelihoods};
use crate::error::Error;
use crate::policies;
use crate::runs::facts::Fact;
use crate::runs::keep::Scanned;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::ids::{PolicySnapshotId, Tenant};
use stella_contract::run::RunMode;
use stella_contract::time::Micros;
use stella_evaluator::policy::DEFAULT_POLICY;
use stella_evaluator::{Policy, PolicyInputs, PolicyTarget};
use stella_ledger::runs::{NewRun, RunRow};
use stella_ledger::{LedgerError, Tx, findings, targets};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A snapshot, and its number where there is such a one.
type Settled = (Option<PolicySnapshotId>, Option<i64>);

/// Settles which snapshot judges each new run: the one it names, else the active one. A repeated run keeps its own.
pub(crate) async fn choose(tx: &mut Tx, new: &mut [NewRun]) -> Result<(), LedgerError> {
    let mut known: HashMap<(Tenant, Option<PolicySnapshotId>), Settled> = HashMap::new();
    for run in new.iter_mut().filter(|run| run.retry_of.is_none()) {
        let asked = (run.tenant.clone(), run.policy_snapshot_id.clone());
        let settled = match known.get(&asked) {
            Some(settled) => settled.clone(),
            None => settle(tx, &asked.0, asked.1.clone()).await?,
        };
        (run.policy_snapshot_id, run.policy_revision) = settled.clone();
        known.insert(asked, settled);
    }
    Ok(())
}

async fn settle(
    tx: &mut Tx,
    tenant: &Tenant,
    named: Option<PolicySnapshotId>,
) -> Result<Settled, LedgerError> {
    let id = match named {
        Some(id) => Some(id),
        None => stella_ledger::policies::active(tx, tenant).await?,
    };
    let Some(id) = id else { return Ok((None, None)) };
    let snapshot = stella_ledger::policies::get(tx, tenant, &id).await?;
    Ok((Some(id), snapshot.map(|snapshot| snapshot.revision)))
}

/// The policy of a run, ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    policy: Arc<Policy>,
    tenant: Tenant,
    /// When the run was asked for: whenever its segments are evaluated, they are judged as of then.
    at: Micros,
}

impl Judge {
    /// The line of comparison of runs of this mode under this policy.
    pub(crate) fn line(judge: Option<&Self>, mode: RunMode) -> String {
        match judge.map(|judge| judge.policy.name()) {
            // Findings without a policy are compared with those under the usual one, so that the first policy
            // quiets findings and does not make them new.
            None | Some(DEFAULT_POLICY) => mode.as_str().to_owned(),
            Some(policy) => format!("{mode}/{policy}"),
        }
    }
}

/// The policy of a run, or the sentence that says why there is none to be had.
pub(crate) type Chosen = Result<Option<Judge>, String>;

/// Reads the policy of a run.
pub(crate) async fn of_run(engine: &Engine, run: &RunRow) -> Result<Chosen, Error> {
    let Some(id) = &run.wish.policy_snapshot_id else { return Ok(Ok(None)) };
    match policies::compiled(engine, &run.wish.tenant, id).await {
        Ok(policy) => {
            Ok(Ok(Some(Judge { policy, tenant: run.wish.tenant.clone(), at: run.wish.created_at })))
        }
        Err(error) if matches!(error.code, Code::NotFound | Code::PolicyInvalid) => Ok(Err(format!(
            "The policy snapshot `{id}` is missing or unreadable: {} Choose another snapshot.",
            error.public
        ))),
        Err(error) => Err(error),
    }
}

/// What rules may ask for beside the finding itself.
#[derive(Default)]
struct Beside {
    targets: HashMap<i64, PolicyTarget>,
    likelihoods: Likelihoods,
    /// When a finding was first seen: by line, component and vulnerability.
    first_seen: HashMap<(i64, String, String), Micros>,
}

/// What policy makes of findings.
pub(crate) async fn judge(
    engine: &Engine,
    judge: &Judge,
    scanned: Vec<Scanned>,
) -> Result<Vec<Scanned>, Error> {
    let (judge, wanted) = (judge.clone(), judge.clone());
    let (scanned, beside) = engine
        .ledger()
        .read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let beside = load(tx, &wanted, &scanned).await?;
                Ok((scanned, beside))
            })
        })
        .await?;
    let judged = tokio::task::spawn_blocking(move || {
        let mut known = HashMap::new();
        scanned.into_iter().map(|one| judged(&judge, &beside, one, &mut known)).collect::<Result<_, Error>>()
    });
    judged.await.map_err(Error::internal)?
}

async fn load(tx: &mut Tx, judge: &Judge, scanned: &[Scanned]) -> Result<Beside, LedgerError> {
    let mut beside = Beside::default();
    let (policy, tenant) = (&judge.policy, judge.tenant.as_str());
    if policy.asks_for("target") {
        let keys: Vec<i64> = scanned.iter().map(|one| one.place.target_key).collect();
        for row in targets::by_keys(tx, tenant, &keys).await? {
            beside.targets.insert(row.target_key, policies::target(row)?);
        }
    }
    if policy.asks_for("epss") {
        let names: BTreeSet<&str> = scanned
            .iter()
            .filter_map(|one| one.facts.as_ref())
            .flatten()
            .flat_map(|fact| policies::names(&fact.finding))
            .collect();
        beside.likelihoods = epss::likelihoods(tx, tenant, names.into_iter()).await?;
    }
    if policy.asks_for("ageDays") {
        beside.first_seen = first_seen(tx, scanned).await?;
    }
    Ok(beside)
}

async fn first_seen(
    tx: &mut Tx,
    scanned: &[Scanned],
) -> Result<HashMap<(i64, String, String), Micros>, LedgerError> {
    let lines: Vec<i64> = scanned.iter().map(|one| one.place.line_key).collect();
    let open = findings::open(tx, &lines).await?;
    let facts: BTreeSet<i64> = open.iter().map(|row| row.fact_key).collect();
    let facts: Vec<i64> = facts.into_iter().collect();
    let keys: HashMap<i64, (String, String)> = findings::standings(tx, &facts)
        .await?
        .into_iter()
        .map(|row| (row.fact_key, (row.purl, row.vulnerability_id)))
        .collect();
    let seen = open.into_iter().filter_map(|row| {
        let (purl, vulnerability) = keys.get(&row.fact_key)?.clone();
        Some(((row.line_key, purl, vulnerability), Micros(row.first_seen_at)))
    });
    Ok(seen.collect())
}

/// One target. What does not depend on the target is judged once per finding.
fn judged(
    judge: &Judge,
    beside: &Beside,
    one: Scanned,
    known: &mut HashMap<String, Arc<Fact>>,
) -> Result<Scanned, Error> {
    let Scanned { place, facts } = one;
    let Some(facts) = facts else { return Ok(Scanned { place, facts: None }) };
    let by_target = judge.policy.asks_for("target") || judge.policy.asks_for("ageDays");
    let nowhere = PolicyTarget::default();
    let target = beside.targets.get(&place.target_key).unwrap_or(&nowhere);
    let mut after = Vec::with_capacity(facts.len());
    for fact in facts {
        if let Some(known) = known.get(&fact.row.digest).filter(|_| !by_target) {
            after.push(known.clone());
            continue;
        }
        let key = (place.line_key, fact.row.purl.clone(), fact.row.vulnerability_id.clone());
        let age_ms = beside.first_seen.get(&key).map_or(0, |seen| judge.at.ms_since(*seen));
        let inputs = PolicyInputs {
            finding: &fact.finding,
            target,
            epss: policies::likelihood(&beside.likelihoods, &fact.finding),
            age_days: (age_ms / DAY_MS).max(0),
        };
        let finding = judge.policy.apply(&inputs, judge.at);
        let judged = if finding == fact.finding { fact.clone() } else { Arc::new(Fact::of(finding)?) };
        if !by_target {
            known.insert(fact.row.digest.clone(), judged.clone());
        }
        after.push(judged);
    }
    Ok(Scanned { place, facts: Some(after) })
}
