//! Theme, density and keys: the only things that are remembered. In the window they live in its own store, in the
//! browser in local storage; local storage is written in both, so that the first paint is already right.

use crate::api::shell;
use crate::kit::set_single_keys;
use gloo_storage::{LocalStorage, Storage};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use yew::prelude::*;

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How tight rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    /// 32 px rows.
    #[default]
    Comfortable,
    /// 28 px rows.
    Compact,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// How tight rows are.
    pub density: Density,
    /// Whether single letters act.
    pub keys: bool,
    /// Whether the desktop tells when a run ends; the window's business alone.
    pub notifications: bool,
    /// Whether it tells when many jobs fail alike; the window's business alone.
    pub spikes: bool,
    /// How many it takes for that; the window's business alone.
    pub spike_threshold: u32,
    /// When it keeps silent, in local time; the window's business alone.
    pub quiet_hours: Option<QuietHours>,
    /// Whether closing the window keeps the program in the tray; the window's business alone.
    pub close_to_tray: bool,
}

/// From and to, written `22:30`; over midnight when `to` comes before `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// From this minute.
    pub from: String,
    /// Up to this one.
    pub to: String,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            density: Density::Comfortable,
            keys: true,
            notifications: true,
            spikes: true,
            spike_threshold: 10,
            quiet_hours: None,
            close_to_tray: false,
        }
    }
}

/// The entry of local storage; `theme.js` reads it before the first paint.
const ENTRY: &str = "stella.preferences";

/// What is remembered and how to change it.
#[derive(Clone, PartialEq)]
pub struct PreferencesStore {
    now: UseStateHandle<Rc<Preferences>>,
}

impl PreferencesStore {
    /// What is remembered.
    pub fn get(&self) -> &Preferences {
        &self.now
    }
    /// Remembers something else, from now on.
    pub fn set(&self, next: Preferences) {
        apply(&next);
        // A browser without storage forgets it with the page.
        let _ = LocalStorage::set(ENTRY, &next);
        if shell::is_here() {
            let value = next.clone();
            wasm_bindgen_futures::spawn_local(async move {
                // The window's store is the second copy; the first was written above.
                let _ = shell::invoke::<serde_json::Value>("preferences_set", &Stored { preferences: value })
                    .await;
            });
        }
        self.now.set(Rc::new(next));
    }
    /// Whether it is dark now, the system's choice included.
    pub fn is_dark(&self) -> bool {
        is_dark(self.now.theme)
    }
}

#[derive(Serialize)]
struct Stored {
    preferences: Preferences,
}

/// Keeps the preferences; used once, in the app.
#[hook]
pub fn use_preferences_store() -> PreferencesStore {
    let now = use_state(|| {
        let stored: Preferences = LocalStorage::get(ENTRY).unwrap_or_default();
        apply(&stored);
        Rc::new(stored)
    });
    let store = PreferencesStore { now };
    {
        let store = store.clone();
        use_effect_with((), move |()| {
            if shell::is_here() {
                wasm_bindgen_futures::spawn_local(async move {
                    let kept = shell::invoke::<Option<Preferences>>("preferences_get", &Nothing {}).await;
                    if let Ok(Some(kept)) = kept {
                        apply(&kept);
                        // As above: a copy for the first paint.
                        let _ = LocalStorage::set(ENTRY, &kept);
                        store.now.set(Rc::new(kept));
                    }
                });
            }
        });
    }
    {
        let theme = store.now.theme;
        use_effect_with(theme, move |theme| {
            let theme = *theme;
            let query = web_sys::window()
                .and_then(|window| window.match_media("(prefers-color-scheme: dark)").ok().flatten());
            let listener = query
                .map(|query| gloo_events::EventListener::new(&query, "change", move |_| apply_theme(theme)));
            move || drop(listener)
        });
    }
    store
}

#[derive(Serialize)]
struct Nothing {}

/// What is remembered and how to change it.
#[hook]
pub fn use_preferences() -> PreferencesStore {
    use_context::<PreferencesStore>().expect("everything is mounted below the app's providers")
}

fn apply(preferences: &Preferences) {
    apply_theme(preferences.theme);
    let density = match preferences.density {
        Density::Comfortable => "comfortable",
        Density::Compact => "compact",
    };
    set_root("data-density", density);
    set_single_keys(preferences.keys);
}

fn apply_theme(theme: Theme) {
    set_root("data-theme", if is_dark(theme) { "dark" } else { "light" });
}

fn is_dark(theme: Theme) -> bool {
    match theme {
        Theme::Dark => true,
        Theme::Light => false,
        Theme::System => {
            let query = web_sys::window()
                .and_then(|window| window.match_media("(prefers-color-scheme: light)").ok().flatten());
            !query.is_some_and(|query| query.matches())
        }
    }
}

/// Sets an attribute of `<html>`.
pub fn set_root(name: &str, value: &str) {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    if let Some(root) = root {
        // Fails only for a name that is no name.
        let _ = root.set_attribute(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_an_older_version_is_filled_up() {
        let read: Preferences = serde_json::from_str(r#"{"theme":"light"}"#).unwrap();
        assert_eq!(read, Preferences { theme: Theme::Light, ..Preferences::default() });
        assert!(read.keys);
    }
}
