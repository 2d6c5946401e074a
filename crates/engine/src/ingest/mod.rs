//! Reading sources: the handlers of `ingest.advisory`, `ingest.kev`, `ingest.sbom`, `ingest.vex` and `ingest.epss`.
//!
//! Each fetches, reads what is good, notes what is bad, compares with last time and leaves the change to the
//! transaction that completes the job. A feed that came empty or lost more than half is refused, because absent is not
//! clean, unless somebody forces it and says why.

mod advisory;
mod epss;
mod inspect;
mod keep;
mod kev;
mod merge;
mod note;
mod order;
mod said;
mod sbom;
mod vex;
pub(crate) mod window;

pub(crate) use inspect::inspect;
pub(crate) use order::IngestOrder;

use crate::coverage::{plus_s, whole_ms};
use crate::engine::Engine;
use crate::error::Error;
use crate::fetch::{Content, FetchError, Fetched, Known, Location};
use crate::handlers::{Done, Failure, Handler, JobContext};
use crate::ingest::keep::Times;
use crate::ingest::window::{Asked, is_windowed, placed};
use crate::sources::settings;
use crate::triggers::Touched;
use crate::watermarks;
use crate::work::Lease;
use async_trait::async_trait;
use serde_json::{Value, json};
use stella_contract::error::Code;
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::{ErrorClass, Job};
use stella_contract::source::{IngestReport, RecordProblem, SourceType};
use stella_contract::time::Micros;
use stella_evaluator::{RecordCode, RecordError};
use stella_ledger::sources::{SourceRead, SourceRow};
use stella_ledger::{LedgerError, advisories};

/// What a reading changes.
#[derive(Debug)]
pub(super) struct Change<T> {
    /// Records that were not there.
    added: Vec<T>,
    /// Records that were there and differ.
    changed: Vec<T>,
    /// Records that are gone.
    removed: Vec<String>,
    /// Records that were not seen and stay, because something could not be read.
    kept: i64,
    /// Records there are afterwards.
    total: i64,
}

impl<T> Default for Change<T> {
    fn default() -> Self {
        Self { added: Vec::new(), changed: Vec::new(), removed: Vec::new(), kept: 0, total: 0 }
    }
}

impl<T> Change<T> {
    fn is_none(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn count(&self, report: &mut IngestReport) {
        report.added = self.added.len() as i64;
        report.changed = self.changed.len() as i64;
        report.removed = self.removed.len() as i64;
        report.unchanged = self.is_none();
        if self.kept > 0 {
            report.warnings.push(format!(
                "{} records of last time were not seen and stay, because {} could not be read.",
                self.kept, report.refused
            ));
        }
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    class: ErrorClass,
    message: String,
}

impl Refusal {
    fn of(file: &str, error: &RecordError) -> Self {
        let class = match error.code {
            RecordCode::SchemaMismatch | RecordCode::Unsupported => ErrorClass::SchemaMismatch,
            RecordCode::TooLarge => ErrorClass::Validation,
            RecordCode::ParseError
            | RecordCode::DuplicateId
            | RecordCode::Empty
            | RecordCode::NoPurl
            | RecordCode::UnknownEcosystem => ErrorClass::ParseError,
        };
        Self { class, message: format!("{file}: {error}") }
    }
}

/// A problem with one record, as reports list it.
fn problem(file: &str, error: &RecordError) -> RecordProblem {
    let file = match error.file.as_str() {
        "" => file.to_owned(),
        inner => format!("{file}, {inner}"),
    };
    RecordProblem {
        file,
        path: error.path.clone(),
        code: error.code.as_str().to_owned(),
        message: error.message.clone(),
    }
}

/// One reading of one source.
pub(super) struct Reading<'r> {
    ctx: &'r JobContext,
    tenant: Tenant,
    job_id: JobId,
    correlation_id: String,
    source: SourceRow,
    source_type: SourceType,
    location: Location,
    asked: Asked,
    is_forced: bool,
    /// What is left to be read of the same wish when this window is read.
    next: Option<Next>,
}

/// The job that reads on, should the watermark not be where the wish wants it.
#[derive(Debug, Clone)]
pub(super) struct Next {
    until: Micros,
    job: Job,
    order: IngestOrder,
}

/// Reads sources.
pub(crate) struct Ingest;

#[async_trait]
impl Handler for Ingest {
    fn job_types(&self) -> &[&str] {
        &["ingest.advisory", "ingest.kev", "ingest.sbom", "ingest.vex", "ingest.epss"]
    }

