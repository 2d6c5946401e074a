//! What holds a job, in words, numbers and with what would lift it.

use super::places::Used;
use super::{Breaker, Dark, Gate, Look, is_about};
use crate::limits::{bucket, spans, window};
use stella_contract::blocker::{Blocker, BlockerKind, Lift};
use stella_contract::job::WaitReason;
use stella_contract::pressure::PressureLevel;
use stella_contract::quota::{EVERY_TYPE, QuotaStrategy};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::record::JobRecord;

/// The one reason that the row of a waiting job says: the first in the order of reasons.
pub(crate) fn wait_reason(blockers: &[Blocker]) -> Option<WaitReason> {
    blockers.iter().filter_map(|blocker| blocker.kind.wait_reason()).min()
}

/// When a job may start at the earliest: when the last of what holds it lifts; `None` when that is not known of one.
pub(crate) fn next_eligible_at(blockers: &[Blocker]) -> Option<Micros> {
    let untils: Option<Vec<Micros>> = blockers.iter().map(|blocker| blocker.until).collect();
    untils?.into_iter().max()
}

impl Gate {
    /// Everything that holds this job, in the order of the reasons.
    pub(crate) fn blockers(&self, record: &JobRecord) -> Vec<Blocker> {
        let mut found = Vec::new();
        self.upstream(record, &mut found);
        self.own_time(record, &mut found);
        self.shared(record, &mut found);
        self.of_source(record, &mut found);
        found.sort_by_key(|blocker| blocker.kind);
        found
    }

    /// The limits that hold a job for its tenant, type and priority.
    pub(super) fn shared(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        for used in self.quotas.of(record) {
            self.quota(used, record, found);
        }
        self.kept_for_others(record, found);
        for breaker in self.breakers.iter().filter(|breaker| breaker.row.kind != "host") {
            self.breaker(breaker, record, found);
        }
        self.blackouts(record, found);
        self.pressure(record, found);
    }

    /// The limits that hold a job for the source it reads.
    pub(super) fn of_source(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        self.bucket(record, found);
        for breaker in self.breakers.iter().filter(|breaker| breaker.row.kind == "host") {
            self.breaker(breaker, record, found);
        }
        self.source(record, found);
    }

    fn upstream(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        for edge in self.unmet.get(&record.key).into_iter().flatten() {
            let id = edge.from_job_id.as_str().to_owned();
            let (kind, sentence, lift) = match edge.wait_reason() {
                WaitReason::UpstreamFailed => (
                    BlockerKind::UpstreamFailed,
                    format!("It waits for {id}, which is {}.", edge.from_state),
                    lift("Replay the upstream job", format!("orch jobs replay {id}"), Scope::OrchOperate),
                ),
                _ => (
                    BlockerKind::Dependency,
                    format!("It waits for {id}, which is {}.", edge.from_state),
                    lift("Look at the upstream job", format!("orch jobs explain {id}"), Scope::OrchRead),
                ),
            };
            found.push(Blocker { lift: Some(lift), ..blocker(kind, &id, sentence) });
        }
    }

    fn own_time(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let job = &record.job;
        if self.look != Look::Dispatch {
            return;
        }
        if let Some(at) = job.not_before.filter(|at| *at > self.now) {
            let sentence = format!("It was submitted to start at {at} or later.");
            let one = blocker(BlockerKind::NotBefore, job.job_id.as_str(), sentence);
            found.push(Blocker { until: Some(at), ..one });
        }
        let backs_off = job.wait_reason == Some(WaitReason::Backoff);
        if let Some(at) = job.next_eligible_at.filter(|at| backs_off && *at > self.now) {
            let sentence =
                format!("Attempt {} of {} failed; the next is due at {at}.", job.attempt, job.max_attempts);
            let one = blocker(BlockerKind::Backoff, job.job_id.as_str(), sentence);
            found.push(Blocker { until: Some(at), ..one });
        }
    }

