//! One change-set: how far it is, what came of each item, and the verbs that steer it.

use super::dialog::found;
use super::list::share;
use super::words;
use crate::api::ChangeSetVerb;
use crate::kit::format::{count, short_id};
use crate::kit::{
    Banner, Button, ButtonKind, Clock, Column, CopyId, Empty, Meter, Shape, Skeleton, Tab, Table, TableBody,
    Tabs, Tone, Width,
};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::{ActDialog, CliTwin, Deed, EntryLink, JobLink, ProblemView, StateBadge};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::change_set::{
    self, ChangeItem, ChangeSet, ChangeSetEvent, ChangeSetState, ItemFilter, ItemState,
};
use stella_contract::ids::{ChangeSetId, JobId};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`ChangeSetPage`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ChangeSetPageProps {
    /// The change-set.
    pub id: ChangeSetId,
}

/// One change-set.
#[component]
pub fn ChangeSetPage(props: &ChangeSetPageProps) -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let id = props.id.clone();
    let watch = || Watch::of(&["change_set"]).only(&props.id);
    let asked = {
        let id = id.clone();
        use_query(format!("change-set {id}"), watch(), move |api| {
            let id = id.clone();
            async move { api.change_set(&id).await }
        })
    };
    let filter = ItemFilter { state: query.read("items") };
    let held = use_state_eq(|| false);
    let list = {
        let (id, filter) = (id.clone(), filter.clone());
        use_list(format!("items {id} {query}"), watch(), *held, move |api, page| {
            let (id, filter) = (id.clone(), filter.clone());
            async move { api.change_items(&id, &filter, &page).await }
        })
    };
    let verb = use_state(|| None::<ChangeSetVerb>);
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let refusal = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let Some(set) = asked.load.value() else {
        return match asked.load.problem() {
            Some(problem) => {
                html! { <ProblemView what="The change-set" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
            }
            None => html! { <Skeleton rows={12} /> },
        };
    };
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| {
            router.ask(&query.with("items", if tab == "all" { "" } else { tab.as_str() }));
        })
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let cli =
        ["orch", "change-set", "show", id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec();
    let table = html! {
        <Table label="Items" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let nothing = html! { <Empty icon={Shape::Filter} fact="No item of this kind">{ format!("The change-set has {} items in all.", count(set.dry_run.selected)) }</Empty> };
    let open = |one: ChangeSetVerb| {
        let verb = verb.clone();
        Callback::from(move |()| verb.set(Some(one)))
    };
    let close = {
        let verb = verb.clone();
        Callback::from(move |()| verb.set(None))
    };
    let button = |one: ChangeSetVerb, event: ChangeSetEvent, label: &'static str, kind: ButtonKind| {
        let arrow =
            change_set::next(set.state, event).err().map(|_| AttrValue::from(format!("it is {}", set.state)));
        html! { <Button small={true} {kind} disabled={arrow.or_else(|| refusal.clone())} says_why={false} on_click={open(one)}>{ label }</Button> }
    };
    html! {
        <>
            <div class="page-head">
                <span class="crumb nw"><Link to={Route::ChangeSets}>{ "Change-sets" }</Link>{ " ›" }</span>
                <h1 class="nw">{ words::title(set) }</h1>
                <StateBadge<ChangeSetState> state={set.state} pill={true} />
                <CopyId text={id.to_string()} shown={short_id(id.as_str())} />
                <span class="grow"></span>
                if set.state == ChangeSetState::Paused {
                    { button(ChangeSetVerb::Resume, ChangeSetEvent::Resume, "Resume…", ButtonKind::Primary) }
                } else {
                    { button(ChangeSetVerb::Pause, ChangeSetEvent::Pause, "Pause…", ButtonKind::Secondary) }
                }
                { button(ChangeSetVerb::Cancel, ChangeSetEvent::Cancel, "Cancel…", ButtonKind::Danger) }
                <CliTwin words={cli} button={true} />
            </div>
            if let Some(notice) = &set.notice {
                <Banner tone={tone_of(set.state)} fact={notice.clone()}>{ consequence(set) }</Banner>
            }
            { figures(set) }
            if set.started_at.is_none() { { found(set) } }
            <Tabs label="Items" tabs={tabs(set)} current={filter.state.map_or("all", ItemState::as_str)} on_choose={on_tab} />
            { listing("Items", &list, nothing, table) }
            { foot(&list, Html::default()) }
            if let Some(verb) = *verb { { steer(set, verb, &close) } }
        </>
    }
}

