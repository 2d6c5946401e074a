//! Dependencies that a crate names and never uses.

use crate::shell::root;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Named for a feature that they switch on in another crate, or used by what a macro writes.
const USED_UNSEEN: &[(&str, &str)] = &[];

/// Looks through every crate of the workspace.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for folder in crates()? {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let mut source = String::new();
        collect(&folder, &mut source)?;
        let name = folder.strip_prefix(root()).unwrap_or(&folder).display().to_string();
        for dependency in dependencies(&manifest) {
            let seen = source.contains(&dependency.replace('-', "_"));
            let excused = USED_UNSEEN.contains(&(name.as_str(), dependency.as_str()));
            if !seen && !excused {
                faults.push(format!("{name} names `{dependency}` and does not use it"));
            }
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

fn crates() -> Result<Vec<PathBuf>> {
    let mut folders = vec![root().join("src-tauri"), root().join("ui"), root().join("tests")];
    let inner = fs::read_dir(root().join("crates")).context("crates/ cannot be read")?;
    folders
        .extend(inner.flatten().map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()));
    Ok(folders)
}

fn collect(folder: &Path, source: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, source)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The names under every `[…dependencies]` table.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies");
            if let Some((_, name)) = table.split_once("dependencies.") {
                names.push(name.to_owned());
            }
        } else if inside && let Some((name, _)) = line.split_once(['=', '.']) {
            names.push(name.trim().to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_dependency_is_read() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nserde.workspace = true\nyew = { version = \"1\" }\n\
                        [dev-dependencies]\nproptest = \"1\"\n[features]\na = []\n[dependencies.utoipa]\noptional = true\n";
        assert_eq!(dependencies(manifest), ["serde", "yew", "proptest", "utoipa"]);
    }
}
