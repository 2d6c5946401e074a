//! One snapshot: its rules, what differs from another one, the YAML it was read from.

use super::promote::PromoteDialog;
use crate::api::Load;
use crate::kit::{Button, ButtonKind, Clock, CopyId, Drawer, Select, Shape, Skeleton, Tag};
use crate::parts::{CliTwin, ProblemView, StaleBanner, StateBadge};
use crate::router::use_router;
use crate::store::{Watch, use_query, use_session};
use stella_contract::ids::PolicySnapshotId;
use stella_contract::policy::{
    PolicyDiff, PolicyDiffQuery, PolicyDocument, PolicyRule, PolicySnapshot, RuleChange, RuleChangeKind,
    Verdict,
};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`SnapshotDrawer`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SnapshotProps {
    /// The snapshot.
    pub id: PolicySnapshotId,
    /// Those it can be compared with.
    pub others: Vec<PolicySnapshot>,
    /// Asked to write a new one that begins with this text.
    pub edit: Callback<String>,
    /// Asked to close.
    pub on_close: Callback<()>,
}

/// One snapshot beside the list.
#[component]
pub(super) fn SnapshotDrawer(props: &SnapshotProps) -> Html {
    let router = use_router();
    let session = use_session();
    let query = router.location().query.clone();
    let promoting = use_state_eq(|| false);
    let id = props.id.clone();
    let asked = use_query(format!("policy {id}"), Watch::of(&["policy"]), {
        let id = id.clone();
        move |api| {
            let id = id.clone();
            async move { api.policy(&id).await }
        }
    });
    let against: Option<PolicySnapshotId> = query.read("against");
    let refused = session.refusal(Scope::RunsManage).map(AttrValue::from);
    let choose = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |other: String| router.ask(&query.with("against", other)))
    };
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="This snapshot" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(document, _) => shown(document),
        Load::Stale(document, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ shown(document) }</>
        },
    };
    let document = asked.load.value();
    let snapshot = document.map(|document| document.snapshot.clone());
    let set = |on: bool| {
        let promoting = promoting.clone();
        Callback::from(move |()| promoting.set(on))
    };
    let edit = {
        let (edit, source) = (props.edit.clone(), document.map(|document| document.source.clone()));
        Callback::from(move |()| edit.emit(source.clone().unwrap_or_default()))
    };
    let verbs = snapshot.clone().map(|snapshot| html! {
        <div class="row wrap">
            if snapshot.active { <Tag icon={Shape::DiamondCheck}>{ "active" }</Tag> }
            <span class="f2 sm">{ &snapshot.policy }</span>
            <span class="grow"></span>
            <Button small={true} disabled={refused.clone()} says_why={false} on_click={edit}>{ "Edit as new…" }</Button>
            <Button small={true} kind={ButtonKind::Primary} disabled={refused.clone()} says_why={false} on_click={set(true)}>{ "Promote…" }</Button>
        </div>
    });
    let revision =
        snapshot.as_ref().map_or_else(|| id.short().to_owned(), |one| one.policy_revision.to_string());
    let words: Vec<AttrValue> = match &against {
        Some(other) => vec![
            "policy".into(),
            "diff".into(),
            other.short().to_owned().into(),
            id.short().to_owned().into(),
        ],
        None => vec!["policy".into(), "show".into(), revision.clone().into()],
    };
    html! {
        <Drawer label={format!("Policy revision {revision}")} on_close={props.on_close.clone()}
            head={html! { <CopyId text={id.to_string()} /> }} verbs={verbs.unwrap_or_default()} foot={html! { <CliTwin {words} /> }}>
            { body }
            <section class="sec" aria-label="Compare">
                <div class="sec-h"><h2>{ "Compare" }</h2><span class="note">{ "from the chosen one to this one" }</span></div>
                <Select label="Compare with" value={against.as_ref().map(ToString::to_string).unwrap_or_default()} options={choices(&props.others, &id)} on_change={choose} />
                if let Some(against) = against { <Difference key={against.to_string()} from={against.clone()} to={id.clone()} /> }
            </section>
            if let Some(document) = document {
                <section class="sec" aria-label="Source"><div class="sec-h"><h2>{ "As it was added" }</h2></div><pre class="code policy-source" tabindex="0">{ &document.source }</pre></section>
            }
            if let (true, Some(snapshot)) = (*promoting, snapshot) { <PromoteDialog {snapshot} on_close={set(false)} /> }
        </Drawer>
    }
}

