//! The real program in its real window, on a screen, a bus and a home of its own, driven by WebKit's own driver.

use crate::bus::Bus;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use stella_tests::family::{Family, children};
use stella_tests::served::{Home, program};
use thirtyfour::Capabilities;
use thirtyfour::prelude::*;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(50);

/// A screen that nobody looks at.
pub(crate) struct Screen {
    child: Child,
    name: String,
}

impl Screen {
    /// The pointer begins in the middle, and where no window manager rules it gives the focus: the screen is so large
    /// that it begins beside the window.
    pub(crate) fn start() -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "3200x2000x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (package xvfb)");
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.is_empty(), "Xvfb ended before it named its display");
        Self { child, name: format!(":{}", number.trim()) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The window, open.
pub(crate) struct App {
    pub(crate) driver: WebDriver,
    // A driver serves one session at a time: each window has its own.
    child: Family,
}

impl App {
    /// Starts the program with these arguments and waits until its page shows its first data.
    pub(crate) async fn open(home: &Home, bus: &Bus, screen: &Screen, arguments: &[&str]) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = environment(Command::new("WebKitWebDriver"), home, bus, screen);
        let child = Family::start(command.arg(format!("--port={port}")).arg("--host=127.0.0.1"))
            .expect("WebKitWebDriver is installed (package webkit2gtk-driver)");
        let mut capabilities = Capabilities::new();
        // No `browserName`: the driver matches it against the program's own, and finds no other.
        capabilities
            .set("webkitgtk:browserOptions", json!({"binary": program("stella-operator"), "args": arguments}))
            .unwrap();
        let app = Self { driver: connect(port, capabilities).await, child };
        app.find("html[data-ready='true']").await;
        app
    }

    /// Waits for an element by its CSS selector.
    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        self.wait(By::Css(selector.to_owned()), selector).await
    }

    /// Waits for an element that holds this text.
    pub(crate) async fn find_text(&self, text: &str) -> WebElement {
        self.wait(By::XPath(format!("//*[contains(normalize-space(.), {text:?})][not(*)]")), text).await
    }

    /// Opens a page through its address, as a link inside the application would.
    pub(crate) async fn visit(&self, path: &str) {
        self.driver.goto(format!("tauri://localhost{path}")).await.unwrap();
        self.find("html[data-ready='true']").await;
    }

    /// Asks the core through the window's own door.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: Value, body: Option<String>) -> Value {
        let script = "const [method, path, headers, body, done] = arguments;\
                      window.__TAURI__.core.invoke('api', { method, path, headers, body })\
                        .then(answer => done(answer), refused => done({ status: 0, body: String(refused) }));";
        let arguments = vec![json!(method), json!(path), headers, json!(body)];
        let answer: Value = self.driver.execute_async(script, arguments).await.unwrap().convert().unwrap();
        assert!(
            answer["status"].as_i64().is_some_and(|status| (200..300).contains(&status)),
            "{path}: {answer}"
        );
        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
    }

    /// Asks again and again until the answer is as wanted.
    pub(crate) async fn ask_until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let asked = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = self.ask("GET", path, json!({}), None).await;
                if is_so(&answer) {
                    return answer;
                }
                tokio::time::sleep(GLANCE).await;
            }
        });
        asked.await.unwrap_or_else(|_| panic!("{path} did not come to what was waited for"))
    }

    /// Waits until path, query and fragment of the page begin so.
    pub(crate) async fn arrives_at(&self, path: &str) {
        self.arrives_at_by(path, async || {}).await;
    }

    /// The same, and does something again and again until then.
    pub(crate) async fn arrives_at_by(&self, path: &str, step: impl AsyncFn()) {
        let arrived = tokio::time::timeout(PATIENCE, async {
            while !self.location().await.starts_with(path) {
                step().await;
                tokio::time::sleep(GLANCE).await;
            }
        });
        if arrived.await.is_err() {
            panic!("the page stands at {} and not at {path}", self.location().await);
        }
    }

    async fn location(&self) -> String {
        let script = "return location.pathname + location.search + location.hash;";
        self.driver.execute(script, vec![]).await.unwrap().convert().unwrap()
    }

    async fn wait(&self, by: By, what: &str) -> WebElement {
        match self.driver.query(by).wait(PATIENCE, GLANCE).first().await {
            Ok(element) => element,
            Err(error) => {
                let script =
                    "return location.href + '\\n' + document.documentElement.outerHTML.slice(0, 4000);";
                let page = self.driver.execute(script, vec![]).await;
                let page = page.ok().and_then(|page| page.convert::<String>().ok()).unwrap_or_default();
                panic!("{what} did not appear: {error}\n{page}");
            }
        }
    }

    /// Closes the window, ends its driver and waits until the program is gone. Now and then the driver ends the page and
    /// leaves the program behind, to which the next start would hand itself over.
    pub(crate) async fn close(self) {
        let programs = children(&self.child.id().to_string());
        self.driver.clone().quit().await.ok();
        // The shell has `kill` built in; as a program it is not everywhere.
        let line = format!("kill {}", programs.join(" "));
        Command::new("sh").args(["-c", &line]).stderr(Stdio::null()).status().unwrap();
        let gone = tokio::time::timeout(PATIENCE, async {
            while programs.iter().any(|program| is_running(program)) {
                tokio::time::sleep(GLANCE).await;
            }
        });
        gone.await.unwrap_or_else(|_| panic!("the program did not end when it was asked to: {programs:?}"));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // With its driver gone the session cannot be ended politely, and trying takes minutes.
        self.driver.clone().leak().ok();
    }
}

/// Whether a process does something; one that has ended may stay listed until its parent looks.
fn is_running(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

/// Starts the program a second time, as a desktop does when a link is clicked; it hands the link over and ends.
pub(crate) fn start_again(home: &Home, bus: &Bus, screen: &Screen, link: &str) {
    let status =
        environment(Command::new(program("stella-operator")), home, bus, screen).arg(link).status().unwrap();
    assert!(status.success(), "the second start ended with {status}");
}

/// What a program on this screen finds around itself, and nothing of the machine's own desktop.
fn environment(mut command: Command, home: &Home, bus: &Bus, screen: &Screen) -> Command {
    let runtime: PathBuf = home.path().join("runtime");
    std::fs::create_dir_all(&runtime).unwrap();
    command
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .env("XDG_RUNTIME_DIR", runtime)
        .env("DISPLAY", &screen.name)
        .env_remove("WAYLAND_DISPLAY")
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .env("STELLA_LEDGER", home.ledger())
        .env_remove("STELLA_TENANT")
        // Without an accessibility bus GTK waits for one.
        .env("NO_AT_BRIDGE", "1")
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env("GDK_BACKEND", "x11")
        .stdout(Stdio::null());
    command
}

async fn connect(port: u16, capabilities: Capabilities) -> WebDriver {
    let address = format!("http://127.0.0.1:{port}");
    let mut last = None;
    for _ in 0..100 {
        let opened = tokio::time::timeout(PATIENCE, WebDriver::new(&address, capabilities.clone())).await;
        match opened.expect("the program was started and showed no window: another one may be running") {
            Ok(driver) => return driver,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(GLANCE).await;
    }
    panic!("WebKitWebDriver did not open the window: {last:?}");
}
