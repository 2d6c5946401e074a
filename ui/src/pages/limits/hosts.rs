//! The buckets of hosts, the breakers, the pools and the gauges: short tables of what adapts by itself.

use super::acts::LimitAct;
use super::standing::{self, advice, failing};
use crate::api::BreakerVerb;
use crate::kit::format::{count, percent};
use crate::kit::{Button, ButtonKind, Countdown, Meter, Sparkline, Tone};
use crate::parts::mark;
use crate::router::{Link, Query};
use stella_contract::breaker::{Breaker, BreakerKind, BreakerState};
use stella_contract::pressure::{Bucket, Pool, Pressure};
use stella_contract::route::Route;
use stella_contract::time::Micros;
use yew::prelude::*;

fn verb(act: Option<&Callback<LimitAct>>, label: &'static str, what: LimitAct) -> Html {
    let Some(act) = act else { return Html::default() };
    html! { <Button small={true} kind={ButtonKind::Ghost} on_click={act.reform(move |()| what.clone())}>{ label }</Button> }
}

/// The token buckets of hosts.
pub(super) fn buckets(all: &[Bucket], now: Micros, act: Option<&Callback<LimitAct>>) -> Html {
    html! {
        <section class="sec" id="buckets" aria-label="Host buckets">
            <div class="sec-h"><h2>{ "Host buckets" }</h2><span class="note">{ "the rate adapts: halves on 429 or 503, +10% of base after 60 s clean" }</span></div>
            if all.is_empty() {
                <p class="f3 sm">{ "No host has been read from yet. A bucket appears with the first source that reads over the network." }</p>
            } else {
                <table class="tbl buckets">
                    <thead><tr>
                        <th scope="col">{ "Host" }</th><th scope="col">{ "Tokens" }</th><th scope="col" class="num">{ "Rate now" }</th><th scope="col">{ "Rate, 2 h" }</th><th scope="col" class="num">{ "In a row" }</th>
                        <th scope="col">{ "Throttle" }</th><th scope="col" class="num">{ "Frozen for" }</th><th scope="col"><span class="vh">{ "Set rate" }</span></th>
                    </tr></thead>
                    <tbody>{ for all.iter().map(|one| bucket(one, now, act)) }</tbody>
                </table>
            }
        </section>
    }
}

fn bucket(one: &Bucket, now: Micros, act: Option<&Callback<LimitAct>>) -> Html {
    let (tone, said) = standing::bucket(one, now);
    let share = one.tokens / one.capacity.max(1.0);
    let fill = if one.tokens < 1.0 { Tone::Bad } else { Tone::Idle };
    html! {
        <tr key={one.bucket_id.to_string()}>
            <td class="mono">{ &one.host }</td>
            <td><span class="row"><span class="short-bar"><Meter {share} tone={fill} label={format!("{:.0} of {:.0} tokens", one.tokens, one.capacity)} /></span>
                <span class="sm">{ count(one.tokens as i64) }<span class="f3">{ format!(" of {:.0}", one.capacity) }</span></span></span></td>
            <td class="num">{ format!("{:.2}", one.current_rate) }<span class="f3 sm">{ format!(" of {:.2}/s", one.base_rate) }</span></td>
            <td>{ past(one, tone) }</td>
            <td class="num">{ count(one.success_streak) }</td>
            <td class={classes!(if tone == Tone::Warn { "k-warn" } else { "f2" })}>{ said }</td>
            <td class="num">{ match one.frozen_until.filter(|until| *until > now) {
                Some(until) => html! { <Countdown {until} /> },
                None => html! { <span class="f3">{ "none" }</span> },
            } }</td>
            <td class="num acts">{ verb(act, "Set rate…", LimitAct::Override(one.clone())) }</td>
        </tr>
    }
}

/// How the rate went; the line ends at what it is now.
fn past(one: &Bucket, tone: Tone) -> Html {
    let lowest = one.rates.iter().copied().fold(one.current_rate, f64::min);
    let label = format!("{:.2} per second now, at least {lowest:.2} in the last 2 h", one.current_rate);
    html! { <span title={label.clone()}><Sparkline values={one.rates.clone()} {tone} {label} /></span> }
}

/// The circuit breakers.
pub(super) fn breakers(all: &[Breaker], act: Option<&Callback<LimitAct>>) -> Html {
    html! {
        <section class="sec" id="breakers" aria-label="Breakers">
            <div class="sec-h"><h2>{ "Breakers" }</h2><span class="note">{ "5 min window, opens at 50% of 10" }</span></div>
            if all.is_empty() {
                <p class="f3 sm">{ "No attempt has failed yet in a way that counts." }</p>
            } else {
                <table class="tbl breakers">
                    <thead><tr>
                        <th scope="col">{ "Host or job type" }</th><th scope="col">{ "State" }</th><th scope="col" class="num">{ "Failed, 5 min" }</th><th scope="col" class="num">{ "Share" }</th>
                        <th scope="col" class="num">{ "Openings" }</th><th scope="col">{ "Next" }</th><th scope="col"><span class="vh">{ "Steer" }</span></th>
                    </tr></thead>
                    <tbody>{ for all.iter().map(|one| breaker(one, act)) }</tbody>
                </table>
            }
        </section>
    }
}

