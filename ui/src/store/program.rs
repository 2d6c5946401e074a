//! Runs a page that is a model, messages and a pure update: effects are started here and nowhere else.

use std::rc::Rc;
use yew::prelude::*;

/// Runs `update` for every message and `perform` for every wish it answers with.
///
/// `update` is pure and is tested without a browser; `perform` may change with every render, the newest is asked.
#[hook]
pub fn use_program<M, G, W, P>(
    start: impl FnOnce() -> M,
    update: fn(&M, G) -> (M, Vec<W>),
    perform: P,
) -> (Rc<M>, Callback<G>)
where
    M: 'static,
    G: 'static,
    W: 'static,
    P: Fn(W, Callback<G>) + 'static,
{
    let model = use_mut_ref(|| Rc::new(start()));
    let render = use_force_update();
    let newest = use_mut_ref(|| None::<Rc<dyn Fn(W, Callback<G>)>>);
    *newest.borrow_mut() = Some(Rc::new(perform));
    let itself = use_mut_ref(|| None::<Callback<G>>);
    let dispatch = {
        let (model, itself) = (model.clone(), itself.clone());
        let made = use_memo((), move |()| {
            let again = itself.clone();
            let dispatch = Callback::from(move |message: G| {
                let now = model.borrow().clone();
                let (next, wishes) = update(&now, message);
                *model.borrow_mut() = Rc::new(next);
                render.force_update();
                let perform = newest.borrow().clone();
                let dispatch = again.borrow().clone();
                if let (Some(perform), Some(dispatch)) = (perform, dispatch) {
                    for wish in wishes {
                        perform(wish, dispatch.clone());
                    }
                }
            });
            *itself.borrow_mut() = Some(dispatch.clone());
            dispatch
        });
        (*made).clone()
    };
    let shown = model.borrow().clone();
    (shown, dispatch)
}
