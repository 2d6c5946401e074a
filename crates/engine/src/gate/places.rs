//! The places that quotas give: how many are taken, by whom, and how many are left.

use super::Look;
use crate::error::Error;
use crate::limits::{bucket, hour};
use stella_contract::quota::{EVERY_TYPE, QuotaStrategy};
use stella_contract::time::Micros;
use stella_ledger::limits::{LiveLease, Ready};
use stella_ledger::quotas::{Minute, QuotaRow, Refilled};
use stella_ledger::record::{Cell, JobRecord};
use stella_ledger::{Tx, pressure, quotas};

/// Workers that were heard of so lately count with their places.
const HEARD_MS: i64 = 90_000;
/// From this priority on a job may take the places that a `priority` quota reserves.
const URGENT: i32 = 75;

/// The quotas of everybody, as they are used.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    pub(super) all: Vec<Used>,
    /// Places of all workers; known only when some quota shares them.
    places: i64,
    at_work: i64,
}

/// One quota in use.
#[derive(Debug, Clone)]
pub(super) struct Used {
    pub(super) row: QuotaRow,
    pub(super) strategy: QuotaStrategy,
    minutes: Vec<Minute>,
    /// Jobs under a lease.
    pub(super) active: i64,
    /// Ready jobs that stand for places; none when a claim asks.
    pub(super) queued: i64,
    claimed: i64,
    refused: i64,
}

impl Used {
    pub(super) fn covers(&self, record: &JobRecord) -> bool {
        self.row.tenant == record.job.tenant.as_str()
            && (self.row.job_type == EVERY_TYPE || self.row.job_type == record.job.job_type)
    }
    fn is_of(&self, tenant: &str, job_type: &str) -> bool {
        self.row.tenant == tenant && (self.row.job_type == EVERY_TYPE || self.row.job_type == job_type)
    }
    /// Places taken or spoken for.
    pub(super) const fn taken(&self) -> i64 {
        self.active + self.queued
    }
    /// Claims of the last sixty minutes.
    pub(super) fn hour(&self, now: Micros) -> i64 {
        hour::used(&self.minutes, now).0 + self.claimed
    }
    /// When the hour has room again.
    pub(super) fn hour_room_at(&self, now: Micros) -> Option<Micros> {
        let most = self.row.max_per_hour - 1 - self.queued - self.claimed;
        hour::room_at(&self.minutes, most, now)
    }
    /// Tokens that nobody speaks for.
    #[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^52")]
    pub(super) fn tokens(&self) -> f64 {
        self.row.tokens - self.queued as f64
    }
    /// When a token is there again.
    pub(super) fn token_at(&self, now: Micros) -> Option<Micros> {
        bucket::filled_at(self.tokens(), 1.0, self.row.refill_per_second, now)
    }
}

/// Fills a quota's burst up to now.
#[expect(clippy::cast_precision_loss, reason = "a burst is far below 2^52")]
pub(crate) fn refill(row: &mut QuotaRow, now: Micros) {
    let elapsed = bucket::seconds((now.0 - row.refilled_at).max(0));
    row.tokens = (row.tokens + elapsed * row.refill_per_second).min(row.burst as f64);
    row.refilled_at = row.refilled_at.max(now.0);
}

impl Quotas {
    /// Reads all quotas; what they are held against was read before.
    pub(super) async fn read(
        tx: &mut Tx,
        look: Look,
        live: &[LiveLease],
        ready: &[Ready],
        now: Micros,
    ) -> Result<Self, Error> {
        let rows = quotas::all(tx).await?;
        let ids: Vec<&str> = rows.iter().map(|row| row.quota_id.as_str()).collect();
        let minutes = quotas::minutes(tx, &ids).await?;
        let mut all = Vec::with_capacity(rows.len());
        for mut row in rows {
            let cell = Cell { table: "quotas", id: &row.quota_id };
            let strategy = cell.word("strategy", row.strategy.clone())?;
            refill(&mut row, now);
            let own = minutes.iter().filter(|minute| minute.quota_id == row.quota_id).cloned().collect();
            let mut used = Used { row, strategy, minutes: own, active: 0, queued: 0, claimed: 0, refused: 0 };
            let active = live.iter().filter(|lease| used.is_of(&lease.tenant, &lease.job_type)).count();
            used.active = i64::try_from(active).unwrap_or(i64::MAX);
            if look == Look::Dispatch {
                let own = ready.iter().filter(|one| used.is_of(&one.tenant, &one.job_type));
                used.queued = own.map(|one| one.jobs).sum();
            }
            all.push(used);
        }
        let shares =
            |used: &Used| matches!(used.strategy, QuotaStrategy::Proportional | QuotaStrategy::Reserved);
        let places = if all.iter().any(shares) {
            pressure::workers(tx, now.minus_ms(HEARD_MS).0).await?.iter().map(|(_, places)| places).sum()
        } else {
            0
        };
        Ok(Self { all, places, at_work: i64::try_from(live.len()).unwrap_or(i64::MAX) })
    }

