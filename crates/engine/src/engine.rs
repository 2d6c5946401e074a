//! The engine: opened once, cloned freely, asked through its nouns.

use crate::bus::Bus;
use crate::chance::{Chance, Ids};
use crate::clock::Clock;
use crate::error::Error;
use crate::feed_index::FeedIndexes;
use crate::feed_tail::FeedTails;
use crate::fetch::{FetchLimits, Fetcher};
use crate::floor_lines::{self, AckLine, CompleteLine};
use crate::handlers::Registry;
use crate::idempotency::{self, AnswerLine, Answers};
use crate::intake_line::{self, IntakeLine};
use crate::kept_looks::KeptLooks;
use crate::line::Line;
use crate::policies::Compiled;
use crate::runs::tail::RunTails;
use crate::sessions::Recognised;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::limits::InForce;
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
    feed_tails: FeedTails,
    run_tails: RunTails,
    answers: Arc<Answers>,
    kept_looks: Arc<KeptLooks>,
    lines: Lines,
    feed_indexes: FeedIndexes,
    compiled: Compiled,
    fetcher: OnceLock<Fetcher>,
    registry: Registry,
    limited: AtomicBool,
    options: Options,
}

/// Those who wait for the writer to do the same thing, each kind in a line of its own.
pub(crate) struct Lines {
    /// To be taken in.
    pub(crate) intake: Arc<IntakeLine>,
    /// To start.
    pub(crate) ack: Arc<AckLine>,
    /// To be done.
    pub(crate) complete: Arc<CompleteLine>,
    /// To be kept.
    pub(crate) answers: Arc<AnswerLine>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            intake: Line::of(intake_line::take_in),
            ack: Line::of(floor_lines::acknowledge),
            complete: Line::of(floor_lines::complete),
            answers: Line::of(idempotency::store),
        }
    }
}

impl Engine {
    /// Opens the ledger, brings its schema up to date and checks that it is sound.
    pub async fn open(options: Options) -> Result<Self, Error> {
        Self::open_with(options, Registry::standard()).await
    }
    /// The same with handlers of the caller's choice.
    pub async fn open_with(options: Options, registry: Registry) -> Result<Self, Error> {
        let bus = Arc::new(Bus::default());
        let bell = bus.clone();
        let ledger = Ledger::open(&options.place, move |news| bell.tell(news)).await?;
        let clock = options.clock.clone();
        ledger.time_writes(move || clock.now().0);
        let inner = Inner {
            ledger,
            bus,
            ids: Ids::default(),
            recognised: Recognised::default(),
            feed_tails: FeedTails::default(),
            run_tails: RunTails::default(),
            answers: Arc::default(),
            kept_looks: Arc::default(),
            lines: Lines::default(),
            feed_indexes: FeedIndexes::default(),
            compiled: Compiled::default(),
            fetcher: OnceLock::new(),
            registry,
            limited: AtomicBool::new(true),
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
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
    /// Who does which job type.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
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
    /// The newest events of every tenant.
    pub(crate) fn run_tails(&self) -> &RunTails {
        &self.inner.run_tails
    }
    pub(crate) fn feed_tails(&self) -> &FeedTails {
        &self.inner.feed_tails
    }
    /// Keys that are being answered.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.inner.answers
    }
    /// Who looks whether a key was answered before.
    pub(crate) fn kept_looks(&self) -> &Arc<KeptLooks> {
        &self.inner.kept_looks
    }
    /// Who waits for the writer.
    pub(crate) fn lines(&self) -> &Lines {
        &self.inner.lines
    }
    /// Takes note of whether limits are in force, as a transaction just saw it.
    pub(crate) fn limits_seen(&self, in_force: InForce) {
        self.inner.limited.store(!in_force.is_nothing(), Ordering::Relaxed);
    }
    /// A limit was just changed here.
    pub(crate) fn limits_changed(&self) {
        self.inner.limited.store(true, Ordering::Relaxed);
    }
    /// Whether limits may be in force. It spares those a look into the ledger who would be held later anyway.
    pub(crate) fn may_be_limited(&self) -> bool {
        self.inner.limited.load(Ordering::Relaxed)
    }
    /// Sets how much may be fetched from one source; to be called before the first one is read.
    pub fn limit_fetches(&self, limits: FetchLimits) {
        self.inner.fetcher.get_or_init(|| Fetcher::new(limits));
    }
    /// What reads files and addresses.
    pub(crate) fn fetcher(&self) -> &Fetcher {
        self.inner.fetcher.get_or_init(Fetcher::default)
    }
    /// The feeds of every tenant, in the form that is matched against.
    pub(crate) fn feed_indexes(&self) -> &FeedIndexes {
        &self.inner.feed_indexes
    }
    /// Policies that were read lately.
    pub(crate) fn compiled(&self) -> &Compiled {
        &self.inner.compiled
    }
    /// Finishes what was accepted and closes the ledger.
    pub async fn close(&self) {
        self.inner.ledger.close().await;
    }
}
