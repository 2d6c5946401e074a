//! Running a program, with its command line printed first.

use crate::tally::Tally;
use anyhow::{Context, Result, bail};
use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
}

/// Where this tool keeps what it remembers between runs.
pub(crate) fn own_folder() -> PathBuf {
    target().join("xtask")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, started in the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    // Cargo tells us which package we are. Inherited, that would rebuild every crate whose build script watches it, now
    // and again at the next build from a shell.
    for (name, _) in env::vars_os() {
        let told = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))
        });
        if told {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs it to its end; a failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    run_as(command, &line)
}

/// The same for a command with a secret among its words: this line is shown in its place.
pub(crate) fn run_as(command: &mut Command, line: &str) -> Result<()> {
    println!("$ {line}");
    let status = command.status().with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs it to its end and returns what it wrote to its standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output =
        command.stderr(Stdio::piped()).output().with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a test runner, shows its lines as they come, and adds up what it reports.
pub(crate) fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let line = line_of(command);
    println!("$ {line}");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` could not be started"))?;
    let out = child.stdout.take().expect("its output was asked for two lines above");
    let err = child.stderr.take().expect("its errors were asked for two lines above");
    let found = thread::scope(|scope| {
        let errors = scope.spawn(|| show(err));
        let mut found = show(out);
        found.add(errors.join().expect("a reader of lines does not panic"));
        found
    });
    let status = child.wait()?;
    tally.add(found);
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

fn show(pipe: impl Read) -> Tally {
    let mut tally = Tally::default();
    let mut lines = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while matches!(lines.read_until(b'\n', &mut bytes), Ok(read) if read > 0) {
        let line = String::from_utf8_lossy(&bytes);
        println!("{}", line.trim_end());
        tally.read(&line);
        bytes.clear();
    }
    tally
}

/// Where on the search path a program is.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The command as one would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let mut line = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            line.push_str(&format!("{}={} ", name.to_string_lossy(), quote(&value.to_string_lossy())));
        }
    }
    let program = Path::new(command.get_program());
    line.push_str(&program.file_name().unwrap_or(command.get_program()).to_string_lossy());
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quote(&argument.to_string_lossy()));
    }
    line
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_printed_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/echo");
        command.env("A", "b c").args(["plain", "it's", ""]);
        assert_eq!(line_of(&command), r"A='b c' echo plain 'it'\''s' ''");
    }

    #[test]
    fn the_root_is_where_the_workspace_begins() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
