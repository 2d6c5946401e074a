//! Which entries of the dead letter a command is about.

use crate::door::Door;
use crate::failure::Failure;
use crate::source;
use clap::Args;
use stella_contract::dead_letter::{DeadLetterFilter, DeadLetterState, SelectDeadLetters};
use stella_contract::ids::{DeadLetterId, RunId};
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

/// Which entries.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which entries")]
pub(crate) struct Filter {
    /// In this state.
    #[arg(long)]
    state: Option<DeadLetterState>,
    /// Of this category.
    #[arg(long)]
    category: Option<ErrorClass>,
    /// Of this cause.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// Of this job type.
    #[arg(long = "type", alias = "job-type", value_name = "TYPE")]
    job_type: Option<String>,
    /// Of this source, by name or id.
    #[arg(long)]
    source: Option<String>,
    /// Of this run.
    #[arg(long)]
    run: Option<RunId>,
    /// Of this far side.
    #[arg(long)]
    host: Option<String>,
    /// With this code.
    #[arg(long, value_name = "CODE")]
    error_code: Option<String>,
    /// Retryable ones only, or others only.
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    retryable: Option<bool>,
    /// Acknowledged ones only, or others only.
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    acknowledged: Option<bool>,
    /// Looked after by this one.
    #[arg(long)]
    owner: Option<String>,
    /// Dead-lettered then or later.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Micros>,
    /// Dead-lettered before.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Micros>,
    /// With this in its sentence or code.
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

/// One entry, or all that match.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The entries; without any, all that match the filter.
    #[arg(value_name = "ENTRY", conflicts_with = "matching")]
    entries: Vec<DeadLetterId>,
    /// All open ones that match the filter.
    #[arg(long = "all-matching", id = "matching", required_unless_present = "entries")]
    matching: bool,
    /// Only tell what would happen.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The hash of a dry run; without it, one is made and its hash quoted at once.
    #[arg(long, value_name = "HASH")]
    selection_hash: Option<String>,
    #[command(flatten)]
    filter: Filter,
}

pub(super) fn time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected a time like 2026-11-21T14:00:00Z".to_owned())
}

impl Filter {
    pub(super) async fn read(&self, door: &Door) -> Result<DeadLetterFilter, Failure> {
        let source = match &self.source {
            Some(name) => Some(source::found(&door.client, name).await?.source_id),
            None => None,
        };
        Ok(DeadLetterFilter {
            state: self.state,
            category: self.category,
            fingerprint: self.fingerprint.clone(),
            job_type: self.job_type.clone(),
            source,
            run: self.run.clone(),
            host: self.host.clone(),
            error_code: self.error_code.clone(),
            retryable: self.retryable,
            acknowledged: self.acknowledged,
            owner: self.owner.clone(),
            since: self.since,
            until: self.until,
            q: self.q.clone(),
        })
    }
}

impl Which {
    /// The one entry, when exactly one is named and nothing asks for the way of many.
    pub(super) fn one(&self) -> Option<&DeadLetterId> {
        match self.entries.as_slice() {
            [one] if !self.dry_run && self.selection_hash.is_none() => Some(one),
            _ => None,
        }
    }

    pub(super) async fn selection(&self, door: &Door) -> Result<SelectDeadLetters, Failure> {
        if !self.entries.is_empty() {
            return Ok(SelectDeadLetters { ids: Some(self.entries.clone()), filter: None });
        }
        let mut filter = self.filter.read(door).await?;
        filter.state = filter.state.or(Some(DeadLetterState::Open));
        Ok(SelectDeadLetters { ids: None, filter: Some(filter) })
    }

    /// The hash to quote.
    pub(super) async fn hash(
        &self,
        door: &Door,
        selection: &SelectDeadLetters,
    ) -> Result<Option<String>, Failure> {
        if self.dry_run {
            return Ok(None);
        }
        match &self.selection_hash {
            Some(hash) => Ok(Some(hash.clone())),
            None => Ok(Some(door.client.dead_letters().preview(selection).await?.selection_hash)),
        }
    }
}
