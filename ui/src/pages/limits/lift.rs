//! Lifts a limit from wherever it is in the way: loads the thing by its id, then opens the dialog of its action.

use super::acts::{LimitAct, LimitActDialog, named, words};
use super::draft::Draft;
use super::editor::{DraftFields, Drain};
use crate::api::{Api, BreakerVerb, Load, Problem};
use crate::clock;
use crate::kit::{Banner, Dialog, DialogSize, Skeleton, Tone};
use crate::parts::{ActDialog, Deed};
use crate::store::{Watch, use_query};
use stella_contract::blocker::{Blocker, BlockerKind};
use stella_contract::ids::{BlackoutId, BreakerId, BucketId, QuotaId};
use stella_contract::page::{MAX_SIZE, PageQuery};
use stella_contract::quota::Quota;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// The thing that holds a job and can be lifted by an operator of limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifting {
    /// A limit of a quota is raised.
    Raise(QuotaId),
    /// A pause of a quota is ended.
    Resume(QuotaId),
    /// A host's rate is set.
    Rate(BucketId),
    /// A breaker is reset.
    Reset(BreakerId),
    /// A blackout is removed.
    End(BlackoutId),
}

impl Lifting {
    /// What would lift a blocker; `None` where it is lifted elsewhere or by itself.
    pub fn of(blocker: &Blocker) -> Option<Self> {
        let holder = blocker.holder.as_str();
        match blocker.kind {
            BlockerKind::QuotaMaxActive | BlockerKind::QuotaMaxPerHour => {
                holder.parse().ok().map(Self::Raise)
            }
            BlockerKind::RateLimited => {
                holder.parse().ok().map(Self::Rate).or_else(|| holder.parse().ok().map(Self::Raise))
            }
            BlockerKind::BreakerOpen => holder.parse().ok().map(Self::Reset),
            BlockerKind::Blackout => holder.parse().ok().map(Self::End),
            BlockerKind::Paused => holder.parse().ok().map(Self::Resume),
            BlockerKind::Dependency
            | BlockerKind::UpstreamFailed
            | BlockerKind::NotBefore
            | BlockerKind::Backoff
            | BlockerKind::Backpressure
            | BlockerKind::NoWorker => None,
        }
    }

    /// The id of the thing.
    fn id(&self) -> &str {
        match self {
            Self::Raise(id) | Self::Resume(id) => id.as_str(),
            Self::Rate(id) => id.as_str(),
            Self::Reset(id) => id.as_str(),
            Self::End(id) => id.as_str(),
        }
    }
}

/// What is found behind an id.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Raise(Box<Quota>),
    Act(Box<LimitAct>),
    Gone,
}

async fn found(api: Api, what: Lifting) -> Result<Found, Problem> {
    let all = PageQuery { page_size: Some(MAX_SIZE), ..PageQuery::default() };
    let act = |act: Option<LimitAct>| act.map_or(Found::Gone, |act| Found::Act(Box::new(act)));
    Ok(match &what {
        Lifting::Raise(id) => Found::Raise(Box::new(api.quota(id).await?)),
        Lifting::Resume(id) => act(Some(LimitAct::ResumeQuota(api.quota(id).await?))),
        Lifting::Rate(id) => {
            let mut buckets = api.pressure().await?.buckets;
            buckets.retain(|bucket| bucket.bucket_id == *id);
            act(buckets.pop().map(LimitAct::Override))
        }
        Lifting::Reset(id) => {
            let mut breakers = api.breakers().await?.items;
            breakers.retain(|breaker| breaker.breaker_id == *id);
            act(breakers.pop().map(|breaker| LimitAct::Steer(breaker, BreakerVerb::Reset)))
        }
        Lifting::End(id) => {
            let mut blackouts = api.blackouts(&all).await?.items;
            blackouts.retain(|blackout| blackout.blackout_id == *id);
            act(blackouts.pop().map(LimitAct::DeleteBlackout))
        }
    })
}

/// What a [`LiftDialog`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct LiftDialogProps {
    /// What is lifted.
    pub what: Lifting,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// The dialog that lifts a limit.
