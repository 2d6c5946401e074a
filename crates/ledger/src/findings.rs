//! Findings: facts kept once per wording, and for how long each held for which target.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use serde::Serialize;
use sqlx::FromRow;
use stella_contract::time::Micros;

/// Rows handed to one statement.
const CHUNK: usize = 5_000;

/// What can be said of one vulnerability in one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewFact {
    /// SHA-256 of all of it.
    pub digest: String,
    /// The component.
    pub purl: String,
    /// The vulnerability.
    pub vulnerability_id: String,
    /// Sorts worst first.
    pub place: i64,
    /// How bad, in words.
    pub severity: &'static str,
    /// How bad, 0 to 10.
    pub score: Option<f64>,
    /// The vector that was scored.
    pub vector: Option<String>,
    /// Whether it is known to be exploited.
    pub kev: i64,
    /// What is known after VEX.
    pub status: &'static str,
    /// Whether VEX or policy suppresses it.
    pub quieted: i64,
    /// What policy says.
    pub verdict: Option<&'static str>,
    /// The rule that says so.
    pub rule: Option<String>,
    /// The smallest fixed version above.
    pub fixed_version: Option<String>,
    /// One line of the advisory.
    pub summary: Option<String>,
    /// The records that say so, as a JSON list.
    pub record_ids: String,
    /// Other names, as a JSON list.
    pub aliases: String,
    /// Why it stands, as a JSON list.
    pub steps: String,
}

/// Keeps facts that are not there yet.
pub async fn intern(tx: &mut Tx, tenant: &str, facts: &[NewFact]) -> Result<(), LedgerError> {
    for part in facts.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into finding_facts (tenant, digest, purl, vulnerability_id, place, severity, score, vector, kev, status,
                quieted, fixed_version, summary, record_ids, aliases, steps, verdict, rule)
            select ",
        );
        query.bind(tenant).push(
            ", r.value ->> 'digest', r.value ->> 'purl', r.value ->> 'vulnerability_id',
                cast(r.value ->> 'place' as bigint), r.value ->> 'severity',
                cast(r.value ->> 'score' as double precision), r.value ->> 'vector',
                cast(r.value ->> 'kev' as bigint), r.value ->> 'status', cast(r.value ->> 'quieted' as bigint),
                r.value ->> 'fixed_version', r.value ->> 'summary', r.value ->> 'record_ids', r.value ->> 'aliases',
                r.value ->> 'steps', r.value ->> 'verdict', r.value ->> 'rule'
            from ",
        );
        rows::push(&mut query, tx, part)?;
        // SQLite needs a condition to tell the conflict clause from a join.
        query.push(" where true on conflict (tenant, digest) do nothing");
        query.execute(tx).await?;
    }
    Ok(())
}

/// Goes on with the values of a list of lists of one, for `in`.
fn push_in<T: Serialize>(query: &mut Query, tx: &Tx, values: &[[T; 1]]) -> Result<(), LedgerError> {
    query.push("(select cast(r.value ->> 0 as bigint) from ");
    rows::push(query, tx, values)?;
    query.push(")");
    Ok(())
}

fn each<T: Copy>(values: &[T]) -> Vec<[T; 1]> {
    values.iter().map(|value| [*value]).collect()
}

/// The keys of facts by their digests.
pub async fn keys_of(tx: &mut Tx, tenant: &str, digests: &[&str]) -> Result<Vec<(String, i64)>, LedgerError> {
    let mut keys = Vec::with_capacity(digests.len());
    for part in each(digests).chunks(CHUNK) {
        let mut query = Query::new("select digest, fact_key from finding_facts where tenant = ");
        query.bind(tenant).push(" and digest in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, part)?;
        query.push(")");
        keys.extend(query.fetch_all::<(String, i64)>(tx).await?);
    }
    Ok(keys)
}

/// What a comparison needs of a fact.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct StandingRow {
    /// The fact.
    pub fact_key: i64,
    /// The component.
    pub purl: String,
    /// The vulnerability.
    pub vulnerability_id: String,
    /// How bad, in words.
    pub severity: String,
    /// Whether it is known to be exploited.
    pub kev: i64,
    /// Whether VEX or policy suppresses it.
    pub quieted: i64,
}

