//! The queue: the causes at the left, the entries of the filter at the right, and verbs on what is selected.

use super::causes::ENTITIES;
use super::export::ExportDialog;
use super::filter::{command, fields, filter_of, list_of};
use super::rail::CauseRail;
use crate::clock;
use crate::clock::use_now;
use crate::kit::format::{count, counted, duration_short};
use crate::kit::{
    Button, ButtonKind, Column, Empty, Icon, IconSize, Lines, Selection, Shape, Table, TableBody, Tone,
    Width, use_keys,
};
use crate::pages::change_sets::DryRunDialog;
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, reach, use_reload_key};
use crate::pages::saved_views::SavedViews;
use crate::parts::{CliTwin, EntryLink, JobLink, StateBadge};
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list, use_session};
use stella_contract::change_set::{ChangeVerb, Selection as Picked};
use stella_contract::dead_letter::{DeadLetter, DeadLetterFilter, DeadLetterState};
use stella_contract::ids::DeadLetterId;
use stella_contract::route::Route;
use stella_contract::saved_view::ViewPage;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What is selected: rows one by one, or all that match.
#[derive(Clone, Default, PartialEq)]
struct Chosen {
    rows: Selection,
    all: bool,
}

impl Chosen {
    /// The same keys once more, with every loaded row among them, mean all that match.
    fn after(&self, rows: Selection, loaded: usize, total: Option<u64>) -> Self {
        let again = rows == self.rows && rows.len() == loaded && loaded > 0;
        Self { all: again && total.is_some_and(|total| total > loaded as u64), rows }
    }
}

/// What is open over the page.
#[derive(Clone, PartialEq)]
enum Layer {
    None,
    Act(ChangeVerb, Picked),
    Export,
}

/// The queue.
#[component]
pub fn DeadLetterQueuePage() -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let shown = list_of(&query);
    let refusal = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let chosen = use_state_eq(Chosen::default);
    let over = use_state_eq(|| false);
    let layer = use_state(|| Layer::None);
    let held = *over || !chosen.rows.is_empty();
    let list = {
        let query = shown.clone();
        use_list(format!("dead letters{shown}"), Watch::of(ENTITIES), held, move |api, page| {
            let filter = filter_of(&query, clock::now());
            async move { api.dead_letters(&filter, &page).await }
        })
    };
    {
        // Another filter is another list; what was selected in the one before is not in it.
        let chosen = chosen.setter();
        use_effect_with(shown.to_string(), move |_| chosen.set(Chosen::default()));
    }
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let on_open = {
        let router = router.clone();
        Callback::from(move |id: String| {
            if let Ok(id) = id.parse::<DeadLetterId>() {
                router.go(&Route::DeadLetterEntry(id), &Query::default());
            }
        })
    };
    let on_select = {
        let (chosen, loaded, total) = (chosen.clone(), list.state.rows.len(), list.state.total);
        Callback::from(move |rows: Selection| chosen.set(chosen.after(rows, loaded, total)))
    };
    let clear = {
        let chosen = chosen.clone();
        Callback::from(move |()| chosen.set(Chosen::default()))
    };
    let act = {
        let (layer, chosen, shown) = (layer.clone(), chosen.clone(), shown.clone());
        let can = refusal.is_none();
        Callback::from(move |verb: ChangeVerb| {
            let picked = if chosen.all {
                all_of(filter_of(&shown, clock::now()))
            } else {
                Picked::Ids { ids: chosen.rows.iter().cloned().collect() }
            };
            if can && !chosen.rows.is_empty() {
                layer.set(Layer::Act(verb, picked));
            }
        })
    };
    {
        let (act, any) = (act.clone(), !chosen.rows.is_empty());
        use_keys(move |key| {
            let used = key.name == "r" && !key.ctrl && any;
            if used {
                act.emit(ChangeVerb::DeadLetterReplay);
            }
            used
        });
    }
    let close = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::None))
    };
    let export = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::Export))
    };
    let done = {
        let (clear, reload) = (clear.clone(), list.reload.clone());
        Callback::from(move |()| {
            clear.emit(());
            reload.emit(());
        })
    };
    let on_hold = {
        let over = over.clone();
        Callback::from(move |on: bool| over.set(on))
    };
    let all = {
        let chosen = chosen.clone();
        Callback::from(move |()| chosen.set(Chosen { all: true, ..(*chosen).clone() }))
    };
    let words: Vec<AttrValue> = command(&shown, clock::now()).into_iter().map(AttrValue::from).collect();
    let table = html! {
        <Table label="Dead-letter entries" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            lines={Lines::Two} total={list.state.total} selected={Some(chosen.rows.clone())} {on_select} on_open={Some(on_open)}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let total = list.state.total;
    html! {
        <>
            <div class="page-head">
                <span class="crumb nw"><Link to={Route::DeadLetter}>{ "Dead-Letter" }</Link>{ " ›" }</span>
                <h1>{ "Queue" }</h1>
                <span class="grow"></span>
                <Link to={Route::ChangeSets} class="link sm nw">{ "Change-sets" }</Link>
                <CliTwin {words} button={true} />
                <Button small={true} icon={Shape::Download} on_click={export.clone()}>{ "Export…" }</Button>
            </div>
            <div class="dead-queue">
                <CauseRail />
                <div class="dead-list">
                    <SavedViews page={ViewPage::DeadLetter} filter={shown.clone()} />
                    <FilterBar fields={fields()}><span class="f3 sm">{ reach(list.state.rows.len(), total) }</span></FilterBar>
                    { listing("Dead-letter entries", &list, nothing(&shown, &router), table) }
                    if chosen.rows.is_empty() {
                        { foot(&list, Html::default()) }
                    } else {
                        { bar(&chosen, total, list.state.rows.len(), list.state.news, &refusal, &clear, &all, &export, &act) }
                    }
                </div>
            </div>
            { match &*layer {
                Layer::None => Html::default(),
                Layer::Export => html! { <ExportDialog query={shown} on_close={close} /> },
                Layer::Act(verb, picked) => html! { <DryRunDialog verb={*verb} selection={picked.clone()} on_started={done} on_close={close} /> },
            } }
        </>
    }
}

