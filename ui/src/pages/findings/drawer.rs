//! One finding: what is known of it, and the steps that led to it.

use super::filter::explain_command;
use super::list::{named, of_target};
use super::vex::Statements;
use crate::api::Load;
use crate::kit::{Clock, CopyId, Drawer, Skeleton, Tag};
use crate::parts::{CliTwin, KevTag, ProblemView, RunLink, Severity, StaleBanner, StateBadge};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query};
use stella_contract::finding::{ExplainQuery, ExplainStep, Explanation, Finding, FindingStatus};
use stella_contract::policy::Verdict;
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`FindingDrawer`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct FindingDrawerProps {
    /// The finding.
    pub open: ExplainQuery,
    /// Asked to close.
    pub on_close: Callback<()>,
}

/// One finding beside the list.
#[component]
pub(super) fn FindingDrawer(props: &FindingDrawerProps) -> Html {
    let open = props.open.clone();
    let key = format!("explain {} {} {}", open.target, open.purl, open.vulnerability);
    let asked = use_query(key, Watch::of(&["run"]), {
        let open = open.clone();
        move |api| {
            let open = open.clone();
            async move { api.explain(&open).await }
        }
    });
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => html! {
            <ProblemView what="This finding" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Ready(explanation, _) => shown(explanation),
        Load::Stale(explanation, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                { shown(explanation) }
            </>
        },
    };
    let finding = asked.load.value().map(|explanation| explanation.finding.clone());
    let words: Vec<AttrValue> = explain_command(&open).into_iter().map(AttrValue::from).collect();
    html! {
        <Drawer label={format!("Finding {}", open.vulnerability)} on_close={props.on_close.clone()}
            head={html! { <CopyId text={open.vulnerability.clone()} /> }}
            verbs={verbs(finding.as_ref())} foot={html! { <CliTwin {words} /> }}>
            { body }
        </Drawer>
    }
}

fn verbs(finding: Option<&Finding>) -> Html {
    let Some(finding) = finding else { return Html::default() };
    let everywhere = Query::default().with("q", finding.vulnerability_id.as_str());
    html! {
        <div class="row wrap">
            <Severity level={finding.severity} />
            <StateBadge<FindingStatus> state={finding.status} />
            if let Some(verdict) = finding.verdict { <StateBadge<Verdict> state={verdict} /> }
            if finding.kev { <KevTag /> }
            <span class="grow"></span>
            <Link to={Route::Findings} query={everywhere} class="link sm">{ "Everywhere it stands" }</Link>
        </div>
    }
}

fn shown(explanation: &Explanation) -> Html {
    let finding = &explanation.finding;
    html! {
        <>
            <section class="sec" aria-label="Why it stands">
                if let Some(summary) = &finding.summary { <p class="prose finding-summary">{ summary }</p> }
                <div class="sec-h"><h2>{ "Why it stands" }</h2><span class="note">{ "in the order it was found" }</span></div>
                if explanation.steps.is_empty() {
                    <p class="f3 sm">{ "No steps were kept with this finding." }</p>
                } else {
                    <ol class="steps">{ for explanation.steps.iter().enumerate().map(step) }</ol>
                }
            </section>
            <section class="sec" aria-label="Finding">{ facts(finding) }</section>
            <Statements key={finding.vulnerability_id.clone()} vulnerability={finding.vulnerability_id.clone()} />
        </>
    }
}

fn step((at, step): (usize, &ExplainStep)) -> Html {
    html! {
        <li key={at}>
            <span class="num f3">{ at + 1 }</span>
            <span><span class="mono">{ &step.source }</span><span class="f2 step-said">{ &step.matched }</span></span>
        </li>
    }
}

fn facts(finding: &Finding) -> Html {
    let run = Query::default().with("run", finding.first_run_id.as_str());
    html! {
        <dl class="kv">
            <dt>{ "Target" }</dt><dd><Link to={Route::Findings} query={of_target(finding)} class="n">{ named(finding) }</Link></dd>
            <dt>{ "Component" }</dt><dd><CopyId text={finding.purl.clone()} /></dd>
            <dt>{ "Fixed in" }</dt><dd>{ finding.fixed_version.clone().map_or_else(|| html! { <span class="f3">{ "no fixed version is known" }</span> }, |version| html! { <span class="mono">{ version }</span> }) }</dd>
            <dt>{ "Score" }</dt><dd>{ finding.score.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |score| html! { format!("{score:.1}") }) }</dd>
            <dt>{ "Vector" }</dt><dd>{ finding.vector.clone().map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |vector| html! { <CopyId text={vector} /> }) }</dd>
            <dt>{ "Known exploited" }</dt><dd>{ if finding.kev { "yes" } else { "not listed" } }</dd>
            <dt>{ "Verdict" }</dt><dd>{ match (finding.verdict, &finding.rule) {
                (Some(verdict), Some(rule)) => html! { { format!("{verdict}, by the rule {rule}") } },
                (Some(verdict), None) => html! { { verdict.as_str() } },
                (None, _) => html! { <span class="f3">{ "no rule holds" }</span> },
            } }</dd>
            <dt>{ "Quieted" }</dt><dd>{ if finding.quieted { "yes, by VEX or policy" } else { "no" } }</dd>
            <dt>{ "Records" }</dt><dd class="wrapping">{ names(&finding.record_ids) }</dd>
            <dt>{ "Aliases" }</dt><dd class="wrapping">{ names(&finding.aliases) }</dd>
            <dt>{ "First seen" }</dt><dd><Clock at={finding.first_seen_at} /></dd>
            <dt>{ "First run" }</dt><dd><RunLink id={finding.first_run_id.clone()} /></dd>
            <dt>{ "Findings then" }</dt><dd><Link to={Route::Findings} query={run} class="link">{ "as that run left them" }</Link></dd>
        </dl>
    }
}

fn names(all: &[String]) -> Html {
    if all.is_empty() {
        return html! { <span class="f3">{ "none" }</span> };
    }
    html! { <span class="row wrap">{ for all.iter().map(|name| html! { <Tag key={name.clone()}>{ name }</Tag> }) }</span> }
}
