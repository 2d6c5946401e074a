//! Zip archives of records.
//!
//! `rawzip` has no dependencies, no unsafe code and a stable face, reads from the bytes in hand without
//! copying, and leaves inflating to `flate2`, which the workspace has anyway; the `zip` crate brings a dozen
//! codecs and a new major version every few weeks.

use crate::error::{RecordCode, RecordError};
use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};
use std::io::Read;

/// How much an input may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all records together.
    pub max_total_bytes: u64,
    /// Bytes of one record.
    pub max_record_bytes: u64,
}

impl Default for Limits {
    /// Room for the largest published feed, and for no more.
    fn default() -> Self {
        Self { max_total_bytes: 2 << 30, max_record_bytes: 32 << 20 }
    }
}

pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Visits every `.json` file; an entry that cannot be read is an error of its own and the next one is read,
/// unless the archive itself ends or the total is over its limit.
pub(super) fn visit(bytes: &[u8], limits: Limits, mut visit: impl FnMut(&str, Result<Vec<u8>, RecordError>)) {
    let archive = match ZipArchive::from_slice(bytes) {
        Ok(archive) => archive,
        Err(error) => {
            let message = format!(
                "the zip archive has no readable directory ({error}); it is cut off or damaged, fetch it again"
            );
            visit("", Err(RecordError::new(RecordCode::ParseError, message)));
            return;
        }
    };
    let mut total = 0;
    let mut entries = archive.entries();
    loop {
        let entry = match entries.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(error) => {
                let message = format!("the zip archive's directory breaks off ({error}); fetch it again");
                visit("", Err(RecordError::new(RecordCode::ParseError, message)));
                return;
            }
        };
        let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        if entry.is_dir() || !name.to_ascii_lowercase().ends_with(".json") {
            continue;
        }
        let room = limits.max_total_bytes - total;
        let content = archive.get_entry(entry.wayfinder()).map_err(|error| damaged(&error)).and_then(
            |local| match entry.compression_method() {
                CompressionMethod::STORE => unpack(local.verifying_reader(local.data()), limits, room),
                CompressionMethod::DEFLATE => {
                    unpack(local.verifying_reader(DeflateDecoder::new(local.data())), limits, room)
                }
                other => {
                    let message = format!(
                        "the entry is packed by a method we do not read ({other:?}); pack it with deflate"
                    );
                    Err(RecordError::new(RecordCode::Unsupported, message))
                }
            },
        );
        let is_over_total = matches!(&content, Err(error) if error.code == RecordCode::TooLarge && room < limits.max_record_bytes);
        total += content.as_ref().map_or(0, |content| content.len() as u64);
        visit(&name, content);
        if is_over_total {
            return;
        }
    }
}

fn damaged(error: &dyn std::fmt::Display) -> RecordError {
    RecordError::new(
        RecordCode::ParseError,
        format!("the entry is damaged ({error}); fetch the archive again"),
    )
}

/// Reads one byte past the limit at most, whatever the archive claims about sizes.
fn unpack(reader: impl Read, limits: Limits, room: u64) -> Result<Vec<u8>, RecordError> {
    let most = limits.max_record_bytes.min(room);
    let mut content = Vec::new();
    let mut bounded = reader.take(most + 1);
    let outcome = bounded.read_to_end(&mut content);
    if content.len() as u64 > most {
        let message = if room < limits.max_record_bytes {
            format!(
                "the archive unpacks to more than {} bytes; nothing after this entry is read",
                limits.max_total_bytes
            )
        } else {
            format!("the record unpacks to more than {} bytes", limits.max_record_bytes)
        };
        return Err(RecordError::new(RecordCode::TooLarge, message));
    }
    outcome.map(|_| content).map_err(|error| damaged(&error))
}
