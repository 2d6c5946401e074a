//! One run beside the list.

use super::changes::Changes;
use super::escalate::EscalateDialog;
use super::evidence::Evidence;
use super::filter::{Side, side_of};
use super::log::LastLines;
use super::segments::Segments;
use super::summary::summary;
use super::verbs::RunVerbs;
use crate::api::Load;
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, CopyId, Drawer, Icon, IconSize, Shape, Skeleton, Tab, Tabs};
use crate::parts::{CliTwin, ProblemView, RunBadges, RunStateBadge, StaleBanner, split};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query};
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use stella_contract::run::Run;
use yew::prelude::*;

/// What a [`RunDrawer`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RunDrawerProps {
    /// The run.
    pub id: RunId,
    /// The address: the list's filters and the tab that is shown.
    pub query: Query,
}

/// The drawer.
#[component]
pub(super) fn RunDrawer(props: &RunDrawerProps) -> Html {
    let router = use_router();
    let id = props.id.clone();
    let asked = use_query(format!("run {id}"), Watch::of(&["run", "segment"]).only(&id), {
        let id = id.clone();
        move |api| {
            let id = id.clone();
            async move { api.run(&id).await }
        }
    });
    let side = side_of(&props.query);
    let on_close = {
        let (router, query) = (router.clone(), props.query.without("show"));
        Callback::from(move |()| router.go(&Route::Runs, &query))
    };
    let on_side = {
        let (router, query) = (router, props.query.clone());
        Callback::from(move |side: AttrValue| {
            let word = if side == Side::Summary.as_str() { "" } else { side.as_str() };
            router.ask(&query.with("show", word));
        })
    };
    let escalating = use_state_eq(|| false);
    let turn = |on: bool| {
        let escalating = escalating.clone();
        Callback::from(move |()| escalating.set(on))
    };
    let (on_escalate, on_stay) = (turn(true), turn(false));
    let run = asked.load.value();
    let body = match (&asked.load, run) {
        (Load::Failed(problem), _) => html! {
            <ProblemView what="This run" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        (Load::Stale(run, as_of, problem), _) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                { shown(run, side) }
            </>
        },
        (_, Some(run)) => shown(run, side),
        (_, None) => html! { <Skeleton rows={8} /> },
    };
    let (head, tail) = split(id.as_str());
    let words: Vec<AttrValue> = command(&id, side).into_iter().map(AttrValue::from).collect();
    html! {
        <Drawer label={format!("Run {id}")} {on_close}
            head={html! { <>
                <span class="mono cut" title={id.to_string()}><span class="f3">{ head }</span>{ tail }</span>
                <CopyId text={id.to_string()} shown="" />
                <Link to={Route::RunDiff(id.clone())} class="link sm">{ "Compare" }</Link>
                <Link to={Route::RunStream(id.clone())} class="btn ghost icon sm" label="Open stream"><Icon shape={Shape::External} size={IconSize::Small} /></Link>
            </> }}
            verbs={run.map(|run| verbs(run, &asked.refetch, on_escalate)).unwrap_or_default()}
            foot={html! { <CliTwin {words} /> }}>
            <Tabs label="Parts of the run" tabs={tabs(run)} current={side.as_str()} on_choose={on_side} />
            { body }
            if *escalating { <EscalateDialog id={id.clone()} on_close={on_stay} /> }
        </Drawer>
    }
}

fn verbs(run: &Run, refetch: &Callback<()>, on_escalate: Callback<()>) -> Html {
    html! {
        <div class="row wrap">
            <RunStateBadge run={run.clone()} pill={true} />
            <RunBadges badges={run.badges.clone()} />
            <span class="grow"></span>
            <Button small={true} kind={ButtonKind::Ghost} on_click={on_escalate}>{ "Escalate to support…" }</Button>
            <RunVerbs run={run.clone()} on_done={refetch.clone()} />
        </div>
    }
}

fn tabs(run: Option<&Run>) -> Vec<Tab> {
    Side::ALL
        .into_iter()
        .map(|side| {
            let known = run.and_then(|run| match side {
                Side::Summary | Side::Evidence | Side::Logs => None,
                Side::Segments => Some(run.segments.total()),
                Side::Deltas => Some(changed(run)),
            });
            Tab::new(side.as_str(), side.label()).counting(known.map(count))
        })
        .collect()
}

/// How many changes a run made, of every kind.
fn changed(run: &Run) -> i64 {
    run.deltas.parts().into_iter().map(|(_, _, count)| count as i64).sum()
}

fn shown(run: &Run, side: Side) -> Html {
    let id = run.run_id.clone();
    match side {
        Side::Summary => summary(run),
        Side::Segments => html! { <Segments key={id.to_string()} run={run.clone()} /> },
        Side::Deltas => html! { <Changes key={id.to_string()} run={run.clone()} /> },
        Side::Evidence => html! { <Evidence key={id.to_string()} run={run.clone()} /> },
        Side::Logs => html! { <LastLines key={id.to_string()} run={run.clone()} /> },
    }
}

/// The command that shows the same.
fn command(id: &RunId, side: Side) -> Vec<String> {
    let verb = match side {
        Side::Summary => "show",
        Side::Segments => "segments",
        Side::Deltas => "deltas",
        Side::Evidence => "evidence",
        Side::Logs => "stream",
    };
    ["runs", verb, "--run", id.as_str()].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    #[test]
    fn the_tabs_count_segments_and_changes() {
        let run = run(
            serde_json::json!({ "segments": { "succeeded": 62, "failed": 2 }, "deltas": { "newHigh": 5, "quieted": 3 } }),
        );
        let counts: Vec<_> =
            tabs(Some(&run)).iter().map(|tab| tab.count.as_ref().map(|count| count.to_string())).collect();
        assert_eq!(counts, [None, Some("64".to_owned()), Some("8".to_owned()), None, None]);
        assert_eq!(command(&run.run_id, Side::Deltas)[1], "deltas");
    }
}
