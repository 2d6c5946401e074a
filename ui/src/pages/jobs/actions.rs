//! What can be done with a job, each verb with the reason why it cannot.

use crate::kit::{Field, Icon, IconSize, Input, Select, Shape, use_keys};
use crate::parts::{ActDialog, Deed};
use crate::store::use_session;
use stella_contract::job::{
    Job, JobState, PrioritizeJob, REPLAY_PRIORITY, cancel_refusal, prioritize_refusal, replay_refusal,
    retry_refusal,
};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// A verb on one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobVerb {
    /// Ends it.
    Cancel,
    /// Changes its place in the queue.
    Prioritise,
    /// Gives a failed one another try.
    Retry,
    /// Does an ended one once more.
    Replay,
}

impl JobVerb {
    const ALL: [Self; 4] = [Self::Cancel, Self::Prioritise, Self::Retry, Self::Replay];

    const fn label(self) -> &'static str {
        match self {
            Self::Cancel => "Cancel",
            Self::Prioritise => "Prioritise",
            Self::Retry => "Retry",
            Self::Replay => "Replay",
        }
    }

    const fn shape(self) -> Shape {
        match self {
            Self::Cancel => Shape::Stop,
            Self::Prioritise => Shape::Up,
            Self::Retry => Shape::Refresh,
            Self::Replay => Shape::Loop,
        }
    }

    /// Why it cannot be done to a job in this state.
    fn refusal(self, state: JobState) -> Option<&'static str> {
        match self {
            Self::Cancel => cancel_refusal(state),
            Self::Prioritise => prioritize_refusal(state),
            Self::Retry => retry_refusal(state),
            Self::Replay => replay_refusal(state),
        }
    }

    /// What it does.
    const fn meaning(self, state: JobState) -> &'static str {
        match (self, state) {
            (Self::Cancel, JobState::Running) => "Stops within 60 s, keeps its history",
            (Self::Cancel, _) => "Ends now, is not started",
            (Self::Prioritise, _) => "Moves it in the queue",
            (Self::Retry, _) => "A new job at the same priority",
            (Self::Replay, _) => "A new job at high priority",
        }
    }

    /// The key that opens it; `r` repeats a failed job and replays any other.
    fn key(self, state: JobState) -> Option<&'static str> {
        match self {
            Self::Cancel => Some("C"),
            Self::Prioritise => Some("p"),
            Self::Retry => retry_refusal(state).is_none().then_some("r"),
            Self::Replay => retry_refusal(state).is_some().then_some("r"),
        }
    }
}

/// What [`Actions`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct ActionsProps {
    /// The job.
    pub job: Job,
}

/// The list of verbs and the dialog of the chosen one.
#[component]
pub(super) fn Actions(props: &ActionsProps) -> Html {
    let session = use_session();
    let open = use_state_eq(|| None::<JobVerb>);
    let job = &props.job;
    let missing = session.refusal(Scope::OrchOperate);
    let refusal = |verb: JobVerb| verb.refusal(job.state).map(str::to_owned).or_else(|| missing.clone());
    let keys: Vec<(&'static str, JobVerb)> = JobVerb::ALL
        .into_iter()
        .filter(|verb| refusal(*verb).is_none())
        .filter_map(|verb| Some((verb.key(job.state)?, verb)))
        .collect();
    {
        let open = open.clone();
        use_keys(move |key| {
            let wanted = keys.iter().find(|(name, _)| *name == key.name && !key.ctrl);
            if let Some((_, verb)) = wanted {
                open.set(Some(*verb));
            }
            wanted.is_some()
        });
    }
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(None))
    };
    html! {
        <section class="sec" aria-label="Next actions">
            <div class="sec-h"><h2>{ "Next actions" }</h2></div>
            <ul class="verbs">{ for JobVerb::ALL.into_iter().map(|verb| {
                let why = refusal(verb);
                let choose = {
                    let open = open.clone();
                    Callback::from(move |_: MouseEvent| open.set(Some(verb)))
                };
                html! {
                    <li key={verb.label()}>
                        <button type="button" class="verb" disabled={why.is_some()} onclick={choose}>
                            <Icon shape={verb.shape()} size={IconSize::Small} />
                            <span class="grow">
                                <span class="b">{ verb.label() }if why.is_none() { { "…" } }</span>
                                <span class="sm f3">{ why.clone().unwrap_or_else(|| verb.meaning(job.state).to_owned()) }</span>
                            </span>
                            if let Some(key) = verb.key(job.state).filter(|_| why.is_none()) { <kbd>{ if key == "C" { "⇧C".to_owned() } else { key.to_uppercase() } }</kbd> }
                        </button>
                    </li>
                }
            }) }</ul>
            { match *open {
                None => Html::default(),
                Some(JobVerb::Prioritise) => html! { <PrioritiseDialog job={job.clone()} on_close={close} /> },
                Some(verb) => confirm(verb, job, close),
            } }
        </section>
    }
}

fn words(all: &[&str]) -> Vec<AttrValue> {
    all.iter().map(|word| AttrValue::from((*word).to_owned())).collect()
}

