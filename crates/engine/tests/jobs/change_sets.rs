//! One verb on many jobs: looked at first, carried out item by item, never twice.

use crate::support::World;
use stella_contract::change_set::{
    AfterFirst, ChangeItem, ChangeOptions, ChangeParameters, ChangeSet, ChangeSetState, ChangeVerb, Changed,
    CreateChangeSet, ItemFilter, ItemRefusal, ItemState, Selection, StartChangeSet,
};
use stella_contract::dead_letter::DeadLetterFilter;
use stella_contract::error::Code;
use stella_contract::ids::ChangeSetId;
use stella_contract::job::{ErrorClass, Job, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::scope::Scope;
use stella_engine::{Caller, Clock, Error};
use stella_ledger::LedgerError;
use stella_ledger::history::{self, About};

pub(crate) fn by_filter(verb: ChangeVerb, filter: &str) -> CreateChangeSet {
    CreateChangeSet {
        verb,
        selection: Selection::Filter { filter: filter.to_owned(), excluding: Vec::new() },
        parameters: ChangeParameters::default(),
        options: ChangeOptions::default(),
    }
}

pub(crate) fn by_ids(verb: ChangeVerb, jobs: &[&Job]) -> CreateChangeSet {
    let ids = jobs.iter().map(|job| job.job_id.to_string()).collect();
    CreateChangeSet { selection: Selection::Ids { ids }, ..by_filter(verb, "") }
}

impl World {
    pub(crate) async fn look(&self, wish: CreateChangeSet) -> ChangeSet {
        self.engine.change_sets().create(&self.caller, wish).await.unwrap()
    }
    pub(crate) async fn try_start(
        &self,
        set: &ChangeSet,
        changed: Option<Changed>,
    ) -> Result<ChangeSet, Error> {
        let wish = StartChangeSet { selection_hash: set.selection_hash.clone(), changed };
        self.engine.change_sets().start(&self.caller, &set.change_set_id, wish).await
    }
    pub(crate) async fn begin(&self, set: &ChangeSet) -> ChangeSet {
        self.try_start(set, None).await.unwrap()
    }
    /// Lets the background tasks look, at the same time; the worker of the process knows no job type.
    pub(crate) async fn idle(&self) {
        self.pass_ms(0).await;
    }
    pub(crate) async fn set(&self, id: &ChangeSetId) -> ChangeSet {
        self.engine.change_sets().get(&self.caller, id).await.unwrap()
    }
    pub(crate) async fn items(&self, id: &ChangeSetId) -> Vec<ChangeItem> {
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let page = self.engine.change_sets().items(&self.caller, id, &ItemFilter::default(), &query).await;
        page.unwrap().items
    }
    pub(crate) async fn many(&self, count: usize) -> Vec<Job> {
        let wishes = vec![self.wish(); count];
        let made = self.engine.jobs().submit_many(&self.caller, wishes).await.unwrap();
        made.into_iter().map(|submitted| submitted.job).collect()
    }
    pub(crate) async fn failed(&self, count: usize) -> Vec<Job> {
        let mut jobs = self.many(count).await;
        for job in &mut jobs {
            let lease = self.start().await;
            *job = self.fail(&lease.fence, ErrorClass::Validation).await;
            assert_eq!(job.state, JobState::Failed);
        }
        jobs
    }
    /// What was written down of the change-set, in short.
    pub(crate) async fn told(&self, id: &ChangeSetId) -> Vec<String> {
        let tenant = self.caller.tenant.clone();
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { history::oldest(tx, &tenant, &About::Everything, 0, 1_000).await })
        });
        let entries = read.await.unwrap();
        let of_it = entries.into_iter().filter(|entry| entry.data["changeSetId"] == id.as_str());
        of_it.map(|entry| entry.kind.trim_start_matches("orch.change_set.").to_owned()).collect()
    }
}