fn breaker(one: &Breaker, act: Option<&Callback<LimitAct>>) -> Html {
    let (shape, tone, word) = standing::breaker(one.state);
    let query = match one.kind {
        BreakerKind::JobType => Query::default().with("jobType", one.key.as_str()),
        BreakerKind::Host => Query::default().with("waitReason", "breaker_open"),
    };
    let steer = |label, verb_of| verb(act, label, LimitAct::Steer(one.clone(), verb_of));
    html! {
        <tr key={one.breaker_id.to_string()}>
            <td class="mono" title={format!("{} {}", one.kind, one.key)}>{ &one.key }</td>
            <td title={one.operator_reason.clone()}>{ mark(shape, tone, word, false, false) }</td>
            <td class="num"><Link to={Route::Jobs} {query} class="n">{ count(one.failures) }</Link><span class="f3">{ format!(" of {}", count(one.attempts)) }</span></td>
            <td class={classes!("num", if tone == Tone::Bad { "k-bad" } else { "f2" })}>{ failing(one).map_or_else(|| "none".to_owned(), percent) }</td>
            <td class="num f2">{ count(one.openings) }</td>
            <td class="f2">{ ahead(one) }</td>
            <td class="num acts">
                { match (one.state, one.forced) {
                    (_, true) => steer("Reset…", BreakerVerb::Reset),
                    (BreakerState::Closed, false) => steer("Open…", BreakerVerb::Open),
                    (BreakerState::Open | BreakerState::HalfOpen, false) => html! { <>{ steer("Close…", BreakerVerb::Close) }{ steer("Reset…", BreakerVerb::Reset) }</> },
                } }
            </td>
        </tr>
    }
}

/// What happens to a breaker next.
fn ahead(one: &Breaker) -> Html {
    match (one.state, one.forced, one.open_until) {
        (_, true, _) => html! { "held by an operator" },
        (BreakerState::Open, false, Some(until)) => {
            html! { <>{ "probes in " }<Countdown {until} over="a moment" /></> }
        }
        (BreakerState::Open, false, None) => html! { "open" },
        (BreakerState::HalfOpen, false, _) => {
            html! { { format!("{} of {} probes ok", one.probes_succeeded, one.probes_allowed) } }
        }
        (BreakerState::Closed, false, _) => html! { <span class="f3">{ "no probe" }</span> },
    }
}

/// The pools of workers: in use, limit, advice.
pub(super) fn pools(all: &[Pool], act: Option<&Callback<LimitAct>>) -> Html {
    html! {
        <section class="sec" id="pools" aria-label="Worker pools">
            <div class="sec-h"><h2>{ "Worker pools" }</h2><span class="note">{ "in use, limit, advice" }</span></div>
            if all.is_empty() {
                <p class="f3 sm">{ "No worker has registered. " }<Link to={Route::Workers} class="link">{ "Open workers" }</Link></p>
            } else {
                <table class="tbl pools"><tbody>{ for all.iter().map(|one| html! {
                    <tr key={one.pool.clone()} title={figures(one)}>
                        <td class="mono">{ &one.pool }</td>
                        <td><Meter share={standing::share(one.in_use, one.limit)} label={format!("{} of {} places", one.in_use, one.limit)} /></td>
                        <td class="num">{ format!("{} of {}", count(one.in_use), count(one.limit)) }</td>
                        <td class="num f2">{ advice(one) }</td>
                        <td class="num acts">{ verb(act, "Bound…", LimitAct::Bound(one.clone())) }</td>
                    </tr>
                }) }</tbody></table>
            }
        </section>
    }
}

fn figures(one: &Pool) -> String {
    let ms = |ms: Option<i64>| ms.map_or_else(|| "not known".to_owned(), |ms| format!("{} ms", count(ms)));
    let fixed = if one.fixed { "limit set by an operator; " } else { "" };
    format!(
        "{fixed}{} used, {} failed, p95 {}, median {}, recommended {}",
        percent(one.utilisation),
        percent(one.error_rate),
        ms(one.p95_ms),
        ms(one.median_ms),
        one.recommended
    )
}

/// The gauges behind the level of pressure.
pub(super) fn gauges(pressure: &Pressure) -> Html {
    let (shape, tone, word) = standing::pressure(pressure.level);
    html! {
        <section class="sec" id="pressure" aria-label="Pressure">
            <div class="sec-h"><h2>{ "Pressure" }</h2><span class="grow"></span>{ mark(shape, tone, word, false, false) }</div>
            <p class="sm f2">{ standing::consequence(pressure.level) }</p>
            <table class="tbl gauges"><tbody>{ for pressure.gauges.iter().map(|reading| {
                let (name, value, next) = standing::gauge(reading);
                let tone = standing::pressure(reading.level).1;
                html! {
                    <tr key={reading.gauge.as_str()}>
                        <td class="f2">{ name }</td>
                        <td class={classes!("num", "b", (tone != Tone::Ok).then_some(tone.class()))}>{ value }</td>
                        <td class="num f3">{ next }</td>
                    </tr>
                }
            }) }</tbody></table>
        </section>
    }
}