    fn check(&self, payload: &Value) -> Result<(), String> {
        serde_json::from_value::<IngestOrder>(payload.clone())
            .map(|_| ())
            .map_err(|error| format!("does not say which source to read: {error}"))
    }

    async fn run(&self, ctx: &JobContext, lease: &Lease) -> Result<Done, Failure> {
        let Some(reading) = begin(ctx, lease).await? else { return Ok(nothing_due()) };
        let done = match (reading.source_type, reading.asked.window()) {
            (SourceType::Advisory, None) => reading.advisories().await,
            (SourceType::Advisory, Some(window)) => reading.advisories_of(window).await,
            (SourceType::Kev, None) => reading.kev().await,
            (SourceType::Kev, Some(window)) => reading.kev_of(window).await,
            (SourceType::Sbom | SourceType::Registry, _) => reading.sboms().await,
            (SourceType::Vex, None) => reading.vex().await,
            (SourceType::Vex, Some(window)) => reading.vex_of(window).await,
            (SourceType::Epss, _) => reading.epss().await,
            (SourceType::Custom, _) => Err(Failure::new(
                ErrorClass::Validation,
                Code::Invalid.as_str(),
                "A source of this type is read by a worker of one's own; start one that takes its job type.",
            )),
        };
        // A reading that was told to stop says nothing about its source.
        if let (Err(failure), false) = (&done, ctx.cancel.is_cancelled()) {
            reading.note_failure(failure).await?;
        }
        done
    }
}

/// What there is to read; `None` when the next live window is not due yet.
async fn begin<'r>(ctx: &'r JobContext, lease: &Lease) -> Result<Option<Reading<'r>>, Failure> {
    let order: IngestOrder = serde_json::from_value(lease.payload.clone()).map_err(|error| {
        let message = format!("The job does not say which source to read: {error}. Run the source again.");
        Failure::new(ErrorClass::Validation, Code::Invalid.as_str(), message)
    })?;
    let job = &lease.job;
    let (tenant, source_id) = (job.tenant.clone(), order.source_id.clone());
    let (source, mark) = ctx
        .engine
        .ledger()
        .read::<_, Error, _>(|tx| {
            Box::pin(async move {
                let source = crate::sources::found(tx, &tenant, &source_id).await?;
                let mark = watermarks::load(tx, &tenant, source_id.as_str()).await?;
                Ok((source, mark))
            })
        })
        .await
        .map_err(Failure::from)?;
    let source_type = crate::sources::source_type(&source).map_err(Failure::from)?;
    let is_windowed = source_type.has_event_time() && is_windowed(&source.location);
    let now = ctx.engine.now();
    let until = order.until.unwrap_or(whole_ms(plus_s(now, -source.allowed_lateness_s)));
    let asked = match (order.window, is_windowed) {
        (Some(window), _) => Asked::Backfill(window),
        (None, false) => Asked::Whole,
        (None, true) => match mark.coverage.next_live(&settings(&source), now) {
            Some(window) => Asked::Live(window),
            None => return Ok(None),
        },
    };
    let place = match (asked.window(), is_windowed) {
        (Some(window), true) => placed(&source.location, window),
        (Some(_) | None, _) => source.location.clone(),
    };
    let location = Location::parse(&place).map_err(|_| corrupt("location", &source.source_id))?;
    let next = match asked {
        Asked::Live(window) if window.end < until && order.read + 1 < order::MOST_WINDOWS => {
            let order = IngestOrder { until: Some(until), read: order.read + 1, ..order.clone() };
            Some(Next { until, job: job.clone(), order })
        }
        Asked::Live(_) | Asked::Whole | Asked::Backfill(_) => None,
    };
    Ok(Some(Reading {
        ctx,
        tenant: job.tenant.clone(),
        job_id: job.job_id.clone(),
        correlation_id: job.correlation_id.clone(),
        source,
        source_type,
        location,
        asked,
        is_forced: order.force,
        next,
    }))
}

