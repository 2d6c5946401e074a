//! What others do with the same jobs on this machine: each peer is a program of its own under `tests/peers`, for they
//! bring other drivers than ours. Postgres is started here, with its own durability.
//!
//! `cargo xtask bench peers` builds them, measures ours and then these, in one run.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::Path;
use std::process::Command;
use stella_ledger::testing::{Durability, postgres_with};

/// Where `cargo xtask` builds them; absent, nobody asked for them.
const FOLDER: &str = "STELLA_PEERS";

#[tokio::main]
async fn main() -> Result<(), String> {
    let Some(folder) = std::env::var_os(FOLDER) else {
        println!("{FOLDER} names no folder: `cargo xtask bench peers` builds the peers and names it");
        return Ok(());
    };
    let measured = std::env::args().any(|word| word == "--bench");
    println!("{:<34} {:<24} {:>11} {:>9} {:>9}", "peer", "case", "median", "least", "most");
    for peer in ["effectum", "apalis"] {
        run(Path::new(&folder), peer, None, measured)?;
    }
    let place = postgres_with(Durability::Full).await?;
    run(Path::new(&folder), "graphile", Some(&place), measured)
}

fn run(folder: &Path, peer: &str, postgres: Option<&str>, measured: bool) -> Result<(), String> {
    let mut command = Command::new(folder.join(format!("release/peer-{peer}")));
    command.args(measured.then_some("--bench"));
    if let Some(place) = postgres {
        command.env("PEER_POSTGRES", place);
    }
    let ended = command.status().map_err(|error| format!("{peer} could not be started: {error}"))?;
    if ended.success() { Ok(()) } else { Err(format!("{peer} ended with {ended}")) }
}
