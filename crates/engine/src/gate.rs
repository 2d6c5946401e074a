//! The gate: everything that may hold a job, asked in one place. The dispatcher asks it before it makes a job ready, a
//! claim before it hands one out, and `explain` to tell an operator why nothing happens; so the three cannot disagree.
//!
//! What is at work is counted from the live leases in the very transaction, never kept.

mod blockers;
mod claims;
mod dispatch;
mod explain;
mod lanes;
mod places;
mod told;

pub(crate) use blockers::{next_eligible_at, wait_reason};
pub(crate) use claims::claim;
pub(crate) use dispatch::{at_the_door, dispatch};
pub(crate) use lanes::{Waiting, waiting, wanted};
pub(crate) use places::refill;
pub(crate) use told::tell_holds;

use crate::error::Error;
use crate::host_buckets;
use crate::limits::{bucket, host_of, spans, uuid_of, window};
use places::Quotas;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use stella_contract::blackout::{BlackoutTarget, BlackoutTargetKind, BlackoutTimes, Span};
use stella_contract::blocker::Blocker;
use stella_contract::ids::ThrottleId;
use stella_contract::pressure::PressureLevel;
use stella_contract::throttle::{ThrottleKind, ThrottleLevel, ThrottleReason};
use stella_contract::time::Micros;
use stella_ledger::blackouts::BlackoutRow;
use stella_ledger::breakers::{BreakerRow, Successes};
use stella_ledger::buckets::BucketRow;
use stella_ledger::edges::UnmetEdge;
use stella_ledger::limits::{InForce, LiveLease, Ready};
use stella_ledger::record::{Cell, JobRecord};
use stella_ledger::throttles::ThrottleRow;
use stella_ledger::{LedgerError, Tx, blackouts, breakers, buckets, edges, limits, pressure, throttles};

/// For what the gate is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// To make a waiting job ready: ready jobs already stand for the places they will take.
    Dispatch,
    /// To hand out a ready job.
    Claim,
}

/// Everything that may hold the jobs it was opened for, as it is in this transaction.
pub(crate) struct Gate {
    now: Micros,
    look: Look,
    quotas: Quotas,
    breakers: Vec<Breaker>,
    dark: Vec<Dark>,
    levels: BTreeMap<String, PressureLevel>,
    buckets: BTreeMap<(String, String), HostBucket>,
    sources: HashMap<String, SourceFacts>,
    unmet: HashMap<i64, Vec<UnmetEdge>>,
    live: Vec<LiveLease>,
    ready: Vec<Ready>,
    met: BTreeMap<(String, &'static str, String), ThrottleRow>,
}

/// What is known of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SourceFacts {
    host: Option<String>,
    enabled: bool,
}

/// A breaker that is not closed.
#[derive(Debug, Clone)]
struct Breaker {
    row: BreakerRow,
    /// Probes that succeeded, are at work, or are ready to.
    probes: i64,
}

/// A blackout that is on.
#[derive(Debug, Clone)]
struct Dark {
    row: BlackoutRow,
    targets: Vec<BlackoutTarget>,
    spans: Vec<Span>,
}

/// The bucket of a host, filled up to now.
#[derive(Debug, Clone)]
struct HostBucket {
    row: BucketRow,
    /// Tokens that ready jobs will take.
    spoken_for: f64,
    is_changed: bool,
}

/// Everything that holds each of these jobs, from the job's own point of view: a ready job is held against a claim, a
/// waiting one against the dispatcher.
pub(crate) async fn blockers(
    tx: &mut Tx,
    records: &[JobRecord],
    now: Micros,
) -> Result<Vec<Vec<Blocker>>, Error> {
    use stella_contract::job::JobState;
    let in_force = limits::in_force(tx).await?;
    let of_state = |state| records.iter().filter(move |record| record.job.state == state).cloned().collect();
    let (pending, queued): (Vec<JobRecord>, Vec<JobRecord>) =
        (of_state(JobState::Pending), of_state(JobState::Queued));
    let dispatch = Gate::open(tx, &pending, in_force, Look::Dispatch, now).await?;
    let claim = Gate::open(tx, &queued, in_force, Look::Claim, now).await?;
    Ok(records
        .iter()
        .map(|record| match record.job.state {
            JobState::Pending => dispatch.blockers(record),
            JobState::Queued => claim.blockers(record),
            JobState::Leased
            | JobState::Running
            | JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => Vec::new(),
        })
        .collect())
}

