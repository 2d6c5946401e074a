//! What can be done to a limit, each through the one dialog that asks why.

use super::override_form::OverrideDialog;
use super::pool_form::PoolDialog;
use crate::api::BreakerVerb;
use crate::parts::{ActDialog, Deed};
use stella_contract::blackout::Blackout;
use stella_contract::breaker::Breaker;
use stella_contract::pressure::{Bucket, Pool};
use stella_contract::quota::Quota;
use stella_contract::scope::Scope;
use stella_contract::throttle::Throttle;
use yew::prelude::*;

/// An action on a limit, with the thing it is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LimitAct {
    /// Lets no new job of its type start.
    PauseQuota(Quota),
    /// Ends a pause.
    ResumeQuota(Quota),
    /// Takes a quota away.
    DeleteQuota(Quota),
    /// Ends a throttle.
    ClearThrottle(Throttle),
    /// Opens, closes or resets a breaker.
    Steer(Breaker, BreakerVerb),
    /// Takes a blackout away.
    DeleteBlackout(Blackout),
    /// Sets the rate of a bucket.
    Override(Bucket),
    /// Bounds a pool.
    Bound(Pool),
}

/// What a [`LimitActDialog`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct LimitActDialogProps {
    /// What is done.
    pub act: LimitAct,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// The dialog of an action.
#[component]
pub(super) fn LimitActDialog(props: &LimitActDialogProps) -> Html {
    let close = props.on_close.clone();
    match &props.act {
        LimitAct::PauseQuota(quota) => {
            html! { <super::pause_form::PauseDialog quota={quota.clone()} on_close={close} /> }
        }
        LimitAct::Override(bucket) => html! { <OverrideDialog bucket={bucket.clone()} on_close={close} /> },
        LimitAct::Bound(pool) => html! { <PoolDialog pool={pool.clone()} on_close={close} /> },
        LimitAct::ResumeQuota(quota) => {
            let id = quota.quota_id.clone();
            let deed = Deed::new(move |api, cause| {
                let id = id.clone();
                async move {
                    api.resume_quota(&id, &cause)
                        .await
                        .map(|quota| format!("{} resumed", named(&quota)).into())
                }
            });
            confirm(
                Words {
                    title: "Resume quota".into(),
                    subject: named(quota),
                    verb: "Resume quota".into(),
                    what: format!(
                        "{} waiting jobs may start again, as far as the limits allow.",
                        quota.live.waiting
                    ),
                    cli: words(&["orch", "quota", "resume", quota.quota_id.as_str()]),
                    danger: false,
                },
                deed,
                close,
            )
        }
        LimitAct::DeleteQuota(quota) => {
            let (id, name) = (quota.quota_id.clone(), named(quota));
            let deed = Deed::new(move |api, cause| {
                let (id, name) = (id.clone(), name.clone());
                async move { api.delete_quota(&id, &cause).await.map(|_| format!("Quota {name} removed").into()) }
            });
            let what = if quota.job_type == stella_contract::quota::EVERY_TYPE {
                "The tenant as a whole is then bounded by its workers only.".to_owned()
            } else {
                "Jobs of this type are then bounded by the tenant-wide quota and the workers only.".to_owned()
            };
            confirm(
                Words {
                    title: "Remove quota".into(),
                    subject: named(quota),
                    verb: "Remove quota".into(),
                    what,
                    cli: words(&["orch", "quota", "delete", quota.quota_id.as_str()]),
                    danger: true,
                },
                deed,
                close,
            )
        }
        LimitAct::ClearThrottle(throttle) => {
            let (id, key) = (throttle.throttle_id.clone(), throttle.key.clone());
            let deed = Deed::new(move |api, cause| {
                let (id, key) = (id.clone(), key.clone());
                async move {
                    api.clear_throttle(&id, &cause).await.map(|_| format!("Throttle on {key} cleared").into())
                }
            });
            confirm(
                Words {
                    title: "Clear throttle".into(),
                    subject: throttle.key.clone(),
                    verb: "Clear throttle".into(),
                    what: format!(
                        "{} waiting jobs are looked at again at once. If its cause stands, it comes back.",
                        throttle.affected_jobs
                    ),
                    cli: words(&["orch", "throttle", "clear", throttle.throttle_id.as_str()]),
                    danger: false,
                },
                deed,
                close,
            )
        }
        LimitAct::Steer(breaker, verb) => steer(breaker, *verb, close),
        LimitAct::DeleteBlackout(blackout) => {
            let id = blackout.blackout_id.clone();
            let deed = Deed::new(move |api, cause| {
                let id = id.clone();
                async move { api.delete_blackout(&id, &cause).await.map(|_| "Blackout removed".into()) }
            });
            let what = if blackout.active {
                "It is on: what it holds back may start at once."
            } else {
                "It is not on now; it will not come on again."
            };
            confirm(
                Words {
                    title: "Remove blackout".into(),
                    subject: blackout.blackout_id.to_string(),
                    verb: "Remove blackout".into(),
                    what: what.to_owned(),
                    cli: words(&["orch", "blackout", "remove", blackout.blackout_id.as_str()]),
                    danger: true,
                },
                deed,
                close,
            )
        }
    }
}

fn steer(breaker: &Breaker, verb: BreakerVerb, close: Callback<()>) -> Html {
    let (id, key) = (breaker.breaker_id.clone(), breaker.key.clone());
    let deed = Deed::new(move |api, cause| {
        let (id, key) = (id.clone(), key.clone());
        async move {
            let steered = api.steer_breaker(&id, verb, &cause).await?;
            Ok(format!("Breaker {key} is {}", super::standing::breaker(steered.state).2).into())
        }
    });
    let (title, what) = match verb {
        BreakerVerb::Open => {
            ("Open breaker", "No job of it starts until somebody closes or resets it. What runs goes on.")
        }
        BreakerVerb::Close => ("Close breaker", "Jobs of it start whatever fails, until somebody resets it."),
        BreakerVerb::Reset => {
            ("Reset breaker", "It is closed with an empty window, and the rules decide again.")
        }
    };
    confirm(
        Words {
            title: title.into(),
            subject: breaker.key.clone(),
            verb: title.into(),
            what: what.to_owned(),
            cli: words(&["orch", "breaker", verb.as_str(), breaker.breaker_id.as_str()]),
            danger: verb == BreakerVerb::Open,
        },
        deed,
        close,
    )
}

struct Words {
    title: AttrValue,
    subject: String,
    verb: AttrValue,
    what: String,
    cli: Vec<AttrValue>,
    danger: bool,
}

fn confirm(words: Words, deed: Deed, on_close: Callback<()>) -> Html {
    html! {
        <ActDialog title={words.title} subject={words.subject} scope={Scope::OrchQuota} verb={words.verb} cli={words.cli}
            danger={words.danger} {deed} {on_close}>{ words.what }</ActDialog>
    }
}

/// The words of a command.
pub(super) fn words(all: &[&str]) -> Vec<AttrValue> {
    all.iter().map(|word| AttrValue::from((*word).to_owned())).collect()
}

/// What a quota is called.
pub(super) fn named(quota: &Quota) -> String {
    called(&quota.job_type)
}

/// What a job type is called where `*` stands for all.
pub(super) fn called(job_type: &str) -> String {
    if job_type == stella_contract::quota::EVERY_TYPE {
        "* tenant-wide".to_owned()
    } else {
        job_type.to_owned()
    }
}
