//! Wakes those who wait, after a commit and never before it. It carries no data: who wakes reads the ledger.

use stella_ledger::News;
use tokio::sync::watch;

/// Three bells: the feed moved, a job can be claimed, background work has something to look at.
#[derive(Debug, Default)]
pub struct Bus {
    feed: watch::Sender<u64>,
    ready: watch::Sender<u64>,
    work: watch::Sender<u64>,
}

impl Bus {
    /// Rings the bells of a commit.
    pub fn tell(&self, news: News) {
        let ring = |bell: &watch::Sender<u64>| bell.send_modify(|count| *count = count.wrapping_add(1));
        if news.feed {
            ring(&self.feed);
        }
        if news.ready {
            ring(&self.ready);
        }
        if news.work {
            ring(&self.work);
        }
    }
    /// Changes whenever some tenant's feed got events.
    pub fn feed(&self) -> watch::Receiver<u64> {
        self.feed.subscribe()
    }
    /// Changes whenever some job became claimable.
    pub fn ready(&self) -> watch::Receiver<u64> {
        self.ready.subscribe()
    }
    /// Changes whenever background tasks should look.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }
}
