//! Requests that ask at the same time whether their keys were answered before look together: while one look is under way,
//! those that come wait and share the next.

use crate::engine::Engine;
use crate::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_ledger::idempotency::{self, KeptAnswer, Place};
use tokio::sync::oneshot;

type Answer = Result<Option<KeptAnswer>, Error>;

/// The most keys of one look.
const MOST: usize = 256;

/// Who waits for a look.
#[derive(Debug, Default)]
pub(crate) struct KeptLooks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(Place, oneshot::Sender<Answer>)>,
    is_looking: bool,
}

impl KeptLooks {
    /// What the ledger knows of the key, read after this was asked.
    pub(crate) async fn ask(self: &Arc<Self>, engine: &Engine, place: Place) -> Answer {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut state = self.state();
            state.waiting.push((place, answer));
            !std::mem::replace(&mut state.is_looking, true)
        };
        if is_first {
            // A task of its own: the others are answered even when this caller goes away.
            tokio::spawn(look(self.clone(), engine.clone()));
        }
        answered
            .await
            .unwrap_or_else(|_| Err(Error::internal("somebody who looked for a key was given no answer")))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that wait; when there are none, the looking ends.
    fn next(&self) -> Option<(Vec<Place>, Vec<oneshot::Sender<Answer>>)> {
        let mut state = self.state();
        let some = state.waiting.len().min(MOST);
        state.is_looking = some > 0;
        (some > 0).then(|| state.waiting.drain(..some).unzip())
    }
}

async fn look(looks: Arc<KeptLooks>, engine: Engine) {
    while let Some((places, senders)) = looks.next() {
        let found: Result<_, Error> = engine
            .ledger()
            .read(move |tx| Box::pin(async move { Ok(idempotency::find_many(tx, &places).await?) }))
            .await;
        // Whoever went away does not need its answer.
        match found {
            Ok(found) => senders.into_iter().zip(found).for_each(|(sender, one)| drop(sender.send(Ok(one)))),
            Err(error) => senders.into_iter().for_each(|sender| drop(sender.send(Err(error.clone())))),
        }
    }
}