pub(crate) async fn a_dry_run_tells_what_is_refused_and_changes_nothing(world: World) {
    let running = world.submitted().await;
    let lease = world.start().await;
    let ended = world.submitted().await;
    let cancelled = world.engine.jobs().cancel(&world.caller, &ended.job_id).await.unwrap();
    let waiting = world.submitted().await;
    let set = world.look(by_filter(ChangeVerb::Cancel, "")).await;
    assert_eq!(set.state, ChangeSetState::Draft);
    assert_eq!((set.dry_run.selected, set.dry_run.eligible), (3, 2));
    let refusal = &set.dry_run.refusals[0];
    assert_eq!((refusal.code, refusal.count), (ItemRefusal::AlreadyEnded, 1));
    let items = world.items(&set.change_set_id).await;
    let told: Vec<(String, ItemState)> = items.into_iter().map(|item| (item.id, item.state)).collect();
    assert_eq!(
        told,
        [
            (running.job_id.to_string(), ItemState::Waiting),
            (ended.job_id.to_string(), ItemState::Refused),
            (waiting.job_id.to_string(), ItemState::Waiting),
        ]
    );
    world.idle().await;
    assert_eq!(world.job(&running.job_id).await, lease.job);
    assert_eq!(world.job(&ended.job_id).await, cancelled);
    assert_eq!(world.job(&waiting.job_id).await, waiting);
    // It was not started, so there is nothing to be found in the history; who may only read may look at it.
    assert_eq!(world.told(&set.change_set_id).await, Vec::<String>::new());
}

pub(crate) async fn a_started_set_does_every_item_and_writes_down_who_and_why(world: World) {
    let running = world.submitted().await;
    world.start().await;
    let jobs = world.many(3).await;
    let set = world.look(by_filter(ChangeVerb::Cancel, "type:exam state:queued,running")).await;
    let started = world.begin(&set).await;
    assert_eq!((started.state, started.started_by.as_deref()), (ChangeSetState::Running, Some("ada")));
    assert_eq!((started.reason.as_deref(), started.ticket.as_deref()), (Some("a test"), Some("OPS-1")));
    world.idle().await;
    let done = world.set(&set.change_set_id).await;
    assert_eq!((done.state, done.progress.done, done.progress.waiting), (ChangeSetState::Completed, 4, 0));
    assert_eq!(done.ended_at, Some(world.now()));
    for job in &jobs {
        let last = world.history(&job.job_id).await.pop().unwrap();
        assert_eq!(last.kind, "orch.job.cancelled");
        assert_eq!((last.actor.subject.as_str(), last.reason.as_deref()), ("ada", Some("a test")));
        assert_eq!(last.ticket.as_deref(), Some("OPS-1"));
    }
    assert!(world.job(&running.job_id).await.cancel_requested_at.is_some());
    assert_eq!(world.told(&set.change_set_id).await, ["started", "completed"]);
    world.assert_chain().await;
}

pub(crate) async fn one_job_is_a_set_of_one(world: World) {
    let job = world.submitted().await;
    let set = world.look(by_ids(ChangeVerb::Cancel, &[&job])).await;
    assert_eq!((set.dry_run.selected, set.dry_run.eligible), (1, 1));
    world.begin(&set).await;
    world.idle().await;
    assert_eq!(world.state(&job.job_id).await, JobState::Cancelled);
    assert_eq!(world.items(&set.change_set_id).await[0].state, ItemState::Done);
}

pub(crate) async fn a_filter_takes_what_matches_at_the_dry_run_without_what_is_excluded(world: World) {
    let jobs = world.many(3).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    let excluding = vec![jobs[1].job_id.to_string()];
    wish.selection = Selection::Filter { filter: "state:queued".to_owned(), excluding };
    let set = world.look(wish).await;
    let late = world.submitted().await;
    world.begin(&set).await;
    world.idle().await;
    let states = [&jobs[0], &jobs[1], &jobs[2], &late];
    let mut found = Vec::new();
    for job in states {
        found.push(world.state(&job.job_id).await);
    }
    let (cancelled, queued) = (JobState::Cancelled, JobState::Queued);
    assert_eq!(found, [cancelled, queued, cancelled, queued]);
}

pub(crate) async fn ids_that_name_nothing_of_the_tenant_are_refused_items(world: World) {
    let job = world.submitted().await;
    let stranger = Caller::local("other".parse().unwrap(), "eve").because("a test", Some("OPS-2"));
    let foreign = world.engine.jobs().submit(&stranger, world.wish()).await.unwrap().job;
    let set = world.look(by_ids(ChangeVerb::Cancel, &[&foreign, &job])).await;
    assert_eq!((set.dry_run.selected, set.dry_run.eligible), (2, 1));
    assert_eq!(set.dry_run.refusals[0].code, ItemRefusal::NotFound);
    world.begin(&set).await;
    world.idle().await;
    let still = world.engine.jobs().get(&stranger, &foreign.job_id).await.unwrap().job;
    assert_eq!(still.state, JobState::Queued);
    // And the set itself is nobody else's.
    let error = world.engine.change_sets().get(&stranger, &set.change_set_id).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
}

