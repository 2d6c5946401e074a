//! Old bookmarks lead to the new pages, with query and fragment.

use stella_tests::chromium::Browser;
use stella_tests::served::{Home, Served};

/// One address per alias pattern of the execution operations, and two of the runs workspace.
const OLD_AND_NEW: &[(&str, &str)] = &[
    ("/ops/jobengine/jobs", "/ops/operations/jobengine/jobs"),
    ("/ops/scheduler/runs", "/ops/operations/scheduler/runs"),
    ("/ops/scanner", "/ops/scanner-ops"),
    ("/ops/scanner/baselines", "/ops/scanner-ops/baselines"),
    ("/platform-ops/jobengine/quotas", "/ops/operations/jobengine/quotas"),
    ("/platform-ops/scheduler/workers", "/ops/operations/scheduler/workers"),
    ("/platform-ops/scanner-ops/offline-kits", "/ops/scanner-ops/offline-kits"),
    ("/platform/ops/jobengine", "/ops/operations/jobengine"),
    ("/platform/ops/scheduler/schedules", "/ops/operations/scheduler/schedules"),
    ("/platform/ops/dead-letter/queue", "/ops/operations/dead-letter/queue"),
    ("/console/runs", "/ops/operations/scheduler/runs"),
];

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
