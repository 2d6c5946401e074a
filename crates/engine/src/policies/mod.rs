//! Policies: added as snapshots that never change, tried on the findings there are, promoted, compared.
//!
//! | file | holds |
//! |---|---|
//! | `compiled` | snapshots ready to be asked |
//! | `promote` | which snapshot is active, and the run that follows |
//! | `trial` | what a policy would say of the findings there are |

mod compiled;
mod promote;
mod trial;

pub(crate) use compiled::{Compiled, compiled};

use crate::caller::Caller;
use crate::engine::Engine;
use crate::epss::Likelihoods;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use serde_json::{Value, json};
use stella_bundle::digest;
use stella_contract::error::{Code, FieldProblem};
use stella_contract::ids::{PolicySnapshotId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::policy::{
    AddPolicy, CheckPolicy, LONGEST_POLICY, PolicyCheck, PolicyDiff, PolicyDiffQuery, PolicyDocument,
    PolicyProblem, PolicyRule, PolicySnapshot, diff_rules,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_evaluator::{Finding, Policy, PolicyTarget, parse_policy};
use stella_ledger::policies::{self, SnapshotRow};
use stella_ledger::targets::TargetRow;
use stella_ledger::{LedgerError, Tx};

/// The longest note, in characters.
const LONGEST_NOTE: usize = 256;
/// Problems that one refusal lists.
const MAX_PROBLEMS: usize = 100;

/// Policies.
#[derive(Clone)]
pub struct Policies {
    engine: Engine,
}

impl Engine {
    /// Policies.
    pub fn policies(&self) -> Policies {
        Policies { engine: self.clone() }
    }
}

impl Policies {
    /// Snapshots, newest first.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<PolicySnapshot>, Error> {
        caller.demand(Scope::PolicyRuns)?;
        let key = (&caller.tenant, "policies");
        let before: Option<i64> = page::after(&key, query)?;
        let (tenant, limit) = (caller.tenant.clone(), i64::from(query.size()) + 1);
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let active = policies::active(tx, &tenant).await?;
                let rows = policies::list(tx, &tenant, before, limit).await?;
                let items: Vec<PolicySnapshot> =
                    rows.into_iter().map(|row| view(row, active.as_ref())).collect();
                Ok((items, policies::count(tx, &tenant).await?))
            })
        });
        let (items, count) = read.await?;
        page::of(&key, query, items, u64::try_from(count).ok(), |snapshot| snapshot.policy_revision)
    }

    /// One snapshot with its rules.
    pub async fn get(&self, caller: &Caller, id: &PolicySnapshotId) -> Result<PolicyDocument, Error> {
        caller.demand(Scope::PolicyRuns)?;
        let (tenant, id) = (caller.tenant.clone(), id.clone());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &id).await?;
                let active = policies::active(tx, &tenant).await?;
                document(row, active.as_ref())
            })
        });
        read.await
    }

    /// What is wrong with a policy, and what it would say of the findings there are.
    pub async fn check(&self, caller: &Caller, wish: CheckPolicy) -> Result<PolicyCheck, Error> {
        caller.demand(Scope::PolicyRuns)?;
        if wish.source.len() > LONGEST_POLICY {
            let limit = format!("at most {LONGEST_POLICY} bytes; split the policy");
            return Err(Error::invalid("source", limit));
        }
        let now = self.engine.now();
        let policy = match read(wish.source).await? {
            Ok(policy) => policy,
            Err(problems) => {
                return Ok(PolicyCheck { problems, rule_count: 0, policy_snapshot_id: None, trial: None });
            }
        };
        let policy = std::sync::Arc::new(policy);
        let trial = trial::of(&self.engine, &caller.tenant, &policy, now).await?;
        Ok(PolicyCheck {
            problems: policy.expired(now),
            rule_count: count(&policy),
            policy_snapshot_id: Some(id_of(&policy)?),
            trial: Some(trial),
        })
    }

    /// Adds a snapshot; `true` beside it says that the same rules were there already.
    pub async fn add(&self, caller: &Caller, wish: AddPolicy) -> Result<(PolicySnapshot, bool), Error> {
        caller.demand_write(Scope::RunsManage)?;
        let note = wish.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        if note
            .as_ref()
            .is_some_and(|note| note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control))
        {
            return Err(Error::invalid("note", format!("at most {LONGEST_NOTE} characters on one line")));
        }
        let source = wish.source.clone();
        let policy = read(wish.source).await?.map_err(unsound)?;
        let now = self.engine.now();
        let rules: Vec<&PolicyRule> = policy.rules().collect();
        let row = SnapshotRow {
            policy_snapshot_id: id_of(&policy)?,
            revision: 0,
            policy: policy.name().to_owned(),
            note,
            rules: serde_json::to_string(&rules).map_err(Error::internal)?,
            rule_count: count(&policy),
            source,
            created_by: caller.subject.clone(),
            created_at: now,
        };
        let caller = caller.clone();
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let active = policies::active(tx, &caller.tenant).await?;
                if let Some(before) = policies::get(tx, &caller.tenant, &row.policy_snapshot_id).await? {
                    return Ok((view(before, active.as_ref()), true));
                }
                let revision = policies::next_revision(tx, &caller.tenant).await?;
                let row = SnapshotRow { revision, ..row };
                policies::insert(tx, &caller.tenant, &row).await?;
                let said = json!({ "policy": row.policy, "revision": row.revision, "rules": row.rule_count });
                note_down(tx, &caller, "policy.snapshot.added", &row.policy_snapshot_id, said, now);
                Ok((view(row, active.as_ref()), false))
            })
        });
        write.await
    }

    /// What differs between two snapshots.
    pub async fn diff(&self, caller: &Caller, query: &PolicyDiffQuery) -> Result<PolicyDiff, Error> {
        caller.demand(Scope::PolicyRuns)?;
        let (tenant, query) = (caller.tenant.clone(), query.clone());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let active = policies::active(tx, &tenant).await?;
                let from = find(tx, &tenant, &query.from).await?;
                let to = find(tx, &tenant, &query.to).await?;
                let changes = diff_rules(&rules(&from)?, &rules(&to)?);
                Ok(PolicyDiff { from: view(from, active.as_ref()), to: view(to, active.as_ref()), changes })
            })
        });
        read.await
    }
}

