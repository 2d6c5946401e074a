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
    drop_names()?;
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
    println!("interface: {} bytes of wasm, {packed} bytes compressed, limit {LIMIT}", bytes.len());
    if packed > LIMIT {
        bail!("the interface weighs {packed} bytes compressed, {} more than the limit", packed - LIMIT);
    }
    Ok(())
}

/// Takes the names of functions out of the program: a fifth of what is sent, and nobody reads them. Optimizers of wasm
/// were tried and gain nothing once it is compressed.
fn drop_names() -> Result<()> {
    let file = wasm()?;
    let bytes = fs::read(&file)?;
    let smaller = without_names(&bytes).with_context(|| format!("{} is not wasm", file.display()))?;
    Ok(fs::write(&file, smaller)?)
}

/// A module without its section of names; `None` when it is none. Sections follow the eight bytes of its head, each a
/// kind, a length and its bytes; a custom section (kind 0) begins with its own name (WebAssembly core 3.0, 5.5).
fn without_names(module: &[u8]) -> Option<Vec<u8>> {
    let (head, mut rest) = module.split_at_checked(8).filter(|(head, _)| head.starts_with(b"\0asm"))?;
    let mut kept = head.to_vec();
    while let Some((kind, after)) = rest.split_first() {
        let (length, body) = number(after)?;
        let (body, next) = body.split_at_checked(length)?;
        let is_names =
            *kind == 0 && number(body).is_some_and(|(length, name)| name.get(..length) == Some(b"name"));
        if !is_names {
            kept.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    Some(kept)
}

/// A number in LEB128 and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_and_every_other_section_stays() {
        let head = b"\0asm\x01\0\0\0";
        let custom = |name: &[u8], body: &[u8]| -> Vec<u8> {
            let name = [&[name.len() as u8], name, body].concat();
            [&[0, name.len() as u8], &name[..]].concat()
        };
        let code = [10, 2, 1, 0];
        let module = [&head[..], &custom(b"name", b"abc"), &code, &custom(b"producers", b"us")].concat();
        let kept = [&head[..], &code, &custom(b"producers", b"us")].concat();
        assert_eq!(without_names(&module), Some(kept.clone()));
        assert_eq!(without_names(&kept), Some(kept));
        assert_eq!(without_names(&module[..module.len() - 1]), None, "the last section is cut off");
        assert_eq!(without_names(b"<html>..."), None);
    }
}
