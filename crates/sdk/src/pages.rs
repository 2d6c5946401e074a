//! Every row of a list, page after page.

use crate::error::Error;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use stella_contract::page::{MAX_SIZE, Page, PageQuery};

/// The rows of a list; the next page is read when the last one is used up.
pub type Rows<'a, T> = BoxStream<'a, Result<T, Error>>;

/// Walks the pages that `read` gives.
pub(crate) fn rows<'a, T: Send + 'a>(
    read: impl Fn(PageQuery) -> BoxFuture<'a, Result<Page<T>, Error>> + Send + 'a,
) -> Rows<'a, T> {
    let first = Some(PageQuery { page_token: None, page_size: Some(MAX_SIZE) });
    let pages = futures::stream::try_unfold((read, first), |(read, wanted)| async move {
        let Some(wanted) = wanted else { return Ok(None) };
        let page = read(wanted).await?;
        let next = page.next_page_token;
        let next = next.map(|token| PageQuery { page_token: Some(token), page_size: Some(MAX_SIZE) });
        Ok::<_, Error>(Some((page.items, (read, next))))
    });
    pages.map_ok(|items| futures::stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
}

/// All rows in memory.
pub async fn collect_all<T>(rows: Rows<'_, T>) -> Result<Vec<T>, Error> {
    rows.try_collect().await
}
