//! Bounding a pool of workers.

use super::acts::words;
use crate::kit::{Field, Input, Select};
use crate::parts::{ActDialog, Deed};
use stella_contract::pressure::{LimitPool, Pool};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`PoolDialog`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PoolDialogProps {
    /// The pool.
    pub pool: Pool,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// The limit that was typed.
fn limit(typed: &str) -> Result<Option<i64>, &'static str> {
    let limit = typed.trim().parse::<i64>().ok().filter(|limit| (1..=64).contains(limit));
    limit.map(Some).ok_or("A whole number from 1 to 64")
}

/// By what a pool is bounded.
const BY: [(&str, &str); 3] = [
    ("number", "a number"),
    ("rule", "the rule, looked at every 30 s"),
    ("workers", "nothing but its workers' places"),
];

/// Asks for the bound; opens with what the rule recommends.
#[component]
pub(super) fn PoolDialog(props: &PoolDialogProps) -> Html {
    let pool = &props.pool;
    let by = use_state_eq(|| if props.pool.follows { "rule" } else { "number" }.to_owned());
    let typed = use_state(|| props.pool.recommended.to_string());
    let (numbered, follow) = (*by == "number", *by == "rule");
    let wanted = if numbered { limit(&typed) } else { Ok(None) };
    let set = wanted.unwrap_or_default();
    let deed = {
        let wish = LimitPool { pool: pool.pool.clone(), limit: set, follow };
        Deed::new(move |api, cause| {
            let wish = wish.clone();
            async move {
                let pool = api.limit_pool(&wish, &cause).await?;
                Ok(format!("Pool {} holds up to {}", pool.pool, pool.limit).into())
            }
        })
    };
    let mut cli = words(&["orch", "pool", "limit", &pool.pool]);
    match set {
        Some(limit) => cli.extend(words(&["--limit", &limit.to_string()])),
        None if follow => cli.push("--follow".into()),
        None => {}
    }
    let told = |state: &UseStateHandle<String>| {
        let state = state.setter();
        Callback::from(move |text: String| state.set(text))
    };
    let options = BY.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    let form = html! {
        <div class="form-2">
            <Field label="Bounded by"><Select value={(*by).clone()} {options} on_change={told(&by)} /></Field>
            if numbered {
                <Field label="Jobs at once" error={wanted.err()} hint={format!("now {}, recommended {}", pool.limit, pool.recommended)}>
                    <Input value={(*typed).clone()} on_input={told(&typed)} />
                </Field>
            }
        </div>
    };
    let verb = if set.is_some() || follow { "Bound pool" } else { "Take the bound away" };
    html! {
        <ActDialog title="Bound pool" subject={pool.pool.clone()} scope={Scope::OrchQuota} {verb}
            {cli} {deed} {form} blocked={wanted.err().map(AttrValue::from)} on_close={props.on_close.clone()}>
            { format!("The workers of the pool hold {} jobs now. What they hold goes on; the bound counts for what starts.", pool.in_use) }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_from_one_to_sixty_four() {
        assert_eq!(limit(" 64"), Ok(Some(64)));
        for wrong in ["0", "65", "two", ""] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
