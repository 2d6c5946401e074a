//! A headless Chromium under WebDriver, one driver per test.

use crate::family::Family;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;

/// A browser and its driver.
pub struct Browser {
    /// For everything a person can do.
    pub driver: WebDriver,
    _chromedriver: Family,
    _profile: TempDir,
}

impl Browser {
    /// Starts both, with a window of this size.
    pub async fn open(width: u32, height: u32) -> Self {
        // Sandboxes and crash reporters need rights that a test machine may not give.
        rustls::crypto::ring::default_provider().install_default().ok();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let chromedriver =
            Family::start(&mut command).expect("chromedriver is installed (package chromium-driver)");
        let profile = tempfile::tempdir().unwrap();
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--force-color-profile=srgb",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities.add_arg(&format!("--window-size={width},{height}")).unwrap();
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        let driver = connect(port, capabilities.into()).await;
        Self { driver, _chromedriver: chromedriver, _profile: profile }
    }

    /// Opens an address and waits until the page says that its first data stands.
    pub async fn goto(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
        self.settled().await;
    }

    /// Waits for the mark that the first data stands.
    pub async fn settled(&self) {
        self.find("html[data-ready='true']").await;
    }

    /// Waits for an element by its CSS selector.
    pub async fn find(&self, selector: &str) -> WebElement {
        self.wait(By::Css(selector.to_owned()), selector).await
    }

    /// Waits for an element that holds this text.
    pub async fn find_text(&self, text: &str) -> WebElement {
        let path = format!("//*[contains(normalize-space(text()), {text:?})]");
        self.wait(By::XPath(path), text).await
    }

    /// Waits for a button or link with this name.
    pub async fn find_named(&self, name: &str) -> WebElement {
        let path = format!(
            "//*[(self::button or self::a or @role='button' or @role='tab' or @role='link') and \
             (contains(normalize-space(.), {name:?}) or @aria-label={name:?})]"
        );
        self.wait(By::XPath(path), name).await
    }

    async fn wait(&self, by: By, what: &str) -> WebElement {
        let found =
            self.driver.query(by).wait(Duration::from_secs(20), Duration::from_millis(50)).first().await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let place = self.driver.current_url().await.map(|url| url.to_string()).unwrap_or_default();
                let text = match self.driver.find(By::Css("body")).await {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(_) => String::new(),
                };
                panic!("{what} did not appear at {place}: {error}\nThe page says:\n{text}");
            }
        }
    }

    /// Path, query and fragment that the page stands at.
    pub async fn location(&self) -> String {
        let script = "return location.pathname + location.search + location.hash;";
        self.driver.execute(script, vec![]).await.unwrap().convert().unwrap()
    }

    /// Ends both.
    pub async fn close(self) {
        self.driver.clone().quit().await.ok();
    }
}

/// Whatever a hand does, it does through the driver.
impl std::ops::Deref for Browser {
    type Target = WebDriver;
    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With its driver gone the session cannot be ended politely, and trying takes minutes.
        self.driver.clone().leak().ok();
    }
}

async fn connect(port: u16, capabilities: Capabilities) -> WebDriver {
    let address = format!("http://127.0.0.1:{port}");
    let mut last = None;
    for _ in 0..100 {
        match WebDriver::new(&address, capabilities.clone()).await {
            Ok(driver) => return driver,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("chromedriver did not answer: {last:?}");
}
