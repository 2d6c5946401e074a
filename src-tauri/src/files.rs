//! Files that the operator picks in the system's own dialog. The pages never name a path: they are given contents, or for
//! a folder the path that the operator chose just now.

use crate::settings::problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use stella_contract::error::{Code, Problem};
use tauri::AppHandle;
use tauri_plugin_dialog::DialogExt;

/// What one picked file may hold.
const MOST_BYTES: u64 = 48 * 1024 * 1024;
/// How many may be picked at once.
const MOST_FILES: usize = 50;

/// What is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wanted {
    /// SBOMs to import: their contents are returned.
    Sboms,
    /// A folder of advisories for a source: its path is returned.
    Folder,
    /// An archive of advisories for a source: its path is returned.
    Feed,
}

/// A picked file or folder.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Picked {
    /// Its own name, without its folder.
    pub(crate) name: String,
    /// Where it is; only for what the core reads by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// What it holds: text, or base64 when `base64` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    pub(crate) base64: bool,
}

/// Lets the operator pick; nothing picked is an empty list.
#[tauri::command]
pub(crate) async fn pick_files(app: AppHandle, kind: Wanted) -> Result<Vec<Picked>, Problem> {
    // The dialog blocks until it is answered, which must not hold up the other requests.
    let picked = tauri::async_runtime::spawn_blocking(move || pick(&app, kind)).await;
    picked.unwrap_or_else(|error| {
        tracing::error!(%error, "the file dialog failed");
        Err(problem(Code::Internal, "The file dialog could not be opened.".to_owned()))
    })
}

fn pick(app: &AppHandle, kind: Wanted) -> Result<Vec<Picked>, Problem> {
    let dialog = app.dialog().file();
    let chosen = match kind {
        Wanted::Sboms => dialog
            .set_title("Import SBOMs")
            .add_filter("SBOM (CycloneDX or SPDX)", &["json", "cdx", "spdx"])
            .add_filter("Any file", &["*"])
            .blocking_pick_files()
            .unwrap_or_default(),
        Wanted::Folder => {
            dialog.set_title("Folder of advisories").blocking_pick_folder().into_iter().collect()
        }
        Wanted::Feed => dialog
            .set_title("Advisories")
            .add_filter("Archive or JSON", &["zip", "json", "gz"])
            .add_filter("Any file", &["*"])
            .blocking_pick_file()
            .into_iter()
            .collect(),
    };
    if chosen.len() > MOST_FILES {
        return Err(problem(Code::PayloadTooLarge, format!("Pick at most {MOST_FILES} files at once.")));
    }
    let paths: Vec<PathBuf> = chosen.into_iter().filter_map(|one| one.into_path().ok()).collect();
    match kind {
        Wanted::Sboms => paths.iter().map(|path| with_contents(path)).collect(),
        Wanted::Folder | Wanted::Feed => Ok(paths.iter().map(|path| with_path(path)).collect()),
    }
}

fn with_path(path: &Path) -> Picked {
    Picked { name: name_of(path), path: Some(path.display().to_string()), body: None, base64: false }
}

fn with_contents(path: &Path) -> Result<Picked, Problem> {
    let name = name_of(path);
    let unreadable =
        |_| problem(Code::BadRequest, format!("`{name}` cannot be read. Check its permissions."));
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > MOST_BYTES {
        return Err(problem(
            Code::PayloadTooLarge,
            format!("`{name}` is larger than {} MiB.", MOST_BYTES >> 20),
        ));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Picked { name, path: None, body: Some(text), base64: false },
        Err(binary) => {
            Picked { name, path: None, body: Some(STANDARD.encode(binary.as_bytes())), base64: true }
        }
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_given_without_the_folder_they_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let (text, binary) = (folder.path().join("a.json"), folder.path().join("b.bin"));
        fs::write(&text, "{}").unwrap();
        fs::write(&binary, [0u8, 255]).unwrap();
        let picked = with_contents(&text).unwrap();
        assert_eq!((picked.name.as_str(), picked.path, picked.body.as_deref()), ("a.json", None, Some("{}")));
        assert_eq!(with_contents(&binary).unwrap().body.as_deref(), Some("AP8="));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = with_contents(Path::new("/nowhere/x.json")).unwrap_err();
        assert_eq!(error.code, Code::BadRequest);
        assert!(error.message.contains("`x.json`") && !error.message.contains("nowhere"));
    }
}
