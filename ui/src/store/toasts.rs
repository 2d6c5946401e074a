//! Results of the operator's own actions.

use crate::kit::{Toast, Tone};
use gloo_timers::callback::Timeout;
use std::rc::Rc;
use yew::prelude::*;

/// How long a good result stands.
const STANDS_MS: u32 = 8_000;
/// More than so many at once are not read.
const MOST: usize = 4;

/// The results that stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    toasts: Vec<Toast>,
    next: u32,
}

/// What happens to them.
pub enum ToastAction {
    /// One comes.
    Say(Tone, AttrValue, Html),
    /// One goes.
    Close(u32),
}

impl Reducible for Standing {
    type Action = ToastAction;
    fn reduce(self: Rc<Self>, action: ToastAction) -> Rc<Self> {
        let mut next = Self::clone(&self);
        match action {
            ToastAction::Say(tone, fact, detail) => {
                next.next += 1;
                next.toasts.push(Toast { id: next.next, tone, fact, detail });
                let excess = next.toasts.len().saturating_sub(MOST);
                next.toasts.drain(..excess);
            }
            ToastAction::Close(id) => next.toasts.retain(|toast| toast.id != id),
        }
        Rc::new(next)
    }
}

/// Tells results and lists those that stand.
#[derive(Clone, PartialEq)]
pub struct Toasts(UseReducerHandle<Standing>);

impl Toasts {
    /// Those that stand, oldest first.
    pub fn standing(&self) -> Vec<Toast> {
        self.0.toasts.clone()
    }
    /// Tells that something was done; it goes by itself.
    pub fn done(&self, fact: impl Into<AttrValue>, detail: Html) {
        let id = self.0.next + 1;
        self.0.dispatch(ToastAction::Say(Tone::Ok, fact.into(), detail));
        let dispatcher = self.0.dispatcher();
        Timeout::new(STANDS_MS, move || dispatcher.dispatch(ToastAction::Close(id))).forget();
    }
    /// Tells that something was refused; it stays until it is closed.
    pub fn refused(&self, fact: impl Into<AttrValue>, problem: &crate::api::Problem) {
        let detail = format!("{} ({}) {}", problem.sentence(), problem.code(), problem.next_step());
        self.0.dispatch(ToastAction::Say(Tone::Bad, fact.into(), html! { { detail } }));
    }
    /// Closes one.
    pub fn close(&self, id: u32) {
        self.0.dispatch(ToastAction::Close(id));
    }
}

/// Keeps the results; used once, in the app.
#[hook]
pub fn use_toasts_store() -> Toasts {
    Toasts(use_reducer(Standing::default))
}

/// Tells results.
#[hook]
pub fn use_toasts() -> Toasts {
    use_context::<Toasts>().expect("everything is mounted below the app's providers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_result_gives_way_and_one_can_be_closed() {
        let mut standing = Rc::new(Standing::default());
        for at in 0..6 {
            standing = standing.reduce(ToastAction::Say(Tone::Ok, format!("{at}").into(), Html::default()));
        }
        assert_eq!(standing.toasts.first().map(|toast| toast.fact.to_string()), Some("2".to_owned()));
        let standing = standing.reduce(ToastAction::Close(6));
        assert_eq!(standing.toasts.len(), MOST - 1);
    }
}
