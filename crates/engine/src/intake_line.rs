//! Small submissions that wait for the writer at the same time are taken in together: one insert for all of them,
//! however many callers they have.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::intake::{JobWish, Keys, demand_keys, insert_many};
use crate::jobs::Submitted;
use crate::journal::Journal;
use crate::line::{Answers, Line};
use crate::pressure::demand_room;
use stella_ledger::{BoxFuture, Tx};

/// Submissions of more jobs are a set of their own.
const MOST_SHARED: usize = 8;

/// What one caller submits.
pub(crate) struct Submission {
    /// Its jobs, all of one tenant.
    pub(crate) wishes: Vec<JobWish>,
    /// Who wants them and why.
    pub(crate) by: By,
}

/// The line of small submissions.
pub(crate) type IntakeLine = Line<Submission, Vec<Submitted>>;

/// Whether a submission can only be refused before anything is written. One of a run or with dependencies may be
/// refused later, which must not undo its neighbours.
pub(crate) fn may_share(wishes: &[JobWish]) -> bool {
    wishes.len() <= MOST_SHARED
        && wishes.iter().all(|wish| wish.run_id.is_none() && wish.depends_on.is_empty())
}

/// Takes in what each brought; one for whom there is no room, or whose key stands for another payload, is refused
/// alone.
pub(crate) fn take_in(
    engine: Engine,
    tx: &mut Tx,
    submissions: Vec<Submission>,
) -> BoxFuture<'_, Answers<Vec<Submitted>>> {
    Box::pin(async move {
        let now = engine.now();
        let mut journal = Journal::default();
        let mut answers = Vec::with_capacity(submissions.len());
        let mut groups: Vec<Group> = Vec::new();
        let wishes = submissions.iter().flat_map(|submission| &submission.wishes);
        let mut digests = Keys::of(tx, wishes).await?.digests();
        for (at, Submission { wishes, by }) in submissions.into_iter().enumerate() {
            let has_room = room(&engine, tx, &wishes).await;
            if let Err(refused) = has_room.and_then(|()| demand_keys(&mut digests, &wishes)) {
                answers.push(Err(refused));
                continue;
            }
            answers.push(Ok(Vec::with_capacity(wishes.len())));
            join(&mut groups, at, wishes, by);
        }
        for Group { by, wishes, owners } in groups {
            let made = insert_many(&engine, tx, wishes, &by, now, &mut journal).await?;
            for (owner, submitted) in owners.into_iter().zip(made) {
                if let Ok(jobs) = &mut answers[owner] {
                    jobs.push(submitted);
                }
            }
        }
        journal.leave(tx);
        Ok(answers)
    })
}

/// Jobs that the same caller wants for the same reason.
struct Group {
    by: By,
    wishes: Vec<JobWish>,
    /// Whose each of them is.
    owners: Vec<usize>,
}

fn join(groups: &mut Vec<Group>, owner: usize, wishes: Vec<JobWish>, by: By) {
    let owners = std::iter::repeat_n(owner, wishes.len());
    match groups.iter_mut().find(|group| group.by == by) {
        Some(group) => {
            group.wishes.extend(wishes);
            group.owners.extend(owners);
        }
        None => groups.push(Group { by, owners: owners.collect(), wishes }),
    }
}

async fn room(engine: &Engine, tx: &mut Tx, wishes: &[JobWish]) -> Result<(), Error> {
    let Some(first) = wishes.first() else { return Ok(()) };
    let priorities: Vec<i32> = wishes.iter().map(|wish| wish.priority).collect();
    demand_room(engine, tx, &first.tenant, &priorities).await
}
