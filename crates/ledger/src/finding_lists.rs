//! Lists of findings and of changes, page by page, worst first.
//!
//! There are two ways to the same rows. The facts of a tenant lie worst first in an index, so that a long list is read
//! from its front without sorting. A short list is read by its targets and sorted.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::finding::FindingStatus;
use stella_contract::ids::Tenant;
use stella_contract::policy::Verdict;

/// A finding with its target, as it is kept.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct FindingRow {
    pub fact_key: i64,
    pub line_key: i64,
    pub place: i64,
    pub purl: String,
    pub vulnerability_id: String,
    pub severity: String,
    pub score: Option<f64>,
    pub vector: Option<String>,
    pub kev: i64,
    pub status: String,
    pub quieted: i64,
    pub fixed_version: Option<String>,
    pub summary: Option<String>,
    pub record_ids: String,
    pub aliases: String,
    pub steps: String,
    pub verdict: Option<String>,
    pub rule: Option<String>,
    pub target_key: i64,
    pub target_id: String,
    pub target_name: String,
    pub target_version: String,
    pub first_run_id: String,
    pub first_seen_at: i64,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Place of the last fact.
    pub place: i64,
    /// Its vulnerability.
    pub vulnerability_id: String,
    /// Its component.
    pub purl: String,
    /// Its key.
    pub fact_key: i64,
    /// The line of the last finding.
    pub line_key: i64,
}

/// As which moment left the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The last evaluation of each target.
    Latest,
    /// The evaluations of this run.
    Run(i64),
}

/// The way to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the facts, worst first.
    Facts,
    /// From the targets, then sorted.
    Targets,
}

/// Which findings a list wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose.
    pub tenant: Tenant,
    /// As of when.
    pub moment: Moment,
    /// How to get there.
    pub way: Way,
    /// Of this target only.
    pub target_key: Option<i64>,
    /// Places from here up to there.
    pub places: Option<(i64, i64)>,
    /// Exploited ones only, or others only.
    pub kev: Option<bool>,
    /// Of this status only.
    pub status: Option<FindingStatus>,
    /// With this verdict only.
    pub verdict: Option<Verdict>,
    /// Suppressed ones only, or others only.
    pub quieted: Option<bool>,
    /// Part of purl, vulnerability or target's name, in lower case, with the wildcards of `like` escaped by `\`.
    pub part: Option<String>,
    /// In exactly this component.
    pub purl: Option<String>,
}

const SELECT: &str = "select fact.fact_key, target_lines.line_key, fact.place, fact.purl, fact.vulnerability_id, fact.severity,
    fact.score, fact.vector, fact.kev, fact.status, fact.quieted, fact.fixed_version, fact.summary, fact.record_ids,
    fact.aliases, fact.steps, fact.verdict, fact.rule, targets.target_key, targets.target_id, targets.name as target_name, targets.version as target_version,
    runs.run_id as first_run_id, findings.first_seen_at";

/// Goes on with the tables in the order of the way. SQLite keeps the order of a `cross join`; Postgres looks for itself.
fn push_from(query: &mut Query, tx: &Tx, wanted: &Wanted) {
    let postgres = tx.is_postgres();
    match (wanted.way, postgres) {
        (Way::Facts, false) => query.push(
            " from finding_facts as fact
            cross join findings on findings.fact_key = fact.fact_key
            cross join target_lines on target_lines.line_key = findings.line_key",
        ),
        (Way::Targets, false) => query.push(
            " from target_lines
            cross join findings on findings.line_key = target_lines.line_key
            cross join finding_facts as fact on fact.fact_key = findings.fact_key",
        ),
        (Way::Facts | Way::Targets, true) => query.push(
            " from finding_facts as fact
            join findings on findings.fact_key = fact.fact_key
            join target_lines on target_lines.line_key = findings.line_key",
        ),
    };
    if let Moment::Run(_) = wanted.moment {
        query.push(match (wanted.way, postgres) {
            (Way::Facts, false) => " cross join run_targets on run_targets.line_key = target_lines.line_key",
            (Way::Targets, _) | (Way::Facts, true) => {
                " join run_targets on run_targets.line_key = target_lines.line_key"
            }
        });
    }
}

