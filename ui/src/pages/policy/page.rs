//! The snapshots of the tenant, one of them beside the list; promotions; follow-up runs.

use super::editor::EditorDialog;
use super::follow_up::FollowUp;
use super::snapshot::SnapshotDrawer;
use crate::kit::{
    Button, ButtonKind, Column, Empty, Shape, Tab, Table, TableBody, Tabs, Tag, TimeAgo, Width,
};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::{CliTwin, RunLink};
use crate::router::{Query, use_router};
use crate::store::{Watch, use_list, use_session};
use stella_contract::ids::PolicySnapshotId;
use stella_contract::policy::{PolicyPromotion, PolicySnapshot};
use stella_contract::scope::Scope;
use yew::prelude::*;

const TABS: [(&str, &str); 3] =
    [("snapshots", "Snapshots"), ("promotions", "Promotions"), ("follow-up", "Follow-up runs")];

/// Policy.
#[component]
pub fn PolicyPage() -> Html {
    let router = use_router();
    let session = use_session();
    let query = router.location().query.clone();
    let tab =
        TABS.iter().find(|(word, _)| query.get("tab") == Some(*word)).map_or(TABS[0].0, |(word, _)| *word);
    let adding = use_state(|| None::<String>);
    let refused = session.refusal(Scope::RunsManage).map(AttrValue::from);
    let on_tab = {
        let router = router.clone();
        Callback::from(move |word: AttrValue| {
            let word = if word == TABS[0].0 { "" } else { word.as_str() };
            router.ask(&Query::default().with("tab", word));
        })
    };
    let add = {
        let adding = adding.clone();
        Callback::from(move |source: String| adding.set(Some(source)))
    };
    let leave = {
        let adding = adding.clone();
        Callback::from(move |()| adding.set(None))
    };
    let words: &[&'static str] = match tab {
        "promotions" => &["policy", "promotions"],
        "follow-up" => &["trigger", "list"],
        _ => &["policy", "list"],
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Policy" }</h1>
                if let Some(tenant) = &session.tenant { <span class="f3 sm">{ tenant.to_string() }</span> }
                <span class="grow"></span>
                <CliTwin words={words.iter().map(|word| AttrValue::from(*word)).collect::<Vec<_>>()} button={true} />
                <Button kind={ButtonKind::Primary} icon={Shape::Plus} disabled={refused} on_click={add.reform(|()| String::new())}>{ "Add policy…" }</Button>
            </div>
            <Tabs label="Policy" tabs={TABS.map(|(word, label)| Tab::new(word, label)).to_vec()} current={tab} on_choose={on_tab} />
            { match tab {
                "promotions" => html! { <Promotions /> },
                "follow-up" => html! { <FollowUp /> },
                _ => html! { <Snapshots add={add.clone()} /> },
            } }
            if let Some(source) = &*adding { <EditorDialog source={source.clone()} on_close={leave} /> }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct SnapshotsProps {
    add: Callback<String>,
}

#[component]
fn Snapshots(props: &SnapshotsProps) -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let held = use_state_eq(|| false);
    let list = use_list("policies".to_owned(), Watch::of(&["policy"]), *held, |api, page| async move {
        api.policies(&page).await
    });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let open: Option<PolicySnapshotId> = query.read("snapshot");
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |key: String| router.ask(&query.with("snapshot", key).without("against")))
    };
    let on_close = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("snapshot").without("against")))
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let rows: Vec<PolicySnapshot> = list.state.rows.iter().cloned().collect();
    let table = html! {
        <Table label="Policy snapshots" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} {on_open} current={open.as_ref().map(ToString::to_string)}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let add = props.add.reform(|()| String::new());
    let nothing = html! {
        <Empty icon={Shape::DashedRing} fact="No policy yet" actions={html! { <Button on_click={add}>{ "Add policy…" }</Button> }}>
            { "Findings stand as advisories and VEX say. A policy adds a verdict to each: block, warn, ignore or quiet." }
        </Empty>
    };
    html! {
        <div class="with-drawer">
            <div class="list">
                { listing("Policy snapshots", &list, nothing, table) }
                { foot(&list, Html::default()) }
            </div>
            if let Some(open) = open {
                <SnapshotDrawer key={open.to_string()} id={open.clone()} others={rows} edit={props.add.clone()} {on_close} />
            }
        </div>
    }
}

