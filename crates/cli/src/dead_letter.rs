//! `stella orch deadletter`: what failed for good, by cause.

mod table;
mod which;

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::scope::read_json;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, BatchReplay, BatchResolve, ExportDeadLetters, ExportFormat, MuteCause,
    ReplayDeadLetter, ResolutionCode, ResolveDeadLetter, UnmuteCause,
};
use stella_contract::ids::DeadLetterId;
use stella_contract::time::Micros;
use table::{of_batch, of_clusters, of_detail, of_many, of_mutes, of_started, of_stats};
use which::{Filter, Which, time};

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
