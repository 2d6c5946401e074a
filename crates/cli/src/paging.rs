//! How much of a list is wanted.

use clap::Args;
use stella_contract::page::{MAX_SIZE, Page, PageQuery};
use stella_sdk::Error;

/// How much of a list is wanted: one page, or all of it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pages")]
pub(crate) struct Paging {
    /// Every page, one after the other.
    #[arg(long, conflicts_with_all = ["page_token", "page_size"])]
    all: bool,
    /// Rows per page, 1 to 500; 50 when absent.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SIZE)))]
    page_size: Option<u32>,
    /// The page after the one that gave this token.
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
}

impl Paging {
    /// Reads the page, or all of them as if they were one.
    pub(crate) async fn read<T>(
        &self,
        list: impl AsyncFn(PageQuery) -> Result<Page<T>, Error>,
    ) -> Result<Page<T>, Error> {
        if !self.all {
            return list(PageQuery { page_token: self.page_token.clone(), page_size: self.page_size }).await;
        }
        let mut whole = list(PageQuery { page_token: None, page_size: Some(MAX_SIZE) }).await?;
        while let Some(token) = whole.next_page_token.take() {
            let next = list(PageQuery { page_token: Some(token), page_size: Some(MAX_SIZE) }).await?;
            whole.items.extend(next.items);
            whole.next_page_token = next.next_page_token;
        }
        Ok(whole)
    }
}
