//! Where the local ledger is, and what lies beside it.

use crate::arguments::Everywhere;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use stella_engine::LedgerPlace;

/// The ledger and the folder of its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) ledger: LedgerPlace,
    /// Content-addressed bytes.
    pub(crate) blobs: PathBuf,
    /// The folder in which both lie; for Postgres the data folder.
    pub(crate) folder: PathBuf,
}

impl Place {
    /// The ledger that is named, or the one of this user.
    pub(crate) fn of(everywhere: &Everywhere) -> Result<Self, Failure> {
        let Some(named) = &everywhere.ledger else {
            let folder = data_folder()?;
            return Ok(Self::file(&folder.join("ledger.db")));
        };
        if named.starts_with("postgres://") || named.starts_with("postgresql://") {
            let folder = data_folder()?;
            let blobs = folder.join("blobs");
            return Ok(Self { ledger: LedgerPlace::Postgres(named.clone()), blobs, folder });
        }
        if let Some((scheme, _)) = named.split_once("://") {
            let what = format!("A ledger is a file or a postgres:// address, not {scheme}://.");
            return Err(Failure::Usage(what));
        }
        Ok(Self::file(Path::new(named)))
    }

    fn file(path: &Path) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self { ledger: LedgerPlace::Sqlite(path.to_path_buf()), blobs: folder.join("blobs"), folder }
    }

    /// Makes the folder, for the operator alone.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.folder)
            .map_err(Failure::file(format!("{} cannot be made", self.folder.display())))
    }

    /// As told to people; an address of a database may hold a password.
    pub(crate) fn shown(&self) -> String {
        match &self.ledger {
            LedgerPlace::Sqlite(path) => path.display().to_string(),
            LedgerPlace::Postgres(address) => without_password(address),
        }
    }
}

fn without_password(address: &str) -> String {
    let Ok(mut url) = address.parse::<url::Url>() else { return "postgres://…".to_owned() };
    // Both only fail for addresses without a host, which then hold no password either.
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

/// The same folder as the window's.
fn data_folder() -> Result<PathBuf, Failure> {
    let base = directories::BaseDirs::new().ok_or_else(|| {
        Failure::Usage("This user has no home folder. Say where the ledger is: --ledger FILE.".to_owned())
    })?;
    Ok(base.data_dir().join("stella-operator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = without_password("postgres://stella:s3cret@db.example:5432/stella?password=s3cret");
        assert_eq!(shown, "postgres://stella@db.example:5432/stella");
        assert_eq!(without_password("postgres://[broken"), "postgres://…");
    }

    #[test]
    fn the_bytes_lie_beside_the_ledger() {
        let place = Place::file(Path::new("ledgers/a.db"));
        assert_eq!((place.blobs, place.folder), (PathBuf::from("ledgers/blobs"), PathBuf::from("ledgers")));
        assert_eq!(Place::file(Path::new("a.db")).blobs, PathBuf::from("./blobs"));
    }
}
