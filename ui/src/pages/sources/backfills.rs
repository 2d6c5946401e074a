//! Backfills: their list with how far each is, and one of them with its windows.

use super::backfill_dialog::seen;
use super::coverage::span;
use super::map::written;
use crate::api::{BackfillVerb, Load};
use crate::kit::format::{count, date_time, percent, short_id};
use crate::kit::{
    Banner, Button, ButtonKind, Column, CopyId, Drawer, Meter, Skeleton, Table, TableBody, TimeAgo, Tone,
    Width,
};
use crate::pages::listing::listing;
use crate::parts::{ActDialog, CliTwin, Deed, JobLink, ProblemView, SourceLink, SourceNames, StateBadge};
use crate::router::{Link, Query};
use crate::store::{Watch, use_list, use_query, use_session};
use std::rc::Rc;
use stella_contract::backfill::{
    Backfill, BackfillEvent, BackfillState, BackfillWindow, StartBackfill, WindowState, next,
};
use stella_contract::ids::BackfillId;
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::watermark::Window;
use yew::prelude::*;

/// How far a backfill is, in one cell.
pub(super) fn progress(one: &Backfill) -> Html {
    let tone = match one.state {
        BackfillState::Running => Tone::Live,
        BackfillState::Completed => Tone::Ok,
        BackfillState::CompletedWithErrors => Tone::Warn,
        BackfillState::Failed => Tone::Bad,
        BackfillState::Draft
        | BackfillState::Previewed
        | BackfillState::Paused
        | BackfillState::Cancelled => Tone::Idle,
    };
    if one.started_at.is_none() {
        return html! { <span class="f3 sm">{ "not started" }</span> };
    }
    html! {
        <span class="run-progress">
            <span class="row sm"><span class="b">{ percent(one.progress) }</span><span class="grow"></span>
                <span class="f3 xs">{ format!("{} / {}", count(one.done), count(one.planned)) }</span></span>
            <Meter share={one.progress} label="windows done" {tone} />
        </span>
    }
}

/// The range of a backfill.
pub(super) fn range(one: &Backfill) -> Window {
    Window { start: one.request.from, end: one.request.to }
}

/// The columns of a list of backfills.
pub(super) fn columns() -> Vec<Column<Backfill>> {
    vec![
        Column::new("state", "State", Width::Fixed(188), |one: &Backfill| html! { <StateBadge<BackfillState> state={one.state} /> }),
        Column::new("source", "Source", Width::Share(2, 110), |one: &Backfill| {
            let names: SourceNames = Rc::new([(one.request.source_id.to_string(), one.source_name.clone())].into());
            html! { <SourceLink id={one.request.source_id.clone()} {names} /> }
        }),
        Column::new("range", "Range", Width::Share(3, 190), |one: &Backfill| html! { <span class="mono">{ span(range(one)) }</span> }),
        Column::new("progress", "Progress", Width::Fixed(168), progress),
        Column::new("failed", "Failed", Width::Fixed(64), |one: &Backfill| html! { <span class={classes!((one.failed > 0).then_some("k-bad"))}>{ count(one.failed) }</span> })
            .at_end(),
        Column::new("reason", "Reason", Width::Share(2, 120), |one: &Backfill| html! { <span class="f2" title={one.reason.clone()}>{ &one.reason }</span> })
            .drops_below(980),
        Column::new("created", "Asked for", Width::Fixed(112), |one: &Backfill| html! { <TimeAgo at={one.created_at} /> }).at_end(),
    ]
}

/// What tells a backfill from others.
pub(super) fn key_of(one: &Backfill) -> String {
    one.backfill_id.to_string()
}

/// What is done to a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Start,
    Steer(BackfillVerb),
}

impl Verb {
    const ALL: [Self; 4] = [
        Self::Start,
        Self::Steer(BackfillVerb::Pause),
        Self::Steer(BackfillVerb::Resume),
        Self::Steer(BackfillVerb::Cancel),
    ];

    const fn event(self) -> BackfillEvent {
        match self {
            Self::Start => BackfillEvent::Start,
            Self::Steer(BackfillVerb::Pause) => BackfillEvent::Pause,
            Self::Steer(BackfillVerb::Resume) => BackfillEvent::Resume,
            Self::Steer(BackfillVerb::Cancel) => BackfillEvent::Cancel,
        }
    }
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Steer(verb) => verb.as_str(),
        }
    }
    const fn title(self) -> &'static str {
        match self {
            Self::Start => "Start backfill",
            Self::Steer(BackfillVerb::Pause) => "Pause backfill",
            Self::Steer(BackfillVerb::Resume) => "Resume backfill",
            Self::Steer(BackfillVerb::Cancel) => "Cancel backfill",
        }
    }
    const fn done(self) -> &'static str {
        match self {
            Self::Start => "Backfill started",
            Self::Steer(BackfillVerb::Pause) => "Backfill paused",
            Self::Steer(BackfillVerb::Resume) => "Backfill resumed",
            Self::Steer(BackfillVerb::Cancel) => "Backfill cancelled",
        }
    }
    const fn what(self) -> &'static str {
        match self {
            Self::Start => {
                "Its windows are read as previewed, at low priority and within its share of the source's rate."
            }
            Self::Steer(BackfillVerb::Pause) => {
                "No further window is begun; those under way go on to their end."
            }
            Self::Steer(BackfillVerb::Resume) => "It goes on with the next window.",
            Self::Steer(BackfillVerb::Cancel) => {
                "Its open windows and their jobs are cancelled. What was read stays."
            }
        }
    }
    /// Whether the state lets it happen.
    fn fits(self, one: &Backfill) -> bool {
        next(one.state, self.event()).is_ok()
    }
}

