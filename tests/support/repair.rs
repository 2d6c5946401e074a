//! A run's repair as an operator goes it, in the browser and in the window: planned by its preview, watched, one segment
//! lost to a broken worker, retried, the run retried whole, both compared, the schedule paused.

use crate::door::Door;
use crate::fixtures;
use crate::hand::{dialog_closed, fill, press, push, read, see, see_within};
use crate::served::Home;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use stella_contract::route::Route;
use thirtyfour::prelude::*;

/// A failed segment rests for a minute.
const COOLDOWN: Duration = Duration::from_secs(90);
/// Two segments for each of four shards.
const TARGETS: usize = 40;

const DRAWER: &str = "//aside[starts-with(@aria-label, 'Run run:')]";
const COMPLETED: &str = "//aside[starts-with(@aria-label, 'Run run:')]//*[contains(@class, 'pill')][normalize-space(.)='completed']";

/// Where the journey goes: the page, and what its addresses begin with.
pub struct Repair<'a> {
    driver: &'a WebDriver,
    base: String,
    /// What a worker asks with; in the window it needs none.
    worker: Option<String>,
    /// Where pictures go, and what their names begin with.
    pictures: Option<(PathBuf, &'static str)>,
}

impl<'a> Repair<'a> {
    /// A page that is signed in; `STELLA_PICTURES=<folder>` takes a picture of each station in both themes.
    pub fn on(driver: &'a WebDriver, base: &str, worker: Option<String>, name: &'static str) -> Self {
        let pictures = std::env::var_os("STELLA_PICTURES").map(|folder| (PathBuf::from(folder), name));
        if let Some((folder, _)) = &pictures {
            std::fs::create_dir_all(folder).unwrap();
        }
        Self { driver, base: base.to_owned(), worker, pictures }
    }

    fn door(&self) -> Door<'_> {
        Door::of(self.driver)
    }

    /// Goes all of it.
    pub async fn walk(&self, home: &Home) {
        self.driver.set_script_timeout(Duration::from_secs(30)).await.unwrap();
        self.fill_ledger(home).await;
        let local = self.local_worker().await;
        self.door().post(&format!("/api/v1/workers/{local}:drain"), json!({})).await;
        let floor = self.door().bearing(self.worker.as_deref());
        let hands = Hands::register(floor).await;

        let run = self.plan().await;
        self.watch(&run).await;
        hands.break_one(floor).await;
        self.see_it_fail().await;
        self.retry_segment(&run).await;
        self.door().post(&format!("/api/v1/workers/{local}:resume"), json!({})).await;
        see_within(self.driver, COMPLETED, COOLDOWN).await;
        self.picture("repaired").await;

        let again = self.retry_whole(&run).await;
        self.compare(&run, &again).await;
        self.pause().await;
    }

    /// A feed, targets that it is about, and a schedule.
    async fn fill_ledger(&self, home: &Home) {
        let feed = home.write("feed/records.ndjson", &fixtures::feed());
        let add = json!({"name": "feed", "sourceType": "advisory", "location": feed.to_str().unwrap()});
        let source = self.door().post("/api/v1/sources", add).await;
        let id = source["sourceId"].as_str().unwrap();
        self.door().post(&format!("/api/v1/sources/{id}:run"), json!({})).await;
        for number in 0..TARGETS {
            let name = format!("service-{number:02}");
            let sbom = fixtures::sbom(&name, "1.0", &[("quill", "2.0.6"), ("lantern", "1.3")]);
            self.door().post(&format!("/api/v1/sboms?name={name}"), json!(sbom)).await;
        }
        let plan = json!({"name": "nightly", "cron": "30 2 * * *", "timezone": "Europe/Sofia", "mode": "analysis-only"});
        self.door().post("/api/v1/schedules", plan).await;
        // Read before the worker of the process is sent to rest.
        self.visit("/ops/operations/sources").await;
        see(self.driver, "//*[@role='row'][contains(., 'feed')][contains(., 'healthy')]").await;
    }

    async fn local_worker(&self) -> String {
        let workers = self.door().get("/api/v1/workers").await;
        let local = workers["items"].as_array().unwrap().iter().find(|one| one["name"] == "local");
        local.unwrap()["workerId"].as_str().unwrap().to_owned()
    }

    /// A new run, previewed before it is started; answers with its id.
    async fn plan(&self) -> String {
        self.visit(&Route::Runs.path()).await;
        read(self.driver, "No runs yet").await;
        press(self.driver, "n").await;
        push(self.driver, "Preview impact").await;
        read(self.driver, &format!("Start run over {TARGETS} targets")).await;
        self.picture("preview").await;
        fill(self.driver, "Reason", "after the night's feed").await;
        push(self.driver, "Start run over").await;
        dialog_closed(self.driver).await;
        self.open_run().await
    }

    /// The id of the run whose drawer is open.
    async fn open_run(&self) -> String {
        let label = see(self.driver, DRAWER).await.attr("aria-label").await.unwrap().unwrap();
        label.trim_start_matches("Run ").to_owned()
    }

    async fn watch(&self, run: &str) {
        // Nobody takes its segments yet.
        see(self.driver, &format!("{DRAWER}//*[contains(@class, 'pill')][normalize-space(.)='queued']"))
            .await;
        see(self.driver, "//a[@aria-label='Open stream']").await.click().await.unwrap();
        see(self.driver, &format!("//h1[contains(normalize-space(.), '{}')]", tail(run))).await;
        see(self.driver, "//section[@aria-label='Segments']//h2[contains(., 'segments')]").await;
    }

    async fn see_it_fail(&self) {
        let cell = "//*[local-name()='title'][contains(., 'failed')]";
        see(self.driver, cell).await;
        read(self.driver, "failed for good: The worker lost its disk").await;
        self.picture("stream").await;
    }

    async fn retry_segment(&self, run: &str) {
        self.visit(&format!("{}?show=segments", run_page(run))).await;
        let row = format!("{DRAWER}//*[@role='row'][contains(., 'failed')]");
        see(self.driver, &format!("{row}[contains(., 'rests')]")).await;
        self.picture("segments").await;
        let retry = format!("{row}//button[starts-with(normalize-space(.), 'Retry') and not(@disabled)]");
        see_within(self.driver, &retry, COOLDOWN).await.click().await.unwrap();
        fill(self.driver, "Reason", "the disk is back").await;
        push(self.driver, "Retry segment").await;
        dialog_closed(self.driver).await;
        read(self.driver, "Segment started again").await;
    }

    /// The whole run once more; answers with the id of the new one.
    async fn retry_whole(&self, run: &str) -> String {
        let retry = "//div[contains(@class, 'drawer-head')]//button[starts-with(normalize-space(.), 'Retry') and not(@disabled)]";
        see(self.driver, retry).await.click().await.unwrap();
        fill(self.driver, "Reason", "to be sure").await;
        push(self.driver, "Retry run").await;
        dialog_closed(self.driver).await;
        let other = format!("//aside[starts-with(@aria-label, 'Run run:') and @aria-label!='Run {run}']");
        see_within(self.driver, &other, COOLDOWN).await;
        see_within(self.driver, COMPLETED, COOLDOWN).await;
        self.picture("retried").await;
        self.open_run().await
    }

    async fn compare(&self, run: &str, again: &str) {
        let link = format!("{DRAWER}//a[normalize-space(.)='Compare']");
        see(self.driver, &link).await.click().await.unwrap();
        see(self.driver, "//h1[normalize-space(.)='Run diff']").await;
        for id in [run, again] {
            read(self.driver, tail(id)).await;
        }
        self.picture("diff").await;
        for (tab, words) in [("Segments", "same"), ("Findings", "No finding differs")] {
            see(self.driver, &format!("//*[@role='tab'][contains(., '{tab}')]")).await.click().await.unwrap();
            read(self.driver, words).await;
            self.picture(&format!("diff-{}", tab.to_lowercase())).await;
        }
    }

    async fn pause(&self) {
        self.visit(&Route::Schedules.path()).await;
        let row = "//*[@role='row'][.//*[@role='cell' or @role='gridcell']][contains(., 'nightly')]";
        see(self.driver, row).await.click().await.unwrap();
        push(self.driver, "Pause…").await;
        see(self.driver, "//dialog[@open]//*[@data-part='earliest']").await;
        fill(self.driver, "Reason", "the registry is being moved").await;
        fill(self.driver, "Ticket", "OPS-4390").await;
        self.picture("pause").await;
        push(self.driver, "Pause schedule").await;
        dialog_closed(self.driver).await;
        see(self.driver, &format!("{row}[contains(., 'paused by')]")).await;
        self.picture("schedules").await;
    }

    /// Opens a page by its address.
    async fn visit(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
        see(self.driver, "/html[@data-ready='true']").await;
    }

    /// A picture of what is seen now, in both themes.
    async fn picture(&self, station: &str) {
        let Some((folder, name)) = &self.pictures else { return };
        for theme in ["light", "dark"] {
            let script = format!("document.documentElement.dataset.theme = '{theme}';");
            self.driver.execute(&script, vec![]).await.unwrap();
            let png = self.driver.screenshot_as_png().await.unwrap();
            std::fs::write(folder.join(format!("{name}-{station}-{theme}.png")), png).unwrap();
        }
    }
}

