//! Two runs held against each other: their segments place by place, and the findings that differ on the targets that
//! both evaluated.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;

/// A run and the one it is held against, by their keys.
pub type Pair = (i64, i64);

/// A finding that differs.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(
    missing_docs,
    reason = "each field is the column its name says; `run_*` of the run, `against_*` of the other"
)]
pub struct DifferenceRow {
    pub place: i64,
    pub target_key: i64,
    pub target_id: String,
    pub target_name: String,
    pub target_version: String,
    pub purl: String,
    pub vulnerability_id: String,
    pub run_fact: Option<i64>,
    pub run_severity: Option<String>,
    pub run_score: Option<f64>,
    pub run_kev: Option<i64>,
    pub run_status: Option<String>,
    pub run_quieted: Option<i64>,
    pub run_fixed_version: Option<String>,
    pub against_fact: Option<i64>,
    pub against_severity: Option<String>,
    pub against_score: Option<f64>,
    pub against_kev: Option<i64>,
    pub against_status: Option<String>,
    pub against_quieted: Option<i64>,
    pub against_fixed_version: Option<String>,
}

/// Where a page of findings ended: place, vulnerability, component, target.
pub type After = (i64, String, String, i64);

/// The targets that each of the two evaluated, and which evaluation of them was theirs.
fn push_targets(query: &mut Query, pair: Pair) {
    let (run, against) = pair;
    query.push("with mine as (");
    push_evaluated(query, run);
    query.push("), theirs as (");
    push_evaluated(query, against);
    query.push(")");
}

fn push_evaluated(query: &mut Query, run_key: i64) {
    query.push(
        "select target_lines.target_key, run_targets.line_key, run_targets.evaluation
        from run_targets
        join target_lines on target_lines.line_key = run_targets.line_key
        where run_targets.evaluation is not null and run_targets.run_key = ",
    );
    query.bind(run_key);
}

/// Goes on with `paired`: per target, component and vulnerability the fact of each side, where the two are not the same.
fn push_paired(query: &mut Query) {
    query.push(
        ", sides as (
            select mine.target_key, findings.fact_key, 1 as side
            from mine
            join theirs on theirs.target_key = mine.target_key
            join findings on findings.line_key = mine.line_key
                and findings.opened <= mine.evaluation
                and (findings.closed is null or findings.closed > mine.evaluation)
            union all
            select theirs.target_key, findings.fact_key, 2 as side
            from theirs
            join mine on mine.target_key = theirs.target_key
            join findings on findings.line_key = theirs.line_key
                and findings.opened <= theirs.evaluation
                and (findings.closed is null or findings.closed > theirs.evaluation)
        ), alone as (
            select target_key, fact_key, min(side) as side
            from sides
            group by target_key, fact_key
            having count(*) = 1
        ), paired as (
            select alone.target_key, fact.purl, fact.vulnerability_id,
                max(case when alone.side = 1 then alone.fact_key end) as run_fact,
                max(case when alone.side = 2 then alone.fact_key end) as against_fact
            from alone
            join finding_facts as fact on fact.fact_key = alone.fact_key
            group by alone.target_key, fact.purl, fact.vulnerability_id
        )",
    );
}

