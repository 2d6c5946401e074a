//! `stella orch incident`: what needs attention.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::Table;
use clap::{Args, Subcommand};
use stella_contract::ids::IncidentId;
use stella_contract::incident::{
    Incident, IncidentFilter, IncidentKind, IncidentState, NoteIncident, Severity,
};
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum Incidents {
    /// List incidents, the newest first.
    #[command(visible_alias = "ls")]
    List(ListIncidents),
    /// Show one incident.
    Show(OneIncident),
    /// Say that you look after it.
    #[command(visible_alias = "acknowledge")]
    Ack(ChangeIncident),
    /// Say that it is over.
    Resolve(ChangeIncident),
}

#[derive(Debug, Args)]
pub(crate) struct ListIncidents {
    /// In this state.
    #[arg(long)]
    state: Option<IncidentState>,
    /// Of this kind.
    #[arg(long)]
    kind: Option<IncidentKind>,
    /// As bad as this.
    #[arg(long)]
    severity: Option<Severity>,
    /// Those that are not over.
    #[arg(long)]
    unresolved: bool,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct OneIncident {
    /// Its id.
    #[arg(value_name = "INCIDENT")]
    incident: IncidentId,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeIncident {
    #[command(flatten)]
    one: OneIncident,
    /// What there is to say; demanded when it is over.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    why: Why,
}

impl Incidents {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let desk = door.client.incidents();
        match self {
            Self::List(list) => {
                let filter = IncidentFilter {
                    state: list.state,
                    kind: list.kind,
                    severity: list.severity,
                    subject: None,
                    unresolved: list.unresolved.then_some(true),
                };
                let page = list.paging.read(async |page| desk.list(&filter, &page).await).await?;
                output.page(&page, of_incidents)
            }
            Self::Show(one) => output.show(&desk.get(&one.incident).await?, of_incident),
            Self::Ack(ack) => {
                let wish = NoteIncident { note: ack.note.clone() };
                let incident = desk.acknowledge(&ack.one.incident, &wish, &ack.why.write()).await?;
                output.show(&incident, of_incident)
            }
            Self::Resolve(over) => {
                let wish = NoteIncident { note: over.note.clone() };
                let incident = desk.resolve(&over.one.incident, &wish, &over.why.write()).await?;
                output.show(&incident, of_incident)
            }
        }
    }
}

fn of_incidents(incidents: &[Incident]) -> Table {
    Table::new(&["INCIDENT", "STATE", "SEVERITY", "KIND", "COUNT", "OPENED", "SUMMARY"]).rows(
        incidents,
        |incident| {
            [
                incident.incident_id.to_string(),
                incident.state.to_string(),
                incident.severity.to_string(),
                incident.kind.to_string(),
                incident.count.to_string(),
                incident.opened_at.to_string(),
                incident.summary.chars().take(80).collect(),
            ]
        },
    )
}

fn of_incident(incident: &Incident) -> Table {
    let at = |value: Option<Micros>| value.map(|at| at.to_string()).unwrap_or_default();
    Table::of_one([
        ("id", incident.incident_id.to_string()),
        ("state", incident.state.to_string()),
        ("severity", incident.severity.to_string()),
        ("kind", incident.kind.to_string()),
        ("alert", incident.alert_name.clone()),
        ("subject", incident.subject.clone()),
        ("summary", incident.summary.clone()),
        ("count", incident.count.to_string()),
        ("opened", incident.opened_at.to_string()),
        ("last seen", incident.last_seen_at.to_string()),
        ("looked after by", incident.ack.as_ref().map(|ack| ack.by.clone()).unwrap_or_default()),
        ("note", incident.note.clone().unwrap_or_default()),
        ("cleared", at(incident.cleared_at)),
        ("resolved", at(incident.resolved_at)),
        ("resolved by", incident.resolved_by.clone().unwrap_or_default()),
    ])
}

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;
    use clap::Parser;

    /// What the pages put behind their copy buttons, one of each kind.
    #[test]
    fn every_command_of_the_dead_letter_is_understood() {
        let (entry, incident) =
            ("dl_01890000-0000-7000-8000-000000000001", "inc_01890000-0000-7000-8000-000000000001");
        let because = ["--reason", "the feed is back", "--ticket", "OPS-7"];
        let looks: [&[&str]; 9] = [
            &["deadletter", "list", "--state", "open", "--fingerprint", "5f1c0a9b7e2d4c68"],
            &[
                "deadletter",
                "list",
                "--retryable",
                "--category",
                "upstream_error",
                "--since",
                "2026-11-21T00:00:00Z",
            ],
            &["deadletter", "show", entry],
            &["deadletter", "clusters", "--retryable", "false"],
            &["deadletter", "stats"],
            &["deadletter", "export", "--as", "csv", "--payload", "--state", "open"],
            &["deadletter", "replay", "--all-matching", "--fingerprint", "5f1c0a9b7e2d4c68", "--dry-run"],
            &["incident", "list", "--unresolved", "--kind", "deadletter.spike"],
            &["incident", "show", incident],
        ];
        let writes: [&[&str]; 8] = [
            &["deadletter", "replay", entry, "--payload", "p.json", "--force"],
            &["deadletter", "replay", entry, entry, "--selection-hash", "9f86"],
            &["deadletter", "resolve", entry, "--code", "fixed_upstream", "--note", "it answers again"],
            &[
                "deadletter",
                "resolve",
                "--all-matching",
                "--code",
                "obsolete",
                "--note",
                "n",
                "--type",
                "x.y",
            ],
            &["deadletter", "reopen", entry],
            &["deadletter", "ack", entry, "--owner", "ada", "--due", "2026-11-22T00:00:00Z"],
            &["incident", "ack", incident],
            &["incident", "resolve", incident, "--note", "they restarted it"],
        ];
        let understood = |words: &[&str], rest: &[&str]| {
            let line = ["stella", "orch"].iter().chain(words).chain(rest);
            assert!(Arguments::try_parse_from(line).is_ok(), "{words:?}");
        };
        looks.iter().for_each(|words| understood(words, &[]));
        writes.iter().for_each(|words| understood(words, &because));
        for wrong in [["replay"].as_slice(), &["resolve", entry, "--code", "fixed_upstream"], &["ack"]] {
            let line = ["stella", "orch", "deadletter"].iter().chain(wrong);
            assert!(Arguments::try_parse_from(line).is_err(), "{wrong:?}");
        }
    }
}
