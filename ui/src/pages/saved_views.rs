//! Views under a name, as tabs over a list: everybody of the tenant sees them. Which one is shown, whether the filter is
//! still its own, saving, changing, forgetting.

use crate::api::Problem;
use crate::kit::{
    Banner, Button, ButtonKind, Dialog, DialogSize, Field, Icon, IconSize, Input, Shape, Tab, Tabs, Tone,
};
use crate::parts::CliTwin;
use crate::router::{Query, use_router};
use crate::store::{Watch, use_api, use_query, use_toasts};
use stella_contract::ids::ViewId;
use stella_contract::page::PageQuery;
use stella_contract::saved_view::{
    NAME_MAX, SaveView, SavedView, UpdateView, ViewFilter, ViewOrigin, ViewPage,
};
use yew::prelude::*;

/// The tab of everything.
pub const ALL: &str = "all";

/// Where the page stands among its views.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The view that is shown.
    pub view: Option<SavedView>,
    /// Whether the filter is no longer that of the view.
    pub edited: bool,
}

/// The tabs: everything, then the views.
pub fn tabs(views: &[SavedView]) -> Vec<Tab> {
    let own = views.iter().map(|view| Tab::new(view.view_id.as_str().to_owned(), view.name.clone()));
    std::iter::once(Tab::new(ALL, "All")).chain(own).collect()
}

/// The mark and the word at the end of the tabs.
pub fn mark(standing: &Standing, on_save: Callback<()>) -> Html {
    html! {
        <>
            if standing.edited { <span class="tab f3"><span class="k-warn"><Icon shape={Shape::HalfRing} size={IconSize::Tiny} /></span>{ " edited" }</span> }
            <button type="button" class="tab link" onclick={on_save.reform(|_| ())}>{ if standing.edited { "Save view" } else { "Views" } }</button>
        </>
    }
}

/// What [`SavedViews`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct SavedViewsProps {
    /// The page.
    pub page: ViewPage,
    /// The filter that is shown, and nothing else of the address.
    pub filter: Query,
}

/// The tabs of a list whose address is its filter.
#[component]
pub fn SavedViews(props: &SavedViewsProps) -> Html {
    let router = use_router();
    let page = props.page;
    let saving = use_state_eq(|| false);
    let known = use_query(format!("views {page}"), Watch::of(&["view"]), move |api| async move {
        let most = PageQuery { page_token: None, page_size: Some(100) };
        api.views(&ViewFilter { page: Some(page) }, &most).await
    });
    let views = known.load.value().map_or_else(Vec::new, |page| page.items.clone());
    let named = router.location().query.get("view").map(str::to_owned);
    let standing = standing(named.as_deref(), &props.filter, &views);
    let on_tab = {
        let (router, views) = (router.clone(), views.clone());
        Callback::from(move |tab: AttrValue| router.ask(&opening(&tab, &views)))
    };
    let on_done = {
        let (router, refetch, filter) = (router.clone(), known.refetch.clone(), props.filter.clone());
        Callback::from(move |id: Option<ViewId>| {
            refetch.emit(());
            router.ask(&filter.with("view", id.map(|id| id.to_string()).unwrap_or_default()));
        })
    };
    let set = |on: bool| {
        let saving = saving.setter();
        Callback::from(move |()| saving.set(on))
    };
    let current = standing.view.as_ref().map_or_else(
        || AttrValue::Static(if bare(&props.filter).is_empty() { ALL } else { "" }),
        |view| AttrValue::from(view.view_id.to_string()),
    );
    let query = props.filter.to_string().replacen('?', "", 1);
    let said: Vec<String> = props.filter.pairs().map(|(name, value)| format!("{name}:{value}")).collect();
    html! {
        <>
            <Tabs label="Views" tabs={tabs(&views)} {current} on_choose={on_tab}>{ mark(&standing, set(true)) }</Tabs>
            if *saving {
                <ViewDialog {page} {query} text={said.join(" ")} view={standing.view.clone()} {on_done} on_close={set(false)} />
            }
        </>
    }
}

