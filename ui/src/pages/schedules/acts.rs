//! What an operator may do to schedules, each in a dialog that says what happens.

use super::form::ScheduleForm;
use super::pause::PauseDialog;
use crate::api::{Load, ScheduleVerb};
use crate::kit::{Checkbox, Checked, Dialog, DialogSize, Skeleton};
use crate::parts::{ActDialog, Deed, ProblemView};
use crate::store::{Watch, use_query};
use stella_contract::ids::ScheduleId;
use stella_contract::schedule::{OverlapPolicy, Schedule, TriggerSchedule};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    Make,
    Edit(Box<Schedule>),
    Pause(Box<Schedule>),
    Resume(Box<Schedule>),
    Enable(Box<Schedule>),
    Disable(Box<Schedule>),
    RunNow(Box<Schedule>),
    Delete(Box<Schedule>),
}

/// What an [`ActLayer`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ActLayerProps {
    /// Which.
    pub act: Act,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// The dialog of an act.
#[component]
pub(super) fn ActLayer(props: &ActLayerProps) -> Html {
    let on_close = props.on_close.clone();
    match &props.act {
        Act::Make => html! { <ScheduleForm schedule={None::<Box<Schedule>>} {on_close} /> },
        Act::Edit(one) => html! { <ScheduleForm schedule={Some(one.clone())} {on_close} /> },
        Act::Pause(one) => html! { <PauseDialog schedule={Schedule::clone(one)} {on_close} /> },
        Act::RunNow(one) => html! { <RunNowDialog schedule={Schedule::clone(one)} {on_close} /> },
        Act::Resume(one) => steered(one, ScheduleVerb::Resume, &on_close),
        Act::Enable(one) => steered(one, ScheduleVerb::Enable, &on_close),
        Act::Disable(one) => steered(one, ScheduleVerb::Disable, &on_close),
        Act::Delete(one) => steered(one, ScheduleVerb::Delete, &on_close),
    }
}

/// What a verb is called, what was done, what happens, and the scope it is under.
fn words_of(verb: ScheduleVerb) -> (&'static str, &'static str, &'static str, Scope) {
    match verb {
        ScheduleVerb::Resume => (
            "Resume schedule",
            "Schedule resumed",
            "It fires from its next time on. What was due in the pause is not made up for.",
            Scope::OrchOperate,
        ),
        ScheduleVerb::Enable => (
            "Switch on",
            "Schedule switched on",
            "It fires from its next time on. What was due while it was off is not made up for.",
            Scope::RunsManage,
        ),
        ScheduleVerb::Disable => (
            "Switch off",
            "Schedule switched off",
            "It fires nothing until it is switched on. A run of it that is open goes on.",
            Scope::RunsManage,
        ),
        ScheduleVerb::Delete => (
            "Delete schedule",
            "Schedule deleted",
            "The schedule and the record of its fires are taken away. Its runs and their findings stay.",
            Scope::RunsManage,
        ),
    }
}

fn steered(one: &Schedule, verb: ScheduleVerb, on_close: &Callback<()>) -> Html {
    let (title, done, said, scope) = words_of(verb);
    let deed = {
        let id = one.schedule_id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move { api.steer_schedule(&id, verb, &cause).await.map(|_| AttrValue::Static(done)) }
        })
    };
    let cli = ["schedules", verb.command(), one.name.as_str()].map(|word| AttrValue::from(word.to_owned()));
    html! {
        <ActDialog {title} subject={one.name.clone()} {scope} verb={title} danger={verb == ScheduleVerb::Delete}
            cli={cli.to_vec()} {deed} on_close={on_close.clone()}>{ said }</ActDialog>
    }
}

/// What can be done about a coming fire where the schedule itself is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FireVerb {
    /// A run of the schedule, now.
    RunNow,
    /// The schedule is paused.
    Pause,
    /// The pause of the schedule ends.
    Resume,
}

/// What a [`FireDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub struct FireDialogProps {
    /// The schedule.
    pub id: ScheduleId,
    /// Its name, shown until it is read.
    pub name: AttrValue,
    /// What is to be done.
    pub verb: FireVerb,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Reads the schedule and asks about the verb, for pages that show coming fires.
#[component]
pub fn FireDialog(props: &FireDialogProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("schedule {id}"), Watch::none(), move |api| {
        let id = id.clone();
        async move { api.schedule(&id).await }
    });
    let on_close = props.on_close.clone();
    let waiting = |body: Html| {
        html! { <Dialog title={props.name.clone()} size={DialogSize::Form} on_close={on_close.clone()}><div class="in">{ body }</div></Dialog> }
    };
    match &asked.load {
        Load::Idle | Load::Loading => waiting(html! { <Skeleton rows={4} /> }),
        Load::Failed(problem) => waiting(html! {
            <ProblemView what="This schedule" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        }),
        Load::Ready(one, _) | Load::Stale(one, _, _) => {
            let one = Box::new(one.clone());
            let act = match props.verb {
                FireVerb::RunNow => Act::RunNow(one),
                FireVerb::Pause => Act::Pause(one),
                FireVerb::Resume => Act::Resume(one),
            };
            html! { <ActLayer {act} {on_close} /> }
        }
    }
}

/// What a [`SwitchDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub struct SwitchDialogProps {
    /// The schedule.
    pub schedule: Schedule,
    /// What it is to become.
    pub on: bool,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Switches a schedule on or off, for pages that show the panel of schedules.
#[component]
pub fn SwitchDialog(props: &SwitchDialogProps) -> Html {
    let verb = if props.on { ScheduleVerb::Enable } else { ScheduleVerb::Disable };
    steered(&props.schedule, verb, &props.on_close)
}

#[derive(Clone, PartialEq, Properties)]
struct RunNowProps {
    schedule: Schedule,
    on_close: Callback<()>,
}

/// A run, now.
#[component]
fn RunNowDialog(props: &RunNowProps) -> Html {
    let one = &props.schedule;
    let both = use_state_eq(|| false);
    let open = one.recent_runs.iter().find(|run| !run.state.is_final());
    let asks = open.is_some() && one.overlap_policy != OverlapPolicy::Allow;
    let deed = {
        let (id, wish) = (one.schedule_id.clone(), TriggerSchedule { allow_overlap: *both });
        Deed::new(move |api, cause| {
            let (id, wish) = (id.clone(), wish.clone());
            async move {
                let run = api.trigger_schedule(&id, &wish, &cause).await?;
                Ok(format!("Run started: {}", run.run_id).into())
            }
        })
    };
    let mut cli = vec!["schedules".to_owned(), "run".to_owned(), one.name.clone()];
    cli.extend((*both).then(|| "--allow-overlap".to_owned()));
    let form = if asks {
        let both = both.clone();
        let checked = Checked::from(*both);
        html! { <Checkbox {checked} on_toggle={Callback::from(move |on| both.set(on))}>{ "Start it beside the run that is open" }</Checkbox> }
    } else {
        Html::default()
    };
    let blocked = (asks && !*both).then_some("A run of this schedule is open");
    html! {
        <ActDialog title="Run now" subject={one.name.clone()} scope={Scope::RunsManage} verb="Start run"
            cli={cli.into_iter().map(AttrValue::from).collect::<Vec<_>>()} {deed} {form} blocked={blocked.map(AttrValue::Static)} on_close={props.on_close.clone()}>
            { format!("Starts a run over {} in mode {}. The schedule's own times are not touched.", one.scope, one.mode) }
        </ActDialog>
    }
}