#[component]
pub fn LiftDialog(props: &LiftDialogProps) -> Html {
    let what = props.what.clone();
    let asked = use_query(format!("lift {what:?}"), Watch::none(), move |api| found(api, what.clone()));
    let wait = |children: Html| {
        html! {
            <Dialog title="Lift a limit" subject={props.what.id().to_owned()} size={DialogSize::Form} on_close={props.on_close.clone()}>
                { children }
            </Dialog>
        }
    };
    match &asked.load {
        Load::Idle | Load::Loading => wait(html! { <div class="in"><Skeleton rows={4} /></div> }),
        Load::Failed(problem) => wait(html! {
            <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner>
        }),
        Load::Ready(found, _) | Load::Stale(found, _, _) => match found {
            Found::Raise(quota) => {
                html! { <RaiseDialog quota={(**quota).clone()} on_close={props.on_close.clone()} /> }
            }
            Found::Act(act) => {
                html! { <LimitActDialog act={(**act).clone()} on_close={props.on_close.clone()} /> }
            }
            Found::Gone => wait(
                html! { <div class="in prose">{ "It is not there any more; the job is looked at again within a second." }</div> },
            ),
        },
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct RaiseDialogProps {
    quota: Quota,
    on_close: Callback<()>,
}

/// The limits of a quota, ready to be raised.
#[component]
fn RaiseDialog(props: &RaiseDialogProps) -> Html {
    // As it was when the dialog opened: that is what the operator decides about.
    let quota = use_state(|| props.quota.clone());
    let opened = use_state(clock::now);
    let draft = use_state(|| Draft::of(&props.quota.limits));
    let told = draft.told(&quota.limits);
    let blocked = draft.wrong().or_else(|| told.is_empty().then(|| "Nothing is changed yet".to_owned()));
    let deed = {
        let (id, change) = (quota.quota_id.clone(), draft.change(&quota.limits, *opened));
        Deed::new(move |api, cause| {
            let (id, change) = (id.clone(), change.clone());
            async move {
                api.change_quota(&id, &change, &cause)
                    .await
                    .map(|quota| format!("Quota {} saved", named(&quota)).into())
            }
        })
    };
    let mut cli = words(&["orch", "quota", "set", quota.quota_id.as_str()]);
    cli.extend(draft.flags(&quota.limits, *opened).into_iter().map(AttrValue::from));
    let on_change = {
        let draft = draft.clone();
        Callback::from(move |next: Draft| draft.set(next))
    };
    let form = html! {
        <>
            <Drain job_type={quota.job_type.clone()} limits={quota.limits} draft={(*draft).clone()} />
            <DraftFields draft={(*draft).clone()} before={Some(quota.limits)} {on_change} />
        </>
    };
    html! {
        <ActDialog title="Raise the limit" subject={named(&quota)} scope={Scope::OrchQuota} verb="Save quota" {cli} {deed} {form}
            blocked={blocked.map(AttrValue::from)} on_close={props.on_close.clone()} />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "01890000-0000-7000-8000-000000000000";

    fn blocker(kind: BlockerKind, holder: &str) -> Blocker {
        Blocker {
            kind,
            holder: holder.into(),
            sentence: String::new(),
            number: None,
            limit: None,
            until: None,
            lift: None,
        }
    }

    #[test]
    fn what_lifts_a_blocker_follows_from_its_kind_and_its_holder() {
        let quota = QuotaId::from_uuid(UUID);
        let bucket = BucketId::from_uuid(UUID);
        let of = |kind, holder: &str| Lifting::of(&blocker(kind, holder));
        assert_eq!(of(BlockerKind::QuotaMaxActive, quota.as_str()), Some(Lifting::Raise(quota.clone())));
        assert_eq!(of(BlockerKind::RateLimited, quota.as_str()), Some(Lifting::Raise(quota.clone())));
        assert_eq!(of(BlockerKind::RateLimited, bucket.as_str()), Some(Lifting::Rate(bucket)));
        assert_eq!(of(BlockerKind::Paused, quota.as_str()), Some(Lifting::Resume(quota)));
        assert_eq!(of(BlockerKind::QuotaMaxActive, "reserved"), None);
        assert_eq!(of(BlockerKind::Paused, "src_01890000-0000-7000-8000-000000000000"), None);
        assert_eq!(of(BlockerKind::NoWorker, "scan.segment"), None);
    }
}