/// What a [`BackfillDrawer`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct BackfillDrawerProps {
    /// Which.
    pub id: BackfillId,
    /// Left.
    pub on_close: Callback<()>,
}

/// One backfill beside a list.
#[component]
pub(super) fn BackfillDrawer(props: &BackfillDrawerProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("backfill {id}"), Watch::of(&["backfill", "job"]).every(10), move |api| {
        let id = id.clone();
        async move { api.backfill(&id).await }
    });
    let head =
        html! { <span class="mono cut" title={props.id.to_string()}>{ short_id(props.id.as_str()) }</span> };
    match &asked.load {
        Load::Idle | Load::Loading => {
            html! { <Drawer label="Backfill" {head} on_close={props.on_close.clone()}><Skeleton rows={6} /></Drawer> }
        }
        Load::Failed(problem) => html! {
            <Drawer label="Backfill" {head} on_close={props.on_close.clone()}>
                <ProblemView what="This backfill" problem={problem.clone()} on_retry={asked.refetch.clone()} />
            </Drawer>
        },
        Load::Ready(one, _) | Load::Stale(one, _, _) => {
            html! { <Shown one={one.clone()} on_close={props.on_close.clone()} /> }
        }
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    one: Backfill,
    on_close: Callback<()>,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let one = &props.one;
    let refusal = use_session().refusal(Scope::OrchBackfill).map(AttrValue::from);
    let asking = use_state_eq(|| None::<Verb>);
    let id = one.backfill_id.clone();
    let windows = {
        let id = id.clone();
        use_list(format!("windows of {id}"), Watch::of(&["backfill", "job"]), false, move |api, page| {
            let id = id.clone();
            async move { api.backfill_windows(&id, &page).await }
        })
    };
    let columns = use_memo((), |()| window_columns());
    let ask = |verb: Verb| {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(Some(verb)))
    };
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let verbs = Verb::ALL.into_iter().filter(|verb| verb.fits(one)).map(|verb| {
        let kind = if verb == Verb::Steer(BackfillVerb::Cancel) { ButtonKind::Danger } else { ButtonKind::Secondary };
        // What was not previewed cannot be started, and a dry run never can.
        let dry = (verb == Verb::Start && one.request.dry_run).then(|| AttrValue::from("A dry run is not started"));
        html! { <Button key={verb.word()} small={true} {kind} disabled={refusal.clone().or(dry)} says_why={false} on_click={ask(verb)}>{ format!("{}…", verb.title().replace(" backfill", "")) }</Button> }
    });
    let nothing = html! { <p class="f3 sm sec">{ "Its windows are laid out when it starts." }</p> };
    let table = html! {
        <Table label="Windows" body={TableBody::new(windows.state.rows.clone(), window_key, columns)}
            total={windows.state.total} on_more={windows.more.clone()} loading={windows.is_loading_more()} main={false} />
    };
    html! {
        <Drawer label={format!("Backfill of {}", one.source_name)} on_close={props.on_close.clone()}
            head={html! { <><span class="b cut">{ &one.source_name }</span><CopyId text={id.to_string()} shown={short_id(id.as_str())} /></> }}
            verbs={html! { <div class="row wrap"><StateBadge<BackfillState> state={one.state} pill={true} /><span class="grow"></span>{ for verbs }</div> }}
            foot={html! { <CliTwin words={["orch", "backfill", "show", id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} /> }}>
            if let Some(why) = &one.failure_reason { <Banner tone={Tone::Bad} fact="It failed.">{ why.replace('_', " ") }</Banner> }
            <div class="sec">
                <dl class="kv">
                    <dt>{ "Progress" }</dt><dd>{ progress(one) }</dd>
                    <dt>{ "Range" }</dt><dd class="mono">{ span(range(one)) }</dd>
                    <dt>{ "Windows" }</dt><dd>{ format!("{} done, {} failed, {} at work", count(one.done), count(one.failed), count(one.active)) }</dd>
                    <dt>{ "How" }</dt><dd class="wrapping">{ format!("{}, {} at once, {} of the rate, {}", one.request.order.as_str().replace('_', " "), one.request.max_active, percent(one.request.bucket_share), one.request.overlap_policy.as_str().replace('_', " ")) }</dd>
                    <dt>{ "Read again" }</dt><dd>{ one.request.reprocess.as_str() }</dd>
                    <dt>{ "Reason" }</dt><dd class="wrapping">{ &one.reason }{ " " }<span class="f3 mono">{ &one.ticket }</span></dd>
                    <dt>{ "Asked for" }</dt><dd>{ &one.created_by }{ " " }<TimeAgo at={one.created_at} /></dd>
                    <dt>{ "Source" }</dt><dd><Link to={Route::Source(one.request.source_id.clone())} query={Query::default()} class="n">{ &one.source_name }</Link></dd>
                </dl>
            </div>
            if one.started_at.is_none() {
                if let Some(preview) = &one.preview { <div class="sec col gap3">{ seen(preview) }</div> }
            } else {
                <div class="drawer-list">{ listing("Windows", &windows, nothing, table) }</div>
            }
            if let Some(verb) = *asking { { dialog(verb, one, close) } }
        </Drawer>
    }
}

