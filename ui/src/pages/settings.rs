//! Theme, density, keys, and which core speaks.

use crate::api::{Load, shell};
use crate::kit::{Button, Input, Segmented, Skeleton, Switch};
use crate::pages::dead_letter::MutedCauses;
use crate::parts::{ActDialog, Deed, ProblemView};
use crate::router::Link;
use crate::store::{
    Density, FeedState, Preferences, QuietHours, Theme, Watch, use_feed, use_preferences, use_query,
    use_session,
};
use stella_contract::feature::{FeatureSwitch, SetFeature};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// Settings.
#[component]
pub fn SettingsPage() -> Html {
    let preferences = use_preferences();
    let now = preferences.get().clone();
    let change = |edit: fn(&mut Preferences, &str)| {
        let preferences = preferences.clone();
        Callback::from(move |value: AttrValue| {
            let mut next = preferences.get().clone();
            edit(&mut next, &value);
            preferences.set(next);
        })
    };
    let on_keys = {
        let preferences = preferences.clone();
        Callback::from(move |on: bool| preferences.set(Preferences { keys: on, ..preferences.get().clone() }))
    };
    html! {
        <>
            <div class="page-head"><h1>{ "Settings" }</h1><span class="f2 sm">{ "kept on this machine" }</span><span class="grow"></span><Link to={Route::Runbook} class="link">{ "Runbook" }</Link></div>
            <div class="body">
                <section class="sec" aria-label="Look">
                    <div class="sec-h"><h2>{ "Look" }</h2></div>
                    <dl class="kv settings">
                        <dt>{ "Theme" }</dt>
                        <dd><Segmented label="Theme" value={theme_word(now.theme)} options={options(&["system", "light", "dark"])}
                            on_choose={change(|next, word| next.theme = theme_of(word))} /></dd>
                        <dt>{ "Rows" }</dt>
                        <dd><Segmented label="Rows" value={density_word(now.density)} options={options(&["comfortable", "compact"])}
                            on_choose={change(|next, word| next.density = density_of(word))} /></dd>
                        <dt>{ "Single keys" }</dt>
                        <dd><Switch on={now.keys} on_toggle={on_keys}>{ "j, k, g and the other letters act when no field has the focus" }</Switch></dd>
                    </dl>
                </section>
                if shell::is_here() { <Desktop /> }
                <Parts />
                <MutedCauses />
                <Connection />
            </div>
        </>
    }
}

/// What only the window can do.
#[component]
fn Desktop() -> Html {
    let preferences = use_preferences();
    let now = preferences.get().clone();
    let change = |edit: fn(&mut Preferences, bool)| {
        let preferences = preferences.clone();
        Callback::from(move |on: bool| {
            let mut next = preferences.get().clone();
            edit(&mut next, on);
            preferences.set(next);
        })
    };
    let quiet = |edit: fn(&mut QuietHours, String)| {
        let preferences = preferences.clone();
        Callback::from(move |minute: String| {
            let mut next = preferences.get().clone();
            if let Some(hours) = next.quiet_hours.as_mut().filter(|_| is_minute(&minute)) {
                edit(hours, minute);
                preferences.set(next);
            }
        })
    };
    let threshold = {
        let preferences = preferences.clone();
        Callback::from(move |text: String| {
            if let Some(wanted) = jobs_alike(&text) {
                preferences.set(Preferences { spike_threshold: wanted, ..preferences.get().clone() });
            }
        })
    };
    html! {
        <section class="sec" aria-label="Desktop">
            <div class="sec-h"><h2>{ "Desktop" }</h2></div>
            <dl class="kv settings">
                <dt>{ "Notifications" }</dt>
                <dd><Switch on={now.notifications} on_toggle={change(|next, on| next.notifications = on)}>{ "tell when a run has ended" }</Switch></dd>
                <dt>{ "Failures" }</dt>
                <dd class="row">
                    <Switch on={now.spikes} on_toggle={change(|next, on| next.spikes = on)}>{ "tell when many jobs fail alike" }</Switch>
                    if now.spikes {
                        <span class="f2">{ "from" }</span>
                        <span class="minute"><Input kind="number" label="Jobs that fail alike" value={now.spike_threshold.to_string()} on_input={threshold} /></span>
                        <span class="f2">{ "jobs in 15 minutes" }</span>
                    }
                </dd>
                <dt>{ "Quiet hours" }</dt>
                <dd class="row">
                    <Switch on={now.quiet_hours.is_some()} on_toggle={change(|next, on| next.quiet_hours = on.then(night))}>{ "keep silent" }</Switch>
                    if let Some(hours) = &now.quiet_hours {
                        <span class="f2">{ "from" }</span>
                        <span class="minute"><Input kind="time" label="Quiet from" value={hours.from.clone()} on_input={quiet(|hours, minute| hours.from = minute)} /></span>
                        <span class="f2">{ "to" }</span>
                        <span class="minute"><Input kind="time" label="Quiet until" value={hours.to.clone()} on_input={quiet(|hours, minute| hours.to = minute)} /></span>
                        <span class="f3 sm">{ "local time" }</span>
                    }
                </dd>
                <dt>{ "Closing" }</dt>
                <dd><Switch on={now.close_to_tray} on_toggle={change(|next, on| next.close_to_tray = on)}>{ "the window keeps running in the tray" }</Switch></dd>
            </dl>
        </section>
    }
}