pub(crate) async fn a_start_quotes_the_hash_and_is_refused_when_items_changed(world: World) {
    let jobs = world.many(3).await;
    let set = world.look(by_filter(ChangeVerb::Cancel, "state:queued")).await;
    let wrong = StartChangeSet { selection_hash: "sha256:0".to_owned(), changed: None };
    let sets = world.engine.change_sets();
    let error = sets.start(&world.caller, &set.change_set_id, wrong).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged);
    world.engine.jobs().cancel(&world.caller, &jobs[0].job_id).await.unwrap();
    let error = world.try_start(&set, None).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged);
    assert!(error.public.contains("1 of the 3 items") && error.public.contains("1 cancelled"), "{error}");
    assert_eq!(world.set(&set.change_set_id).await.state, ChangeSetState::Draft);
    world.idle().await;
    assert_eq!(world.state(&jobs[1].job_id).await, JobState::Queued);
    // Whoever says so leaves out what changed.
    world.try_start(&set, Some(Changed::Skip)).await.unwrap();
    world.idle().await;
    let done = world.set(&set.change_set_id).await;
    assert_eq!((done.state, done.progress.done, done.progress.skipped), (ChangeSetState::Completed, 2, 1));
    let item = &world.items(&set.change_set_id).await[0];
    assert_eq!((item.state, item.code), (ItemState::Skipped, Some(ItemRefusal::NotPossible)));
}

pub(crate) async fn nothing_to_do_cannot_be_started(world: World) {
    let set = world.look(by_filter(ChangeVerb::Cancel, "state:failed")).await;
    assert_eq!(set.dry_run.selected, 0);
    assert_eq!(world.try_start(&set, None).await.unwrap_err().code, Code::Invalid);
}

pub(crate) async fn a_change_needs_scope_reason_and_ticket_and_a_look_only_the_scope(world: World) {
    let job = world.submitted().await;
    let sets = world.engine.change_sets();
    let silent = Caller::local("acme".parse().unwrap(), "ada");
    let set = sets.create(&silent, by_ids(ChangeVerb::Cancel, &[&job])).await.unwrap();
    let start = || StartChangeSet { selection_hash: set.selection_hash.clone(), changed: None };
    let id = &set.change_set_id;
    let mut looker = world.caller.clone();
    looker.scopes.remove(&Scope::OrchOperate);
    let reader = Caller { read_only: true, ..world.caller.clone() };
    let no_ticket = silent.clone().because("why", None);
    for (caller, code) in [
        (&silent, Code::ReasonRequired),
        (&no_ticket, Code::TicketRequired),
        (&looker, Code::ScopeMissing),
        (&reader, Code::ReadOnly),
    ] {
        assert_eq!(sets.start(caller, id, start()).await.unwrap_err().code, code);
        assert_eq!(sets.pause(caller, id).await.unwrap_err().code, code);
        assert_eq!(sets.resume(caller, id).await.unwrap_err().code, code);
        assert_eq!(sets.cancel(caller, id).await.unwrap_err().code, code);
    }
    let refused = sets.create(&looker, by_ids(ChangeVerb::Cancel, &[&job])).await.unwrap_err();
    assert_eq!(refused.code, Code::ScopeMissing);
    assert_eq!(sets.get(&looker, id).await.unwrap().state, ChangeSetState::Draft);
}

