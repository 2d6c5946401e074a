//! `stella findings`: what is there, and why it stands.

use crate::door::Door;
use crate::failure::Failure;
use crate::matches::Matches;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use stella_contract::finding::{ExplainQuery, Explanation, Finding, FindingFilter, FindingStatus, Severity};
use stella_contract::ids::{RunId, TargetId};
use stella_contract::policy::Verdict;

#[derive(Debug, Subcommand)]
pub(crate) enum Findings {
    /// List findings, the worst first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Say which record matched by which range event, what VEX says of it, and which rule decided.
    Explain(Explain),
    /// Write findings as CSV, the worst first; `--output` names the file.
    Export(Filter),
    /// List raw matches: one row per component and advisory record.
    Matches(Matches),
}

/// Which findings.
#[derive(Debug, Clone, Args)]
pub(crate) struct Filter {
    /// As this run left them; the latest of every target when absent.
    #[arg(long)]
    run: Option<RunId>,
    /// Of this target only.
    #[arg(long)]
    target: Option<TargetId>,
    /// Of this severity only.
    #[arg(long)]
    severity: Option<Severity>,
    /// Of this status only: affected, fixed, not_affected or under_investigation.
    #[arg(long)]
    status: Option<FindingStatus>,
    /// With this verdict only: block, warn, ignore or quiet.
    #[arg(long)]
    verdict: Option<Verdict>,
    /// Suppressed ones only; `--quieted false`: others only.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    quieted: Option<bool>,
    /// Exploited ones only; `--kev false`: others only.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    kev: Option<bool>,
    /// Part of the purl, the vulnerability id or the target's name.
    #[arg(long)]
    q: Option<String>,
}

impl Filter {
    pub(crate) fn wanted(&self) -> FindingFilter {
        FindingFilter {
            run: self.run.clone(),
            target: self.target.clone(),
            severity: self.severity,
            kev: self.kev,
            status: self.status,
            verdict: self.verdict,
            quieted: self.quieted,
            q: self.q.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The target it is in.
    #[arg(long)]
    target: TargetId,
    /// The component.
    #[arg(long)]
    purl: String,
    /// The vulnerability.
    #[arg(long = "vuln", alias = "vulnerability", value_name = "ID")]
    vulnerability: String,
}

impl Findings {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let findings = door.client.findings();
        match self {
            Self::List(list) => {
                let filter = list.filter.wanted();
                let page = list.paging.read(async |page| findings.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Explain(explain) => {
                let which = ExplainQuery {
                    target: explain.target.clone(),
                    purl: explain.purl.clone(),
                    vulnerability: explain.vulnerability.clone(),
                };
                output.show(&findings.explain(&which).await?, of_explanation)
            }
            Self::Export(filter) => {
                let mut pieces = findings.export(&filter.wanted()).await?;
                while let Some(piece) = pieces.try_next().await? {
                    // The far side writes UTF-8, in pieces of whole lines.
                    output.text(&String::from_utf8_lossy(&piece))?;
                }
                Ok(())
            }
            Self::Matches(matches) => matches.obey(door, output).await,
        }
    }
}

fn of_many(findings: &[Finding]) -> Table {
    let headings =
        &["SEVERITY", "SCORE", "KEV", "STATUS", "VERDICT", "VULNERABILITY", "PURL", "FIXED IN", "TARGET"];
    Table::new(headings).rows(findings, |finding| {
        [
            finding.severity.to_string(),
            finding.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}")),
            if finding.kev { "KEV".to_owned() } else { "-".to_owned() },
            finding.status.to_string(),
            or_dash(finding.verdict.as_ref()),
            finding.vulnerability_id.clone(),
            finding.purl.clone(),
            or_dash(finding.fixed_version.as_ref()),
            format!("{} {}", finding.target_name, finding.target_version).trim_end().to_owned(),
        ]
    })
}

fn of_explanation(explanation: &Explanation) -> Table {
    let finding = &explanation.finding;
    let mut table = Table::of_one([
        ("vulnerability", finding.vulnerability_id.clone()),
        ("also", finding.aliases.join(", ")),
        ("component", finding.purl.clone()),
        ("target", format!("{} {}", finding.target_name, finding.target_version).trim_end().to_owned()),
        ("severity", finding.severity.to_string()),
        ("vector", finding.vector.clone().unwrap_or_default()),
        ("status", finding.status.to_string()),
        ("verdict", finding.verdict.map(|verdict| verdict.to_string()).unwrap_or_default()),
        ("rule", finding.rule.clone().unwrap_or_default()),
        ("suppressed", if finding.quieted { "yes".to_owned() } else { String::new() }),
        ("exploited", if finding.kev { "yes, in the KEV list".to_owned() } else { String::new() }),
        ("fixed in", finding.fixed_version.clone().unwrap_or_default()),
    ]);
    for (at, step) in explanation.steps.iter().enumerate() {
        table.row([format!("{}. {}", at + 1, step.source), step.matched.clone()]);
    }
    table
}
