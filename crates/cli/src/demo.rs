//! `stella demo`: sample data of our own in the local ledger. Two generations of advisories and SBOMs are taken in and
//! evaluated one after the other, so that the second run shows what changed. Each step looks before it acts: a demo that
//! was broken off goes on, one that is loaded stays as it is.

use crate::arguments::Everywhere;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::wait::{Waiting, demand_completion, demand_success};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stella_contract::run::{Run, RunFilter, RunMode, RunScope, RunState, StartRun};
use stella_contract::source::{AddSource, RunSource, Source, SourceType};
use stella_contract::target::SbomPlace;
use stella_sdk::{Client, Write, collect_all};

/// What the world knew at one time, and what ran there then.
struct Generation {
    /// Why its run is started; a run with this reason has been here before.
    reason: &'static str,
    /// Two runs over one scope may not start within a second, so the second names its namespaces.
    namespaces: &'static [&'static str],
    kev_first: bool,
    advisories: &'static str,
    kev: &'static str,
    sboms: &'static [Sbom],
}

struct Sbom {
    file: &'static str,
    namespace: &'static str,
    text: &'static str,
}

macro_rules! sboms {
    ($folder:literal: $($name:literal in $namespace:literal),+ $(,)?) => {
        &[$(Sbom {
            file: concat!($name, ".cdx.json"),
            namespace: $namespace,
            text: include_str!(concat!("../demo/", $folder, "/", $name, ".cdx.json")),
        }),+]
    };
}

const GENERATIONS: [Generation; 2] = [
    Generation {
        reason: "Sample data: first evaluation",
        namespaces: &[],
        kev_first: false,
        advisories: include_str!("../demo/advisories-1.ndjson"),
        kev: include_str!("../demo/kev-1.json"),
        sboms: sboms!["sboms-1":
            "till-web" in "shop", "till-api" in "shop", "price-feed" in "shop", "door-bell" in "shop",
            "stock-keeper" in "stock", "label-printer" in "stock", "map-tiles" in "stock",
            "ledger-sync" in "office", "night-batch" in "office", "mail-room" in "office",
            "support-desk" in "office", "login-gate" in "office",
        ],
    },
    Generation {
        reason: "Sample data: newer advisories, rebuilt images",
        namespaces: &["shop", "stock", "office"],
        kev_first: true,
        advisories: include_str!("../demo/advisories-2.ndjson"),
        kev: include_str!("../demo/kev-2.json"),
        sboms: sboms!["sboms-2": "till-web" in "shop", "till-api" in "shop", "price-feed" in "shop"],
    },
];

const ADVISORIES: &str = "sample-advisories";
const KEV: &str = "sample-kev";

pub(crate) async fn obey(everywhere: &Everywhere, output: &Output) -> Result<(), Failure> {
    if everywhere.server.is_some() {
        let what = "demo fills the local ledger; leave out --server (or STELLA_SERVER).";
        return Err(Failure::Usage(what.to_owned()));
    }
    let folder = Place::of(everywhere)?.folder.join("sample-data");
    let door = Door::open(everywhere, Labour::Working).await?;
    crate::through(&door, load(&door, &folder, output)).await
}

async fn load(door: &Door, folder: &Path, output: &Output) -> Result<(), Failure> {
    for generation in &GENERATIONS {
        let run = match completed(&door.client, generation.reason).await? {
            Some(run) => run,
            None => generation.load(door, folder).await?,
        };
        output.each(&run, |run| {
            format!("{}  {} targets, {} findings, {}", run.run_id, run.processed, run.findings, run.deltas)
        })?;
    }
    Ok(())
}

async fn completed(client: &Client, reason: &str) -> Result<Option<Run>, Failure> {
    let filter = RunFilter { state: Some(RunState::Completed), ..RunFilter::default() };
    let runs = collect_all(client.runs().all(filter)).await?;
    Ok(runs.into_iter().find(|run| run.reason.as_deref() == Some(reason)))
}

impl Generation {
    async fn load(&self, door: &Door, folder: &Path) -> Result<Run, Failure> {
        let client = &door.client;
        let advisories = written(folder, "advisories.ndjson", self.advisories)?;
        let kev = written(folder, "known-exploited.json", self.kev)?;
        read(client, ADVISORIES, SourceType::Advisory, &advisories).await?;
        read(client, KEV, SourceType::Kev, &kev).await?;
        for sbom in self.sboms {
            let place = SbomPlace {
                namespace: Some(sbom.namespace.to_owned()),
                repository: Some(format!("registry.example/{}", sbom.namespace)),
                file: Some(sbom.file.to_owned()),
                ..SbomPlace::default()
            };
            client.targets().import(&place, sbom.text.into(), &Write::because(self.reason)).await?;
        }
        let wish = StartRun {
            mode: RunMode::AnalysisOnly,
            scope: self.scope(),
            kev_first: self.kev_first,
            priority: None,
            preview_id: None,
            allow_stale: false,
            policy_snapshot_id: None,
            segment_size: None,
        };
        let run = client.runs().start(&wish, &Write::because(self.reason)).await?;
        let run = Waiting::default().for_run(client, &run.run_id).await?;
        demand_completion(&run)?;
        Ok(run)
    }

    fn scope(&self) -> RunScope {
        if self.namespaces.is_empty() {
            return RunScope::All;
        }
        RunScope::Selector {
            namespaces: self.namespaces.iter().map(ToString::to_string).collect(),
            repositories: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// The source reads a file beside the ledger; the next generation replaces it, as a mirror would.
fn written(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    let fault = || Failure::file(format!("{} cannot be written", path.display()));
    std::fs::create_dir_all(folder).map_err(fault())?;
    std::fs::write(&path, text).map_err(fault())?;
    std::path::absolute(&path).map_err(fault())
}

async fn read(client: &Client, name: &str, source_type: SourceType, file: &Path) -> Result<(), Failure> {
    let source = ensured(client, name, source_type, file).await?;
    let job = client.sources().run(&source.source_id, &RunSource::default(), &Write::default()).await?;
    demand_success(&Waiting::default().for_job(client, &job.job_id).await?)
}

async fn ensured(
    client: &Client,
    name: &str,
    source_type: SourceType,
    file: &Path,
) -> Result<Source, Failure> {
    let every = collect_all(client.sources().all()).await?;
    if let Some(source) = every.into_iter().find(|source| source.name == name) {
        return Ok(source);
    }
    let wish =
        AddSource { name: name.to_owned(), source_type, location: file.to_string_lossy().into_owned() };
    Ok(client.sources().add(&wish, &Write::default()).await?)
}