impl Gate {
    /// Reads what may hold these jobs. Tables of which nothing is in force are not read.
    pub(crate) async fn open(
        tx: &mut Tx,
        records: &[JobRecord],
        in_force: InForce,
        look: Look,
        now: Micros,
    ) -> Result<Self, Error> {
        let mut gate = Self {
            now,
            look,
            quotas: Quotas::default(),
            breakers: Vec::new(),
            dark: Vec::new(),
            levels: BTreeMap::new(),
            buckets: BTreeMap::new(),
            sources: HashMap::new(),
            unmet: HashMap::new(),
            live: Vec::new(),
            ready: Vec::new(),
            met: BTreeMap::new(),
        };
        if records.is_empty() {
            return Ok(gate);
        }
        let counts = in_force.has_quotas() || in_force.has_breakers();
        if counts {
            gate.live = limits::live(tx).await?;
        }
        let is_sourced = records.iter().any(|record| record.job.source_id.is_some());
        if look == Look::Dispatch && (counts || is_sourced) {
            gate.ready = limits::ready(tx).await?;
        }
        gate.learn_sources(tx, records).await?;
        if in_force.has_quotas() {
            gate.quotas = Quotas::read(tx, look, &gate.live, &gate.ready, now).await?;
        }
        if in_force.has_breakers() {
            gate.read_breakers(tx).await?;
        }
        if in_force.has_blackouts() {
            gate.read_blackouts(tx).await?;
        }
        if in_force.has_pressure() {
            for row in pressure::all(tx).await? {
                gate.levels.insert(row.tenant, PressureLevel::of(row.level));
            }
        }
        if look == Look::Dispatch {
            let keys: Vec<i64> = records.iter().map(|record| record.key).collect();
            for edge in edges::unmet(tx, &keys).await? {
                gate.unmet.entry(edge.key).or_default().push(edge);
            }
        }
        Ok(gate)
    }

    /// Reads what is not yet known of the sources of these jobs and the buckets of their hosts.
    pub(crate) async fn learn_sources(&mut self, tx: &mut Tx, records: &[JobRecord]) -> Result<(), Error> {
        let mut unknown: Vec<&str> = records
            .iter()
            .filter_map(|record| record.job.source_id.as_ref().map(|id| id.as_str()))
            .chain(self.live.iter().filter_map(|lease| lease.source_id.as_deref()))
            .chain(self.ready.iter().filter_map(|ready| ready.source_id.as_deref()))
            .filter(|id| !self.sources.contains_key(*id))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        for row in limits::sources(tx, &unknown).await? {
            let facts =
                SourceFacts { host: host_of(&row.location), enabled: row.enabled != 0 && row.paused == 0 };
            self.sources.insert(row.source_id, facts);
        }
        let mut hosts: Vec<(String, String)> = records
            .iter()
            .filter_map(|record| Some((record.job.tenant.as_str().to_owned(), self.host(record)?.to_owned())))
            .filter(|key| !self.buckets.contains_key(key))
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.is_empty() {
            return Ok(());
        }
        for mut row in host_buckets::of(tx, hosts, self.now).await? {
            let (tenant, host) = (row.tenant.clone(), row.host.clone());
            self.count_streak(tx, &mut row).await?;
            bucket::refill(&mut row, self.now);
            let spoken_for = self.ready_at_host(&tenant, &host);
            self.buckets.insert((tenant, host), HostBucket { row, spoken_for, is_changed: false });
        }
        Ok(())
    }

