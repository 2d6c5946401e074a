//! A browser that notes how long pages take, and what it saw of one.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::served::Served;

const SCRIPT: &str = include_str!("page.js");

/// What opening a page took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opened {
    /// Until its data stood.
    pub(crate) ms: f64,
    /// What it asked: path, milliseconds, status.
    pub(crate) asked: Vec<(String, f64, u16)>,
    /// Tasks of more than 50 ms.
    pub(crate) long: Vec<f64>,
}

/// Frames of one movement.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    /// What moved.
    pub(crate) what: String,
    /// How long each frame took, shortest first.
    pub(crate) ms: Vec<f64>,
}

/// The browser, signed in.
pub(crate) struct Visitor {
    browser: Browser,
    base: String,
}

impl Visitor {
    pub(crate) async fn open(served: &Served) -> Self {
        let browser = Browser::open(1440, 900).await;
        browser.driver.set_script_timeout(Duration::from_secs(120)).await.unwrap();
        let script = json!({ "source": SCRIPT });
        browser.driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", script).await.unwrap();
        browser.goto(&served.address).await;
        Self { browser, base: served.base.clone() }
    }

    /// Opens a page in a new document.
    pub(crate) async fn cold(&self, address: &str) -> Opened {
        self.browser.driver.goto(format!("{}{address}", self.base)).await.unwrap();
        let (ms, asked, long) = self.ask("bench.settled(0, arguments[0]);", vec![]).await;
        Opened { ms, asked, long }
    }

    /// Goes to a page from a quiet one, with nothing kept of what was seen before.
    pub(crate) async fn warm(&self, address: &str) -> Opened {
        self.cold(&Route::Settings.path()).await;
        let (ms, asked, long) = self.ask("bench.go(arguments[0], arguments[1]);", vec![json!(address)]).await;
        Opened { ms, asked, long }
    }

    /// How long the first rows of a list take in a new document.
    pub(crate) async fn cold_rows(&self, address: &str) -> f64 {
        self.browser.driver.goto(format!("{}{address}", self.base)).await.unwrap();
        self.ask("bench.firstRow(0, arguments[0]);", vec![]).await
    }

    /// How long they take from a page that is open.
    pub(crate) async fn warm_rows(&self, address: &str) -> f64 {
        self.cold(&Route::Settings.path()).await;
        self.ask("bench.goToRows(arguments[0], arguments[1]);", vec![json!(address)]).await
    }

    /// How long it takes from one view of a list to another one.
    pub(crate) async fn turned(&self, from: &str, to: &str) -> f64 {
        self.cold(from).await;
        let (ms, _, _): (f64, Vec<(String, f64, u16)>, Vec<f64>) =
            self.ask("bench.go(arguments[0], arguments[1]);", vec![json!(to)]).await;
        ms
    }

    /// Moves everything that can be moved on the page that is open.
    pub(crate) async fn frames(&self, count: usize) -> Vec<Frames> {
        let mut all: Vec<Option<(String, Vec<f64>)>> = Vec::new();
        for at in 0..3 {
            let script = "bench.scroll(arguments[0], arguments[1], arguments[2]);";
            all.push(self.ask(script, vec![json!(at), json!(count)]).await);
        }
        all.push(self.ask("bench.zoom(arguments[0], arguments[1]);", vec![json!(count)]).await);
        let sorted = all.into_iter().flatten().map(|(what, mut ms)| {
            ms.sort_by(f64::total_cmp);
            Frames { what, ms }
        });
        sorted.collect()
    }

    /// Pictures of a page in both themes and two sizes, into a folder.
    pub(crate) async fn pictures(&self, address: &str, folder: &Path, name: &str) {
        for (theme, width, height) in
            [("dark", 1440, 900), ("light", 1440, 900), ("dark", 1024, 768), ("light", 1024, 768)]
        {
            let entry = json!({ "theme": theme }).to_string();
            let script = "localStorage.setItem('stella.preferences', arguments[0]);";
            self.browser.driver.execute(script, vec![json!(entry)]).await.unwrap();
            let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
            let tools = self.browser.driver.cdp();
            tools.send_raw("Emulation.setDeviceMetricsOverride", size).await.unwrap();
            self.cold(address).await;
            let png = self.browser.driver.screenshot_as_png().await.unwrap();
            std::fs::write(folder.join(format!("{name}-{width}-{theme}.png")), png).unwrap();
        }
    }

    pub(crate) async fn close(self) {
        self.browser.close().await;
    }

    async fn ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> T {
        self.browser.driver.execute_async(script, arguments).await.unwrap().convert().unwrap()
    }
}
