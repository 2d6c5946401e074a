//! The quotas: limits against live use, one line each.

use super::acts::named;
use super::standing::{quota as standing, share};
use crate::kit::format::{clock, count};
use crate::kit::{Meter, Tone};
use crate::parts::mark;
use crate::router::{Link, Query};
use stella_contract::quota::{EVERY_TYPE, Quota, QuotaStrategy};
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`QuotaTable`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct QuotaTableProps {
    /// The quotas in order.
    pub quotas: Vec<Quota>,
    /// The job type whose quota is shown beside.
    pub current: Option<AttrValue>,
    /// Told the job type of the quota to show.
    pub on_choose: Callback<String>,
}

/// A row for each quota; a click shows it beside.
#[component]
pub(super) fn QuotaTable(props: &QuotaTableProps) -> Html {
    html! {
        <table class="tbl edge quotas" aria-label="Quotas">
            <thead><tr>
                <th scope="col">{ "Job type" }</th><th scope="col">{ "Strategy" }</th><th scope="col">{ "Active leases" }</th>
                <th scope="col">{ "Started, last hour" }</th><th scope="col">{ "Burst" }</th><th scope="col" class="num">{ "Waiting" }</th>
                <th scope="col" class="num">{ "Refused, 1 h" }</th><th scope="col">{ "State" }</th>
            </tr></thead>
            <tbody>{ for props.quotas.iter().map(|quota| row(quota, props)) }</tbody>
        </table>
    }
}

fn row(quota: &Quota, props: &QuotaTableProps) -> Html {
    let on = props.current.as_deref() == Some(quota.job_type.as_str());
    let (shape, tone, word) = standing(quota);
    let job_type = quota.job_type.clone();
    let choose = props.on_choose.reform(move |event: MouseEvent| {
        event.stop_propagation();
        job_type.clone()
    });
    let limits = &quota.limits;
    let bound = limits.strategy != QuotaStrategy::Unlimited;
    let until = quota.paused_until.filter(|_| quota.paused).map(|at| format!("until {}", clock(at)));
    html! {
        <tr key={quota.quota_id.to_string()} class={classes!("is-open", on.then_some("is-sel"), on.then_some("is-cur"))}
            aria-selected={on.to_string()} onclick={choose.clone()}>
            <td><button type="button" class="row-name mono b" onclick={choose}>{ named(quota) }</button></td>
            <td class="f2 sm">{ limits.strategy.as_str() }</td>
            <td>{ used(bound, quota.live.active, limits.max_active, &jobs(quota, "running"), true) }</td>
            <td>{ used(bound, quota.live.used_last_hour, limits.max_per_hour, &jobs(quota, ""), true) }</td>
            <td>{ if bound { left(quota.live.tokens, limits.burst) } else { html! { <span class="f3 sm">{ "no bucket" }</span> } } }</td>
            <td class="num"><Link to={Route::Jobs} query={jobs(quota, "pending")} class="n">{ count(quota.live.waiting) }</Link></td>
            <td class={classes!("num", (quota.live.refused_last_hour > 0).then_some("k-warn"))}>{ count(quota.live.refused_last_hour) }</td>
            <td><span class="two-lines">{ mark(shape, tone, word, false, false) }if let Some(until) = until { <span class="sm f3">{ until }</span> }</span></td>
        </tr>
    }
}

/// The jobs of a quota, in a state or in any.
fn jobs(quota: &Quota, state: &str) -> Query {
    let of_type = if quota.job_type == EVERY_TYPE { "" } else { quota.job_type.as_str() };
    Query::default().with("jobType", of_type).with("state", state)
}

/// `8 of 10` over a bar.
fn used(bound: bool, used: i64, limit: i64, query: &Query, link: bool) -> Html {
    let number = if link {
        html! { <Link to={Route::Jobs} query={query.clone()} class="n b">{ count(used) }</Link> }
    } else {
        html! { <b class="b">{ count(used) }</b> }
    };
    if !bound {
        return html! { <span class="row">{ number }<span class="f3 sm">{ "no limit" }</span></span> };
    }
    html! {
        <div class="used">
            <span class="sm">{ number }<span class="f3">{ " of " }</span>{ count(limit) }</span>
            <Meter share={share(used, limit)} label={format!("{} of {}", count(used), count(limit))} />
        </div>
    }
}

/// What is left of the burst: the bar empties.
fn left(tokens: f64, burst: i64) -> Html {
    let share = share(tokens as i64, burst);
    let tone = if tokens < 1.0 {
        Tone::Bad
    } else if share < 0.2 {
        Tone::Warn
    } else {
        Tone::Idle
    };
    html! {
        <div class="used">
            <span class="sm"><b class="b">{ count(tokens as i64) }</b><span class="f3">{ " of " }</span>{ count(burst) }</span>
            <Meter {share} {tone} label={format!("{} of {} may start in one go", count(tokens as i64), count(burst))} />
        </div>
    }
}