const fn tone_of(state: ChangeSetState) -> Tone {
    match state {
        ChangeSetState::Stopped => Tone::Bad,
        ChangeSetState::Paused => Tone::Warn,
        ChangeSetState::Draft
        | ChangeSetState::Running
        | ChangeSetState::Completed
        | ChangeSetState::Cancelled => Tone::Idle,
    }
}

fn consequence(set: &ChangeSet) -> String {
    match set.progress.waiting {
        0 => "Every item was reached.".to_owned(),
        left => format!("{} not reached.", words::items(set.verb, left)),
    }
}

fn figures(set: &ChangeSet) -> Html {
    let progress = set.progress;
    let items = |state: ItemState| Query::default().with("items", state.as_str());
    let figure = |label: &'static str, number: i64, state: ItemState, said: Html| {
        html! {
            <div class="fig"><div class="l">{ label }</div>
                <div class="v"><Link to={Route::ChangeSet(set.change_set_id.clone())} query={items(state)} class="n">{ count(number) }</Link></div>
                <div class="s">{ said }</div></div>
        }
    };
    let (said, query) = words::selection(set);
    let selection = match query {
        Some(query) => {
            let to = if set.verb.is_about_jobs() { Route::Jobs } else { Route::DeadLetterQueue };
            html! { <Link {to} {query} class="mono link">{ said }</Link> }
        }
        None => html! { said },
    };
    let at = |label: &'static str, at: Option<stella_contract::time::Micros>| match at {
        Some(at) => html! { <><dt>{ label }</dt><dd><Clock {at} /></dd></> },
        None => Html::default(),
    };
    let reached = set.dry_run.eligible - progress.waiting;
    let none = || html! { <span class="f3">{ "none" }</span> };
    html! {
        <div class="body change-head">
            <div class="figs">
                { figure("Waiting", progress.waiting, ItemState::Waiting, html! { { format!("{} of {} reached", count(reached), count(set.dry_run.eligible)) } }) }
                { figure("Done", progress.done, ItemState::Done, html! { "changed" }) }
                { figure("Skipped", progress.skipped, ItemState::Skipped, html! { "no longer possible when reached" }) }
                { figure("Failed", progress.failed, ItemState::Failed, html! { "refused when reached" }) }
                { figure("Refused", set.dry_run.selected - set.dry_run.eligible, ItemState::Refused, html! { "by the dry run" }) }
            </div>
            <Meter share={share(set)} tone={Tone::Live} label={format!("{} of {} reached", count(reached), count(set.dry_run.eligible))} />
            <dl class="kv">
                <dt>{ "Selection" }</dt><dd>{ selection }</dd>
                <dt>{ "Reason" }</dt><dd>{ set.reason.as_ref().map_or_else(none, |reason| html! { reason }) }</dd>
                <dt>{ "Ticket" }</dt><dd class="mono">{ set.ticket.as_ref().map_or_else(none, |ticket| html! { ticket }) }</dd>
                <dt>{ "By" }</dt><dd>{ set.started_by.as_ref().unwrap_or(&set.created_by) }</dd>
                { at("Dry run", Some(set.created_at)) }
                { at("Started", set.started_at) }
                { at("Ended", set.ended_at) }
            </dl>
        </div>
    }
}

