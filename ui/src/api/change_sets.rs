//! The endpoints of change-sets and of saved views.

use super::client::{Api, Result, with_query};
use stella_contract::change_set::{
    ChangeItem, ChangeSet, ChangeSetFilter, CreateChangeSet, ItemFilter, StartChangeSet,
};
use stella_contract::ids::{ChangeSetId, ViewId};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::saved_view::{SaveView, SavedView, UpdateView, ViewFilter};

/// What an operator may ask of a change-set that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetVerb {
    /// Halts it.
    Pause,
    /// Lets it go on.
    Resume,
    /// Ends it.
    Cancel,
}

impl ChangeSetVerb {
    /// As the address and the command line spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

impl Api {
    /// A page of change-sets.
    pub async fn change_sets(&self, filter: &ChangeSetFilter, page: &PageQuery) -> Result<Page<ChangeSet>> {
        self.get(with_query("/api/v1/change-sets", filter, page)?).await
    }
    /// Makes a dry run.
    pub async fn create_change_set(&self, wish: &CreateChangeSet) -> Result<ChangeSet> {
        self.post_json("/api/v1/change-sets".into(), wish, &Cause::default()).await
    }
    /// One change-set.
    pub async fn change_set(&self, id: &ChangeSetId) -> Result<ChangeSet> {
        self.get(format!("/api/v1/change-sets/{id}")).await
    }
    /// A page of its items.
    pub async fn change_items(
        &self,
        id: &ChangeSetId,
        filter: &ItemFilter,
        page: &PageQuery,
    ) -> Result<Page<ChangeItem>> {
        self.get(with_query(&format!("/api/v1/change-sets/{id}/items"), filter, page)?).await
    }
    /// Starts what the dry run showed.
    pub async fn start_change_set(
        &self,
        id: &ChangeSetId,
        wish: &StartChangeSet,
        cause: &Cause,
    ) -> Result<ChangeSet> {
        self.post_json(format!("/api/v1/change-sets/{id}:start"), wish, cause).await
    }
    /// Halts it, lets it go on or ends it.
    pub async fn steer_change_set(
        &self,
        id: &ChangeSetId,
        verb: ChangeSetVerb,
        cause: &Cause,
    ) -> Result<ChangeSet> {
        self.post(format!("/api/v1/change-sets/{id}:{}", verb.as_str()), None, cause).await
    }

    /// A page of saved views.
    pub async fn views(&self, filter: &ViewFilter, page: &PageQuery) -> Result<Page<SavedView>> {
        self.get(with_query("/api/v1/views", filter, page)?).await
    }
    /// Saves a view under a new name.
    pub async fn save_view(&self, wish: &SaveView) -> Result<SavedView> {
        self.post_json("/api/v1/views".into(), wish, &Cause::default()).await
    }
    /// Changes a view.
    pub async fn update_view(&self, id: &ViewId, wish: &UpdateView) -> Result<SavedView> {
        self.post_json(format!("/api/v1/views/{id}:update"), wish, &Cause::default()).await
    }
    /// Forgets a view.
    pub async fn delete_view(&self, id: &ViewId) -> Result<SavedView> {
        self.post(format!("/api/v1/views/{id}:delete"), None, &Cause::default()).await
    }
}