/// The hours to begin with.
fn night() -> QuietHours {
    QuietHours { from: "22:00".to_owned(), to: "07:00".to_owned() }
}

/// How many jobs that fail alike are told; while the number is typed it may be none.
fn jobs_alike(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|jobs| (1..=100_000).contains(jobs))
}

/// Whether a time field holds a whole time; while it is typed it may not.
fn is_minute(text: &str) -> bool {
    let number =
        |part: &str, below: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|value| value < below);
    text.split_once(':').is_some_and(|(hour, minute)| number(hour, 24) && number(minute, 60))
}

/// What can be switched off for everybody on this ledger.
#[component]
fn Parts() -> Html {
    let session = use_session();
    let asked = use_query("features", Watch::of(&["feature"]), |api| async move { api.features().await });
    let turning = use_state(|| None::<FeatureSwitch>);
    let refusal = session.refusal(Scope::OrchOperate).map(AttrValue::from);
    let close = {
        let turning = turning.clone();
        Callback::from(move |()| turning.set(None))
    };
    let row = |switch: &FeatureSwitch| {
        let (turning, chosen) = (turning.clone(), switch.clone());
        let turn = Callback::from(move |()| turning.set(Some(chosen.clone())));
        let stands = if switch.enabled { "on" } else { "off" };
        html! {
            <tr key={switch.feature.as_str()}>
                <td class="mono nw">{ switch.feature.as_str() }</td>
                <td class={classes!("nw", (!switch.enabled).then_some("k-bad"))}>{ stands }</td>
                <td class="f2 wrapping">{ &switch.meaning }</td>
                <td class="f3 sm nw">{ switch.changed_by.as_ref().map(|by| format!("by {by}")) }</td>
                <td class="num"><Button small={true} disabled={refusal.clone()} says_why={false} on_click={turn}>{ if switch.enabled { "Switch off…" } else { "Switch on…" } }</Button></td>
            </tr>
        }
    };
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={4} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="The switches" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(page, _) | Load::Stale(page, ..) => {
            html! { <table class="tbl switches"><tbody>{ for page.items.iter().map(row) }</tbody></table> }
        }
    };
    html! {
        <section class="sec" aria-label="Parts of the product">
            <div class="sec-h"><h2>{ "Parts of the product" }</h2><span class="f2 sm">{ "for everybody on this ledger" }</span><span class="grow"></span>
                if let Some(why) = &refusal { <span class="why">{ why }</span> }</div>
            { body }
            if let Some(switch) = &*turning { { turn_dialog(switch, close, asked.refetch.clone()) } }
        </section>
    }
}

