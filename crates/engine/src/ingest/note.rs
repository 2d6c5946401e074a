//! What a reading writes down and tells of its source.

use super::Reading;
use crate::error::Error;
use crate::handlers::Failure;
use crate::journal::{Draft, Journal, Tiding};
use serde_json::{Value, json};
use stella_contract::history::Actor;
use stella_contract::job::Cause;
use stella_contract::time::Micros;
use stella_ledger::sources::{self, SourceFailure};

impl Reading<'_> {
    /// Notes on the source why it could not be read. It is no part of the job: a source that cannot be read says so
    /// even while its job is tried again.
    pub(super) async fn note_failure(&self, failure: &Failure) -> Result<(), Failure> {
        let now = self.engine().now();
        let wait_ms = failure.retry_after_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let mark = SourceFailure {
            source_id: self.source.source_id.clone(),
            code: failure.code.clone(),
            class: failure.class.as_str().to_owned(),
            // It may quote what was read, and that may hold anything.
            message: failure.message.replace(char::is_control, " "),
            not_before: wait_ms.map(|ms| now.plus_ms(ms).0),
            at: now.0,
        };
        let journal = self.journal(
            "orch.source.failed",
            json!({ "errorCode": failure.code, "errorMessage": failure.message }),
        );
        self.engine()
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    sources::fail(tx, &mark).await?;
                    journal(now).leave(tx);
                    Ok::<_, Error>(())
                })
            })
            .await
            .map_err(Failure::from)
    }

    /// What is written down and told of the source.
    pub(super) fn journal(
        &self,
        kind: &'static str,
        data: Value,
    ) -> impl FnOnce(Micros) -> Journal + Send + use<> {
        let write = self.journal_of("source", kind);
        move |now| write(data, now)
    }

    pub(super) fn journal_of(
        &self,
        entity: &'static str,
        kind: &'static str,
    ) -> impl FnOnce(Value, Micros) -> Journal + Send + use<> {
        let (tenant, job_id, correlation_id) =
            (self.tenant.clone(), self.job_id.clone(), self.correlation_id.clone());
        let (source_id, name) = (self.source.source_id.clone(), self.source.name.clone());
        move |mut data, now| {
            let mut journal = Journal::default();
            data["sourceId"] = json!(source_id);
            data["name"] = json!(name);
            journal.enter(
                &tenant,
                Draft {
                    job_id: Some(job_id),
                    run_id: None,
                    entity,
                    kind: kind.to_owned(),
                    from_state: None,
                    to_state: None,
                    attempt: None,
                    lease_epoch: None,
                    actor: Actor { subject: "ingest".to_owned(), scopes: Vec::new() },
                    cause: Cause::default(),
                    correlation_id: correlation_id.clone(),
                    occurred_at: now,
                    data: data.clone(),
                },
            );
            let tiding = Tiding {
                kind: kind.to_owned(),
                entity,
                id: source_id,
                run_id: None,
                correlation_id,
                at: now,
                data,
            };
            journal.tell(&tenant, tiding);
            journal
        }
    }
}
