//! What only this process counts: who is connected, who asks what is going, whose lease was refused. It starts at 0
//! with the process, which is what a counter may do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use stella_engine::metrics::exposition::Family;

/// The counts of one door.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    followers: AtomicI64,
    fence_rejected: AtomicU64,
    deprecated: Mutex<BTreeMap<&'static str, u64>>,
}

/// One who follows a stream; dropped when it ends.
#[derive(Debug)]
pub(crate) struct Follower(Arc<Tallies>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tallies {
    /// Counts one who follows until it is dropped.
    pub(crate) fn follow(self: &Arc<Self>) -> Follower {
        self.followers.fetch_add(1, Ordering::Relaxed);
        Follower(self.clone())
    }
    /// A report under a lease that is not, or no longer, the worker's.
    pub(crate) fn reject_fence(&self) {
        self.fence_rejected.fetch_add(1, Ordering::Relaxed);
    }
    /// A request to an address that goes.
    pub(crate) fn note_deprecated(&self, path: &'static str) {
        *self.deprecated.lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default() += 1;
    }
    /// As `/metrics` tells them.
    pub(crate) fn families(&self) -> Vec<Family> {
        let mut deprecated =
            Family::counter("orch_deprecated_requests_total", "Requests to addresses that go, by path.");
        for (path, count) in self.deprecated.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            deprecated.add(vec![("path", (*path).to_owned())], *count as f64);
        }
        vec![
            deprecated,
            Family::gauge("orch_sse_clients", "Readers of streams that are connected, WebSockets included.")
                .with(Vec::new(), self.followers.load(Ordering::Relaxed) as f64),
            Family::counter(
                "orch_fence_rejected_total",
                "Reports of workers that were refused because their lease was lost.",
            )
            .with(Vec::new(), self.fence_rejected.load(Ordering::Relaxed) as f64),
        ]
    }
}