    fn quota(&self, used: &Used, record: &JobRecord, found: &mut Vec<Blocker>) {
        let row = &used.row;
        let id = row.quota_id.as_str();
        let of =
            if row.job_type == EVERY_TYPE { "the whole tenant".to_owned() } else { row.job_type.clone() };
        if row.paused != 0 && row.paused_until.is_none_or(|until| until > self.now.0) {
            let why = row.pause_reason.as_deref().unwrap_or("no reason was given");
            let resume = lift("Resume the quota", format!("orch quota resume {id}"), Scope::OrchQuota);
            found.push(Blocker {
                until: row.paused_until.map(Micros),
                lift: Some(resume),
                ..blocker(BlockerKind::Paused, id, format!("The quota of {of} is paused: {why}."))
            });
        }
        if used.strategy == QuotaStrategy::Unlimited {
            return;
        }
        let raise = |flag: &str| {
            Some(lift("Raise the limit", format!("orch quota set {id} --{flag} N"), Scope::OrchQuota))
        };
        let bound = self.quotas.bound(used, record.job.priority);
        if let Some(most) = bound.filter(|most| used.taken() >= *most) {
            let ready = match used.queued {
                0 => String::new(),
                ready => format!(" and {ready} ready for one"),
            };
            let sentence = format!(
                "{} of {most} places of {of} are taken: {} at work{ready}.",
                used.taken(),
                used.active
            );
            found.push(Blocker {
                number: Some(count(used.taken())),
                limit: Some(count(most)),
                lift: raise("max-active"),
                ..blocker(BlockerKind::QuotaMaxActive, id, sentence)
            });
        }
        let hour = used.hour(self.now) + used.queued;
        if hour >= row.max_per_hour {
            let sentence =
                format!("{hour} of {} jobs of {of} were started within the hour.", row.max_per_hour);
            found.push(Blocker {
                number: Some(count(hour)),
                limit: Some(count(row.max_per_hour)),
                until: used.hour_room_at(self.now),
                lift: raise("max-per-hour"),
                ..blocker(BlockerKind::QuotaMaxPerHour, id, sentence)
            });
        }
        if used.tokens() < 1.0 {
            let sentence = format!(
                "The burst of {} jobs of {of} is used up; it is refilled with {:.3} per second.",
                row.burst, row.refill_per_second
            );
            found.push(Blocker {
                number: Some(used.tokens().max(0.0)),
                limit: Some(1.0),
                until: used.token_at(self.now),
                lift: raise("burst"),
                ..blocker(BlockerKind::RateLimited, id, sentence)
            });
        }
    }

    fn kept_for_others(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let Some((kept, free)) = self.quotas.kept_for_others(record) else { return };
        if free > kept {
            return;
        }
        // Whose they are is nobody's business in another tenant.
        let sentence = format!("The {free} free places of the workers are kept for other quotas.");
        found.push(Blocker {
            number: Some(count(free)),
            limit: Some(count(kept + 1)),
            ..blocker(BlockerKind::QuotaMaxActive, "reserved", sentence)
        });
    }

    fn bucket(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let Some(host_bucket) = self.bucket_of(record) else { return };
        let row = &host_bucket.row;
        let left = row.tokens - host_bucket.spoken_for;
        let frozen = row.frozen_until.filter(|until| *until > self.now.0);
        if left >= 1.0 && frozen.is_none() {
            return;
        }
        let host = &row.host;
        let sentence = match frozen {
            Some(until) => {
                format!("{host} asked for fewer requests; it is left alone until {}.", Micros(until))
            }
            None => format!(
                "The bucket of {host} is empty; it fills at {:.2} per second.",
                bucket::rate_at(row, self.now.0)
            ),
        };
        let id = &row.bucket_id;
        let command = format!("orch bucket override {id} --rate N");
        found.push(Blocker {
            number: Some(left.max(0.0)),
            limit: Some(1.0),
            until: bucket::ready_at(row, 1.0 + host_bucket.spoken_for, self.now),
            lift: Some(lift("Set the rate", command, Scope::OrchQuota)),
            ..blocker(BlockerKind::RateLimited, id, sentence)
        });
    }