fn confirm(verb: JobVerb, job: &Job, on_close: Callback<()>) -> Html {
    let id = job.job_id.clone();
    let deed = Deed::new(move |api, cause| {
        let id = id.clone();
        async move {
            match verb {
                JobVerb::Cancel | JobVerb::Prioritise => api
                    .cancel_job(&id, &cause)
                    .await
                    .map(|job| format!("Cancel accepted, {id} is {}", job.state).into()),
                JobVerb::Retry => {
                    api.retry_job(&id, &cause).await.map(|job| format!("Another try: {}", job.job_id).into())
                }
                JobVerb::Replay => {
                    api.replay_job(&id, &cause).await.map(|job| format!("Replay made: {}", job.job_id).into())
                }
            }
        }
    });
    let (title, button, name, what) = match verb {
        JobVerb::Cancel | JobVerb::Prioritise if job.state == JobState::Running => (
            "Cancel job",
            "Cancel 1 job",
            "cancel",
            "Its worker is told with the next heartbeat and stops within 60 s. What it finished before that stands; its history is kept.".to_owned(),
        ),
        JobVerb::Cancel | JobVerb::Prioritise => {
            ("Cancel job", "Cancel 1 job", "cancel", "It ends now and is not started. Its history is kept.".to_owned())
        }
        JobVerb::Retry => (
            "Retry job",
            "Retry 1 job",
            "retry",
            format!("A new job with the same payload is queued at priority {}. This one stays as it is; jobs that wait for it wait for the new one too.", job.priority),
        ),
        JobVerb::Replay => (
            "Replay job",
            "Replay 1 job",
            "replay",
            format!("A new job with the same payload is queued at priority {}. This one stays as it is; jobs that wait for it wait for the new one too.", job.priority.max(REPLAY_PRIORITY)),
        ),
    };
    html! {
        <ActDialog {title} subject={job.job_id.to_string()} scope={Scope::OrchOperate} verb={button} keep="Keep it"
            danger={verb == JobVerb::Cancel} cli={words(&["orch", "jobs", name, job.job_id.as_str()])} {deed} {on_close}>
            { what }
        </ActDialog>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct PrioritiseDialogProps {
    job: Job,
    on_close: Callback<()>,
}

/// The bands of priority.
const BANDS: [(&str, &str); 5] = [
    ("25", "low, 25"),
    ("50", "normal, 50"),
    ("75", "high, 75"),
    ("90", "critical, 90"),
    ("", "another number"),
];

/// The priority that was typed.
fn priority(typed: &str) -> Result<i32, &'static str> {
    typed
        .trim()
        .parse::<i32>()
        .ok()
        .filter(|number| (0..=100).contains(number))
        .ok_or("A whole number from 0 to 100")
}

/// Asks for the priority; opens one band higher.
#[component]
fn PrioritiseDialog(props: &PrioritiseDialogProps) -> Html {
    let job = &props.job;
    let typed =
        use_state(|| if props.job.priority < REPLAY_PRIORITY { "75".to_owned() } else { "90".to_owned() });
    let wanted = priority(&typed);
    let wish = PrioritizeJob { priority: wanted.unwrap_or(job.priority) };
    let deed = {
        let id = job.job_id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                api.prioritize_job(&id, wish, &cause)
                    .await
                    .map(|job| format!("{id} has priority {}", job.priority).into())
            }
        })
    };
    let set = {
        let typed = typed.clone();
        Callback::from(move |text: String| typed.set(text))
    };
    let band = BANDS.iter().find(|(value, _)| *value == typed.as_str()).map_or("", |(value, _)| value);
    let options = BANDS.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    let same = (wanted == Ok(job.priority)).then_some("It has this priority already");
    let form = html! {
        <div class="reason-fields">
            <Field label="Priority"><Select value={band} {options} on_change={set.clone()} /></Field>
            <Field label="Number" error={wanted.err()}><Input value={(*typed).clone()} on_input={set} /></Field>
        </div>
    };
    html! {
        <ActDialog title="Prioritise job" subject={job.job_id.to_string()} scope={Scope::OrchOperate} verb="Set priority"
            cli={words(&["orch", "jobs", "prioritize", job.job_id.as_str(), "--priority", &wish.priority.to_string()])}
            {deed} {form} blocked={wanted.err().or(same).map(AttrValue::from)} on_close={props.on_close.clone()}>
            { format!("It has priority {} now. Jobs of a higher one are started first; one point is added for each minute in the queue, 20 at most.", job.priority) }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_says_why_it_cannot_be_used_in_a_state() {
        let usable = |state: JobState| {
            JobVerb::ALL
                .into_iter()
                .filter(|verb| verb.refusal(state).is_none())
                .map(JobVerb::label)
                .collect::<Vec<_>>()
        };
        assert_eq!(usable(JobState::Pending), ["Cancel", "Prioritise"]);
        assert_eq!(usable(JobState::Running), ["Cancel", "Prioritise"]);
        assert_eq!(usable(JobState::Succeeded), ["Replay"]);
        assert_eq!(usable(JobState::Failed), ["Retry", "Replay"]);
        assert_eq!(usable(JobState::Skipped), ["Replay"]);
    }

    #[test]
    fn r_repeats_a_failed_job_and_replays_any_other() {
        assert_eq!(JobVerb::Retry.key(JobState::Failed), Some("r"));
        assert_eq!(JobVerb::Replay.key(JobState::Failed), None);
        assert_eq!(JobVerb::Replay.key(JobState::Succeeded), Some("r"));
    }

    #[test]
    fn a_priority_is_from_nothing_to_a_hundred() {
        assert_eq!(priority(" 90 "), Ok(90));
        for wrong in ["", "-1", "101", "high"] {
            assert!(priority(wrong).is_err(), "{wrong}");
        }
    }
}
