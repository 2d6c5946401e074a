//! `stella trigger` and `stella vex`: runs that follow what comes in, and what is said of products.

use crate::cause::{Seen, Why};
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use stella_contract::ids::SourceId;
use stella_contract::run::RunMode;
use stella_contract::trigger::{ChangeTrigger, Trigger, TriggerKind, TriggerScope, WebhookSecret};
use stella_contract::vex::{VexFilter, VexStatement};

#[derive(Debug, Subcommand)]
pub(crate) enum Triggers {
    /// List the rules, one per kind.
    #[command(visible_alias = "ls")]
    List,
    /// Change a rule.
    Update(Update),
    /// Make a new secret for what others send; it is shown this once.
    RotateSecret(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// What comes in: concelier (advisories) or excititor (VEX).
    #[arg(value_name = "KIND")]
    kind: TriggerKind,
    /// Whether a reading that changed something sets off a run.
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
    /// What the run does.
    #[arg(long)]
    mode: Option<RunMode>,
    /// What it is over: changed or all.
    #[arg(long)]
    scope: Option<TriggerScope>,
    /// The least time between two such runs.
    #[arg(long, value_name = "SECONDS")]
    min_interval_s: Option<i64>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// For what comes in: concelier (advisories) or excititor (VEX).
    #[arg(value_name = "KIND")]
    kind: TriggerKind,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Vex {
    /// List what is said of vulnerabilities in products, what came last first.
    #[command(visible_alias = "ls")]
    List(ListVex),
}

#[derive(Debug, Args)]
pub(crate) struct ListVex {
    /// About this vulnerability only.
    #[arg(long = "vuln", alias = "vulnerability", value_name = "ID")]
    vulnerability: Option<String>,
    /// Of this source only.
    #[arg(long)]
    source: Option<SourceId>,
    #[command(flatten)]
    paging: Paging,
}

impl Triggers {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let triggers = door.client.triggers();
        match self {
            Self::List => output.page(&triggers.list().await?, of_many),
            Self::Update(update) => {
                let wish = ChangeTrigger {
                    enabled: update.enabled,
                    mode: update.mode,
                    scope: update.scope,
                    min_interval_s: update.min_interval_s,
                };
                let write = update.seen.write(&update.why);
                output.show(&triggers.change(update.kind, &wish, &write).await?, of_one)
            }
            Self::RotateSecret(rotate) => {
                output.show(&triggers.rotate_secret(rotate.kind, &rotate.why.write()).await?, of_secret)
            }
        }
    }
}

impl Vex {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let Self::List(list) = self;
        let filter = VexFilter { vulnerability: list.vulnerability.clone(), source: list.source.clone() };
        let sources = door.client.sources();
        let page = list.paging.read(async |page| sources.vex(&filter, &page).await).await?;
        output.page(&page, of_statements)
    }
}

fn of_many(triggers: &[Trigger]) -> Table {
    let headings = &["KIND", "ENABLED", "MODE", "SCOPE", "INTERVAL", "GATHERED", "NEXT RUN", "LAST RUN"];
    Table::new(headings).rows(triggers, |trigger| {
        [
            trigger.kind.to_string(),
            if trigger.enabled { "yes".to_owned() } else { "no".to_owned() },
            trigger.mode.to_string(),
            trigger.scope.to_string(),
            format!("{} s", trigger.min_interval_s),
            trigger.pending_keys.to_string(),
            or_dash(trigger.next_run_at.as_ref()),
            or_dash(trigger.last_run_id.as_ref()),
        ]
    })
}

fn of_one(trigger: &Trigger) -> Table {
    let made = trigger.webhook_secret_made_at.map(|at| at.to_string());
    Table::of_one([
        ("kind", trigger.kind.to_string()),
        ("enabled", if trigger.enabled { "yes".to_owned() } else { "no".to_owned() }),
        ("mode", trigger.mode.to_string()),
        ("scope", trigger.scope.to_string()),
        ("interval", format!("{} s", trigger.min_interval_s)),
        ("gathered", trigger.pending_keys.to_string()),
        ("next run", trigger.next_run_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last run", trigger.last_run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("webhook", trigger.webhook_path.clone()),
        ("secret made", made.unwrap_or_else(|| "never; nothing is taken".to_owned())),
        ("version", trigger.version.to_string()),
    ])
}

fn of_secret(secret: &WebhookSecret) -> Table {
    Table::of_one([
        ("kind", secret.kind.to_string()),
        ("secret", secret.secret.clone()),
        ("made", secret.made_at.to_string()),
        ("note", "It is shown this once; the one before no longer holds.".to_owned()),
    ])
}

fn of_statements(statements: &[VexStatement]) -> Table {
    let headings = &["SAID", "VULNERABILITY", "STATUS", "PRODUCT", "COMPONENT", "WHY", "DOCUMENT"];
    Table::new(headings).rows(statements, |one| {
        [
            one.at.to_string(),
            one.vulnerability_id.clone(),
            one.status.to_string(),
            one.versions
                .as_ref()
                .map_or_else(|| one.product.clone(), |range| format!("{} {range}", one.product)),
            or_dash(one.component.as_ref()),
            or_dash(one.justification.as_ref().or(one.statement.as_ref())),
            one.document_id.clone(),
        ]
    })
}
