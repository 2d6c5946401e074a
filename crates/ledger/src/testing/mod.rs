//! A Postgres of one's own for tests: one server per test process, one database per test. It is started here, listens
//! on a free port of this machine only, and is stopped by its own process id when the test process ends, however it
//! ends.

pub mod bare;
pub mod raw;

use crate::db::Db;
use crate::error::LedgerError;
use crate::ledger::LedgerPlace;
use crate::{migrate, on_db};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes a ledger as an older version left it: the steps up to this number and no others, and these rows.
pub async fn ledger_as_of(place: &LedgerPlace, last: i64, rows: String) -> Result<(), LedgerError> {
    let db = match place {
        LedgerPlace::Sqlite(path) => Db::sqlite(path).await?,
        LedgerPlace::Postgres(url) => Db::postgres(url).await?,
    };
    migrate::run_to(&db, last).await?;
    let mut tx = db.begin_write().await?;
    let rows = AssertSqlSafe(rows);
    on_db!(tx, connection => sqlx::raw_sql(rows).execute(connection).await.map(|_| ()))?;
    tx.commit().await?;
    db.close().await;
    Ok(())
}

/// What the server does about the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// An answer means the bytes are on the disk, as in production; for benchmarks.
    Full,
    /// Fast; a power cut would lose data, which no test minds.
    None,
}

struct Server {
    port: u16,
    /// Its standard input is what keeps the server running.
    _keeper: Child,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// The URL of a fresh database; or why there is none, in a sentence for the one who runs the tests.
pub async fn postgres() -> Result<String, String> {
    postgres_with(Durability::None).await
}

/// The same with a choice; the first call of a process decides for all.
pub async fn postgres_with(durability: Durability) -> Result<String, String> {
    let server = tokio::task::spawn_blocking(move || SERVER.get_or_init(|| start(durability)))
        .await
        .map_err(|error| error.to_string())?;
    let port = server.as_ref().map_err(Clone::clone)?.port;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let say = |error: sqlx::Error| format!("Postgres was started but made no database: {error}");
    let mut connection = PgConnection::connect(&url(port, "postgres")).await.map_err(say)?;
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await.map_err(say)?;
    connection.close().await.map_err(say)?;
    Ok(url(port, &name))
}

/// Does to a database what only its administrator may, so that a test can see how the product bears it.
pub async fn administer(url: &str, text: &'static str) -> Result<(), String> {
    let say = |error: sqlx::Error| error.to_string();
    let options: PgConnectOptions = url.parse().map_err(say)?;
    // Whatever the database was told before, its administrator may write.
    let options = options.options([("default_transaction_read_only", "off")]);
    let mut connection = PgConnection::connect_with(&options).await.map_err(say)?;
    connection.execute(text).await.map_err(say)?;
    connection.close().await.map_err(say)
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Keeps a server running until standard input ends, then stops it and removes what it wrote.
const KEEPER: &str = r#"
set -eu
trap '' INT TERM HUP PIPE
folder=$(mktemp -d "${TMPDIR:-/tmp}/stella-postgres-XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$BIN/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 ||
    { echo "initdb failed: $(tail -n 3 "$folder/log" | tr '\n' ' ')"; exit 1; }
"$BIN/postgres" -D "$folder/data" -h 127.0.0.1 -p "$PORT" -k "$folder" -c "fsync=$SYNC" \
    -c "synchronous_commit=$SYNC" -c "full_page_writes=$SYNC" -c max_connections=200 >>"$folder/log" 2>&1 &
server=$!
tries=0
until "$BIN/pg_isready" -q -h 127.0.0.1 -p "$PORT"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "postgres did not come up: $(tail -n 3 "$folder/log" | tr '\n' ' ')"
        exit 1
    fi
    sleep 0.1
done
echo ready
cat >/dev/null || true
kill -INT "$server"
wait "$server" || true
"#;

fn start(durability: Durability) -> Result<Server, String> {
    let bin = binaries().ok_or(
        "Postgres is missing: install its server (Debian: `apt-get install postgresql`).".to_owned(),
    )?;
    let port = free_port().map_err(|error| format!("There is no free port on 127.0.0.1: {error}"))?;
    let mut keeper = as_nobody_special()
        .args(["sh", "-c", KEEPER])
        .env("BIN", &bin)
        .env("PORT", port.to_string())
        .env("SYNC", if durability == Durability::Full { "on" } else { "off" })
        .env_remove("PGPORT")
        .env_remove("PGHOST")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("Postgres cannot be started: {error}"))?;
    let said = keeper.stdout.take().expect("it was asked for above");
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line).map_err(|error| error.to_string())?;
    if line.trim() == "ready" {
        return Ok(Server { port, _keeper: keeper });
    }
    Err(format!("Postgres cannot be started: {}", line.trim()))
}

/// The newest installed server's programs.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort_by_key(|bin| version(bin));
    found.pop()
}

fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

/// Postgres refuses to run as root, so root hands over to its user.
fn as_nobody_special() -> Command {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "env", "TMPDIR=/tmp"]);
    command
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
