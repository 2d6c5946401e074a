//! Keeps the operator's preferences in a file beside the ledger. The store writes the file plainly, so that a power cut
//! can leave half of it: what cannot be read is put aside and the defaults hold.

use crate::local;
use crate::preferences::{self, Preferences};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::error::{Code, Problem};
use tauri::{AppHandle, Manager, State, Wry};
use tauri_plugin_store::{Store, StoreBuilder};

const FILE: &str = "preferences.json";
const ASIDE: &str = "preferences.damaged.json";

/// What holds now, and where it is kept.
pub(crate) struct Settings {
    current: Mutex<Preferences>,
    store: Arc<Store<Wry>>,
}

impl Settings {
    /// Reads them.
    pub(crate) fn open(app: &AppHandle) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = local::data_folder(app)?;
        let current = read_or_put_aside(&folder);
        let store = StoreBuilder::new(app, folder.join(FILE)).disable_auto_save().build()?;
        Ok(Self { current: Mutex::new(current), store })
    }

    fn current(&self) -> Preferences {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, wanted: Preferences) -> Result<(), String> {
        let value = serde_json::to_value(&wanted).map_err(|error| error.to_string())?;
        let Value::Object(fields) = value else { return Err("preferences are an object".to_owned()) };
        self.store.clear();
        for (name, field) in fields {
            self.store.set(name, field);
        }
        self.store.save().map_err(|error| error.to_string())?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        Ok(())
    }
}

/// What holds now; the defaults before they are read.
pub(crate) fn current(app: &AppHandle) -> Preferences {
    app.try_state::<Settings>().map(|settings| settings.current()).unwrap_or_default()
}

/// What the file holds. A damaged one is renamed, for it may be the operator's own slip of the pen.
fn read_or_put_aside(folder: &Path) -> Preferences {
    let file = folder.join(FILE);
    let Ok(text) = fs::read_to_string(&file) else { return Preferences::default() };
    match preferences::read(&text) {
        Ok(kept) => kept,
        Err(error) => {
            let moved = fs::rename(&file, folder.join(ASIDE));
            tracing::warn!(%error, moved = moved.is_ok(), "the preferences could not be read; the defaults hold");
            Preferences::default()
        }
    }
}

/// The preferences for the pages.
#[tauri::command]
pub(crate) fn preferences_get(settings: State<'_, Settings>) -> Preferences {
    settings.current()
}

/// Keeps what the pages chose.
#[tauri::command]
pub(crate) fn preferences_set(
    settings: State<'_, Settings>,
    preferences: Map<String, Value>,
) -> Result<Preferences, Problem> {
    let wanted = preferences::with(&settings.current(), preferences)
        .map_err(|error| problem(Code::Invalid, format!("These preferences cannot be kept: {error}.")))?;
    settings.keep(wanted.clone()).map_err(|error| {
        tracing::warn!(%error, "the preferences could not be written");
        problem(
            Code::NotWritable,
            "The preferences could not be written. Check the disk and its permissions.".to_owned(),
        )
    })?;
    Ok(wanted)
}

/// A refusal of the shell itself.
pub(crate) fn problem(code: Code, message: String) -> Problem {
    Problem {
        code,
        message,
        trace_id: "window".to_owned(),
        trace_id_alias: "window".to_owned(),
        details: Vec::new(),
        retryable: false,
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preferences::Theme;

    #[test]
    fn a_damaged_file_is_put_aside_and_the_defaults_hold() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{ half of").unwrap();
        assert_eq!(read_or_put_aside(folder.path()), Preferences::default());
        assert_eq!(fs::read_to_string(folder.path().join(ASIDE)).unwrap(), "{ half of");
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn a_sound_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), r#"{"theme":"light"}"#).unwrap();
        assert_eq!(read_or_put_aside(folder.path()).theme, Theme::Light);
        assert!(folder.path().join(FILE).exists());
    }
}
