//! Findings for those who read them: as the last evaluation of each target left them, or as one run did.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::runs::{PLACES_PER_SEVERITY, worst_place};
use crate::{epss, page};
use std::str::FromStr;
use stella_contract::finding::{ExplainStep, Explanation, Finding, FindingFilter, Severity};
use stella_contract::ids::{TargetId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_evaluator::Purl;
use stella_ledger::finding_lists::{self, After, FindingRow, Moment, Wanted, Way};
use stella_ledger::runs::{self, RunRow};
use stella_ledger::{LedgerError, Tx, key_of_uuid};

/// Up to so many targets, a run's findings are read target by target and sorted.
const FEW_TARGETS: i64 = 200;
/// More vulnerabilities than this are not looked through in one component.
const OF_ONE_COMPONENT: i64 = 2_000;
/// The longest part of a name that is looked for, in characters.
const PART_MAX: usize = 256;

/// Findings.
#[derive(Clone)]
pub struct Findings {
    engine: Engine,
}

impl Engine {
    /// Findings.
    pub fn findings(&self) -> Findings {
        Findings { engine: self.clone() }
    }
}

/// Where a page ended: place, vulnerability, purl, fact and line.
type Place = (i64, String, String, i64, i64);

impl Findings {
    /// Findings, worst first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &FindingFilter,
        query: &PageQuery,
    ) -> Result<Page<Finding>, Error> {
        caller.demand(Scope::OrchRead)?;
        self.page(&caller.tenant, filter, query).await
    }

    /// One page of a tenant's findings, for whoever was let pass.
    pub(crate) async fn page(
        &self,
        tenant: &Tenant,
        filter: &FindingFilter,
        query: &PageQuery,
    ) -> Result<Page<Finding>, Error> {
        let after: Option<Place> = page::after(filter, query)?;
        let after = after.map(|(place, vulnerability_id, purl, fact_key, line_key)| After {
            place,
            vulnerability_id,
            purl,
            fact_key,
            line_key,
        });
        let (tenant, filter_by) = (tenant.clone(), filter.clone());
        let limit = i64::from(query.size()) + 1;
        let (rows, total) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let run = run_of(tx, &tenant, &filter_by).await?;
                    let wanted = wanted(&tenant, &filter_by, run.as_ref())?;
                    let total = total(tx, &wanted, run.as_ref()).await?;
                    let mut rows = Vec::new();
                    for row in finding_lists::page(tx, &wanted, after.as_ref(), limit).await? {
                        let key = (
                            row.place,
                            row.vulnerability_id.clone(),
                            row.purl.clone(),
                            row.fact_key,
                            row.line_key,
                        );
                        rows.push((key, finding(row)?));
                    }
                    let (keys, mut findings): (Vec<_>, Vec<Finding>) = rows.into_iter().unzip();
                    epss::note(tx, tenant.as_str(), &mut findings).await?;
                    Ok((keys.into_iter().zip(findings).collect::<Vec<_>>(), total))
                })
            })
            .await?;
        let page = page::of(filter, query, rows, page::total(total), |(key, _)| key.clone())?;
        Ok(Page {
            items: page.items.into_iter().map(|(_, finding)| finding).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    /// Why a finding stands; the vulnerability may be given by any of its names. The steps were kept with the finding, so that they explain what was found then, whatever
    /// the feeds say by now.
    pub async fn explain(
        &self,
        caller: &Caller,
        target: &TargetId,
        purl: &str,
        vulnerability: &str,
    ) -> Result<Explanation, Error> {
        caller.demand(Scope::OrchRead)?;
        let filter = FindingFilter { target: Some(target.clone()), ..FindingFilter::default() };
        let mut wanted = wanted(&caller.tenant, &filter, None)?;
        // Findings are kept under the purl's normal form, whatever form the SBOM or the caller uses.
        wanted.purl = Some(purl.parse::<Purl>().map_or_else(|_| purl.to_owned(), |purl| purl.to_string()));
        let rows = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(|tx| {
                Box::pin(async move { finding_lists::page(tx, &wanted, None, OF_ONE_COMPONENT).await })
            })
            .await?;
        for row in rows {
            let key = row.fact_key;
            let steps = json(&row.steps, "steps", key)?;
            let finding = finding(row)?;
            if is_called(&finding, vulnerability) {
                return self.explained(caller, finding, steps).await;
            }
        }
        Err(Error::not_found("finding", format!("{vulnerability} in {purl} of {target}")))
    }
}

impl Findings {
    async fn explained(
        &self,
        caller: &Caller,
        finding: Finding,
        steps: Vec<ExplainStep>,
    ) -> Result<Explanation, Error> {
        let tenant = caller.tenant.clone();
        let mut one = [finding];
        let [finding] = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    epss::note(tx, tenant.as_str(), &mut one).await?;
                    Ok(one)
                })
            })
            .await?;
        Ok(Explanation { finding, steps })
    }
}