fn dialog(verb: Verb, one: &Backfill, on_close: Callback<()>) -> Html {
    let id = one.backfill_id.clone();
    let digest = one.preview.as_ref().map(|preview| preview.digest.clone()).unwrap_or_default();
    let mut cli: Vec<AttrValue> =
        ["orch", "backfill", verb.word(), id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec();
    if verb == Verb::Start {
        cli.extend(["--preview".into(), AttrValue::from(digest.clone())]);
    }
    let deed = Deed::new(move |api, cause| {
        let (id, digest) = (id.clone(), digest.clone());
        async move {
            match verb {
                Verb::Start => {
                    api.start_backfill(&id, &StartBackfill { preview_digest: digest }, &cause).await?
                }
                Verb::Steer(verb) => api.steer_backfill(&id, verb, &cause).await?,
            };
            Ok(verb.done().into())
        }
    });
    html! {
        <ActDialog title={verb.title()} subject={one.source_name.clone()} scope={Scope::OrchBackfill} verb={verb.title()}
            danger={verb == Verb::Steer(BackfillVerb::Cancel)} keep="Keep it" {cli} {deed} {on_close}>{ verb.what() }</ActDialog>
    }
}

fn window_key(one: &BackfillWindow) -> String {
    one.position.to_string()
}

fn window_columns() -> Vec<Column<BackfillWindow>> {
    vec![
        Column::new(
            "state",
            "State",
            Width::Fixed(112),
            |one: &BackfillWindow| html! { <StateBadge<WindowState> state={one.state} /> },
        ),
        Column::new(
            "from",
            "From",
            Width::Share(1, 140),
            |one: &BackfillWindow| html! { <span class="mono" title={format!("to {}", date_time(one.end))}>{ written(one.start) }</span> },
        ),
        Column::new("job", "Job, error", Width::Fixed(140), |one: &BackfillWindow| {
            match (&one.job_id, &one.error_code) {
                (Some(id), None) => html! { <JobLink id={id.clone()} /> },
                (Some(id), Some(code)) => {
                    html! { <span class="row gap1"><JobLink id={id.clone()} /><span class="k-bad xs cut" title={code.clone()}>{ code }</span></span> }
                }
                (None, Some(code)) => html! { <span class="k-bad">{ code }</span> },
                (None, None) => html! { <span class="f3">{ "none yet" }</span> },
            }
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verbs_that_the_state_allows_are_offered() {
        let text = r#"{"backfillId":"bf_01890000-0000-7000-8000-000000000000","tenant":"acme",
            "request":{"sourceId":"src_01890000-0000-7000-8000-000000000000","from":"2026-01-01T00:00:00.000Z","to":"2026-02-01T00:00:00.000Z"},
            "sourceName":"osv","state":"running","planned":3,"done":1,"failed":0,"active":1,"progress":0.33,
            "reason":"r","ticket":"t","createdBy":"op","correlationId":"c","createdAt":"2026-02-02T00:00:00.000Z","version":1}"#;
        let of = |state: BackfillState| {
            let one = Backfill { state, ..serde_json::from_str(text).unwrap() };
            Verb::ALL.into_iter().filter(|verb| verb.fits(&one)).map(Verb::word).collect::<Vec<_>>()
        };
        assert_eq!(of(BackfillState::Draft), ["cancel"]);
        assert_eq!(of(BackfillState::Previewed), ["start", "cancel"]);
        assert_eq!(of(BackfillState::Running), ["pause", "cancel"]);
        assert_eq!(of(BackfillState::Paused), ["resume", "cancel"]);
        for state in BackfillState::ALL.iter().filter(|state| state.is_final()) {
            assert!(of(*state).is_empty(), "{state}");
        }
    }
}
