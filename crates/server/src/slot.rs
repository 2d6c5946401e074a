//! The place of the engine behind the door. The door can stand before the ledger is open, and says why while it is not.

use crate::refusal::Refusal;
use std::sync::{Arc, PoisonError, RwLock};
use stella_contract::error::Code;
use stella_engine::{Engine, Error};

/// The engine, or why there is none. Clones share one place.
#[derive(Clone)]
pub struct EngineSlot {
    held: Arc<RwLock<Held>>,
}

#[derive(Clone)]
enum Held {
    Starting,
    Open(Engine),
    Shut(Error),
}

impl EngineSlot {
    /// A place that is being prepared: every request is answered with STARTING until [`Self::open`] or [`Self::shut`].
    pub fn starting() -> Self {
        Self::holding(Held::Starting)
    }

    /// The outcome of opening an engine.
    pub fn of(outcome: Result<Engine, Error>) -> Self {
        Self::holding(match outcome {
            Ok(engine) => Held::Open(engine),
            Err(error) => Held::Shut(error),
        })
    }

    /// Puts an engine in.
    pub fn open(&self, engine: Engine) {
        self.hold(Held::Open(engine));
    }

    /// Says why there is no engine.
    pub fn shut(&self, error: Error) {
        self.hold(Held::Shut(error));
    }

    /// The engine, when there is one.
    pub fn engine(&self) -> Option<Engine> {
        self.demand().ok()
    }

    /// The engine, or the refusal that names what is wrong and what to do.
    pub(crate) fn demand(&self) -> Result<Engine, Refusal> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        match held {
            Held::Open(engine) => Ok(engine),
            Held::Shut(error) => Err(error.into()),
            Held::Starting => {
                let mut refusal =
                    Refusal::new(Code::Starting, "The core is starting. Try again in a moment.");
                refusal.retry_after_ms = Some(1_000);
                Err(refusal)
            }
        }
    }

    fn holding(held: Held) -> Self {
        Self { held: Arc::new(RwLock::new(held)) }
    }

    fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

impl From<Engine> for EngineSlot {
    fn from(engine: Engine) -> Self {
        Self::of(Ok(engine))
    }
}
