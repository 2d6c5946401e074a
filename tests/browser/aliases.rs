//! Old bookmarks lead to the new pages, with query and fragment.

use stella_tests::aliases::OLD_AND_NEW;
use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};

#[tokio::test]
async fn every_old_address_leads_to_its_page_with_query_and_fragment() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    for (old, new) in OLD_AND_NEW {
        browser.goto(&format!("{}{old}?state=failed&q=a%20b#row-7", served.base)).await;
        assert_eq!(browser.location().await, format!("{new}?state=failed&q=a%20b#row-7"), "{old}");
    }
    browser.close().await;
}

#[tokio::test]
async fn back_leaves_a_redirected_page_at_once() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}/settings", served.base)).await;
    browser.goto(&format!("{}/ops/jobengine/jobs?state=failed", served.base)).await;
    browser.driver.back().await.unwrap();
    browser.settled().await;
    assert_eq!(browser.location().await, "/settings");
    browser.close().await;
}