pub(crate) async fn every_arrow_that_does_not_exist_is_refused_and_changes_nothing(world: World) {
    let sets = world.engine.change_sets();
    let caller = &world.caller;
    let start =
        |set: &ChangeSet| StartChangeSet { selection_hash: set.selection_hash.clone(), changed: None };
    let refused = async |set: &ChangeSet, verbs: &[&str]| {
        let id = &set.change_set_id;
        for verb in verbs {
            let answer = match *verb {
                "start" => sets.start(caller, id, start(set)).await,
                "pause" => sets.pause(caller, id).await,
                "resume" => sets.resume(caller, id).await,
                _ => sets.cancel(caller, id).await,
            };
            assert_eq!(answer.unwrap_err().code, Code::InvalidTransition, "{verb}");
        }
        assert_eq!(world.set(id).await, *set);
    };
    world.many(3).await;
    let mut wish = by_filter(ChangeVerb::Cancel, "state:queued");
    wish.options.pace_per_s = Some(1);
    let draft = world.look(wish.clone()).await;
    refused(&draft, &["pause", "resume"]).await;
    let running = world.begin(&draft).await;
    refused(&running, &["start", "resume"]).await;
    let paused = sets.pause(caller, &draft.change_set_id).await.unwrap();
    assert_eq!((paused.state, paused.notice.as_deref()), (ChangeSetState::Paused, Some("Paused by ada")));
    refused(&paused, &["start", "pause"]).await;
    let resumed = sets.resume(caller, &draft.change_set_id).await.unwrap();
    assert_eq!((resumed.state, resumed.notice.as_deref()), (ChangeSetState::Running, None));
    let cancelled = sets.cancel(caller, &draft.change_set_id).await.unwrap();
    assert_eq!((cancelled.state, cancelled.ended_at), (ChangeSetState::Cancelled, Some(world.now())));
    refused(&cancelled, &["start", "pause", "resume", "cancel"]).await;
    let other = world.look(wish).await;
    let thrown_away = sets.cancel(caller, &other.change_set_id).await.unwrap();
    refused(&thrown_away, &["start", "pause", "resume", "cancel"]).await;
    assert_eq!(world.told(&draft.change_set_id).await, ["started", "paused", "resumed", "cancelled"]);
}

pub(crate) async fn waiting_jobs_get_another_priority_and_failed_ones_another_try(world: World) {
    let failed = world.failed(1).await;
    let waiting = world.many(2).await;
    let mut wish = by_filter(ChangeVerb::Prioritize, "state:queued");
    wish.parameters.priority = Some(90);
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    for job in &waiting {
        assert_eq!(world.job(&job.job_id).await.priority, 90);
    }
    let set = world.look(by_ids(ChangeVerb::Retry, &[&failed[0]])).await;
    world.begin(&set).await;
    world.idle().await;
    let item = world.items(&set.change_set_id).await.remove(0);
    let made = world.job(&item.result_job_id.unwrap().parse().unwrap()).await;
    assert_eq!((made.retry_of, made.state), (Some(failed[0].job_id.clone()), JobState::Queued));
}

pub(crate) async fn a_change_set_that_cannot_be_is_refused_by_field(world: World) {
    let job = world.submitted().await;
    let good = by_ids(ChangeVerb::Cancel, &[&job]);
    let with = |change: &dyn Fn(&mut CreateChangeSet)| {
        let mut wish = good.clone();
        change(&mut wish);
        wish
    };
    let cases = [
        ("selection.ids", with(&|wish| wish.selection = Selection::Ids { ids: Vec::new() })),
        ("selection.ids[0]", with(&|wish| wish.selection = Selection::Ids { ids: vec!["src_1".to_owned()] })),
        ("parameters.priority", with(&|wish| wish.verb = ChangeVerb::Prioritize)),
        ("parameters.priority", with(&|wish| wish.parameters.priority = Some(5))),
        ("parameters.code", with(&|wish| wish.parameters.code = Some("duplicate".to_owned()))),
        ("parameters.force", with(&|wish| wish.parameters.force = true)),
        ("options.firstN", with(&|wish| wish.options.first_n = Some(0))),
        ("options.afterFirst", with(&|wish| wish.options.after_first = Some(AfterFirst::Pause))),
        ("options.stopAbovePercent", with(&|wish| wish.options.stop_above_percent = Some(101))),
        ("options.pacePerS", with(&|wish| wish.options.pace_per_s = Some(0))),
    ];
    for (field, wish) in cases {
        let error = world.engine.change_sets().create(&world.caller, wish).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field));
    }
    let unreadable = by_filter(ChangeVerb::Cancel, "state:asleep");
    let error = world.engine.change_sets().create(&world.caller, unreadable).await.unwrap_err();
    assert_eq!(error.code, Code::FilterInvalid);
}

pub(crate) async fn a_dry_run_that_nobody_starts_is_forgotten_after_a_day(world: World) {
    world.many(2).await;
    let draft = world.look(by_filter(ChangeVerb::Cancel, "state:queued")).await;
    world.pass_ms(24 * 3_600_000).await;
    assert_eq!(world.set(&draft.change_set_id).await.state, ChangeSetState::Draft);
    world.pass_ms(1).await;
    let gone = world.engine.change_sets().get(&world.caller, &draft.change_set_id).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
}