/// All entries that match, as a change-set takes them.
pub(super) fn all_of(filter: DeadLetterFilter) -> Picked {
    Picked::DeadLetters { matching: Box::new(filter), excluding: Vec::new() }
}

fn key_of(entry: &DeadLetter) -> String {
    entry.entry_id.to_string()
}

#[expect(clippy::too_many_arguments, reason = "what the bar shows and what its buttons do")]
fn bar(
    chosen: &Chosen,
    total: Option<u64>,
    loaded: usize,
    news: usize,
    refusal: &Option<AttrValue>,
    clear: &Callback<()>,
    all: &Callback<()>,
    export: &Callback<()>,
    act: &Callback<ChangeVerb>,
) -> Html {
    let number = if chosen.all { total.unwrap_or(loaded as u64) } else { chosen.rows.len() as u64 };
    let more = total.filter(|total| !chosen.all && chosen.rows.len() == loaded && *total > loaded as u64);
    let held = if news > 0 {
        format!("{} waiting", counted(news as i64, "change", "changes"))
    } else {
        "updates held while rows are selected".to_owned()
    };
    html! {
        <div class="sel-bar" role="region" aria-label="Selection">
            <span class="b" role="status">{ format!("{} selected", count(number as i64)) }</span>
            <span class="f3 sm cut">{ if chosen.all { format!("all that match, {held}") } else { held } }</span>
            if let Some(total) = more { <Button small={true} on_click={all.clone()}>{ format!("Select all {} that match", count(total as i64)) }</Button> }
            <Button small={true} kind={ButtonKind::Ghost} key_hint="Esc" on_click={clear.clone()}>{ "Clear" }</Button>
            <span class="grow"></span>
            <Button small={true} disabled={refusal.clone()} on_click={act.reform(|()| ChangeVerb::DeadLetterResolve)}>{ "Resolve…" }</Button>
            <Button small={true} on_click={export.clone()}>{ "Export" }</Button>
            <Button small={true} kind={ButtonKind::Primary} key_hint="R" disabled={refusal.clone()} says_why={false} on_click={act.reform(|()| ChangeVerb::DeadLetterReplay)}>{ "Replay…" }</Button>
        </div>
    }
}

