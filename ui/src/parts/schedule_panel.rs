//! Coming fires of all schedules beside a list of runs: with zone and cron in words, and a switch for each schedule.

use super::planned_fires::{local_short, utc_words};
use super::schedule_states::overlap_words;
use super::state_badge::StateBadge;
use super::{ProblemView, StaleBanner};
use crate::api::Load;
use crate::clock;
use crate::kit::{Countdown, Skeleton, Switch};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query};
use stella_contract::page::PageQuery;
use stella_contract::route::Route;
use stella_contract::schedule::{Schedule, ScheduleFilter, ScheduleState};
use yew::prelude::*;

/// Schedules in the panel; more stand on their own page.
const MOST: u32 = 50;

/// What a [`SchedulePanel`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct SchedulePanelProps {
    /// Told which schedule is to be switched, and to what.
    pub on_toggle: Callback<(Schedule, bool)>,
    /// Why nothing may be switched.
    #[prop_or_default]
    pub refusal: Option<AttrValue>,
}

/// The schedules, next fire first.
#[component]
pub fn SchedulePanel(props: &SchedulePanelProps) -> Html {
    let asked = use_query("schedule panel", Watch::of(&["schedule"]).every(60), |api| async move {
        let page = PageQuery { page_size: Some(MOST), ..PageQuery::default() };
        api.schedules(&ScheduleFilter::default(), &page).await
    });
    let shown = |page: &stella_contract::page::Page<Schedule>| {
        let more = page.total_estimate.unwrap_or(0).saturating_sub(page.items.len() as u64);
        html! {
            <>
                if page.items.is_empty() { <p class="f3 sm">{ "No schedule yet. Runs start by hand only." }</p> }
                <ul class="schedule-panel">{ for page.items.iter().map(|one| row(one, props)) }</ul>
                if more > 0 { <Link to={Route::Schedules} class="link sm">{ format!("{more} more") }</Link> }
            </>
        }
    };
    html! {
        <section class="sec" aria-label="Schedules">
            <div class="sec-h"><h2>{ "Schedules" }</h2><span class="grow"></span><Link to={Route::Schedules} class="link sm">{ "Open schedules" }</Link></div>
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={6} /> },
                Load::Failed(problem) => html! { <ProblemView what="Schedules" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(page, _) => shown(page),
                Load::Stale(page, as_of, problem) => html! {
                    <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ shown(page) }</>
                },
            } }
        </section>
    }
}

fn row(one: &Schedule, props: &SchedulePanelProps) -> Html {
    let toggle = {
        let (on_toggle, one) = (props.on_toggle.clone(), one.clone());
        Callback::from(move |on: bool| on_toggle.emit((one.clone(), on)))
    };
    let of_runs = Query::default().with("schedule", one.schedule_id.as_str());
    html! {
        <li key={one.schedule_id.to_string()}>
            <span title={props.refusal.clone()}><Switch on={one.enabled} on_toggle={toggle} disabled={props.refusal.is_some()}>
                <span class="vh">{ format!("{} is switched on", one.name) }</span></Switch></span>
            <span class="col grow">
                <Link to={Route::Schedules} query={Query::default().with("id", one.schedule_id.as_str())} class="n b cut">{ &one.name }</Link>
                <span class="f2 sm cut" title={format!("{}, {}", one.cron, overlap_words(one.overlap_policy))}>{ format!("{}, {}", one.words.as_deref().unwrap_or(&one.cron), one.timezone) }</span>
            </span>
            <span class="col at-end">{ next_fire(one) }<Link to={Route::Runs} query={of_runs} class="link sm">{ "Runs" }</Link></span>
        </li>
    }
}

/// When a schedule fires next, in UTC and in its zone; or why it does not.
pub fn next_fire(one: &Schedule) -> Html {
    let Some(at) = one.next_fire_at else {
        return html! { <StateBadge<ScheduleState> state={one.state} /> };
    };
    let local = one.next_fire_local.clone().unwrap_or_default();
    let fire = stella_contract::schedule::PlannedFire {
        at,
        local: local.clone(),
        abbreviation: String::new(),
        rule: None,
    };
    html! {
        <>
            <span class="mono" title={local}>{ utc_words(at, clock::now()) }</span>
            <span class="f3 sm">
                if one.timezone != "UTC" { { format!("{}, ", local_short(&fire)) } }
                { "in " }<Countdown until={at} over="a moment" />
            </span>
        </>
    }
}
