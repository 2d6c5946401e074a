//! The page: head with both runs and the choice of the other, three parts.

use super::findings::DiffFindings;
use super::segments::DiffSegments;
use super::summary::summary;
use crate::api::Load;
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, Empty, Select, Shape, Skeleton, Tab, Tabs};
use crate::parts::{CliTwin, ProblemView, RunLink, StaleBanner};
use crate::router::{Query, use_router};
use crate::store::{Watch, use_query};
use stella_contract::error::Code;
use stella_contract::ids::RunId;
use stella_contract::page::PageQuery;
use stella_contract::route::Route;
use stella_contract::run::{Run, RunFilter, RunTab};
use stella_contract::run_diff::{DiffQuery, RunDiff};
use yew::prelude::*;

/// What a [`RunDiffPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct RunDiffPageProps {
    /// The run.
    pub id: RunId,
}

/// One part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Inputs,
    Segments,
    Findings,
}

impl Part {
    const fn word(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Segments => "segments",
            Self::Findings => "findings",
        }
    }

    fn of(query: &Query) -> Self {
        match query.get("show") {
            Some("segments") => Self::Segments,
            Some("findings") => Self::Findings,
            Some(_) | None => Self::Inputs,
        }
    }
}

/// The page.
#[component]
pub fn RunDiffPage(props: &RunDiffPageProps) -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let wanted = DiffQuery { against: query.read("against") };
    let id = props.id.clone();
    let asked = {
        let (id, wanted) = (id.clone(), wanted.clone());
        let name = format!("diff {id} {}", wanted.against.as_ref().map_or("", |run| run.as_str()));
        use_query(name, Watch::of(&["run"]).only(&id), move |api| {
            let (id, wanted) = (id.clone(), wanted.clone());
            async move { api.run_diff(&id, &wanted).await }
        })
    };
    let part = Part::of(&query);
    let on_part = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |part: AttrValue| {
            let word = if part == Part::Inputs.word() { "" } else { part.as_str() };
            router.ask(&query.with("show", word));
        })
    };
    let diff = asked.load.value();
    let body = match (&asked.load, diff) {
        (Load::Failed(problem), _)
            if problem.code() == Code::NotFound.as_str() && wanted.against.is_none() =>
        {
            html! {
                <Empty icon={Shape::Dash} fact="No earlier run to hold it against">
                    { "No run over the same scope completed before this one in its mode. Choose one above." }
                </Empty>
            }
        }
        (Load::Failed(problem), _) => html! {
            <ProblemView what="The difference" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        (Load::Stale(diff, as_of, problem), _) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                { shown(diff, part) }
            </>
        },
        (_, Some(diff)) => shown(diff, part),
        (_, None) => html! { <Skeleton rows={12} /> },
    };
    let against = diff.map(|diff| diff.against.run_id.clone()).or(wanted.against);
    html! {
        <>
            <div class="page-head">
                <h1 class="nw">{ "Run diff" }</h1>
                <span class="cut"><RunLink id={id.clone()} /></span>
                <span class="f3 sm">{ "against" }</span>
                <span class="diff-against"><Against run={id.clone()} against={against.clone()} query={query.clone()} /></span>
                <span class="grow"></span>
                if let Some(against) = against.clone() {
                    <Button small={true} kind={ButtonKind::Ghost} on_click={turn(&id, against, &query, &router)}>{ "Turn round" }</Button>
                }
                <CliTwin words={command(&id, against.as_ref(), part)} button={true} />
            </div>
            <Tabs label="Parts of the difference" tabs={tabs(diff)} current={part.word()} on_choose={on_part} />
            { body }
        </>
    }
}

fn shown(diff: &RunDiff, part: Part) -> Html {
    let (run, against) = (diff.run.run_id.clone(), diff.against.run_id.clone());
    let key = format!("{run} {against}");
    match part {
        Part::Inputs => html! { <div class="body">{ summary(diff) }</div> },
        Part::Segments => html! { <DiffSegments {key} {run} {against} tally={diff.segments} /> },
        Part::Findings => {
            html! { <DiffFindings {key} {run} {against} tally={diff.findings} targets={diff.targets} /> }
        }
    }
}

