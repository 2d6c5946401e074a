//! Pictures from their SVG sources: PNG by rsvg-convert, then the containers of Windows and macOS around them.

use crate::shell::{program, root, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Sizes of the application's icon.
const SIZES: &[u32] = &[32, 128, 256, 512];
/// What the tray can say.
const TRAY: &[&str] = &["tray-ok", "tray-warn", "tray-bad"];

/// Draws them all.
pub(crate) fn draw() -> Result<()> {
    let folder = root().join("icons");
    for size in SIZES {
        picture(&folder, "stella", *size, &folder.join(format!("{size}x{size}.png")))?;
    }
    for name in TRAY {
        picture(&folder, name, 64, &folder.join(format!("{name}.png")))?;
    }
    for (name, bytes) in containers(&folder)? {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// The containers hold the pictures that lie beside them.
pub(crate) fn check() -> Result<()> {
    let folder = root().join("icons");
    for (name, bytes) in containers(&folder)? {
        if fs::read(folder.join(name))? != bytes {
            bail!("icons/{name} does not hold the pictures beside it; `cargo xtask icons` makes it anew");
        }
    }
    Ok(())
}

fn containers(folder: &Path) -> Result<[(&'static str, Vec<u8>); 2]> {
    let ico = windows(&[(32, png(folder, 32)?), (256, png(folder, 256)?)]);
    let apple = [(*b"ic07", png(folder, 128)?), (*b"ic08", png(folder, 256)?), (*b"ic09", png(folder, 512)?)];
    Ok([("icon.ico", ico), ("icon.icns", macos(&apple))])
}

fn picture(folder: &Path, name: &str, size: u32, to: &PathBuf) -> Result<()> {
    let size = size.to_string();
    run(program("rsvg-convert")
        .args(["--width", &size, "--height", &size])
        .arg(folder.join(format!("{name}.svg")))
        .arg("--output")
        .arg(to))
    .context("rsvg-convert comes with Debian's package librsvg2-bin")
}

fn png(folder: &Path, size: u32) -> Result<Vec<u8>> {
    let file = folder.join(format!("{size}x{size}.png"));
    fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))
}

/// An ICO file: a header, one entry of 16 bytes per picture, then the pictures as PNG.
fn windows(pictures: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0u16, 1, pictures.len() as u16] {
        file.extend(word.to_le_bytes());
    }
    let mut at = 6 + 16 * pictures.len() as u32;
    for (size, bytes) in pictures {
        // 256 is written as 0, for the field has one byte.
        let side = (*size % 256) as u8;
        file.extend([side, side, 0, 0]);
        for word in [1u16, 32] {
            file.extend(word.to_le_bytes());
        }
        for word in [bytes.len() as u32, at] {
            file.extend(word.to_le_bytes());
        }
        at += bytes.len() as u32;
    }
    for (_, bytes) in pictures {
        file.extend(bytes);
    }
    file
}

/// An ICNS file: a header, then each picture behind its type and length.
fn macos(pictures: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let length = 8 + pictures.iter().map(|(_, bytes)| 8 + bytes.len()).sum::<usize>();
    let mut file = Vec::with_capacity(length);
    file.extend(b"icns");
    file.extend((length as u32).to_be_bytes());
    for (kind, bytes) in pictures {
        file.extend(kind);
        file.extend((8 + bytes.len() as u32).to_be_bytes());
        file.extend(bytes);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ico_says_where_each_picture_lies() {
        let file = windows(&[(32, vec![1, 2]), (256, vec![3])]);
        assert_eq!(&file[..6], [0, 0, 1, 0, 2, 0]);
        assert_eq!(&file[6..22], [32, 32, 0, 0, 1, 0, 32, 0, 2, 0, 0, 0, 38, 0, 0, 0]);
        assert_eq!(&file[22..38], [0, 0, 0, 0, 1, 0, 32, 0, 1, 0, 0, 0, 40, 0, 0, 0]);
        assert_eq!(&file[38..], [1, 2, 3]);
    }

    #[test]
    fn an_icns_counts_its_own_headers() {
        let file = macos(&[(*b"ic07", vec![9; 3])]);
        assert_eq!(file, [b"icns".as_slice(), &[0, 0, 0, 19], b"ic07", &[0, 0, 0, 11], &[9; 3]].concat());
    }
}
