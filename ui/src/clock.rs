//! The only place that reads the wall clock. It runs at the core's pace: the core tells its time with every answer of
//! the feed, so that ages are right on a machine whose own clock is not.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use stella_contract::time::Micros;
use yew::prelude::*;

thread_local! {
    static FROZEN: Cell<Option<Micros>> = const { Cell::new(None) };
    static OFFSET: Cell<i64> = const { Cell::new(0) };
    static LISTENERS: RefCell<Vec<(u32, Callback<Micros>)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static TICKING: RefCell<Option<gloo_timers::callback::Interval>> = const { RefCell::new(None) };
}

/// What time it is at the core.
pub fn now() -> Micros {
    Micros(here() + OFFSET.with(Cell::get))
}

/// Takes the core's word for what time it is.
pub fn follow(core: Micros) {
    OFFSET.with(|offset| offset.set(core.0 - here()));
}

/// Stops running times at the moment the core was last heard of.
pub fn freeze(at: Option<Micros>) {
    FROZEN.with(|frozen| frozen.set(at));
}

/// Lets running times go on.
pub fn thaw() {
    freeze(None);
}

/// Where a running time ends: now, or when the core was last heard of.
pub fn running_end(now: Micros) -> Micros {
    FROZEN.with(Cell::get).map_or(now, |at| at.min(now))
}

/// This machine's clock.
fn here() -> i64 {
    (js_sys::Date::now() * 1_000.0) as i64
}

/// The time, told anew every second by one ticker that all share.
#[hook]
pub fn use_now() -> Micros {
    let at = use_state(now);
    let set = at.setter();
    use_effect_with((), move |()| {
        let listener = Rc::new(listen(Callback::from(move |now| set.set(now))));
        move || drop(listener)
    });
    *at
}

/// Calls back every so many seconds while the page is looked at; 0 is never. The newest callback is called.
#[hook]
pub fn use_every<F: Fn() + 'static>(seconds: u32, due: F) {
    let newest = use_mut_ref(|| None::<Rc<dyn Fn()>>);
    *newest.borrow_mut() = Some(Rc::new(due));
    use_effect_with(seconds, move |seconds| {
        let interval = (*seconds > 0).then(|| {
            gloo_timers::callback::Interval::new(seconds.saturating_mul(1_000), move || {
                let due = newest.borrow().clone();
                if let (Some(due), true) = (due, is_looked_at()) {
                    due();
                }
            })
        });
        move || drop(interval)
    });
}

/// Whether the page is on the screen.
pub fn is_looked_at() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| !document.hidden())
}

/// A subscription to the ticker; ends when dropped.
struct Listening(u32);

impl Drop for Listening {
    fn drop(&mut self) {
        let empty = LISTENERS.with(|all| {
            let mut all = all.borrow_mut();
            all.retain(|(id, _)| *id != self.0);
            all.is_empty()
        });
        if empty {
            TICKING.with(|ticking| ticking.borrow_mut().take());
        }
    }
}

fn listen(told: Callback<Micros>) -> Listening {
    let id = NEXT.with(|next| {
        next.set(next.get().wrapping_add(1));
        next.get()
    });
    LISTENERS.with(|all| all.borrow_mut().push((id, told)));
    TICKING.with(|ticking| {
        ticking.borrow_mut().get_or_insert_with(|| gloo_timers::callback::Interval::new(1_000, tick));
    });
    Listening(id)
}

fn tick() {
    let at = now();
    // Cloned first: a listener may come or go while it is told.
    let all: Vec<Callback<Micros>> =
        LISTENERS.with(|all| all.borrow().iter().map(|(_, told)| told.clone()).collect());
    for told in all {
        told.emit(at);
    }
}
