//! The API document and the figures, judged by others than us: a validator of documents, a tester that makes requests out
//! of the document and sends them to a real server, and the checker of the text format of figures.

use crate::shell::{line_of, program, read, root, run, run_as, target};
use crate::{python, tools};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How long the tester may go on.
#[derive(Debug, Args)]
pub(crate) struct Openapi {
    /// Go on for so many minutes, with sequences of requests as well; without it the same few requests are made each
    /// time.
    #[arg(long)]
    minutes: Option<u32>,
}

/// Streams do not end, so that nobody waits for the end of their answers.
const STREAMS: &str = "(/events/stream|/events/ws|/stream)$";
/// Requests per operation where nothing is asked.
const FEW: &str = "8";

/// Builds the program and judges it.
pub(crate) fn judge(openapi: &Openapi) -> Result<()> {
    tools::prepare_build()?;
    tools::prepare_openapi()?;
    run(crate::shell::cargo().args(["build", "-p", "stella-cli"]))?;
    check(openapi.minutes)
}

/// Starts the program on a ledger with one of each thing and lets the others judge it.
pub(crate) fn check(minutes: Option<u32>) -> Result<()> {
    let folder = python::folder(python::OPENAPI);
    let python = python::install(python::OPENAPI)?;
    let ledger = folder.join("ledger");
    if ledger.exists() {
        fs::remove_dir_all(&ledger)?;
    }
    run(stella(&ledger).arg("demo"))?;
    let made = read(stella(&ledger).args(["--format", "json", "token", "create", "--name", "openapi"]).args([
        "--scope",
        "orch:read,orch:submit,orch:operate,orch:quota,orch:backfill,runs.read,runs.manage,policy:runs,downloads.read,worker,tokens.manage",
    ]))?;
    let made: Value =
        serde_json::from_str(&made).context("what `stella token create` printed is not JSON")?;
    let token = made["token"].as_str().context("`stella token create` printed no token")?;
    let server = Server::start(&ledger)?;
    let mut seed = program(&python);
    seed.arg(own("seed.py")).arg(&server.address).arg(token).arg(&folder);
    run_as(&mut seed, "python seed.py …")?;
    run(program(&python).args(["-m", "openapi_spec_validator"]).arg(folder.join("orchestrator.json")))?;
    let figures = File::open(folder.join("metrics.txt"))?;
    run(program("promtool").args(["check", "metrics"]).stdin(figures))?;
    let mut tester = tester(&folder, &server.address, minutes);
    let line = line_of(&tester);
    run_as(tester.args(["--header", &format!("Authorization: Bearer {token}")]), &line)
}

/// The requests of the tester; it prints how many it made and what it found.
fn tester(folder: &Path, address: &str, minutes: Option<u32>) -> Command {
    let mut command = program(folder.join("venv/bin/st"));
    // It leaves a cache where it is started.
    command.current_dir(folder);
    command.env("PYTHONPATH", own("")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--config-file").arg(own("schemathesis.toml")).arg("run");
    command.arg(format!("{address}/openapi/orchestrator.json"));
    command.args(["--exclude-path-regex", STREAMS, "--seed", "1", "--request-timeout", "40"]);
    command.args(["--continue-on-failure", "--warnings", "off", "--no-color"]);
    match minutes {
        Some(minutes) => {
            command.args(["--phases", "examples,coverage,fuzzing,stateful"]);
            command.args(["--max-time", &(u64::from(minutes) * 60).to_string()])
        }
        None => command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", FEW]),
    };
    command
}

fn own(file: &str) -> PathBuf {
    root().join("crates/xtask/openapi").join(file)
}

fn stella(ledger: &Path) -> Command {
    let mut command = program(target().join("debug/stella"));
    command.args(["--tenant", "acme", "--ledger"]).arg(ledger.join("ledger.db"));
    command
}

/// A server that ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(ledger: &Path) -> Result<Self> {
        let mut command = stella(ledger);
        command.args(["--format", "json", "serve", "--listen", "127.0.0.1:0"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("`stella serve` did not start")?;
        let out = child.stdout.take().context("its output was asked for above")?;
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("`stella serve` did not say where it is")?;
        told["address"].as_str().context("`stella serve` named no address")?.clone_into(&mut server.address);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended by itself needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
