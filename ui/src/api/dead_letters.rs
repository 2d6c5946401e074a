//! The endpoints of the dead letter and of incidents.

use super::client::{Api, Result, with_query};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, Cluster, ClusterFilter, DeadLetter, DeadLetterDetail, DeadLetterExport,
    DeadLetterFilter, DeadLetterStats, ExportDeadLetters, Mute, MuteCause, ReplayDeadLetter, ReplayStarted,
    ResolveDeadLetter, UnmuteCause,
};
use stella_contract::ids::{DeadLetterId, IncidentId};
use stella_contract::incident::{Incident, IncidentFilter, NoteIncident};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};

impl Api {
    /// A page of entries.
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        page: &PageQuery,
    ) -> Result<Page<DeadLetter>> {
        self.get(with_query("/api/v1/deadletter", filter, page)?).await
    }
    /// One entry.
    pub async fn dead_letter(&self, id: &DeadLetterId) -> Result<DeadLetterDetail> {
        self.get(format!("/api/v1/deadletter/{id}")).await
    }
    /// The dead letter in figures.
    pub async fn dead_letter_stats(&self) -> Result<DeadLetterStats> {
        self.get("/api/v1/deadletter/stats".into()).await
    }
    /// A page of causes.
    pub async fn clusters(&self, filter: &ClusterFilter, page: &PageQuery) -> Result<Page<Cluster>> {
        self.get(with_query("/api/v1/deadletter/clusters", filter, page)?).await
    }
    /// Repeats one entry.
    pub async fn replay_dead_letter(
        &self,
        id: &DeadLetterId,
        wish: &ReplayDeadLetter,
        cause: &Cause,
    ) -> Result<ReplayStarted> {
        self.post_json(format!("/api/v1/deadletter/{id}:replay"), wish, cause).await
    }
    /// Closes one entry.
    pub async fn resolve_dead_letter(
        &self,
        id: &DeadLetterId,
        wish: &ResolveDeadLetter,
        cause: &Cause,
    ) -> Result<DeadLetter> {
        self.post_json(format!("/api/v1/deadletter/{id}:resolve"), wish, cause).await
    }
    /// Opens a closed entry again.
    pub async fn reopen_dead_letter(&self, id: &DeadLetterId, cause: &Cause) -> Result<DeadLetter> {
        self.post(format!("/api/v1/deadletter/{id}:reopen"), None, cause).await
    }
    /// Says who looks after an entry.
    pub async fn acknowledge_dead_letter(
        &self,
        id: &DeadLetterId,
        wish: &AcknowledgeDeadLetter,
        cause: &Cause,
    ) -> Result<DeadLetter> {
        self.post_json(format!("/api/v1/deadletter/{id}:acknowledge"), wish, cause).await
    }
    /// Entries as a file.
    pub async fn export_dead_letters(&self, wish: &ExportDeadLetters) -> Result<DeadLetterExport> {
        self.get(with_query("/api/v1/deadletter/export", wish, &())?).await
    }

    /// A page of the causes of which nobody is called.
    pub async fn mutes(&self, page: &PageQuery) -> Result<Page<Mute>> {
        self.get(with_query("/api/v1/deadletter/mutes", &(), page)?).await
    }
    /// Calls nobody of a cause.
    pub async fn mute(&self, wish: &MuteCause, cause: &Cause) -> Result<Mute> {
        self.post_json("/api/v1/deadletter:mute".into(), wish, cause).await
    }
    /// Calls of a cause again.
    pub async fn unmute(&self, wish: &UnmuteCause, cause: &Cause) -> Result<Mute> {
        self.post_json("/api/v1/deadletter:unmute".into(), wish, cause).await
    }

    /// A page of incidents.
    pub async fn incidents(&self, filter: &IncidentFilter, page: &PageQuery) -> Result<Page<Incident>> {
        self.get(with_query("/api/v1/incidents", filter, page)?).await
    }
    /// Says that somebody looks after an incident.
    pub async fn acknowledge_incident(
        &self,
        id: &IncidentId,
        wish: &NoteIncident,
        cause: &Cause,
    ) -> Result<Incident> {
        self.post_json(format!("/api/v1/incidents/{id}:acknowledge"), wish, cause).await
    }
    /// Says that an incident is over.
    pub async fn resolve_incident(
        &self,
        id: &IncidentId,
        wish: &NoteIncident,
        cause: &Cause,
    ) -> Result<Incident> {
        self.post_json(format!("/api/v1/incidents/{id}:resolve"), wish, cause).await
    }
}
