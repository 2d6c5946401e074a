//! Several runs at once: what may be done to them, and what came of it. The doing is one request per run, so that one
//! that is refused does not keep the others from it.

use super::export::ExportDialog;
use crate::api::{Api, Problem};
use crate::kit::format::counted;
use crate::kit::{Button, ButtonKind, Dialog, DialogSize, Icon, IconSize, Selection, Shape, Sheet, Tone};
use crate::parts::{ReasonDialog, RunLink, mark};
use crate::store::{use_api, use_feed, use_session};
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_contract::job::Cause;
use stella_contract::run::{RetryRun, Run, cancel_refusal, retry_refusal};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// A verb on several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Many {
    /// Ends those that are open.
    Cancel,
    /// Repeats those that have ended.
    Retry,
}

impl Many {
    const fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }
    const fn title(self) -> &'static str {
        match self {
            Self::Cancel => "Cancel runs",
            Self::Retry => "Retry runs",
        }
    }
    /// Why it cannot be done to a run.
    fn refusal(self, run: &Run) -> Option<&'static str> {
        match self {
            Self::Cancel => cancel_refusal(run.state),
            Self::Retry => retry_refusal(run.state),
        }
    }
}

/// The chosen runs, in the order of the list.
pub(super) fn chosen(rows: &Sheet<Run>, keys: &Selection) -> Vec<Run> {
    rows.iter().filter(|run| keys.contains(run.run_id.as_str())).cloned().collect()
}

/// Those of them to which a verb can be done.
fn eligible(runs: &[Run], verb: Many) -> Vec<RunId> {
    runs.iter().filter(|run| verb.refusal(run).is_none()).map(|run| run.run_id.clone()).collect()
}

/// What is open over the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Verb(Many),
    Export,
}

/// What a [`SelectionBar`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SelectionBarProps {
    /// The chosen runs.
    pub runs: Vec<Run>,
    /// Told that nothing is to be chosen any more.
    pub on_clear: Callback<()>,
}

