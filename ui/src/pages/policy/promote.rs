//! A snapshot becomes the active one, with a reason; a run over everything may follow.

use crate::kit::{Checkbox, Checked};
use crate::parts::{ActDialog, Deed};
use stella_contract::policy::{PolicySnapshot, PromotePolicy};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`PromoteDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PromoteProps {
    /// The snapshot.
    pub snapshot: PolicySnapshot,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Promotes.
#[component]
pub(super) fn PromoteDialog(props: &PromoteProps) -> Html {
    let follow_up = use_state_eq(|| true);
    let snapshot = &props.snapshot;
    let (id, wish) =
        (snapshot.policy_snapshot_id.clone(), PromotePolicy { follow_up: *follow_up, mode: None });
    let deed = Deed::new(move |api, cause| {
        let (id, wish) = (id.clone(), wish.clone());
        async move {
            let done = api.promote_policy(&id, &wish, &cause).await?;
            Ok(match done.run_id {
                Some(_) => format!("Revision {} judges now; a run follows", done.policy_revision).into(),
                None => format!("Revision {} judges now", done.policy_revision).into(),
            })
        }
    });
    let mut cli: Vec<AttrValue> =
        vec!["policy".into(), "promote".into(), snapshot.policy_revision.to_string().into()];
    if *follow_up {
        cli.push("--follow-up".into());
    }
    let on_toggle = {
        let follow_up = follow_up.clone();
        Callback::from(move |on: bool| follow_up.set(on))
    };
    let blocked = (snapshot.active && !*follow_up)
        .then(|| AttrValue::from("It is the active one already; only a run can follow"));
    html! {
        <ActDialog title="Promote policy" subject={format!("revision {}", snapshot.policy_revision)} scope={Scope::RunsManage} verb="Promote"
            {cli} {deed} {blocked} on_close={props.on_close.clone()}
            form={html! { <Checkbox checked={Checked::from(*follow_up)} {on_toggle}>{ "Start a run over every target with it" }</Checkbox> }}>
            { format!("Every run that names no snapshot is judged by these {} rules from now on. Findings keep their verdicts until a run looks at them again.", snapshot.rule_count) }
        </ActDialog>
    }
}
