//! Reading a folder of SBOMs: each file becomes a target or takes the place of its SBOM.

use super::keep::Times;
use super::{Reading, Refusal, off_thread, unreadable};
use crate::change::By;
use crate::error::Error;
use crate::fetch::{self, FetchError, Fetched, Known, Location, Part};
use crate::handlers::{Done, Failure};
use crate::sbom::{self, Prepared};
use crate::targets::{self, Change, Origin};
use crate::triggers::Touched;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::job::ErrorClass;
use stella_contract::source::{IngestReport, RecordProblem};
use stella_contract::target::SbomPlace;
use stella_ledger::sources::SourceRead;

/// SBOMs stored in one transaction.
const BATCH: usize = 100;
/// Problems and warnings that one report lists.
const MAX_PROBLEMS: usize = 100;

/// One SBOM to read.
#[derive(Debug, Clone)]
enum Document {
    File(PathBuf),
    Bytes(Arc<Part>),
}

/// What was learnt from one file.
struct Seen {
    file: String,
    prepared: Result<Prepared, Error>,
}

impl Reading<'_> {
    pub(super) async fn sboms(&self) -> Result<Done, Failure> {
        let documents = self.documents().await?;
        let total = documents.len() as i64;
        let mut report = IngestReport::default();
        self.ctx.progress(0, total, "Reading the SBOMs");
        let mut first_refusal = None;
        let versions = self.versions(&documents).await?;
        let mut taken = HashSet::new();
        for (at, batch) in documents.chunks(BATCH).enumerate() {
            if self.ctx.cancel.is_cancelled() {
                return Err(Failure::new(ErrorClass::Internal, "CANCELLED", "The reading was cancelled."));
            }
            let seen = self.read(batch).await?;
            let mut good = Vec::new();
            for one in seen {
                match one.prepared {
                    Ok(prepared) => {
                        take(&mut report, one.file, told_apart(prepared, &versions), &mut taken, &mut good)
                    }
                    Err(error) => {
                        first_refusal.get_or_insert_with(|| refusal(&error));
                        refuse(&mut report, one.file, &error);
                    }
                }
            }
            self.store(good, &mut report).await?;
            self.ctx.progress(((at + 1) * BATCH).min(documents.len()) as i64, total, "Storing the SBOMs");
        }
        if let (0, Some(refusal)) = (report.records, first_refusal) {
            return Err(unreadable(refusal));
        }
        report.unchanged = report.added + report.changed == 0;
        let read = SourceRead {
            source_id: self.source.source_id.clone(),
            content_version: self.source.content_version,
            record_count: report.records,
            watermark: None,
            etag: None,
            last_modified: None,
            content_digest: None,
            at: 0,
        };
        self.done(report, Times::default(), read, |_, _| Box::pin(async { Ok(Touched::default()) }))
    }

    async fn documents(&self) -> Result<Vec<Document>, Failure> {
        let files = match &self.location {
            Location::Path(path) => {
                let path = path.clone();
                fetch::off_thread(move || fetch::files_of(&path)).await?
            }
            Location::Web(_) => {
                let (engine, known) = (self.engine(), Known::default());
                let secret = engine.secret(self.source.auth_ref.as_deref())?;
                let now = engine.now();
                let fetched = engine.fetcher().fetch(&self.location, &known, secret.as_ref(), now).await?;
                return Ok(match fetched {
                    Fetched::NotModified => Vec::new(),
                    Fetched::Content(content) => {
                        content.parts.into_iter().map(|part| Document::Bytes(Arc::new(part))).collect()
                    }
                });
            }
        };
        let is_json =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let documents: Vec<Document> = files.into_iter().filter(is_json).map(Document::File).collect();
        if documents.is_empty() {
            let message = format!("{} holds no .json file; check the path.", self.location.shown());
            return Err(Failure::new(ErrorClass::Validation, Code::SourceUnreachable.as_str(), message));
        }
        Ok(documents)
    }

    /// The versions of everything that is described, to see which things are there in several.
    async fn versions(&self, documents: &[Document]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for batch in documents.chunks(BATCH) {
            for seen in self.read(batch).await? {
                if let Ok(prepared) = seen.prepared {
                    versions.entry(prepared.row.identity).or_default().insert(prepared.row.version);
                }
            }
        }
        versions.retain(|_, versions| versions.len() > 1);
        Ok(versions)
    }

    async fn read(&self, batch: &[Document]) -> Result<Vec<Seen>, Failure> {
        let (batch, tenant) = (batch.to_vec(), self.tenant.clone());
        off_thread(move || batch.iter().map(|document| see(tenant.as_str(), document)).collect()).await
    }

    async fn store(&self, good: Vec<Prepared>, report: &mut IngestReport) -> Result<(), Failure> {
        let origin = Origin {
            tenant: self.tenant.clone(),
            by: By::itself("ingest"),
            correlation_id: self.correlation_id.clone(),
            at: self.engine().now(),
        };
        for stored in targets::store(self.engine(), origin, good).await? {
            report.records += 1;
            match stored.change {
                Change::Created => report.added += 1,
                Change::Replaced => report.changed += 1,
                Change::Unchanged => {}
            }
        }
        Ok(())
    }
}

