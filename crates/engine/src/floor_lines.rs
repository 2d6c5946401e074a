//! What workers say at the same time is heard in one go: one look and one statement for all of them.

use crate::engine::Engine;
use crate::error::Error;
use crate::floor::{Held, finished, held_many, ready};
use crate::jobs::view;
use crate::journal::Journal;
use crate::line::{Answers, Line};
use crate::report::{self, Prepared};
use crate::work::{LEASE_MS, along, lost};
use std::collections::BTreeSet;
use stella_contract::ids::{LeaseId, Tenant};
use stella_contract::job::{Job, JobEvent, JobState};
use stella_contract::lease::{AckLease, CompleteLease, LeasePulse};
use stella_contract::time::Micros;
use stella_ledger::leases::Fence;
use stella_ledger::{BoxFuture, Tx, leases, uploads};

/// What a worker says of one lease.
pub(crate) struct Said<W> {
    /// The tenant in whose name it speaks.
    pub(crate) tenant: Tenant,
    /// The lease.
    pub(crate) id: LeaseId,
    /// Its epoch.
    pub(crate) lease_epoch: i64,
    /// What.
    pub(crate) wish: W,
}

/// The line of workers that start.
pub(crate) type AckLine = Line<Said<AckLease>, LeasePulse>;
/// The line of workers that are done.
pub(crate) type CompleteLine = Line<Said<CompleteLease>, Job>;

/// The workers start. Said twice, they have started once.
pub(crate) fn acknowledge(
    engine: Engine,
    tx: &mut Tx,
    said: Vec<Said<AckLease>>,
) -> BoxFuture<'_, Answers<LeasePulse>> {
    Box::pin(async move {
        let now = engine.now();
        let (mut answers, mut fences) = (Vec::with_capacity(said.len()), Vec::new());
        for held in held_many(tx, &said).await? {
            if let Ok(held) = &held
                && !held.is_running()
                && !fences.contains(&held.fence)
            {
                fences.push(held.fence.clone());
            }
            answers.push(held);
        }
        let fenced = leases::ack_many(tx, &fences, now.plus_ms(LEASE_MS), now).await?;
        let started: BTreeSet<Fence> = fenced.done.iter().filter_map(Fence::of).collect();
        if !fenced.done.is_empty() {
            let mut journal = Journal::default();
            along(tx, fenced.done, JobEvent::Ack, now, &mut journal).await?;
            journal.leave(tx);
        }
        let answer = |held: Held| {
            let is_started = started.contains(&held.fence) || held.is_running();
            if is_started { Ok(held.pulse(now)) } else { Err(lost(&held.fence.job_id)) }
        };
        Ok(answers.into_iter().map(|held| held.and_then(answer)).collect())
    })
}

/// The jobs are done. The same success said twice is one success.
pub(crate) fn complete(
    engine: Engine,
    tx: &mut Tx,
    said: Vec<Said<CompleteLease>>,
) -> BoxFuture<'_, Answers<Job>> {
    Box::pin(async move {
        let now = engine.now();
        let mut journal = Journal::default();
        let mut answers: Vec<Option<Result<Job, Error>>> = said.iter().map(|_| None).collect();
        let mut rest: Vec<(usize, Said<CompleteLease>)> = said.into_iter().enumerate().collect();
        while !rest.is_empty() {
            // What is said twice is heard one after the other.
            let mut leases = BTreeSet::new();
            let (first, again): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(_, one)| leases.insert(one.id.clone()));
            rest = again;
            let (places, said): (Vec<usize>, Vec<_>) = first.into_iter().unzip();
            let heard = complete_once(&engine, tx, said, now, &mut journal).await?;
            for (place, answer) in places.into_iter().zip(heard) {
                answers[place] = Some(answer);
            }
        }
        journal.leave(tx);
        let none = || Err(Error::internal("a success was not heard"));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(none)).collect())
    })
}

/// Of no lease more than once.
async fn complete_once(
    engine: &Engine,
    tx: &mut Tx,
    said: Vec<Said<CompleteLease>>,
    now: Micros,
    journal: &mut Journal,
) -> Answers<Job> {
    let held = held_many(tx, &said).await?;
    let keys: Vec<i64> = held.iter().flatten().map(|held| held.record.key).collect();
    let mut brought = uploads::of_jobs(tx, &keys).await?;
    let (mut verdicts, mut prepared) = (Vec::with_capacity(said.len()), Vec::new());
    for (held, one) in held.into_iter().zip(said) {
        let held = match held.map(|held| judge(held, &one.wish)) {
            Ok(Verdict::Goes(held)) => held,
            Ok(answered) => {
                verdicts.push(answered);
                continue;
            }
            Err(refused) => {
                verdicts.push(Verdict::Answered(Err(refused)));
                continue;
            }
        };
        let own = brought.remove(&(held.record.key, one.lease_epoch)).unwrap_or_default();
        match ready(engine, tx, &held, own, one.wish, now).await {
            Ok(ready) => {
                prepared.push(Prepared { fence: held.fence.clone(), outcome: Ok(ready) });
                verdicts.push(Verdict::Goes(held));
            }
            Err(refused) => verdicts.push(Verdict::Answered(Err(refused))),
        }
    }
    let ended: Vec<i64> = prepared.iter().map(|report| stella_ledger::key_of(&report.fence.job_id)).collect();
    let mut written = report::write(tx, prepared, now, journal).await?.into_iter();
    uploads::forget_many(tx, &ended).await?;
    let none = || Err(Error::internal("a report had no answer"));
    Ok(verdicts
        .into_iter()
        .map(|verdict| match verdict {
            Verdict::Goes(_) => written.next().unwrap_or_else(none),
            Verdict::Answered(answer) => answer,
        })
        .collect())
}

/// What is known of a success before anything is written.
enum Verdict {
    /// The lease may end its job now.
    Goes(Held),
    /// There is nothing to write.
    Answered(Result<Job, Error>),
}

fn judge(held: Held, wish: &CompleteLease) -> Verdict {
    let job = &held.record.job;
    if held.is_of_this_lease && job.state.is_final() {
        let is_same = job.state == JobState::Succeeded && job.outputs_hash == wish.outputs_hash;
        return Verdict::Answered(if is_same { Ok(view(held.record)) } else { Err(finished(job)) });
    }
    match held.demand_current() {
        Ok(()) => Verdict::Goes(held),
        Err(refused) => Verdict::Answered(Err(refused)),
    }
}
