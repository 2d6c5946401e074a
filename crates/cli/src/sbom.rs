//! `stella sbom`: what you answer for.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash, text_or_dash};
use clap::{Args, Subcommand};
use std::io;
use std::path::{Path, PathBuf};
use stella_contract::target::{SbomImported, SbomPlace, Target, TargetFilter};

#[derive(Debug, Subcommand)]
pub(crate) enum Sbom {
    /// Bring in SBOMs (CycloneDX or SPDX JSON): files, or every *.json of folders.
    Add(Add),
    /// List the targets that SBOMs made.
    #[command(visible_alias = "ls")]
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Files or folders.
    #[arg(required = true, value_name = "FILE|DIR")]
    places: Vec<PathBuf>,
    /// What the target is called; from the SBOM when absent.
    #[arg(long)]
    name: Option<String>,
    /// Its version; from the SBOM when absent. (`version` is taken by `--version`.)
    #[arg(long = "version", value_name = "VERSION", id = "target_version")]
    version: Option<String>,
    /// The image it describes, sha256:….
    #[arg(long, value_name = "SHA256")]
    digest: Option<String>,
    /// Where it runs.
    #[arg(long)]
    namespace: Option<String>,
    /// Where it comes from.
    #[arg(long)]
    repository: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// In this namespace.
    #[arg(long)]
    namespace: Option<String>,
    /// Part of the name.
    #[arg(long)]
    q: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl Sbom {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.obey(door, output).await,
            Self::List(list) => {
                let filter = TargetFilter { namespace: list.namespace.clone(), q: list.q.clone() };
                let targets = door.client.targets();
                let page = list.paging.read(async |page| targets.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
        }
    }
}

impl Add {
    fn place_of(&self, file: &Path) -> SbomPlace {
        SbomPlace {
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest.clone(),
            namespace: self.namespace.clone(),
            repository: self.repository.clone(),
            file: file.file_name().map(|name| name.to_string_lossy().into_owned()),
        }
    }

    /// One that cannot be read does not keep the others out; the first failure decides the exit code.
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let files = files_of(&self.places)?;
        if files.len() > 1 && (self.name.is_some() || self.digest.is_some()) {
            let what = format!("--name and --digest are of one SBOM, and these are {}.", files.len());
            return Err(Failure::Usage(what));
        }
        let mut first: Option<Failure> = None;
        for file in &files {
            let failure = match self.import(door, file).await {
                Ok(imported) => {
                    output.each(&imported, line_of)?;
                    warn(file, &imported);
                    continue;
                }
                Err(failure) => failure,
            };
            match first {
                None => {
                    eprintln!("{} was not taken in.", file.display());
                    first = Some(failure);
                }
                Some(_) => eprintln!("{} was not taken in: {failure}", file.display()),
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn import(&self, door: &Door, file: &Path) -> Result<SbomImported, Failure> {
        let bytes = tokio::fs::read(file)
            .await
            .map_err(Failure::file(format!("{} cannot be read", file.display())))?;
        let place = self.place_of(file);
        Ok(door.client.targets().import(&place, bytes.into(), &self.why.write()).await?)
    }
}

fn warn(file: &Path, imported: &SbomImported) {
    for warning in &imported.warnings {
        eprintln!("{}: {warning}", file.display());
    }
}

/// Files as they are named; of folders every `*.json` below them, sorted, so that the order is the same everywhere.
fn files_of(places: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for place in places {
        let seen =
            std::fs::metadata(place).map_err(Failure::file(format!("{} cannot be read", place.display())))?;
        if !seen.is_dir() {
            files.push(place.clone());
            continue;
        }
        let mut found = Vec::new();
        below(place, &mut found).map_err(Failure::file(format!("{} cannot be read", place.display())))?;
        found.sort();
        if found.is_empty() {
            return Err(Failure::Usage(format!("{} holds no *.json file.", place.display())));
        }
        files.extend(found);
    }
    Ok(files)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            below(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            found.push(path);
        }
    }
    Ok(())
}

fn line_of(imported: &SbomImported) -> String {
    let target = &imported.target;
    let what = match (imported.created, imported.unchanged) {
        (true, _) => "added",
        (false, true) => "unchanged",
        (false, false) => "replaced",
    };
    let version = text_or_dash(&target.version);
    format!("{what}  {} {version}  {} components  {}", target.name, target.component_count, target.target_id)
}

fn of_many(targets: &[Target]) -> Table {
    let headings = &["NAME", "VERSION", "NAMESPACE", "COMPONENTS", "FINDINGS", "CRITICAL", "FORMAT", "ID"];
    Table::new(headings).rows(targets, |target| {
        [
            target.name.clone(),
            text_or_dash(&target.version),
            text_or_dash(&target.namespace),
            target.component_count.to_string(),
            or_dash(target.findings.as_ref()),
            or_dash(target.critical.as_ref()),
            target.sbom_format.clone(),
            target.target_id.to_string(),
        ]
    })
}
