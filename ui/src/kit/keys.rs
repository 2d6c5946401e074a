//! Keys that act on the whole page. They act only when no field has the focus and no dialog is open, and single
//! letters can be switched off (WCAG 2.1.4). Who came last is asked first, so that a layer hears Esc before the page
//! below it; a key after `g` is a word of its own (`g j`), so that no list moves under a chord.

use gloo_events::{EventListener, EventListenerOptions};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// Answers whether it used the key.
type Handler = Rc<dyn Fn(&Key) -> bool>;

thread_local! {
    static SINGLE_KEYS: Cell<bool> = const { Cell::new(true) };
    static AFTER_G: Cell<bool> = const { Cell::new(false) };
    static HANDLERS: RefCell<Vec<(u32, Handler)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static LISTENER: RefCell<Option<EventListener>> = const { RefCell::new(None) };
}

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
    let newest = use_mut_ref(|| None::<Handler>);
    *newest.borrow_mut() = Some(Rc::new(handle));
    use_effect_with((), move |()| {
        let id = NEXT.with(|next| {
            next.set(next.get().wrapping_add(1));
            next.get()
        });
        let handler: Handler = Rc::new(move |key| {
            let handle = newest.borrow().clone();
            handle.is_some_and(|handle| handle(key))
        });
        HANDLERS.with(|all| all.borrow_mut().push((id, handler)));
        LISTENER.with(|listener| {
            let mut listener = listener.borrow_mut();
            if listener.is_none() {
                *listener = listen();
            }
        });
        move || HANDLERS.with(|all| all.borrow_mut().retain(|(one, _)| *one != id))
    });
}

fn listen() -> Option<EventListener> {
    let document = web_sys::window()?.document()?;
    let options = EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(&document, "keydown", options, |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        if event.default_prevented() || is_taken(event) {
            return;
        }
        let Some(key) = Key::of(event) else { return };
        if key.is_single() && !SINGLE_KEYS.with(Cell::get) {
            return;
        }
        // Shift alone comes as a press of its own and ends no chord.
        if key.name == "Shift" || key.name == "Control" {
            return;
        }
        if let Some(key) = chorded(key)
            && !press(&key)
        {
            return;
        }
        event.prevent_default();
    }))
}

/// The key with the `g` before it; nothing for the `g` itself.
fn chorded(mut key: Key) -> Option<Key> {
    if AFTER_G.with(|after| after.replace(false)) {
        key.name = format!("g {}", key.name);
        return Some(key);
    }
    if key.name == "g" && !key.ctrl {
        AFTER_G.with(|after| after.set(true));
        return None;
    }
    Some(key)
}

/// Asks everybody, the newest first, until one uses the key.
fn press(key: &Key) -> bool {
    // Cloned first: a handler may come or go while one is asked.
    let all: Vec<Handler> =
        HANDLERS.with(|all| all.borrow().iter().rev().map(|(_, handler)| handler.clone()).collect());
    all.iter().any(|handler| handler(key))
}

/// Whether the press belongs to a field, to an open dialog, or to the control that has the focus.
fn is_taken(event: &KeyboardEvent) -> bool {
    let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
        return false;
    };
    let in_field = target.closest("input:not([readonly]), textarea, select, [contenteditable]");
    let in_dialog = target.closest("dialog");
    // Enter and Space press the button that has the focus, whatever they would do to the page.
    let pressed = matches!(event.key().as_str(), "Enter" | " ") && !event.ctrl_key() && !event.meta_key();
    let in_control = target.closest("a[href], button, summary").ok().flatten().is_some();
    // The palette opens from everywhere; Ctrl A and the like belong to the field.
    let shortcut = (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k");
    in_dialog.ok().flatten().is_some()
        || (in_field.ok().flatten().is_some() && !shortcut)
        || (in_control && pressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { name: name.into(), ctrl: false, shift: false }
    }

    #[test]
    fn a_letter_after_g_is_a_word_of_its_own() {
        assert_eq!(chorded(key("g")), None);
        assert_eq!(chorded(key("j")), Some(key("g j")));
        assert_eq!(chorded(key("j")), Some(key("j")));
    }

    #[test]
    fn who_came_last_is_asked_first() {
        let told = Rc::new(RefCell::new(Vec::new()));
        for (id, uses) in [(1, true), (2, true), (3, false)] {
            let told = told.clone();
            let handler: Handler = Rc::new(move |_| {
                told.borrow_mut().push(id);
                uses
            });
            HANDLERS.with(|all| all.borrow_mut().push((id, handler)));
        }
        assert!(press(&key("Escape")));
        assert_eq!(*told.borrow(), [3, 2]);
    }
}
