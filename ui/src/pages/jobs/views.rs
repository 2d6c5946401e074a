//! The saved views of the jobs list as tabs: which one is shown, whether the filter is still its own, and saving.

use super::filter::{asking, text_of};
use crate::api::Problem;
use crate::kit::{
    Banner, Button, ButtonKind, Dialog, DialogSize, Field, Icon, IconSize, Input, Shape, Tab, Tone,
};
use crate::parts::CliTwin;
use crate::router::Query;
use crate::store::{use_api, use_toasts};
use stella_contract::ids::ViewId;
use stella_contract::route::encode_query;
use stella_contract::saved_view::{NAME_MAX, SaveView, SavedView, UpdateView, ViewOrigin, ViewPage};
use yew::prelude::*;

/// The tab of everything.
pub(super) const ALL: &str = "all";

/// Where the page stands among its views.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    /// The view that is shown.
    pub view: Option<SavedView>,
    /// Whether the filter is no longer that of the view.
    pub edited: bool,
}

/// The view an address names, or whose filter it has.
pub(super) fn standing(query: &Query, views: &[SavedView]) -> Standing {
    let text = text_of(query);
    let own = |view: &&SavedView| text_of(&Query::parse(&view.query)) == text;
    let named = query.get("view").and_then(|id| views.iter().find(|view| view.view_id.as_str() == id));
    match named {
        Some(view) => Standing { edited: !own(&view), view: Some(view.clone()) },
        None => {
            let view = views.iter().find(own).filter(|_| !text.is_empty()).cloned();
            Standing { edited: view.is_none() && !text.is_empty(), view }
        }
    }
}

/// The tabs: everything, then the views.
pub(super) fn tabs(views: &[SavedView]) -> Vec<Tab> {
    let own = views.iter().map(|view| Tab::new(view.view_id.as_str().to_owned(), view.name.clone()));
    std::iter::once(Tab::new(ALL, "All")).chain(own).collect()
}

/// The address of a tab.
pub(super) fn opening(query: &Query, tab: &str, views: &[SavedView]) -> Query {
    let bare = asking(query, "").without("view");
    match views.iter().find(|view| view.view_id.as_str() == tab) {
        Some(view) => asking(&bare, &text_of(&Query::parse(&view.query))).with("view", tab),
        None => bare,
    }
}

/// The mark and the word at the end of the tabs.
pub(super) fn mark(standing: &Standing, on_save: Callback<()>) -> Html {
    html! {
        <>
            if standing.edited { <span class="tab f3"><span class="k-warn"><Icon shape={Shape::HalfRing} size={IconSize::Tiny} /></span>{ " edited" }</span> }
            <button type="button" class="tab link" onclick={on_save.reform(|_| ())}>{ if standing.edited { "Save view" } else { "Views" } }</button>
        </>
    }
}

/// What a [`ViewDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ViewDialogProps {
    /// The filter to be saved.
    pub text: AttrValue,
    /// The view that is shown.
    #[prop_or_default]
    pub view: Option<SavedView>,
    /// Told the view to show then; none after it was forgotten.
    pub on_done: Callback<Option<ViewId>>,
    /// Left.
    pub on_close: Callback<()>,
}

/// What is asked of the core.
enum Wish {
    New(SaveView),
    Change(ViewId, UpdateView),
    Forget(ViewId),
}

