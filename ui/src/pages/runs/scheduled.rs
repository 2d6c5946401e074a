//! The tab of what is scheduled: the coming fires of all schedules, what each would run and what stands in its way.

use super::tabbed::Side;
use crate::api::Load;
use crate::clock;
use crate::kit::format::{count, counted};
use crate::kit::{
    Button, ButtonKind, Column, Countdown, Empty, Lines, Shape, Sheet, Skeleton, Table, TableBody, Tag, Width,
};
use crate::pages::filter_bar::{FilterBar, FilterField};
use crate::pages::listing::use_reload_key;
use crate::pages::schedules::{FireDialog, FireVerb};
use crate::parts::{ProblemView, RunLink, StaleBanner, StateBadge, local_words, overlap_words, utc_words};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query, use_session};
use stella_contract::ids::ScheduleId;
use stella_contract::route::Route;
use stella_contract::schedule::{
    FireProspect, MOST_UPCOMING, ScheduleState, UPCOMING_DAYS, UpcomingFire, UpcomingFires,
};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What [`ScheduledFires`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ScheduledFiresProps {
    /// The address; of its filters only the schedule counts here.
    pub query: Query,
    /// Where the list stands.
    pub side: Side,
    /// Told how many there are, when that is known.
    pub on_total: Callback<Option<u64>>,
}

/// The schedule an address asks for.
fn wanted(query: &Query) -> Option<ScheduleId> {
    query.read("schedule")
}

/// The command that lists the same.
pub(super) fn command(query: &Query) -> Vec<String> {
    let only = wanted(query).map(|id| ["--schedule".to_owned(), id.to_string()]);
    ["schedules", "upcoming"].map(str::to_owned).into_iter().chain(only.into_iter().flatten()).collect()
}

/// What is asked about a fire: the schedule, its name, and what is to be done.
type Asking = (ScheduleId, AttrValue, FireVerb);

/// The fires.
#[component]
pub(super) fn ScheduledFires(props: &ScheduledFiresProps) -> Html {
    let (router, session) = (use_router(), use_session());
    let only = wanted(&props.query);
    let asking = use_state_eq(|| None::<Asking>);
    let is_main = props.side == Side::Main;
    let asked = use_query(
        format!("coming fires {}", only.as_ref().map_or("", ScheduleId::as_str)),
        Watch::of(&["schedule", "run", "blackout"]).every(60),
        move |api| {
            let only = only.clone();
            async move { api.upcoming_fires(only.as_ref()).await }
        },
    );
    use_reload_key(asked.refetch.clone());
    let known = asked.load.value().cloned();
    {
        let on_total = props.on_total.clone();
        let total = known.as_ref().map(|fires| fires.items.len() as u64);
        use_effect_with(total, move |total| on_total.emit(*total));
    }
    let rows = use_memo(known, |known| {
        Sheet::from(known.as_ref().map_or_else(Vec::new, |fires| fires.items.clone()))
    });
    let on_ask = {
        let asking = asking.clone();
        Callback::from(move |one: Asking| asking.set(Some(one)))
    };
    let close = {
        let (asking, refetch) = (asking.clone(), asked.refetch.clone());
        Callback::from(move |()| {
            asking.set(None);
            refetch.emit(());
        })
    };
    let refusals = [session.refusal(Scope::RunsManage), session.refusal(Scope::OrchOperate)]
        .map(|why| why.map(AttrValue::from));
    let columns = use_memo((refusals, is_main), move |(refusals, is_main)| {
        columns(is_main.then(|| Verbs { on_ask, refusals: refusals.clone() }))
    });
    let on_open = {
        let (router, rows) = (router.clone(), rows.clone());
        Callback::from(move |key: String| {
            if let Some(fire) = rows.iter().find(|fire| key_of(fire) == key) {
                router.go(&Route::Schedules, &Query::default().with("id", fire.schedule_id.as_str()));
            }
        })
    };
    let table = |fires: &UpcomingFires| {
        html! {
            <>
                if fires.items.is_empty() { { nothing(fires, wanted(&props.query).is_some()) } } else {
                    <Table label="Coming fires" body={TableBody::new(Sheet::clone(&rows), key_of, columns.clone())}
                        lines={Lines::Two} main={is_main} total={fires.items.len() as u64} on_open={on_open.clone()} />
                }
                { foot(fires) }
            </>
        }
    };
    html! {
        <>
            if is_main {
                <FilterBar fields={vec![FilterField::text("schedule", "schedule")]}>
                    <span class="f3 sm">{ format!("First fire first, {UPCOMING_DAYS} days ahead") }</span>
                </FilterBar>
            }
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={12} /> },
                Load::Failed(problem) => html! { <ProblemView what="The coming fires" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(fires, _) => table(fires),
                Load::Stale(fires, as_of, problem) => html! {
                    <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ table(fires) }</>
                },
            } }
            if let Some((id, name, verb)) = &*asking { <FireDialog id={id.clone()} name={name.clone()} verb={*verb} on_close={close} /> }
        </>
    }
}

