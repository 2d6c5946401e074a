//! The stream of one run, from its snapshot to its end; it goes on where it was after a break.

use super::feed::FeedState;
use super::following::{Following, Next, SILENCE_MS, Slow};
use super::session::{use_api, use_session};
use super::watched_run::WatchedRun;
use crate::api::{Api, FeedKind, Problem, RunSink, chance};
use crate::clock;
use futures::future::{AbortHandle, Abortable, Either, select};
use gloo_timers::future::TimeoutFuture;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use stella_contract::event::{RunMessage, RunMessages, RunMessagesQuery};
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_contract::time::Micros;
use yew::prelude::*;

/// How often silence is looked for.
const LOOK_MS: u32 = 5_000;

/// A run that is watched.
#[derive(Clone, PartialEq)]
pub struct RunStream {
    /// What is known of it.
    pub watched: Rc<WatchedRun>,
    /// How the stream stands.
    pub state: FeedState,
    /// Why it is asked for every half minute instead; nothing while it streams.
    pub slow: Option<Slow>,
    /// When something was last told.
    pub heard: Option<Micros>,
    /// Why it cannot be watched at all: unknown, forbidden.
    pub problem: Option<Problem>,
}

/// Watches a run while the page is open.
#[hook]
pub fn use_run_stream(id: &RunId) -> RunStream {
    let api = use_api();
    let shown = use_state(|| RunStream {
        watched: Rc::default(),
        state: FeedState::Connecting,
        slow: None,
        heard: None,
        problem: None,
    });
    let is_off = use_session().is_off(Feature::Sse);
    {
        let set = shown.setter();
        use_effect_with((id.clone(), api.clone(), is_off), move |(id, api, is_off)| {
            let (handle, registration) = AbortHandle::new_pair();
            let watching = Abortable::new(watch(api.clone(), id.clone(), *is_off, set), registration);
            wasm_bindgen_futures::spawn_local(async move {
                // Ends with the run, or by being given up when the page closes.
                let _ = watching.await;
            });
            move || handle.abort()
        });
    }
    (*shown).clone()
}

/// What a watcher knows and whom it tells.
struct Watcher {
    api: Api,
    id: RunId,
    watched: RefCell<WatchedRun>,
    state: Cell<FeedState>,
    following: Cell<Following>,
    heard: Cell<Option<Micros>>,
    set: UseStateSetter<RunStream>,
}

impl Watcher {
    fn tell(&self, problem: Option<Problem>) {
        self.set.set(RunStream {
            watched: Rc::new(self.watched.borrow().clone()),
            state: self.state.get(),
            slow: self.following.get().slow(),
            heard: self.heard.get(),
            problem,
        });
    }

    /// Reads the run's own row, which holds times that the stream does not tell.
    fn refresh(self: &Rc<Self>) {
        let watcher = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if let Ok(run) = watcher.api.run(&watcher.id).await {
                watcher.watched.borrow_mut().run = Some(Rc::new(run));
                watcher.tell(None);
            }
        });
    }
}

/// Follows the run until it has ended or cannot be followed at all.
async fn watch(api: Api, id: RunId, is_off: bool, set: UseStateSetter<RunStream>) {
    let up = match api.transport().feed_kind() {
        FeedKind::Streaming => FeedState::Live,
        FeedKind::Polling => FeedState::Polling,
    };
    let watcher = Rc::new(Watcher {
        api,
        id,
        watched: RefCell::default(),
        state: Cell::new(FeedState::Connecting),
        following: Cell::new(Following::new(is_off)),
        heard: Cell::new(None),
        set,
    });
    if let Ok(now) = watcher.api.run_messages(&watcher.id, &RunMessagesQuery::default()).await {
        watcher.watched.borrow_mut().start(&now.items);
        watcher.tell(None);
    }
    let mut next = watcher.following.get().start();
    loop {
        next = match next {
            Next::Stream { wait } => {
                watcher.rest(wait).await;
                let Some(problem) = watcher.stream(up).await else { return watcher.end() };
                watcher.step(|following| following.broke(&problem, chance::share()), problem.clone())
            }
            Next::Poll { wait, .. } => {
                TimeoutFuture::new(wait).await;
                match watcher.ask().await {
                    Ok(true) => return watcher.end(),
                    Ok(false) => watcher.step(|following| following.asked(None), Problem::Unreachable),
                    Err(problem) => {
                        watcher.step(|following| following.asked(Some(&problem)), problem.clone())
                    }
                }
            }
            Next::GiveUp => return,
        };
    }
}

impl Watcher {
    /// Waits before the next try, and says so.
    async fn rest(&self, wait: u32) {
        if wait > 0 {
            let next = clock::now().plus_ms(i64::from(wait));
            let attempt = self.following.get().failures();
            self.state.set(FeedState::Reconnecting { attempt, next });
            self.tell(None);
            TimeoutFuture::new(wait).await;
        }
    }

    /// What comes next; a problem that cannot be waited out is told.
    fn step(&self, decide: impl FnOnce(&mut Following) -> Next, problem: Problem) -> Next {
        let mut following = self.following.get();
        let next = decide(&mut following);
        self.following.set(following);
        match next {
            Next::GiveUp => self.tell(Some(problem)),
            Next::Poll { .. } => {
                self.state.set(FeedState::Polling);
                self.tell(None);
            }
            Next::Stream { .. } => {}
        }
        next
    }

    /// Holds the stream until it breaks or is silent for too long; nothing when the run has ended.
    async fn stream(self: &Rc<Self>, up: FeedState) -> Option<Problem> {
        let sink: RunSink = {
            let watcher = self.clone();
            Rc::new(move |batch: RunMessages| {
                // That a stream opened is no word yet; it may break at once, again and again.
                if !batch.items.is_empty() || up == FeedState::Polling {
                    let mut following = watcher.following.get();
                    following.heard();
                    watcher.following.set(following);
                }
                watcher.state.set(up);
                watcher.take(&batch.items);
            })
        };
        let after = self.watched.borrow().seq;
        let following = self.api.transport().follow_run(self.api.headers(), &self.id, after, sink);
        let watching = Box::pin(self.silence(clock::now()));
        match select(following, watching).await {
            Either::Left((problem, _)) => problem,
            Either::Right(((), _)) => Some(Problem::Unreachable),
        }
    }

    /// Ends when nothing was heard for too long since then.
    async fn silence(&self, started: Micros) {
        loop {
            TimeoutFuture::new(LOOK_MS).await;
            let last = self.heard.get().filter(|heard| *heard >= started).unwrap_or(started);
            if clock::now().ms_since(last) > SILENCE_MS {
                return;
            }
        }
    }

    /// Asks for what was told since; whether the run has ended.
    async fn ask(self: &Rc<Self>) -> Result<bool, Problem> {
        let mut after = self.watched.borrow().seq;
        loop {
            let query = RunMessagesQuery { after, max_wait_ms: None };
            let told = self.api.run_messages(&self.id, &query).await?;
            let reached = told.items.iter().map(|message| message.seq).max();
            self.take(&told.items);
            // One answer holds so many at most; the rest is asked for at once.
            if told.ended || reached.is_none() || reached == after {
                return Ok(told.ended);
            }
            after = reached;
        }
    }

    fn take(self: &Rc<Self>, messages: &[RunMessage]) {
        self.heard.set(Some(clock::now()));
        let moved = self.watched.borrow_mut().take(messages);
        if moved {
            self.refresh();
        }
        self.tell(None);
    }

    fn end(&self) {
        self.watched.borrow_mut().ended = true;
        self.tell(None);
    }
}