/// What a comparison needs of these facts.
pub async fn standings(tx: &mut Tx, fact_keys: &[i64]) -> Result<Vec<StandingRow>, LedgerError> {
    let mut found = Vec::with_capacity(fact_keys.len());
    for part in each(fact_keys).chunks(CHUNK) {
        let mut query = Query::new(
            "select fact_key, purl, vulnerability_id, severity, kev, quieted from finding_facts where fact_key in ",
        );
        push_in(&mut query, tx, part)?;
        found.extend(query.fetch_all::<StandingRow>(tx).await?);
    }
    Ok(found)
}

/// A finding that holds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OpenRow {
    /// The row's key.
    pub finding_key: i64,
    /// The line it is of.
    pub line_key: i64,
    /// The fact that holds.
    pub fact_key: i64,
    /// The run that first saw it.
    pub first_run_key: i64,
    /// When that was.
    pub first_seen_at: i64,
}

/// The findings that hold for these lines.
pub async fn open(tx: &mut Tx, line_keys: &[i64]) -> Result<Vec<OpenRow>, LedgerError> {
    let mut found = Vec::new();
    for part in each(line_keys).chunks(CHUNK) {
        let mut query = Query::new(
            "select finding_key, line_key, fact_key, first_run_key, first_seen_at
            from findings
            where closed is null and line_key in ",
        );
        push_in(&mut query, tx, part)?;
        found.extend(query.fetch_all::<OpenRow>(tx).await?);
    }
    Ok(found)
}

/// A fact that begins to hold: line, fact, evaluation, first run, first time.
pub type Opened = (i64, i64, i64, i64, i64);

/// Writes findings that begin to hold.
pub async fn open_many(tx: &mut Tx, findings: &[Opened]) -> Result<(), LedgerError> {
    for part in findings.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into findings (line_key, fact_key, opened, first_run_key, first_seen_at)
            select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint),
                cast(r.value ->> 3 as bigint), cast(r.value ->> 4 as bigint)
            from ",
        );
        rows::push(&mut query, tx, part)?;
        query.execute(tx).await?;
    }
    Ok(())
}

/// Ends findings: key and the evaluation from which each no longer holds.
pub async fn close_many(tx: &mut Tx, findings: &[(i64, i64)]) -> Result<(), LedgerError> {
    for part in findings.chunks(CHUNK) {
        let mut query = Query::new("update findings set closed = cast(r.value ->> 1 as bigint) from ");
        rows::push(&mut query, tx, part)?;
        query.push(" where finding_key = cast(r.value ->> 0 as bigint)");
        query.execute(tx).await?;
    }
    Ok(())
}

/// What an evaluation left of one target.
#[derive(Debug, Clone, Copy)]
pub struct Evaluated {
    /// The line it was of.
    pub line_key: i64,
    /// The target.
    pub target_key: i64,
    /// The number of the evaluation.
    pub evaluation: i64,
    /// Findings that hold now.
    pub findings: i64,
    /// Critical ones among them.
    pub critical: i64,
}

/// The run under which targets were evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Under<'a> {
    /// Its key.
    pub run_key: i64,
    /// Its public id.
    pub run_id: &'a str,
    /// The index it used.
    pub index_generation: i64,
}