/// Whether the finding's vulnerability goes by this name: its id, another of its names or a record's id.
fn is_called(finding: &Finding, name: &str) -> bool {
    let names = finding.aliases.iter().chain(&finding.record_ids).chain([&finding.vulnerability_id]);
    names.into_iter().any(|known| known.eq_ignore_ascii_case(name.trim()))
}

async fn run_of(tx: &mut Tx, tenant: &Tenant, filter: &FindingFilter) -> Result<Option<RunRow>, Error> {
    let Some(run_id) = &filter.run else { return Ok(None) };
    let run = runs::get(tx, tenant, run_id).await?;
    run.map(Some).ok_or_else(|| Error::not_found("run", run_id))
}

fn wanted(tenant: &Tenant, filter: &FindingFilter, run: Option<&RunRow>) -> Result<Wanted, Error> {
    let part = filter.q.as_deref().map(str::trim).filter(|part| !part.is_empty());
    if part.is_some_and(|part| part.chars().count() > PART_MAX) {
        return Err(Error::invalid("q", format!("look for at most {PART_MAX} characters")));
    }
    let few = filter.target.is_some() || run.is_some_and(|run| run.candidates <= FEW_TARGETS);
    Ok(Wanted {
        tenant: tenant.clone(),
        moment: run.map_or(Moment::Latest, |run| Moment::Run(run.run_key)),
        way: if few { Way::Targets } else { Way::Facts },
        target_key: filter.target.as_ref().map(|target| key_of_uuid(target.uuid())),
        places: filter.severity.map(|severity| {
            let from = worst_place(severity);
            (from, from + PLACES_PER_SEVERITY)
        }),
        kev: filter.kev,
        status: filter.status,
        verdict: filter.verdict,
        quieted: filter.quieted,
        part: part.map(escaped),
        purl: None,
    })
}

/// In lower case, with the wildcards of `like` taken literally.
fn escaped(part: &str) -> String {
    let lower = part.to_lowercase();
    let mut escaped = String::with_capacity(lower.len());
    for letter in lower.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// How many match. Without further filters the evaluations themselves kept the sums.
async fn total(tx: &mut Tx, wanted: &Wanted, run: Option<&RunRow>) -> Result<Option<i64>, LedgerError> {
    let is_plain = wanted.target_key.is_none()
        && wanted.kev.is_none()
        && wanted.status.is_none()
        && wanted.verdict.is_none()
        && wanted.quieted.is_none()
        && wanted.part.is_none();
    let critical = worst_place(Severity::Critical);
    match (run, wanted.places) {
        (Some(run), None) if is_plain => Ok(Some(run.findings)),
        (None, None) if is_plain => Ok(Some(finding_lists::latest_totals(tx, &wanted.tenant).await?.0)),
        (None, Some((from, _))) if is_plain && from == critical => {
            Ok(Some(finding_lists::latest_totals(tx, &wanted.tenant).await?.1))
        }
        (Some(_) | None, Some(_) | None) => finding_lists::total(tx, wanted).await,
    }
}

fn word<T: FromStr>(text: &str, column: &'static str, key: i64) -> Result<T, LedgerError> {
    text.parse().map_err(|_| LedgerError::corrupt("finding_facts", column, key))
}

fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &'static str,
    key: i64,
) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|_| LedgerError::corrupt("finding_facts", column, key))
}

fn finding(row: FindingRow) -> Result<Finding, LedgerError> {
    let key = row.fact_key;
    Ok(Finding {
        target_id: word(&row.target_id, "target_id", key)?,
        target_name: row.target_name,
        target_version: row.target_version,
        purl: row.purl,
        vulnerability_id: row.vulnerability_id,
        record_ids: json(&row.record_ids, "record_ids", key)?,
        aliases: json(&row.aliases, "aliases", key)?,
        severity: word(&row.severity, "severity", key)?,
        score: row.score,
        vector: row.vector,
        kev: row.kev != 0,
        epss: None,
        epss_percentile: None,
        status: word(&row.status, "status", key)?,
        quieted: row.quieted != 0,
        verdict: row.verdict.map(|text| word(&text, "verdict", key)).transpose()?,
        rule: row.rule,
        fixed_version: row.fixed_version,
        summary: row.summary,
        first_run_id: word(&row.first_run_id, "first_run_id", key)?,
        first_seen_at: Micros(row.first_seen_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_taken_literally() {
        assert_eq!(escaped(r"Lib_100%\x"), r"lib\_100\%\\x");
    }
}
