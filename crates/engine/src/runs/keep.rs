//! What a segment's evaluation came to is kept in the transaction that completes its job: facts, findings, changes,
//! summaries of targets, counts of segment and run.

use crate::error::Error;
use crate::runs::facts::{Fact, Held, difference};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use stella_contract::delta::Deltas;
use stella_contract::finding::{ChangeKind, Severity};
use stella_contract::ids::Tenant;
use stella_contract::segment::SegmentState;
use stella_contract::time::Micros;
use stella_evaluator::Finding;
use stella_evaluator::delta::Standing;
use stella_ledger::findings::{self, Evaluated, NewChange, NewFact, Opened, Under};
use stella_ledger::runs::{self, Added, RunRow};
use stella_ledger::segments::{self, Left, PlaceRow};
use stella_ledger::{LedgerError, Tx};

/// One target after its evaluation.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    /// The target and its line of comparison.
    pub place: PlaceRow,
    /// What holds for it; `None` when it could not be evaluated.
    pub facts: Option<Vec<Arc<Fact>>>,
}

/// A segment's output as it is stored: equal evaluations give equal bytes. Each finding is said once; targets name
/// them by their place in the list.
#[derive(Debug, Serialize)]
pub(crate) struct Output<'a> {
    format: &'static str,
    findings: Vec<&'a Finding>,
    targets: Vec<OutputTarget<'a>>,
}

#[derive(Debug, Serialize)]
struct OutputTarget<'a> {
    digest: &'a str,
    evaluated: bool,
    findings: Vec<usize>,
}

impl<'a> Output<'a> {
    /// The output of these targets.
    pub(crate) fn of(scanned: &'a [Scanned]) -> Self {
        let facts = || scanned.iter().filter_map(|one| one.facts.as_ref());
        let said: BTreeMap<(&str, &str, &str), &Fact> =
            facts().flatten().map(|fact| (sort_key(fact), &**fact)).collect();
        let at: HashMap<&str, usize> =
            said.keys().enumerate().map(|(at, (_, _, digest))| (*digest, at)).collect();
        let targets = scanned.iter().map(|one| OutputTarget {
            digest: &one.place.digest,
            evaluated: one.facts.is_some(),
            findings: one.facts.iter().flatten().map(|fact| at[fact.row.digest.as_str()]).collect(),
        });
        Self {
            format: "stella.segment-output/1",
            targets: targets.collect(),
            findings: said.values().map(|fact| &fact.finding).collect(),
        }
    }
}

fn sort_key(fact: &Fact) -> (&str, &str, &str) {
    (&fact.row.purl, &fact.row.vulnerability_id, &fact.row.digest)
}

/// Keeps it all, unless the run ended before: then nothing of it counts.
pub(crate) async fn keep(
    tx: &mut Tx,
    segment_key: i64,
    tenant: &Tenant,
    left: &Left,
    scanned: &[Scanned],
    now: Micros,
) -> Result<(), Error> {
    let index_generation = left.feed_generation;
    let segment = segments::get(tx, segment_key).await?;
    let segment = segment.ok_or_else(|| Error::not_found("segment", segment_key))?;
    let run = runs::by_key(tx, segment.run_key).await?;
    let run = run.ok_or_else(|| Error::not_found("run", segment.run_key))?;
    if run.state.is_final() || segment.state != SegmentState::Running {
        return Ok(());
    }
    let fact_keys = intern(tx, tenant, scanned).await?;
    let places = segments::places(tx, segment_key).await?;
    let places: HashMap<i64, PlaceRow> = places.into_iter().map(|place| (place.line_key, place)).collect();
    let lines: Vec<i64> =
        scanned.iter().filter(|one| one.facts.is_some()).map(|one| one.place.line_key).collect();
    let held = held(tx, &lines).await?;
    let mut written = Written::default();
    for one in scanned {
        let Some(place) = places.get(&one.place.line_key) else { continue };
        // Another run was here with newer feeds in the meantime: what it left stands for this run too.
        if place.index_generation > index_generation && one.facts.is_some() {
            written.placed.push((place.line_key, place.evaluation));
            written.found += place.findings;
            continue;
        }
        let before = held.get(&place.line_key).map_or(&[][..], Vec::as_slice);
        written.add(&run, one, place.evaluation + 1, before, &fact_keys, now);
    }
    findings::close_many(tx, &written.closed).await?;
    findings::open_many(tx, &written.opened).await?;
    findings::change_many(tx, run.run_key, &written.changes).await?;
    let under = Under { run_key: run.run_key, run_id: run.run_id.as_str(), index_generation };
    findings::evaluated_many(tx, under, &written.evaluated, now).await?;
    findings::place_many(tx, run.run_key, &written.placed).await?;
    let processed = written.placed.len() as i64;
    let failed = scanned.len() as i64 - processed;
    segments::finish(tx, segment_key, processed, failed, &written.deltas, Some(left)).await?;
    let added = Added {
        processed,
        failed,
        findings: written.found,
        changed_targets: written.changed_targets,
        deltas: written.deltas,
    };
    Ok(runs::add(tx, run.run_key, &added).await?)
}

