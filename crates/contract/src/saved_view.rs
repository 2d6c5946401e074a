//! A saved view: a page and its query under a name, kept in the ledger and shared by the tenant.

use crate::ids::ViewId;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The longest name, in characters.
pub const NAME_MAX: usize = 80;
/// The longest query, in bytes.
pub const QUERY_MAX: usize = 4_000;

words! {
    /// A page that has views.
    ViewPage {
        /// The jobs.
        Jobs = "jobs",
        /// The dead-letter queue.
        DeadLetter = "dead_letter",
        /// The runs.
        Runs = "runs",
        /// The findings.
        Findings = "findings",
        /// The sources.
        Sources = "sources",
    }
}

words! {
    /// Where a view comes from.
    ViewOrigin {
        /// It comes with the product and stays as it is.
        System = "system",
        /// An operator saved it.
        Operator = "operator",
    }
}

/// A saved view. Order of lists: those of the product first, then by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    /// Its id.
    pub view_id: ViewId,
    /// The page it is a view of.
    pub page: ViewPage,
    /// Its name, unique on its page.
    pub name: String,
    /// The query of the page's address, as in `filter=state:failed`.
    pub query: String,
    /// Where it comes from.
    pub origin: ViewOrigin,
    /// Who saved it; absent for those of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it was last saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Micros>,
    /// Rises with every change.
    pub version: i64,
}

/// Saves a view under a new name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveView {
    /// The page.
    pub page: ViewPage,
    /// 1 to 80 characters, unique on its page.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
        )
    )]
    pub name: String,
    /// The query of the page's address, at most 4,000 bytes.
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 4_000, pattern = "^(?!\\?)[^\\x00-\\x1f\\x7f-\\x9f]*$")
    )]
    pub query: String,
}

/// Changes a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateView {
    /// The version that was read; another one is refused with `VERSION_MISMATCH`.
    pub version: i64,
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
        )
    )]
    pub name: Option<String>,
    /// A new query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 4_000, pattern = "^(?!\\?)[^\\x00-\\x1f\\x7f-\\x9f]*$")
    )]
    pub query: Option<String>,
}

/// Which views are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ViewFilter {
    /// Of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<ViewPage>,
}

/// The views that come with the product: page, name and query.
const SYSTEM: &[(ViewPage, &str, &str)] = &[
    (ViewPage::Jobs, "Last 24 h", "filter=age:<24h"),
    (ViewPage::Jobs, "Open", "filter=state:pending,queued,leased,running"),
    (
        ViewPage::Jobs,
        "Held by a limit",
        "filter=wait:quota_max_active,quota_max_per_hour,rate_limited,breaker_open,blackout,backpressure",
    ),
    (ViewPage::Jobs, "Stuck", "filter=state:leased,running age:>1h"),
    (ViewPage::Jobs, "Failed today", "filter=state:failed,timed_out age:<24h"),
    (ViewPage::Jobs, "Blocked downstream", "filter=wait:dependency,upstream_failed"),
];

/// The views that come with the product, in their order.
pub fn system_views() -> Vec<SavedView> {
    let numbered = (1..).zip(SYSTEM);
    numbered
        .map(|(number, (page, name, query))| SavedView {
            view_id: ViewId::from_uuid(&format!("00000000-0000-7000-8000-{number:012x}")),
            page: *page,
            name: (*name).to_owned(),
            query: (*query).to_owned(),
            origin: ViewOrigin::System,
            owner: None,
            updated_at: None,
            version: 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_views_of_the_product_have_sound_ids_and_names_of_their_own() {
        let views = system_views();
        for (at, view) in views.iter().enumerate() {
            assert!(view.view_id.as_str().parse::<ViewId>().is_ok(), "{}", view.view_id);
            assert!(views[at + 1..].iter().all(|other| other.name != view.name), "{}", view.name);
        }
    }
}
