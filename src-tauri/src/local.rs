//! The core inside the window: where its ledger lies, how it is opened, how it ends.

use crate::door::Door;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stella_contract::error::Problem;
use stella_contract::ids::Tenant;
use stella_engine::{Engine, LedgerPlace, Options, Running, SystemChance, SystemClock};
use stella_server::{Auth, Door as Mount, EngineSlot, LocalOperator};
use tauri::{AppHandle, Manager, State};
use tokio::sync::Mutex;

/// Names another ledger: a file, or the address of a Postgres.
const LEDGER: &str = "STELLA_LEDGER";
/// Names another tenant than `default`.
const TENANT: &str = "STELLA_TENANT";

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) ledger: LedgerPlace,
    pub(crate) blobs: PathBuf,
}

impl Places {
    /// In the application's own folder, or where the variable says; blobs lie beside the ledger's file.
    pub(crate) fn of(named: Option<&str>, folder: &Path) -> Self {
        match named.map(str::trim).filter(|text| !text.is_empty()) {
            Some(address) if address.starts_with("postgres://") || address.starts_with("postgresql://") => {
                Self { ledger: LedgerPlace::Postgres(address.to_owned()), blobs: folder.join("blobs") }
            }
            Some(file) => Self::beside(PathBuf::from(file)),
            None => Self::beside(folder.join("ledger.db")),
        }
    }

    fn beside(file: PathBuf) -> Self {
        let blobs = file.parent().unwrap_or(Path::new("")).join("blobs");
        Self { ledger: LedgerPlace::Sqlite(file), blobs }
    }

    /// As the operator is told; an address keeps its password to itself.
    fn told(&self) -> String {
        match &self.ledger {
            LedgerPlace::Sqlite(file) => file.display().to_string(),
            LedgerPlace::Postgres(address) => match address.rsplit_once('@') {
                Some((_, host)) => format!("postgres://{host}"),
                None => address.clone(),
            },
        }
    }
}

/// The core of this process.
pub(crate) struct Core {
    places: Places,
    tenant: Tenant,
    slot: EngineSlot,
    running: Mutex<Option<Running>>,
}

impl Core {
    /// Settles where it lies; nothing is opened yet.
    pub(crate) fn of(app: &AppHandle) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = data_folder(app)?;
        let tenant = std::env::var(TENANT).unwrap_or_else(|_| "default".to_owned());
        Ok(Self {
            places: Places::of(std::env::var(LEDGER).ok().as_deref(), &folder),
            tenant: tenant.parse()?,
            slot: EngineSlot::starting(),
            running: Mutex::new(None),
        })
    }

    /// The door of this core; it stands whether or not the ledger could be opened, and says why when not.
    pub(crate) fn door(&self) -> Door {
        let operator = LocalOperator::new(operator());
        let mount = Mount::new(self.slot.clone(), Auth::Local(operator));
        Door::new(mount.router(), self.tenant.to_string())
    }

    /// Opens the ledger and starts the work on it; what was open stays.
    pub(crate) async fn open(&self) {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return;
        }
        match self.engine().await {
            Ok(engine) => {
                *running = Some(engine.start());
                self.slot.open(engine);
                tracing::info!(ledger = %self.places.told(), "the ledger is open");
            }
            Err(error) => {
                tracing::error!(code = %error.code, private = error.private, ledger = %self.places.told(), "{}", error.public);
                self.slot.shut(error);
            }
        }
    }

    /// Finishes what was begun and closes the ledger.
    pub(crate) async fn close(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.stop().await;
        }
        if let Some(engine) = self.slot.engine() {
            engine.close().await;
        }
    }

    async fn engine(&self) -> Result<Engine, stella_engine::Error> {
        if let LedgerPlace::Sqlite(file) = &self.places.ledger
            && let Some(folder) = file.parent()
        {
            make(folder);
        }
        Engine::open(Options {
            place: self.places.ledger.clone(),
            blobs: self.places.blobs.clone(),
            tenants: vec![self.tenant.clone()],
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance::default()),
            workers: std::thread::available_parallelism().map_or(2, |cores| cores.get()),
        })
        .await
    }
}

/// The same folder as the command line's, so that both open the same ledger.
pub(crate) fn data_folder(app: &AppHandle) -> tauri::Result<PathBuf> {
    Ok(app.path().data_dir()?.join("stella-operator"))
}

/// Makes a folder for the operator alone. One that cannot be made is told by the ledger, which then cannot be opened.
fn make(folder: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Err(error) = builder.create(folder) {
        tracing::warn!(%error, folder = %folder.display(), "the folder could not be made");
    }
}

/// Who sits at this machine, as the history will name them.
fn operator() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "operator".to_owned())
}

/// What the pages may know of the connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    name: &'static str,
    kind: &'static str,
    ledger: String,
    tenant: String,
    is_open: bool,
    version: &'static str,
}

/// Which core speaks, and where its ledger is.
#[tauri::command]
pub(crate) fn connection(core: State<'_, Core>) -> Connection {
    Connection {
        name: "Local",
        kind: "local",
        ledger: core.places.told(),
        tenant: core.tenant.to_string(),
        is_open: core.slot.engine().is_some(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Tries again to open a ledger that could not be opened.
#[tauri::command]
pub(crate) async fn reopen_ledger(core: State<'_, Core>) -> Result<Connection, Problem> {
    core.open().await;
    Ok(connection(core))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_lies_in_the_applications_folder_unless_another_place_is_named() {
        let folder = Path::new("/home/ada/.local/share/stella");
        let own = Places::of(None, folder);
        assert_eq!(own.ledger, LedgerPlace::Sqlite(folder.join("ledger.db")));
        assert_eq!(own.blobs, folder.join("blobs"));
        let named = Places::of(Some("/mnt/kit/book.db"), folder);
        assert_eq!(named.ledger, LedgerPlace::Sqlite("/mnt/kit/book.db".into()));
        assert_eq!(named.blobs, Path::new("/mnt/kit/blobs"));
        assert_eq!(Places::of(Some("  "), folder), own);
    }

    #[test]
    fn a_postgres_address_is_told_without_its_password() {
        let places = Places::of(Some("postgres://ada:secret@db.local:5432/stella"), Path::new("/data"));
        assert_eq!(places.blobs, Path::new("/data/blobs"));
        assert_eq!(places.told(), "postgres://db.local:5432/stella");
    }
}
