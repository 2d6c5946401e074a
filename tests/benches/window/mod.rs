//! The window on a screen of its own: how soon it stands, and what it and its helpers rest on.

use super::{line, ms};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stella_tests::served::Home;

/// How long the window may take, and how long it is left alone before its memory is read.
const PATIENCE: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(10);

/// A program that ends with its measure, with all that it started: helpers of the web view outlive a window that is
/// killed, hold on to its screen, and the next start would wait for them.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let all = family(self.0.id());
        let ids: Vec<String> = all.iter().map(ToString::to_string).collect();
        // The shell has `kill` built in; as a program it is not everywhere.
        let line = format!("kill -9 {}", ids.join(" "));
        let _ = Command::new("sh").args(["-c", &line]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
        let began = Instant::now();
        while all.iter().any(|id| is_running(*id)) && began.elapsed() < PATIENCE {
            std::thread::sleep(GLANCE);
        }
    }
}

pub(crate) fn measure(times: usize) {
    let program = std::env::current_exe().unwrap();
    let program = program.ancestors().nth(2).unwrap().join("stella-operator");
    let tools = ["Xvfb", "xwininfo", "dbus-daemon"];
    if let Some(missing) = tools.iter().find(|tool| Command::new(tool).arg("-help").output().is_err()) {
        return println!("{missing} is not here: the window is left out");
    }
    if !program.exists() {
        return println!("{} is not built: the window is left out", program.display());
    }
    let (mut shown, mut rests) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let home = Home::default();
        let (_screen, display) =
            told(Command::new("Xvfb").args(["-displayfd", "1", "-screen", "0", "1600x1000x24"]));
        let (_bus, bus) =
            told(Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address"]));
        let display = format!(":{display}");
        let mut command = Command::new(&program);
        command
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .env("XDG_CACHE_HOME", home.path().join("cache"))
            .env("XDG_RUNTIME_DIR", home.path())
            .env("STELLA_LEDGER", home.ledger())
            .env("DISPLAY", &display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("DBUS_SESSION_BUS_ADDRESS", bus)
            .env_remove("WAYLAND_DISPLAY");
        let began = Instant::now();
        let window = Program(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        while !is_shown(&display) && began.elapsed() < PATIENCE {
            std::thread::sleep(GLANCE);
        }
        shown.push(ms(began.elapsed()));
        std::thread::sleep(REST);
        rests.push(family(window.0.id()).into_iter().map(kilobytes).sum::<f64>() / 1_000.0);
    }
    line("window shown after", "ms", shown);
    line("window at rest, proportional memory of all its processes", "MB", rests);
}

/// Starts a program and reads the one line it prints.
fn told(command: &mut Command) -> (Program, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    (Program(child), said.trim().to_owned())
}

fn is_shown(display: &str) -> bool {
    let seen =
        Command::new("xwininfo").args(["-display", display, "-name", "Stella Operator"]).output().unwrap();
    String::from_utf8_lossy(&seen.stdout).contains("IsViewable")
}

/// Whether a process is there and no mere entry that nobody has asked after.
fn is_running(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// A process and all below it.
fn family(parent: u32) -> Vec<u32> {
    let children =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|id| id.parse().ok()).flat_map(family);
    std::iter::once(parent).chain(below).collect()
}

/// What a process holds, shared pages by their share.
fn kilobytes(process: u32) -> f64 {
    let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
