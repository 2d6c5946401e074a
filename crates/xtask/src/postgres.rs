//! A Postgres of our own for the length of a test: in a temporary folder, on a free port, stopped by its own controls.

use crate::shell::{find, own_folder, program, read, run};
use crate::tools;
use anyhow::{Context, Result};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable in which tests find the address of a Postgres that they may fill.
pub(crate) const ADDRESS: &str = "STELLA_TEST_POSTGRES";

/// A running server; it stops when dropped.
pub(crate) struct Postgres {
    binaries: PathBuf,
    folder: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
}

/// Where `initdb` and `pg_ctl` are: on the path, or where Debian keeps them.
pub(crate) fn binaries() -> Option<PathBuf> {
    if let Some(found) = find("initdb") {
        return found.parent().map(Path::to_owned);
    }
    let mut versions: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(|folder| folder.join("initdb").is_file())
}

impl Postgres {
    /// Makes an empty one and starts it.
    pub(crate) fn start() -> Result<Self> {
        let binaries = binaries().context("Postgres is not installed")?;
        let folder = empty_folder()?;
        let data = folder.join("data");
        read(
            as_owner(&binaries.join("initdb"))
                .args([
                    "--auth=trust",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data),
        )?;
        let port = free_port()?;
        // Nothing of a test must survive a power cut, so that it need not wait for the disk.
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off \
             -c full_page_writes=off -c synchronous_commit=off -c max_connections=300"
        );
        run(as_owner(&binaries.join("pg_ctl"))
            .args(["start", "--wait", "--silent", "-o", &options, "-l"])
            .arg(folder.join("log"))
            .arg("-D")
            .arg(&data))
        .with_context(|| fs::read_to_string(folder.join("log")).unwrap_or_default())?;
        Ok(Self { binaries, folder, address: format!("postgres://postgres@127.0.0.1:{port}/postgres") })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = read(
            as_owner(&self.binaries.join("pg_ctl"))
                .args(["stop", "--mode=immediate", "--silent", "-D"])
                .arg(self.folder.join("data")),
        );
        match stopped {
            Ok(_) => {
                if let Err(error) = fs::remove_dir_all(&self.folder) {
                    println!("{} could not be removed: {error}", self.folder.display());
                }
            }
            Err(error) => println!("the Postgres of the tests could not be stopped: {error:#}"),
        }
    }
}

/// Postgres refuses to run as root; Debian brings a user for it.
fn as_owner(program_file: &Path) -> Command {
    let mut command = if tools::is_root() {
        let mut command = program("runuser");
        command.args(["--user", "postgres", "--"]).arg(program_file);
        command
    } else {
        program(program_file)
    };
    command.current_dir("/");
    command
}

/// A folder that its owner may fill. Under root it lies in the system's temporary folder, for the owner may not be
/// allowed into ours.
fn empty_folder() -> Result<PathBuf> {
    if tools::is_root() {
        let folder = read(program("mktemp").args(["--directory", "--tmpdir", "stella-postgres-XXXXXX"]))?;
        run(program("chown").args(["postgres:", folder.trim()]))?;
        return Ok(PathBuf::from(folder.trim()));
    }
    let folder = own_folder().join(format!("postgres-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_server_listens_while_it_is_held_and_leaves_nothing_behind() {
        if binaries().is_none() {
            println!("skipped: Postgres is not installed");
            return;
        }
        let server = Postgres::start().unwrap();
        let host = server.address.rsplit('@').next().unwrap().trim_end_matches("/postgres").to_owned();
        let folder = server.folder.clone();
        assert!(TcpStream::connect(&host).is_ok());
        drop(server);
        assert!(TcpStream::connect(&host).is_err());
        assert!(!folder.exists());
    }
}
