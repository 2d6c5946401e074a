//! Bytes under their digest: one file each, written beside, brought to the disk, then renamed into place.

use crate::engine::Engine;
use crate::error::Error;
use bytes::{Bytes, BytesMut};
use std::io::Write;
use std::path::{Path, PathBuf};
use stella_bundle::digest::{self, Hasher};
use stella_contract::error::Code;
use tempfile::NamedTempFile;

/// The folder of content-addressed bytes.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Engine {
    /// The folder of content-addressed bytes.
    pub fn blobs(&self) -> Blobs {
        Blobs { folder: self.options().blobs.clone() }
    }
}

impl Blobs {
    /// Keeps the bytes and returns their digest. Keeping them twice is keeping them once.
    pub async fn put(&self, bytes: Bytes) -> Result<String, Error> {
        let digest = digest::of_bytes(&bytes);
        let place = self.place(&digest)?;
        blocking(move || keep(&place, &bytes)).await?;
        Ok(digest)
    }
    /// Begins to take in bytes whose digest is known only at their end.
    pub(crate) async fn begin(&self) -> Result<Incoming, Error> {
        let folder = self.folder.clone();
        let file = blocking(move || {
            std::fs::create_dir_all(&folder)?;
            tempfile::Builder::new().prefix(".new-").tempfile_in(&folder)
        })
        .await?;
        Ok(Incoming { blobs: self.clone(), file, hasher: Hasher::default(), size: 0, held: BytesMut::new() })
    }
    /// The bytes under the digest, checked against it.
    pub async fn get(&self, digest: &str) -> Result<Bytes, Error> {
        let place = self.place(digest)?;
        let bytes = blocking(move || match std::fs::read(&place) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await?
        .ok_or_else(|| Error::not_found("artifact", digest))?;
        if digest::of_bytes(&bytes) != digest {
            return Err(Error::new(
                Code::Corrupt,
                format!("The stored bytes of `{digest}` are damaged. Restore the blobs from a backup."),
            ));
        }
        Ok(bytes)
    }
    /// Where the bytes of this digest lie.
    fn place(&self, digest: &str) -> Result<PathBuf, Error> {
        if !digest::is_digest(digest) {
            return Err(Error::invalid("digest", "is not `sha256:` and 64 lower-case hex digits"));
        }
        let hex = &digest[digest::PREFIX.len()..];
        Ok(self.folder.join(&hex[..2]).join(hex))
    }
}

/// Bytes on their way in; dropped, they leave nothing.
pub(crate) struct Incoming {
    blobs: Blobs,
    file: NamedTempFile,
    hasher: Hasher,
    size: u64,
    held: BytesMut,
}

/// So many bytes are written at once.
const AT_ONCE: usize = 1024 * 1024;

impl Incoming {
    /// How many bytes came so far.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }
    /// Takes in more bytes.
    pub(crate) async fn take(mut self, bytes: &[u8]) -> Result<Self, Error> {
        self.size += bytes.len() as u64;
        self.held.extend_from_slice(bytes);
        if self.held.len() < AT_ONCE {
            return Ok(self);
        }
        self.flush().await
    }
    async fn flush(mut self) -> Result<Self, Error> {
        blocking(move || {
            let held = self.held.split().freeze();
            self.hasher.update(&held);
            self.file.write_all(&held)?;
            Ok(self)
        })
        .await
    }
    /// The bytes are all there: their digest. They are kept when `accept` lets it through.
    pub(crate) async fn finish(
        self,
        accept: impl FnOnce(&str) -> Result<(), Error> + Send,
    ) -> Result<String, Error> {
        let Self { blobs, file, hasher, .. } = self.flush().await?;
        let digest = hasher.finish();
        accept(&digest)?;
        let place = blobs.place(&digest)?;
        blocking(move || settle(&place, file)).await?;
        Ok(digest)
    }
}

fn settle(place: &Path, file: NamedTempFile) -> std::io::Result<()> {
    if place.exists() {
        return Ok(());
    }
    let folder = place.parent().expect("a place is made from a folder, a prefix and a name");
    std::fs::create_dir_all(folder)?;
    file.as_file().sync_all()?;
    file.persist(place).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

fn keep(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if place.exists() {
        return Ok(());
    }
    let folder = place.parent().expect("a place is made from a folder, a prefix and a name");
    std::fs::create_dir_all(folder)?;
    let mut beside = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(place).map_err(|error| error.error)?;
    // The name is on the disk only when its folder is.
    std::fs::File::open(folder)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refusal(&error)),
        Err(error) => Err(Error::internal(error)),
    }
}

fn refusal(error: &std::io::Error) -> Error {
    let refused = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::new(Code::NoSpace, "The disk of the blobs is full. Free some room; nothing was lost.")
        }
        _ => Error::new(
            Code::NotWritable,
            "The folder of the blobs cannot be used. Check its path and permissions.",
        ),
    };
    refused.with_private(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_come_back_under_their_digest_and_damaged_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs { folder: folder.path().to_owned() };
        let digest = blobs.put(Bytes::from_static(b"one")).await.unwrap();
        assert_eq!(blobs.put(Bytes::from_static(b"one")).await.unwrap(), digest);
        assert_eq!(blobs.get(&digest).await.unwrap(), "one");
        std::fs::write(blobs.place(&digest).unwrap(), b"two").unwrap();
        assert_eq!(blobs.get(&digest).await.unwrap_err().code, Code::Corrupt);
        let other = digest::of_bytes(b"three");
        assert_eq!(blobs.get(&other).await.unwrap_err().code, Code::NotFound);
        assert_eq!(blobs.get("sha256:../../etc/passwd").await.unwrap_err().code, Code::Invalid);
    }
}