/// Writes down that targets were evaluated: their line and their summary.
pub async fn evaluated_many(
    tx: &mut Tx,
    run: Under<'_>,
    targets: &[Evaluated],
    now: Micros,
) -> Result<(), LedgerError> {
    let list: Vec<_> = targets
        .iter()
        .map(|one| (one.line_key, one.target_key, one.evaluation, one.findings, one.critical))
        .collect();
    for part in list.chunks(CHUNK) {
        let mut lines = Query::new("update target_lines set latest = 1, run_key = ");
        lines.bind(run.run_key).push(", index_generation = ").bind(run.index_generation);
        lines.push(", evaluated_at = ").bind(now.0).push(
            ", evaluation = cast(r.value ->> 2 as bigint), findings = cast(r.value ->> 3 as bigint),
                critical = cast(r.value ->> 4 as bigint)
            from ",
        );
        rows::push(&mut lines, tx, part)?;
        lines.push(" where line_key = cast(r.value ->> 0 as bigint)");
        lines.execute(tx).await?;

        let mut others = Query::new("update target_lines set latest = 0 from ");
        rows::push(&mut others, tx, part)?;
        others.push(
            " where target_key = cast(r.value ->> 1 as bigint) and line_key <> cast(r.value ->> 0 as bigint)
                and latest = 1",
        );
        others.execute(tx).await?;

        let mut summary = Query::new("update targets set last_run_id = ");
        summary.bind(run.run_id).push(
            ", findings = cast(r.value ->> 3 as bigint), critical = cast(r.value ->> 4 as bigint)
            from ",
        );
        rows::push(&mut summary, tx, part)?;
        summary.push(" where target_key = cast(r.value ->> 1 as bigint)");
        summary.execute(tx).await?;
    }
    Ok(())
}

/// Notes which evaluation of each line was the run's: line and number.
pub async fn place_many(tx: &mut Tx, run_key: i64, lines: &[(i64, i64)]) -> Result<(), LedgerError> {
    let list: Vec<(i64, i64, i64)> = lines.iter().map(|(line, number)| (*line, *number, run_key)).collect();
    for part in list.chunks(CHUNK) {
        placing(tx, part)?.execute(tx).await?;
    }
    Ok(())
}

/// The run comes out of the list too: as a parameter it would lead SQLite through all targets of the run.
fn placing(tx: &Tx, list: &[(i64, i64, i64)]) -> Result<Query, LedgerError> {
    let mut query = Query::new("update run_targets set evaluation = cast(r.value ->> 1 as bigint) from ");
    rows::push(&mut query, tx, list)?;
    query.push(" where line_key = cast(r.value ->> 0 as bigint) and run_key = cast(r.value ->> 2 as bigint)");
    Ok(query)
}

/// A change to be kept: kind, fact, line, the fact before.
pub type NewChange = (i64, i64, i64, Option<i64>);

/// Writes what a run changed.
pub async fn change_many(tx: &mut Tx, run_key: i64, changes: &[NewChange]) -> Result<(), LedgerError> {
    for part in changes.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into finding_changes (run_key, kind, fact_key, line_key, fact_before)
            select cast(",
        );
        query.bind(run_key).push(
            " as bigint), cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint),
                cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint)
            from ",
        );
        rows::push(&mut query, tx, part)?;
        query.execute(tx).await?;
    }
    Ok(())
}

/// The components of targets: target and package.
pub async fn components(tx: &mut Tx, target_keys: &[i64]) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut found = Vec::new();
    for part in each(target_keys).chunks(CHUNK) {
        let mut query = Query::new("select target_key, package_key from components where target_key in ");
        push_in(&mut query, tx, part)?;
        query.push(" order by target_key, package_key");
        found.extend(query.fetch_all::<(i64, i64)>(tx).await?);
    }
    Ok(found)
}

/// The bodies of packages.
pub async fn packages(tx: &mut Tx, package_keys: &[i64]) -> Result<Vec<(i64, String)>, LedgerError> {
    let mut found = Vec::new();
    for part in each(package_keys).chunks(CHUNK) {
        let mut query = Query::new("select package_key, body from packages where package_key in ");
        push_in(&mut query, tx, part)?;
        found.extend(query.fetch_all::<(i64, String)>(tx).await?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::plan_on_sqlite;

    #[tokio::test]
    async fn a_target_is_noted_by_its_key_and_not_by_walking_the_run() {
        let plan = plan_on_sqlite(|tx| placing(tx, &[(1, 1, 1)])).await;
        assert!(plan.contains("SEARCH run_targets USING PRIMARY KEY (run_key=? AND line_key=?)"), "{plan}");
    }
}
