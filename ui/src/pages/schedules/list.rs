//! The schedules of the tenant, next fire first, and one of them beside the list.

use super::acts::{Act, ActLayer};
use super::side::Side;
use super::table::{columns, key_of};
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, Empty, Shape, Table, TableBody, use_keys};
use crate::pages::filter_bar::{FilterBar, FilterField, wanted};
use crate::pages::listing::{foot, listing, reach, use_reload_key};
use crate::parts::{CliTwin, StateBadge};
use crate::router::{Query, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::ids::ScheduleId;
use stella_contract::run::RunMode;
use stella_contract::schedule::{DAYLIGHT_RULE, ScheduleFilter, ScheduleState, SchedulerStatus};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// The filter an address asks for.
fn filter_of(query: &Query) -> ScheduleFilter {
    ScheduleFilter {
        state: wanted(query, "state"),
        mode: wanted(query, "mode"),
        name: query.get("name").map(str::to_owned),
    }
}

fn fields() -> Vec<FilterField> {
    vec![
        FilterField::choice("state", "state", ScheduleState::ALL.iter().map(|word| word.as_str())),
        FilterField::choice("mode", "mode", RunMode::ALL.iter().map(|word| word.as_str())),
        FilterField::text("name", "name"),
    ]
}

/// The command that lists the same.
fn command(filter: &ScheduleFilter) -> Vec<AttrValue> {
    let options = [
        ("--state", filter.state.map(|word| word.to_string())),
        ("--mode", filter.mode.map(|word| word.to_string())),
        ("--name", filter.name.clone()),
    ];
    let said = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    let start = ["schedules", "list"].map(str::to_owned);
    start.into_iter().chain(said.flatten()).map(AttrValue::from).collect()
}

/// Schedules.
#[component]
pub fn SchedulesPage() -> Html {
    let (router, session) = (use_router(), use_session());
    let refusal = session.refusal(Scope::RunsManage).map(AttrValue::from);
    let query = router.location().query.clone();
    let filter = filter_of(&query);
    let act = use_state(|| None::<Act>);
    let list = {
        let filter = filter.clone();
        let key = format!("schedules {:?} {:?} {:?}", filter.state, filter.mode, filter.name);
        use_list(key, Watch::of(&["schedule", "run"]), false, move |api, page| {
            let filter = filter.clone();
            async move { api.schedules(&filter, &page).await }
        })
    };
    use_reload_key(list.reload.clone());
    let on_act = {
        let act = act.clone();
        Callback::from(move |next: Act| act.set(Some(next)))
    };
    let columns = {
        let on_act = on_act.clone();
        use_memo(refusal.clone(), move |refusal| columns(&on_act, refusal))
    };
    let make = {
        let (on_act, can) = (on_act.clone(), refusal.is_none());
        Callback::from(move |()| {
            if can {
                on_act.emit(Act::Make);
            }
        })
    };
    {
        let make = make.clone();
        use_keys(move |key| {
            let used = key.name == "n" && !key.ctrl;
            if used {
                make.emit(());
            }
            used
        });
    }
    let shown: Option<ScheduleId> = query.read("id");
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: String| router.ask(&query.with("id", id)))
    };
    let on_leave = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("id")))
    };
    let close = {
        let (act, reload) = (act.clone(), list.reload.clone());
        Callback::from(move |()| {
            act.set(None);
            reload.emit(());
        })
    };
    let is_filtered = filter != ScheduleFilter::default();
    let nothing = nothing(is_filtered, &make, &refusal);
    let table = html! {
        <Table label="Schedules" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            lines={crate::kit::Lines::Two} total={list.state.total} {on_open} current={shown.as_ref().map(ToString::to_string)}
            on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Schedules" }</h1>
                <Health />
                <span class="grow"></span>
                <CliTwin words={command(&filter)} button={true} />
                <Button kind={ButtonKind::Primary} key_hint="N" on_click={make} disabled={refusal.clone()}>{ "New schedule" }</Button>
            </div>
            <FilterBar fields={fields()}>
                <span class="f3 sm nw">{ format!("{}, next fire first", reach(list.state.rows.len(), list.state.total)) }</span>
            </FilterBar>
            <div class="with-drawer">
                <div class="list">
                    { listing("Schedules", &list, nothing, table) }
                    { foot(&list, html! { <span class="f3 cut" title={DAYLIGHT_RULE}>{ DAYLIGHT_RULE }</span> }) }
                </div>
                if let Some(id) = shown { <Side key={id.to_string()} id={id.clone()} {on_act} on_close={on_leave} /> }
            </div>
            if let Some(act) = &*act { <ActLayer act={act.clone()} on_close={close} /> }
        </>
    }
}

fn nothing(is_filtered: bool, make: &Callback<()>, refusal: &Option<AttrValue>) -> Html {
    if is_filtered {
        return html! { <Empty icon={Shape::Calendar} fact="No schedule matches">{ "Take a filter away to see the others." }</Empty> };
    }
    html! {
        <Empty icon={Shape::Calendar} fact="No schedules yet"
            actions={html! { <Button kind={ButtonKind::Primary} on_click={make.clone()} disabled={refusal.clone()}>{ "New schedule" }</Button> }}>
            { "A schedule starts a run at its times, in its zone. By command: " }
            <span class="mono">{ "stella schedules add nightly --cron '30 2 * * *' --timezone Europe/Sofia" }</span>
        </Empty>
    }
}

/// How the scheduler is doing, in the head.
#[component]
fn Health() -> Html {
    let asked = use_query("scheduler health", Watch::of(&["schedule"]).every(30), |api| async move {
        api.scheduler_health().await
    });
    let Some(health) = asked.load.value() else { return Html::default() };
    html! {
        <>
            <span class="f2 sm nw">{ format!("{} schedules, {} enabled, {} paused", count(health.schedules), count(health.enabled), count(health.paused)) }</span>
            <span title={health.sentence.clone()}><StateBadge<SchedulerStatus> state={health.status} /></span>
            if health.missed_24h > 0 { <span class="f2 sm nw">{ "Missed in 24 h " }<span class="k-warn">{ count(health.missed_24h) }</span></span> }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_filter_and_a_command() {
        let filter = filter_of(&Query::parse("?state=paused&name=nightly&mode=nonsense"));
        assert_eq!((filter.state, filter.mode), (Some(ScheduleState::Paused), None));
        let words: Vec<String> = command(&filter).iter().map(ToString::to_string).collect();
        assert_eq!(words.join(" "), "schedules list --state paused --name nightly");
    }
}