fn turn_dialog(switch: &FeatureSwitch, on_close: Callback<()>, on_done: Callback<()>) -> Html {
    let (feature, wish) = (switch.feature, SetFeature { enabled: !switch.enabled });
    let (verb, to, past) =
        if wish.enabled { ("Switch on", "on", "switched on") } else { ("Switch off", "off", "switched off") };
    let deed = Deed::new(move |api, cause| async move {
        api.set_feature(feature, wish, &cause).await.map(|_| format!("{feature} is {past}").into())
    });
    let cli = ["features", "set", feature.as_str(), to].map(|word| AttrValue::from(word.to_owned())).to_vec();
    html! {
        <ActDialog title={verb} subject={feature.as_str()} scope={Scope::OrchOperate} {verb} danger={!wish.enabled} {cli} {deed} {on_done} {on_close}>
            { feature.meaning() }{ " It holds at once, for every tenant, page and program; a stream that a program holds open goes on until it ends." }
        </ActDialog>
    }
}

#[component]
fn Connection() -> Html {
    let session = use_session();
    let feed = use_feed();
    let reconnect = feed.reconnect.clone();
    let live = match feed.state {
        FeedState::Live => "live",
        FeedState::Polling => "asked for in turns",
        FeedState::Connecting => "connecting",
        FeedState::Reconnecting { .. } => "lost; it is tried again by itself",
    };
    html! {
        <section class="sec" aria-label="Connection">
            <div class="sec-h"><h2>{ "Connection" }</h2><span class="grow"></span><Button small={true} on_click={reconnect}>{ "Reconnect now" }</Button></div>
            <dl class="kv settings">
                <dt>{ "Core" }</dt><dd>{ if shell::is_here() { "in this window; no port is open" } else { "over HTTP" } }</dd>
                <dt>{ "Live feed" }</dt><dd>{ live }</dd>
                if let Some(session) = session.session.value() {
                    <dt>{ "Ledger" }</dt><dd>{ session.ledger.as_str() }</dd>
                    <dt>{ "Version" }</dt><dd class="mono">{ &session.version }</dd>
                    <dt>{ "Signed in as" }</dt><dd>{ &session.subject }{ if session.read_only { ", read-only" } else { "" } }</dd>
                    <dt>{ "May" }</dt><dd class="mono">{ session.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ") }</dd>
                    <dt>{ "Tenants" }</dt><dd>{ session.tenants.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>().join(", ") }</dd>
                }
            </dl>
        </section>
    }
}

fn options(words: &[&'static str]) -> Vec<(AttrValue, AttrValue)> {
    words.iter().map(|&word| (word.into(), word.into())).collect()
}

const fn theme_word(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}

fn theme_of(word: &str) -> Theme {
    match word {
        "light" => Theme::Light,
        "dark" => Theme::Dark,
        _ => Theme::System,
    }
}

const fn density_word(density: Density) -> &'static str {
    match density {
        Density::Comfortable => "comfortable",
        Density::Compact => "compact",
    }
}

fn density_of(word: &str) -> Density {
    if word == "compact" { Density::Compact } else { Density::Comfortable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_time_of_day_is_kept() {
        for (text, whole) in
            [("22:30", true), ("00:00", true), ("24:00", false), ("7:00", false), ("", false)]
        {
            assert_eq!(is_minute(text), whole, "{text}");
        }
        let night = night();
        assert!(is_minute(&night.from) && is_minute(&night.to));
    }

    #[test]
    fn every_choice_reads_back_as_itself() {
        for theme in [Theme::System, Theme::Light, Theme::Dark] {
            assert_eq!(theme_of(theme_word(theme)), theme);
        }
        for density in [Density::Comfortable, Density::Compact] {
            assert_eq!(density_of(density_word(density)), density);
        }
    }
}
