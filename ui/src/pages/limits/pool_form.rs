//! Bounding a pool of workers.

use super::acts::words;
use crate::kit::{Field, Input};
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

/// The limit that was typed; nothing typed takes the bound away.
fn limit(typed: &str) -> Result<Option<i64>, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let limit = typed.parse::<i64>().ok().filter(|limit| (1..=64).contains(limit));
    limit.map(Some).ok_or("A whole number from 1 to 64")
}

/// Asks for the limit; opens with what the rule recommends.
#[component]
pub(super) fn PoolDialog(props: &PoolDialogProps) -> Html {
    let pool = &props.pool;
    let typed = use_state(|| props.pool.recommended.to_string());
    let wanted = limit(&typed);
    let set = wanted.unwrap_or_default();
    let deed = {
        let wish = LimitPool { pool: pool.pool.clone(), limit: set };
        Deed::new(move |api, cause| {
            let wish = wish.clone();
            async move {
                let pool = api.limit_pool(&wish, &cause).await?;
                Ok(format!("Pool {} holds up to {}", pool.pool, pool.limit).into())
            }
        })
    };
    let mut cli = words(&["orch", "pool", "limit", &pool.pool]);
    if let Some(limit) = set {
        cli.extend(words(&["--limit", &limit.to_string()]));
    }
    let on_input = {
        let typed = typed.clone();
        Callback::from(move |text: String| typed.set(text))
    };
    let form = html! {
        <Field label="Jobs at once" note="empty: what its workers say" error={wanted.err()}
            hint={format!("now {}, recommended {}", pool.limit, pool.recommended)}>
            <Input value={(*typed).clone()} {on_input} />
        </Field>
    };
    html! {
        <ActDialog title="Bound pool" subject={pool.pool.clone()} scope={Scope::OrchQuota} verb={if set.is_some() { "Bound pool" } else { "Take the bound away" }}
            {cli} {deed} {form} blocked={wanted.err().map(AttrValue::from)} on_close={props.on_close.clone()}>
            { format!("The workers of the pool hold {} jobs now. What they hold goes on; the bound counts for what starts.", pool.in_use) }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_from_one_to_sixty_four_and_an_empty_one_is_none() {
        assert_eq!(limit("64"), Ok(Some(64)));
        assert_eq!(limit(" "), Ok(None));
        for wrong in ["0", "65", "two"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
