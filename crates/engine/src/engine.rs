//! The engine: opened once, cloned freely, asked through its nouns.

use crate::bus::Bus;
use crate::chance::{Chance, Ids};
use crate::clock::Clock;
use crate::error::Error;
use crate::sessions::Recognised;
use std::path::PathBuf;
use std::sync::Arc;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::{Ledger, LedgerPlace};

/// What an engine is opened with.
#[derive(Clone)]
pub struct Options {
    /// Where the book is kept.
    pub place: LedgerPlace,
    /// The folder of content-addressed bytes.
    pub blobs: PathBuf,
    /// The tenants; the first is the default.
    pub tenants: Vec<Tenant>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What makes random bytes.
    pub chance: Arc<dyn Chance>,
    /// How many jobs this process works on at once.
    pub workers: usize,
}

/// Decides. Clones share one state.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Ledger,
    bus: Arc<Bus>,
    ids: Ids,
    recognised: Recognised,
    options: Options,
}

impl Engine {
    /// Opens the ledger, brings its schema up to date and checks that it is sound.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let bus = Arc::new(Bus::default());
        let bell = bus.clone();
        let ledger = Ledger::open(&options.place, move |news| bell.tell(news)).await?;
        Ok(Self { inner: Arc::new(Inner { ledger, bus, ids: Ids::default(), recognised: Recognised::default(), options }) })
    }
    /// The book.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }
    /// What wakes those who wait.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }
    /// What tells the time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.options.clock
    }
    /// What makes random bytes.
    pub fn chance(&self) -> &Arc<dyn Chance> {
        &self.inner.options.chance
    }
    /// What it was opened with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }
    /// The time now.
    pub fn now(&self) -> Micros {
        self.inner.options.clock.now()
    }
    /// A new UUIDv7 for an id: `JobId::from_uuid(&engine.uuid(now))`. They rise strictly.
    pub fn uuid(&self, now: Micros) -> String {
        self.inner.ids.next(now, &*self.inner.options.chance)
    }
    /// Tokens that were recognised lately.
    pub(crate) fn recognised(&self) -> &Recognised {
        &self.inner.recognised
    }
    /// Finishes what was accepted and closes the ledger.
    pub async fn close(&self) {
        self.inner.ledger.close().await;
    }
}