fn tabs(set: &ChangeSet) -> Vec<Tab> {
    let progress = set.progress;
    let known = |state: ItemState| match state {
        ItemState::Waiting => progress.waiting,
        ItemState::Refused => set.dry_run.selected - set.dry_run.eligible,
        ItemState::Done => progress.done,
        ItemState::Skipped => progress.skipped,
        ItemState::Failed => progress.failed,
    };
    let states = ItemState::ALL
        .iter()
        .map(|state| Tab::new(state.as_str(), state.as_str()).counting(Some(count(known(*state)))));
    std::iter::once(Tab::new("all", "All").counting(Some(count(set.dry_run.selected))))
        .chain(states)
        .collect()
}

/// The dialog of a verb.
fn steer(set: &ChangeSet, verb: ChangeSetVerb, close: &Callback<()>) -> Html {
    let (title, label, said) = match verb {
        ChangeSetVerb::Pause => {
            ("Pause change-set", "Pause", "What is done stays done; the rest waits until it is resumed.")
        }
        ChangeSetVerb::Resume => ("Resume change-set", "Resume", "It goes on where it was, at its pace."),
        ChangeSetVerb::Cancel => (
            "Cancel change-set",
            "Cancel change-set",
            "What is done stays done; what was not reached is left as it was.",
        ),
    };
    let id = set.change_set_id.clone();
    let cli = ["orch", "change-set", verb.as_str(), id.as_str()]
        .map(|word| AttrValue::from(word.to_owned()))
        .to_vec();
    let deed = Deed::new(move |api, cause| {
        let id = id.clone();
        async move {
            let set = api.steer_change_set(&id, verb, &cause).await?;
            Ok(format!("{}: {}.", words::title(&set), set.state).into())
        }
    });
    html! {
        <ActDialog {title} subject={set.change_set_id.to_string()} scope={Scope::OrchOperate} verb={label} danger={verb == ChangeSetVerb::Cancel}
            {cli} {deed} on_close={close.clone()}>{ format!("{} of {} reached. {said}", count(set.dry_run.eligible - set.progress.waiting), words::items(set.verb, set.dry_run.eligible)) }</ActDialog>
    }
}

fn key_of(item: &ChangeItem) -> String {
    item.position.to_string()
}

/// A job or an entry as a link to its page.
fn job_link(id: &str) -> Html {
    match id.parse::<JobId>() {
        Ok(id) => html! { <JobLink {id} /> },
        Err(_) => html! { <EntryLink id={id.to_owned()} /> },
    }
}

fn columns() -> Vec<Column<ChangeItem>> {
    vec![
        Column::new("position", "#", Width::Fixed(56), |item: &ChangeItem| html! { count(item.position) })
            .at_end(),
        Column::new(
            "state",
            "Result",
            Width::Fixed(104),
            |item: &ChangeItem| html! { <StateBadge<ItemState> state={item.state} /> },
        ),
        Column::new("id", "Job or entry", Width::Fixed(150), |item: &ChangeItem| job_link(&item.id)),
        Column::new(
            "type",
            "Type",
            Width::Fixed(140),
            |item: &ChangeItem| html! { <span class="mono cut">{ &item.job_type }</span> },
        ),
        Column::new(
            "was",
            "Was",
            Width::Fixed(96),
            |item: &ChangeItem| html! { <span class="f2">{ &item.was }</span> },
        )
        .drops_below(1100),
        Column::new("why", "Why not", Width::Share(3, 120), |item: &ChangeItem| {
            match (&item.message, item.code) {
                (Some(message), _) => html! { <span class="cut" title={message.clone()}>{ message }</span> },
                (None, Some(code)) => html! { <span class="cut">{ code.sentence() }</span> },
                (None, None) => html! { <span class="f3">{ "none" }</span> },
            }
        }),
        Column::new("new", "New job", Width::Fixed(150), |item: &ChangeItem| match &item.result_job_id {
            Some(id) => job_link(id),
            None => html! { <span class="f3">{ "none" }</span> },
        }),
        Column::new("at", "Reached", Width::Fixed(110), |item: &ChangeItem| match item.at {
            Some(at) => html! { <Clock {at} /> },
            None => html! { <span class="f3">{ "not yet" }</span> },
        })
        .at_end()
        .drops_below(900),
    ]
}