/// The filter without the tab that is open: which tab it is filters nothing by itself.
fn bare(filter: &Query) -> Query {
    filter.without("tab")
}

/// The view an address names, or whose filter it has. A view that names no tab is the same on each of them.
fn standing(named: Option<&str>, filter: &Query, views: &[SavedView]) -> Standing {
    let bare = bare(filter);
    let own = |view: &&SavedView| {
        let saved = Query::parse(&view.query);
        saved == *filter || saved == bare
    };
    let named = named.and_then(|id| views.iter().find(|view| view.view_id.as_str() == id));
    match named {
        Some(view) => Standing { edited: !own(&view), view: Some(view.clone()) },
        None => {
            let view = views.iter().find(own).filter(|_| !bare.is_empty()).cloned();
            Standing { edited: view.is_none() && !bare.is_empty(), view }
        }
    }
}

/// The address of a tab.
fn opening(tab: &str, views: &[SavedView]) -> Query {
    let view = views.iter().find(|view| view.view_id.as_str() == tab);
    view.map_or_else(Query::default, |view| Query::parse(&view.query).with("view", tab))
}

/// What a [`ViewDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub struct ViewDialogProps {
    /// The page it is a view of.
    pub page: ViewPage,
    /// The query of the address that is saved.
    pub query: AttrValue,
    /// The same as it is read.
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
pub fn ViewDialog(props: &ViewDialogProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let own = props.view.clone().filter(|view| view.origin == ViewOrigin::Operator);
    let name = use_state(|| own.as_ref().map(|view| view.name.clone()).unwrap_or_default());
    let problem = use_state(|| None::<Problem>);
    let busy = use_state_eq(|| false);
    let query = props.query.to_string();
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
        let wish = SaveView { page: props.page, name: name.trim().to_owned(), query: query.clone() };
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
    let named = if name.trim().is_empty() { "NAME" } else { name.trim() };
    let cli = ["orch", "view", "save", named, "--page", props.page.as_str(), "--query", &props.query]
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

    fn view() -> SavedView {
        let view = system_views().remove(0);
        SavedView { page: ViewPage::DeadLetter, query: "state=open&category=timeout".to_owned(), ..view }
    }

    #[test]
    fn a_view_is_known_by_its_filter_whatever_the_order_and_by_its_name_when_the_filter_is_another() {
        let views = [view()];
        let same = Query::parse("category=timeout&state=open");
        assert_eq!(standing(None, &same, &views), Standing { view: Some(view()), edited: false });
        let other = Query::parse("state=open");
        assert_eq!(standing(None, &other, &views), Standing { view: None, edited: true });
        let id = view().view_id;
        assert_eq!(
            standing(Some(id.as_str()), &other, &views),
            Standing { view: Some(view()), edited: true }
        );
        assert_eq!(opening(id.as_str(), &views), same.with("view", id.as_str()));
        assert_eq!((opening(ALL, &views), tabs(&views).len()), (Query::default(), 2));
    }

    #[test]
    fn views_of_runs_are_not_said_to_be_edited_because_a_tab_is_in_the_address() {
        let views = [view()];
        let only_a_tab = Query::parse("tab=completed");
        assert_eq!(standing(None, &only_a_tab, &views), Standing { view: None, edited: false });
        assert!(bare(&only_a_tab).is_empty(), "so the tab of everything is the one that is shown");
        let own = Query::parse("tab=completed&state=open&category=timeout");
        let id = view().view_id;
        for named in [None, Some(id.as_str())] {
            assert_eq!(standing(named, &own, &views), Standing { view: Some(view()), edited: false });
        }
        let of_failures = SavedView { query: "tab=failures&state=open".to_owned(), ..view() };
        let elsewhere = Query::parse("tab=active&state=open");
        let standing = standing(Some(id.as_str()), &elsewhere, &[of_failures]);
        assert!(standing.edited, "a view that names its tab is another one on another tab");
    }
}
