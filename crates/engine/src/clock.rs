//! The only reader of the wall clock, and a clock for tests that stands still until it is moved.

use async_trait::async_trait;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stella_contract::time::Micros;
use tokio::sync::watch;

/// What tells the time.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Micros;
    /// Returns when it is that late.
    async fn sleep_until(&self, at: Micros);
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Micros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
    async fn sleep_until(&self, at: Micros) {
        // The wall clock may be set meanwhile, so long sleeps look again every minute.
        loop {
            let left = at.0.saturating_sub(self.now().0);
            if left <= 0 {
                return;
            }
            let left = Duration::from_micros(left.unsigned_abs());
            tokio::time::sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    moved: watch::Sender<()>,
}

impl TestClock {
    /// Stands at `at`.
    pub fn at(at: Micros) -> Self {
        Self { now: AtomicI64::new(at.0), moved: watch::Sender::new(()) }
    }
    /// Moves on by so many milliseconds and wakes those whose time has come.
    pub fn advance_ms(&self, ms: i64) {
        self.now.fetch_add(ms * 1_000, Ordering::SeqCst);
        self.moved.send_replace(());
    }
}

impl Default for TestClock {
    /// 2026-11-21T09:00:00Z.
    fn default() -> Self {
        Self::at(Micros(1_795_251_600_000_000))
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(self.now.load(Ordering::SeqCst))
    }
    async fn sleep_until(&self, at: Micros) {
        let mut moved = self.moved.subscribe();
        while self.now() < at {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }
}