/// What tells a fire from the others.
fn key_of(fire: &UpcomingFire) -> String {
    format!("{} {}", fire.schedule_id, fire.fire.at.0)
}

/// The line below: how many, whether there are more, and who fires nothing.
fn foot(fires: &UpcomingFires) -> Html {
    let many = counted(fires.items.len() as i64, "coming fire", "coming fires");
    let paused = Query::default().with("state", ScheduleState::Paused.as_str());
    html! {
        <div class="list-foot" role="status">
            <span>{ if fires.truncated { format!("The first {MOST_UPCOMING} coming fires") } else { many } }</span>
            <span class="grow"></span>
            if fires.paused > 0 {
                <span class="f3"><Link to={Route::Schedules} query={paused} class="n">{ count(fires.paused) }</Link>{ if fires.paused == 1 { " schedule is paused" } else { " schedules are paused" } }</span>
            }
        </div>
    }
}

/// What stands in place of rows.
fn nothing(fires: &UpcomingFires, is_filtered: bool) -> Html {
    let (fact, why) = match (is_filtered, fires.paused) {
        (true, _) => (
            "This schedule fires nothing soon",
            format!("It is switched off, paused without an end, or not due within {UPCOMING_DAYS} days."),
        ),
        (false, 0) => (
            "Nothing is scheduled",
            format!(
                "No schedule is at work that is due within {UPCOMING_DAYS} days. Runs start by hand and by events only."
            ),
        ),
        (false, _) => (
            "Nothing is scheduled",
            "The schedules there are are paused or switched off; fires that fall in a pause are dropped."
                .to_owned(),
        ),
    };
    html! {
        <Empty icon={Shape::Calendar} {fact} actions={html! { <Link to={Route::Schedules} class="link">{ "Open schedules" }</Link> }}>{ why }</Empty>
    }
}

/// What the buttons of a row do, and why they cannot: a run now, and a pause.
#[derive(Clone)]
struct Verbs {
    on_ask: Callback<Asking>,
    refusals: [Option<AttrValue>; 2],
}

fn columns(verbs: Option<Verbs>) -> Vec<Column<UpcomingFire>> {
    let mut columns = vec![
        Column::new("when", "Fires", Width::Fixed(132), when),
        Column::new("zone", "In its zone", Width::Fixed(148), zone).drops_below(760),
        Column::new("schedule", "Schedule", Width::Share(2, 128), schedule),
        Column::new("what", "Would run", Width::Share(3, 140), what).drops_below(560),
        Column::new("prospect", "As things stand", Width::Share(3, 190), prospect),
    ];
    if let Some(verbs) = verbs {
        let acts = move |fire: &UpcomingFire| acts(fire, &verbs);
        columns.push(Column::new("acts", "", Width::Fixed(176), acts).at_end().drops_below(640));
    }
    columns
}

fn when(one: &UpcomingFire) -> Html {
    html! {
        <span class="two-lines">
            <span class="mono" title={one.fire.at.to_string()}>{ utc_words(one.fire.at, clock::now()) }</span>
            <span class="f3 sm">{ "in " }<Countdown until={one.fire.at} over="a moment" /></span>
        </span>
    }
}

fn zone(one: &UpcomingFire) -> Html {
    html! {
        <span class="two-lines">
            <span class="mono" title={format!("{} {}", one.fire.local, one.fire.abbreviation)}>{ local_words(&one.fire) }</span>
            <span class={classes!("sm", "cut", if one.fire.rule.is_some() { "k-warn" } else { "f3" })} title={one.fire.rule.clone()}>{ &one.timezone }</span>
        </span>
    }
}

