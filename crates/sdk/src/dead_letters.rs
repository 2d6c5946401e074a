//! The dead letter (spec 04) and incidents (spec 08 §8.3).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, BatchReplay, BatchResolve, Cluster, DeadLetter, DeadLetterBatch, DeadLetterDetail,
    DeadLetterExport, DeadLetterFilter, DeadLetterPreview, DeadLetterStats, ExportDeadLetters, Mute,
    MuteCause, ReplayDeadLetter, ReplayStarted, ResolveDeadLetter, SelectDeadLetters, UnmuteCause,
};
use stella_contract::ids::{DeadLetterId, IncidentId};
use stella_contract::incident::{Incident, IncidentFilter, NoteIncident};
use stella_contract::page::{Page, PageQuery};

const DEAD_LETTERS: &str = "/api/v1/deadletter";
const INCIDENTS: &str = "/api/v1/incidents";

/// The dead letters of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetters<'a>(&'a Client);

/// The incidents of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Incidents<'a>(&'a Client);

impl Client {
    /// The tenant's dead letters.
    pub fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters(self)
    }
    /// The tenant's incidents.
    pub fn incidents(&self) -> Incidents<'_> {
        Incidents(self)
    }
}

impl<'a> DeadLetters<'a> {
    /// One page of the entries that the filter lets through.
    pub async fn list(self, filter: &DeadLetterFilter, page: &PageQuery) -> Result<Page<DeadLetter>, Error> {
        self.0.get(DEAD_LETTERS, &[filter, page]).await
    }

    /// Every entry that the filter lets through.
    pub fn all(self, filter: DeadLetterFilter) -> Rows<'a, DeadLetter> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One page of the causes, the one with the most entries first.
    pub async fn clusters(self, filter: &DeadLetterFilter, page: &PageQuery) -> Result<Page<Cluster>, Error> {
        self.0.get(&format!("{DEAD_LETTERS}/clusters"), &[filter, page]).await
    }

    /// The dead letter in figures.
    pub async fn stats(self) -> Result<DeadLetterStats, Error> {
        self.0.get(&format!("{DEAD_LETTERS}/stats"), &[]).await
    }

    /// Entries as a file with its manifest.
    pub async fn export(self, wish: &ExportDeadLetters) -> Result<DeadLetterExport, Error> {
        self.0.get(&format!("{DEAD_LETTERS}/export"), &[wish]).await
    }

    /// One entry with payload, repeats and history.
    pub async fn get(self, id: &DeadLetterId) -> Result<DeadLetterDetail, Error> {
        self.0.get(&format!("{DEAD_LETTERS}/{id}"), &[]).await
    }

    /// Repeats an entry's job.
    pub async fn replay(
        self,
        id: &DeadLetterId,
        wish: &ReplayDeadLetter,
        write: &Write,
    ) -> Result<ReplayStarted, Error> {
        self.0.post(&format!("{DEAD_LETTERS}/{id}:replay"), wish, write).await
    }

    /// Closes an entry.
    pub async fn resolve(
        self,
        id: &DeadLetterId,
        wish: &ResolveDeadLetter,
        write: &Write,
    ) -> Result<DeadLetter, Error> {
        self.0.post(&format!("{DEAD_LETTERS}/{id}:resolve"), wish, write).await
    }

    /// Opens a closed entry again.
    pub async fn reopen(self, id: &DeadLetterId, write: &Write) -> Result<DeadLetter, Error> {
        self.0.post_nothing(&format!("{DEAD_LETTERS}/{id}:reopen"), write).await
    }

    /// Says who looks after an entry.
    pub async fn acknowledge(
        self,
        id: &DeadLetterId,
        wish: &AcknowledgeDeadLetter,
        write: &Write,
    ) -> Result<DeadLetter, Error> {
        self.0.post(&format!("{DEAD_LETTERS}/{id}:acknowledge"), wish, write).await
    }

    /// One page of the causes of which nobody is called.
    pub async fn mutes(self, page: &PageQuery) -> Result<Page<Mute>, Error> {
        self.0.get(&format!("{DEAD_LETTERS}/mutes"), &[page]).await
    }

    /// Calls nobody of a cause.
    pub async fn mute(self, wish: &MuteCause, write: &Write) -> Result<Mute, Error> {
        self.0.post(&format!("{DEAD_LETTERS}:mute"), wish, write).await
    }

    /// Calls of a cause again.
    pub async fn unmute(self, wish: &UnmuteCause, write: &Write) -> Result<Mute, Error> {
        self.0.post(&format!("{DEAD_LETTERS}:unmute"), wish, write).await
    }

    /// What a batch would meet, and the hash that its run has to quote.
    pub async fn preview(self, selection: &SelectDeadLetters) -> Result<DeadLetterPreview, Error> {
        self.0.post(&format!("{DEAD_LETTERS}:preview"), selection, &Write::default()).await
    }

    /// Repeats many entries.
    pub async fn batch_replay(self, wish: &BatchReplay, write: &Write) -> Result<DeadLetterBatch, Error> {
        self.0.post(&format!("{DEAD_LETTERS}:batchReplay"), wish, write).await
    }

    /// Closes many entries.
    pub async fn batch_resolve(self, wish: &BatchResolve, write: &Write) -> Result<DeadLetterBatch, Error> {
        self.0.post(&format!("{DEAD_LETTERS}:batchResolve"), wish, write).await
    }
}

impl Incidents<'_> {
    /// One page of the incidents that the filter lets through.
    pub async fn list(self, filter: &IncidentFilter, page: &PageQuery) -> Result<Page<Incident>, Error> {
        self.0.get(INCIDENTS, &[filter, page]).await
    }

    /// One incident.
    pub async fn get(self, id: &IncidentId) -> Result<Incident, Error> {
        self.0.get(&format!("{INCIDENTS}/{id}"), &[]).await
    }

    /// Says that the caller looks after it.
    pub async fn acknowledge(
        self,
        id: &IncidentId,
        wish: &NoteIncident,
        write: &Write,
    ) -> Result<Incident, Error> {
        self.0.post(&format!("{INCIDENTS}/{id}:acknowledge"), wish, write).await
    }

    /// Says that it is over.
    pub async fn resolve(
        self,
        id: &IncidentId,
        wish: &NoteIncident,
        write: &Write,
    ) -> Result<Incident, Error> {
        self.0.post(&format!("{INCIDENTS}/{id}:resolve"), wish, write).await
    }
}
