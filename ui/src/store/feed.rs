//! The live feed of the shown tenant: it stays connected, goes on where it was, and tells everybody who listens.

use super::session::SessionStore;
use crate::api::{FeedKind, FeedSink, chance};
use crate::clock;
use futures::future::{AbortHandle, Abortable, Either, select};
use gloo_timers::future::TimeoutFuture;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use stella_contract::event::FeedBatch;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use yew::prelude::*;

/// Silence for longer means that the connection is dead, whatever the network says.
const SILENCE_MS: i64 = 60_000;
/// A connection that tells nothing at all for so long never stood.
const FIRST_WORD_MS: i64 = 10_000;
/// How often silence is looked for.
const LOOK_MS: u32 = 5_000;

/// How the feed stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FeedState {
    /// Not connected yet.
    #[default]
    Connecting,
    /// Connected; events come as they happen.
    Live,
    /// Connected; asked for in turns.
    Polling,
    /// Lost; the next try.
    Reconnecting {
        /// How many tries have failed.
        attempt: u32,
        /// When the next one is.
        next: Micros,
    },
}

impl FeedState {
    /// Whether news come in.
    pub const fn is_up(self) -> bool {
        match self {
            Self::Live | Self::Polling => true,
            Self::Connecting | Self::Reconnecting { .. } => false,
        }
    }
}

/// How long to wait before try `attempt`: 1, 2, 4, ... 30 s, and up to a quarter more, so that many windows do not
/// come back in the same instant.
pub fn backoff_ms(attempt: u32, share: f64) -> u32 {
    let base = 1_000_u32.saturating_mul(1 << attempt.saturating_sub(1).min(5)).min(30_000);
    base + (f64::from(base) * 0.25 * share) as u32
}

/// Those who listen, and when the core was last heard of.
#[derive(Default)]
struct Bus {
    listeners: RefCell<Vec<(u32, Callback<Rc<FeedBatch>>)>>,
    next: Cell<u32>,
    heard: Cell<Option<Micros>>,
    cursor: Cell<Option<i64>>,
    tenant: RefCell<Option<Tenant>>,
    missed: Cell<bool>,
}

impl Bus {
    /// Tells everybody, but nobody while the page is not looked at: nothing is asked for that nobody sees.
    fn tell(&self, batch: &Rc<FeedBatch>) {
        if !clock::is_looked_at() {
            self.missed.set(true);
            return;
        }
        // Cloned first: a listener may come or go while it is told.
        let all: Vec<_> = self.listeners.borrow().iter().map(|(_, told)| told.clone()).collect();
        for told in all {
            told.emit(batch.clone());
        }
    }
}

/// How the feed stands and how to hear it.
#[derive(Clone)]
pub struct FeedStore {
    /// How it stands.
    pub state: FeedState,
    /// Tries again now.
    pub reconnect: Callback<()>,
    bus: Rc<Bus>,
}

impl PartialEq for FeedStore {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state && Rc::ptr_eq(&self.bus, &other.bus)
    }
}

impl FeedStore {
    /// Makes every answer old, so that all that is on the screen is asked for anew.
    pub fn refresh(&self) {
        let batch = FeedBatch {
            events: Vec::new(),
            cursor: self.bus.cursor.get().unwrap_or(0),
            reset: true,
            now: clock::now(),
        };
        self.bus.tell(&Rc::new(batch));
    }

    /// When the core was last heard of.
    pub fn heard(&self) -> Option<Micros> {
        self.bus.heard.get()
    }
}

/// Connects the feed; used once, in the app.
#[hook]
pub fn use_feed_store(session: &SessionStore) -> FeedStore {
    let bus = use_memo((), |()| Bus::default());
    let state = use_state_eq(FeedState::default);
    let tries = use_state_eq(|| 0u32);
    let ready = session.session.value().is_some();
    {
        let (api, bus, set) = (session.api().clone(), bus.clone(), state.setter());
        use_effect_with((session.tenant.clone(), ready, *tries), move |(tenant, ready, _)| {
            let (handle, registration) = AbortHandle::new_pair();
            if *ready {
                // A cursor counts one tenant's events.
                if bus.tenant.replace(tenant.clone()) != *tenant {
                    bus.cursor.set(None);
                }
                let following = Abortable::new(follow(api, bus, set), registration);
                wasm_bindgen_futures::spawn_local(async move {
                    // Ends only by being given up, when tenant or page change.
                    let _ = following.await;
                });
            }
            move || handle.abort()
        });
    }
    let reconnect = Callback::from(move |()| tries.set(*tries + 1));
    use_return(*state, reconnect.clone());
    {
        let store = FeedStore { state: *state, reconnect: reconnect.clone(), bus: bus.clone() };
        use_look(store);
    }
    FeedStore { state: *state, reconnect, bus }
}