fn nothing(query: &Query, router: &Router) -> Html {
    let go = |query: Query| {
        let router = router.clone();
        Callback::from(move |()| router.ask(&query))
    };
    if query.is_empty() {
        return html! {
            <Empty icon={Shape::DiscCheck} tone={Tone::Ok} fact="Dead-letter is empty">{ "No job has failed for good, or what failed was put away more than 90 days ago." }</Empty>
        };
    }
    let said: Vec<String> = query.pairs().map(|(name, value)| format!("{name} {value}")).collect();
    let last = query.pairs().last().map(|(name, _)| name.to_owned());
    html! {
        <Empty icon={Shape::Filter} fact="No entry matches"
            actions={html! { <>
                if let Some(name) = last { <Button on_click={go(query.without(&name))}>{ format!("Remove {name}") }</Button> }
                <Button on_click={go(Query::default())}>{ "Clear all" }</Button>
            </> }}>
            { format!("All entries were searched for {}.", said.join(", ")) }
        </Empty>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct AgeProps {
    at: Micros,
}

/// How old, in one unit.
#[component]
fn Age(props: &AgeProps) -> Html {
    let age = use_now().ms_since(props.at);
    html! { <time datetime={props.at.to_string()} title={props.at.to_string()}>{ duration_short(age) }</time> }
}

fn columns() -> Vec<Column<DeadLetter>> {
    vec![
        Column::new("state", "State", Width::Fixed(104), |one: &DeadLetter| html! {
            <><StateBadge<DeadLetterState> state={one.state} />
            if let Some(owner) = &one.owner { <div class="sm f3 cut" title={format!("{owner} looks after it")}><Icon shape={Shape::Eye} size={IconSize::Tiny} />{ " " }{ owner }</div> }</>
        }),
        Column::new("entry", "Entry, job", Width::Fixed(150), |one: &DeadLetter| html! {
            <><div><EntryLink id={one.entry_id.to_string()} /></div><div class="sm f3"><JobLink id={one.job_id.clone()} /></div></>
        }),
        Column::new("category", "Category, type", Width::Fixed(152), |one: &DeadLetter| html! {
            <><div class="cut">{ one.category.as_str() }</div><div class="mono sm f3 cut">{ &one.job_type }</div></>
        }),
        Column::new("error", "Error, host", Width::Share(3, 160), |one: &DeadLetter| html! {
            <><div class="cut" title={one.error_message.clone()}>{ &one.error_message }</div>
            <div class="sm f3 cut">{ format!("{}, fingerprint {}", one.host.as_deref().unwrap_or("local"), one.fingerprint.get(..8).unwrap_or(&one.fingerprint)) }</div></>
        }),
        Column::new("retryable", "Retryable", Width::Fixed(84), |one: &DeadLetter| html! {
            <span class="f3"><Icon shape={if one.retryable { Shape::Refresh } else { Shape::RingSlash }} size={IconSize::Tiny} />{ if one.retryable { " yes" } else { " no" } }</span>
        }).drops_below(760),
        Column::new("tries", "Tries", Width::Fixed(84), |one: &DeadLetter| html! {
            <><div>{ one.attempts }</div>if one.replay_count > 0 { <div class="sm f3">{ counted(i64::from(one.replay_count), "replay", "replays") }</div> }</>
        }).at_end().drops_below(840),
        Column::new("age", "Age", Width::Fixed(64), |one: &DeadLetter| html! { <Age at={one.dead_lettered_at} /> }).at_end(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn keys(all: &[&str]) -> Selection {
        Rc::new(all.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn selecting_all_loaded_rows_twice_selects_all_that_match() {
        let none = Chosen::default();
        let once = none.after(keys(&["a", "b"]), 2, Some(9));
        assert!(!once.all);
        let twice = once.after(keys(&["a", "b"]), 2, Some(9));
        assert!(twice.all);
        assert!(!twice.after(keys(&["a"]), 2, Some(9)).all, "taking one out takes the rest out");
        assert!(!once.after(keys(&["a", "b"]), 2, Some(2)).all, "all that match are loaded");
    }
}
