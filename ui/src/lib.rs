//! The glass: the interface of Stella Operator, in Yew, for the desktop window and for the browser.
//!
//! It decides nothing: states, arrows, paths and refusals come from the contract. It keeps no truth: any page can be
//! closed and opened again from its address alone.
//!
//! | room | holds |
//! |---|---|
//! | `kit` | controls that know nothing of jobs |
//! | `parts` | what knows a job, a run, a segment |
//! | `api` | one method per endpoint over a transport: HTTP or the window's own |
//! | `store` | session, live feed, queries, results, preferences |
//! | `router`, `frame`, `app` | addresses, the frame around every page, and what puts all together |
//! | `pages` | one folder per area: model, message, update, view |

pub mod api;
pub mod app;
pub mod clock;
pub mod frame;
pub mod kit;
pub mod pages;
pub mod parts;
pub mod router;
pub mod store;

/// Starts the interface in the document it was loaded into.
pub fn mount() {
    std::panic::set_hook(Box::new(|fault| {
        console_error_panic_hook::hook(fault);
        show_fault();
    }));
    store::take_one_time_token();
    yew::Renderer::<app::App>::new().render();
}

/// Says on the screen that the interface stopped; drawn by hand, for nothing else works any more.
fn show_fault() {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let (Some(body), Ok(card)) = (document.body(), document.create_element("p")) else { return };
    card.set_class_name("fault");
    card.set_text_content(Some(
        "The interface stopped by a fault of its own. Nothing at the core was changed by it. Reload to go on; the console names the fault.",
    ));
    // Where neither can be done there is nothing left to try.
    let _ = card.set_attribute("role", "alert");
    let _ = body.append_child(&card);
}
