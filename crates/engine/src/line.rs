//! A line before the writer: what is asked for at the same time is done in one go, with one statement for all, and each
//! is answered for itself.

use crate::engine::Engine;
use crate::error::Error;
use futures::FutureExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_ledger::{BoxFuture, Tx};
use tokio::sync::oneshot;

/// What was decided for each of those who asked, in their order. What is refused to one must not have changed anything.
pub(crate) type Answers<A> = Result<Vec<Result<A, Error>>, Error>;

/// Does what everybody in the line asked for. An error is everybody's: nothing of it is kept.
pub(crate) type Verb<W, A> = for<'t> fn(Engine, &'t mut Tx, Vec<W>) -> BoxFuture<'t, Answers<A>>;

/// Who waits for one verb.
pub(crate) struct Line<W, A> {
    verb: Verb<W, A>,
    state: Mutex<State<W, A>>,
}

struct State<W, A> {
    waiting: Vec<(W, Sender<A>)>,
    is_called: bool,
}

type Sender<A> = oneshot::Sender<Result<A, Error>>;

impl<W: Send + 'static, A: Send + 'static> Line<W, A> {
    /// An empty line for this verb.
    pub(crate) fn of(verb: Verb<W, A>) -> Arc<Self> {
        Arc::new(Self { verb, state: Mutex::new(State { waiting: Vec::new(), is_called: false }) })
    }

    /// Stands in the line and is answered after the commit.
    pub(crate) async fn ask(self: &Arc<Self>, engine: &Engine, wish: W) -> Result<A, Error> {
        let (answer, answered) = oneshot::channel();
        if self.join(wish, answer) {
            // The first step calls the writer, so that closing the ledger waits for this line.
            let mut served = serve(self.clone(), engine.clone()).boxed();
            if served.as_mut().now_or_never().is_none() {
                // A task of its own: the others are answered even when this caller goes away.
                tokio::spawn(served);
            }
        }
        answered.await.unwrap_or_else(|_| Err(Error::internal("somebody in a line was given no answer")))
    }

    fn state(&self) -> MutexGuard<'_, State<W, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether nobody has called the writer yet.
    fn join(&self, wish: W, answer: Sender<A>) -> bool {
        let mut state = self.state();
        state.waiting.push((wish, answer));
        !std::mem::replace(&mut state.is_called, true)
    }
    fn leave(&self) -> (Vec<W>, Vec<Sender<A>>) {
        let mut state = self.state();
        state.is_called = false;
        std::mem::take(&mut state.waiting).into_iter().unzip()
    }
}

async fn serve<W: Send + 'static, A: Send + 'static>(line: Arc<Line<W, A>>, engine: Engine) {
    let taken: Arc<Mutex<Option<Vec<Sender<A>>>>> = Arc::default();
    let (senders, own, queue) = (taken.clone(), engine.clone(), line.clone());
    let written = engine
        .ledger()
        .write(move |tx| {
            Box::pin(async move {
                let (wishes, answers) = queue.leave();
                *senders.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
                (queue.verb)(own, tx, wishes).await
            })
        })
        .await;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Those whom the writer never came to are still in the line.
    let senders = taken.unwrap_or_else(|| line.leave().1);
    // A caller that went away does not need its answer.
    match written {
        Ok(answers) => {
            senders.into_iter().zip(answers).for_each(|(sender, answer)| drop(sender.send(answer)))
        }
        Err(error) => senders.into_iter().for_each(|sender| drop(sender.send(Err(error.clone())))),
    }
}
