//! The application, started: what is missing installed, what changed built, and the window opened, or where there is
//! no screen the same pages served on this machine.

use crate::shell::{self, line_of, program, root, run, target};
use crate::steps::step;
use crate::{tools, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The feature that builds the interface into the window instead of asking a development server for it.
pub(crate) const WINDOW_FEATURE: &str = "stella-desktop/custom-protocol";

/// How to start.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Fill a ledger of its own with sample data first; the operator's own is not touched.
    #[arg(long)]
    demo: bool,
    /// Open no window; serve the same pages on this machine and print their address.
    #[arg(long)]
    headless: bool,
    /// Build with all optimizations.
    #[arg(long)]
    release: bool,
}

/// Builds what changed and opens the application.
pub(crate) fn start(how: &Run) -> Result<()> {
    let window = !how.headless && has_screen();
    if !window && !how.headless {
        println!(
            "There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set), so that no window can open."
        );
        println!("The same pages are served on this machine instead; open the address below in a browser.");
    }
    step("tools", || {
        tools::prepare_typefaces();
        tools::prepare_build()
    })?;
    step("interface", ui::build)?;
    step("application", || build(how))?;
    let ledger = if how.demo { Some(demo_ledger()?) } else { None };
    if let Some(ledger) = &ledger {
        step("sample data", || run(with_ledger(&mut stella(how), Some(ledger)).arg("demo")))?;
    }
    let mut application = if window {
        program(binary(how, "stella-operator"))
    } else {
        let mut served = stella(how);
        served.arg("serve").arg("--assets").arg(ui::dist());
        served
    };
    with_ledger(&mut application, ledger.as_ref());
    let line = line_of(&application);
    println!("\n$ {line}");
    let status = application.status().with_context(|| format!("`{line}` could not be started"))?;
    // Ctrl+C ends the application and us alike; that is how one leaves it, not a failure.
    if !status.success() && status.code().is_some() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

fn has_screen() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn build(how: &Run) -> Result<()> {
    let mut cargo = shell::cargo();
    cargo.args(["build", "-p", "stella-cli", "-p", "stella-desktop", "--features", WINDOW_FEATURE]);
    if how.release {
        cargo.arg("--release");
    }
    run(&mut cargo)
}

fn binary(how: &Run, name: &str) -> PathBuf {
    target().join(if how.release { "release" } else { "debug" }).join(name)
}

fn stella(how: &Run) -> Command {
    program(binary(how, "stella"))
}

/// The sample data's own ledger, beside the build.
fn demo_ledger() -> Result<PathBuf> {
    let folder = target().join("demo");
    fs::create_dir_all(&folder)?;
    let ledger = folder.join("ledger.db");
    println!("\nSample data goes to {}", ledger.strip_prefix(root()).unwrap_or(&ledger).display());
    Ok(ledger)
}

fn with_ledger<'a>(command: &'a mut Command, ledger: Option<&PathBuf>) -> &'a mut Command {
    if let Some(ledger) = ledger {
        command.env("STELLA_LEDGER", ledger);
    }
    command
}
