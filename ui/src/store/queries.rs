//! Answers that are kept: shown at once when a page is opened again, asked for anew when the feed says they are old.

use super::feed::use_feed_batches;
use super::session::use_api;
use super::watch::Watch;
use crate::api::{Api, Load, Problem};
use crate::clock::{self, use_every};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use gloo_timers::callback::Timeout;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use stella_contract::time::Micros;
use yew::prelude::*;

/// Changes that come together are answered by one question.
const DEBOUNCE_MS: u32 = 400;
/// An answer that took long is not asked for all the time: at most a quarter of the time is spent on it.
const REST: i64 = 3;
/// Nothing on the screen is older than this because of that.
const MOST_REST_MS: i64 = 5_000;
/// How long after a failure it is asked again by itself.
const AGAIN_MS: u32 = 5_000;
/// More answers than these are not kept.
const MOST: usize = 200;

/// An answer of whatever type, so that what is done with answers is compiled once and not for each type. It is equal to
/// itself alone.
#[derive(Debug, Clone)]
struct Value(Rc<dyn Any>);

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// An answer on its way.
type Coming = LocalBoxFuture<'static, Result<Value, Problem>>;

/// An answer on its way, for all who ask the same.
type Shared = futures::future::Shared<Coming>;

thread_local! {
    static KEPT: RefCell<HashMap<String, (Value, Micros)>> = RefCell::new(HashMap::new());
    static ON_ITS_WAY: RefCell<HashMap<String, Shared>> = RefCell::new(HashMap::new());
}

/// Asks, unless the same question is on its way already; then its answer serves both.
async fn ask(key: &str, asked: impl FnOnce() -> Coming) -> Result<Value, Problem> {
    let shared = ON_ITS_WAY.with(|all| {
        let mut all = all.borrow_mut();
        all.entry(key.to_owned()).or_insert_with(|| asked().shared()).clone()
    });
    let answer = shared.await;
    ON_ITS_WAY.with(|all| all.borrow_mut().remove(key));
    answer
}

fn kept(key: &str) -> Option<(Value, Micros)> {
    KEPT.with(|all| all.borrow().get(key).cloned())
}

fn keep(key: &str, value: Value, at: Micros) {
    KEPT.with(|all| {
        let mut all = all.borrow_mut();
        if all.len() >= MOST {
            // The oldest goes; a page that needs it asks again.
            let oldest = all.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| all.remove(&key));
        }
        all.insert(key.to_owned(), (value, at));
    });
}

/// A question and how far its answer is.
#[derive(Clone, PartialEq)]
pub struct Asked<T> {
    /// How far the answer is.
    pub load: Load<T>,
    /// Asks again now.
    pub refetch: Callback<()>,
}

/// Asks once per key and tenant, and again when `watch` says that the answer is old.
///
/// ```text
/// let overview = use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
/// ```
#[hook]
pub fn use_query<T, F, A>(key: impl Into<String>, watch: Watch, fetch: F) -> Asked<T>
where
    T: Clone + PartialEq + 'static,
    F: Fn(Api) -> A + 'static,
    A: Future<Output = Result<T, Problem>> + 'static,
{
    let fetch = move |api| -> Coming {
        let answer = fetch(api);
        Box::pin(async move { answer.await.map(|value| Value(Rc::new(value))) })
    };
    // Two types under one key are two questions.
    let key = format!("{:?} {}", TypeId::of::<T>(), key.into());
    let (load, refetch) = use_value(key, watch, Rc::new(fetch));
    let typed = |value: Value| value.0.downcast_ref::<T>().expect("the key names the type").clone();
    Asked { load: load.map(typed), refetch }
}

/// Asks once per key and tenant, whatever the answer is.
#[hook]
fn use_value(key: String, watch: Watch, fetch: Rc<dyn Fn(Api) -> Coming>) -> (Load<Value>, Callback<()>) {
    let api = use_api();
    let key = format!("{} {key}", api.tenant().map_or("-", |tenant| tenant.as_str()));
    let load = use_state(|| (String::new(), Load::<Value>::Idle));
    let nonce = use_state_eq(|| 0u32);
    let newest = use_mut_ref(String::new);
    let timer = use_mut_ref(|| None::<Timeout>);
    let took = use_mut_ref(|| 0i64);
    let again = {
        let (nonce, timer) = (nonce.setter(), timer.clone());
        Callback::from(move |wait: u32| {
            let nonce = nonce.clone();
            let mut timer = timer.borrow_mut();
            // One that is due is soon enough.
            if timer.is_none() || wait == 0 {
                *timer = Some(Timeout::new(wait, move || nonce.set(crate::api::chance::count())));
            }
        })
    };
    {
        let again = again.clone();
        use_every(watch.seconds(), move || again.emit(0));
    }
    {
        let (again, took) = (again.clone(), took.clone());
        use_feed_batches(move |batch| {
            if watch.count(batch) > 0 {
                again.emit(rest_ms(*took.borrow()));
            }
        });
    }
    {
        let (load, again) = (load.clone(), again.clone());
        *newest.borrow_mut() = key.clone();
        use_effect_with((key.clone(), *nonce), move |(key, _)| {
            timer.borrow_mut().take();
            let before = current(&load, key);
            if before != load.1 || load.0 != *key {
                load.set((key.clone(), before.clone()));
            }
            let key = key.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let began = clock::now();
                let answer = ask(&key, || fetch(api)).await;
                let at = clock::now();
                *took.borrow_mut() = at.ms_since(began);
                if let Ok(value) = &answer {
                    keep(&key, value.clone(), at);
                }
                // Somebody went elsewhere while the answer was on its way.
                if *newest.borrow() != key {
                    return;
                }
                if let Err(problem) = &answer
                    && comes_back(problem)
                {
                    again.emit(AGAIN_MS);
                }
                load.set((key, before.answered(answer, at)));
            });
        });
    }
    let shown = current(&load, &key);
    (shown, again.reform(|()| 0))
}

/// What there is for this key: what is shown, what was kept, or nothing yet.
fn current(load: &(String, Load<Value>), key: &str) -> Load<Value> {
    if load.0 == key {
        return match &load.1 {
            Load::Idle => Load::Loading,
            other => other.clone(),
        };
    }
    kept(key).map_or(Load::Loading, |(value, at)| Load::Ready(value, at))
}

/// How long to wait after news before asking again.
pub(super) fn rest_ms(took: i64) -> u32 {
    (took * REST).clamp(i64::from(DEBOUNCE_MS), MOST_REST_MS) as u32
}

/// Whether the same question may be answered later.
pub(super) fn comes_back(problem: &Problem) -> bool {
    match problem {
        Problem::Unreachable => true,
        Problem::Refused(refusal) => refusal.retryable,
        Problem::Unreadable { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_an_answer_took_the_later_it_is_asked_for_again() {
        assert_eq!(rest_ms(10), DEBOUNCE_MS);
        assert_eq!(rest_ms(600), 1_800);
        assert_eq!(rest_ms(60_000), 5_000);
    }
}
