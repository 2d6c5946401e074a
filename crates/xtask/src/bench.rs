//! The benchmarks: built with every optimization, run, their tables printed.

use crate::shell::{cargo, root, run, target};
use crate::steps::step;
use crate::{tools, ui};
use anyhow::Result;
use clap::{Args, ValueEnum};

/// Which to run.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The areas; all of them when none is named.
    areas: Vec<Area>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Area {
    /// Parsing, matching and evaluating, on one core.
    Evaluator,
    /// Submitting, claiming and finishing jobs, reading feeds, whole runs, on SQLite and Postgres.
    Ledger,
    /// Requests through HTTP.
    Api,
    /// The interface's size, its start and its frames in a browser, the window where it is built.
    Ui,
    /// A run of 5,000 segments followed by 200 at once.
    Streams,
    /// The same jobs by ours and by other queues, in one run; only when named, for it builds them first.
    Peers,
    /// Every page over a ledger with 100,000 jobs: how soon it stands, how smoothly it scrolls.
    Pages,
}

/// Runs them one after the other, so that none disturbs another.
pub(crate) fn measure(bench: &Bench) -> Result<()> {
    let all: Vec<Area> = Area::value_variants().iter().copied().filter(|area| *area != Area::Peers).collect();
    let areas = if bench.areas.is_empty() { &all } else { &bench.areas };
    for area in areas {
        let name = area.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        step(&name, || match area {
            Area::Evaluator => program("stella-evaluator", &["evaluator"]),
            Area::Ledger => program("stella-engine", &["ledger", "content", "runs"]),
            Area::Api => program("stella-server", &["api"]),
            Area::Ui => in_browser("ui"),
            Area::Streams => of_the_program("streams"),
            Area::Peers => beside_peers(),
            Area::Pages => in_browser("pages"),
        })?;
    }
    Ok(())
}

fn program(package: &str, names: &[&str]) -> Result<()> {
    tools::prepare_postgres()?;
    for name in names {
        run(cargo().args(["bench", "-p", package, "--bench", name]))?;
    }
    Ok(())
}

/// Ours first, then the peers, within minutes of each other.
fn beside_peers() -> Result<()> {
    tools::prepare_postgres()?;
    let folder = target().join("peers");
    for peer in ["effectum", "apalis", "graphile"] {
        let its_own = root().join("tests/peers").join(peer);
        run(cargo()
            .current_dir(its_own)
            .args(["build", "--release", "--locked"])
            .arg("--target-dir")
            .arg(&folder))?;
    }
    run(cargo().args([
        "bench",
        "-p",
        "stella-engine",
        "--bench",
        "ledger",
        "--",
        "enqueue",
        "drain, 100 at a time",
    ]))?;
    run(cargo().args(["bench", "-p", "stella-tests", "--bench", "peers"]).env("STELLA_PEERS", &folder))
}

/// The pages are measured in a browser.
fn in_browser(name: &str) -> Result<()> {
    tools::prepare_pages()?;
    ui::build_and_weigh()?;
    of_the_program(name)
}

/// Measured on a program of its own, built like the one that is delivered.
fn of_the_program(name: &str) -> Result<()> {
    run(cargo().args(["build", "--release", "-p", "stella-cli"]))?;
    program("stella-tests", &[name])
}
