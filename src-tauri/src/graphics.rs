//! Drawing where the graphics card cannot be trusted. WebKit's fast path leaves a blank window on machines without a
//! render node and with one vendor's driver, so that it is switched off there, and only there, for it is what makes
//! scrolling smooth.

use std::ffi::OsStr;
use std::path::Path;

/// Set on ourselves, so that a second look changes nothing.
const DECIDED: &str = "STELLA_GRAPHICS";
const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
const NO_COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// What is known of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    has_render_node: bool,
    has_nvidia_driver: bool,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look() -> Self {
        let render_node = std::fs::read_dir("/dev/dri").is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
        });
        Self {
            has_render_node: render_node,
            has_nvidia_driver: Path::new("/proc/driver/nvidia/version").exists(),
        }
    }
}

/// The variables that WebKit must find, without those that the operator has set.
pub(crate) fn wanted(
    machine: Machine,
    safe: Safe,
    is_set: impl Fn(&str) -> bool,
) -> Vec<(&'static str, &'static str)> {
    if is_set(DECIDED) {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    if safe == Safe::Asked || machine.has_nvidia_driver || !machine.has_render_node {
        wanted.push((NO_DMABUF, "1"));
    }
    if safe == Safe::Asked {
        wanted.push((NO_COMPOSITING, "1"));
    }
    wanted.retain(|(name, _)| !is_set(name));
    wanted
}

/// Whether the operator asked for the plainest way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safe {
    /// By `--safe-graphics`.
    Asked,
    /// Not.
    NotAsked,
}

/// Starts this program anew in its own place with the variables set; returns only when nothing needs to be set or the
/// start fails. Variables of a running program cannot be changed soundly, and WebKit reads them from there.
#[cfg(target_os = "linux")]
pub(crate) fn settle(safe: Safe) {
    use std::os::unix::process::CommandExt;
    let wanted = wanted(Machine::look(), safe, |name| std::env::var_os(name).is_some());
    if wanted.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let failure = std::process::Command::new(program)
        .args(arguments)
        .envs(wanted)
        .env(DECIDED, OsStr::new("decided"))
        .exec();
    tracing::warn!(%failure, "could not start anew for safe graphics; going on without");
}

/// Only WebKit on Linux needs it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn settle(_safe: Safe) {}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Machine = Machine { has_render_node: true, has_nvidia_driver: false };

    #[test]
    fn a_machine_with_a_render_node_keeps_its_fast_path() {
        assert_eq!(wanted(WELL, Safe::NotAsked, |_| false), []);
    }

    #[test]
    fn a_machine_without_one_or_with_the_vendors_driver_does_not() {
        let bare = Machine { has_render_node: false, ..WELL };
        let vendor = Machine { has_nvidia_driver: true, ..WELL };
        for machine in [bare, vendor] {
            assert_eq!(wanted(machine, Safe::NotAsked, |_| false), [(NO_DMABUF, "1")]);
        }
    }

    #[test]
    fn safe_graphics_switches_both_off_but_never_what_the_operator_set() {
        assert_eq!(wanted(WELL, Safe::Asked, |_| false), [(NO_DMABUF, "1"), (NO_COMPOSITING, "1")]);
        assert_eq!(wanted(WELL, Safe::Asked, |name| name == NO_DMABUF), [(NO_COMPOSITING, "1")]);
    }

    #[test]
    fn it_is_decided_once() {
        assert_eq!(wanted(WELL, Safe::Asked, |name| name == DECIDED), []);
    }
}
