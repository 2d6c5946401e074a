//! What must be on the machine, and how it gets there. What is there already is left alone.

use crate::shell::{self, find, program, read, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The trunk that is known to build with this compiler; later ones want a newer one.
const TRUNK: &str = "0.21.14";

/// A Debian package and what it is for.
struct Package {
    name: &'static str,
    reason: &'static str,
}

const fn package(name: &'static str, reason: &'static str) -> Package {
    Package { name, reason }
}

/// What compiling needs.
const TO_BUILD: &[Package] = &[
    package("build-essential", "a C compiler and linker, for SQLite and for ring"),
    package("pkg-config", "finds the libraries below"),
    package("libwebkit2gtk-4.1-dev", "the web view of the window"),
    package("libgtk-3-dev", "the window"),
    package("librsvg2-dev", "icons in the window"),
    package("libayatana-appindicator3-dev", "the tray icon"),
];

/// What the tests in a browser and in the window need besides.
const TO_TEST_PAGES: &[Package] = &[
    package("chromium", "the browser of the browser tests"),
    package("chromium-driver", "drives it"),
    package("webkit2gtk-driver", "drives the window in the desktop tests"),
    package("xvfb", "a screen for the window where there is none"),
    package("dbus", "a message bus for notifications in the desktop tests"),
    package("at-spi2-core", "without it GTK waits for an accessibility bus"),
    package("python3-venv", "brings the accessibility checker that pages are shown to"),
];

/// What the interface is drawn with.
const TO_LOOK_RIGHT: &[Package] = &[
    package("fonts-inter", "the typeface of the interface"),
    package("fonts-jetbrains-mono", "the typeface of ids and logs"),
];

/// What the tests on Postgres need besides.
const TO_TEST_POSTGRES: &[Package] =
    &[package("postgresql", "the second database of the exam; the tests start their own, on a free port")];

/// What judging the API document needs besides.
const TO_JUDGE_OPENAPI: &[Package] = &[
    package("python3-venv", "a Python of our own for the validator and the tester of the API document"),
    package("prometheus", "promtool, which checks the format of the figures"),
];

/// Everything that compiling needs.
pub(crate) fn prepare_build() -> Result<()> {
    debian(TO_BUILD)
}

/// Everything that the web build needs.
pub(crate) fn prepare_web() -> Result<WebTools> {
    let rustc = wasm_library()?;
    installed_crate("trunk", TRUNK, "builds the interface")?;
    installed_crate(
        "wasm-bindgen-cli",
        &wasm_bindgen_version()?,
        "joins the interface's Rust and JavaScript",
    )?;
    Ok(WebTools { rustc })
}

/// Everything that browser and desktop tests need.
pub(crate) fn prepare_pages() -> Result<()> {
    debian(TO_LOOK_RIGHT)?;
    debian(TO_TEST_PAGES)
}

/// The typefaces. Without them the interface takes those of the system, so that nobody is kept from it.
pub(crate) fn prepare_typefaces() {
    if let Err(error) = debian(TO_LOOK_RIGHT) {
        println!("{error:#}\nUntil then the interface takes the typefaces of the system.");
    }
}

/// Everything that tests on Postgres need.
pub(crate) fn prepare_postgres() -> Result<()> {
    let installed = fs::read_dir("/usr/lib/postgresql")
        .is_ok_and(|versions| versions.flatten().any(|version| version.path().join("bin/initdb").is_file()));
    if installed { Ok(()) } else { debian(TO_TEST_POSTGRES) }
}

/// Everything that judging the API document needs; its Python packages come later, into a folder of our own.
pub(crate) fn prepare_openapi() -> Result<()> {
    debian(TO_JUDGE_OPENAPI)
}

/// The checker of licences, sources and duplicates.
pub(crate) fn prepare_deny() -> Result<()> {
    if find("cargo-deny").is_some() {
        return Ok(());
    }
    println!("cargo-deny is missing (checks licences and sources of dependencies): installing it");
    run(shell::cargo().args(["install", "cargo-deny", "--locked"]))
}

/// How the web build is to be made.
pub(crate) struct WebTools {
    /// Another compiler, where rustup could not bring the library for wasm.
    pub(crate) rustc: Option<PathBuf>,
}

/// Debian's packages, installed where they are missing.
fn debian(packages: &[Package]) -> Result<()> {
    if find("dpkg-query").is_none() {
        let names: Vec<&str> = packages.iter().map(|one| one.name).collect();
        println!(
            "This is not Debian; make sure that the counterparts of these are here: {}",
            names.join(" ")
        );
        return Ok(());
    }
    let missing: Vec<&Package> = packages.iter().filter(|one| !is_installed(one.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for one in &missing {
        println!("{} is missing: {}", one.name, one.reason);
    }
    let names: Vec<&str> = missing.iter().map(|one| one.name).collect();
    if !is_root() {
        bail!("Install them, then start again: sudo apt-get install --yes {}", names.join(" "));
    }
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(&names))
}

fn apt() -> Command {
    let mut command = program("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_installed(name: &str) -> bool {
    read(program("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", name]))
        .is_ok_and(|status| status == "installed")
}

pub(crate) fn is_root() -> bool {
    read(program("id").arg("--user")).is_ok_and(|id| id.trim() == "0")
}

/// The standard library for wasm: from rustup, or else built from Debian's sources of Rust.
fn wasm_library() -> Result<Option<PathBuf>> {
    if has_wasm_library(Path::new("rustc")) {
        return Ok(None);
    }
    println!("Rust's library for wasm is missing (the interface is compiled for it): adding it");
    if find("rustup").is_some() {
        let added = run(program("rustup").args(["target", "add", "wasm32-unknown-unknown"]));
        // rustup remembers what it installed and does not look whether it is still there.
        if added.is_ok() && has_wasm_library(Path::new("rustc")) {
            return Ok(None);
        }
    }
    let debians = PathBuf::from("/usr/bin/rustc");
    if has_wasm_library(&debians) {
        return Ok(Some(debians));
    }
    println!("rustup could not bring it: building it from Debian's sources");
    debian(&[
        package("rustc-web", "a compiler that comes with its library's sources"),
        package("rust-web-src", "those sources"),
        package("rust-web-llvm", "its code generator"),
        package("lld-22", "a linker for wasm"),
    ])
    .context("Rust's library for wasm could not be had; `rustup target add wasm32-unknown-unknown` needs a network")?;
    build_wasm_library(&debians)?;
    Ok(Some(debians))
}

fn has_wasm_library(rustc: &Path) -> bool {
    wasm_folder(rustc).is_ok_and(|folder| {
        fs::read_dir(folder).is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn wasm_folder(rustc: &Path) -> Result<PathBuf> {
    let sysroot = read(program(rustc).args(["--print", "sysroot"]))?;
    Ok(Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib"))
}

/// Builds the library inside an empty crate and puts it where the compiler looks.
fn build_wasm_library(rustc: &Path) -> Result<()> {
    let empty = shell::own_folder().join("wasm-library");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\n[workspace]\n",
    )?;
    fs::write(empty.join("src/lib.rs"), "#![no_std]\n")?;
    run(shell::cargo()
        .current_dir(&empty)
        .env("RUSTC", rustc)
        // Building the library is an unstable feature of cargo; this compiler comes with the matching sources.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", empty.join("target"))
        .args(["build", "--release", "-Zbuild-std=std,panic_abort,proc_macro,test"])
        .args(["--target", "wasm32-unknown-unknown"]))?;
    let folder = wasm_folder(rustc)?;
    fs::create_dir_all(&folder)?;
    for file in fs::read_dir(empty.join("target/wasm32-unknown-unknown/release/deps"))? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty") {
            fs::copy(&file, folder.join(name))?;
        }
    }
    Ok(())
}

/// The version that the interface is linked with; the tool must be of exactly the same.
fn wasm_bindgen_version() -> Result<String> {
    let lock = fs::read_to_string(shell::root().join("Cargo.lock"))?;
    locked_version(&lock, "wasm-bindgen").context("Cargo.lock names no wasm-bindgen")
}

fn locked_version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{name}\""))?;
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// A program from the crates registry, in one version.
fn installed_crate(name: &str, version: &str, reason: &str) -> Result<()> {
    let program_name = name.trim_end_matches("-cli");
    match installed_version(program_name) {
        Some(found) if found == version => return Ok(()),
        Some(found) => {
            println!("{program_name} is {found}, and {version} is needed ({reason}): installing it")
        }
        None => println!("{program_name} is missing ({reason}): installing {version}"),
    }
    let install = || {
        let mut command = shell::cargo();
        command.args(["install", name, "--version", version]);
        command
    };
    // A dependency that its lock file names may have been withdrawn from the registry.
    run(install().arg("--locked")).or_else(|_| run(install().arg("--force")))
}

fn installed_version(name: &str) -> Option<String> {
    let answer = read(program(find(name)?).arg("--version")).ok()?;
    answer.split_whitespace().nth(1).map(ToOwned::to_owned)
}

/// Says what is there and what is missing.
pub(crate) fn report() -> Result<()> {
    for (title, packages) in [
        ("to build", TO_BUILD),
        ("to test pages", TO_TEST_PAGES),
        ("to test on Postgres", TO_TEST_POSTGRES),
        ("to judge the API document", TO_JUDGE_OPENAPI),
    ] {
        println!("Debian packages {title}:");
        for one in packages {
            println!("  {} {:<32} {}", mark(is_installed(one.name)), one.name, one.reason);
        }
    }
    println!("Rust tools:");
    println!("  {} library for wasm32-unknown-unknown", mark(has_wasm_library(Path::new("rustc"))));
    for (name, wanted) in [("trunk", TRUNK.to_owned()), ("wasm-bindgen", wasm_bindgen_version()?)] {
        let found = installed_version(name);
        let here = found.clone().unwrap_or_else(|| "none".to_owned());
        println!("  {} {name} {wanted} (here: {here})", mark(found.as_deref() == Some(wanted.as_str())));
    }
    for (name, reason) in
        [("cargo-deny", "checks licences and sources"), ("rsvg-convert", "draws icons anew; not required")]
    {
        println!("  {} {name}: {reason}", mark(find(name).is_some()));
    }
    Ok(())
}

fn mark(there: bool) -> &'static str {
    if there { "ok     " } else { "missing" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock_file_by_its_exact_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.80\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