/// Makes up for what was missed once the page is looked at again.
#[hook]
fn use_look(store: FeedStore) {
    use_effect_with(store, |store| {
        let store = store.clone();
        let document = web_sys::window().and_then(|window| window.document());
        let listener = document.map(|document| {
            gloo_events::EventListener::new(&document, "visibilitychange", move |_| {
                if clock::is_looked_at() && store.bus.missed.replace(false) {
                    store.refresh();
                }
            })
        });
        move || drop(listener)
    });
}

/// Tries again at once when the network is back or the page is looked at again.
#[hook]
fn use_return(state: FeedState, reconnect: Callback<()>) {
    let waiting = !state.is_up() && state != FeedState::Connecting;
    use_effect_with((waiting, reconnect), |(waiting, reconnect)| {
        let window = web_sys::window().filter(|_| *waiting);
        let listeners = window.map(|window| {
            let (online, focus) = (reconnect.clone(), reconnect.clone());
            [
                gloo_events::EventListener::new(&window, "online", move |_| online.emit(())),
                gloo_events::EventListener::new(&window, "focus", move |_| focus.emit(())),
            ]
        });
        move || drop(listeners)
    });
}

/// Follows the feed for ever.
async fn follow(api: crate::api::Api, bus: Rc<Bus>, set: UseStateSetter<FeedState>) {
    let up = match api.transport().feed_kind() {
        FeedKind::Streaming => FeedState::Live,
        FeedKind::Polling => FeedState::Polling,
    };
    let attempt = Rc::new(Cell::new(0u32));
    let lost = Rc::new(Cell::new(false));
    loop {
        let sink: FeedSink = {
            let (bus, set, attempt, lost) = (bus.clone(), set.clone(), attempt.clone(), lost.clone());
            Rc::new(move |mut batch: FeedBatch| {
                attempt.set(0);
                set.set(up);
                clock::follow(batch.now);
                clock::thaw();
                bus.heard.set(Some(clock::now()));
                if bus.cursor.get() != Some(batch.cursor) && batch.cursor > 0 {
                    bus.cursor.set(Some(batch.cursor));
                }
                // Whoever was told nothing for a while cannot know what it missed.
                batch.reset |= lost.replace(false) && bus.cursor.get().is_none();
                if batch.reset || !batch.events.is_empty() {
                    bus.tell(&Rc::new(batch));
                }
            })
        };
        let cursor = bus.cursor.get();
        let following = api.transport().follow(api.headers(), cursor, sink);
        let started = clock::now();
        let watching = Box::pin(silence(bus.clone(), started));
        match select(following, watching).await {
            Either::Left(_) | Either::Right(_) => {}
        }
        lost.set(true);
        // Running times must not go on counting over rows that no longer do.
        clock::freeze(bus.heard.get());
        attempt.set(attempt.get() + 1);
        let wait = backoff_ms(attempt.get(), chance::share());
        set.set(FeedState::Reconnecting {
            attempt: attempt.get(),
            next: clock::now().plus_ms(i64::from(wait)),
        });
        TimeoutFuture::new(wait).await;
    }
}

/// Ends when nothing was heard for too long.
async fn silence(bus: Rc<Bus>, started: Micros) {
    loop {
        TimeoutFuture::new(LOOK_MS).await;
        let heard = bus.heard.get().filter(|heard| *heard >= started);
        let (since, patience) = heard.map_or((started, FIRST_WORD_MS), |heard| (heard, SILENCE_MS));
        if clock::now().ms_since(since) > patience {
            return;
        }
    }
}

/// How the feed stands.
#[hook]
pub fn use_feed() -> FeedStore {
    use_context::<FeedStore>().expect("everything is mounted below the app's providers")
}

/// Hears every batch of the feed. `told` may change with every render; the newest is asked.
#[hook]
pub fn use_feed_batches<F: Fn(&FeedBatch) + 'static>(told: F) {
    let bus = use_feed().bus;
    let newest = use_mut_ref(|| None::<Rc<dyn Fn(&FeedBatch)>>);
    *newest.borrow_mut() = Some(Rc::new(told));
    use_effect_with((), move |()| {
        let id = bus.next.get();
        bus.next.set(id + 1);
        let callback = Callback::from(move |batch: Rc<FeedBatch>| {
            let told = newest.borrow().clone();
            if let Some(told) = told {
                told(&batch);
            }
        });
        bus.listeners.borrow_mut().push((id, callback));
        move || bus.listeners.borrow_mut().retain(|(one, _)| *one != id)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_ever_later_but_never_later_than_half_a_minute_and_a_quarter() {
        let waits: Vec<u32> = (1..8).map(|attempt| backoff_ms(attempt, 0.0)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff_ms(1_000, 0.999_999), 37_499);
        assert_eq!(backoff_ms(0, 0.0), 1_000);
    }
}
