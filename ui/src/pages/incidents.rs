//! Incidents that are not over: what, how bad, since when, and what an operator may do about each.

use crate::api::Load;
use crate::kit::format::{counted, short_id};
use crate::kit::{Button, Field, Icon, IconSize, Skeleton, TextArea, TimeAgo};
use crate::parts::{ActDialog, Badge, Deed, ProblemView, StateBadge};
use crate::router::use_router;
use crate::store::{Asked, Watch, use_query, use_session};
use stella_contract::incident::{
    Incident, IncidentEvent, IncidentFilter, IncidentKind, IncidentState, NOTE_MAX, NoteIncident, Severity,
    refusal,
};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// The incidents that are not over.
#[hook]
pub fn use_open_incidents() -> Asked<Page<Incident>> {
    use_query("open incidents", Watch::of(&["incident", "dead_letter"]), |api| async move {
        let filter = IncidentFilter { unresolved: Some(true), ..IncidentFilter::default() };
        api.incidents(&filter, &PageQuery { page_token: None, page_size: Some(50) }).await
    })
}

/// All incidents that are not over, as a section of a page.
#[component]
pub fn IncidentSection() -> Html {
    let asked = use_open_incidents();
    let number = asked.load.value().map(|page| crate::kit::format::count(page.items.len() as i64));
    html! {
        <section class="sec" aria-label="Incidents">
            <div class="sec-h"><h2>{ "Incidents" }</h2><span class="note">{ number.map_or_else(String::new, |number| format!("{number} not over")) }</span></div>
            <IncidentList {asked} />
        </section>
    }
}

/// What an [`IncidentList`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct IncidentListProps {
    /// The incidents, as far as they are known.
    pub asked: Asked<Page<Incident>>,
    /// Those of these kinds only.
    #[prop_or_default]
    pub only: Option<&'static [IncidentKind]>,
}

/// A line for each, with its verbs.
#[component]
pub fn IncidentList(props: &IncidentListProps) -> Html {
    let asking = use_state(|| None::<(IncidentEvent, Incident)>);
    let refused = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let page = match &props.asked.load {
        Load::Idle | Load::Loading => return html! { <Skeleton rows={2} /> },
        Load::Failed(problem) => {
            return html! { <ProblemView what="Incidents" problem={problem.clone()} on_retry={props.asked.refetch.clone()} /> };
        }
        Load::Ready(page, _) | Load::Stale(page, _, _) => page,
    };
    let wanted = |one: &&Incident| props.only.is_none_or(|only| only.contains(&one.kind));
    let rows: Vec<&Incident> = page.items.iter().filter(wanted).collect();
    if rows.is_empty() {
        return html! { <p class="f3 sm">{ "None is open." }</p> };
    }
    let ask = {
        let asking = asking.clone();
        Callback::from(move |what: (IncidentEvent, Incident)| asking.set(Some(what)))
    };
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    html! {
        <>
            <ul class="incidents">{ for rows.into_iter().map(|one| html! { <Line key={one.incident_id.to_string()} one={one.clone()} refused={refused.clone()} ask={ask.clone()} /> }) }</ul>
            if let Some((event, one)) = &*asking { <NoteDialog event={*event} one={one.clone()} on_close={close} /> }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct LineProps {
    one: Incident,
    refused: Option<AttrValue>,
    ask: Callback<(IncidentEvent, Incident)>,
}

#[component]
fn Line(props: &LineProps) -> Html {
    let one = &props.one;
    let router = use_router();
    let does = |event: IncidentEvent| {
        let (ask, one) = (props.ask.clone(), one.clone());
        Callback::from(move |()| ask.emit((event, one.clone())))
    };
    let why = |event: IncidentEvent| {
        props.refused.clone().or_else(|| refusal(one.state, event).map(AttrValue::from))
    };
    let (shape, tone) = Severity::look(one.severity);
    html! {
        <li>
            <span class="row"><span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} />{ one.severity.as_str() }</span>
                <span class="b cut">{ one.kind.as_str() }</span><span class="grow"></span><StateBadge<IncidentState> state={one.state} /></span>
            <p class="sm f2 incident-said">{ &one.summary }</p>
            <p class="sm f3 row wrap"><span>{ "open " }<TimeAgo at={one.opened_at} />{ ", seen " }<TimeAgo at={one.last_seen_at} /></span>
                if let Some(ack) = &one.ack { <span>{ format!("{} looks after it", ack.by) }</span> }</p>
            if let Some(note) = &one.note { <p class="sm f2 incident-said">{ note }</p> }
            <span class="row wrap">{ for one.links.iter().map(|link| {
                let (router, path) = (router.clone(), link.path.clone());
                let go = Callback::from(move |event: MouseEvent| {
                    event.prevent_default();
                    router.open(&path);
                });
                html! { <a key={link.path.clone()} class="link sm" href={link.path.clone()} onclick={go}>{ &link.title }</a> }
            }) }</span>
            <span class="row incident-acts">
                if one.state == IncidentState::Open {
                    <Button small={true} disabled={why(IncidentEvent::Acknowledge)} says_why={false} on_click={does(IncidentEvent::Acknowledge)}>{ "Acknowledge…" }</Button>
                }
                <Button small={true} disabled={why(IncidentEvent::Resolve)} says_why={false} on_click={does(IncidentEvent::Resolve)}>{ "Resolve…" }</Button>
            </span>
        </li>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct NoteProps {
    event: IncidentEvent,
    one: Incident,
    on_close: Callback<()>,
}

/// A note with the verb.
#[component]
fn NoteDialog(props: &NoteProps) -> Html {
    let note = use_state(|| props.one.note.clone().unwrap_or_default());
    let resolves = props.event == IncidentEvent::Resolve;
    let said = Some(note.trim().to_owned()).filter(|text| !text.is_empty());
    let blocked = (resolves && said.is_none()).then(|| AttrValue::from("Resolve needs a note"));
    let id = props.one.incident_id.clone();
    let verb = if resolves { "resolve" } else { "acknowledge" };
    let mut cli: Vec<AttrValue> =
        ["orch", "incident", verb, id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec();
    if let Some(said) = &said {
        cli.extend(["--note".into(), AttrValue::from(said.clone())]);
    }
    let wish = NoteIncident { note: said };
    let deed = Deed::new(move |api, cause| {
        let (id, wish) = (id.clone(), wish.clone());
        async move {
            if resolves {
                api.resolve_incident(&id, &wish, &cause).await.map(|_| AttrValue::from("Incident resolved"))
            } else {
                api.acknowledge_incident(&id, &wish, &cause)
                    .await
                    .map(|_| AttrValue::from("Incident acknowledged"))
            }
        }
    });
    let on_input = {
        let note = note.clone();
        Callback::from(move |text: String| note.set(text))
    };
    let (title, words) = if resolves {
        ("Resolve incident", "It is over. If its condition comes up again, a new incident opens.")
    } else {
        ("Acknowledge incident", "Others see that you look after it. It is not told again while it lasts.")
    };
    html! {
        <ActDialog {title} subject={short_id(props.one.incident_id.as_str())} scope={Scope::OrchOperate} verb={if resolves { "Resolve" } else { "Acknowledge" }}
            {cli} {deed} {blocked} on_close={props.on_close.clone()}
            form={html! { <Field label="Note" note={counted(NOTE_MAX as i64 - note.chars().count() as i64, "character left", "characters left")}><TextArea value={(*note).clone()} {on_input} rows={3} /></Field> }}>
            { words }
        </ActDialog>
    }
}
