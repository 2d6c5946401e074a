//! The web build of the interface: made only when something it is made of changed, then weighed.

use crate::shell::{own_folder, program, root, run, target};
use crate::tools;
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the compressed program may weigh.
const LIMIT: usize = 1_500_000;
/// The same before the optimizer, which takes off an eighth and is not on every machine.
const UNOPTIMIZED_LIMIT: usize = LIMIT / 7 * 8;

/// Where the build is found.
pub(crate) fn dist() -> PathBuf {
    root().join("ui/dist")
}

/// Where the interface is compiled; apart, for its compiler or flags may differ.
pub(crate) fn web_target() -> PathBuf {
    target().join("web")
}

/// Builds it where needed.
pub(crate) fn build() -> Result<()> {
    let print = fingerprint()?;
    let remembered = own_folder().join("ui.fingerprint");
    let unchanged = fs::read_to_string(&remembered).is_ok_and(|old| old == print);
    if unchanged && dist().join("index.html").is_file() {
        println!("nothing changed since the last build");
        return Ok(());
    }
    let web = tools::prepare_web()?;
    let mut trunk = program("trunk");
    trunk
        .current_dir(root().join("ui"))
        .args(["build", "--release", "--offline", "--skip-version-check", "--cargo-profile", "web"])
        .env("CARGO_TARGET_DIR", web_target())
        // Trunk takes its own switches from here, and fails on a value it does not know.
        .env_remove("NO_COLOR");
    if let Some(rustc) = web.rustc {
        trunk.env("RUSTC", rustc);
    }
    run(&mut trunk)?;
    shrink()?;
    fs::create_dir_all(own_folder())?;
    fs::write(&remembered, print)?;
    Ok(())
}

/// Builds it where needed and checks its size.
pub(crate) fn build_and_weigh() -> Result<()> {
    build()?;
    let file = wasm()?;
    let bytes = fs::read(&file)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    let packed = gzip.finish()?.len();
    let limit = if tools::wasm_opt().is_some() { LIMIT } else { UNOPTIMIZED_LIMIT };
    println!("interface: {} bytes of wasm, {packed} bytes compressed, limit {limit}", bytes.len());
    if packed > limit {
        bail!("the interface weighs {packed} bytes compressed, {} more than the limit", packed - limit);
    }
    Ok(())
}

/// Makes the program smaller where the optimizer is at hand.
fn shrink() -> Result<()> {
    let Some(optimizer) = tools::wasm_opt() else {
        println!("wasm-opt is not here: the interface stays as the compiler made it");
        return Ok(());
    };
    let file = wasm()?;
    let smaller = file.with_extension("smaller");
    let optimized = run(program(optimizer)
        .args(["-Os", "--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--enable-sign-ext"])
        .args(["--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"])
        .arg(&file)
        .arg("-o")
        .arg(&smaller));
    match optimized {
        Ok(()) => fs::rename(&smaller, &file)?,
        // An optimizer that does not know what this compiler writes spoils nothing; the size is weighed all the same.
        Err(error) => println!("{error:#}; the interface stays as the compiler made it"),
    }
    Ok(())
}

fn wasm() -> Result<PathBuf> {
    fs::read_dir(dist())
        .with_context(|| format!("{} cannot be read; is the interface built?", dist().display()))?
        .flatten()
        .map(|file| file.path())
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .with_context(|| format!("{} holds no wasm file", dist().display()))
}

/// A number that changes when anything does that the interface is made of.
fn fingerprint() -> Result<String> {
    let mut files = BTreeSet::new();
    for folder in ["ui", "crates/contract"] {
        collect(&root().join(folder), &mut files)?;
    }
    for file in ["Cargo.lock", "Cargo.toml"] {
        files.insert(root().join(file));
    }
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root()).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path == dist() || path.file_name().is_some_and(|name| name == ".stage" || name == "target") {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}