    /// Successes in a row are counted from the jobs, and only while the rate is lowered.
    async fn count_streak(&self, tx: &mut Tx, row: &mut BucketRow) -> Result<(), Error> {
        if row.current_rate >= row.base_rate {
            return Ok(());
        }
        let located = buckets::locations(tx, &row.tenant).await?;
        let ids: Vec<&str> = located
            .iter()
            .filter(|(_, location)| host_of(location).as_deref() == Some(row.host.as_str()))
            .map(|(id, _)| id.as_str())
            .collect();
        let in_a_row = buckets::succeeded(tx, &ids, row.streak_from).await?;
        bucket::succeeded(row, in_a_row, self.now);
        Ok(())
    }

    async fn read_breakers(&mut self, tx: &mut Tx) -> Result<(), Error> {
        for row in breakers::not_closed(tx).await? {
            let probes = match row.half_open_at {
                None => 0,
                Some(from) => {
                    let at_work = self.live.iter().filter(|lease| {
                        self.is_of(&row, &lease.tenant, &lease.job_type, lease.source_id.as_deref())
                            && lease.attempt_started_at.is_none_or(|at| at >= from)
                    });
                    let at_work = i64::try_from(at_work.count()).unwrap_or(i64::MAX);
                    let ready = self
                        .ready
                        .iter()
                        .filter(|one| self.is_of(&row, &one.tenant, &one.job_type, one.source_id.as_deref()));
                    at_work + ready.map(|one| one.jobs).sum::<i64>() + probes_succeeded(tx, &row).await?
                }
            };
            self.breakers.push(Breaker { row, probes });
        }
        Ok(())
    }

    async fn read_blackouts(&mut self, tx: &mut Tx) -> Result<(), Error> {
        for row in blackouts::not_over(tx).await? {
            let cell = Cell { table: "blackouts", id: &row.blackout_id };
            let targets: Vec<BlackoutTarget> = cell.json("targets", &row.targets)?;
            let spans = spans::coming(&times_of(&row), row.drain_before_s, self.now);
            if spans::dark_until(spans.clone(), self.now).is_some() {
                self.dark.push(Dark { row, targets, spans });
            }
        }
        Ok(())
    }

    /// Whether a breaker guards jobs of this tenant, type and source.
    fn is_of(&self, row: &BreakerRow, tenant: &str, job_type: &str, source_id: Option<&str>) -> bool {
        let host = source_id.and_then(|id| self.sources.get(id)?.host.as_deref());
        row.tenant == tenant && if row.kind == "host" { host == Some(&row.key) } else { row.key == job_type }
    }

    fn host(&self, record: &JobRecord) -> Option<&str> {
        self.sources.get(record.job.source_id.as_ref()?.as_str())?.host.as_deref()
    }