    /// The quotas that bound a job: that of its type and that of its tenant.
    pub(super) fn of(&self, record: &JobRecord) -> impl Iterator<Item = &Used> {
        self.all.iter().filter(move |used| used.covers(record))
    }

    /// The places that a quota gives a job of this priority; `None` when it gives any number.
    pub(super) fn bound(&self, used: &Used, priority: i32) -> Option<i64> {
        match used.strategy {
            QuotaStrategy::Unlimited => None,
            QuotaStrategy::MaxLimit | QuotaStrategy::Reserved => Some(used.row.max_active),
            QuotaStrategy::Priority if priority >= URGENT => Some(used.row.max_active + used.row.reserved),
            QuotaStrategy::Priority => Some(used.row.max_active),
            QuotaStrategy::Proportional => {
                let sharing = self.all.iter().filter(|one| one.strategy == QuotaStrategy::Proportional);
                let weights: i64 = sharing.map(|one| one.row.weight).sum();
                let share = (self.places * used.row.weight / weights.max(1)).max(1);
                Some(share.min(used.row.max_active))
            }
        }
    }

    /// Places that are kept free for others when this job asks, and how many are free at all; `None` when none are kept.
    pub(super) fn kept_for_others(&self, record: &JobRecord) -> Option<(i64, i64)> {
        let others =
            self.all.iter().filter(|used| used.strategy == QuotaStrategy::Reserved && !used.covers(record));
        let kept: i64 = others.map(|used| (used.row.reserved - used.active).max(0)).sum();
        (kept > 0).then_some((kept, (self.places - self.at_work).max(0)))
    }

    /// The job type a quota is about, when this is a quota's id.
    pub(super) fn job_type_of(&self, quota_id: &str) -> Option<String> {
        let used = self.all.iter().find(|used| used.row.quota_id == quota_id)?;
        Some(used.row.job_type.clone())
    }

    pub(super) fn admit(&mut self, record: &JobRecord, look: Look) {
        for used in self.all.iter_mut().filter(|used| used.covers(record)) {
            match look {
                Look::Dispatch => used.queued += 1,
                Look::Claim => {
                    used.active += 1;
                    used.claimed += 1;
                    used.row.tokens = (used.row.tokens - 1.0).max(0.0);
                }
            }
        }
        if look == Look::Claim {
            self.at_work += 1;
        }
    }

    pub(super) fn refuse(&mut self, quota_id: &str) {
        let used = self.all.iter_mut().find(|used| used.row.quota_id == quota_id);
        used.into_iter().for_each(|used| used.refused += 1);
    }

    /// Writes down the claims and refusals of this minute and what is left of each burst.
    pub(super) async fn write(&self, tx: &mut Tx, look: Look, now: Micros) -> Result<(), Error> {
        let touched = || self.all.iter().filter(|used| used.claimed + used.refused > 0);
        let minutes: Vec<Minute> = touched()
            .map(|used| Minute {
                quota_id: used.row.quota_id.clone(),
                minute: hour::minute_of(now),
                claims: used.claimed,
                refusals: used.refused,
            })
            .collect();
        quotas::count_many(tx, &minutes).await?;
        if look == Look::Dispatch {
            return Ok(());
        }
        let refilled: Vec<Refilled> = touched()
            .filter(|used| used.claimed > 0)
            .map(|used| Refilled {
                quota_id: used.row.quota_id.clone(),
                tokens: used.row.tokens,
                refilled_at: used.row.refilled_at,
            })
            .collect();
        Ok(quotas::refill_many(tx, &refilled).await?)
    }
}
