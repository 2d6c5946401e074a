//! The ledger as others hold it: open it, write through it, read a snapshot of it.

use crate::db::{Db, Tx};
use crate::error::LedgerError;
use crate::migrate;
use crate::writer::Writer;
use futures::future::BoxFuture;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use stella_contract::stats::{BOUNDS_MS, bucket_of};

/// Where the book is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerPlace {
    /// In this file.
    Sqlite(PathBuf),
    /// On the server of this URL.
    Postgres(String),
}

/// What a commit changed, for those who wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// Some tenant's feed has new events.
    pub feed: bool,
    /// Some job can be claimed.
    pub ready: bool,
    /// Background tasks have something to look at.
    pub work: bool,
}

impl News {
    pub(crate) fn merge(&mut self, other: Self) {
        self.feed |= other.feed;
        self.ready |= other.ready;
        self.work |= other.work;
    }
}

/// The open book. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    writer: Writer,
    /// Held as long as the file is open, so that a second process is told so.
    _lock: Option<File>,
    watch: OnceLock<Watch>,
}

/// Times writes by a clock that is given: this crate reads none.
struct Watch {
    now_us: Box<dyn Fn() -> i64 + Send + Sync>,
    seen: Mutex<WriteTimes>,
}

/// How long the writes of this process took, until they were committed or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteTimes {
    /// How many, by the boundaries of the contract; one more place than there are boundaries.
    pub places: Vec<i64>,
    /// All of them together, in microseconds.
    pub us: i64,
}

impl Watch {
    fn note(&self, started_us: i64) {
        let took_us = ((self.now_us)() - started_us).max(0);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.places.resize(BOUNDS_MS.len() + 1, 0);
        // A part of a millisecond is more than none.
        seen.places[bucket_of(took_us.saturating_add(999) / 1_000)] += 1;
        seen.us = seen.us.saturating_add(took_us);
    }
}

impl Ledger {
    /// Opens the place, brings its schema up to date and checks that it is sound. `tell` hears of each commit.
    pub async fn open(
        place: &LedgerPlace,
        tell: impl Fn(News) + Send + Sync + 'static,
    ) -> Result<Self, LedgerError> {
        let (db, lock) = match place {
            LedgerPlace::Sqlite(path) => {
                let lock = lock_beside(path)?;
                (Db::sqlite(path).await?, Some(lock))
            }
            LedgerPlace::Postgres(url) => (Db::postgres(url).await?, None),
        };
        migrate::run(&db).await?;
        let writer = Writer::start(db.clone(), Arc::new(tell));
        Ok(Self { inner: Arc::new(Inner { db, writer, _lock: lock, watch: OnceLock::new() }) })
    }

    /// Times writes from now on by this clock, in microseconds; the first clock stays.
    pub fn time_writes(&self, now_us: impl Fn() -> i64 + Send + Sync + 'static) {
        self.inner.watch.get_or_init(|| Watch { now_us: Box::new(now_us), seen: Mutex::default() });
    }

    /// How long writes took so far; nothing where they are not timed.
    pub fn write_times(&self) -> WriteTimes {
        let watch = self.inner.watch.get();
        watch.map(|one| one.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }

    /// Runs `work` in a transaction and answers after its commit. Calls that wait together are committed together,
    /// each in a savepoint of its own, so that the error of one leaves the others untouched.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let timed = self.inner.watch.get().map(|watch| (watch, (watch.now_us)()));
        let outcome = self.inner.writer.call(work).await;
        if let Some((watch, started_us)) = timed {
            watch.note(started_us);
        }
        outcome
    }

    /// Runs `work` on one snapshot of the whole book.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<LedgerError>,
    {
        let mut tx = self.inner.db.begin_read().await?;
        let result = work(&mut tx).await;
        tx.rollback().await?;
        result
    }

    /// How many commits were made through it.
    pub fn commits(&self) -> u64 {
        self.inner.writer.commits()
    }

    /// Finishes what was accepted and closes the connections.
    pub async fn close(&self) {
        self.inner.writer.stop().await;
        self.inner.db.close().await;
    }
}

/// Takes the lock file beside a ledger file.
fn lock_beside(path: &Path) -> Result<File, LedgerError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| not_writable(folder, &error))?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| not_writable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Locked),
        Err(TryLockError::Error(error)) => Err(not_writable(path, &error)),
    }
}

fn not_writable(path: &Path, error: &std::io::Error) -> LedgerError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return LedgerError::NoSpace;
    }
    LedgerError::NotWritable(format!("{}: {error}", path.display()))
}