fn choices(others: &[PolicySnapshot], id: &PolicySnapshotId) -> Vec<(AttrValue, AttrValue)> {
    let label = |one: &PolicySnapshot| {
        let active = if one.active { ", active" } else { "" };
        format!("revision {}{active}", one.policy_revision)
    };
    let choice = |one: &PolicySnapshot| (one.policy_snapshot_id.to_string().into(), label(one).into());
    let known = others.iter().filter(|one| one.policy_snapshot_id != *id).map(choice);
    std::iter::once(("".into(), "choose a snapshot".into())).chain(known).collect()
}

fn shown(document: &PolicyDocument) -> Html {
    let snapshot = &document.snapshot;
    html! {
        <>
            <section class="sec" aria-label="Rules">
                <div class="sec-h"><h2>{ "Rules" }</h2><span class="note">{ "the first that holds decides" }</span></div>
                if document.rules.is_empty() { <p class="f3 sm">{ "It has no rules: every finding stands as it is." }</p> }
                <ol class="steps">{ for document.rules.iter().enumerate().map(|(at, rule)| html! {
                    <li key={rule.name.clone()}><span class="num f3">{ at + 1 }</span>{ said(rule) }</li>
                }) }</ol>
            </section>
            <section class="sec" aria-label="Snapshot">
                <dl class="kv">
                    <dt>{ "Revision" }</dt><dd>{ snapshot.policy_revision }</dd>
                    <dt>{ "Note" }</dt><dd>{ snapshot.note.clone().map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |note| html! { note }) }</dd>
                    <dt>{ "Added by" }</dt><dd>{ &snapshot.created_by }</dd>
                    <dt>{ "Added" }</dt><dd><Clock at={snapshot.created_at} /></dd>
                </dl>
            </section>
        </>
    }
}

fn said(rule: &PolicyRule) -> Html {
    html! {
        <span class="col">
            <span class="row wrap"><span class="b">{ &rule.name }</span><StateBadge<Verdict> state={rule.verdict} />
                if let Some(expires) = rule.expires { <span class="f3 sm">{ "until " }<Clock at={expires} /></span> }</span>
            <span class="mono f2 step-said">{ &rule.when }</span>
            <span class="f2 sm">{ &rule.reason }</span>
        </span>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct DifferenceProps {
    from: PolicySnapshotId,
    to: PolicySnapshotId,
}

#[component]
fn Difference(props: &DifferenceProps) -> Html {
    let which = PolicyDiffQuery { from: props.from.clone(), to: props.to.clone() };
    let asked = use_query(format!("policy diff {} {}", props.from, props.to), Watch::none(), move |api| {
        let which = which.clone();
        async move { api.diff_policies(&which).await }
    });
    match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={3} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="The comparison" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(diff, _) | Load::Stale(diff, _, _) => changes(diff),
    }
}

fn changes(diff: &PolicyDiff) -> Html {
    if diff.changes.is_empty() {
        return html! { <p class="f3 sm" role="status">{ "Both have the same rules in the same order." }</p> };
    }
    html! {
        <ol class="steps" aria-label={format!("Changes from revision {} to {}", diff.from.policy_revision, diff.to.policy_revision)}>
            { for diff.changes.iter().map(|one| html! {
                <li key={one.rule.clone()}><span class="num f3">{ sign(one.kind) }</span>{ change(one) }</li>
            }) }
        </ol>
    }
}

const fn sign(kind: RuleChangeKind) -> &'static str {
    match kind {
        RuleChangeKind::Added => "+",
        RuleChangeKind::Removed => "−",
        RuleChangeKind::Changed => "±",
        RuleChangeKind::Moved => "↕",
    }
}

fn change(one: &RuleChange) -> Html {
    html! {
        <span class="col">
            <span class="f3 sm">{ one.kind.as_str() }</span>
            if let (RuleChangeKind::Changed, Some(before)) = (one.kind, &one.before) { <del>{ said(before) }</del> }
            if let Some(rule) = one.after.as_ref().or(one.before.as_ref()) { { said(rule) } }
        </span>
    }
}
