//! A run that loses a segment, repaired in the browser.

use stella_tests::chromium::Browser;
use stella_tests::repair::Repair;
use stella_tests::served::{Home, Served};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_lost_a_segment_is_repaired_repeated_and_compared() {
    let home = Home::default();
    let make = ["token", "create", "--name", "broken-1", "--scope", "orch:read,worker"];
    let made = home.stella().args(make).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let worker = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    Repair::on(&browser, &served.base, Some(worker), "browser").walk(&home).await;
    browser.close().await;
}
