//! `stella orch change-set` and `stella orch view`: one verb on many things; views under a name.

use crate::cause::Why;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use crate::wait::{Waiting, demand_done};
use clap::{Args, Subcommand};
use stella_contract::change_set::{
    AfterFirst, ChangeItem, ChangeOptions, ChangeParameters, ChangeSet, ChangeSetFilter, ChangeSetState,
    ChangeVerb, Changed, CreateChangeSet, ItemFilter, ItemState, Selection, StartChangeSet,
};
use stella_contract::dead_letter::DeadLetterFilter;
use stella_contract::ids::{ChangeSetId, ViewId};
use stella_contract::page::PageQuery;
use stella_contract::route::encode_query;
use stella_contract::saved_view::{SaveView, SavedView, ViewFilter, ViewPage};

#[derive(Debug, Subcommand)]
pub(crate) enum ChangeSets {
    /// List change-sets, the newest first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Make the dry run: what is selected, what would be refused and why. Nothing is changed yet.
    Create(Box<Create>),
    /// Start what the dry run showed.
    Start(Start),
    /// Show one change-set.
    Show(Which),
    /// List the items of a change-set with their results.
    Items(Items),
    /// Halt it; what is done stays done.
    Pause(Act),
    /// Let it go on.
    Resume(Act),
    /// End it; what was not reached is left as it was.
    Cancel(Act),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Views {
    /// List the saved views; those of the product come first.
    #[command(visible_alias = "ls")]
    List(ListViews),
    /// Save a filter of the jobs under a name.
    Save(Save),
    /// Forget a saved view.
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// In this state.
    #[arg(long)]
    state: Option<ChangeSetState>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// cancel, retry, replay, prioritize, dead_letter_replay or dead_letter_resolve.
    #[arg(long)]
    verb: ChangeVerb,
    /// All that match: "state:failed type:ingest.*"; "" is all.
    #[arg(long, value_name = "FILTER", required_unless_present_any = ["id", "dead_letters"], conflicts_with_all = ["id", "dead_letters"])]
    filter: Option<String>,
    /// All dead-letter entries that match: "state=open&fingerprint=4f1a"; "" is all.
    #[arg(long, value_name = "QUERY", value_parser = entries, conflicts_with = "id")]
    dead_letters: Option<DeadLetterFilter>,
    /// Leave this one out; may be given again.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    exclude: Vec<String>,
    /// Exactly this one; may be given again.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// For prioritize: 0 to 100.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=100))]
    priority: Option<i32>,
    /// For dead_letter_resolve: fixed_upstream, duplicate, ….
    #[arg(long)]
    code: Option<String>,
    /// For dead_letter_resolve: a note.
    #[arg(long)]
    note: Option<String>,
    /// For dead_letter_replay: repeat too what another attempt does not mend.
    #[arg(long)]
    force: bool,
    /// Do so many first and see how they end.
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u32).range(1..))]
    first: Option<u32>,
    /// After them: continue when they succeeded, or pause.
    #[arg(long, value_name = "continue|pause", requires = "first")]
    then: Option<AfterFirst>,
    /// Stop when more than this share failed.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    stop_above: Option<u32>,
    /// Items per second.
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pace: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Its id.
    #[arg(value_name = "CHANGE-SET")]
    id: ChangeSetId,
    /// The selection hash that the dry run gave.
    #[arg(long, value_name = "HASH")]
    selection: String,
    /// What becomes of items that changed since: refuse or skip.
    #[arg(long, value_name = "refuse|skip")]
    changed: Option<Changed>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id.
    #[arg(value_name = "CHANGE-SET")]
    id: ChangeSetId,
}

