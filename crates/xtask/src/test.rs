//! The whole check, step by step. A failing step does not stop the ones after it, so that one look shows everything.

use crate::run::WINDOW_FEATURE;
use crate::shell::{self, cargo, read, run, run_tests};
use crate::steps::step;
use crate::tally::Tally;
use crate::{icons, openapi, python, readme, tools, ui, unused};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Which steps.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The steps to do; all of them when none is named.
    steps: Vec<Step>,
}

/// The steps, in the order in which they are done: what fails fastest comes first, what compiles alike stands together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Step {
    /// Every file is formatted.
    Fmt,
    /// The README's links, pictures and commands are there.
    Readme,
    /// Licences, sources and bans of dependencies; none is unused.
    Deny,
    /// The interface's logic; its web build and size.
    Ui,
    /// No lint is left, natively and for wasm.
    Clippy,
    /// The documentation builds without a warning, its examples run.
    Docs,
    /// Each crate's own tests.
    Unit,
    /// The ledger's exam on SQLite and on Postgres.
    Exam,
    /// Whole requests through HTTP.
    System,
    /// The API document and the figures, judged by others than us.
    Openapi,
    /// The interface in a browser.
    Browser,
    /// The real window on a screen of its own.
    Desktop,
    /// Each benchmark, once, so that it cannot rot.
    BenchOnce,
    /// Generated files are what their generators make.
    Generated,
}

/// Does the steps and sums them up.
pub(crate) fn check(test: &Test) -> Result<()> {
    let wanted: BTreeSet<Step> = if test.steps.is_empty() {
        Step::value_variants().iter().copied().collect()
    } else {
        test.steps.iter().copied().collect()
    };
    let mut check = Check { tally: Tally::default(), targets: Targets::read()? };
    let mut failed: Vec<String> = Vec::new();
    if step("tools", || prepare(&wanted)).is_err() {
        failed.push("tools".to_owned());
    }
    for one in wanted {
        let name = one.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        if step(&name, || check.step(one)).is_err() {
            failed.push(name);
        }
    }
    let Tally { passed, failed: failed_tests, skipped } = check.tally;
    println!();
    if skipped > 0 {
        println!("{skipped} tests were left out by their runners");
    }
    match failed.as_slice() {
        [] => println!("every step succeeded"),
        names => println!("failed steps: {}", names.join(", ")),
    }
    println!("{passed} passed, {failed_tests} failed");
    if !failed.is_empty() {
        // The steps have told what failed; an error of ours on top would only push the closing line away.
        std::process::exit(1);
    }
    Ok(())
}

fn prepare(wanted: &BTreeSet<Step>) -> Result<()> {
    let has = |steps: &[Step]| steps.iter().any(|one| wanted.contains(one));
    if has(&[
        Step::Ui,
        Step::Clippy,
        Step::Docs,
        Step::Unit,
        Step::Exam,
        Step::System,
        Step::Openapi,
        Step::Browser,
        Step::Desktop,
        Step::BenchOnce,
    ]) {
        tools::prepare_build()?;
    }
    if has(&[Step::Browser, Step::Desktop, Step::BenchOnce]) {
        tools::prepare_pages()?;
    }
    if has(&[Step::Unit, Step::Exam, Step::System, Step::BenchOnce]) {
        tools::prepare_postgres()?;
    }
    if has(&[Step::Openapi]) {
        tools::prepare_openapi()?;
    }
    if has(&[Step::Deny]) {
        tools::prepare_deny()?;
    }
    Ok(())
}

struct Check {
    tally: Tally,
    targets: Targets,
}

