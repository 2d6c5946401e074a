//! One writer, group commit: what waits is written together, each call in a savepoint with an answer of its own.

use crate::book::{self, Tips};
use crate::db::{Db, Tx};
use crate::error::LedgerError;
use crate::ledger::News;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The most calls in one commit; more would make the first wait too long.
const MOST: usize = 256;
/// Calls that may wait before callers have to.
const BACKLOG: usize = 4096;

type Tell = Arc<dyn Fn(News) + Send + Sync>;

/// The handle of the writer task.
pub(crate) struct Writer {
    calls: Mutex<Option<mpsc::Sender<Box<dyn Call>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
}

/// One caller's work with its answer, whatever their types are.
trait Call: Send {
    /// Runs the work; whether its changes are to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Hands out the answer, or this error instead of it.
    fn answer(self: Box<Self>, failed: Option<LedgerError>);
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

struct Typed<F, T, E> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Call for Typed<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<LedgerError> + Send,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        let Some(work) = self.work.take() else { return async { false }.boxed() };
        async move {
            let result = AssertUnwindSafe(work(tx)).catch_unwind().await.unwrap_or_else(|_| {
                Err(E::from(LedgerError::Other("a write panicked; nothing of it was kept".to_owned())))
            });
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        }
        .boxed()
    }
    fn answer(self: Box<Self>, failed: Option<LedgerError>) {
        let result = match (self.result, failed) {
            (Some(Ok(_)) | None, Some(error)) => Err(E::from(error)),
            (Some(result), _) => result,
            (None, None) => return,
        };
        // A caller that went away does not need its answer.
        drop(self.reply.send(result));
    }
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

impl Writer {
    pub(crate) fn start(db: Db, tell: Tell) -> Self {
        let (calls, waiting) = mpsc::channel(BACKLOG);
        let commits = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(db, waiting, tell, commits.clone()));
        Self { calls: Mutex::new(Some(calls)), task: Mutex::new(Some(task)), commits }
    }

    /// How many commits there were.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let closed = || E::from(LedgerError::Unavailable("the ledger is closed".to_owned()));
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        let call = Typed { work: Some(work), result: None, reply };
        calls.send(Box::new(call)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Takes no more calls and waits until those taken are written.
    pub(crate) async fn stop(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer ended badly");
        }
    }
}

async fn serve(db: Db, mut waiting: mpsc::Receiver<Box<dyn Call>>, tell: Tell, commits: Arc<AtomicU64>) {
    let (mut batch, mut tips) = (Vec::new(), Tips::default());
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        batch.retain(|call| !call.is_abandoned());
        if batch.is_empty() {
            continue;
        }
        if write(&db, std::mem::take(&mut batch), &mut tips, &tell).await {
            commits.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the batch in one transaction; whether something was committed.
async fn write(db: &Db, batch: Vec<Box<dyn Call>>, tips: &mut Tips, tell: &Tell) -> bool {
    let mut tx = match db.begin_write().await {
        Ok(tx) => tx,
        Err(error) => {
            refuse(batch, &error);
            return false;
        }
    };
    let mut kept = Vec::with_capacity(batch.len());
    // Nothing else is lost when the only call fails, so it needs no savepoint.
    let mut mark = if batch.len() == 1 { Mark::Needless } else { Mark::Missing };
    let mut rest = batch.into_iter();
    while let Some(mut call) = rest.next() {
        match step(&mut tx, call.as_mut(), &mut mark).await {
            Ok(true) => kept.push(call),
            Ok(false) => call.answer(None),
            Err(error) => {
                // The connection is gone; the transaction with it.
                call.answer(Some(error.clone()));
                refuse(kept, &error);
                refuse(rest.collect(), &error);
                return false;
            }
        }
    }
    if kept.is_empty() {
        if let Err(error) = tx.rollback().await {
            tracing::warn!(%error, "a rollback failed");
        }
        return false;
    }
    if tx.is_postgres() {
        // Another node may have written since.
        tips.forget();
    }
    if let Err(error) = book::write(&mut tx, tips).await {
        tips.forget();
        refuse(kept, &error);
        return false;
    }
    let news = tx.news;
    match tx.commit().await {
        Ok(()) => {
            tell(news);
            kept.into_iter().for_each(|call| call.answer(None));
            true
        }
        Err(error) => {
            tips.forget();
            refuse(kept, &outcome(error));
            false
        }
    }
}

/// What a failed commit means for its calls.
fn outcome(error: LedgerError) -> LedgerError {
    match error {
        // Without room the log has no commit record, so that nothing of it counts.
        LedgerError::NoSpace => LedgerError::NoSpace,
        // Any other error from a commit does not say that nothing was committed.
        error => LedgerError::OutcomeUnknown(error.to_string()),
    }
}

/// Where the savepoint is to which a call that fails goes back. There is one at most, and the commit ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Nobody would go back to it.
    Needless,
    /// Not made yet.
    Missing,
    /// Before the last call, which is kept.
    Behind,
    /// Right here.
    Here,
}

/// Runs one call; its changes, its news and what it left are kept or undone together.
async fn step(tx: &mut Tx, call: &mut dyn Call, mark: &mut Mark) -> Result<bool, LedgerError> {
    match mark {
        Mark::Needless | Mark::Here => {}
        Mark::Missing => tx.run("savepoint one_call").await?,
        Mark::Behind => tx.run("release savepoint one_call; savepoint one_call").await?,
    }
    let (before, mut book) = (std::mem::take(&mut tx.news), std::mem::take(&mut tx.book));
    if call.run(tx).await {
        if *mark != Mark::Needless {
            *mark = Mark::Behind;
        }
        tx.news.merge(before);
        book.append(std::mem::take(&mut tx.book));
        tx.book = book;
        return Ok(true);
    }
    if *mark != Mark::Needless {
        tx.run("rollback to savepoint one_call").await?;
        *mark = Mark::Here;
    }
    (tx.news, tx.book) = (before, book);
    Ok(false)
}

fn refuse(batch: Vec<Box<dyn Call>>, error: &LedgerError) {
    batch.into_iter().for_each(|call| call.answer(Some(error.clone())));
}
