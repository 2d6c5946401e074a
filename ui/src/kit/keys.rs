//! Keys that act on the whole page. They act only when no field has the focus and no dialog is open, and single
//! letters can be switched off (WCAG 2.1.4).

use gloo_events::EventListener;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

thread_local! { static SINGLE_KEYS: Cell<bool> = const { Cell::new(true) }; }

/// Switches single-letter keys on or off.
pub fn set_single_keys(on: bool) {
    SINGLE_KEYS.with(|keys| keys.set(on));
}

/// One key press, free of the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as the browser names it: `j`, `J`, `Enter`, `ArrowDown`, `?`.
    pub name: String,
    /// Ctrl, or Cmd on a Mac.
    pub ctrl: bool,
    /// Shift.
    pub shift: bool,
}

impl Key {
    /// Reads an event; `None` for presses with Alt, which belong to the system.
    pub fn of(event: &KeyboardEvent) -> Option<Self> {
        if event.alt_key() || event.is_composing() {
            return None;
        }
        let ctrl = event.ctrl_key() || event.meta_key();
        Some(Self { name: event.key(), ctrl, shift: event.shift_key() })
    }

    /// Whether it is one printable character without Ctrl.
    pub fn is_single(&self) -> bool {
        !self.ctrl && self.name.chars().count() == 1 && self.name != " "
    }
}

/// Listens on the whole page. The handler answers whether it used the key; a used key does nothing else.
///
/// `handle` may change with every render; the newest is asked.
#[hook]
pub fn use_keys<F: Fn(&Key) -> bool + 'static>(handle: F) {
    let newest = use_mut_ref(|| None::<Rc<dyn Fn(&Key) -> bool>>);
    *newest.borrow_mut() = Some(Rc::new(handle));
    use_effect_with((), move |()| {
        let listener = listen(move |event| {
            if event.default_prevented() || is_taken(event) {
                return;
            }
            let Some(key) = Key::of(event) else { return };
            if key.is_single() && !SINGLE_KEYS.with(Cell::get) {
                return;
            }
            let handle = newest.borrow().clone();
            if handle.is_some_and(|handle| handle(&key)) {
                event.prevent_default();
            }
        });
        move || drop(listener)
    });
}

fn listen(told: impl Fn(&KeyboardEvent) + 'static) -> Option<EventListener> {
    let document = web_sys::window()?.document()?;
    let options = gloo_events::EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(&document, "keydown", options, move |event| {
        if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
            told(event);
        }
    }))
}

/// Whether the press belongs to a field or to an open dialog.
fn is_taken(event: &KeyboardEvent) -> bool {
    let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
        return false;
    };
    let in_field = target.closest("input:not([readonly]), textarea, select, [contenteditable]");
    let in_dialog = target.closest("dialog");
    let shortcut = event.ctrl_key() || event.meta_key();
    in_dialog.ok().flatten().is_some() || (in_field.ok().flatten().is_some() && !shortcut)
}