    fn breaker(&self, breaker: &Breaker, record: &JobRecord, found: &mut Vec<Blocker>) {
        let (row, job) = (&breaker.row, &record.job);
        let source = job.source_id.as_ref().map(|id| id.as_str());
        if !self.is_of(row, job.tenant.as_str(), &job.job_type, source) {
            return;
        }
        let key = &row.key;
        if row.state == "half_open" {
            if breaker.probes >= window::PROBES {
                let sentence = format!(
                    "The breaker of {key} is half open and its {} probes are under way.",
                    window::PROBES
                );
                found.push(Blocker {
                    number: Some(count(breaker.probes)),
                    limit: Some(count(window::PROBES)),
                    lift: Some(reset(&row.breaker_id)),
                    ..blocker(BlockerKind::BreakerOpen, &row.breaker_id, sentence)
                });
            }
            return;
        }
        let sentence = match (row.forced != 0, &row.operator_reason) {
            (true, Some(why)) => format!("An operator opened the breaker of {key}: {why}."),
            (true, None) => format!("An operator opened the breaker of {key}."),
            (false, _) => format!("The breaker of {key} opened because too many attempts failed."),
        };
        found.push(Blocker {
            number: Some(count(row.openings)),
            until: row.open_until.map(Micros),
            lift: Some(reset(&row.breaker_id)),
            ..blocker(BlockerKind::BreakerOpen, &row.breaker_id, sentence)
        });
    }

    pub(super) fn blackouts(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let host = self.host(record);
        let own: Vec<&Dark> = self
            .dark
            .iter()
            .filter(|dark| dark.row.tenant == record.job.tenant.as_str())
            .filter(|dark| dark.targets.iter().any(|target| is_about(target, record, host)))
            .collect();
        // Blackouts that overlap hold as one, and the latest end counts.
        let spans = own.iter().flat_map(|dark| dark.spans.iter().copied()).collect();
        let until = spans::dark_until(spans, self.now);
        for dark in own {
            let id = &dark.row.blackout_id;
            let remove = lift("End the blackout", format!("orch blackout remove {id}"), Scope::OrchQuota);
            found.push(Blocker {
                until,
                lift: Some(remove),
                ..blocker(BlockerKind::Blackout, id, format!("A blackout is on: {}.", dark.row.reason))
            });
        }
    }

    fn pressure(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let tenant = record.job.tenant.as_str();
        let level = self.levels.get(tenant).copied().unwrap_or(PressureLevel::Normal);
        let lowest = level.lowest_dispatched();
        if record.job.priority >= lowest {
            return;
        }
        let sentence = format!("The pressure is {level}: only jobs of priority {lowest} and more start.");
        let command = format!("orch jobs prioritize {} --priority {lowest}", record.job.job_id);
        found.push(Blocker {
            number: Some(f64::from(record.job.priority)),
            limit: Some(f64::from(lowest)),
            lift: Some(lift("Raise its priority", command, Scope::OrchOperate)),
            ..blocker(BlockerKind::Backpressure, tenant, sentence)
        });
    }

    fn source(&self, record: &JobRecord, found: &mut Vec<Blocker>) {
        let Some(id) = record.job.source_id.as_ref().map(|id| id.as_str()) else { return };
        if self.sources.get(id).is_none_or(|facts| facts.enabled) {
            return;
        }
        let resume = lift("Resume the source", format!("orch source resume {id}"), Scope::OrchOperate);
        found.push(Blocker {
            lift: Some(resume),
            ..blocker(BlockerKind::Paused, id, "Its source is paused or switched off.".to_owned())
        });
    }
}

fn blocker(kind: BlockerKind, holder: &str, sentence: String) -> Blocker {
    Blocker { kind, holder: holder.to_owned(), sentence, number: None, limit: None, until: None, lift: None }
}

fn reset(breaker_id: &str) -> Lift {
    lift("Reset the breaker", format!("orch breaker reset {breaker_id}"), Scope::OrchQuota)
}

/// The scope's own needs stand in the command.
fn lift(action: &str, command: String, scope: Scope) -> Lift {
    let reason = if scope.needs_reason() { " --reason WHY" } else { "" };
    let ticket = if scope.needs_ticket() { " --ticket ID" } else { "" };
    Lift { action: action.to_owned(), cli_command: format!("stella {command}{reason}{ticket}"), scope }
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^52")]
fn count(jobs: i64) -> f64 {
    jobs as f64
}
