//! The jobs of the tenant: tabs by state, chips, one line a job, newest first.

use super::filter::{command, fields, filter_of, tab_of};
use crate::api::Load;
use crate::kit::format::{count, short_id};
use crate::kit::{Column, Elapsed, Empty, Meter, Shape, Tab, Table, Tabs, Width};
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::{CliTwin, JobLink, RunLink, StateBadge, WaitDetail, WaitReason};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::job::{Job, JobState};
use stella_contract::overview::JobFigures;
use stella_contract::route::Route;
use yew::prelude::*;

/// Jobs.
#[component]
pub fn JobsPage() -> Html {
    let router = use_router();
    let session = use_session();
    let query = router.location().query.clone();
    let filter = filter_of(&query);
    let held = use_state_eq(|| false);
    let list = use_list(format!("jobs{query}"), Watch::of(&["job"]), *held, move |api, page| {
        let filter = filter.clone();
        async move { api.jobs(&filter, &page).await }
    });
    let overview =
        use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| {
            router.ask(&query.with("state", if tab == "all" { "" } else { tab.as_str() }));
        })
    };
    let on_open = {
        let (router, rows) = (router.clone(), list.state.rows.clone());
        Callback::from(move |id: String| {
            if let Some(job) = rows.iter().find(|job| job.job_id.as_str() == id) {
                router.go(&Route::Job(job.job_id.clone()), &Query::default());
            }
        })
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let figures = overview.load.value().map(|overview| overview.jobs);
    let words: Vec<AttrValue> = command(&query).into_iter().map(AttrValue::from).collect();
    let table = html! {
        <Table<Job> label="Jobs" rows={list.state.rows.clone()} row_key={key_of as fn(&Job) -> String} {columns} total={list.state.total}
            {on_open} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Jobs" }</h1>
                if let Some(tenant) = &session.tenant { <span class="f3 sm">{ tenant.to_string() }</span> }
                if let Some(figures) = figures { <span class="f2 sm">{ summary(&figures) }</span> }
                <span class="grow"></span>
                <CliTwin {words} button={true} />
            </div>
            <Tabs label="State" tabs={tabs(&overview.load)} current={tab_of(&query)} on_choose={on_tab} />
            <FilterBar fields={fields()}>
                <span class="f3 sm">{ "Newest first" }</span>
            </FilterBar>
            { listing("Jobs", &list, nothing(&query, &router), table) }
            { foot(&list, Html::default()) }
        </>
    }
}

fn key_of(job: &Job) -> String {
    job.job_id.to_string()
}

fn summary(figures: &JobFigures) -> Html {
    let open = figures.pending + figures.queued + figures.leased + figures.running;
    let done = Query::default().with("state", JobState::Succeeded.as_str());
    html! {
        <>
            <Link to={Route::Jobs} class="n">{ count(open) }</Link>{ " open, " }
            <Link to={Route::Jobs} query={done} class="n">{ count(figures.succeeded_24h) }</Link>{ " succeeded in 24 h" }
        </>
    }
}

fn tabs(overview: &Load<stella_contract::overview::Overview>) -> Vec<Tab> {
    let figures = overview.value().map(|overview| overview.jobs);
    let known = |state: JobState| {
        let figures = figures?;
        match state {
            JobState::Pending => Some(figures.pending),
            JobState::Queued => Some(figures.queued),
            JobState::Leased => Some(figures.leased),
            JobState::Running => Some(figures.running),
            JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => None,
        }
    };
    let states = JobState::ALL
        .iter()
        .map(|state| Tab::new(state.as_str(), state.as_str()).counting(known(*state).map(count)));
    std::iter::once(Tab::new("all", "All")).chain(states).collect()
}

fn nothing(query: &Query, router: &crate::router::Router) -> Html {
    if query.is_empty() {
        return html! {
            <Empty icon={Shape::Engine} fact="No jobs yet">
                { "Jobs are made when a source is read and when a run is planned. " }
                <Link to={Route::Sources} class="link">{ "Open sources" }</Link>
            </Empty>
        };
    }
    let clear = {
        let router = router.clone();
        Callback::from(move |()| router.ask(&Query::default()))
    };
    let said: Vec<String> = query.pairs().map(|(name, value)| format!("{name} {value}")).collect();
    html! {
        <Empty icon={Shape::Filter} fact="No job matches"
            actions={html! { <crate::kit::Button on_click={clear}>{ "Clear filters" }</crate::kit::Button> }}>
            { format!("All jobs were searched for {}.", said.join(", ")) }
        </Empty>
    }
}

fn columns() -> Vec<Column<Job>> {
    vec![
        Column::new(
            "state",
            "State",
            Width::Fixed(104),
            |job: &Job| html! { <StateBadge<JobState> state={job.state} /> },
        ),
        Column::new(
            "id",
            "Job ID",
            Width::Fixed(150),
            |job: &Job| html! { <JobLink id={job.job_id.clone()} /> },
        ),
        Column::new(
            "type",
            "Type",
            Width::Fixed(140),
            |job: &Job| html! { <span class="mono">{ &job.job_type }</span> },
        ),
        Column::new("wait", "Wait reason, progress", Width::Share(2, 150), progress),
        Column::new("detail", "Detail", Width::Share(3, 140), detail),
        Column::new("run", "Run", Width::Fixed(96), run).drops_below(980),
        Column::new("priority", "Priority", Width::Fixed(64), |job: &Job| html! { job.priority })
            .at_end()
            .drops_below(760),
        Column::new(
            "tries",
            "Tries",
            Width::Fixed(56),
            |job: &Job| html! { format!("{} / {}", job.attempt, job.max_attempts) },
        )
        .at_end()
        .drops_below(860),
        Column::new(
            "age",
            "Age",
            Width::Fixed(88),
            |job: &Job| html! { <Elapsed from={job.created_at} until={job.ended_at} /> },
        )
        .at_end(),
    ]
}

fn progress(job: &Job) -> Html {
    match (job.state, job.wait_reason) {
        (JobState::Pending, Some(reason)) => html! { <WaitReason {reason} /> },
        (JobState::Running, _) => html! {
            <span class="row">
                <Meter share={job.progress} label={format!("{} of {}", job.processed, job.total)} />
                <span class="sm">{ crate::kit::format::percent(job.progress) }</span>
            </span>
        },
        _ => html! { <span class="f3 sm">{ "none" }</span> },
    }
}

fn detail(job: &Job) -> Html {
    if job.state == JobState::Pending {
        return html! { <WaitDetail job={job.clone()} /> };
    }
    if let Some(message) = &job.error_message {
        return html! { <span class="cut" title={message.clone()}>{ job.error_code.as_deref().unwrap_or_default() }{ " " }{ message }</span> };
    }
    let worker = job.worker_id.as_ref().filter(|_| !job.state.is_final()).map(|id| short_id(id.as_str()));
    match (&job.progress_message, worker) {
        (Some(message), _) if job.state == JobState::Running => html! { message },
        (_, Some(worker)) => html! { <span class="mono">{ worker }</span> },
        _ => html! { <span class="f3">{ "none" }</span> },
    }
}

fn run(job: &Job) -> Html {
    match &job.run_id {
        Some(id) => html! { <RunLink id={id.clone()} short={true} /> },
        None => html! { <span class="f3 sm">{ "none" }</span> },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_tab() {
        let ids: Vec<String> = tabs(&Load::Loading).into_iter().map(|tab| tab.id.to_string()).collect();
        assert_eq!(ids.len(), JobState::ALL.len() + 1);
        assert!(JobState::ALL.iter().all(|state| ids.iter().any(|id| id == state.as_str())));
    }
}
