//! A list of very many jobs: every row can be reached, few are in the document.

use crate::hand::{ask, see};
use stella_contract::route::Route;
use stella_tests::chromium::Browser;
use stella_tests::many;
use stella_tests::served::{Home, Served};

/// Jobs in the list; `STELLA_LARGE=1` makes it as long as the interface promises to carry.
fn count() -> usize {
    if std::env::var_os("STELLA_LARGE").is_some() { 100_000 } else { 2_000 }
}

/// Rows drawn at most, whatever is loaded.
const DRAWN: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_scrolled_to_its_end_with_few_rows_in_the_document() {
    let home = Home::default();
    let served = Served::start(&home, true);
    let client = many::signed_in(&served).await;
    many::submit(&client, count(), 16).await;
    // The token of the address is used up; the page gets its own.
    let again = served.base.clone();
    served.kill();
    let served = Served::start_again(&home, true, &again);
    let browser = Browser::open(1440, 900).await;
    browser.goto(&served.address).await;
    browser.goto(&format!("{}{}", served.base, Route::Jobs.path())).await;
    see(&browser, "//*[@role='row'][contains(., 'demo.waiting')]").await;

    // To the end again and again; each time the rows after it are fetched, until there are none.
    let end = "const list = document.querySelector('.vt'); list.scrollTop = list.scrollHeight; \
               const rows = [...list.querySelectorAll('.vt-sheet > [role=row]')]; \
               return [rows.length, Math.max(0, ...rows.map(row => +row.getAttribute('aria-rowindex') - 1))];";
    let mut last = 0;
    while last < count() {
        let (drawn, seen): (usize, usize) = ask(&browser, end).await;
        assert!(drawn < DRAWN, "{drawn} rows are in the document at row {seen}");
        if seen > last {
            last = seen;
            continue;
        }
        let further = format!("//*[@role='row'][number(@aria-rowindex) > {}]", last + 1);
        see(&browser, &further).await;
    }
    assert_eq!(last, count());
    browser.close().await;
}
