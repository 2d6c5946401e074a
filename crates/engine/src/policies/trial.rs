//! What a policy would say of the findings there are: the latest of every target, worst first, up to a bound.

use super::{likelihood, names, target};
use crate::engine::Engine;
use crate::epss;
use crate::error::Error;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use stella_contract::ids::Tenant;
use stella_contract::policy::{PolicyTrial, RuleCount, Verdict, VerdictCount};
use stella_contract::time::Micros;
use stella_evaluator::policy::is_quieted;
use stella_evaluator::{Finding, Policy, PolicyInputs, PolicyTarget, Purl};
use stella_ledger::finding_lists::{self, After, FindingRow, Moment, Wanted, Way};
use stella_ledger::{LedgerError, Tx, targets};

/// Findings a policy is tried on.
const MOST: usize = 20_000;
/// Findings read at a time.
const PAGE: i64 = 2_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A finding as it stands, with all that rules may ask for.
struct Case {
    finding: Finding,
    verdict: Option<Verdict>,
    quieted: bool,
    target: Arc<PolicyTarget>,
    epss: Option<f64>,
    age_days: i64,
}

/// Tries a policy; nothing is kept.
pub(super) async fn of(
    engine: &Engine,
    tenant: &Tenant,
    policy: &Arc<Policy>,
    now: Micros,
) -> Result<PolicyTrial, Error> {
    let mut trial = begin(policy, now);
    let mut after: Option<After> = None;
    let mut known: HashMap<i64, Arc<PolicyTarget>> = HashMap::new();
    loop {
        let (owner, asked) = (tenant.clone(), policy.clone());
        let page = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { page(tx, &owner, &asked, after.as_ref(), known, now).await })
            })
            .await?;
        let Some(last) = page.last else { break };
        let asked = policy.clone();
        let (again, judged) = tokio::task::spawn_blocking(move || {
            for case in &page.cases {
                add(&mut trial, &asked, case, now);
            }
            (trial, page.cases.len() as i64)
        })
        .await
        .map_err(Error::internal)?;
        trial = again;
        (after, known) = (Some(last), page.known);
        if judged < PAGE {
            break;
        }
        if trial.findings as usize >= MOST {
            trial.truncated = true;
            break;
        }
    }
    Ok(trial)
}

fn begin(policy: &Policy, now: Micros) -> PolicyTrial {
    let verdicts = Verdict::ALL.iter().copied().map(Some).chain([None]);
    let rules = policy.rules().enumerate().map(|(place, rule)| RuleCount {
        rule: rule.name.clone(),
        verdict: rule.verdict,
        findings: 0,
        failed: 0,
        expired: policy.is_expired(place, now),
    });
    PolicyTrial {
        verdicts: verdicts.map(|verdict| VerdictCount { verdict, before: 0, after: 0 }).collect(),
        rules: rules.collect(),
        ..PolicyTrial::default()
    }
}

fn add(trial: &mut PolicyTrial, policy: &Policy, case: &Case, now: Micros) {
    let inputs = PolicyInputs {
        finding: &case.finding,
        target: &case.target,
        epss: case.epss,
        age_days: case.age_days,
    };
    let judgement = policy.judge(&inputs, now);
    let verdict = judgement.rule.and_then(|place| trial.rules.get(place)).map(|rule| rule.verdict);
    if let Some(rule) = judgement.rule.and_then(|place| trial.rules.get_mut(place)) {
        rule.findings += 1;
    }
    for place in judgement.failed {
        if let Some(rule) = trial.rules.get_mut(place) {
            rule.failed += 1;
        }
    }
    for count in &mut trial.verdicts {
        count.before += i64::from(count.verdict == case.verdict);
        count.after += i64::from(count.verdict == verdict);
    }
    let quieted = is_quieted(case.finding.status, verdict);
    trial.findings += 1;
    trial.changed += i64::from(verdict != case.verdict);
    trial.quieted += i64::from(quieted && !case.quieted);
    trial.unquieted += i64::from(!quieted && case.quieted);
}

/// Findings of one page.
struct Cases {
    cases: Vec<Case>,
    /// Where it ended; `None` when there was nothing.
    last: Option<After>,
    /// Targets read so far.
    known: HashMap<i64, Arc<PolicyTarget>>,
}

async fn page(
    tx: &mut Tx,
    tenant: &Tenant,
    policy: &Policy,
    after: Option<&After>,
    mut known: HashMap<i64, Arc<PolicyTarget>>,
    now: Micros,
) -> Result<Cases, LedgerError> {
    let wanted = Wanted {
        tenant: tenant.clone(),
        moment: Moment::Latest,
        way: Way::Facts,
        target_key: None,
        places: None,
        kev: None,
        status: None,
        verdict: None,
        quieted: None,
        part: None,
        purl: None,
    };
    let rows = finding_lists::page(tx, &wanted, after, PAGE).await?;
    let last = rows.last().map(|row| After {
        place: row.place,
        vulnerability_id: row.vulnerability_id.clone(),
        purl: row.purl.clone(),
        fact_key: row.fact_key,
        line_key: row.line_key,
    });
    if policy.asks_for("target") {
        let keys: BTreeSet<i64> = rows.iter().map(|row| row.target_key).collect();
        let keys: Vec<i64> = keys.into_iter().filter(|key| !known.contains_key(key)).collect();
        for row in targets::by_keys(tx, tenant.as_str(), &keys).await? {
            known.insert(row.target_key, Arc::new(target(row)?));
        }
    }
    let nowhere = Arc::new(PolicyTarget::default());
    let mut cases = Vec::with_capacity(rows.len());
    for row in rows {
        let of_target = known.get(&row.target_key).unwrap_or(&nowhere).clone();
        let age_days = (now.ms_since(Micros(row.first_seen_at)) / DAY_MS).max(0);
        cases.push(case(row, of_target, age_days)?);
    }
    if policy.asks_for("epss") {
        let wanted: BTreeSet<&str> = cases.iter().flat_map(|case| names(&case.finding)).collect();
        let likelihoods = epss::likelihoods(tx, tenant.as_str(), wanted.into_iter()).await?;
        for case in &mut cases {
            case.epss = likelihood(&likelihoods, &case.finding);
        }
    }
    Ok(Cases { cases, last, known })
}

fn case(row: FindingRow, target: Arc<PolicyTarget>, age_days: i64) -> Result<Case, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("finding_facts", column, row.fact_key);
    let package = row.purl.parse::<Purl>().ok().map(|purl| purl.osv());
    let (ecosystem, name, version) = match package {
        Some(package) => (package.ecosystem, package.name, package.version.unwrap_or_default()),
        None => Default::default(),
    };
    Ok(Case {
        verdict: row.verdict.as_deref().map(str::parse).transpose().map_err(|_| corrupt("verdict"))?,
        quieted: row.quieted != 0,
        target,
        epss: None,
        age_days,
        finding: Finding {
            ecosystem,
            name,
            version,
            record_ids: serde_json::from_str(&row.record_ids).map_err(|_| corrupt("record_ids"))?,
            aliases: serde_json::from_str(&row.aliases).map_err(|_| corrupt("aliases"))?,
            severity: row.severity.parse().map_err(|_| corrupt("severity"))?,
            score: row.score,
            vector: None,
            kev: row.kev != 0,
            status: row.status.parse().map_err(|_| corrupt("status"))?,
            quieted: false,
            verdict: None,
            rule: None,
            fixed_version: row.fixed_version,
            summary: None,
            explain: Vec::new(),
            purl: row.purl,
            vulnerability_id: row.vulnerability_id,
        },
    })
}
