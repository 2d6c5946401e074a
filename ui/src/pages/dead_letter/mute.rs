//! Causes of which nobody is called: the mark, and the dialogs that begin and end it.

use super::causes::ENTITIES;
use crate::api::Load;
use crate::clock;
use crate::kit::format::short_id;
use crate::kit::{Button, Clock, Field, Icon, IconSize, Select, Shape, Skeleton};
use crate::parts::{ActDialog, CliTwin, Deed, ProblemView, StaleBanner};
use crate::router::{Link, Query};
use crate::store::{Asked, Watch, use_query, use_session};
use std::collections::BTreeMap;
use stella_contract::dead_letter::{Mute, MuteCause, UnmuteCause};
use stella_contract::page::{MAX_SIZE, Page, PageQuery};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use yew::prelude::*;

/// The mutes that are in force.
#[hook]
pub(super) fn use_mutes() -> Asked<Page<Mute>> {
    // One that runs out is told of by nobody.
    use_query("mutes", Watch::of(ENTITIES).every(60), |api| async move {
        api.mutes(&PageQuery { page_token: None, page_size: Some(MAX_SIZE) }).await
    })
}

/// The mutes by the fingerprints of their causes.
pub(super) fn by_cause(page: Option<&Page<Mute>>) -> BTreeMap<String, Mute> {
    let mutes = page.into_iter().flat_map(|page| &page.items);
    mutes.map(|mute| (mute.fingerprint.clone(), mute.clone())).collect()
}

/// The mark of a muted cause; why and by whom shows on hover.
pub(super) fn muted_mark(mute: &Mute) -> Html {
    let until = mute.until.map_or_else(|| "for good".to_owned(), |until| format!("until {until}"));
    let why = mute.reason.as_deref().unwrap_or("no reason was given");
    html! {
        <span class="tag" title={format!("Muted {until} by {}: {why}", mute.muted_by)}><Icon shape={Shape::BellSlash} size={IconSize::Tiny} />{ "muted" }</span>
    }
}

/// Until when a mute lasts.
fn until(mute: &Mute) -> Html {
    match mute.until {
        Some(at) => html! { <Clock {at} /> },
        None => html! { "for good" },
    }
}

/// The causes of which nobody is called, to look through and to end.
#[component]
pub(crate) fn MutedCauses() -> Html {
    let asked = use_mutes();
    let refusal = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let ending = use_state(|| None::<Mute>);
    let close = {
        let ending = ending.clone();
        Callback::from(move |()| ending.set(None))
    };
    let end = {
        let ending = ending.clone();
        Callback::from(move |mute: Mute| ending.set(Some(mute)))
    };
    let of =
        |mute: &Mute| Query::default().with("state", "open").with("fingerprint", mute.fingerprint.as_str());
    let row = |mute: &Mute| {
        let on_click = {
            let mute = mute.clone();
            end.reform(move |()| mute.clone())
        };
        html! {
            <tr key={mute.fingerprint.clone()}>
                <td class="mono"><Link to={Route::DeadLetterQueue} query={of(mute)} class="id">{ &mute.fingerprint }</Link></td>
                <td class="nw">{ until(mute) }</td>
                <td class="cut">{ &mute.muted_by }</td>
                <td class="cut" title={mute.reason.clone()}>{ mute.reason.as_deref().unwrap_or("none") }</td>
                <td><MuteButton mute={mute.clone()} refusal={refusal.clone()} {on_click} /></td>
            </tr>
        }
    };
    let table = |page: &Page<Mute>| match page.items.is_empty() {
        true => {
            html! { <p class="f3 sm">{ "None. A cause is muted on the " }<Link to={Route::DeadLetter} class="link">{ "Dead-Letter page" }</Link>{ "; every spike is told." }</p> }
        }
        false => html! {
            <table class="tbl" aria-label="Muted causes">
                <thead><tr><th scope="col">{ "Cause" }</th><th scope="col">{ "Until" }</th><th scope="col">{ "By" }</th><th scope="col">{ "Reason" }</th><th scope="col"><span class="vh">{ "Act" }</span></th></tr></thead>
                <tbody>{ for page.items.iter().map(row) }</tbody>
            </table>
        },
    };
    html! {
        <section class="sec" aria-label="Muted causes">
            <div class="sec-h"><h2>{ "Muted causes" }</h2><span class="note">{ "kept in the ledger, for everybody" }</span><span class="grow"></span>
                <CliTwin words={["orch", "deadletter", "mutes"].map(AttrValue::from).to_vec()} button={true} /></div>
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={2} /> },
                Load::Failed(problem) => html! { <ProblemView what="The muted causes" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(page, _) => table(page),
                Load::Stale(page, as_of, problem) => html! { <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ table(page) }</> },
            } }
            if let Some(mute) = &*ending { <MuteDialog fingerprint={mute.fingerprint.clone()} mute={mute.clone()} on_close={close} /> }
        </section>
    }
}

