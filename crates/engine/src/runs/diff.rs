//! A run held against another (spec 05, run diff): inputs, segments place by place, findings that differ.

use crate::caller::Caller;
use crate::error::Error;
use crate::page;
use crate::runs::{Runs, find, view};
use std::collections::HashMap;
use std::str::FromStr;
use stella_contract::error::Code;
use stella_contract::finding::{FindingStatus, Severity};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::run_diff::{
    DiffQuery, DifferenceKind, DifferenceTally, FindingPair, FindingSide, InputPair, RunDiff, SegmentPair,
    SegmentSide, SegmentTally, TargetTally,
};
use stella_contract::scope::Scope;
use stella_ledger::run_diffs::{self, DifferenceRow};
use stella_ledger::runs::{self, RunRow};
use stella_ledger::segments::{self, SegmentRow};
use stella_ledger::{LedgerError, Tx};

impl Runs {
    /// The run and the one it is held against, in short.
    pub async fn diff(&self, caller: &Caller, run_id: &RunId, query: &DiffQuery) -> Result<RunDiff, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, run_id, query) = (caller.tenant.clone(), run_id.clone(), query.clone());
        let now = self.engine.now();
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let (run, against) = both(tx, &tenant, &run_id, &query).await?;
                let pair = (run.run_key, against.run_key);
                let inputs = inputs(&facts(tx, &run).await?, &facts(tx, &against).await?);
                Ok(RunDiff {
                    inputs,
                    segments: segment_tally(tx, pair).await?,
                    targets: target_tally(tx, pair).await?,
                    findings: finding_tally(tx, pair).await?,
                    run: view::read(tx, &run, now).await?,
                    against: view::read(tx, &against, now).await?,
                })
            })
        });
        read.await
    }

    /// The segments of both, by shard and place.
    pub async fn diff_segments(
        &self,
        caller: &Caller,
        run_id: &RunId,
        query: &DiffQuery,
        paging: &PageQuery,
    ) -> Result<Page<SegmentPair>, Error> {
        caller.demand(Scope::RunsRead)?;
        let key = (run_id, query);
        let after: Option<(i64, i64)> = page::after(&key, paging)?;
        let (tenant, wanted, against) = (caller.tenant.clone(), run_id.clone(), query.clone());
        let limit = i64::from(paging.size()) + 1;
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let (run, against) = both(tx, &tenant, &wanted, &against).await?;
                let pair = (run.run_key, against.run_key);
                let places = run_diffs::places(tx, pair, after, limit).await?;
                let mut mine = at_places(tx, run.run_key, &places).await?;
                let mut theirs = at_places(tx, against.run_key, &places).await?;
                let pairs = places.iter().map(|place| segment_pair(*place, &mut mine, &mut theirs));
                pairs.collect::<Result<Vec<_>, Error>>()
            })
        });
        page::of(&key, paging, read.await?, None, |pair| (i64::from(pair.shard), i64::from(pair.ordinal)))
    }

    /// The findings that differ on the targets that both evaluated, worst first.
    pub async fn diff_findings(
        &self,
        caller: &Caller,
        run_id: &RunId,
        query: &DiffQuery,
        paging: &PageQuery,
    ) -> Result<Page<FindingPair>, Error> {
        caller.demand(Scope::RunsRead)?;
        let key = (run_id, query);
        let after: Option<run_diffs::After> = page::after(&key, paging)?;
        let (tenant, wanted, against) = (caller.tenant.clone(), run_id.clone(), query.clone());
        let limit = i64::from(paging.size()) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let (run, against) = both(tx, &tenant, &wanted, &against).await?;
                let pair = (run.run_key, against.run_key);
                let total = finding_tally(tx, pair).await?.total();
                Ok((run_diffs::findings(tx, pair, after.as_ref(), limit).await?, total))
            })
        });
        let (rows, total) = read.await?;
        let page = page::of(&key, paging, rows, u64::try_from(total).ok(), |row| {
            (row.place, row.vulnerability_id.clone(), row.purl.clone(), row.target_key)
        })?;
        let items = page.items.into_iter().map(finding_pair);
        Ok(Page {
            items: items.collect::<Result<Vec<_>, LedgerError>>()?,
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }
}