fn tabs(diff: Option<&RunDiff>) -> Vec<Tab> {
    let segments =
        diff.map(|diff| diff.segments.differing + diff.segments.only_run + diff.segments.only_against);
    let inputs = diff.map(|diff| diff.inputs.iter().filter(|input| input.differs()).count() as i64);
    vec![
        Tab::new(Part::Inputs.word(), "Inputs").counting(inputs.map(count)),
        Tab::new(Part::Segments.word(), "Segments").counting(segments.map(count)),
        Tab::new(Part::Findings.word(), "Findings").counting(diff.map(|diff| count(diff.findings.total()))),
    ]
}

/// The command that shows the same.
fn command(id: &RunId, against: Option<&RunId>, part: Part) -> Vec<AttrValue> {
    let mut words = vec!["runs".to_owned(), "diff".to_owned(), id.to_string()];
    if let Some(against) = against {
        words.extend(["--against".to_owned(), against.to_string()]);
    }
    match part {
        Part::Inputs => {}
        Part::Segments => words.push("--segments".to_owned()),
        Part::Findings => words.push("--findings".to_owned()),
    }
    words.into_iter().map(AttrValue::from).collect()
}

/// Looks from the other run's side.
fn turn(id: &RunId, against: RunId, query: &Query, router: &crate::router::Router) -> Callback<()> {
    let (router, query) = (router.clone(), query.with("against", id.as_str()));
    Callback::from(move |()| router.go(&Route::RunDiff(against.clone()), &query))
}

#[derive(Clone, PartialEq, Properties)]
struct AgainstProps {
    run: RunId,
    against: Option<RunId>,
    query: Query,
}

/// The choice of the other run: the last ended ones.
#[component]
fn Against(props: &AgainstProps) -> Html {
    let router = use_router();
    let ended = use_query("ended runs", Watch::of(&["run"]), |api| async move {
        let filter = RunFilter { tab: Some(RunTab::Completed), ..RunFilter::default() };
        api.runs(&filter, &PageQuery { page_token: None, page_size: Some(50) }).await
    });
    let runs: &[Run] = ended.load.value().map_or(&[], |page| page.items.as_slice());
    let options = options(&props.run, props.against.as_ref(), runs);
    let on_choose = {
        let (router, query) = (router, props.query.clone());
        Callback::from(move |id: String| router.ask(&query.with("against", id.as_str())))
    };
    let value = props.against.as_ref().map(ToString::to_string).unwrap_or_default();
    html! { <Select label="The run it is held against" {value} {options} on_change={on_choose} /> }
}

/// The ended runs by the time they began, without the run itself; the one that is chosen is always among them.
fn options(run: &RunId, against: Option<&RunId>, ended: &[Run]) -> Vec<(AttrValue, AttrValue)> {
    let name =
        |one: &Run| format!("{} {} {}", crate::kit::format::date_time(one.created_at), one.mode, one.scope);
    let mut options: Vec<(AttrValue, AttrValue)> = ended
        .iter()
        .filter(|one| one.run_id != *run)
        .map(|one| (one.run_id.to_string().into(), name(one).into()))
        .collect();
    match against {
        Some(against) if options.iter().all(|(id, _)| id.as_str() != against.as_str()) => {
            options.insert(0, (against.to_string().into(), against.to_string().into()));
        }
        Some(_) => {}
        None => options.insert(0, ("".into(), "choose a run".into())),
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    const OTHER: &str = "run:acme:20261121T150000Z:00000001";

    #[test]
    fn the_chosen_run_is_always_among_the_options_and_the_run_itself_never() {
        let (mine, other) = (run(serde_json::json!({})), run(serde_json::json!({ "runId": OTHER })));
        let ids = |against: Option<&RunId>, ended: &[Run]| -> Vec<String> {
            options(&mine.run_id, against, ended).into_iter().map(|(id, _)| id.to_string()).collect()
        };
        let both = [mine.clone(), other.clone()];
        assert_eq!(ids(Some(&other.run_id), &both), [OTHER]);
        assert_eq!(ids(Some(&other.run_id), &[]), [OTHER]);
        assert_eq!(ids(None, &both), ["", OTHER]);
    }

    #[test]
    fn the_command_names_both_runs_and_the_part() {
        let (mine, other) = (run(serde_json::json!({})), run(serde_json::json!({ "runId": OTHER })));
        let words = |part| -> Vec<String> {
            command(&mine.run_id, Some(&other.run_id), part).iter().map(ToString::to_string).collect()
        };
        assert_eq!(words(Part::Findings)[3..], ["--against", OTHER, "--findings"]);
        assert_eq!(words(Part::Inputs).len(), 5);
    }
}
