//! `stella policy`: rules over findings, their snapshots, and which of them judges.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use std::io::Read;
use std::path::{Path, PathBuf};
use stella_contract::ids::PolicySnapshotId;
use stella_contract::page::PageQuery;
use stella_contract::policy::{
    AddPolicy, CheckPolicy, POLICY_VARIABLES, PolicyCheck, PolicyDiff, PolicyDiffQuery, PolicyDocument,
    PolicyPromotion, PolicyRule, PolicySnapshot, PromotePolicy, RuleChange,
};
use stella_contract::run::RunMode;

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Say what is wrong with a policy and what it would say of the findings there are; nothing is kept.
    Validate(Text),
    /// Add a snapshot; equal rules are the same snapshot.
    Add(Add),
    /// List the snapshots, the newest first.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Show one snapshot with its rules.
    Show(Show),
    /// Say what differs between two snapshots.
    Diff(Diff),
    /// Judge by a snapshot from now on.
    Promote(Promote),
    /// List what was promoted, the newest first.
    Promotions(Paging),
    /// List the variables that expressions may use.
    Variables,
}

#[derive(Debug, Args)]
pub(crate) struct Text {
    /// The YAML; `-` reads the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    text: Text,
    /// What you say of it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its revision, its digest, or the first digits of that.
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    /// Print the YAML as it was added.
    #[arg(long)]
    source: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The first: its revision, its digest, or the first digits of that.
    #[arg(value_name = "FROM")]
    from: String,
    /// The second.
    #[arg(value_name = "TO")]
    to: String,
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// Its revision, its digest, or the first digits of that.
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    /// Start a run over every target with it.
    #[arg(long)]
    follow_up: bool,
    /// What that run does.
    #[arg(long, requires = "follow_up")]
    mode: Option<RunMode>,
    #[command(flatten)]
    why: Why,
}

impl Text {
    fn read(&self) -> Result<String, Failure> {
        if self.file == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            return Ok(text);
        }
        let what = format!("{} cannot be read", self.file.display());
        std::fs::read_to_string(&self.file).map_err(Failure::file(what))
    }
}

impl Policy {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let policies = door.client.policies();
        match self {
            Self::Validate(text) => {
                let check = policies.check(&CheckPolicy { source: text.read()? }).await?;
                output.show(&check, of_check)?;
                match check.is_sound() {
                    true => Ok(()),
                    false => {
                        Err(Failure::Usage("The policy cannot be added as it is. Mend it first.".to_owned()))
                    }
                }
            }
            Self::Add(add) => {
                let wish = AddPolicy { source: add.text.read()?, note: add.note.clone() };
                output.show(&policies.add(&wish, &add.why.write()).await?, of_one)
            }
            Self::List(paging) => {
                output.page(&paging.read(async |page| policies.list(&page).await).await?, of_many)
            }
            Self::Show(show) => {
                let document = policies.get(&named(door, &show.snapshot).await?).await?;
                match show.source {
                    true => output.text(&document.source),
                    false => output.show(&document, of_document),
                }
            }
            Self::Diff(diff) => {
                let which = PolicyDiffQuery {
                    from: named(door, &diff.from).await?,
                    to: named(door, &diff.to).await?,
                };
                output.show(&policies.diff(&which).await?, of_diff)
            }
            Self::Promote(promote) => {
                let id = named(door, &promote.snapshot).await?;
                let wish = PromotePolicy { follow_up: promote.follow_up, mode: promote.mode };
                let promotion = policies.promote(&id, &wish, &promote.why.write()).await?;
                output.show(&promotion, of_promotion)?;
                if promotion.run_id.is_some() {
                    door.explain_pending();
                }
                Ok(())
            }
            Self::Promotions(paging) => {
                output.page(&paging.read(async |page| policies.promotions(&page).await).await?, of_promotions)
            }
            Self::Variables => {
                let headings = &["NAME", "KIND", "SAYS"];
                let table = Table::new(headings).rows(POLICY_VARIABLES, |variable| {
                    [variable.name.to_owned(), variable.kind.to_owned(), variable.says.to_owned()]
                });
                output.text(&table.to_string())
            }
        }
    }
}

/// The snapshot of this revision, of this digest, or whose digest alone begins so.
pub(crate) async fn named(door: &Door, text: &str) -> Result<PolicySnapshotId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let revision: Option<i64> = text.trim_start_matches(['r', '#']).parse().ok();
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let mut found = Vec::new();
    let mut page = PageQuery::default();
    loop {
        let snapshots = door.client.policies().list(&page).await?;
        for snapshot in &snapshots.items {
            if revision == Some(snapshot.policy_revision) {
                return Ok(snapshot.policy_snapshot_id.clone());
            }
            let id = snapshot.policy_snapshot_id.as_str().trim_start_matches("sha256:");
            if digits.len() >= 6 && id.starts_with(digits) {
                found.push(snapshot.policy_snapshot_id.clone());
            }
        }
        match snapshots.next_page_token {
            Some(token) => page.page_token = Some(token),
            None => break,
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::Usage(format!("There is no policy snapshot `{text}`. See stella policy list."))),
        _ => Err(Failure::Usage(format!(
            "`{text}` begins the digests of several snapshots. Write more of it."
        ))),
    }
}

