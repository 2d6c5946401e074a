//! `stella orch deadletter` and `stella orch incident`: what failed for good, by cause, and what needs attention.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::scope::read_json;
use crate::source;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, BatchReplay, BatchResolve, Cluster, DeadLetter, DeadLetterBatch, DeadLetterDetail,
    DeadLetterFilter, DeadLetterState, DeadLetterStats, ExportDeadLetters, ExportFormat, Mute, MuteCause,
    ReplayDeadLetter, ReplayStarted, ResolutionCode, ResolveDeadLetter, SelectDeadLetters, UnmuteCause,
};
use stella_contract::ids::{DeadLetterId, IncidentId, RunId};
use stella_contract::incident::{
    Incident, IncidentFilter, IncidentKind, IncidentState, NoteIncident, Severity,
};
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List entries, the newest first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show one entry with its payload, repeats and history.
    Show(One),
    /// List the causes, the one with the most entries first.
    #[command(alias = "analyze")]
    Clusters(List),
    /// Show the figures.
    Stats,
    /// Repeat one entry, or all that match a filter.
    #[command(alias = "retry")]
    Replay(Box<Replay>),
    /// Close one entry, or all that match a filter.
    Resolve(Box<Resolve>),
    /// Open a closed entry again.
    Reopen(Reopen),
    /// Say who looks after an entry.
    #[command(visible_alias = "acknowledge")]
    Ack(Acknowledge),
    /// Write entries into a file; the manifest goes to stderr.
    Export(Export),
    /// List the causes of which nobody is called.
    Mutes(Paging),
    /// Call nobody of a cause: it is counted and shown, and its spikes are not told.
    Mute(MuteOne),
    /// Call of a cause again.
    Unmute(UnmuteOne),
}

#[derive(Debug, Args)]
pub(crate) struct MuteOne {
    /// The fingerprint of the cause.
    #[arg(value_name = "HEX")]
    fingerprint: String,
    /// Until when; for good when absent.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Micros>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct UnmuteOne {
    /// The fingerprint of the cause.
    #[arg(value_name = "HEX")]
    fingerprint: String,
    #[command(flatten)]
    why: Why,
}

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

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id.
    #[arg(value_name = "ENTRY")]
    entry: DeadLetterId,
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
    dry_run: bool,
    /// The hash of a dry run; without it, one is made and its hash quoted at once.
    #[arg(long, value_name = "HASH")]
    selection_hash: Option<String>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    which: Which,
    /// Another payload, as a file of JSON; for one entry. `-` reads it from stdin.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Also what is not retryable or was repeated five times.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    which: Which,
    /// Why, in one word.
    #[arg(long, value_name = "CODE")]
    code: ResolutionCode,
    /// Why, in sentences.
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Reopen {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    #[command(flatten)]
    one: One,
    /// Who; you, when absent.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// What is known so far.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// By when it shall be done.
    #[arg(long, value_name = "TIME", value_parser = time)]
    due: Option<Micros>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    filter: Filter,
    /// The form of the file.
    #[arg(long = "as", value_name = "ndjson|csv", default_value = "ndjson")]
    form: ExportFormat,
    /// With the payloads, secrets redacted.
    #[arg(long)]
    payload: bool,
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

fn time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected a time like 2026-11-21T14:00:00Z".to_owned())
}

