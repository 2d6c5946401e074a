//! Runs that follow what comes in: the rule of each kind, and the webhook of those who publish.

use crate::api::{Load, Problem};
use crate::kit::Shape;
use crate::kit::format::counted;
use crate::kit::{Banner, Button, Checkbox, Checked, CopyId, Field, Input, Select, Skeleton, TimeAgo, Tone};
use crate::parts::{ActDialog, Deed, ProblemView, RunLink, StaleBanner, mark};
use crate::store::{Watch, use_query, use_session};
use std::cell::RefCell;
use std::rc::Rc;
use stella_contract::page::Page;
use stella_contract::run::RunMode;
use stella_contract::scope::Scope;
use stella_contract::trigger::{
    ChangeTrigger, TRIGGER_INTERVAL_S, Trigger, TriggerKind, TriggerScope, WebhookSecret,
};
use yew::prelude::*;

/// What an operator does to a rule.
#[derive(Debug, Clone, PartialEq)]
enum Act {
    Change(Trigger),
    Rotate(Trigger),
}

/// Follow-up runs.
#[component]
pub(super) fn FollowUp() -> Html {
    let asked =
        use_query("triggers", Watch::of(&["trigger", "run"]), |api| async move { api.triggers().await });
    let act = use_state(|| None::<Act>);
    let secret = use_state(|| None::<WebhookSecret>);
    let refused = use_session().refusal(Scope::RunsManage).map(AttrValue::from);
    let on_act = {
        let act = act.clone();
        Callback::from(move |wanted: Act| act.set(Some(wanted)))
    };
    let close = {
        let act = act.clone();
        Callback::from(move |()| act.set(None))
    };
    let on_secret = {
        let secret = secret.clone();
        Callback::from(move |made: WebhookSecret| secret.set(Some(made)))
    };
    let rows = |page: &Page<Trigger>| {
        html! {
            { for page.items.iter().map(|one| section(one, refused.as_ref(), &on_act)) }
        }
    };
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="Follow-up runs" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(page, _) => rows(page),
        Load::Stale(page, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ rows(page) }</>
        },
    };
    html! {
        <div class="body">
            if let Some(made) = &*secret {
                <Banner tone={Tone::Warn} fact={format!("The new secret for {} is shown this once", made.kind)}>
                    <CopyId text={made.secret.clone()} />
                    { " Sign the raw body with HMAC-SHA256 and this text. The secret before it no longer holds." }
                </Banner>
            }
            { body }
            { match &*act {
                Some(Act::Change(one)) => html! { <ChangeDialog one={one.clone()} on_close={close.clone()} /> },
                Some(Act::Rotate(one)) => html! { <RotateDialog one={one.clone()} {on_secret} on_close={close.clone()} /> },
                None => Html::default(),
            } }
        </div>
    }
}

const fn title(kind: TriggerKind) -> (&'static str, &'static str) {
    match kind {
        TriggerKind::Concelier => {
            ("When advisories come in", "advisories and lists of exploited vulnerabilities")
        }
        TriggerKind::Excititor => {
            ("When VEX statements come in", "what is said of vulnerabilities in products")
        }
    }
}

fn section(one: &Trigger, refused: Option<&AttrValue>, act: &Callback<Act>) -> Html {
    let (name, about) = title(one.kind);
    let (change, rotate) = (Act::Change(one.clone()), Act::Rotate(one.clone()));
    let state = match one.enabled {
        true => mark(Shape::DiscCheck, Tone::Ok, "on", false, false),
        false => mark(Shape::RingSlash, Tone::Idle, "off", false, false),
    };
    html! {
        <section class="sec" key={one.kind.as_str()} aria-label={name}>
            <div class="sec-h"><h2>{ name }</h2><span class="note">{ about }</span><span class="grow"></span>
                <Button small={true} disabled={refused.cloned()} says_why={false} on_click={act.reform(move |()| rotate.clone())}>{ "New webhook secret…" }</Button>
                <Button small={true} disabled={refused.cloned()} says_why={false} on_click={act.reform(move |()| change.clone())}>{ "Change…" }</Button></div>
            <dl class="kv">
                <dt>{ "A run follows" }</dt><dd>{ state }</dd>
                <dt>{ "Run" }</dt><dd>{ format!("{}, over {}", one.mode, scope_words(one.scope)) }</dd>
                <dt>{ "At most every" }</dt><dd>{ counted(one.min_interval_s, "second", "seconds") }</dd>
                <dt>{ "Gathered" }</dt><dd>{ gathered(one) }</dd>
                <dt>{ "Last run" }</dt><dd>{ match &one.last_run_id {
                    Some(id) => html! { <RunLink id={id.clone()} /> },
                    None => html! { <span class="f3">{ "none yet" }</span> },
                } }</dd>
                <dt>{ "Webhook" }</dt><dd><CopyId text={one.webhook_path.clone()} /></dd>
                <dt>{ "Secret" }</dt><dd>{ match one.webhook_secret_made_at {
                    Some(at) => html! { <>{ "made " }<TimeAgo {at} /></> },
                    None => html! { <span class="f3">{ "none; nothing is taken until one is made" }</span> },
                } }</dd>
                <dt>{ "Last taken" }</dt><dd>{ match one.last_delivery_at {
                    Some(at) => html! { <TimeAgo {at} /> },
                    None => html! { <span class="f3">{ "nothing yet" }</span> },
                } }</dd>
            </dl>
        </section>
    }
}

const fn scope_words(scope: TriggerScope) -> &'static str {
    match scope {
        TriggerScope::Changed => "the targets that what came in touches",
        TriggerScope::All => "every target",
    }
}