/// Nothing is old enough yet to be asked for.
fn nothing_due() -> Done {
    let report = IngestReport {
        unchanged: true,
        warnings: vec!["Nothing is old enough yet to be asked for; nothing was fetched.".to_owned()],
        ..IngestReport::default()
    };
    // A report is a plain struct and always has a JSON form.
    Done { result: serde_json::to_value(&report).unwrap_or_default(), ..Done::default() }
}

fn corrupt(column: &'static str, id: &str) -> Failure {
    Failure::from(Error::from(LedgerError::corrupt("sources", column, id)))
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let code = match error.class {
            ErrorClass::UpstreamThrottle => Code::RateLimited,
            ErrorClass::Network
            | ErrorClass::UpstreamError
            | ErrorClass::UpstreamClient
            | ErrorClass::Validation
            | ErrorClass::Auth
            | ErrorClass::OfflineBlocked
            | ErrorClass::Integrity
            | ErrorClass::Resource
            | ErrorClass::ParseError
            | ErrorClass::SchemaMismatch
            | ErrorClass::LeaseLost
            | ErrorClass::Timeout => Code::SourceUnreachable,
            ErrorClass::Internal => Code::Internal,
        };
        Self {
            class: error.class,
            code: code.as_str().to_owned(),
            message: format!("{}.", error.message),
            retry_after_ms: error.retry_after_ms,
            http_status: error.http_status,
            host: error.host,
            is_final: false,
        }
    }
}

