//! What every page must say: the core is gone, the feed is lost, the planner is silent, the address was unknown.

use crate::api::Load;
use crate::clock::use_now;
use crate::kit::{Banner, Button, Shape, Tone, format};
use crate::router::{Link, use_router};
use crate::store::{FeedState, use_feed, use_session};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::run_alert::{PLANNER_GONE_MS, PLANNER_SILENT_MS};
use yew::prelude::*;

/// A feed that is lost for longer is worth a banner; shorter gaps show in the top bar only.
const FEED_LOST_MS: i64 = 3_000;

/// What [`Banners`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct BannersProps {
    /// The figures behind the planner's banner.
    pub overview: Load<Overview>,
}

/// All that apply, the most serious first.
#[component]
pub fn Banners(props: &BannersProps) -> Html {
    let (feed, session, router, now) = (use_feed(), use_session(), use_router(), use_now());
    let silent = props
        .overview
        .value()
        .and_then(|overview| overview.runs.planner_beat_at)
        .map(|beat| now.ms_since(beat))
        .filter(|age| *age > PLANNER_SILENT_MS && feed.state.is_up());
    html! {
        <div class="banners">
            if let FeedState::Reconnecting { attempt, next } = feed.state {
                { lost(attempt, next.ms_since(now), feed.heard().map(|heard| now.ms_since(heard)), feed.reconnect.clone()) }
            }
            if session.session.value().is_some_and(|session| session.read_only) {
                <Banner tone={Tone::Idle} icon={Shape::Lock} fact="Read-only.">{ "Actions are disabled; everything can be looked at." }</Banner>
            }
            if let Some(age) = silent {
                <Banner tone={planner_tone(age)} fact={format!("Planner silent for {}.", format::duration(age))}
                    action={html! { <Link to={Route::Scheduler} class="link sm">{ "Scheduler" }</Link> }}>
                    { "New runs wait in planning." }
                </Banner>
            }
            if let Some(unknown) = &router.location().unknown {
                <Banner tone={Tone::Idle} icon={Shape::RingSlash} fact="There is no such page.">
                    <span class="mono">{ unknown }</span>{ " is not known; this is the nearest one." }
                </Banner>
            }
        </div>
    }
}

/// A planner that is silent for five minutes needs somebody now.
const fn planner_tone(age: i64) -> Tone {
    if age > PLANNER_GONE_MS { Tone::Bad } else { Tone::Warn }
}

fn lost(attempt: u32, wait: i64, age: Option<i64>, reconnect: Callback<()>) -> Html {
    if age.is_some_and(|age| age < FEED_LOST_MS) {
        return Html::default();
    }
    let fact = match age {
        Some(age) => format!("Not heard from the core for {}.", format::duration(age)),
        None => "The core does not answer.".to_owned(),
    };
    html! {
        <Banner tone={Tone::Warn} icon={Shape::Unplugged} {fact}
            action={html! { <Button small={true} on_click={reconnect}>{ "Reconnect now" }</Button> }}>
            { "What is shown is from before. " }{ next_try(attempt, wait) }
        </Banner>
    }
}

fn next_try(attempt: u32, wait: i64) -> String {
    if wait <= 0 {
        return format!("Try {attempt} is under way.");
    }
    format!("Try {attempt} in {}.", format::duration(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_planner_turns_from_a_warning_into_what_needs_somebody() {
        assert_eq!((planner_tone(90_001), planner_tone(300_001)), (Tone::Warn, Tone::Bad));
    }
}
