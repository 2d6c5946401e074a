//! What stands before and after every command.

use crate::{completions, findings, orch, runs, sbom, serve, source, token};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use stella_contract::ids::Tenant;
use tracing_subscriber::EnvFilter;

/// The operator's hand: advisories, SBOMs, runs and findings from the command line.
#[derive(Debug, Parser)]
#[command(name = "stella", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Everywhere {
    /// Work on this server; without it, on the local ledger.
    #[arg(long, global = true, env = "STELLA_SERVER", hide_env_values = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The bearer token for the server.
    #[arg(long, global = true, env = "STELLA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// The tenant to work for.
    #[arg(
        long,
        global = true,
        env = "STELLA_TENANT",
        hide_env_values = true,
        default_value = "default",
        value_name = "NAME"
    )]
    pub(crate) tenant: Tenant,
    /// The local ledger: a file, or a postgres:// address.
    #[arg(long, global = true, env = "STELLA_LEDGER", hide_env_values = true, value_name = "PLACE")]
    pub(crate) ledger: Option<String>,
    /// How to print: aligned columns for people, or the JSON of the interface.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "table|json"
    )]
    pub(crate) format: Format,
    /// Print to this file instead of the screen.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Say on stderr what is asked and answered, with trace ids.
    #[arg(long, global = true)]
    pub(crate) trace: bool,
    /// Refuse everything that would need the network.
    #[arg(long, global = true)]
    pub(crate) sealed: bool,
}

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// The JSON of the interface, as it is.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the pages and the interface on this machine.
    Serve(serve::Serve),
    /// Bring the ledger's schema up to date.
    Migrate,
    /// Fill the local ledger with sample data: advisories, SBOMs and two runs.
    Demo,
    /// Sources of advisories, lists and SBOMs.
    #[command(subcommand)]
    Source(source::Source),
    /// SBOMs of what you answer for.
    #[command(subcommand)]
    Sbom(sbom::Sbom),
    /// Runs: preview, start, watch, cancel, retry.
    #[command(subcommand)]
    Runs(runs::Runs),
    /// Findings, and why they stand.
    #[command(subcommand)]
    Findings(findings::Findings),
    /// The job engine: jobs, workers, history.
    #[command(subcommand, alias = "orchestrator")]
    Orch(orch::Orch),
    /// Bearer tokens for servers.
    #[command(subcommand)]
    Token(token::Token),
    /// Whether the core answers.
    Health,
    /// A completion script for a shell.
    Completions(completions::Completions),
}

/// With `--trace` every request is told; else only what the log filter of the environment asks for.
pub(crate) fn listen(trace: bool) {
    let filter = match trace {
        true => EnvFilter::new("warn,stella_sdk=debug,stella_server=debug"),
        false => EnvFilter::try_from_env("STELLA_LOG").unwrap_or_else(|_| EnvFilter::new("error")),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_target(false).compact().init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
