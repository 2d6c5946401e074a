//! `stella serve` as a program of its own, on a temporary ledger and a free port.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// The program under test stands beside the folder of the test programs.
pub fn program(name: &str) -> PathBuf {
    let mut here = std::env::current_exe().unwrap();
    here.pop();
    if here.ends_with("deps") {
        here.pop();
    }
    let path = here.join(name);
    assert!(path.exists(), "{} is missing: build it with `cargo build --bins` first", path.display());
    path
}

/// The web build of the UI.
pub fn assets() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
    assert!(path.join("index.html").exists(), "ui/dist is missing: run `cargo xtask test ui` first");
    path
}

/// A folder that outlives the programs that use it, so that one can be killed and another started on its ledger.
pub struct Home {
    path: PathBuf,
    /// Removes it in the end; absent where it is to be kept.
    _dir: Option<TempDir>,
}

impl Default for Home {
    fn default() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { path: dir.path().to_path_buf(), _dir: Some(dir) }
    }
}

impl Home {
    /// A folder that is kept.
    pub fn at(path: &Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        Self { path: path.canonicalize().unwrap(), _dir: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn ledger(&self) -> PathBuf {
        self.path().join("ledger.db")
    }

    /// Writes a file into the folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `stella` with this ledger and no way to another one.
    pub fn stella(&self) -> Command {
        let mut command = Command::new(program("stella"));
        command
            .env_remove("STELLA_SERVER")
            .env_remove("STELLA_TOKEN")
            .env("STELLA_LEDGER", self.ledger())
            .env("STELLA_TENANT", "default")
            .env("HOME", self.path())
            .env("XDG_DATA_HOME", self.path());
        command
    }
}

/// A running `stella serve`.
pub struct Served {
    child: Child,
    /// Kept open: who can no longer print what is left to say would end.
    _out: Lines<BufReader<ChildStdout>>,
    /// Where it listens: `http://127.0.0.1:port`.
    pub base: String,
    /// The whole address it printed, with the one-time token.
    pub address: String,
}

impl Served {
    /// Starts it on a free port and waits for the line with its address.
    pub fn start(home: &Home, with_pages: bool) -> Self {
        Self::start_on(home, with_pages, "127.0.0.1:0")
    }

    /// Starts it where another one listened before.
    pub fn start_again(home: &Home, with_pages: bool, base: &str) -> Self {
        Self::start_on(home, with_pages, base.trim_start_matches("http://"))
    }

    fn start_on(home: &Home, with_pages: bool, listen: &str) -> Self {
        let mut command = home.stella();
        command.args(["serve", "--listen", listen]);
        if with_pages {
            command.arg("--assets").arg(assets());
        }
        Self::start_by(command)
    }

    /// Starts it by a command of the test's own that ends in `stella serve`.
    pub fn start_by(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            if let Some(at) = line.find("http://") {
                let address: String = line[at..].split_whitespace().next().unwrap().to_owned();
                let base = address.split("/?").next().unwrap().trim_end_matches('/').to_owned();
                return Self { child, _out: lines, base, address };
            }
            seen.push(line);
        }
        let status = child.wait().unwrap();
        panic!("stella serve ended with {status} before it named its address: {seen:?}");
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The one-time token in the printed address.
    pub fn one_time_token(&self) -> &str {
        self.address.split("token=").nth(1).expect("the address carries a token")
    }

    /// Ends it as a power cut would: no signal handler runs.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
