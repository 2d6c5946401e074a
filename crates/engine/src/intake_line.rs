//! Small submissions that wait for the writer at the same time are taken in together: one insert for all of them,
//! however many callers they have.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::intake::{JobWish, insert_many};
use crate::jobs::Submitted;
use crate::journal::Journal;
use crate::pressure::demand_room;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_ledger::Tx;
use tokio::sync::oneshot;

/// Submissions of more jobs are a set of their own.
const MOST_SHARED: usize = 8;

type Answer = Result<Vec<Submitted>, Error>;

/// Who waits to be taken in.
#[derive(Default)]
pub(crate) struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    is_called: bool,
}

struct Waiting {
    wishes: Vec<JobWish>,
    by: By,
    answer: oneshot::Sender<Answer>,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether nobody has called the writer yet.
    fn join(&self, waiting: Waiting) -> bool {
        let mut state = self.state();
        state.waiting.push(waiting);
        !std::mem::replace(&mut state.is_called, true)
    }
    fn leave(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.state()).waiting
    }
}

/// Whether a submission can only be refused for what concerns all alike. One under a key, of a run or with
/// dependencies may be refused for itself, which must not undo its neighbours.
pub(crate) fn may_share(wishes: &[JobWish]) -> bool {
    wishes.len() <= MOST_SHARED
        && wishes
            .iter()
            .all(|wish| wish.idempotency_key.is_none() && wish.run_id.is_none() && wish.depends_on.is_empty())
}

/// Takes the jobs in together with whoever else waits, and answers after the commit.
pub(crate) async fn submit(engine: &Engine, wishes: Vec<JobWish>, by: By) -> Answer {
    let (answer, answered) = oneshot::channel();
    if engine.line().join(Waiting { wishes, by, answer }) {
        // A task of its own: the others are answered even when this caller goes away.
        tokio::spawn(serve(engine.clone()));
    }
    answered.await.unwrap_or_else(|_| Err(Error::internal("a submission was given no answer")))
}

async fn serve(engine: Engine) {
    let taken: Arc<Mutex<Option<Vec<oneshot::Sender<Answer>>>>> = Arc::default();
    let (own, senders) = (engine.clone(), taken.clone());
    let written = engine
        .ledger()
        .write(move |tx| {
            Box::pin(async move {
                let (answers, parts) =
                    own.line().leave().into_iter().map(|one| (one.answer, (one.wishes, one.by))).unzip();
                *senders.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
                take_in(&own, tx, parts).await
            })
        })
        .await;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Those whom the writer never came to are still in the line.
    let senders =
        taken.unwrap_or_else(|| engine.line().leave().into_iter().map(|waiting| waiting.answer).collect());
    // A caller that went away does not need its answer.
    match written {
        Ok(answers) => {
            senders.into_iter().zip(answers).for_each(|(sender, answer)| drop(sender.send(answer)))
        }
        Err(error) => senders.into_iter().for_each(|sender| drop(sender.send(Err(error.clone())))),
    }
}

/// Takes in what each brought; one for whom there is no room is refused alone.
async fn take_in(engine: &Engine, tx: &mut Tx, parts: Vec<(Vec<JobWish>, By)>) -> Result<Vec<Answer>, Error> {
    let now = engine.now();
    let mut journal = Journal::default();
    let mut answers: Vec<Answer> = Vec::with_capacity(parts.len());
    let mut groups: Vec<Group> = Vec::new();
    for (at, (wishes, by)) in parts.into_iter().enumerate() {
        if let Err(refused) = room(engine, tx, &wishes).await {
            answers.push(Err(refused));
            continue;
        }
        answers.push(Ok(Vec::with_capacity(wishes.len())));
        let owners = std::iter::repeat_n(at, wishes.len());
        match groups.iter_mut().find(|group| group.by == by) {
            Some(group) => {
                group.wishes.extend(wishes);
                group.owners.extend(owners);
            }
            None => groups.push(Group { by, owners: owners.collect(), wishes }),
        }
    }
    for Group { by, wishes, owners } in groups {
        let made = insert_many(engine, tx, wishes, &by, now, &mut journal).await?;
        for (owner, submitted) in owners.into_iter().zip(made) {
            if let Ok(jobs) = &mut answers[owner] {
                jobs.push(submitted);
            }
        }
    }
    journal.leave(tx);
    Ok(answers)
}

/// Jobs that the same caller wants for the same reason.
struct Group {
    by: By,
    wishes: Vec<JobWish>,
    /// Whose each of them is.
    owners: Vec<usize>,
}

async fn room(engine: &Engine, tx: &mut Tx, wishes: &[JobWish]) -> Result<(), Error> {
    let Some(first) = wishes.first() else { return Ok(()) };
    let priorities: Vec<i32> = wishes.iter().map(|wish| wish.priority).collect();
    demand_room(engine, tx, &first.tenant, &priorities).await
}
