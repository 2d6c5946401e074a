//! `stella`: every action of the window as a command, on a server or on the local ledger.
//!
//! It decides nothing. Commands read their arguments, ask the sdk and print; `serve`, `migrate`, `demo` and
//! `token` put engine and server together. Without `--server` the same router is called in this process, so that
//! there is one way only.
//!
//! | file | what it is about |
//! |---|---|
//! | `arguments` | what stands before and after every command |
//! | `door` | the way to the core: over TCP or in this process |
//! | `place` | where the local ledger is |
//! | `failure` | how a command fails: its sentence, its next step, its exit code |
//! | `output`, `table` | what is printed, and where |
//! | `paging`, `cause`, `wait` | what several commands share |
//! | `source`, `source_steer`, `backfill`, `sbom`, `runs`, `schedules`, `findings`, `orch`, `jobs_steer`, `worker`, `health` | the commands, one file per noun |
//! | `policy`, `trigger` | rules over findings; runs that follow what comes in, VEX statements |
//! | `change_set`, `dead_letter` | what `orch` is divided into |
//! | `serve`, `migrate`, `demo`, `token`, `completions` | the commands that need no door |

mod arguments;
mod backfill;
mod cause;
mod change_set;
mod completions;
mod dead_letter;
mod demo;
mod door;
mod failure;
mod features;
mod findings;
mod health;
mod incident;
mod jobs_steer;
mod limits;
mod matches;
mod migrate;
mod ops;
mod orch;
mod output;
mod paging;
mod place;
mod policy;
mod quota;
mod run_diff;
mod run_tables;
mod runs;
mod runs_board;
mod sbom;
mod schedule_tables;
mod schedule_wish;
mod schedules;
mod scope;
mod serve;
mod source;
mod source_steer;
mod stand_in;
mod table;
mod token;
mod trigger;
mod wait;
mod worker;

use arguments::{Arguments, Command};
use clap::Parser;
use door::Door;
use failure::Failure;
use output::Output;
use std::process::ExitCode;

/// A core that serves makes and frees many small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Only the first call installs; there is no second one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse_usage(&error),
    };
    arguments::listen(arguments.everywhere.trace);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::from(error).report(),
    };
    match runtime.block_on(obey(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// A wish that cannot be read is a validation error, 1; clap's own 2 means something else here.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    let asked_for_help = !error.use_stderr();
    match error.print() {
        Ok(()) if asked_for_help => ExitCode::SUCCESS,
        Ok(()) | Err(_) => ExitCode::from(1),
    }
}

async fn obey(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { everywhere, command } = arguments;
    let output = Output::new(&everywhere);
    match command {
        Command::Serve(serve) => serve.obey(&everywhere).await,
        Command::Migrate => migrate::obey(&everywhere, &output).await,
        Command::Demo => demo::obey(&everywhere, &output).await,
        Command::Token(token) => token.obey(&everywhere, &output).await,
        Command::Completions(completions) => completions.obey(&output),
        Command::Source(source) => {
            let door = Door::open(&everywhere, source.labour()).await?;
            through(&door, source.obey(&door, &output)).await
        }
        Command::Sbom(sbom) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, sbom.obey(&door, &output)).await
        }
        Command::Runs(runs) => {
            let door = Door::open(&everywhere, runs.labour()).await?;
            through(&door, runs.obey(&door, &output)).await
        }
        Command::Schedules(schedules) => {
            let door = Door::open(&everywhere, schedules.labour()).await?;
            through(&door, schedules.obey(&door, &output)).await
        }
        Command::Findings(findings) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, findings.obey(&door, &output)).await
        }
        Command::Policy(policy) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, policy.obey(&door, &output)).await
        }
        Command::Vex(vex) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, vex.obey(&door, &output)).await
        }
        Command::Trigger(triggers) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, triggers.obey(&door, &output)).await
        }
        Command::Orch(orch) => {
            let door = Door::open(&everywhere, orch.labour()).await?;
            through(&door, orch.obey(&door, &output)).await
        }
        Command::Worker(worker) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, worker.obey(&door, &output)).await
        }
        Command::Metrics => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, ops::metrics(&door, &output)).await
        }
        Command::Events(events) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, events.obey(&door, &output)).await
        }
        Command::Features(features) => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, features.obey(&door, &output)).await
        }
        Command::Health => {
            let door = Door::open(&everywhere, door::Labour::Resting).await?;
            through(&door, health::obey(&door, &output)).await
        }
    }
}

/// Does the work until it is done or the operator interrupts, and leaves the ledger in order either way.
async fn through(door: &Door, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let outcome = tokio::select! {
        outcome = work => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    door.close().await;
    outcome
}
