//! The runbook: how much of what happens is kept, and what to do when something is wrong. It asks the core nothing, so
//! that it can be read while the core does not answer.

mod codes;
mod steps;

use crate::kit::{CommandLine, format};
use crate::parts::runbook;
use crate::router::{Link, Query, use_router};
use stella_contract::cloud_event::BUFFER;
use stella_contract::route::Route;
use stella_contract::run::RunErrorCode;
use stella_contract::{kept, lease};
use steps::{STEPS, Step};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The runbook.
#[component]
pub fn RunbookPage() -> Html {
    let asked: Option<RunErrorCode> = use_router().location().query.read("code");
    use_effect_with(asked, |asked| {
        if let Some(code) = asked {
            show(*code);
        }
    });
    html! {
        <>
            <div class="page-head"><h1>{ "Runbook" }</h1><span class="f2 sm">{ "what is kept, and what to do when" }</span></div>
            <div class="body">
                <section class="sec" aria-label="Streams">
                    <div class="sec-h"><h2>{ "Streams: how much is read ahead and kept" }</h2></div>
                    <dl class="kv settings">{ for streams().into_iter().map(|(name, said)| html! { <><dt>{ name }</dt><dd>{ said }</dd></> }) }</dl>
                </section>
                { for STEPS.iter().map(step) }
                <section class="sec" aria-label="Codes of failed runs">
                    <div class="sec-h"><h2>{ "Codes of failed runs" }</h2></div>
                    <p class="row wrap sm">{ for RunErrorCode::ALL.iter().map(|code| html! {
                        <Link key={code.as_str()} to={Route::Runbook} query={runbook(*code)} class="n mono"><span title={code.meaning()}>{ code.as_str() }</span></Link>
                    }) }</p>
                </section>
                { for RunErrorCode::ALL.iter().map(|code| section(*code, asked == Some(*code))) }
            </div>
        </>
    }
}

/// The id of a code's section.
fn id_of(code: RunErrorCode) -> String {
    format!("code-{}", code.as_str().to_ascii_lowercase().replace('_', "-"))
}

/// Brings a code's section into view and gives it the focus, so that what is read next is what was asked for.
fn show(code: RunErrorCode) {
    let document = web_sys::window().and_then(|window| window.document());
    let found = document.and_then(|page| page.get_element_by_id(&id_of(code)));
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        element.scroll_into_view();
        // An element that cannot take the focus now leaves it where it is.
        let _ = element.focus();
    }
}

/// What a code means, how one knows it, what to do, and the commands that help.
fn section(code: RunErrorCode, is_asked: bool) -> Html {
    let help = codes::help(code);
    let failed = Query::default().with("tab", "failures").with("errorCode", code.as_str());
    html! {
        <section key={code.as_str()} id={id_of(code)} tabindex="-1" class={classes!("sec", "code-help", is_asked.then_some("is-asked"))} aria-label={code.as_str()}>
            <div class="sec-h"><h2><span class="mono">{ code.as_str() }</span>{ " " }{ code.meaning() }</h2><span class="grow"></span>
                <Link to={Route::Runs} query={failed} class="link">{ "Runs with it" }</Link></div>
            <p class="b">{ code.next_step() }</p>
            <h3>{ "How to recognise it" }</h3>
            <ul>{ for help.signs.iter().map(|sign| html! { <li>{ sign }</li> }) }</ul>
            <h3>{ "What to do" }</h3>
            <ol>{ for help.deeds.iter().map(|deed| html! { <li>{ deed }</li> }) }</ol>
            <h3>{ "Commands" }</h3>
            { for help.commands.iter().map(|command| html! { <CommandLine key={*command} command={format!("stella {command}")} /> }) }
        </section>
    }
}

fn step(step: &Step) -> Html {
    html! {
        <section class="sec" aria-label={step.sign}>
            <div class="sec-h"><h2>{ step.sign }</h2><span class="grow"></span><Link to={step.page.clone()} class="link">{ step.page.title() }</Link></div>
            <ol>{ for step.deeds.iter().map(|deed| html! { <li>{ deed }</li> }) }</ol>
        </section>
    }
}

/// Each stream with its numbers; the API document tells the same ones.
fn streams() -> Vec<(&'static str, String)> {
    let events = format::count(kept::FEED_EVENTS);
    let held = format::count(kept::FEED_IN_MEMORY);
    let messages = format::count(kept::RUN_MESSAGES);
    let lines = format::count(lease::LOG_LINES_KEPT);
    vec![
        (
            "Feed",
            format!(
                "The last {events} events of a tenant are kept, {held} of them in memory. A reader further behind is told to read everything anew."
            ),
        ),
        (
            "CloudEvents",
            format!(
                "They follow the history, which is kept whole: a reader may go on after any number. At most {BUFFER} are read ahead for one reader."
            ),
        ),
        (
            "Silence",
            format!(
                "A silent stream says every {} s that it is alive. A WebSocket whose reader leaves a frame unread for {} s is closed.",
                kept::PING_S,
                kept::HANG_UP_S
            ),
        ),
        (
            "A run's messages",
            format!(
                "The newest {messages} of a run are kept, for {} minutes. Who comes later gets a snapshot first.",
                kept::RUN_MESSAGES_MIN
            ),
        ),
        ("A job's log", format!("The last {lines} lines.")),
        ("Idempotency keys", format!("The answer to a key is kept for {} hours.", kept::ANSWERS_H)),
        (
            "Closed things",
            format!(
                "Closed dead letters and incidents that are over are kept for {} days; open ones until they are closed. The history is never shortened.",
                kept::CLOSED_DAYS
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_says_its_numbers() {
        let said = streams();
        let all: String = said.iter().map(|(_, text)| text.as_str()).collect();
        for number in ["10,000", "4,096", "500", "15 s", "10 s", "2,000", "30 minutes", "24 hours", "90 days"]
        {
            assert!(all.contains(number), "{number}: {all}");
        }
        assert!(STEPS.iter().all(|step| step.deeds.len() >= 2));
    }
}