async fn both(
    tx: &mut Tx,
    tenant: &Tenant,
    run_id: &RunId,
    query: &DiffQuery,
) -> Result<(RunRow, RunRow), Error> {
    let run = find(tx, tenant, run_id).await?;
    let against = match &query.against {
        Some(against) => Some(find(tx, tenant, against).await?),
        None => runs::last_good_before(tx, &run).await?,
    };
    let nothing = || {
        let sentence = format!(
            "No earlier run over the scope of `{run_id}` completed in its mode. Name the run to hold it against."
        );
        Error::new(Code::NotFound, sentence)
    };
    Ok((run, against.ok_or_else(nothing)?))
}

/// What went into a run, in words and in order.
type Facts = Vec<(&'static str, Option<String>)>;

async fn facts(tx: &mut Tx, run: &RunRow) -> Result<Facts, Error> {
    let wish = &run.wish;
    let feeds = segments::feed_generations(tx, run.run_key).await?;
    let limits = if run.limits.is_empty() { "none".to_owned() } else { run.limits.join("; ") };
    Ok(vec![
        ("mode", Some(wish.mode.to_string())),
        ("scope", Some(wish.scope.to_string())),
        ("scope digest", Some(wish.scope_digest.clone())),
        ("only failed targets", Some(if wish.only_failed { "yes" } else { "no" }.to_owned())),
        ("targets", Some(run.candidates.to_string())),
        ("impact index generation", Some(run.impact_index_generation.to_string())),
        ("feed generation", span(feeds)),
        ("exploited list", run.kev_released.clone()),
        ("policy revision", wish.policy_revision.map(|revision| revision.to_string())),
        ("policy snapshot", wish.policy_snapshot_id.as_ref().map(ToString::to_string)),
        ("planner shards", Some(wish.planner_shard_count.to_string())),
        ("targets per segment", Some(wish.segment_size.to_string())),
        ("priority", Some(wish.priority.to_string())),
        ("exploited first", Some(if wish.kev_first { "yes" } else { "no" }.to_owned())),
        // Before it is planned nobody looked.
        ("limits in force", run.planned_at.map(|_| limits)),
    ])
}

/// The feeds may move on while a run goes: then it is a span of them.
fn span(generations: Option<(i64, i64)>) -> Option<String> {
    match generations? {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first} to {last}")),
    }
}

fn inputs(run: &Facts, against: &Facts) -> Vec<InputPair> {
    let pairs = run.iter().zip(against);
    pairs
        .map(|((name, run), (_, against))| InputPair {
            name: (*name).to_owned(),
            run: run.clone(),
            against: against.clone(),
        })
        .collect()
}

async fn segment_tally(tx: &mut Tx, pair: run_diffs::Pair) -> Result<SegmentTally, LedgerError> {
    let counts = run_diffs::segment_counts(tx, pair).await?;
    Ok(SegmentTally {
        same: counts.same,
        differing: counts.differing,
        only_run: counts.only_run,
        only_against: counts.only_against,
    })
}

async fn target_tally(tx: &mut Tx, pair: run_diffs::Pair) -> Result<TargetTally, LedgerError> {
    let counts = run_diffs::target_counts(tx, pair).await?;
    Ok(TargetTally {
        both: counts.of_both,
        only_run: counts.of_run - counts.of_both,
        only_against: counts.of_against - counts.of_both,
    })
}

async fn finding_tally(tx: &mut Tx, pair: run_diffs::Pair) -> Result<DifferenceTally, LedgerError> {
    let counts = run_diffs::finding_counts(tx, pair).await?;
    Ok(DifferenceTally { appeared: counts.appeared, gone: counts.gone, changed: counts.changed })
}