fn see(tenant: &str, document: &Document) -> Seen {
    match document {
        Document::Bytes(part) => prepare(tenant, part),
        Document::File(path) => match fetch::read_file(path, sbom::MAX_BYTES as u64) {
            Ok(part) => prepare(tenant, &part),
            Err(error) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Seen { file, prepared: Err(unfetched(&error)) }
            }
        },
    }
}

fn unfetched(error: &FetchError) -> Error {
    Error::new(Code::SourceUnreachable, format!("{}.", error.message))
}

fn prepare(tenant: &str, part: &Part) -> Seen {
    let place = SbomPlace { file: Some(part.name.clone()), ..SbomPlace::default() };
    Seen { file: part.name.clone(), prepared: sbom::prepare(tenant, &place, &part.bytes) }
}

/// In one folder several versions of one thing stand side by side, each a target of its own: nothing there says which
/// of them is the newer one, and none may take the place of the other with every reading.
fn told_apart(mut prepared: Prepared, versions: &BTreeMap<String, BTreeSet<String>>) -> Prepared {
    if versions.contains_key(&prepared.row.identity) && prepared.row.is_image == 0 {
        let identity =
            (&prepared.row.namespace, &prepared.row.repository, &prepared.row.name, &prepared.row.version);
        // A list of texts always has a JSON form.
        prepared.row.identity = serde_json::to_string(&identity).unwrap_or_default();
    }
    prepared
}

/// Keeps an SBOM, unless another file of the folder is of the same target.
fn take(
    report: &mut IngestReport,
    file: String,
    prepared: Prepared,
    taken: &mut HashSet<String>,
    good: &mut Vec<Prepared>,
) {
    for warning in &prepared.warnings {
        if report.warnings.len() < MAX_PROBLEMS {
            report.warnings.push(format!("{file}: {warning}"));
        }
    }
    if taken.insert(prepared.row.identity.clone()) {
        good.push(prepared);
        return;
    }
    let what = format!("{} {}", prepared.row.name, prepared.row.version);
    let message = format!(
        "another file of the folder is already the SBOM of {}; this one is left out, remove one of them",
        what.trim()
    );
    note(report, RecordProblem { file, path: ".".to_owned(), code: "duplicate_id".to_owned(), message });
}

fn refuse(report: &mut IngestReport, file: String, error: &Error) {
    report.refused += 1;
    let code = match error.code {
        Code::SbomUnsupported => "unsupported",
        Code::PayloadTooLarge => "too_large",
        Code::SourceUnreachable => "unreadable",
        _ => "parse_error",
    };
    let message = error.public.strip_prefix(&format!("{file}: ")).unwrap_or(&error.public).to_owned();
    note(report, RecordProblem { file, path: ".".to_owned(), code: code.to_owned(), message });
}

fn note(report: &mut IngestReport, problem: RecordProblem) {
    if report.errors.len() < MAX_PROBLEMS {
        report.errors.push(problem);
    }
}

fn refusal(error: &Error) -> Refusal {
    let class = match error.code {
        Code::SbomUnsupported => ErrorClass::SchemaMismatch,
        Code::PayloadTooLarge | Code::Invalid => ErrorClass::Validation,
        _ => ErrorClass::ParseError,
    };
    Refusal { class, message: error.public.trim_end_matches('.').to_owned() }
}