    fn bucket_of(&self, record: &JobRecord) -> Option<&HostBucket> {
        self.buckets.get(&(record.job.tenant.as_str().to_owned(), self.host(record)?.to_owned()))
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^52")]
    fn ready_at_host(&self, tenant: &str, host: &str) -> f64 {
        let of_host = |one: &&Ready| {
            let source = one.source_id.as_deref().and_then(|id| self.sources.get(id));
            one.tenant == tenant && source.is_some_and(|facts| facts.host.as_deref() == Some(host))
        };
        self.ready.iter().filter(of_host).map(|one| one.jobs).sum::<i64>() as f64
    }

    /// The job passed: its places and tokens are taken, for those that are looked at after it.
    pub(crate) fn admit(&mut self, record: &JobRecord) {
        let look = self.look;
        self.quotas.admit(record, look);
        let probed: Vec<usize> = (0..self.breakers.len())
            .filter(|at| {
                let (row, job) = (&self.breakers[*at].row, &record.job);
                let source = job.source_id.as_ref().map(|id| id.as_str());
                self.is_of(row, job.tenant.as_str(), &job.job_type, source)
            })
            .collect();
        probed.into_iter().for_each(|at| self.breakers[at].probes += 1);
        let Some(host) = self.host(record).map(str::to_owned) else { return };
        if let Some(bucket) = self.buckets.get_mut(&(record.job.tenant.as_str().to_owned(), host)) {
            match look {
                Look::Dispatch => bucket.spoken_for += 1.0,
                Look::Claim => {
                    bucket.row.tokens -= 1.0;
                    bucket.is_changed = true;
                }
            }
        }
    }

    /// The job did not pass: what held it back has been met once more.
    pub(crate) fn refuse(&mut self, record: &JobRecord, blockers: &[Blocker]) {
        for blocker in blockers {
            self.quotas.refuse(&blocker.holder);
            if let Some(row) = self.throttle(record, blocker) {
                let key = (row.tenant.clone(), blocker.kind.as_str(), row.key.clone());
                let known = self.met.entry(key).or_insert_with(|| ThrottleRow { hits: 0, ..row.clone() });
                known.hits += 1;
                known.until = known.until.max(row.until);
            }
        }
    }

    /// The throttle that a blocker is, when limits make it one.
    fn throttle(&self, record: &JobRecord, blocker: &Blocker) -> Option<ThrottleRow> {
        use stella_contract::blocker::BlockerKind as B;
        let job_type = record.job.job_type.clone();
        let by_quota = self.quotas.job_type_of(&blocker.holder);
        let host = self.host(record).map(str::to_owned);
        let (kind, key, reason, level) = match blocker.kind {
            B::QuotaMaxActive => {
                let key = by_quota.unwrap_or(job_type);
                (ThrottleKind::Quota, key, ThrottleReason::MaxActive, ThrottleLevel::Info)
            }
            B::QuotaMaxPerHour => {
                let key = by_quota.unwrap_or(job_type);
                (ThrottleKind::Quota, key, ThrottleReason::MaxPerHour, ThrottleLevel::Warn)
            }
            B::RateLimited => match by_quota {
                Some(key) => (ThrottleKind::Quota, key, ThrottleReason::BucketEmpty, ThrottleLevel::Info),
                None => (ThrottleKind::Bucket, host?, ThrottleReason::BucketEmpty, ThrottleLevel::Warn),
            },
            B::BreakerOpen => {
                let of = self.breakers.iter().find(|one| one.row.breaker_id == blocker.holder)?;
                let key = of.row.key.clone();
                (ThrottleKind::Breaker, key, ThrottleReason::BreakerOpen, ThrottleLevel::Critical)
            }
            B::Blackout => {
                let key = blocker.holder.clone();
                (ThrottleKind::Blackout, key, ThrottleReason::Blackout, ThrottleLevel::Warn)
            }
            B::Backpressure => {
                let key = record.job.tenant.as_str().to_owned();
                (ThrottleKind::Backpressure, key, ThrottleReason::Backpressure, ThrottleLevel::Critical)
            }
            B::Paused => {
                let key = by_quota?;
                (ThrottleKind::Manual, key, ThrottleReason::Operator, ThrottleLevel::Warn)
            }
            B::Dependency | B::UpstreamFailed | B::NotBefore | B::Backoff | B::NoWorker => return None,
        };
        let bucket = self.bucket_of(record).filter(|_| kind == ThrottleKind::Bucket);
        Some(ThrottleRow {
            until: blocker.until.map(|at| at.0),
            rate_now: bucket.map(|bucket| bucket::rate_at(&bucket.row, self.now.0)),
            rate_base: bucket.map(|bucket| bucket.row.base_rate),
            ..new_throttle(record.job.tenant.as_str(), kind, &key, reason, level, self.now)
        })
    }

    /// Writes down what was taken and what was met. It is the last thing that is asked of it.
    pub(crate) async fn close(self, tx: &mut Tx) -> Result<(), Error> {
        self.quotas.write(tx, self.look, self.now).await?;
        for bucket in self.buckets.values().filter(|bucket| bucket.is_changed) {
            buckets::put(tx, &bucket.row).await?;
        }
        // One thing may have been met for two reasons; the weightier one is its reason.
        let mut met: BTreeMap<(String, String, String), ThrottleRow> = BTreeMap::new();
        for row in self.met.into_values() {
            let key = (row.tenant.clone(), row.kind.clone(), row.key.clone());
            match met.get_mut(&key) {
                Some(known) => known.hits += row.hits,
                None => drop(met.insert(key, row)),
            }
        }
        let met: Vec<ThrottleRow> = met.into_values().collect();
        throttles::meet_many(tx, &met).await?;
        Ok(())
    }
}

/// A throttle met for the first time.
pub(crate) fn new_throttle(
    tenant: &str,
    kind: ThrottleKind,
    key: &str,
    reason: ThrottleReason,
    level: ThrottleLevel,
    now: Micros,
) -> ThrottleRow {
    // One that was cleared may begin anew within the same microsecond.
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let nth = BEGUN.fetch_add(1, Ordering::Relaxed).to_string();
    let uuid = uuid_of(&["throttle", tenant, kind.as_str(), key, &nth], now.0);
    ThrottleRow {
        throttle_id: ThrottleId::from_uuid(&uuid).as_str().to_owned(),
        tenant: tenant.to_owned(),
        kind: kind.as_str().to_owned(),
        key: key.to_owned(),
        reason: reason.as_str().to_owned(),
        level: level.as_str().to_owned(),
        started_at: now.0,
        until: None,
        rate_now: None,
        rate_base: None,
        hits: 1,
        last_status: None,
        actor: None,
        operator_reason: None,
        ticket: None,
        cleared_at: None,
        cleared_by: None,
    }
}

/// When a blackout is on, as its row says.
pub(crate) fn times_of(row: &BlackoutRow) -> BlackoutTimes {
    BlackoutTimes {
        start: row.starts_at.map(Micros),
        end: row.ends_at.map(Micros),
        cron: row.cron.clone(),
        duration_s: row.duration_s,
        time_zone: row.time_zone.clone(),
    }
}

/// Whether a blackout is about a job of this type and source.
fn is_about(target: &BlackoutTarget, record: &JobRecord, host: Option<&str>) -> bool {
    let job = &record.job;
    match target.kind {
        BlackoutTargetKind::Tenant => true,
        BlackoutTargetKind::Source => job.source_id.as_ref().is_some_and(|id| id.as_str() == target.key),
        BlackoutTargetKind::Host => host == Some(target.key.as_str()),
        BlackoutTargetKind::JobType => job.job_type == target.key,
        BlackoutTargetKind::Schedule => false,
    }
}

/// Probes of a half-open breaker that succeeded, no more than it needs.
pub(crate) async fn probes_succeeded(tx: &mut Tx, row: &BreakerRow) -> Result<i64, Error> {
    let Some(from) = row.half_open_at else { return Ok(0) };
    Ok(successes(tx, row, from, from, window::PROBES).await?)
}

/// Jobs of a breaker's type or host that succeeded.
pub(crate) async fn successes(
    tx: &mut Tx,
    row: &BreakerRow,
    ended_from: i64,
    started_from: i64,
    most: i64,
) -> Result<i64, LedgerError> {
    let is_type = row.kind != "host";
    let source_ids: Vec<String> = if is_type {
        Vec::new()
    } else {
        let located = buckets::locations(tx, &row.tenant).await?;
        let of_host =
            located.into_iter().filter(|(_, location)| host_of(location).as_deref() == Some(&row.key));
        of_host.map(|(id, _)| id).collect()
    };
    let of = Successes {
        tenant: &row.tenant,
        job_type: is_type.then_some(row.key.as_str()),
        source_ids: &source_ids,
        ended_from,
        started_from,
        most,
    };
    breakers::successes(tx, of).await
}
