//! Theme, density, keys, and which core speaks.

use crate::api::shell;
use crate::kit::{Button, CopyId, Segmented, Switch};
use crate::store::{Density, FeedState, Preferences, Theme, use_feed, use_preferences, use_session};
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
            <div class="page-head"><h1>{ "Settings" }</h1><span class="f2 sm">{ "kept on this machine" }</span></div>
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
                <Connection />
            </div>
        </>
    }
}

#[component]
fn Connection() -> Html {
    let session = use_session();
    let feed = use_feed();
    let reconnect = feed.reconnect.clone();
    let live = match &feed.state {
        FeedState::Live => "live".to_owned(),
        other => format!("{other:?}"),
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
                    <dt>{ "May" }</dt><dd class="mono"><CopyId text={session.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")} /></dd>
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
    fn every_choice_reads_back_as_itself() {
        for theme in [Theme::System, Theme::Light, Theme::Dark] {
            assert_eq!(theme_of(theme_word(theme)), theme);
        }
        for density in [Density::Comfortable, Density::Compact] {
            assert_eq!(density_of(density_word(density)), density);
        }
    }
}