/// Findings that differ after this place: worst first, then by vulnerability, component and target.
pub async fn findings(
    tx: &mut Tx,
    pair: Pair,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<DifferenceRow>, LedgerError> {
    let mut query = Query::new("");
    push_targets(&mut query, pair);
    push_paired(&mut query);
    query.push(
        ", shown as (
            select coalesce(mine.place, theirs.place) as place, paired.target_key, targets.target_id,
                targets.name as target_name, targets.version as target_version, paired.purl,
                paired.vulnerability_id, paired.run_fact, mine.severity as run_severity, mine.score as run_score,
                mine.kev as run_kev, mine.status as run_status, mine.quieted as run_quieted,
                mine.fixed_version as run_fixed_version, paired.against_fact, theirs.severity as against_severity,
                theirs.score as against_score, theirs.kev as against_kev, theirs.status as against_status,
                theirs.quieted as against_quieted, theirs.fixed_version as against_fixed_version
            from paired
            join targets on targets.target_key = paired.target_key
            left join finding_facts as mine on mine.fact_key = paired.run_fact
            left join finding_facts as theirs on theirs.fact_key = paired.against_fact
        )
        select * from shown",
    );
    if let Some((place, vulnerability_id, purl, target_key)) = after {
        query.push(" where (place, vulnerability_id, purl, target_key) > (").bind(*place);
        query.push(", ").bind(vulnerability_id.as_str()).push(", ").bind(purl.as_str());
        query.push(", ").bind(*target_key).push(")");
    }
    query.push(" order by place, vulnerability_id, purl, target_key limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many findings differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct FindingCounts {
    pub appeared: i64,
    pub gone: i64,
    pub changed: i64,
}

/// Counts the findings that differ.
pub async fn finding_counts(tx: &mut Tx, pair: Pair) -> Result<FindingCounts, LedgerError> {
    let mut query = Query::new("");
    push_targets(&mut query, pair);
    push_paired(&mut query);
    query.push(
        " select
            coalesce(sum(case when against_fact is null then 1 else 0 end), 0) as appeared,
            coalesce(sum(case when run_fact is null then 1 else 0 end), 0) as gone,
            coalesce(sum(case when run_fact is not null and against_fact is not null then 1 else 0 end), 0) as changed
        from paired",
    );
    Ok(query.fetch_optional(tx).await?.unwrap_or_default())
}

/// How many targets which of the two evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct TargetCounts {
    pub of_both: i64,
    pub of_run: i64,
    pub of_against: i64,
}

/// Counts the targets: of both, of each.
pub async fn target_counts(tx: &mut Tx, pair: Pair) -> Result<TargetCounts, LedgerError> {
    let mut query = Query::new("");
    push_targets(&mut query, pair);
    query.push(
        " select
            (select count(*) from mine where target_key in (select target_key from theirs)) as of_both,
            (select count(*) from mine) as of_run,
            (select count(*) from theirs) as of_against",
    );
    Ok(query.fetch_optional(tx).await?.unwrap_or_default())
}

/// How many places of both runs have which segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct SegmentCounts {
    pub same: i64,
    pub differing: i64,
    pub only_run: i64,
    pub only_against: i64,
}

/// Counts the segments of both by whether they left the same.
pub async fn segment_counts(tx: &mut Tx, pair: Pair) -> Result<SegmentCounts, LedgerError> {
    let (run, against) = pair;
    let mut query = Query::new(
        "with places as (
            select shard, ordinal, sum(case when run_key = ",
    );
    query.bind(run).push(" then 1 else 0 end) as mine, sum(case when run_key = ").bind(against);
    query.push(
        " then 1 else 0 end) as theirs,
                case when count(output_digest) = 2 and min(output_digest) = max(output_digest) then 1 else 0 end
                    as same
            from segments
            where run_key in ",
    );
    query.bind_list([run, against]).push(
        " group by shard, ordinal
        )
        select
            coalesce(sum(case when mine = 1 and theirs = 1 and same = 1 then 1 else 0 end), 0) as same,
            coalesce(sum(case when mine = 1 and theirs = 1 and same = 0 then 1 else 0 end), 0) as differing,
            coalesce(sum(case when theirs = 0 then 1 else 0 end), 0) as only_run,
            coalesce(sum(case when mine = 0 then 1 else 0 end), 0) as only_against
        from places",
    );
    Ok(query.fetch_optional(tx).await?.unwrap_or_default())
}

/// The places of both runs after this one, in the order of shard and ordinal.
pub async fn places(
    tx: &mut Tx,
    pair: Pair,
    after: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<(i64, i64)>, LedgerError> {
    let (shard, ordinal) = after.unwrap_or((-1, -1));
    let mut query = Query::new("select distinct shard, ordinal from segments where run_key in ");
    query.bind_list([pair.0, pair.1]);
    query.push(" and (shard, ordinal) > (").bind(shard).push(", ").bind(ordinal);
    query.push(") order by shard, ordinal limit ").bind(limit);
    query.fetch_all(tx).await
}
