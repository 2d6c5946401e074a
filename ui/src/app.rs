//! Puts all together: providers, frame, one switch.

use crate::frame::{Banners, Keymap, LedgerFailure, Nav, Palette, TopBar};
use crate::kit::{Key, Symbols, ToastHost, use_keys};
use crate::router::{Query, Router, RouterProvider, use_router};
use crate::store::{
    FeedStore, PreferencesStore, SessionStore, Toasts, Watch, set_root, use_feed_batches, use_feed_store,
    use_preferences_store, use_query, use_session_store, use_toasts, use_toasts_store,
};
use crate::{api::shell, frame, pages};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The whole interface.
#[component]
pub fn App() -> Html {
    let preferences = use_preferences_store();
    let session = use_session_store();
    let feed = use_feed_store(&session);
    let toasts = use_toasts_store();
    html! {
        <ContextProvider<PreferencesStore> context={preferences}>
        <ContextProvider<SessionStore> context={session}>
        <ContextProvider<FeedStore> context={feed}>
        <ContextProvider<Toasts> context={toasts}>
            <Symbols />
            <RouterProvider><Gate /></RouterProvider>
        </ContextProvider<Toasts>>
        </ContextProvider<FeedStore>>
        </ContextProvider<SessionStore>>
        </ContextProvider<PreferencesStore>>
    }
}

/// Lets pages through once the session is known, and stands in for them while the book cannot be used.
#[component]
fn Gate() -> Html {
    let session = crate::store::use_session();
    use_ready(session.session.problem().is_some());
    match (session.session.value(), session.session.problem()) {
        (Some(_), _) => html! { <Frame /> },
        (None, Some(problem)) => {
            html! { <LedgerFailure problem={problem.clone()} on_retry={session.retry.clone()} /> }
        }
        // Nothing flashes while the core says who is asking.
        (None, None) => html! { <p class="fatal f3 late" role="status">{ "Waiting for the core" }</p> },
    }
}

/// What is open over the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Layer {
    #[default]
    None,
    Palette,
    Keymap,
}

/// Top bar, navigation and the page.
#[component]
fn Frame() -> Html {
    let router = use_router();
    let toasts = use_toasts();
    let layer = use_state_eq(Layer::default);
    // The planner's heart beats without an event.
    let watch = Watch::of(&["job", "run", "segment", "source", "target"]).every(15);
    let overview = use_query("overview", watch, |api| async move { api.overview().await });
    use_ready(!overview.load.is_waiting());
    use_pending_route(&router);
    let open = |which: Layer| {
        let layer = layer.setter();
        Callback::from(move |()| layer.set(which))
    };
    {
        // What is switched off comes with the session.
        let retry = crate::store::use_session().retry;
        use_feed_batches(move |batch| {
            if batch.events.iter().any(|event| event.entity == "feature") {
                retry.emit(());
            }
        });
    }
    let feed = crate::store::use_feed();
    let reload = Callback::from(move |()| feed.refresh());
    use_frame_keys(&router, open(Layer::Palette), open(Layer::Keymap), reload);
    if let Some(problem) = overview.load.problem().filter(|problem| problem.takes_the_page()) {
        return html! { <LedgerFailure problem={problem.clone()} on_retry={overview.refetch.clone()} /> };
    }
    let close = open(Layer::None);
    let load = overview.load;
    let shown = load.clone();
    html! {
        <>
            <a class="skip-link" href="#main">{ "Skip to the page" }</a>
            <div class="app">
                <TopBar overview={load.clone()} on_palette={open(Layer::Palette)} on_help={open(Layer::Keymap)} />
                <Nav overview={load.clone()} />
                <main class="main" id="main" tabindex="-1">
                    <Banners overview={load} />
                    { pages::page(&router.location().route) }
                </main>
            </div>
            <ToastHost toasts={toasts.standing()} on_close={Callback::from(move |id| toasts.close(id))} />
            { match *layer {
                Layer::None => Html::default(),
                Layer::Palette => html! { <Palette on_close={close} on_help={open(Layer::Keymap)} overview={shown} /> },
                Layer::Keymap => html! { <Keymap on_close={close} /> },
            } }
        </>
    }
}

/// Keys that act on every page: the palette, the map, `g` and a letter, reload.
#[hook]
fn use_frame_keys(router: &Router, palette: Callback<()>, keymap: Callback<()>, reload: Callback<()>) {
    let router = router.clone();
    use_keys(move |key: &Key| {
        match (key.name.as_str(), key.ctrl) {
            ("k" | "K", true) => palette.emit(()),
            (_, true) => return false,
            ("?", false) => keymap.emit(()),
            ("R", false) => reload.emit(()),
            ("F6", false) => focus(".toasts"),
            (name, false) => match name.strip_prefix("g ").and_then(frame::chord) {
                Some(route) => router.go(&route, &Query::default()),
                None => return false,
            },
        }
        true
    });
}

fn focus(selector: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let found = document.and_then(|page| page.query_selector(selector).ok().flatten());
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that cannot take the focus now leaves it where it is.
        let _ = element.focus();
    }
}

/// Tells the window and the tests, once, that the first answer is on the screen.
#[hook]
fn use_ready(ready: bool) {
    use_effect_with(ready, |ready| {
        if !*ready {
            return;
        }
        set_root("data-ready", "true");
        if shell::is_here() {
            wasm_bindgen_futures::spawn_local(async {
                // Told again with the next change; nothing depends on this one.
                let _ = shell::invoke::<serde_json::Value>("ui_ready", &serde_json::json!({})).await;
            });
        }
    });
}

/// Goes where a link from outside led the window: at the start, and whenever the window comes to the front.
#[hook]
fn use_pending_route(router: &Router) {
    let router = router.clone();
    use_effect_with((), move |()| {
        let take = move || {
            let router = router.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let nothing = serde_json::json!({});
                let pending = shell::invoke::<Option<String>>("take_pending_route", &nothing).await;
                if let Ok(Some(address)) = pending {
                    router.open(&address);
                }
            });
        };
        let listener = web_sys::window().filter(|_| shell::is_here()).map(|window| {
            take();
            gloo_events::EventListener::new(&window, "focus", move |_| take())
        });
        move || drop(listener)
    });
}