pub(crate) async fn a_list_can_be_asked_in_the_grammar_of_filters(world: World) {
    let urgent = world.submit(SubmitJob { priority: Some(90), ..world.wish() }).await;
    world.clock.advance_ms(7_200_000);
    let fresh = world.submitted().await;
    let ids = async |filter: &str| {
        let wanted =
            stella_contract::job::JobFilter { filter: Some(filter.to_owned()), ..Default::default() };
        let page = world.engine.jobs().list(&world.caller, &wanted, &PageQuery::default()).await.unwrap();
        page.items.into_iter().map(|job| job.job_id).collect::<Vec<_>>()
    };
    assert_eq!(ids("priority:>=75").await, std::slice::from_ref(&urgent.job_id));
    assert_eq!(ids("age:<1h").await, std::slice::from_ref(&fresh.job_id));
    assert_eq!(ids("age:>1h state:queued").await, std::slice::from_ref(&urgent.job_id));
    assert_eq!(ids("type:ex*").await, [fresh.job_id.clone(), urgent.job_id.clone()]);
    assert_eq!(world.now(), world.clock.now());
}

pub(crate) async fn open_dead_letters_are_replayed_or_resolved_and_others_passed_by(world: World) {
    let mended = world.submitted().await;
    let lease = world.start().await;
    // A category that is tried again ends as a dead letter only with its last attempt.
    let mut fence = lease.fence;
    while world.fail(&fence, ErrorClass::Network).await.state != JobState::Failed {
        world.pass_ms(900_000).await;
        fence = world.start().await.fence;
    }
    let broken = world.failed(1).await.remove(0);
    let letters = world.engine.dead_letters();
    let query = PageQuery::default();
    let all = letters.list(&world.caller, &Default::default(), &query).await.unwrap().items;
    let entry = |job: &Job| all.iter().find(|one| one.job_id == job.job_id).unwrap().entry_id.clone();
    let set = world.look(by_filter(ChangeVerb::DeadLetterReplay, "type:exam")).await;
    assert_eq!((set.dry_run.selected, set.dry_run.eligible), (2, 1));
    assert_eq!(set.dry_run.refusals[0].code, ItemRefusal::NotRetryable);
    world.begin(&set).await;
    world.idle().await;
    let items = world.items(&set.change_set_id).await;
    let made = items.iter().find(|item| item.state == ItemState::Done).unwrap();
    assert_eq!(made.id, entry(&mended).as_str());
    let job = world.job(&made.result_job_id.as_deref().unwrap().parse().unwrap()).await;
    assert_eq!(job.replay_of, Some(mended.job_id.clone()));
    let ids = vec![entry(&broken).as_str().to_owned()];
    let mut wish =
        CreateChangeSet { selection: Selection::Ids { ids }, ..by_filter(ChangeVerb::DeadLetterResolve, "") };
    let error = world.engine.change_sets().create(&world.caller, wish.clone()).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "parameters.code"));
    wish.parameters.code = Some("duplicate".to_owned());
    wish.parameters.note = Some("the same as before".to_owned());
    let set = world.look(wish).await;
    world.begin(&set).await;
    world.idle().await;
    assert_eq!(world.set(&set.change_set_id).await.progress.done, 1);
    let cause = letters.get(&world.caller, &entry(&mended)).await.unwrap().entry.fingerprint;
    let alike = DeadLetterFilter { fingerprint: Some(cause), ..DeadLetterFilter::default() };
    let alike = Selection::DeadLetters { matching: Box::new(alike), excluding: Vec::new() };
    let wish = CreateChangeSet { selection: alike, ..by_filter(ChangeVerb::DeadLetterReplay, "") };
    let set = world.look(wish.clone()).await;
    assert_eq!((set.dry_run.selected, set.dry_run.eligible), (1, 0));
    assert_eq!(set.dry_run.refusals[0].code, ItemRefusal::NotOpen);
    let of_jobs = CreateChangeSet { verb: ChangeVerb::Cancel, ..wish };
    let error = world.engine.change_sets().create(&world.caller, of_jobs).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "selection"));
    let of_jobs = by_filter(ChangeVerb::DeadLetterReplay, "state:failed");
    let error = world.engine.change_sets().create(&world.caller, of_jobs).await.unwrap_err();
    assert_eq!(error.code, Code::FilterInvalid);
}