/// The keys of all facts by digest; facts not seen before are kept first.
async fn intern(tx: &mut Tx, tenant: &Tenant, scanned: &[Scanned]) -> Result<HashMap<String, i64>, Error> {
    let all: BTreeMap<&str, &NewFact> = scanned
        .iter()
        .filter_map(|one| one.facts.as_ref())
        .flatten()
        .map(|fact| (fact.row.digest.as_str(), &fact.row))
        .collect();
    let digests: Vec<&str> = all.keys().copied().collect();
    let mut keys: HashMap<String, i64> =
        findings::keys_of(tx, tenant.as_str(), &digests).await?.into_iter().collect();
    let new: Vec<NewFact> = all
        .into_iter()
        .filter(|(digest, _)| !keys.contains_key(*digest))
        .map(|(_, fact)| fact.clone())
        .collect();
    if !new.is_empty() {
        findings::intern(tx, tenant.as_str(), &new).await?;
        let digests: Vec<&str> = new.iter().map(|fact| fact.digest.as_str()).collect();
        keys.extend(findings::keys_of(tx, tenant.as_str(), &digests).await?);
    }
    Ok(keys)
}

/// What held for these lines before, by line.
async fn held(tx: &mut Tx, lines: &[i64]) -> Result<HashMap<i64, Vec<Held>>, Error> {
    let open = findings::open(tx, lines).await?;
    let facts: BTreeSet<i64> = open.iter().map(|row| row.fact_key).collect();
    let facts: Vec<i64> = facts.into_iter().collect();
    let mut known: HashMap<i64, (Arc<str>, Arc<str>, Standing)> = HashMap::with_capacity(facts.len());
    for row in findings::standings(tx, &facts).await? {
        let severity: Severity = row
            .severity
            .parse()
            .map_err(|_| LedgerError::corrupt("finding_facts", "severity", row.fact_key))?;
        let standing = Standing { severity, kev: row.kev != 0, quieted: row.quieted != 0 };
        known.insert(row.fact_key, (row.purl.into(), row.vulnerability_id.into(), standing));
    }
    let mut held: HashMap<i64, Vec<Held>> = HashMap::with_capacity(lines.len());
    for row in open {
        let Some((purl, vulnerability_id, standing)) = known.get(&row.fact_key) else {
            return Err(LedgerError::corrupt("findings", "fact_key", row.finding_key).into());
        };
        held.entry(row.line_key).or_default().push(Held {
            finding_key: row.finding_key,
            fact_key: row.fact_key,
            first_run_key: row.first_run_key,
            first_seen_at: row.first_seen_at,
            purl: purl.clone(),
            vulnerability_id: vulnerability_id.clone(),
            standing: *standing,
        });
    }
    Ok(held)
}

/// The rows of a segment, collected and then written set by set.
#[derive(Default)]
struct Written {
    closed: Vec<(i64, i64)>,
    opened: Vec<Opened>,
    changes: Vec<NewChange>,
    evaluated: Vec<Evaluated>,
    /// Which evaluation of each line is this run's.
    placed: Vec<(i64, i64)>,
    /// Findings that hold for them all.
    found: i64,
    /// Targets whose findings changed.
    changed_targets: i64,
    deltas: Deltas,
}

impl Written {
    fn add(
        &mut self,
        run: &RunRow,
        one: &Scanned,
        evaluation: i64,
        before: &[Held],
        fact_keys: &HashMap<String, i64>,
        now: Micros,
    ) {
        let Some(facts) = &one.facts else { return };
        let keyed: Vec<(i64, &Fact)> =
            facts.iter().filter_map(|fact| Some((*fact_keys.get(&fact.row.digest)?, &**fact))).collect();
        let line = one.place.line_key;
        let difference = difference(before, &keyed);
        self.closed.extend(difference.closed.into_iter().map(|key| (key, evaluation)));
        self.opened.extend(difference.opened.into_iter().map(|(fact, first)| {
            let (first_run, first_at) = first.unwrap_or((run.run_key, now.0));
            (line, fact, evaluation, first_run, first_at)
        }));
        let place_of =
            |kind: ChangeKind| ChangeKind::ALL.iter().position(|other| *other == kind).unwrap_or(0);
        self.changed_targets += i64::from(!difference.changes.is_empty());
        self.changes.extend(
            difference.changes.into_iter().map(|(kind, fact, was)| (place_of(kind) as i64, fact, line, was)),
        );
        self.deltas.add(&difference.deltas);
        self.placed.push((line, evaluation));
        self.found += facts.len() as i64;
        let critical = facts.iter().filter(|fact| fact.finding.severity == Severity::Critical).count();
        self.evaluated.push(Evaluated {
            line_key: line,
            target_key: one.place.target_key,
            evaluation,
            findings: facts.len() as i64,
            critical: critical as i64,
        });
    }
}
