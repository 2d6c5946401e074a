//! A dialog that does what it says: asks for reason and ticket, asks the core, tells the result, keeps what was typed
//! after a refusal.

use super::reason_dialog::ReasonDialog;
use crate::api::{Api, Problem};
use crate::kit::DialogSize;
use crate::store::{use_api, use_feed, use_toasts};
use futures::future::LocalBoxFuture;
use std::rc::Rc;
use stella_contract::job::Cause;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a deed answers with: the words of the toast.
type Done = Result<AttrValue, Problem>;

/// What is asked of the core once the operator has confirmed.
#[derive(Clone)]
pub struct Deed(Rc<dyn Fn(Api, Cause) -> LocalBoxFuture<'static, Done>>);

impl Deed {
    /// A deed; what it answers with is told as its result.
    pub fn new<F, A>(ask: F) -> Self
    where
        F: Fn(Api, Cause) -> A + 'static,
        A: Future<Output = Done> + 'static,
    {
        Self(Rc::new(move |api, cause| Box::pin(ask(api, cause))))
    }
}

impl PartialEq for Deed {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What an [`ActDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub struct ActDialogProps {
    /// The verb and its object: "Pause quota".
    pub title: AttrValue,
    /// The id of the thing.
    #[prop_or_default]
    pub subject: Option<AttrValue>,
    /// What happens, with its numbers.
    #[prop_or_default]
    pub children: Html,
    /// Fields that belong to the action.
    #[prop_or_default]
    pub form: Html,
    /// Why it cannot be confirmed, whatever the reason.
    #[prop_or_default]
    pub blocked: Option<AttrValue>,
    /// The scope the action is under.
    pub scope: Scope,
    /// The words on the confirming button.
    pub verb: AttrValue,
    /// The words on the other one.
    #[prop_or(AttrValue::Static("Close"))]
    pub keep: AttrValue,
    /// Whether the action destroys something.
    #[prop_or_default]
    pub danger: bool,
    /// How wide.
    #[prop_or(DialogSize::Form)]
    pub size: DialogSize,
    /// The words after `stella`, without reason and ticket.
    pub cli: Vec<AttrValue>,
    /// What is done.
    pub deed: Deed,
    /// Told when it is done.
    #[prop_or_default]
    pub on_done: Callback<()>,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Reason, ticket, command line, one verb.
#[component]
pub fn ActDialog(props: &ActDialogProps) -> Html {
    let (api, toasts, feed) = (use_api(), use_toasts(), use_feed());
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let on_confirm = {
        let (busy, problem, deed) = (busy.clone(), problem.clone(), props.deed.clone());
        let (done, close) = (props.on_done.clone(), props.on_close.clone());
        Callback::from(move |cause: Cause| {
            let asked = (deed.0)(api.clone(), cause);
            let (busy, problem, toasts, feed) = (busy.clone(), problem.clone(), toasts.clone(), feed.clone());
            let (done, close) = (done.clone(), close.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match asked.await {
                    Ok(fact) => {
                        toasts.done(fact, Html::default());
                        // The answer is newer than anything on the screen, whether or not the feed tells of it.
                        feed.refresh();
                        done.emit(());
                        close.emit(());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    html! {
        <ReasonDialog title={props.title.clone()} subject={props.subject.clone()} scope={props.scope} verb={props.verb.clone()}
            keep={props.keep.clone()} size={props.size} danger={props.danger} cli={props.cli.clone()} busy={*busy} problem={(*problem).clone()}
            form={props.form.clone()} blocked={props.blocked.clone()} {on_confirm} on_close={props.on_close.clone()}>
            { props.children.clone() }
        </ReasonDialog>
    }
}