impl Reading<'_> {
    fn engine(&self) -> &Engine {
        &self.ctx.engine
    }

    /// What the location holds now; `None` when that is what was stored last time.
    async fn fetch(&self) -> Result<Option<Content>, Failure> {
        let known = match (self.is_forced, self.asked) {
            // Who forces wants it read, whatever the far side says; a window is not what was read last time.
            (true, _) | (_, Asked::Live(_) | Asked::Backfill(_)) => Known::default(),
            (false, Asked::Whole) => Known {
                etag: self.source.etag.clone(),
                last_modified: self.source.last_modified.clone(),
                digest: self.source.content_digest.clone(),
            },
        };
        self.ctx.progress(0, 0, &format!("Fetching {}", self.location.shown()));
        let engine = self.engine();
        let secret = engine.secret(self.source.auth_ref.as_deref())?;
        let fetched = engine.fetcher().fetch(&self.location, &known, secret.as_ref(), engine.now()).await?;
        Ok(match fetched {
            Fetched::NotModified => None,
            Fetched::Content(content) if known.digest.is_some() && content.known.digest == known.digest => {
                None
            }
            Fetched::Content(content) => Some(content),
        })
    }

    async fn advisories(&self) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let (known, bytes) = (content.known.clone(), content.bytes);
        self.ctx.progress(0, 0, "Reading the records");
        let feed = off_thread(move || advisory::read(content)).await?;
        if let (true, Some(refusal)) = (feed.records.is_empty(), feed.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        let source_id = self.source.source_id.clone();
        let before = self
            .engine()
            .ledger()
            .read(|tx| Box::pin(async move { advisories::digests(tx, &source_id).await }))
            .await
            .map_err(ledger_failed)?;
        let mut report = feed.report();
        let watermark = feed.watermark.clone();
        let times = feed.times();
        let (change, problems) = feed.change(&before);
        self.refuse_suspicious(before.len() as i64, change.total)?;
        report.bytes = bytes as i64;
        report.digest = known.digest.clone().unwrap_or_default();
        report.errors = problems;
        change.count(&mut report);
        let read = self.read_mark(known, change.total, watermark, &report);
        let (tenant, total) = (self.tenant.clone(), change.total);
        self.done(report, times, read, move |tx, source_id| {
            Box::pin(async move {
                let mut gone = change.removed;
                gone.extend(change.changed.iter().map(|record| record.record_id.clone()));
                let packages = advisories::packages_of(tx, &source_id, &gone).await?;
                advisories::remove_many(tx, &source_id, &gone).await?;
                let mut new = change.added;
                new.extend(change.changed);
                advisories::insert_many(tx, tenant.as_str(), &source_id, &new).await?;
                let vuln_ids = new.into_iter().map(|record| record.record_id).collect();
                Ok(Touched { vuln_ids, packages })
            })
        })
        .inspect(|_| self.ctx.progress(total, total, "Storing the records"))
    }

    async fn kev(&self) -> Result<Done, Failure> {
        let Some(content) = self.fetch().await? else { return self.unchanged() };
        let list = kev::read(&content);
        if let (true, Some(refusal)) = (list.entries.is_empty(), list.first_refusal.clone()) {
            return Err(unreadable(refusal));
        }
        let source_id = self.source.source_id.clone();
        let before = self
            .engine()
            .ledger()
            .read(|tx| Box::pin(async move { stella_ledger::kev::of_source(tx, &source_id).await }))
            .await
            .map_err(ledger_failed)?;
        let mut report = IngestReport {
            bytes: content.bytes as i64,
            digest: content.known.digest.clone().unwrap_or_default(),
            records: list.entries.len() as i64,
            refused: list.refused,
            errors: list.problems.clone(),
            ..IngestReport::default()
        };
        let (released, times) = (list.released.clone(), list.times());
        let (change, entries) = list.change(&before);
        self.refuse_suspicious(before.len() as i64, change.total)?;
        change.count(&mut report);
        let read = self.read_mark(content.known, change.total, released, &report);
        let tenant = self.tenant.clone();
        let listed = change.added.into_iter().chain(change.changed).map(|(cve, _)| cve);
        let touched = Touched::of(listed.chain(change.removed));
        self.done(report, times, read, move |tx, source_id| {
            Box::pin(async move {
                stella_ledger::kev::replace(tx, tenant.as_str(), &source_id, &entries).await?;
                Ok(touched)
            })
        })
    }

    /// Absent is not clean: a feed that came empty or lost more than half is only taken when somebody says so.
    fn refuse_suspicious(&self, before: i64, after: i64) -> Result<(), Failure> {
        if self.is_forced || (after > 0 && after * 2 >= before) {
            return Ok(());
        }
        let what = match after {
            0 => "The feed came empty".to_owned(),
            _ => format!("The feed shrank from {before} to {after} records"),
        };
        let message = format!(
            "{what}; what was stored is kept, because absent is not clean. Check {}, or run the source with force and a reason.",
            self.location.shown()
        );
        Err(Failure::new(ErrorClass::Validation, Code::FeedSuspicious.as_str(), message))
    }

    /// Nothing new: the source is fresh, the index is as old as this look.
    fn unchanged(&self) -> Result<Done, Failure> {
        let report = IngestReport {
            unchanged: true,
            digest: self.source.content_digest.clone().unwrap_or_default(),
            records: self.source.record_count,
            ..IngestReport::default()
        };
        let read = SourceRead {
            source_id: self.source.source_id.clone(),
            content_version: self.source.content_version,
            record_count: self.source.record_count,
            watermark: self.source.watermark.clone(),
            etag: self.source.etag.clone(),
            last_modified: self.source.last_modified.clone(),
            content_digest: self.source.content_digest.clone(),
            at: 0,
        };
        self.done(report, Times::default(), read, |_, _| Box::pin(async { Ok(Touched::default()) }))
    }

    /// What the source remembers. A feed with bad records is read in full next time, so that they are told again.
    fn read_mark(
        &self,
        known: Known,
        total: i64,
        watermark: Option<String>,
        report: &IngestReport,
    ) -> SourceRead {
        let known = if report.refused > 0 { Known::default() } else { known };
        SourceRead {
            source_id: self.source.source_id.clone(),
            content_version: self.source.content_version,
            record_count: total,
            watermark: watermark.or_else(|| self.source.watermark.clone()),
            etag: known.etag,
            last_modified: known.last_modified,
            content_digest: known.digest,
            at: 0,
        }
    }
}

/// A report in the few numbers that history and feed carry.
fn summary(report: &IngestReport) -> Value {
    json!({
        "unchanged": report.unchanged,
        "digest": report.digest,
        "records": report.records,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "refused": report.refused,
    })
}

fn unreadable(refusal: Refusal) -> Failure {
    let message =
        format!("Nothing of the feed can be read: {}. Check the source, then run it again.", refusal.message);
    Failure::new(refusal.class, Code::FeedInvalid.as_str(), message)
}

fn ledger_failed(error: LedgerError) -> Failure {
    Failure::from(Error::from(error))
}

/// Runs what takes long where it does not hold up others.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::from(Error::internal(error)))
}
