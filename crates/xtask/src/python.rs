//! Python packages in the versions that are written down: each list in a folder of its own, installed once.

use crate::shell::{own_folder, program, read, root, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A list of packages, `crates/xtask/<name>/requirements.txt`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packages {
    name: &'static str,
    options: &'static [&'static str],
}

/// What judges the API document.
pub(crate) const OPENAPI: Packages = Packages { name: "openapi", options: &[] };
/// What brings the accessibility checker, a script for the page; the list names the one package it lies in.
pub(crate) const AXE: Packages = Packages { name: "axe", options: &["--no-deps"] };

/// The folder in which a list is used.
pub(crate) fn folder(packages: Packages) -> PathBuf {
    own_folder().join(packages.name)
}

/// Installs a list where it changed since the last time, and answers with its Python.
pub(crate) fn install(packages: Packages) -> Result<PathBuf> {
    let list = root().join("crates/xtask").join(packages.name).join("requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
    let venv = folder(packages).join("venv");
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    fs::create_dir_all(folder(packages))?;
    run(program("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(program(&python).args(pip).args(packages.options).arg("--requirement").arg(list))?;
    fs::write(installed, wanted)?;
    Ok(python)
}

/// The accessibility checker.
pub(crate) fn axe() -> Result<PathBuf> {
    let python = install(AXE)?;
    let ask = "import axe_playwright_python as package; print(package.__path__[0])";
    let answer = read(program(python).args(["-c", ask]))?;
    Ok(Path::new(answer.trim()).join("axe.min.js"))
}
