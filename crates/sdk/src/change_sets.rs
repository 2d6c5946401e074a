//! Change-sets and saved views.

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::change_set::{
    ChangeItem, ChangeSet, ChangeSetFilter, CreateChangeSet, ItemFilter, StartChangeSet,
};
use stella_contract::ids::{ChangeSetId, ViewId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::saved_view::{SaveView, SavedView, UpdateView, ViewFilter};

const CHANGE_SETS: &str = "/api/v1/change-sets";
const VIEWS: &str = "/api/v1/views";

/// The change-sets of a tenant: one verb on many things.
#[derive(Debug, Clone, Copy)]
pub struct ChangeSets<'a>(&'a Client);

/// The saved views of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Views<'a>(&'a Client);

impl Client {
    /// The tenant's change-sets.
    pub fn change_sets(&self) -> ChangeSets<'_> {
        ChangeSets(self)
    }

    /// The tenant's saved views.
    pub fn views(&self) -> Views<'_> {
        Views(self)
    }
}

impl<'a> ChangeSets<'a> {
    /// One page of the change-sets, newest first.
    pub async fn list(self, filter: &ChangeSetFilter, page: &PageQuery) -> Result<Page<ChangeSet>, Error> {
        self.0.get(CHANGE_SETS, &[filter, page]).await
    }

    /// Makes a dry run; nothing else is changed.
    pub async fn create(self, wish: &CreateChangeSet) -> Result<ChangeSet, Error> {
        self.0.post(CHANGE_SETS, wish, &Write::default()).await
    }

    /// One change-set.
    pub async fn get(self, id: &ChangeSetId) -> Result<ChangeSet, Error> {
        self.0.get(&format!("{CHANGE_SETS}/{id}"), &[]).await
    }

    /// One page of its items, in their order.
    pub async fn items(
        self,
        id: &ChangeSetId,
        filter: &ItemFilter,
        page: &PageQuery,
    ) -> Result<Page<ChangeItem>, Error> {
        self.0.get(&format!("{CHANGE_SETS}/{id}/items"), &[filter, page]).await
    }

    /// Every item of it.
    pub fn all_items(self, id: ChangeSetId, filter: ItemFilter) -> Rows<'a, ChangeItem> {
        rows(move |page| {
            let (id, filter) = (id.clone(), filter.clone());
            Box::pin(async move { self.items(&id, &filter, &page).await })
        })
    }

    /// Starts what the dry run showed.
    pub async fn start(
        self,
        id: &ChangeSetId,
        wish: &StartChangeSet,
        write: &Write,
    ) -> Result<ChangeSet, Error> {
        self.0.post(&format!("{CHANGE_SETS}/{id}:start"), wish, write).await
    }

    /// Halts it.
    pub async fn pause(self, id: &ChangeSetId, write: &Write) -> Result<ChangeSet, Error> {
        self.0.post_nothing(&format!("{CHANGE_SETS}/{id}:pause"), write).await
    }

    /// Lets it go on.
    pub async fn resume(self, id: &ChangeSetId, write: &Write) -> Result<ChangeSet, Error> {
        self.0.post_nothing(&format!("{CHANGE_SETS}/{id}:resume"), write).await
    }

    /// Ends it.
    pub async fn cancel(self, id: &ChangeSetId, write: &Write) -> Result<ChangeSet, Error> {
        self.0.post_nothing(&format!("{CHANGE_SETS}/{id}:cancel"), write).await
    }
}

impl<'a> Views<'a> {
    /// One page of the views; those of the product come first.
    pub async fn list(self, filter: &ViewFilter, page: &PageQuery) -> Result<Page<SavedView>, Error> {
        self.0.get(VIEWS, &[filter, page]).await
    }

    /// Every view.
    pub fn all(self, filter: ViewFilter) -> Rows<'a, SavedView> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// Saves a view under a new name.
    pub async fn save(self, wish: &SaveView, write: &Write) -> Result<SavedView, Error> {
        self.0.post(VIEWS, wish, write).await
    }

    /// Gives a view another name or query.
    pub async fn update(self, id: &ViewId, wish: &UpdateView, write: &Write) -> Result<SavedView, Error> {
        self.0.post(&format!("{VIEWS}/{id}:update"), wish, write).await
    }

    /// Forgets a view.
    pub async fn delete(self, id: &ViewId, write: &Write) -> Result<SavedView, Error> {
        self.0.post_nothing(&format!("{VIEWS}/{id}:delete"), write).await
    }
}
