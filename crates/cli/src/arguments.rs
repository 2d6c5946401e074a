//! What stands before and after every command.

use crate::{
    completions, features, findings, ops, orch, policy, runs, sbom, schedules, serve, source, token, trigger,
    worker,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::IsTerminal as _;
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
    /// Schedules: when runs start by themselves.
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Findings, and why they stand.
    #[command(subcommand)]
    Findings(findings::Findings),
    /// Policies: rules over findings, snapshot by snapshot.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// What is said of vulnerabilities in products.
    #[command(subcommand)]
    Vex(trigger::Vex),
    /// Runs that follow what comes in, and the webhooks of those who publish.
    #[command(subcommand, alias = "triggers")]
    Trigger(trigger::Triggers),
    /// The job engine: jobs, workers, history.
    #[command(subcommand, alias = "orchestrator")]
    Orch(orch::Orch),
    /// The worker contract: whether a server stands it.
    #[command(subcommand)]
    Worker(worker::Worker),
    /// Bearer tokens for servers.
    #[command(subcommand)]
    Token(token::Token),
    /// Figures for whoever watches from outside, in the text format of Prometheus.
    Metrics,
    /// What happens, as it happens.
    #[command(subcommand)]
    Events(ops::Events),
    /// What is switched off on this ledger.
    #[command(subcommand)]
    Features(features::Features),
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
    log.with_target(false).with_ansi(std::io::stderr().is_terminal()).compact().init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    /// What the pages put behind their copy buttons, one of each kind.
    #[test]
    fn every_command_that_the_pages_show_is_understood() {
        let (run, job) = ("run:acme:20261121T140815Z:9c1f04ab", "job_01890000-0000-7000-8000-000000000001");
        let (target, source) =
            ("tgt_01890000-0000-7000-8000-000000000001", "src_01890000-0000-7000-8000-000000000001");
        let backfill = "bf_01890000-0000-7000-8000-000000000001";
        let preview = "prv_01890000-0000-7000-8000-000000000001";
        let shown: [&[&str]; 56] = [
            &["orch", "jobs", "list"],
            &["orch", "jobs", "list", "--state", "timed_out", "--job-type", "scan.segment", "--run", run],
            &["orch", "jobs", "list", "--wait-reason", "backoff", "--source", source],
            &["orch", "jobs", "show", job],
            &["orch", "jobs", "cancel", job, "--reason", "it's late", "--ticket", "OPS-7"],
            &["orch", "jobs", "explain", job],
            &[
                "orch",
                "quota",
                "set",
                "quo_01890000-0000-7000-8000-000000000001",
                "--max-active",
                "4",
                "--reason",
                "why",
            ],
            &["orch", "breaker", "reset", "brk_01890000-0000-7000-8000-000000000001", "--reason", "why"],
            &[
                "orch",
                "blackout",
                "add",
                "--target",
                "host:a.example",
                "--cron",
                "30 1 * * *",
                "--duration-s",
                "3600",
                "--reason",
                "why",
            ],
            &["orch", "workers", "list"],
            &["orch", "audit", "verify"],
            &["source", "list"],
            &["source", "show", source],
            &["source", "add", "--name", "osv", "--type", "advisory", "--location", "/path/osv.zip"],
            &["source", "run", source, "--force", "--reason", "a smaller feed is right"],
            &["source", "update", source, "--retention-days", "30", "--reason", "r", "--ticket", "OPS-7"],
            &["orch", "source", "test", source],
            &["orch", "source", "pause", source, "--reason", "r", "--ticket", "OPS-7"],
            &["orch", "source", "watermarks", source],
            &[
                "orch",
                "source",
                "reset-watermark",
                source,
                "--to",
                "2026-11-01T00:00:00Z",
                "--reason",
                "r",
                "--ticket",
                "O",
            ],
            &["orch", "source", "skip-window", source, "--reason", "r", "--ticket", "OPS-7"],
            &[
                "orch",
                "backfill",
                "create",
                "--source",
                source,
                "--from",
                "2026-10-01T00:00:00Z",
                "--to",
                "2026-11-01T00:00:00Z",
                "--order",
                "newest_first",
                "--reason",
                "r",
                "--ticket",
                "OPS-7",
            ],
            &["orch", "backfill", "preview", backfill, "--reason", "r", "--ticket", "OPS-7"],
            &[
                "orch",
                "backfill",
                "start",
                backfill,
                "--preview",
                "sha256:0",
                "--reason",
                "r",
                "--ticket",
                "OPS-7",
            ],
            &["orch", "backfill", "windows", backfill],
            &["sbom", "list"],
            &["sbom", "add", "service.cdx.json"],
            &["findings", "list", "--run", run, "--severity", "critical", "--kev", "true", "--q", "a b"],
            &["findings", "list", "--target", target, "--kev", "false"],
            &[
                "findings",
                "explain",
                "--target",
                target,
                "--purl",
                "pkg:npm/%40a/b@1",
                "--vuln",
                "CVE-2026-1",
            ],
            &[
                "runs",
                "list",
                "--tab",
                "failures",
                "--trigger",
                "cron",
                "--since",
                "2026-11-20T14:32:08.000Z",
            ],
            &[
                "runs",
                "list",
                "--state",
                "error",
                "--error-code",
                "ERR_RUN_005",
                "--severity",
                "critical,high",
            ],
            &["schedules", "upcoming"],
            &["schedules", "upcoming", "--schedule", "sch_01890000-0000-7000-8000-000000000000"],
            &["runs", "preview", "--file", "keys.json", "--mode", "content-refresh"],
            &[
                "runs",
                "submit",
                "--mode",
                "analysis-only",
                "--scope",
                "f.json",
                "--kev-first",
                "--preview",
                preview,
            ],
            &["runs", "cancel", "--run", run, "--reason", "it's late"],
            &["runs", "retry", "--run", run, "--reason", "mended"],
            &["runs", "stream", "--run", run],
            &["runs", "list", "--until", "2026-11-20T14:32:08.000Z", "--shard", "3"],
            &["runs", "cancel", "--run", run, "--run", run, "--reason", "it's late"],
            &["runs", "export", "--run", run, "--run", run, "--as", "csv"],
            &["runs", "export", "--tab", "failures", "--as", "ndjson"],
            &["runs", "escalate", "--run", run],
            &["runs", "evidence", "--run", run],
            &["runs", "events"],
            &["features", "set", "runs.sse.enabled", "off", "--reason", "r", "--ticket", "OPS-7"],
            &["findings", "list", "--status", "not_affected", "--verdict", "block", "--quieted", "false"],
            &["findings", "export", "--run", run, "--verdict", "block", "--output", "findings.csv"],
            &["policy", "validate", "policy.yaml"],
            &["policy", "add", "policy.yaml", "--note", "first rules", "--reason", "r"],
            &["policy", "promote", "3", "--follow-up", "--mode", "analysis-only", "--reason", "r"],
            &["policy", "diff", "2", "3"],
            &["runs", "list", "--policy-revision", "3"],
            &["vex", "list", "--vuln", "CVE-2026-1"],
            &[
                "trigger",
                "update",
                "excititor",
                "--enabled",
                "true",
                "--min-interval-s",
                "60",
                "--reason",
                "r",
            ],
        ];
        for words in shown {
            let everywhere = ["--tenant", "acme", "--server", "http://127.0.0.1:8443"];
            let line = ["stella"].iter().chain(words).chain(&everywhere);
            assert!(Arguments::try_parse_from(line).is_ok(), "{words:?}");
        }
    }
}