fn push_where(query: &mut Query, wanted: &Wanted) {
    query.push(" where fact.tenant = ").bind(wanted.tenant.as_str());
    query.push(" and target_lines.tenant = ").bind(wanted.tenant.as_str());
    match wanted.moment {
        Moment::Latest => {
            query.push(" and findings.closed is null and target_lines.latest = 1");
        }
        Moment::Run(run_key) => {
            query.push(
                " and findings.opened <= run_targets.evaluation
                and (findings.closed is null or findings.closed > run_targets.evaluation)
                and run_targets.run_key = ",
            );
            query.bind(run_key);
        }
    }
    if let Some(target_key) = wanted.target_key {
        query.push(" and target_lines.target_key = ").bind(target_key);
    }
    if let Some((from, to)) = wanted.places {
        query.push(" and fact.place >= ").bind(from).push(" and fact.place < ").bind(to);
    }
    if let Some(kev) = wanted.kev {
        query.push(" and fact.kev = ").bind(i64::from(kev));
    }
    if let Some(status) = wanted.status {
        query.push(" and fact.status = ").bind(status.as_str());
    }
    if let Some(verdict) = wanted.verdict {
        query.push(" and fact.verdict = ").bind(verdict.as_str());
    }
    if let Some(quieted) = wanted.quieted {
        query.push(" and fact.quieted = ").bind(i64::from(quieted));
    }
    if let Some(part) = &wanted.part {
        // Facts and targets are far fewer than findings, so both are searched once, beforehand.
        let part = format!("%{part}%");
        query.push(" and (fact.fact_key in (select fact_key from finding_facts where tenant = ");
        query.bind(wanted.tenant.as_str()).push(" and (lower(purl) like ").bind(part.as_str());
        query.push(" escape '\\' or lower(vulnerability_id) like ").bind(part.as_str());
        query.push(
            " escape '\\')) or target_lines.target_key in (select target_key from targets where tenant = ",
        );
        query.bind(wanted.tenant.as_str()).push(" and lower(name) like ").bind(part).push(" escape '\\'))");
    }
    if let Some(purl) = &wanted.purl {
        query.push(" and fact.purl = ").bind(purl.as_str());
    }
}

/// Findings after this place: worst first, then by vulnerability, component and target.
pub async fn page(
    tx: &mut Tx,
    wanted: &Wanted,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<FindingRow>, LedgerError> {
    paging(tx, wanted, after, limit).fetch_all(tx).await
}

fn paging(tx: &Tx, wanted: &Wanted, after: Option<&After>, limit: i64) -> Query {
    let mut query = Query::new(SELECT);
    push_from(&mut query, tx, wanted);
    query.push(
        " join targets on targets.target_key = target_lines.target_key
        join runs on runs.run_key = findings.first_run_key",
    );
    push_where(&mut query, wanted);
    if let Some(after) = after {
        // The first comparison repeats the second as far as one index reaches.
        query
            .push(" and (fact.place, fact.vulnerability_id, fact.purl, fact.fact_key) >= (")
            .bind(after.place);
        query.push(", ").bind(after.vulnerability_id.as_str()).push(", ").bind(after.purl.as_str());
        query.push(", ").bind(after.fact_key);
        query.push(") and (fact.fact_key <> ").bind(after.fact_key);
        query.push(" or findings.line_key > ").bind(after.line_key).push(")");
    }
    query.push(
        " order by fact.place, fact.vulnerability_id, fact.purl, fact.fact_key, findings.line_key
        limit ",
    );
    query.bind(limit);
    query
}

/// How many findings are wanted, as far as a list counts.
pub async fn total(tx: &mut Tx, wanted: &Wanted) -> Result<Option<i64>, LedgerError> {
    counting(tx, wanted).fetch_total(tx).await
}

fn counting(tx: &Tx, wanted: &Wanted) -> Query {
    let mut query = Query::new("select 1");
    push_from(&mut query, tx, wanted);
    push_where(&mut query, wanted);
    query
}

/// The sums that the evaluations themselves kept: all findings and critical ones of the latest evaluations.
pub async fn latest_totals(tx: &mut Tx, tenant: &Tenant) -> Result<(i64, i64), LedgerError> {
    let mut query = Query::new(
        "select cast(coalesce(sum(findings), 0) as bigint), cast(coalesce(sum(critical), 0) as bigint)
        from target_lines
        where latest = 1 and tenant = ",
    );
    query.bind(tenant.as_str());
    Ok(query.fetch_optional(tx).await?.unwrap_or_default())
}

/// A change with its target, as it is kept.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct ChangeRow {
    pub fact_key: i64,
    pub line_key: i64,
    pub place: i64,
    pub purl: String,
    pub vulnerability_id: String,
    pub severity: String,
    pub severity_before: Option<String>,
    pub kev: i64,
    pub target_id: String,
    pub target_name: String,
    pub target_version: String,
}