#[derive(Debug, Args)]
pub(crate) struct Items {
    /// Its id.
    #[arg(value_name = "CHANGE-SET")]
    id: ChangeSetId,
    /// Of which this became: waiting, refused, done, skipped or failed.
    #[arg(long)]
    state: Option<ItemState>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Act {
    /// Its id.
    #[arg(value_name = "CHANGE-SET")]
    id: ChangeSetId,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct ListViews {
    /// Of this page: jobs, dead_letter, runs, findings or sources.
    #[arg(long)]
    page: Option<ViewPage>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Save {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,
    /// The page it is a view of.
    #[arg(long, default_value = "jobs")]
    page: ViewPage,
    /// The filter: "state:failed age:<24h".
    #[arg(long, value_name = "FILTER", required_unless_present = "query", conflicts_with = "query")]
    filter: Option<String>,
    /// The whole query of the page's address instead.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its name or id.
    #[arg(value_name = "VIEW")]
    view: String,
    /// The page it is a view of.
    #[arg(long, default_value = "jobs")]
    page: ViewPage,
    #[command(flatten)]
    why: Why,
}

impl ChangeSets {
    /// Only who waits for a change-set has it carried out here.
    pub(crate) fn labour(&self) -> Labour {
        match self {
            Self::Start(start) if start.waiting.wait => Labour::Working,
            Self::List(_)
            | Self::Create(_)
            | Self::Start(_)
            | Self::Show(_)
            | Self::Items(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Cancel(_) => Labour::Resting,
        }
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let sets = door.client.change_sets();
        match self {
            Self::List(list) => {
                let filter = ChangeSetFilter { state: list.state };
                let page = list.paging.read(async |page| sets.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Create(create) => output.show(&sets.create(&create.wish()).await?, of_one),
            Self::Start(start) => {
                let wish = StartChangeSet { selection_hash: start.selection.clone(), changed: start.changed };
                let set = sets.start(&start.id, &wish, &start.why.write()).await?;
                if !start.waiting.wait {
                    output.show(&set, of_one)?;
                    door.explain_pending();
                    return Ok(());
                }
                let set = start.waiting.for_change_set(&door.client, &start.id).await?;
                output.show(&set, of_one)?;
                demand_done(&set)
            }
            Self::Show(which) => output.show(&sets.get(&which.id).await?, of_one),
            Self::Items(items) => {
                let filter = ItemFilter { state: items.state };
                let page =
                    items.paging.read(async |page| sets.items(&items.id, &filter, &page).await).await?;
                output.page(&page, of_items)
            }
            Self::Pause(act) => output.show(&sets.pause(&act.id, &act.why.write()).await?, of_one),
            Self::Resume(act) => output.show(&sets.resume(&act.id, &act.why.write()).await?, of_one),
            Self::Cancel(act) => output.show(&sets.cancel(&act.id, &act.why.write()).await?, of_one),
        }
    }
}

/// Reads a filter of entries as an address has it.
fn entries(text: &str) -> Result<DeadLetterFilter, String> {
    serde_urlencoded::from_str(text).map_err(|error| format!("{error}; as in state=open&category=timeout"))
}

impl Create {
    fn wish(&self) -> CreateChangeSet {
        let excluding = self.exclude.clone();
        let selection = match (&self.filter, &self.dead_letters) {
            (Some(filter), _) => Selection::Filter { filter: filter.clone(), excluding },
            (None, Some(wanted)) => Selection::DeadLetters { matching: Box::new(wanted.clone()), excluding },
            (None, None) => Selection::Ids { ids: self.id.clone() },
        };
        CreateChangeSet {
            verb: self.verb,
            selection,
            parameters: ChangeParameters {
                priority: self.priority,
                code: self.code.clone(),
                note: self.note.clone(),
                force: self.force,
            },
            options: ChangeOptions {
                first_n: self.first,
                after_first: self.then,
                stop_above_percent: self.stop_above,
                pace_per_s: self.pace,
            },
        }
    }
}

impl Views {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let views = door.client.views();
        match self {
            Self::List(list) => {
                let filter = ViewFilter { page: list.page };
                let page = list.paging.read(async |page| views.list(&filter, &page).await).await?;
                output.page(&page, of_views)
            }
            Self::Save(save) => {
                let query = match (&save.filter, &save.query) {
                    (Some(filter), _) => format!("filter={}", encode_query(filter)),
                    (None, query) => query.clone().unwrap_or_default(),
                };
                let wish = SaveView { page: save.page, name: save.name.clone(), query };
                let view = views.save(&wish, &save.why.write()).await?;
                output.show(&view, |view| of_views(std::slice::from_ref(view)))
            }
            Self::Delete(delete) => {
                let view = found(door, delete.page, &delete.view).await?;
                let view = views.delete(&view.view_id, &delete.why.write()).await?;
                output.show(&view, |view| of_views(std::slice::from_ref(view)))
            }
        }
    }
}

/// The view of this id or name.
pub(crate) async fn found(door: &Door, page: ViewPage, named: &str) -> Result<SavedView, Failure> {
    let id: Option<ViewId> = named.parse().ok();
    let is_meant = |view: &SavedView| view.name == named || id.as_ref() == Some(&view.view_id);
    let filter = ViewFilter { page: Some(page) };
    let mut query = PageQuery::default();
    loop {
        let views = door.client.views().list(&filter, &query).await?;
        if let Some(view) = views.items.into_iter().find(is_meant) {
            return Ok(view);
        }
        match views.next_page_token {
            Some(token) => query.page_token = Some(token),
            None => return Err(Failure::Usage(format!("There is no view `{named}` of the page {page}."))),
        }
    }
}

fn of_many(sets: &[ChangeSet]) -> Table {
    let headings = &["CHANGE-SET", "VERB", "STATE", "WAITING", "DONE", "SKIPPED", "FAILED", "BY", "CREATED"];
    Table::new(headings).rows(sets, |set| {
        [
            set.change_set_id.to_string(),
            set.verb.to_string(),
            set.state.to_string(),
            set.progress.waiting.to_string(),
            set.progress.done.to_string(),
            set.progress.skipped.to_string(),
            set.progress.failed.to_string(),
            set.started_by.as_ref().unwrap_or(&set.created_by).clone(),
            set.created_at.to_string(),
        ]
    })
}

fn of_one(set: &ChangeSet) -> Table {
    let selection = match &set.selection {
        Selection::Filter { filter, excluding } if excluding.is_empty() => {
            format!("all that match {filter:?}")
        }
        Selection::Filter { filter, excluding } => {
            format!("all that match {filter:?}, without {}", excluding.len())
        }
        Selection::DeadLetters { excluding, .. } if excluding.is_empty() => {
            "all entries that match".to_owned()
        }
        Selection::DeadLetters { excluding, .. } => {
            format!("all entries that match, without {}", excluding.len())
        }
        Selection::Ids { .. } => format!("{} named", set.dry_run.selected),
    };
    let progress = set.progress;
    let mut table = Table::of_one([
        ("change-set", set.change_set_id.to_string()),
        ("verb", set.verb.to_string()),
        ("state", set.state.to_string()),
        ("notice", set.notice.clone().unwrap_or_default()),
        ("selection", selection),
        ("selected", set.dry_run.selected.to_string()),
        ("eligible", set.dry_run.eligible.to_string()),
        ("selection hash", set.selection_hash.clone()),
        ("waiting", progress.waiting.to_string()),
        ("done", progress.done.to_string()),
        ("skipped", progress.skipped.to_string()),
        ("failed", progress.failed.to_string()),
        ("reason", set.reason.clone().unwrap_or_default()),
        ("ticket", set.ticket.clone().unwrap_or_default()),
        ("created", format!("{} by {}", set.created_at, set.created_by)),
        ("started", set.started_at.map(|at| at.to_string()).unwrap_or_default()),
        ("ended", set.ended_at.map(|at| at.to_string()).unwrap_or_default()),
    ]);
    for refusal in &set.dry_run.refusals {
        table.row([format!("refused {}", refusal.count), format!("{} ({})", refusal.reason, refusal.code)]);
    }
    for impact in &set.dry_run.impact {
        let queue = format!("{} wait, {} at work", impact.waiting, impact.at_work);
        table.row([format!("adds {}", impact.added), format!("{}: {queue}", impact.job_type)]);
    }
    table
}

fn of_items(items: &[ChangeItem]) -> Table {
    let headings = &["#", "ID", "TYPE", "WAS", "RESULT", "WHY", "NEW JOB"];
    Table::new(headings).rows(items, |item| {
        [
            item.position.to_string(),
            item.id.clone(),
            item.job_type.clone(),
            item.was.clone(),
            item.state.to_string(),
            item.message.clone().or(item.code.map(|code| code.to_string())).unwrap_or_else(|| "-".to_owned()),
            or_dash(item.result_job_id.as_ref()),
        ]
    })
}

fn of_views(views: &[SavedView]) -> Table {
    let headings = &["PAGE", "NAME", "QUERY", "OWNER", "VIEW"];
    Table::new(headings).rows(views, |view| {
        [
            view.page.to_string(),
            view.name.clone(),
            stella_contract::route::decode(&view.query),
            or_dash(view.owner.as_ref()),
            view.view_id.to_string(),
        ]
    })
}