/// Saves the filter under a name, gives the view another filter, or forgets it.
#[component]
pub(super) fn ViewDialog(props: &ViewDialogProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let own = props.view.clone().filter(|view| view.origin == ViewOrigin::Operator);
    let name = use_state(|| own.as_ref().map(|view| view.name.clone()).unwrap_or_default());
    let problem = use_state(|| None::<Problem>);
    let busy = use_state_eq(|| false);
    let query = format!("filter={}", encode_query(&props.text));
    let ask = {
        let (problem, busy, done, close) =
            (problem.clone(), busy.clone(), props.on_done.clone(), props.on_close.clone());
        Callback::from(move |wish: Wish| {
            let (api, toasts, problem, busy) = (api.clone(), toasts.clone(), problem.clone(), busy.clone());
            let (done, close) = (done.clone(), close.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let forgets = matches!(wish, Wish::Forget(_));
                let answer = match wish {
                    Wish::New(wish) => api.save_view(&wish).await,
                    Wish::Change(id, wish) => api.update_view(&id, &wish).await,
                    Wish::Forget(id) => api.delete_view(&id).await,
                };
                match answer {
                    Ok(view) => {
                        let what = if forgets { "forgotten" } else { "saved" };
                        toasts.done(format!("View {} {what}.", view.name), Html::default());
                        done.emit((!forgets).then_some(view.view_id));
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
    let set_name = {
        let name = name.clone();
        Callback::from(move |text: String| name.set(text))
    };
    let missing = name.trim().is_empty().then_some(AttrValue::Static("Needs a name"));
    let save = {
        let wish = SaveView { page: ViewPage::Jobs, name: name.trim().to_owned(), query: query.clone() };
        let (ask, can) = (ask.clone(), missing.is_none() && !*busy);
        Callback::from(move |()| {
            if can {
                ask.emit(Wish::New(wish.clone()));
            }
        })
    };
    let change = own.clone().map(|view| {
        let wish = UpdateView {
            version: view.version,
            name: Some(name.trim().to_owned()),
            query: Some(query.clone()),
        };
        ask.reform(move |()| Wish::Change(view.view_id.clone(), wish.clone()))
    });
    let forget = own.clone().map(|view| ask.reform(move |()| Wish::Forget(view.view_id.clone())));
    let cli = [
        "orch",
        "view",
        "save",
        if name.trim().is_empty() { "NAME" } else { name.trim() },
        "--filter",
        &props.text,
    ]
    .map(|word| AttrValue::from(word.to_owned()));
    html! {
        <Dialog title="Save view" size={DialogSize::Form} on_close={props.on_close.clone()} on_confirm={save.clone()}
            footer={html! { <>
                if let Some(forget) = forget { <Button kind={ButtonKind::Danger} on_click={forget}>{ "Forget" }</Button> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                if let Some(change) = change { <Button disabled={missing.clone()} says_why={false} on_click={change}>{ format!("Change {}", own.as_ref().map(|view| view.name.clone()).unwrap_or_default()) }</Button> }
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={missing.clone()} on_click={save}>{ "Save as new" }</Button>
            </> }}>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner>
            }
            <div class="in col gap3">
                <p class="prose">{ "A view is kept in the ledger; everybody of the tenant sees it." }</p>
                <Field label="Name" note={format!("at most {NAME_MAX} characters")}>
                    <Input value={(*name).clone()} on_input={set_name} max_length={NAME_MAX} placeholder="Failed scans of today" /></Field>
                <Field label="Filter"><Input value={props.text.clone()} read_only={true} mono={true} /></Field>
                <CliTwin words={cli.to_vec()} />
            </div>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::saved_view::system_views;

    #[test]
    fn a_view_is_known_by_its_filter_and_marked_when_the_filter_is_another() {
        let views = system_views();
        let open = views.iter().find(|view| view.name == "Open").unwrap();
        let query = Query::parse("filter=state:pending,queued,leased,running");
        assert_eq!(standing(&query, &views), Standing { view: Some(open.clone()), edited: false });
        let edited = Query::parse("filter=state:pending").with("view", open.view_id.as_str());
        assert_eq!(standing(&edited, &views), Standing { view: Some(open.clone()), edited: true });
        assert_eq!(standing(&Query::default(), &views), Standing { view: None, edited: false });
        assert!(standing(&Query::parse("state=failed"), &views).edited);
    }

    #[test]
    fn a_tab_leads_to_its_filter() {
        let views = system_views();
        let id = views[1].view_id.as_str();
        let query = opening(&Query::parse("state=failed"), id, &views);
        assert_eq!(
            (text_of(&query).as_str(), query.get("view")),
            ("state:pending,queued,leased,running", Some(id))
        );
        assert!(opening(&query, ALL, &views).is_empty());
        assert_eq!(tabs(&views).len(), views.len() + 1);
    }
}