fn key_of(snapshot: &PolicySnapshot) -> String {
    snapshot.policy_snapshot_id.to_string()
}

fn columns() -> Vec<Column<PolicySnapshot>> {
    vec![
        Column::new("revision", "Revision", Width::Fixed(88), |one: &PolicySnapshot| html! { <span class="b">{ one.policy_revision }</span> }),
        Column::new("active", "Active", Width::Fixed(92), |one: &PolicySnapshot| {
            if one.active { html! { <Tag icon={Shape::DiamondCheck}>{ "active" }</Tag> } } else { html! { <span class="f3">{ "no" }</span> } }
        }),
        Column::new("policy", "Policy", Width::Share(2, 120), |one: &PolicySnapshot| html! { <span class="cut">{ &one.policy }</span> }),
        Column::new("rules", "Rules", Width::Fixed(64), |one: &PolicySnapshot| html! { { one.rule_count } }).at_end(),
        Column::new("note", "Note", Width::Share(3, 140), |one: &PolicySnapshot| match &one.note {
            Some(note) => html! { <span class="cut" title={note.clone()}>{ note }</span> },
            None => html! { <span class="f3">{ "none" }</span> },
        }).drops_below(760),
        Column::new("snapshot", "Snapshot", Width::Fixed(120), |one: &PolicySnapshot| {
            html! { <span class="mono" title={one.policy_snapshot_id.to_string()}>{ one.policy_snapshot_id.short() }</span> }
        }).drops_below(860),
        Column::new("by", "By", Width::Fixed(120), |one: &PolicySnapshot| html! { <span class="cut">{ &one.created_by }</span> }).drops_below(980),
        Column::new("age", "Added", Width::Fixed(96), |one: &PolicySnapshot| html! { <TimeAgo at={one.created_at} /> }).at_end(),
    ]
}

#[component]
fn Promotions() -> Html {
    let held = use_state_eq(|| false);
    let list =
        use_list("policy promotions".to_owned(), Watch::of(&["policy"]), *held, |api, page| async move {
            api.promotions(&page).await
        });
    let columns = use_memo((), |()| promotion_columns());
    use_reload_key(list.reload.clone());
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let table = html! {
        <Table label="Promotions" body={TableBody::new(list.state.rows.clone(), |one: &PolicyPromotion| one.promotion_id.to_string(), columns)}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let nothing = html! {
        <Empty icon={Shape::DashedRing} fact="Nothing was promoted yet">{ "Open a snapshot and promote it; runs then judge by it." }</Empty>
    };
    html! {
        <div class="with-drawer">
            <div class="list">{ listing("Promotions", &list, nothing, table) }{ foot(&list, Html::default()) }</div>
        </div>
    }
}

fn promotion_columns() -> Vec<Column<PolicyPromotion>> {
    vec![
        Column::new(
            "at",
            "When",
            Width::Fixed(110),
            |one: &PolicyPromotion| html! { <TimeAgo at={one.promoted_at} /> },
        ),
        Column::new("revision", "Revision", Width::Fixed(88), |one: &PolicyPromotion| {
            html! {
                <span class="b" title={one.policy_snapshot_id.to_string()}>{ one.policy_revision }</span>
            }
        }),
        Column::new(
            "by",
            "By",
            Width::Share(1, 110),
            |one: &PolicyPromotion| html! { <span class="cut">{ &one.promoted_by }</span> },
        ),
        Column::new("reason", "Reason", Width::Share(3, 160), |one: &PolicyPromotion| {
            html! {
                <span class="cut" title={one.ticket.clone().unwrap_or_default()}>{ &one.reason }</span>
            }
        }),
        Column::new("run", "Run that followed", Width::Share(2, 180), |one: &PolicyPromotion| {
            match &one.run_id {
                Some(id) => html! { <RunLink id={id.clone()} /> },
                None => html! { <span class="f3">{ "none" }</span> },
            }
        }),
    ]
}
