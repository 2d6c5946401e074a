//! Old bookmarks lead to the new pages in the window as well.

use crate::app::{App, Screen};
use crate::bus::Bus;
use stella_tests::aliases::OLD_AND_NEW;
use stella_tests::served::Home;

#[tokio::test]
async fn every_old_address_leads_to_its_page_in_the_window_with_query_and_fragment() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    let app = App::open(&home, &bus, &screen, &[]).await;
    for (old, new) in OLD_AND_NEW {
        app.visit(&format!("{old}?state=failed&q=a%20b#row-7")).await;
        app.arrives_at(&format!("{new}?state=failed&q=a%20b#row-7")).await;
    }
    app.close().await;
}