fn schedule(one: &UpcomingFire) -> Html {
    let below = match one.state {
        ScheduleState::Paused => "paused, resumes before",
        ScheduleState::Enabled | ScheduleState::Disabled => overlap_words(one.overlap_policy),
    };
    html! {
        <span class="two-lines">
            <Link to={Route::Schedules} query={Query::default().with("id", one.schedule_id.as_str())} class="n b cut">{ &one.name }</Link>
            <span class="f3 sm cut">{ below }</span>
        </span>
    }
}

fn what(one: &UpcomingFire) -> Html {
    let policy = one.policy_snapshot_id.as_deref().unwrap_or("active policy");
    html! {
        <span class="run-name">
            <span class="cut">{ one.mode.as_str() }</span>
            <span class="row sm">
                <span class="cut f3" title={format!("{}, {policy}", one.scope)}>{ format!("{}, {policy}", one.scope) }</span>
                if one.kev_first { <Tag icon={Shape::Bolt}>{ "KEV first" }</Tag> }
            </span>
        </span>
    }
}

fn prospect(one: &UpcomingFire) -> Html {
    let more = match (one.prospect, one.held_until, &one.open_run_id) {
        (FireProspect::Held, Some(until), _) => {
            html! { { format!("starts at {}", utc_words(until, clock::now())) } }
        }
        (_, _, Some(run)) => html! { <>{ "open: " }<RunLink id={run.clone()} short={true} /></> },
        (_, _, None) => Html::default(),
    };
    html! {
        <span class="two-lines"><StateBadge<FireProspect> state={one.prospect} /><span class="f3 sm cut">{ more }</span></span>
    }
}

fn acts(one: &UpcomingFire, verbs: &Verbs) -> Html {
    let button = |label: &'static str, verb: FireVerb, disabled: Option<AttrValue>| {
        let (on_ask, asking) =
            (verbs.on_ask.clone(), (one.schedule_id.clone(), AttrValue::from(one.name.clone()), verb));
        html! {
            <span title={disabled.clone()}><Button small={true} kind={ButtonKind::Ghost} {disabled} says_why={false} on_click={Callback::from(move |()| on_ask.emit(asking.clone()))}>
                { label }<span class="vh">{ format!(" {}", one.name) }</span></Button></span>
        }
    };
    let [manage, operate] = verbs.refusals.clone();
    html! {
        <span class="row">
            { button("Run now…", FireVerb::RunNow, manage) }
            { match one.state {
                ScheduleState::Paused => button("Resume…", FireVerb::Resume, operate),
                ScheduleState::Enabled | ScheduleState::Disabled => button("Pause…", FireVerb::Pause, operate),
            } }
        </span>
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use stella_contract::schedule::Schedule;

    /// A schedule of a test, with a name and a number for its id.
    pub(in crate::pages::runs) fn schedule(name: &str, number: u32) -> Schedule {
        serde_json::from_value(serde_json::json!({
            "scheduleId": format!("sch_01890000-0000-7000-8000-00000000000{number}"), "tenant": "acme",
            "name": name, "state": "enabled", "enabled": true, "paused": false, "cron": "@hourly",
            "timezone": "UTC", "jitterS": 30, "overlapPolicy": "skip", "catchupWindowS": 600,
            "mode": "analysis-only", "scope": { "kind": "all" }, "kevFirst": false, "maxTargets": 50_000,
            "limits": { "parallelism": 4, "targetsPerMinute": 600 }, "notify": { "onKev": false },
            "missedCount": 0, "recentRuns": [], "createdBy": "ada", "createdAt": "2026-11-21T09:00:00.000Z",
            "updatedAt": "2026-11-21T09:00:00.000Z", "version": 1 }))
        .unwrap()
    }

    #[test]
    fn only_the_schedule_of_the_address_narrows_the_coming_fires() {
        let id = schedule("nightly", 1).schedule_id;
        let query = Query::parse("?tab=scheduled&state=error").with("schedule", id.as_str());
        assert_eq!(wanted(&query), Some(id.clone()));
        assert_eq!(command(&query).join(" "), format!("schedules upcoming --schedule {id}"));
        assert_eq!(command(&Query::parse("?schedule=nonsense")).join(" "), "schedules upcoming");
    }
}
