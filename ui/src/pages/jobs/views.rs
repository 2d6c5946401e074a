//! The saved views of the jobs list: which one is shown, and whether the filter is still its own.

use super::filter::{asking, text_of};
use crate::pages::saved_views::Standing;
use crate::router::Query;
use stella_contract::saved_view::SavedView;

/// The view an address names, or whose filter it has.
pub(super) fn standing(query: &Query, views: &[SavedView]) -> Standing {
    let text = text_of(query);
    let own = |view: &&SavedView| text_of(&Query::parse(&view.query)) == text;
    let named = query.get("view").and_then(|id| views.iter().find(|view| view.view_id.as_str() == id));
    match named {
        Some(view) => Standing { edited: !own(&view), view: Some(view.clone()) },
        None => {
            let view = views.iter().find(own).filter(|_| !text.is_empty()).cloned();
            Standing { edited: view.is_none() && !text.is_empty(), view }
        }
    }
}

/// The address of a tab.
pub(super) fn opening(query: &Query, tab: &str, views: &[SavedView]) -> Query {
    let bare = asking(query, "").without("view");
    match views.iter().find(|view| view.view_id.as_str() == tab) {
        Some(view) => asking(&bare, &text_of(&Query::parse(&view.query))).with("view", tab),
        None => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::saved_views::ALL;
    use stella_contract::saved_view::system_views;

    #[test]
    fn a_view_is_known_by_its_filter_and_marked_when_the_filter_is_another() {
        let views = system_views();
        let open = views.iter().find(|view| view.name == "Open").unwrap();
        let query = Query::parse("filter=state:pending,queued,leased,running");
        assert_eq!(standing(&query, &views), Standing { view: Some(open.clone()), edited: false });
        let edited = Query::parse("filter=state:pending").with("view", open.view_id.as_str());
        assert_eq!(standing(&edited, &views), Standing { view: Some(open.clone()), edited: true });
        assert_eq!(standing(&Query::default(), &views), Standing { view: None, edited: false });
        assert!(standing(&Query::parse("state=failed"), &views).edited);
    }

    #[test]
    fn a_tab_leads_to_its_filter() {
        let views = system_views();
        let id = views[1].view_id.as_str();
        let query = opening(&Query::parse("state=failed"), id, &views);
        assert_eq!(
            (text_of(&query).as_str(), query.get("view")),
            ("state:pending,queued,leased,running", Some(id))
        );
        assert!(opening(&query, ALL, &views).is_empty());
    }
}