impl Check {
    fn step(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Fmt => run(cargo().args(["fmt", "--all", "--", "--check"])),
            Step::Readme => readme::check(),
            Step::Deny => deny(),
            Step::Ui => self.ui(),
            Step::Clippy => clippy(),
            Step::Docs => self.docs(),
            Step::Unit => self.unit(),
            Step::Exam => self.tests("exam"),
            Step::System => self.system(),
            Step::Openapi => judged(),
            Step::Browser => self.browser(),
            Step::Desktop => self.pages("desktop", &[]),
            Step::BenchOnce => self.bench_once(),
            Step::Generated => generated(),
        }
    }

    fn ui(&mut self) -> Result<()> {
        run_tests(&mut runner(&["-p", "stella-ui"]), &mut self.tally)?;
        ui::build_and_weigh()
    }

    fn docs(&mut self) -> Result<()> {
        run(natively(&mut cargo(), &["doc"]).arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))?;
        run_tests(natively(&mut cargo(), &["test"]).arg("--doc"), &mut self.tally)
    }

    /// Every test but those of the steps that stand for themselves.
    fn unit(&mut self) -> Result<()> {
        let apart = ["exam", "it", "browser", "desktop"];
        let mut command = native_runner();
        command.args(["--lib", "--bins"]);
        for target in self.targets.tests.iter().filter(|one| !apart.contains(&one.as_str())) {
            command.args(["--test", target]);
        }
        run_tests(&mut command, &mut self.tally)
    }

    fn tests(&mut self, target: &str) -> Result<()> {
        self.demand(target)?;
        run_tests(native_runner().args(["--test", target]), &mut self.tally)
    }

    /// Some of these tests start the programs, as an operator would.
    fn system(&mut self) -> Result<()> {
        self.demand("it")?;
        programs()?;
        self.tests("it")
    }

    /// One of these tests shows every page to a checker that is not ours, and prints what it found.
    fn browser(&mut self) -> Result<()> {
        let axe = python::axe()?;
        self.pages("browser", &[("STELLA_AXE", axe)])
    }

    /// Tests that open pages: they need the interface, the programs, and one machine to themselves.
    fn pages(&mut self, target: &str, told: &[(&str, PathBuf)]) -> Result<()> {
        self.demand(target)?;
        ui::build()?;
        programs()?;
        let mut command = native_runner();
        command.args(["--test", target]).envs(told.iter().map(|(name, value)| (name, value)));
        // A page that waits for a busy machine is a page that fails: one browser at a time.
        run_tests(command.env("RUST_TEST_THREADS", "1"), &mut self.tally)
    }

    /// Started without `--bench`, a benchmark does each of its measurements once.
    fn bench_once(&mut self) -> Result<()> {
        ui::build()?;
        programs()?;
        let mut command = cargo();
        natively(&mut command, &["test"]);
        for name in &self.targets.benches {
            command.args(["--bench", name]);
        }
        run_tests(&mut command, &mut self.tally)
    }

    fn demand(&self, target: &str) -> Result<()> {
        if !self.targets.tests.contains(target) {
            bail!("there is no test program named `{target}`");
        }
        Ok(())
    }
}

/// Everything but the interface, with the same features everywhere, so that no crate is built twice.
fn natively<'a>(command: &'a mut Command, verb: &[&str]) -> &'a mut Command {
    command.args(verb).args(["--workspace", "--exclude", "stella-ui", "--features", WINDOW_FEATURE])
}

/// The programs that tests start; with the tests beside them, for whose sake some crates are built with more features.
fn programs() -> Result<()> {
    run(natively(&mut cargo(), &["build"]).args(["--bins", "--tests"]))
}

/// A real server, whose program is built like those of the tests.
fn judged() -> Result<()> {
    programs()?;
    openapi::check(None)
}

/// One process per test program: tests that need Postgres share the server that the first of them starts.
fn runner(selection: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).args(selection);
    command
}

fn native_runner() -> Command {
    runner(&["--workspace", "--exclude", "stella-ui", "--features", WINDOW_FEATURE])
}

fn clippy() -> Result<()> {
    ui::build()?;
    run(natively(&mut cargo(), &["clippy"]).args(["--all-targets", "--", "-D", "warnings"]))?;
    if tools::prepare_web()?.rustc.is_some() {
        println!("this compiler for wasm brings no lints: the interface is not looked at");
        return Ok(());
    }
    run(cargo()
        .args(["clippy", "-p", "stella-ui", "--target", "wasm32-unknown-unknown", "--profile", "web"])
        .args(["--", "-D", "warnings"])
        .env("CARGO_TARGET_DIR", ui::web_target()))
}

fn deny() -> Result<()> {
    let mut checks = vec!["licenses", "bans", "sources"];
    if has_advisories() {
        checks.push("advisories");
    } else {
        println!("no copy of the advisory database is on this machine: advisories are not checked");
    }
    run(cargo().args(["deny", "--all-features", "--log-level", "error", "check"]).args(checks))?;
    unused::check()
}

/// cargo-deny keeps its copy of the database below this folder.
fn has_advisories() -> bool {
    let home = env::var_os("CARGO_HOME")
        .map(std::path::PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".cargo")));
    home.is_some_and(|home| {
        std::fs::read_dir(home.join("advisory-dbs")).is_ok_and(|mut copies| copies.next().is_some())
    })
}

/// Files that a program of ours writes and that are committed.
fn generated() -> Result<()> {
    icons::check()?;
    run(cargo().args(["metadata", "--locked", "--format-version=1"]).stdout(Stdio::null()))
        .context("Cargo.lock does not fit the manifests")?;
    let files = read(shell::program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let pending: Vec<&str> =
        files.lines().filter(|file| file.ends_with(".snap.new") || file.ends_with(".pending-snap")).collect();
    if !pending.is_empty() {
        bail!("snapshots that nobody has looked at: {}", pending.join(", "));
    }
    Ok(())
}

/// The names of the workspace's test programs and benchmarks.
struct Targets {
    tests: BTreeSet<String>,
    benches: BTreeSet<String>,
}

impl Targets {
    fn read() -> Result<Self> {
        let text = read(cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo's metadata cannot be read")?;
        Ok(Self { tests: targets(&metadata, "test"), benches: targets(&metadata, "bench") })
    }
}

fn targets(metadata: &Value, kind: &str) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["name"] != "stella-ui")
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind)))
        .filter_map(|target| target["name"].as_str().map(ToOwned::to_owned))
        .collect()
}