type ByPlace = HashMap<(i64, i64), SegmentRow>;

async fn at_places(tx: &mut Tx, run_key: i64, places: &[(i64, i64)]) -> Result<ByPlace, LedgerError> {
    let rows = segments::at_places(tx, run_key, places).await?;
    Ok(rows.into_iter().map(|row| ((i64::from(row.shard), i64::from(row.ordinal)), row)).collect())
}

fn segment_pair(place: (i64, i64), mine: &mut ByPlace, theirs: &mut ByPlace) -> Result<SegmentPair, Error> {
    let small = |number| i32::try_from(number).map_err(Error::internal);
    Ok(SegmentPair {
        shard: small(place.0)?,
        ordinal: small(place.1)?,
        run: mine.remove(&place).map(segment_side).transpose()?,
        against: theirs.remove(&place).map(segment_side).transpose()?,
    })
}

fn segment_side(row: SegmentRow) -> Result<SegmentSide, Error> {
    let corrupt = |column| LedgerError::corrupt("segments", column, &row.segment_id);
    Ok(SegmentSide {
        segment_id: row.segment_id.parse().map_err(|_| corrupt("segment_id"))?,
        state: row.state,
        target_count: row.target_count,
        attempt: i32::try_from(row.attempt).map_err(|_| corrupt("attempt"))?,
        retry_count: i32::try_from(row.retry_count).map_err(|_| corrupt("retry_count"))?,
        duration_ms: row.started_at.zip(row.ended_at).map(|(from, until)| until.ms_since(from)),
        output_digest: row.output_digest,
    })
}

fn finding_pair(row: DifferenceRow) -> Result<FindingPair, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("finding_facts", column, row.target_key);
    let run = row.run_fact.map(|_| Said {
        severity: row.run_severity.as_deref(),
        score: row.run_score,
        kev: row.run_kev,
        status: row.run_status.as_deref(),
        quieted: row.run_quieted,
        fixed_version: row.run_fixed_version.as_deref(),
    });
    let against = row.against_fact.map(|_| Said {
        severity: row.against_severity.as_deref(),
        score: row.against_score,
        kev: row.against_kev,
        status: row.against_status.as_deref(),
        quieted: row.against_quieted,
        fixed_version: row.against_fixed_version.as_deref(),
    });
    let kind = match (&run, &against) {
        (Some(_), Some(_)) => DifferenceKind::Changed,
        (Some(_), None) => DifferenceKind::Appeared,
        (None, Some(_)) => DifferenceKind::Gone,
        (None, None) => return Err(corrupt("fact_key")),
    };
    Ok(FindingPair {
        kind,
        run: run.map(|said| said.side(row.target_key)).transpose()?,
        against: against.map(|said| said.side(row.target_key)).transpose()?,
        target_id: row.target_id.parse().map_err(|_| corrupt("target_id"))?,
        target_name: row.target_name,
        target_version: row.target_version,
        purl: row.purl,
        vulnerability_id: row.vulnerability_id,
    })
}

/// What the columns of one side hold.
struct Said<'a> {
    severity: Option<&'a str>,
    score: Option<f64>,
    kev: Option<i64>,
    status: Option<&'a str>,
    quieted: Option<i64>,
    fixed_version: Option<&'a str>,
}

impl Said<'_> {
    fn side(&self, target_key: i64) -> Result<FindingSide, LedgerError> {
        Ok(FindingSide {
            severity: word::<Severity>(self.severity, "severity", target_key)?,
            score: self.score,
            kev: self.kev == Some(1),
            status: word::<FindingStatus>(self.status, "status", target_key)?,
            quieted: self.quieted == Some(1),
            fixed_version: self.fixed_version.map(str::to_owned),
        })
    }
}

fn word<T: FromStr>(text: Option<&str>, column: &'static str, key: i64) -> Result<T, LedgerError> {
    let read = text.and_then(|text| text.parse().ok());
    read.ok_or_else(|| LedgerError::corrupt("finding_facts", column, key))
}
