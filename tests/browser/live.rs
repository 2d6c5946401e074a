//! A core that goes away and comes back while a page is open.

use crate::hand::{ask, see};
use std::process::Command;
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn add_source(home: &Home, name: &str) {
    let list = home.write(&format!("{name}.json"), "{}");
    done(home.stella().args(["source", "add", "--name", name, "--type", "kev", "--location"]).arg(list));
}

fn listed(name: &str) -> String {
    format!("//*[@role='row'][contains(normalize-space(.), {name:?})]")
}

fn state(word: &str) -> String {
    format!("//header//*[@role='status'][contains(normalize-space(.), {word:?})]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_outlives_its_core_and_shows_what_changed_meanwhile() {
    let home = Home::default();
    add_source(&home, "before");
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}{}", served.base, Route::Sources.path())).await;
    see(&browser, &listed("before")).await;
    see(&browser, &state("live")).await;
    let _: Option<bool> = ask(&browser, "window.sameVisit = true; return null;").await;

    let base = served.base.clone();
    served.kill();
    see(&browser, &state("Reconnecting")).await;
    see(&browser, &listed("before")).await;
    add_source(&home, "meanwhile");

    let _served = Served::start_again(&home, true, &base);
    see(&browser, &state("live")).await;
    see(&browser, &listed("meanwhile")).await;
    see(&browser, &listed("before")).await;
    let same: bool = ask(&browser, "return window.sameVisit === true;").await;
    assert!(same, "the page was loaded anew");
    browser.close().await;
}