/// How many are chosen and what can be done to them.
#[component]
pub(super) fn SelectionBar(props: &SelectionBarProps) -> Html {
    let session = use_session();
    let open = use_state_eq(|| None::<Open>);
    let show = |what: Open| {
        let open = open.clone();
        Callback::from(move |()| open.set(Some(what)))
    };
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(None))
    };
    let scope = session.refusal(Scope::RunsManage);
    let off = session.off(Feature::Retry);
    let why = |verb: Many| {
        let none = match verb {
            Many::Cancel => "all have ended",
            Many::Retry => "none has ended",
        };
        let switched = off.clone().filter(|_| verb == Many::Retry);
        let fits = eligible(&props.runs, verb).is_empty().then(|| none.to_owned());
        switched.or(fits).or_else(|| scope.clone()).map(AttrValue::from)
    };
    let download = session.refusal(Scope::DownloadsRead).filter(|why| !why.contains("read-only"));
    let label = |verb: Many, word: &str| match eligible(&props.runs, verb).len() {
        0 => format!("{word}…"),
        many => format!("{word} {many}…"),
    };
    html! {
        <div class="sel-bar" role="region" aria-label="Selection">
            <span class="b nw" role="status">{ format!("{} selected", props.runs.len()) }</span>
            <span class="f3 sm cut"><Icon shape={Shape::Pause} size={IconSize::Tiny} />{ " list held" }</span>
            <Button small={true} kind={ButtonKind::Ghost} key_hint="Esc" on_click={props.on_clear.clone()}>{ "Clear" }</Button>
            <span class="grow"></span>
            <Button small={true} disabled={download.map(AttrValue::from)} on_click={show(Open::Export)}>{ "Export…" }</Button>
            <Button small={true} disabled={why(Many::Retry)} on_click={show(Open::Verb(Many::Retry))}>{ label(Many::Retry, "Retry") }</Button>
            <Button small={true} kind={ButtonKind::Danger} disabled={why(Many::Cancel)} on_click={show(Open::Verb(Many::Cancel))}>{ label(Many::Cancel, "Cancel") }</Button>
            { match *open {
                None => Html::default(),
                Some(Open::Export) => html! { <ExportDialog runs={props.runs.iter().map(|run| run.run_id.clone()).collect::<Vec<_>>()} on_close={close} /> },
                Some(Open::Verb(verb)) => html! {
                    <ManyDialog {verb} runs={eligible(&props.runs, verb)} left_out={props.runs.len() - eligible(&props.runs, verb).len()}
                        on_close={close} on_done={props.on_clear.clone()} />
                },
            } }
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ManyDialogProps {
    verb: Many,
    runs: Vec<RunId>,
    left_out: usize,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

/// What came of one run: the run it led to, or why not.
type Outcome = (RunId, Result<RunId, Problem>);

async fn act(api: &Api, verb: Many, id: &RunId, cause: &Cause) -> Result<RunId, Problem> {
    let run = match verb {
        Many::Cancel => api.cancel_run(id, cause).await?,
        Many::Retry => api.retry_run(id, RetryRun::default(), cause).await?,
    };
    Ok(run.run_id)
}

/// Asks once for all, then says what came of each.
#[component]
fn ManyDialog(props: &ManyDialogProps) -> Html {
    let (api, feed) = (use_api(), use_feed());
    let busy = use_state_eq(|| false);
    // What is done is kept as it was asked: the selection behind the dialog may change while it is done.
    let asked = use_memo((), |()| props.runs.clone());
    let outcomes = use_state(|| None::<Vec<Outcome>>);
    let on_confirm = {
        let (busy, outcomes, runs, verb) = (busy.clone(), outcomes.clone(), asked.clone(), props.verb);
        Callback::from(move |cause: Cause| {
            let (api, feed, busy, outcomes, runs) =
                (api.clone(), feed.clone(), busy.clone(), outcomes.clone(), runs.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let mut all = Vec::with_capacity(runs.len());
                for id in runs.iter() {
                    all.push((id.clone(), act(&api, verb, id, &cause).await));
                }
                feed.refresh();
                outcomes.set(Some(all));
                busy.set(false);
            });
        })
    };
    if let Some(outcomes) = &*outcomes {
        let done = {
            let (close, clear) = (props.on_close.clone(), props.on_done.clone());
            Callback::from(move |()| {
                close.emit(());
                clear.emit(());
            })
        };
        return results(props.verb, outcomes, done);
    }
    let many = asked.len();
    let what = match props.verb {
        Many::Cancel => format!(
            "{} and their open segments. What is evaluated stays. A cancelled run cannot go on, only be repeated.",
            counted(many as i64, "run ends", "runs end")
        ),
        Many::Retry => format!(
            "{}, each with the mode and scope of its origin and all segments fresh. The old runs stay as they are.",
            counted(many as i64, "new run begins", "new runs begin")
        ),
    };
    let left = match props.left_out {
        0 => String::new(),
        left => format!(
            " {} left out: it cannot be done to them now.",
            counted(left as i64, "run is", "runs are")
        ),
    };
    let mut cli: Vec<AttrValue> = vec!["runs".into(), props.verb.word().into()];
    cli.extend(asked.iter().flat_map(|id| [AttrValue::from("--run"), AttrValue::from(id.to_string())]));
    html! {
        <ReasonDialog title={props.verb.title()} subject={counted(many as i64, "run", "runs")} scope={Scope::RunsManage}
            verb={format!("{} {many}", if props.verb == Many::Cancel { "Cancel" } else { "Retry" })} danger={props.verb == Many::Cancel}
            {cli} busy={*busy} {on_confirm} on_close={props.on_close.clone()}>
            { what }{ left }
        </ReasonDialog>
    }
}

fn results(verb: Many, outcomes: &[Outcome], on_close: Callback<()>) -> Html {
    let refused = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
    let subject = match refused {
        0 => format!("all {} done", outcomes.len()),
        _ => format!("{} done, {refused} refused", outcomes.len() - refused),
    };
    html! {
        <Dialog title={verb.title()} subject={AttrValue::from(subject)} size={DialogSize::Form} on_close={on_close.clone()} on_confirm={on_close.clone()}
            footer={html! { <><span class="grow"></span><Button kind={ButtonKind::Primary} on_click={on_close}>{ "Close" }</Button></> }}>
            <div class="in">
                <table class="tbl"><tbody>{ for outcomes.iter().map(|(id, outcome)| html! {
                    <tr key={id.to_string()}>
                        <td><RunLink id={id.clone()} /></td>
                        <td>{ match outcome {
                            Ok(new) if new == id => mark(Shape::DiscCheck, Tone::Ok, "done", false, false),
                            Ok(new) => html! { <>{ mark(Shape::DiscCheck, Tone::Ok, "begun as", false, false) }{ " " }<RunLink id={new.clone()} short={true} /></> },
                            Err(problem) => html! { <>{ mark(Shape::OctagonCross, Tone::Bad, "refused", false, false) }{ " " }<span class="sm">{ problem.sentence() }{ " (" }{ problem.code() }{ ")" }</span></> },
                        } }</td>
                    </tr>
                }) }</tbody></table>
            </div>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;
    use std::rc::Rc;

    #[test]
    fn a_verb_takes_those_of_the_chosen_to_which_it_can_be_done() {
        let with = |id: &str, state: &str| {
            run(serde_json::json!({ "runId": format!("run:acme:20261121T140815Z:{id}"), "state": state }))
        };
        let all = vec![with("00000001", "running"), with("00000002", "error"), with("00000003", "completed")];
        let sheet: Sheet<Run> = all.clone().into();
        let keys: Selection = Rc::new(all.iter().take(2).map(|run| run.run_id.to_string()).collect());
        let picked = chosen(&sheet, &keys);
        assert_eq!(picked.len(), 2);
        assert_eq!(eligible(&picked, Many::Cancel), [all[0].run_id.clone()]);
        assert_eq!(eligible(&picked, Many::Retry), [all[1].run_id.clone()]);
        assert!(eligible(&all[1..], Many::Cancel).is_empty());
    }
}
