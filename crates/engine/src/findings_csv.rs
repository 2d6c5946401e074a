//! Findings as a file for sheets: CSV as RFC 4180 has it, written page by page while it is sent.

use crate::caller::Caller;
use crate::error::Error;
use crate::findings::Findings;
use crate::sheet::cell;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use stella_contract::finding::{Finding, FindingFilter};
use stella_contract::page::{MAX_SIZE, PageQuery};
use stella_contract::scope::Scope;

const HEADINGS: [&str; 20] = [
    "severity",
    "score",
    "vector",
    "kev",
    "epss",
    "status",
    "verdict",
    "rule",
    "quieted",
    "vulnerabilityId",
    "aliases",
    "recordIds",
    "purl",
    "fixedVersion",
    "targetName",
    "targetVersion",
    "targetId",
    "firstRunId",
    "firstSeenAt",
    "summary",
];

/// A file that is written while it is read.
pub struct FindingsCsv {
    /// What to call it.
    pub file_name: String,
    /// Its bytes, in pieces of whole lines.
    pub pieces: BoxStream<'static, Result<Bytes, Error>>,
}

/// What is still to be written.
struct Rest {
    findings: Findings,
    caller: Caller,
    filter: FindingFilter,
    page: PageQuery,
    is_first: bool,
}

impl Findings {
    /// The findings that match as CSV, worst first. What cannot be is refused before the first byte.
    pub async fn csv(&self, caller: &Caller, filter: FindingFilter) -> Result<FindingsCsv, Error> {
        caller.demand(Scope::DownloadsRead)?;
        let page = PageQuery { page_token: None, page_size: Some(MAX_SIZE) };
        let rest = Rest { findings: self.clone(), caller: caller.clone(), filter, page, is_first: true };
        let file_name = rest.file_name();
        let (first, rest) = rest.next().await?;
        let others = stream::try_unfold(rest, async |rest| match rest {
            Some(rest) => rest.next().await.map(Some),
            None => Ok(None),
        });
        let pieces = stream::iter([Ok(first)]).chain(others).boxed();
        Ok(FindingsCsv { file_name, pieces })
    }
}

impl Rest {
    fn file_name(&self) -> String {
        let of = match &self.filter.run {
            Some(run) => run.as_str().replace(':', "-"),
            None => format!("{}-latest", self.caller.tenant),
        };
        format!("findings-{of}.csv")
    }

    /// The lines of the next page, and what is left after it.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), Error> {
        let page = self.findings.page(&self.caller.tenant, &self.filter, &self.page).await?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if self.is_first {
            writer.write_record(HEADINGS).map_err(Error::internal)?;
        }
        for finding in &page.items {
            writer.write_record(cells(finding)).map_err(Error::internal)?;
        }
        let bytes = writer.into_inner().map_err(Error::internal)?;
        let rest = page.next_page_token.map(|token| {
            self.page.page_token = Some(token);
            self.is_first = false;
            self
        });
        Ok((bytes.into(), rest))
    }
}

fn cells(finding: &Finding) -> [String; 20] {
    let number = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let text = |text: &Option<String>| text.as_deref().map_or_else(String::new, cell);
    [
        finding.severity.to_string(),
        number(finding.score),
        text(&finding.vector),
        finding.kev.to_string(),
        number(finding.epss),
        finding.status.to_string(),
        finding.verdict.map_or_else(String::new, |verdict| verdict.to_string()),
        text(&finding.rule),
        finding.quieted.to_string(),
        cell(&finding.vulnerability_id),
        cell(&finding.aliases.join(" ")),
        cell(&finding.record_ids.join(" ")),
        cell(&finding.purl),
        text(&finding.fixed_version),
        cell(&finding.target_name),
        cell(&finding.target_version),
        finding.target_id.to_string(),
        finding.first_run_id.to_string(),
        finding.first_seen_at.to_string(),
        text(&finding.summary),
    ]
}
