//! A run that loses a segment, repaired in the window.

use crate::app::{App, Screen};
use crate::bus::Bus;
use stella_tests::repair::Repair;
use stella_tests::served::Home;

#[tokio::test]
async fn a_run_that_lost_a_segment_is_repaired_repeated_and_compared_in_the_window() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    let app = App::open(&home, &bus, &screen, &[]).await;
    Repair::on(&app.driver, "tauri://localhost", None, "window").walk(&home).await;
    app.close().await;
}