/// A worker that takes segments and ends none of them well.
struct Hands(String);

impl Hands {
    async fn register(door: Door<'_>) -> Self {
        let wish = json!({"name": "broken-1", "version": "1", "hostname": "rack-7.example",
                          "jobTypes": ["scan.segment"], "concurrency": 16});
        let known = door.post("/api/v1/worker/register", wish).await;
        Self(known["workerId"].as_str().unwrap().to_owned())
    }

    /// Takes what is queued, loses one segment for good and gives the others back.
    async fn break_one(&self, door: Door<'_>) {
        let wish = json!({"workerId": self.0, "max": 16, "waitS": 10});
        let claimed = door.post("/api/v1/worker/claim", wish).await;
        let leases = claimed["leases"].as_array().unwrap();
        assert!(leases.len() > 1, "one is lost and the others wait: {claimed}");
        for (at, lease) in leases.iter().enumerate() {
            let (place, epoch) = (lease["leaseId"].as_str().unwrap(), &lease["leaseEpoch"]);
            let say = async |verb: &str, mut body: Value| {
                body["leaseEpoch"] = epoch.clone();
                door.post(&format!("/api/v1/worker/leases/{place}:{verb}"), body).await
            };
            if at == 0 {
                say("ack", json!({})).await;
                let lost = json!({"category": "validation", "code": "DISK_LOST", "retryable": false,
                                  "message": "The worker lost its disk. Put it back."});
                say("fail", lost).await;
            } else {
                say("release", json!({"reason": "its disk is gone"})).await;
            }
        }
    }
}

fn run_page(run: &str) -> String {
    Route::Run(run.parse().unwrap()).path()
}

/// What tells a run from the others in a title.
fn tail(run: &str) -> &str {
    run.rsplit(':').next().unwrap_or(run)
}