fn of_check(check: &PolicyCheck) -> Table {
    let mut table = Table::of_one([
        ("snapshot", check.policy_snapshot_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("rules", if check.is_sound() { check.rule_count.to_string() } else { String::new() }),
    ]);
    for problem in &check.problems {
        let kind = if problem.code.is_warning() { "warning" } else { "fault" };
        table.row([kind.to_owned(), problem.to_string()]);
    }
    let Some(trial) = &check.trial else { return table };
    let more = if trial.truncated { " (the worst; there are more)" } else { "" };
    table.row(["findings".to_owned(), format!("{}{more}", trial.findings)]);
    table.row(["changed".to_owned(), trial.changed.to_string()]);
    table.row(["quieted".to_owned(), format!("{} more, {} no longer", trial.quieted, trial.unquieted)]);
    for count in &trial.verdicts {
        let name = count.verdict.map_or_else(|| "no verdict".to_owned(), |verdict| verdict.to_string());
        table.row([name, format!("{} now, {} with it", count.before, count.after)]);
    }
    for rule in &trial.rules {
        let expired = if rule.expired { ", expired" } else { "" };
        let failed =
            if rule.failed > 0 { format!(", {} without an answer", rule.failed) } else { String::new() };
        table.row([
            format!("rule {}", rule.rule),
            format!("{}: {} findings{failed}{expired}", rule.verdict, rule.findings),
        ]);
    }
    table
}

fn of_many(snapshots: &[PolicySnapshot]) -> Table {
    let headings = &["REVISION", "ACTIVE", "POLICY", "RULES", "BY", "CREATED", "NOTE", "SNAPSHOT"];
    Table::new(headings).rows(snapshots, |snapshot| {
        [
            snapshot.policy_revision.to_string(),
            if snapshot.active { "yes".to_owned() } else { "-".to_owned() },
            snapshot.policy.clone(),
            snapshot.rule_count.to_string(),
            snapshot.created_by.clone(),
            snapshot.created_at.to_string(),
            or_dash(snapshot.note.as_ref()),
            snapshot.policy_snapshot_id.short().to_owned(),
        ]
    })
}

fn of_one(snapshot: &PolicySnapshot) -> Table {
    Table::of_one([
        ("snapshot", snapshot.policy_snapshot_id.to_string()),
        ("revision", snapshot.policy_revision.to_string()),
        ("policy", snapshot.policy.clone()),
        ("rules", snapshot.rule_count.to_string()),
        ("active", if snapshot.active { "yes".to_owned() } else { "no".to_owned() }),
        ("note", snapshot.note.clone().unwrap_or_default()),
        ("by", snapshot.created_by.clone()),
        ("created", snapshot.created_at.to_string()),
    ])
}

fn of_document(document: &PolicyDocument) -> Table {
    let mut table = of_one(&document.snapshot);
    for (at, rule) in document.rules.iter().enumerate() {
        table.row([format!("{}. {}", at + 1, rule.name), said(rule)]);
    }
    table
}

fn said(rule: &PolicyRule) -> String {
    let expires = rule.expires.map(|at| format!(", until {at}")).unwrap_or_default();
    let when = rule.when.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{when} -> {} ({}{expires})", rule.verdict, rule.reason)
}

fn of_diff(diff: &PolicyDiff) -> Table {
    let of =
        |snapshot: &PolicySnapshot| format!("revision {} of {}", snapshot.policy_revision, snapshot.policy);
    let mut table = Table::of_one([
        ("from", of(&diff.from)),
        ("to", of(&diff.to)),
        ("changes", if diff.changes.is_empty() { "none".to_owned() } else { diff.changes.len().to_string() }),
    ]);
    for RuleChange { kind, rule, before, after } in &diff.changes {
        let side = |rule: &Option<PolicyRule>| rule.as_ref().map(said);
        let text = match (side(before), side(after)) {
            (Some(before), Some(after)) if before != after => format!("{before} => {after}"),
            (_, Some(one)) | (Some(one), None) => one,
            (None, None) => String::new(),
        };
        table.row([format!("{kind} {rule}"), text]);
    }
    table
}

fn of_promotion(promotion: &PolicyPromotion) -> Table {
    Table::of_one([
        ("promotion", promotion.promotion_id.to_string()),
        ("snapshot", promotion.policy_snapshot_id.to_string()),
        ("revision", promotion.policy_revision.to_string()),
        ("before", promotion.previous_snapshot_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("run", promotion.run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("by", promotion.promoted_by.clone()),
        ("reason", promotion.reason.clone()),
        ("at", promotion.promoted_at.to_string()),
    ])
}

fn of_promotions(promotions: &[PolicyPromotion]) -> Table {
    let headings = &["AT", "REVISION", "BY", "REASON", "RUN"];
    Table::new(headings).rows(promotions, |promotion| {
        [
            promotion.promoted_at.to_string(),
            promotion.policy_revision.to_string(),
            promotion.promoted_by.clone(),
            promotion.reason.clone(),
            or_dash(promotion.run_id.as_ref()),
        ]
    })
}
