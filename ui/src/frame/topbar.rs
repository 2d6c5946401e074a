//! The top bar: tenants, connection, planner, what came in, search, and three tools.

use crate::api::Load;
use crate::clock::use_now;
use crate::kit::{Button, ButtonKind, Icon, IconSize, Shape, TimeAgo, Tone, format};
use crate::parts::mark;
use crate::router::{Link, Query};
use crate::store::{Density, FeedState, Preferences, Theme, use_feed, use_preferences, use_session};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::run_alert::PLANNER_SILENT_MS;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`TopBar`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TopBarProps {
    /// The figures it shows.
    pub overview: Load<Overview>,
    /// Opens the palette.
    pub on_palette: Callback<()>,
    /// Opens the keyboard map.
    pub on_help: Callback<()>,
}

/// The top bar.
#[component]
pub fn TopBar(props: &TopBarProps) -> Html {
    let overview = props.overview.value();
    html! {
        <header class="topbar">
            <Link to={Route::JobsQueues} class="brand" label="Stella Operator">
                <Icon shape={Shape::Star} /><span>{ "Stella Operator" }</span>
            </Link>
            <Tenants />
            <div class="ticker">
                <Connection />
                if let Some(overview) = overview { { ticker(overview) } }
            </div>
            <div class="grow"></div>
            <button type="button" class="find" aria-keyshortcuts="Control+K" onclick={props.on_palette.reform(|_| ())}>
                <Icon shape={Shape::Search} size={IconSize::Small} />
                <span class="grow">{ "Search or run a command" }</span><kbd>{ "Ctrl" }</kbd><kbd>{ "K" }</kbd>
            </button>
            <Tools on_help={props.on_help.clone()} />
        </header>
    }
}

/// The tenants the caller may see; the shown one is underlined.
#[component]
fn Tenants() -> Html {
    let session = use_session();
    let tenants = session.session.value().map(|found| found.tenants.clone()).unwrap_or_default();
    html! {
        <div class="tenants" role="group" aria-label="Tenant">
            { for tenants.into_iter().map(|tenant| {
                let on = session.tenant.as_ref() == Some(&tenant);
                let chosen = tenant.clone();
                html! {
                    <button type="button" key={tenant.to_string()} class={classes!("tenant", on.then_some("is-on"))}
                        aria-pressed={on.to_string()} onclick={session.choose.reform(move |_| chosen.clone())}>
                        { tenant.to_string() }
                    </button>
                }
            }) }
        </div>
    }
}

/// How the core is reached, and when it was last heard of.
#[component]
fn Connection() -> Html {
    let feed = use_feed();
    let now = use_now();
    let age = feed.heard().map(|heard| now.ms_since(heard));
    let (shape, tone, word, more) = said(feed.state, age, now);
    html! {
        <span class="row" role="status" aria-live="off">
            { mark(shape, tone, word, false, false) }<span class="f3">{ more }</span>
        </span>
    }
}

/// Shape, colour, word and age of a connection.
fn said(state: FeedState, age: Option<i64>, now: Micros) -> (Shape, Tone, &'static str, String) {
    let age = age.map_or_else(String::new, |age| format!(", {}", format::duration(age)));
    match state {
        FeedState::Connecting => (Shape::DashedRing, Tone::Idle, "Connecting", String::new()),
        FeedState::Live => (Shape::DiscCheck, Tone::Ok, "Online", format!("live{age}")),
        FeedState::Polling => (Shape::DiscCheck, Tone::Ok, "Online", format!("polling{age}")),
        FeedState::Reconnecting { attempt, next } => {
            let wait = next.ms_since(now);
            let when = if wait <= 0 { "now".to_owned() } else { format!("in {}", format::duration(wait)) };
            (Shape::RingClock, Tone::Warn, "Reconnecting", format!("try {attempt} {when}"))
        }
    }
}

fn ticker(overview: &Overview) -> Html {
    let incoming = overview.inputs.advisories_last_hour;
    html! {
        <>
            <span class="sep"></span>
            if let Some(at) = overview.runs.planner_beat_at {
                <PlannerBeat {at} />
            } else {
                <span class="f3">{ "No planner has beaten yet" }</span>
            }
            <span class="sep opt"></span>
            <span class="opt f3">
                { "Last hour: " }
                <Link to={Route::Sources} query={Query::default()} class="n">{ format!("+{}", format::count(incoming)) }</Link>
                { " advisories" }
            </span>
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct PlannerBeatProps {
    at: Micros,
}

/// The planner's heart; amber when it is silent for too long.
#[component]
fn PlannerBeat(props: &PlannerBeatProps) -> Html {
    let silent = use_now().ms_since(props.at) > PLANNER_SILENT_MS;
    let tone = if silent { Tone::Warn } else { Tone::Ok };
    html! {
        <>
            <span class={tone.class()}><Icon shape={Shape::Beat} size={IconSize::Small} /></span>
            <span class="nw">{ "Planner beat " }<TimeAgo at={props.at} /></span>
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ToolsProps {
    on_help: Callback<()>,
}

/// Density, theme, keyboard help.
#[component]
fn Tools(props: &ToolsProps) -> Html {
    let preferences = use_preferences();
    let now = preferences.get().clone();
    let density = match now.density {
        Density::Comfortable => Density::Compact,
        Density::Compact => Density::Comfortable,
    };
    let theme = if preferences.is_dark() { Theme::Light } else { Theme::Dark };
    let set = |next: Preferences| {
        let preferences = preferences.clone();
        Callback::from(move |()| preferences.set(next.clone()))
    };
    let compact = now.density == Density::Compact;
    html! {
        <div class="top-tools">
            <Button kind={ButtonKind::Ghost} icon={Shape::Rows} label="Compact rows" pressed={compact}
                on_click={set(Preferences { density, ..now.clone() })} />
            <Button kind={ButtonKind::Ghost} icon={if preferences.is_dark() { Shape::Sun } else { Shape::Crescent }}
                label={if preferences.is_dark() { "Light theme" } else { "Dark theme" }} on_click={set(Preferences { theme, ..now })} />
            <Button kind={ButtonKind::Ghost} icon={Shape::Help} label="Keyboard help" on_click={props.on_help.clone()} />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_says_which_try_and_when() {
        let state = FeedState::Reconnecting { attempt: 3, next: Micros(4_000_000) };
        let (_, tone, word, more) = said(state, None, Micros(0));
        assert_eq!((tone, word, more.as_str()), (Tone::Warn, "Reconnecting", "try 3 in 4 s"));
        assert_eq!(said(FeedState::Live, Some(400), Micros(0)).3, "live, 0 s");
    }
}
