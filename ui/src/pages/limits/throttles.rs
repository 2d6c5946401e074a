//! What holds jobs back right now, with the seconds that are left.

use super::acts::LimitAct;
use super::standing::{throttle as shape, weight};
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, Countdown, Elapsed};
use crate::parts::mark;
use crate::router::{Link, Query};
use stella_contract::route::Route;
use stella_contract::throttle::{Throttle, ThrottleKind};
use yew::prelude::*;

/// The active throttles. `act` is absent where nothing may be changed.
pub(super) fn throttles(all: &[Throttle], act: Option<&Callback<LimitAct>>) -> Html {
    let waiting: i64 = all.iter().map(|one| one.affected_jobs).sum();
    html! {
        <section class="sec" id="throttles" aria-label="Active throttles">
            <div class="sec-h"><h2>{ "Active throttles" }</h2>
                if !all.is_empty() { <span class="note">{ format!("{} jobs wait for them", count(waiting)) }</span> }
            </div>
            if all.is_empty() {
                <p class="f3 sm">{ "Nothing is throttled." }</p>
            } else {
                <table class="tbl throttles">
                    <thead><tr>
                        <th scope="col">{ "Kind" }</th><th scope="col">{ "Key" }</th><th scope="col">{ "Reason" }</th><th scope="col" class="num">{ "For" }</th>
                        <th scope="col" class="num">{ "Hits" }</th><th scope="col" class="num">{ "Waiting" }</th><th scope="col" class="num">{ "Ends in" }</th><th scope="col"><span class="vh">{ "Clear" }</span></th>
                    </tr></thead>
                    <tbody>{ for all.iter().map(|one| row(one, act)) }</tbody>
                </table>
            }
        </section>
    }
}

fn row(one: &Throttle, act: Option<&Callback<LimitAct>>) -> Html {
    let rates = match (one.rate_now, one.rate_base) {
        (Some(now), Some(base)) => format!(", {now:.2} of {base:.2}/s"),
        _ => String::new(),
    };
    let status = one.last_status.map(|status| format!(", answered {status}")).unwrap_or_default();
    html! {
        <tr key={one.throttle_id.to_string()}>
            <td>{ mark(shape(one.kind), weight(one.level), one.kind.as_str(), false, false) }</td>
            <td class="mono" title={one.key.clone()}>{ &one.key }</td>
            <td class="f2" title={one.operator_reason.clone()}><span class="mono">{ one.reason.as_str() }</span>{ rates }{ status }</td>
            <td class="num f2"><Elapsed from={one.started_at} /></td>
            <td class="num">{ count(one.hits) }</td>
            <td class="num"><Link to={Route::Jobs} query={waiting(one)} class="n">{ count(one.affected_jobs) }</Link></td>
            <td class="num">{ match one.until {
                Some(until) => html! { <Countdown {until} over="any moment" /> },
                None => html! { <span class="f3">{ "on recovery" }</span> },
            } }</td>
            <td class="num acts">{ match act {
                Some(act) => {
                    let what = LimitAct::ClearThrottle(one.clone());
                    html! { <Button small={true} kind={ButtonKind::Ghost} on_click={act.reform(move |()| what.clone())}>{ "Clear…" }</Button> }
                }
                None => Html::default(),
            } }</td>
        </tr>
    }
}

/// The jobs that wait for it.
fn waiting(one: &Throttle) -> Query {
    let reason = match one.kind {
        ThrottleKind::Bucket => "rate_limited",
        ThrottleKind::Quota => {
            let pending = Query::default().with("state", "pending");
            return pending.with("jobType", if one.key.contains('*') { "" } else { one.key.as_str() });
        }
        ThrottleKind::Breaker => "breaker_open",
        ThrottleKind::Blackout => "blackout",
        ThrottleKind::Backpressure => "backpressure",
        ThrottleKind::Manual => "paused",
    };
    // Of any state: a queued job may be held, too.
    Query::default().with("waitReason", reason)
}
