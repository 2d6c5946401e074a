//! Deterministic archives: a tar whose bytes depend on nothing but the names and contents of its files.

use std::collections::BTreeMap;
use std::io::{Read, Write};

/// The largest single file that is read back from an archive.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// What is wrong with an archive or with a name in it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A name that would leave the folder the archive is unpacked in, or that no two systems read alike.
    #[error(
        "`{name}` is not a safe name inside an archive: use relative names with `/`, without `.` or `..`"
    )]
    UnsafeName {
        /// The name as it was given.
        name: String,
    },
    /// The same name twice: which one holds would depend on the reader.
    #[error("`{name}` is in the archive twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A link, a device or another thing that is not a plain file.
    #[error("`{name}` is not a plain file")]
    NotAFile {
        /// The name.
        name: String,
    },
    /// A file that is larger than is ever written.
    #[error("`{name}` has {size} bytes, more than the {MAX_FILE_BYTES} that are allowed")]
    TooLarge {
        /// The name.
        name: String,
        /// What its header says.
        size: u64,
    },
    /// The bytes end early or are not a tar.
    #[error("the archive cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// The writer that was handed in refused.
    #[error("the archive cannot be written: {0}")]
    Unwritable(#[source] std::io::Error),
}

/// Writes the files as a tar: names sorted, times and owners zero, mode 0644.
pub fn write(files: &BTreeMap<String, Vec<u8>>, to: impl Write) -> Result<(), ArchiveError> {
    let mut tar = tar::Builder::new(to);
    tar.mode(tar::HeaderMode::Deterministic);
    for (name, bytes) in files {
        check_name(name)?;
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, name, bytes.as_slice()).map_err(ArchiveError::Unwritable)?;
    }
    tar.into_inner().map_err(ArchiveError::Unwritable)?.flush().map_err(ArchiveError::Unwritable)
}

/// Reads every file of a tar. Unsafe names, links and names that come twice are refused, not skipped.
pub fn read(from: impl Read) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut tar = tar::Archive::new(from);
    let mut files = BTreeMap::new();
    for entry in tar.entries().map_err(ArchiveError::Unreadable)? {
        let mut entry = entry.map_err(ArchiveError::Unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        check_name(&name)?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(ArchiveError::NotAFile { name });
        }
        let size = entry.size();
        if size > MAX_FILE_BYTES {
            return Err(ArchiveError::TooLarge { name, size });
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(ArchiveError::Unreadable)?;
        if bytes.len() as u64 != size {
            return Err(ArchiveError::Unreadable(std::io::ErrorKind::UnexpectedEof.into()));
        }
        if files.insert(name.clone(), bytes).is_some() {
            return Err(ArchiveError::Twice { name });
        }
    }
    Ok(files)
}

/// Accepts names that stay inside the archive's folder on every system.
fn check_name(name: &str) -> Result<(), ArchiveError> {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(['\\', ':', '\0'])
            && !part.contains(char::is_control)
            && !part.contains(char::REPLACEMENT_CHARACTER)
    };
    if name.split('/').all(plain) {
        return Ok(());
    }
    Err(ArchiveError::UnsafeName { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    /// A tar with one entry of any name and type, as a hostile writer would make it.
    fn hostile(name: &str, kind: tar::EntryType) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(2);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, &b"hi"[..]).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn the_same_files_are_the_same_bytes_in_whatever_order_they_came() {
        let mut one = Vec::new();
        write(&files(&[("b/x.json", "{}"), ("a.json", "[]")]), &mut one).unwrap();
        let mut two = Vec::new();
        write(&files(&[("a.json", "[]"), ("b/x.json", "{}")]), &mut two).unwrap();
        assert_eq!(one, two);
        assert_eq!(&one[..6], b"a.json");
        assert_eq!(one[100 + 36..100 + 47], *b"00000000000", "mtime is zero");
        assert_eq!(
            crate::digest::of_bytes(&one),
            "sha256:cc7e231440047078f8f8558442021fb2e42d590b1b2d02a041e76823dc1cdac9"
        );
    }

    #[test]
    fn what_was_written_is_read_back_long_names_too() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(140));
        let before = files(&[("a", ""), ("deep/er/file.txt", "text"), (&long, "long")]);
        let mut bytes = Vec::new();
        write(&before, &mut bytes).unwrap();
        assert_eq!(read(bytes.as_slice()).unwrap(), before);
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused_on_both_ways() {
        for name in ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "C:/x", "a\\..\\x", "a/", ""] {
            let refused = write(&files(&[(name, "hi")]), Vec::new());
            assert!(matches!(refused, Err(ArchiveError::UnsafeName { .. })), "{name}: {refused:?}");
        }
        for name in ["../x", "/etc/passwd", "a/../b"] {
            let refused = read(hostile(name, tar::EntryType::Regular).as_slice());
            assert!(matches!(refused, Err(ArchiveError::UnsafeName { .. })), "{name}: {refused:?}");
        }
    }

    #[test]
    fn a_link_and_a_cut_archive_are_refused() {
        let link = read(hostile("link", tar::EntryType::Symlink).as_slice());
        assert!(matches!(link, Err(ArchiveError::NotAFile { .. })), "{link:?}");
        let mut bytes = Vec::new();
        write(&files(&[("a", &"x".repeat(2_000))]), &mut bytes).unwrap();
        let cut = read(&bytes[..1_000]);
        assert!(matches!(cut, Err(ArchiveError::Unreadable(_))), "{cut:?}");
    }

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        let mut builder = tar::Builder::new(Vec::new());
        for _ in 0..2 {
            let mut header = tar::Header::new_ustar();
            header.set_size(1);
            builder.append_data(&mut header, "a", &b"x"[..]).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        assert!(matches!(read(bytes.as_slice()), Err(ArchiveError::Twice { .. })));
    }
}
