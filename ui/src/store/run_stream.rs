//! The stream of one run, from its snapshot to its end; it goes on where it was after a break.

use super::feed::{FeedState, backoff_ms};
use super::session::use_api;
use super::watched_run::WatchedRun;
use crate::api::{Api, FeedKind, Problem, RunSink, chance};
use crate::clock;
use futures::future::{AbortHandle, Abortable};
use gloo_timers::future::TimeoutFuture;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use stella_contract::event::{RunMessages, RunMessagesQuery};
use stella_contract::ids::RunId;
use stella_contract::time::Micros;
use yew::prelude::*;

/// A run that is watched.
#[derive(Clone, PartialEq)]
pub struct RunStream {
    /// What is known of it.
    pub watched: Rc<WatchedRun>,
    /// How the stream stands.
    pub state: FeedState,
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
        heard: None,
        problem: None,
    });
    {
        let set = shown.setter();
        use_effect_with((id.clone(), api.clone()), move |(id, api)| {
            let (handle, registration) = AbortHandle::new_pair();
            let watching = Abortable::new(watch(api.clone(), id.clone(), set), registration);
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
    heard: Cell<Option<Micros>>,
    set: UseStateSetter<RunStream>,
}

impl Watcher {
    fn tell(&self, problem: Option<Problem>) {
        self.set.set(RunStream {
            watched: Rc::new(self.watched.borrow().clone()),
            state: self.state.get(),
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

async fn watch(api: Api, id: RunId, set: UseStateSetter<RunStream>) {
    let up = match api.transport().feed_kind() {
        FeedKind::Streaming => FeedState::Live,
        FeedKind::Polling => FeedState::Polling,
    };
    let watcher = Rc::new(Watcher {
        api,
        id,
        watched: RefCell::default(),
        state: Cell::new(FeedState::Connecting),
        heard: Cell::new(None),
        set,
    });
    let mut attempt = 0;
    if let Ok(now) = watcher.api.run_messages(&watcher.id, &RunMessagesQuery::default()).await {
        watcher.watched.borrow_mut().start(&now.items);
        watcher.tell(None);
    }
    loop {
        let told = Rc::new(Cell::new(false));
        let sink: RunSink = {
            let (watcher, told) = (watcher.clone(), told.clone());
            Rc::new(move |batch: RunMessages| {
                told.set(true);
                watcher.state.set(up);
                watcher.heard.set(Some(clock::now()));
                let moved = watcher.watched.borrow_mut().take(&batch.items);
                if moved {
                    watcher.refresh();
                }
                watcher.tell(None);
            })
        };
        let after = watcher.watched.borrow().seq;
        let api = &watcher.api;
        let Some(problem) = api.transport().follow_run(api.headers(), &watcher.id, after, sink).await else {
            watcher.watched.borrow_mut().ended = true;
            watcher.tell(None);
            return;
        };
        if problem.refused().is_some() && !super::queries::comes_back(&problem) {
            watcher.tell(Some(problem));
            return;
        }
        attempt = if told.get() { 1 } else { attempt + 1 };
        let wait = backoff_ms(attempt, chance::share());
        let next = clock::now().plus_ms(i64::from(wait));
        watcher.state.set(FeedState::Reconnecting { attempt, next });
        watcher.tell(None);
        TimeoutFuture::new(wait).await;
    }
}