/// What a [`MuteButton`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct MuteButtonProps {
    /// The mute of the cause, when it has one.
    pub mute: Option<Mute>,
    /// Why it cannot be used.
    pub refusal: Option<AttrValue>,
    /// Only the shape is drawn, where there is little room.
    #[prop_or_default]
    pub small: bool,
    /// Opens the dialog.
    pub on_click: Callback<()>,
}

/// Mutes a cause, or ends that.
#[component]
pub(super) fn MuteButton(props: &MuteButtonProps) -> Html {
    let is_muted = props.mute.is_some();
    let words = if is_muted { "Unmute…" } else { "Mute…" };
    let label =
        props.small.then_some(AttrValue::Static(if is_muted { "Unmute cause" } else { "Mute cause" }));
    html! {
        <Button small={true} icon={Some(Shape::BellSlash)} {label} pressed={props.small.then_some(is_muted)} disabled={props.refusal.clone()} says_why={false}
            on_click={props.on_click.clone()}>
            if !props.small { { words } }
        </Button>
    }
}

/// How long a mute may last, in hours, with its words.
const HOURS: [(&str, &str); 6] = [
    ("1", "for 1 h"),
    ("4", "for 4 h"),
    ("12", "for 12 h"),
    ("24", "for 24 h"),
    ("168", "for 7 days"),
    ("", "until somebody ends it"),
];

/// The end of a mute that begins now; `None` when it has none.
fn end(hours: &str, now: Micros) -> Option<Micros> {
    Some(now.plus_ms(hours.parse::<i64>().ok()? * 3_600_000))
}

/// What a [`MuteDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct MuteDialogProps {
    /// The cause.
    pub fingerprint: AttrValue,
    /// Its mute, which is then ended.
    #[prop_or_default]
    pub mute: Option<Mute>,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Asks until when, or ends it.
#[component]
pub(super) fn MuteDialog(props: &MuteDialogProps) -> Html {
    let hours = use_state_eq(|| "4".to_owned());
    let opened = use_state(clock::now);
    let fingerprint = props.fingerprint.to_string();
    let subject = AttrValue::from(short_id(&fingerprint));
    let mut cli = vec!["orch".into(), "deadletter".into()];
    if props.mute.is_some() {
        cli.extend([AttrValue::Static("unmute"), props.fingerprint.clone()]);
        let deed = Deed::new(move |api, cause| {
            let wish = UnmuteCause { fingerprint: fingerprint.clone() };
            async move { api.unmute(&wish, &cause).await.map(|_| "Cause unmuted".into()) }
        });
        return html! {
            <ActDialog title="Unmute cause" {subject} scope={Scope::OrchOperate} verb="Unmute cause" {cli} {deed} on_close={props.on_close.clone()}>
                { "A spike of it is told to windows and to others outside again." }
            </ActDialog>
        };
    }
    let until = end(&hours, *opened);
    cli.extend([AttrValue::Static("mute"), props.fingerprint.clone()]);
    if let Some(until) = until {
        cli.extend([AttrValue::Static("--until"), until.to_string().into()]);
    }
    let deed = Deed::new(move |api, cause| {
        let wish = MuteCause { fingerprint: fingerprint.clone(), until };
        async move { api.mute(&wish, &cause).await.map(|_| "Cause muted".into()) }
    });
    let on_change = {
        let hours = hours.clone();
        Callback::from(move |text: String| hours.set(text))
    };
    let options = HOURS.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    html! {
        <ActDialog title="Mute cause" {subject} scope={Scope::OrchOperate} verb="Mute cause" {cli} {deed} on_close={props.on_close.clone()}
            form={html! { <Field label="How long"><Select value={(*hours).clone()} {options} {on_change} /></Field> }}>
            { "Its entries are written down, counted and shown as before, and an incident is opened; nobody is called." }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_ends_after_the_chosen_hours_or_never() {
        let ends: Vec<_> = HOURS.iter().map(|(hours, _)| end(hours, Micros(0)).map(|at| at.0)).collect();
        let hour = 3_600_000_000;
        assert_eq!(
            ends,
            [Some(hour), Some(4 * hour), Some(12 * hour), Some(24 * hour), Some(168 * hour), None]
        );
    }
}