/// Changes of one kind in a run after this place, worst first.
pub async fn changes(
    tx: &mut Tx,
    tenant: &Tenant,
    run: (i64, i64),
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<ChangeRow>, LedgerError> {
    let (run_key, kind) = run;
    let mut query = Query::new(
        "select fact.fact_key, target_lines.line_key, fact.place, fact.purl, fact.vulnerability_id, fact.severity,
            before.severity as severity_before, fact.kev, targets.target_id, targets.name as target_name,
            targets.version as target_version
        from finding_facts as fact",
    );
    query.push(if tx.is_postgres() { " join" } else { " cross join" });
    query.push(
        " finding_changes as change on change.fact_key = fact.fact_key
        join target_lines on target_lines.line_key = change.line_key
        join targets on targets.target_key = target_lines.target_key
        left join finding_facts as before on before.fact_key = change.fact_before
        where change.run_key = ",
    );
    query.bind(run_key).push(" and change.kind = ").bind(kind);
    query.push(" and fact.tenant = ").bind(tenant.as_str());
    if let Some(after) = after {
        query
            .push(" and (fact.place, fact.vulnerability_id, fact.purl, fact.fact_key) >= (")
            .bind(after.place);
        query.push(", ").bind(after.vulnerability_id.as_str()).push(", ").bind(after.purl.as_str());
        query.push(", ").bind(after.fact_key);
        query.push(") and (fact.fact_key <> ").bind(after.fact_key);
        query.push(" or change.line_key > ").bind(after.line_key).push(")");
    }
    query.push(
        " order by fact.place, fact.vulnerability_id, fact.purl, fact.fact_key, change.line_key
        limit ",
    );
    query.bind(limit);
    query.fetch_all(tx).await
}

/// How many changes of each kind a run made.
pub async fn change_counts(tx: &mut Tx, run_key: i64) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut query = Query::new("select kind, count(*) from finding_changes where run_key = ");
    query.bind(run_key).push(" group by kind order by kind");
    query.fetch_all(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::plan_on_sqlite;

    fn wanted(moment: Moment) -> Wanted {
        Wanted {
            tenant: "acme".parse().unwrap(),
            moment,
            way: Way::Facts,
            target_key: None,
            places: None,
            kev: None,
            status: None,
            verdict: None,
            quieted: None,
            part: None,
            purl: None,
        }
    }

    #[tokio::test]
    async fn a_long_list_is_read_from_its_front_and_never_sorted() {
        let after = After {
            place: 1,
            vulnerability_id: String::new(),
            purl: String::new(),
            fact_key: 1,
            line_key: 1,
        };
        for moment in [Moment::Latest, Moment::Run(1)] {
            for after in [None, Some(after.clone())] {
                let plan =
                    plan_on_sqlite(move |tx| Ok(paging(tx, &wanted(moment), after.as_ref(), 50))).await;
                assert!(plan.contains("finding_facts_order"), "{plan}");
                assert!(plan.contains("findings_fact (fact_key=?"), "{plan}");
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
            }
        }
    }

    #[tokio::test]
    async fn findings_of_one_verdict_are_read_from_their_own_front() {
        let wanted = Wanted { verdict: Some(Verdict::Block), ..wanted(Moment::Latest) };
        let plan = plan_on_sqlite(move |tx| Ok(paging(tx, &wanted, None, 50))).await;
        assert!(plan.contains("finding_facts_verdict"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
    }

    #[tokio::test]
    async fn a_count_reads_findings_from_the_index_alone() {
        let plan = plan_on_sqlite(|tx| Ok(counting(tx, &wanted(Moment::Latest)))).await;
        assert!(plan.contains("SEARCH findings USING COVERING INDEX findings_fact"), "{plan}");
    }
}
