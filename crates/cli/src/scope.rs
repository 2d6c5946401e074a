//! Which targets a run or a preview is about, from flags or from a file.

use crate::failure::Failure;
use clap::Args;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stella_contract::run::RunScope;

/// Which targets. Without any of these: all.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which targets")]
pub(crate) struct Scope {
    /// A scope as JSON: {"kind":"all"}, or of kind selector, keys or digests; `-` reads it from stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["namespace", "repository", "label", "digest"])]
    scope: Option<PathBuf>,
    /// In this namespace; may be given again.
    #[arg(long, value_name = "NAME", conflicts_with = "digest")]
    namespace: Vec<String>,
    /// From this repository; may be given again.
    #[arg(long, value_name = "NAME", conflicts_with = "digest")]
    repository: Vec<String>,
    /// With this label; may be given again, all must be there.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, conflicts_with = "digest")]
    label: Vec<(String, String)>,
    /// Exactly this image; may be given again.
    #[arg(long, value_name = "SHA256")]
    digest: Vec<String>,
}

impl Scope {
    /// The scope; `None` where nothing restricts it.
    pub(crate) fn read(&self) -> Result<Option<RunScope>, Failure> {
        if let Some(file) = &self.scope {
            return read_json(file).map(Some);
        }
        if !self.digest.is_empty() {
            return Ok(Some(RunScope::Digests { digests: self.digest.clone() }));
        }
        if self.namespace.is_empty() && self.repository.is_empty() && self.label.is_empty() {
            return Ok(None);
        }
        Ok(Some(RunScope::Selector {
            namespaces: self.namespace.clone(),
            repositories: self.repository.clone(),
            labels: self.label.iter().cloned().collect::<BTreeMap<_, _>>(),
        }))
    }
}

/// Reads a file of JSON; `-` is stdin.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let shown = file.display();
    let bytes = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()).map(String::into_bytes),
        false => std::fs::read(file),
    };
    let bytes = bytes.map_err(Failure::file(format!("{shown} cannot be read")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Usage(format!("{shown} cannot be used: {error}.")))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}
