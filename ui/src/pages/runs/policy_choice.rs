//! Which policy snapshot judges a run.

use crate::api::Load;
use crate::kit::{Field, Select};
use crate::store::{Watch, use_query};
use stella_contract::page::PageQuery;
use stella_contract::policy::PolicySnapshot;
use yew::prelude::*;

/// So many snapshots are offered, the newest.
const OFFERED: u32 = 100;

/// What a [`PolicyChoice`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PolicyChoiceProps {
    /// The chosen one; none: the active one.
    pub chosen: Option<String>,
    /// Told the id; empty for the active one.
    pub on_choose: Callback<String>,
}

/// A snapshot, or the active one.
#[component]
pub(super) fn PolicyChoice(props: &PolicyChoiceProps) -> Html {
    let asked = use_query("policies to choose", Watch::of(&["policy"]), |api| async move {
        api.policies(&PageQuery { page_token: None, page_size: Some(OFFERED) }).await
    });
    let known: &[PolicySnapshot] = asked.load.value().map_or(&[], |page| page.items.as_slice());
    let hint = match &asked.load {
        Load::Failed(problem) => {
            Some(AttrValue::from(format!("The snapshots cannot be listed: {}", problem.sentence())))
        }
        Load::Idle | Load::Loading | Load::Ready(..) | Load::Stale(..) => None,
    };
    html! {
        <Field label="Policy snapshot" note="optional" {hint}>
            <Select value={props.chosen.clone().unwrap_or_default()} options={options(known)} on_change={props.on_choose.clone()} />
        </Field>
    }
}

fn options(known: &[PolicySnapshot]) -> Vec<(AttrValue, AttrValue)> {
    let active = known.iter().find(|one| one.active);
    let first = match active {
        Some(one) => format!("the active one, revision {}", one.policy_revision),
        None => "the active one; none is now".to_owned(),
    };
    let each = known.iter().map(|one| {
        let note = one.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
        let label = format!("revision {} of {}{note}", one.policy_revision, one.policy);
        (one.policy_snapshot_id.to_string().into(), label.into())
    });
    std::iter::once(("".into(), first.into())).chain(each).collect()
}