/// Reads a text where it does not hold up others.
async fn read(source: String) -> Result<Result<Policy, Vec<PolicyProblem>>, Error> {
    tokio::task::spawn_blocking(move || parse_policy(&source)).await.map_err(Error::internal)
}

fn count(policy: &Policy) -> i64 {
    i64::try_from(policy.rules().len()).unwrap_or(i64::MAX)
}

fn id_of(policy: &Policy) -> Result<PolicySnapshotId, Error> {
    let digest = digest::of_value(&policy.canonical()).map_err(Error::internal)?;
    digest.parse().map_err(Error::internal)
}

/// The refusal of a policy that cannot be kept.
fn unsound(problems: Vec<PolicyProblem>) -> Error {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    let sentence = match problems.len() {
        1 => format!("The policy cannot be read: {first}. Mend it and add it again."),
        several => {
            format!("The policy has {several} faults, the first in {first}. Mend them and add it again.")
        }
    };
    let fields = problems.into_iter().take(MAX_PROBLEMS).map(|problem| FieldProblem {
        field: format!("source:{}:{}", problem.line, problem.column),
        code: problem.code.as_str().to_owned(),
        message: problem.to_string(),
    });
    Error::new(Code::PolicyInvalid, sentence).with_fields(fields.collect())
}

async fn find(tx: &mut Tx, tenant: &Tenant, id: &PolicySnapshotId) -> Result<SnapshotRow, Error> {
    policies::get(tx, tenant, id).await?.ok_or_else(|| Error::not_found("policy snapshot", id))
}

fn rules(row: &SnapshotRow) -> Result<Vec<PolicyRule>, LedgerError> {
    serde_json::from_str(&row.rules)
        .map_err(|_| LedgerError::corrupt("policy_snapshots", "rules", &row.policy_snapshot_id))
}

fn view(row: SnapshotRow, active: Option<&PolicySnapshotId>) -> PolicySnapshot {
    PolicySnapshot {
        active: active == Some(&row.policy_snapshot_id),
        policy_snapshot_id: row.policy_snapshot_id,
        policy_revision: row.revision,
        policy: row.policy,
        note: row.note,
        rule_count: row.rule_count,
        created_by: row.created_by,
        created_at: row.created_at,
    }
}

fn document(row: SnapshotRow, active: Option<&PolicySnapshotId>) -> Result<PolicyDocument, Error> {
    let (rules, source) = (rules(&row)?, row.source.clone());
    Ok(PolicyDocument { snapshot: view(row, active), rules, source })
}

/// Writes down and tells what happened to a snapshot.
fn note_down(tx: &mut Tx, caller: &Caller, kind: &str, id: &PolicySnapshotId, said: Value, now: Micros) {
    let mut journal = Journal::default();
    let mut data = said.clone();
    data["policySnapshotId"] = json!(id);
    journal.enter(
        &caller.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "policy",
            kind: kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
            occurred_at: now,
            data,
        },
    );
    journal.tell(
        &caller.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "policy",
            id: id.as_str().to_owned(),
            run_id: None,
            correlation_id: caller.correlation_id.clone(),
            at: now,
            data: said,
        },
    );
    journal.leave(tx);
}

/// A target as rules see it.
pub(crate) fn target(row: TargetRow) -> Result<PolicyTarget, LedgerError> {
    let labels = serde_json::from_str(&row.labels);
    Ok(PolicyTarget {
        labels: labels.map_err(|_| LedgerError::corrupt("targets", "labels", &row.target_id))?,
        name: row.name,
        version: row.version,
        namespace: row.namespace,
        repository: row.repository,
        digest: row.digest,
    })
}

/// The names a list of likelihoods may know a finding by.
pub(crate) fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(&finding.vulnerability_id).chain(&finding.aliases).map(String::as_str)
}

/// How likely a finding is exploited.
pub(crate) fn likelihood(known: &Likelihoods, finding: &Finding) -> Option<f64> {
    names(finding).find_map(|name| known.get(name)).map(|(score, _)| *score)
}
