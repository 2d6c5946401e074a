//! `stella worker`: whether a server stands every case of the worker contract. Who operates workers asks `stella orch
//! worker`.

use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::stand_in::StandIn;
use crate::table::Table;
use clap::{Args, Subcommand};
use serde::Serialize;
use stella_sdk::conformance::{CASES, Verdict, run};

#[derive(Debug, Subcommand)]
pub(crate) enum Worker {
    /// Try the cases of the worker contract against a server; exit 3 when one does not hold.
    Conformance(Conformance),
}

#[derive(Debug, Args)]
pub(crate) struct Conformance {
    /// Only these cases, by id.
    #[arg(long = "case", value_name = "ID")]
    cases: Vec<String>,
    /// List the cases and try none.
    #[arg(long)]
    list: bool,
    /// Try a worker instead: this command is started with `STELLA_SERVER`, `STELLA_TOKEN` and `STELLA_TENANT` of a
    /// stand-in for a server, which plays the scenes of `WORKER.md` to it.
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    worker: Vec<String>,
}

/// A case and what came of it.
#[derive(Debug, Serialize)]
struct Told {
    id: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Worker {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Conformance(asked) => asked.obey(door, output).await,
        }
    }
}

impl Conformance {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        if let Some((program, arguments)) = self.worker.split_first() {
            return play(program, arguments, output).await;
        }
        if let Some(unknown) = self.cases.iter().find(|id| CASES.iter().all(|case| case.id != id.as_str())) {
            return Err(Failure::Usage(format!("There is no case `{unknown}`; `--list` shows them all.")));
        }
        if self.list {
            let told =
                CASES.iter().map(|case| Told { id: case.id, title: case.title, holds: None, why: None });
            return output.show(&told.collect::<Vec<_>>(), |told| of_many(told));
        }
        let verdicts = run(&door.client, &self.cases).await;
        judge(verdicts.into_iter().map(told).collect(), output)
    }
}

/// Starts a worker and plays the scenes to it.
async fn play(program: &str, arguments: &[String], output: &Output) -> Result<(), Failure> {
    let stand_in = StandIn::default();
    let base = stand_in.listen().await?;
    let started = tokio::process::Command::new(program)
        .args(arguments)
        .env("STELLA_SERVER", base)
        .env("STELLA_TOKEN", "conformance")
        .env("STELLA_TENANT", "conformance")
        .kill_on_drop(true)
        .spawn();
    let _worker =
        started.map_err(|why| Failure::File { what: format!("{program} cannot be started"), why })?;
    let told = stand_in.play().await.into_iter().map(|scene| Told {
        id: scene.id,
        title: scene.title,
        holds: Some(scene.broken.is_none()),
        why: scene.broken,
    });
    judge(told.collect(), output)
}

fn judge(told: Vec<Told>, output: &Output) -> Result<(), Failure> {
    output.show(&told, |told| of_many(told))?;
    let broken = told.iter().filter(|one| one.holds != Some(true)).count();
    if broken == 0 {
        return Ok(());
    }
    Err(Failure::Ended {
        what: format!("{broken} of {} cases do not hold.", told.len()),
        next: Some("See WORKER.md for what each case asks.".to_owned()),
        exit: 3,
    })
}

fn told(verdict: Verdict) -> Told {
    Told { id: verdict.id, title: verdict.title, holds: Some(verdict.broken.is_none()), why: verdict.broken }
}

fn of_many(told: &[Told]) -> Table {
    Table::new(&["CASE", "HOLDS", "WHAT", "WHY NOT"]).rows(told, |one| {
        let holds = match one.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        };
        let why = one.why.clone().unwrap_or_default();
        [one.id.to_owned(), holds.to_owned(), one.title.to_owned(), why]
    })
}