impl Filter {
    async fn read(&self, door: &Door) -> Result<DeadLetterFilter, Failure> {
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
    fn one(&self) -> Option<&DeadLetterId> {
        match self.entries.as_slice() {
            [one] if !self.dry_run && self.selection_hash.is_none() => Some(one),
            _ => None,
        }
    }

    async fn selection(&self, door: &Door) -> Result<SelectDeadLetters, Failure> {
        if !self.entries.is_empty() {
            return Ok(SelectDeadLetters { ids: Some(self.entries.clone()), filter: None });
        }
        let mut filter = self.filter.read(door).await?;
        filter.state = filter.state.or(Some(DeadLetterState::Open));
        Ok(SelectDeadLetters { ids: None, filter: Some(filter) })
    }

    /// The hash to quote.
    async fn hash(&self, door: &Door, selection: &SelectDeadLetters) -> Result<Option<String>, Failure> {
        if self.dry_run {
            return Ok(None);
        }
        match &self.selection_hash {
            Some(hash) => Ok(Some(hash.clone())),
            None => Ok(Some(door.client.dead_letters().preview(selection).await?.selection_hash)),
        }
    }
}

impl DeadLetters {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let desk = door.client.dead_letters();
        match self {
            Self::List(list) => {
                let filter = list.filter.read(door).await?;
                let page = list.paging.read(async |page| desk.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Show(one) => output.show(&desk.get(&one.entry).await?, of_detail),
            Self::Clusters(list) => {
                let filter = list.filter.read(door).await?;
                let page = list.paging.read(async |page| desk.clusters(&filter, &page).await).await?;
                output.page(&page, of_clusters)
            }
            Self::Stats => output.show(&desk.stats().await?, of_stats),
            Self::Replay(replay) => replay.obey(door, output).await,
            Self::Resolve(resolve) => resolve.obey(door, output).await,
            Self::Reopen(reopen) => {
                let entry = desk.reopen(&reopen.one.entry, &reopen.why.write()).await?;
                output.show(&entry, |entry| of_many(std::slice::from_ref(entry)))
            }
            Self::Ack(ack) => {
                let wish = AcknowledgeDeadLetter {
                    owner: ack.owner.clone(),
                    note: ack.note.clone(),
                    due_at: ack.due,
                };
                let entry = desk.acknowledge(&ack.one.entry, &wish, &ack.why.write()).await?;
                output.show(&entry, |entry| of_many(std::slice::from_ref(entry)))
            }
            Self::Mutes(paging) => {
                let page = paging.read(async |page| desk.mutes(&page).await).await?;
                output.page(&page, of_mutes)
            }
            Self::Mute(one) => {
                let wish = MuteCause { fingerprint: one.fingerprint.clone(), until: one.until };
                let mute = desk.mute(&wish, &one.why.write()).await?;
                output.show(&mute, |mute| of_mutes(std::slice::from_ref(mute)))
            }
            Self::Unmute(one) => {
                let wish = UnmuteCause { fingerprint: one.fingerprint.clone() };
                let mute = desk.unmute(&wish, &one.why.write()).await?;
                output.show(&mute, |mute| of_mutes(std::slice::from_ref(mute)))
            }
            Self::Export(export) => {
                let filter = export.filter.read(door).await?;
                let wish = ExportDeadLetters::of(filter, export.form, export.payload);
                let made = desk.export(&wish).await?;
                output.text(&made.content)?;
                let manifest = &made.manifest;
                eprintln!("{} entries, sha256 {}, {}", manifest.count, manifest.sha256, manifest.file_name);
                Ok(())
            }
        }
    }
}

impl Replay {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let (desk, write) = (door.client.dead_letters(), self.why.write());
        let payload = match &self.payload {
            Some(file) => Some(read_json(file)?),
            None => None,
        };
        if let Some(one) = self.which.one() {
            let wish = ReplayDeadLetter { payload, force: self.force };
            return output.show(&desk.replay(one, &wish, &write).await?, of_started);
        }
        if payload.is_some() {
            return Err(Failure::Usage("Another payload goes with exactly one entry.".to_owned()));
        }
        let selection = self.which.selection(door).await?;
        let wish = BatchReplay {
            selection_hash: self.which.hash(door, &selection).await?,
            ids: selection.ids,
            filter: selection.filter,
            dry_run: self.which.dry_run,
            force: self.force,
        };
        output.show(&desk.batch_replay(&wish, &write).await?, of_batch)
    }
}

impl Resolve {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let (desk, write) = (door.client.dead_letters(), self.why.write());
        if let Some(one) = self.which.one() {
            let wish = ResolveDeadLetter { resolution: self.code, note: self.note.clone() };
            let entry = desk.resolve(one, &wish, &write).await?;
            return output.show(&entry, |entry| of_many(std::slice::from_ref(entry)));
        }
        let selection = self.which.selection(door).await?;
        let wish = BatchResolve {
            selection_hash: self.which.hash(door, &selection).await?,
            ids: selection.ids,
            filter: selection.filter,
            dry_run: self.which.dry_run,
            resolution: self.code,
            note: self.note.clone(),
        };
        output.show(&desk.batch_resolve(&wish, &write).await?, of_batch)
    }
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

fn of_many(entries: &[DeadLetter]) -> Table {
    Table::new(&[
        "ENTRY",
        "STATE",
        "CATEGORY",
        "CODE",
        "TYPE",
        "CAUSE",
        "ATTEMPTS",
        "REPLAYS",
        "FAILED AT",
        "OWNER",
    ])
    .rows(entries, |entry| {
        [
            entry.entry_id.to_string(),
            entry.state.to_string(),
            entry.category.to_string(),
            entry.error_code.clone(),
            entry.job_type.clone(),
            entry.fingerprint.clone(),
            entry.attempts.to_string(),
            entry.replay_count.to_string(),
            entry.dead_lettered_at.to_string(),
            or_dash(entry.owner.as_ref()),
        ]
    })
}

fn of_detail(detail: &DeadLetterDetail) -> Table {
    let entry = &detail.entry;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let at = |value: Option<Micros>| value.map(|at| at.to_string()).unwrap_or_default();
    Table::of_one([
        ("id", entry.entry_id.to_string()),
        ("state", entry.state.to_string()),
        ("job", entry.job_id.to_string()),
        ("type", entry.job_type.clone()),
        ("category", entry.category.to_string()),
        ("retryable", entry.retryable.to_string()),
        ("code", entry.error_code.clone()),
        ("message", entry.error_message.clone()),
        ("cause", entry.fingerprint.clone()),
        ("alike", detail.alike.to_string()),
        ("host", text(&entry.host)),
        ("status", entry.http_status.map(|status| status.to_string()).unwrap_or_default()),
        ("source", entry.source_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("run", entry.run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("attempts", entry.attempts.to_string()),
        ("first failed", entry.first_failed_at.to_string()),
        ("failed at", entry.dead_lettered_at.to_string()),
        ("replays", entry.replay_count.to_string()),
        ("last replay", entry.last_replay_job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("owner", text(&entry.owner)),
        ("due", at(entry.due_at)),
        ("resolution", entry.resolution.map(|code| code.to_string()).unwrap_or_default()),
        ("resolved by", text(&entry.resolved_by)),
        ("resolved at", at(entry.resolved_at)),
        ("note", text(&entry.note)),
        ("payload", detail.payload.to_string()),
    ])
}

fn of_mutes(mutes: &[Mute]) -> Table {
    Table::new(&["CAUSE", "UNTIL", "BY", "SINCE", "REASON"]).rows(mutes, |mute| {
        [
            mute.fingerprint.clone(),
            mute.until.map_or_else(|| "for good".to_owned(), |until| until.to_string()),
            mute.muted_by.clone(),
            mute.muted_at.to_string(),
            or_dash(mute.reason.as_ref()),
        ]
    })
}

fn of_clusters(clusters: &[Cluster]) -> Table {
    Table::new(&[
        "CAUSE",
        "COUNT",
        "OPEN",
        "RETRYABLE",
        "CATEGORY",
        "TYPE",
        "HOST",
        "SOURCES",
        "LAST SEEN",
        "SAMPLE",
    ])
    .rows(clusters, |cluster| {
        [
            cluster.fingerprint.clone(),
            cluster.count.to_string(),
            cluster.open.to_string(),
            format!("{:.0} %", cluster.retryable_share * 100.0),
            cluster.category.to_string(),
            cluster.job_type.clone(),
            or_dash(cluster.host.as_ref()),
            cluster.source_count.to_string(),
            cluster.last_seen_at.to_string(),
            cluster.sample.chars().take(80).collect(),
        ]
    })
}

fn of_stats(stats: &DeadLetterStats) -> Table {
    let common = stats.most_common.as_ref();
    Table::of_one([
        ("health", stats.health.to_string()),
        ("open", stats.open.to_string()),
        ("retryable", stats.retryable.to_string()),
        ("unacknowledged", stats.unacknowledged.to_string()),
        ("oldest", stats.oldest_open_at.map(|at| at.to_string()).unwrap_or_default()),
        ("most common", common.map(|one| format!("{} ({})", one.error_code, one.count)).unwrap_or_default()),
        ("its cause", common.map(|one| one.fingerprint.clone()).unwrap_or_default()),
        ("added in 24 h", stats.added24h.to_string()),
        ("replaying", stats.replaying.to_string()),
        ("replayed", stats.replayed.to_string()),
        ("resolved", stats.resolved.to_string()),
    ])
}

fn of_started(started: &ReplayStarted) -> Table {
    Table::of_one([
        ("entry", started.entry.entry_id.to_string()),
        ("state", started.entry.state.to_string()),
        ("replays", started.entry.replay_count.to_string()),
        ("job", started.job.job_id.to_string()),
        ("job state", started.job.state.to_string()),
    ])
}

fn of_batch(batch: &DeadLetterBatch) -> Table {
    if batch.dry_run {
        let preview = &batch.preview;
        let left: Vec<String> =
            preview.left_out.iter().map(|one| format!("{} {}", one.count, one.why)).collect();
        let categories: Vec<String> =
            preview.by_category.iter().map(|one| format!("{} {}", one.count, one.category)).collect();
        return Table::of_one([
            ("selected", preview.count.to_string()),
            ("can be repeated", preview.replayable.to_string()),
            ("can be closed", preview.resolvable.to_string()),
            ("left out", left.join(", ")),
            ("by category", categories.join(", ")),
            ("paced over", format!("{} s", preview.paced_over_s)),
            ("selection hash", preview.selection_hash.clone()),
        ]);
    }
    Table::new(&["ENTRY", "OUTCOME", "JOB"]).rows(&batch.results, |one| {
        [one.entry_id.to_string(), one.outcome.clone(), or_dash(one.job_id.as_ref())]
    })
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