fn gathered(one: &Trigger) -> Html {
    match (one.pending_since, one.next_run_at) {
        (Some(_), Some(at)) => {
            let keys = counted(one.pending_keys, "key", "keys");
            html! { <>{ format!("{keys}; the run may start ") }<TimeAgo {at} /></> }
        }
        (Some(_), None) | (None, _) => html! { <span class="f3">{ "nothing waits" }</span> },
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ActProps {
    one: Trigger,
    on_close: Callback<()>,
}

#[component]
fn ChangeDialog(props: &ActProps) -> Html {
    let one = &props.one;
    let enabled = use_state_eq(|| one.enabled);
    let mode = use_state_eq(|| one.mode);
    let scope = use_state_eq(|| one.scope);
    let interval = use_state_eq(|| one.min_interval_s.to_string());
    let seconds = seconds(&interval);
    let wish = ChangeTrigger {
        enabled: Some(*enabled),
        mode: Some(*mode),
        scope: Some(*scope),
        min_interval_s: seconds,
    };
    let kind = one.kind;
    let deed = Deed::new(move |api, cause| {
        let wish = wish.clone();
        async move {
            let now = api.change_trigger(kind, &wish, &cause).await?;
            Ok(AttrValue::Static(if now.enabled {
                "Runs follow from now on"
            } else {
                "No run follows any more"
            }))
        }
    });
    let cli: Vec<AttrValue> = vec![
        "trigger".into(),
        "update".into(),
        kind.as_str().into(),
        "--enabled".into(),
        enabled.to_string().into(),
        "--mode".into(),
        mode.as_str().into(),
        "--scope".into(),
        scope.as_str().into(),
        "--min-interval-s".into(),
        AttrValue::from((*interval).clone()),
    ];
    let (least, most) = TRIGGER_INTERVAL_S;
    let blocked = seconds.is_none().then(|| AttrValue::from(format!("Needs {least} to {most} seconds")));
    let on_toggle = {
        let enabled = enabled.clone();
        Callback::from(move |on: bool| enabled.set(on))
    };
    let on_mode = {
        let mode = mode.clone();
        Callback::from(move |word: String| mode.set(word.parse().unwrap_or(RunMode::AnalysisOnly)))
    };
    let on_scope = {
        let scope = scope.clone();
        Callback::from(move |word: String| scope.set(word.parse().unwrap_or(TriggerScope::Changed)))
    };
    let on_interval = {
        let interval = interval.clone();
        Callback::from(move |text: String| interval.set(text))
    };
    let modes =
        RunMode::ALL.iter().map(|mode| (mode.as_str().into(), mode.as_str().into())).collect::<Vec<_>>();
    let scopes = TriggerScope::ALL
        .iter()
        .map(|scope| (scope.as_str().into(), scope_words(*scope).into()))
        .collect::<Vec<_>>();
    html! {
        <ActDialog title="Change follow-up runs" subject={kind.as_str()} scope={Scope::RunsManage} verb="Change" {cli} {deed} {blocked}
            on_close={props.on_close.clone()}
            form={html! { <>
                <Checkbox checked={Checked::from(*enabled)} {on_toggle}>{ "A reading that changed something sets off a run" }</Checkbox>
                <div class="pair">
                    <Field label="Mode"><Select value={mode.as_str()} options={modes} on_change={on_mode} /></Field>
                    <Field label="Over"><Select value={scope.as_str()} options={scopes} on_change={on_scope} /></Field>
                    <Field label="At most every" note="seconds"><Input kind="number" value={(*interval).clone()} on_input={on_interval} /></Field>
                </div>
            </> }}>
            { "A burst of readings makes one run over what they changed." }
        </ActDialog>
    }
}

/// The interval that was typed, when it is one.
fn seconds(text: &str) -> Option<i64> {
    let (least, most) = TRIGGER_INTERVAL_S;
    text.trim().parse().ok().filter(|seconds| (least..=most).contains(seconds))
}

#[derive(Clone, PartialEq, Properties)]
struct RotateProps {
    one: Trigger,
    on_secret: Callback<WebhookSecret>,
    on_close: Callback<()>,
}

#[component]
fn RotateDialog(props: &RotateProps) -> Html {
    let kind = props.one.kind;
    let made: Rc<RefCell<Option<WebhookSecret>>> = use_memo((), |()| RefCell::new(None));
    let deed = {
        let made = made.clone();
        Deed::new(move |api, cause| {
            let made = made.clone();
            async move {
                let secret: Result<WebhookSecret, Problem> = api.rotate_webhook_secret(kind, &cause).await;
                *made.borrow_mut() = Some(secret?);
                Ok(AttrValue::Static("New secret made"))
            }
        })
    };
    let on_done = {
        let (made, tell) = (made, props.on_secret.clone());
        Callback::from(move |()| {
            if let Some(secret) = made.borrow_mut().take() {
                tell.emit(secret);
            }
        })
    };
    let cli = vec!["trigger".into(), "rotate-secret".into(), kind.as_str().into()];
    html! {
        <ActDialog title="New webhook secret" subject={kind.as_str()} scope={Scope::RunsManage} verb="Make a new secret" danger={props.one.webhook_secret_made_at.is_some()}
            {cli} {deed} {on_done} on_close={props.on_close.clone()}>
            { "It is shown once. What is signed with the secret before it is no longer taken." }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_day_at_most() {
        for (text, expected) in [
            ("60", Some(60)),
            (" 0 ", Some(0)),
            ("86400", Some(86_400)),
            ("86401", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
