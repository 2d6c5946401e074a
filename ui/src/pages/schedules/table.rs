//! The columns of the schedules table: two lines a schedule.

use super::acts::Act;
use crate::kit::format::count;
use crate::kit::{Column, Elapsed, Shape, Switch, Tone, Width};
use crate::parts::{Badge, RunBars, mark, next_fire, overlap_words};
use crate::router::Link;
use stella_contract::route::Route;
use stella_contract::schedule::{Schedule, ScheduleState};
use yew::prelude::*;

/// What tells a schedule from the others.
pub(super) fn key_of(one: &Schedule) -> String {
    one.schedule_id.to_string()
}

/// The columns; the switch asks for an act.
pub(super) fn columns(on_act: &Callback<Act>, refusal: &Option<AttrValue>) -> Vec<Column<Schedule>> {
    let (act, why) = (on_act.clone(), refusal.clone());
    vec![
        Column::new("on", "On", Width::Fixed(44), move |one: &Schedule| switch(one, &act, &why)),
        Column::new("name", "Schedule", Width::Share(3, 132), name),
        Column::new("when", "When", Width::Share(3, 128), when),
        Column::new(
            "zone",
            "Zone",
            Width::Share(2, 104),
            |one: &Schedule| html! { <span class="f2 cut">{ &one.timezone }</span> },
        )
        .drops_below(900),
        Column::new("next", "Next fire", Width::Fixed(160), |one: &Schedule| {
            html! { <span class="two-lines">{ next_fire(one) }</span> }
        }),
        Column::new("last", "Last run", Width::Fixed(112), last).drops_below(560),
        Column::new(
            "bars",
            "14 runs",
            Width::Fixed(92),
            |one: &Schedule| html! { <RunBars runs={one.recent_runs.clone()} /> },
        )
        .drops_below(700),
        Column::new("missed", "Missed", Width::Fixed(60), missed).at_end(),
    ]
}

fn switch(one: &Schedule, act: &Callback<Act>, why: &Option<AttrValue>) -> Html {
    let toggle = {
        let (act, one) = (act.clone(), one.clone());
        Callback::from(move |on: bool| {
            let one = Box::new(one.clone());
            act.emit(if on { Act::Enable(one) } else { Act::Disable(one) });
        })
    };
    html! {
        <span title={why.clone()}>
            <Switch on={one.enabled} on_toggle={toggle} disabled={why.is_some()}><span class="vh">{ format!("{} is switched on", one.name) }</span></Switch>
        </span>
    }
}

fn name(one: &Schedule) -> Html {
    let below = match (one.state, &one.paused_by) {
        (ScheduleState::Paused, Some(by)) => format!("paused by {by}"),
        (ScheduleState::Enabled | ScheduleState::Paused | ScheduleState::Disabled, _) => {
            overlap_words(one.overlap_policy).to_owned()
        }
    };
    html! {
        <span class="two-lines">
            <span class="b cut" title={one.name.clone()}>{ &one.name }</span>
            <span class="f3 sm cut" title={one.pause_reason.clone()}>{ below }</span>
        </span>
    }
}

fn when(one: &Schedule) -> Html {
    html! {
        <span class="two-lines">
            <span class="cut" title={one.words.clone()}>{ one.words.as_deref().unwrap_or("see cron") }</span>
            <span class="mono f3 sm cut">{ &one.cron }</span>
        </span>
    }
}

fn last(one: &Schedule) -> Html {
    let Some(run) = one.recent_runs.first() else { return html! { <span class="f3">{ "none yet" }</span> } };
    let (shape, tone) = if run.partial { (Shape::HalfRing, Tone::Warn) } else { run.state.look() };
    let word = if run.partial { "partial" } else { run.state.as_str() };
    html! {
        <span class="two-lines">
            <Link to={Route::Run(run.run_id.clone())} class="n">{ mark(shape, tone, word, false, false) }</Link>
            { match run.error_code {
                Some(code) => html! { <span class="mono k-bad sm">{ code.as_str() }</span> },
                None => html! { <span class="f3 sm"><Elapsed from={run.created_at} until={run.finished_at} /></span> },
            } }
        </span>
    }
}

fn missed(one: &Schedule) -> Html {
    match one.missed_count {
        0 => html! { <span class="f3">{ "0" }</span> },
        missed => {
            html! { <span class="k-warn" title="Fires whose time passed while nobody was there to start them">{ count(missed) }</span> }
        }
    }
}
