//! Keyset pages: a total order with the id as last key, an opaque token, no hidden cap (spec 09 §9.2).

use serde::{Deserialize, Serialize};

/// Rows per page when nothing is asked.
pub const DEFAULT_SIZE: u32 = 50;
/// The most rows one page may hold.
pub const MAX_SIZE: u32 = 500;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows, in the documented order of the list.
    pub items: Vec<T>,
    /// Hand back as `page_token` for the rows after these; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// How many rows match the filter, counted in the same snapshot as the rows; absent where there are too many to
    /// count for every page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_estimate: Option<u64>,
}

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageQuery {
    /// The token of the page before; absent for the first. `continuationToken` is accepted too.
    #[serde(default, alias = "continuationToken", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]+$"))]
    pub page_token: Option<String>,
    /// Rows wanted, 1 to 500. `limit` is accepted too.
    #[serde(default, alias = "limit", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 500))]
    pub page_size: Option<u32>,
}

impl PageQuery {
    /// The size to use: 50 when absent, kept within 1 to 500.
    pub fn size(&self) -> u32 {
        self.page_size.unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE)
    }
}
