//! A run's log: the end of what is kept, and one line of it. Messages are kept for half an hour.

use super::board::{Stand, log_of, newest};
use crate::kit::{Button, CopyId, Empty, Icon, IconSize, Segmented, Shape, Skeleton, Tone, use_copy};
use crate::parts::ProblemView;
use crate::router::Link;
use crate::store::{LogLine, use_run_stream};
use stella_contract::event::LogSeverity;
use stella_contract::route::Route;
use stella_contract::run::Run;
use yew::prelude::*;

/// Lines in the drawer.
const LAST: usize = 50;
/// How near to its end the log counts as followed, in pixels.
pub(super) const NEAR_END: i32 = 24;

/// Which lines are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Level {
    /// Every line.
    #[default]
    All,
    /// Warnings and errors.
    Warn,
    /// Errors.
    Error,
}

impl Level {
    /// The level of a word.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::All,
        }
    }
    /// Its word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
    /// Whether it lets a line through.
    pub(super) const fn admits(self, severity: LogSeverity) -> bool {
        match (self, severity) {
            (Self::All, _)
            | (Self::Warn, LogSeverity::Warn | LogSeverity::Error)
            | (Self::Error, LogSeverity::Error) => true,
            (Self::Warn, LogSeverity::Info) | (Self::Error, LogSeverity::Info | LogSeverity::Warn) => false,
        }
    }
}

/// The choice between levels.
pub(super) fn levels(level: Level, on_choose: Callback<Level>) -> Html {
    let options = [Level::All, Level::Warn, Level::Error]
        .map(|one| (one.as_str().into(), one.as_str().into()))
        .to_vec();
    html! {
        <Segmented label="Log lines" {options} value={level.as_str()} on_choose={on_choose.reform(|word: AttrValue| Level::of(&word))} />
    }
}

/// One line.
pub(super) fn line(line: &LogLine) -> Html {
    let (shape, tone, class) = match line.severity {
        LogSeverity::Info => (Shape::RingDot, Tone::Idle, None),
        LogSeverity::Warn => (Shape::Triangle, Tone::Warn, Some("w")),
        LogSeverity::Error => (Shape::OctagonCross, Tone::Bad, Some("e")),
    };
    let about = match &line.segment_id {
        Some(id) => {
            html! { <span class="f2" title={id.to_string()}>{ format!("seg {}", tail(id.as_str())) }</span> }
        }
        None => html! { <span class="f2">{ "run" }</span> },
    };
    let at = line.at.to_string();
    html! {
        <div key={line.seq} class={classes!("l", class)} role="listitem">
            <time class="f3" datetime={at.clone()}>{ at.get(11..23).unwrap_or(&at).to_owned() }</time>
            <span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Tiny} />{ line.severity.as_str() }</span>
            { about }
            <span title={line.message.clone()}>{ &line.message }</span>
            <span class="f3 r" title={line.correlation_id.clone()}>{ line.correlation_id.chars().take(10).collect::<String>() }</span>
        </div>
    }
}

/// The last four digits of an id; ids of one moment differ only there.
pub(super) fn tail(id: &str) -> &str {
    id.get(id.len().saturating_sub(4)..).unwrap_or(id)
}

/// The query that finds a run's lines in the logs of the core, in the words most log tools know.
pub(super) fn log_query(run: &Run) -> String {
    format!("runId:\"{}\" OR correlationId:\"{}\"", run.run_id, run.correlation_id)
}

/// What a [`CopyQuery`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct CopyQueryProps {
    /// The run.
    pub run: Run,
    /// What the button is called.
    pub label: AttrValue,
}

/// Copies the query for log tools.
#[component]
pub(super) fn CopyQuery(props: &CopyQueryProps) -> Html {
    let query = log_query(&props.run);
    let (copied, copy) = use_copy(query.clone().into());
    html! {
        <span title={query}>
            <Button small={true} icon={if copied { Shape::Check } else { Shape::Copy }} on_click={copy}>{ if copied { "Query copied".into() } else { props.label.clone() } }</Button>
        </span>
    }
}

/// What [`LastLines`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct LastLinesProps {
    /// The run.
    pub run: Run,
}

/// The end of a run's log, live until the reader scrolls up.
#[component]
pub(super) fn LastLines(props: &LastLinesProps) -> Html {
    let run = &props.run;
    let id = run.run_id.clone();
    let stream = use_run_stream(&id);
    let level = use_state_eq(Level::default);
    let stand = use_state_eq(Stand::default);
    let node = use_node_ref();
    let shown = log_of(&stream.watched, *level, *stand);
    let from = shown.lines.len().saturating_sub(LAST);
    let lines = &shown.lines[from..];
    {
        let (node, last) = (node.clone(), lines.last().map(|line| line.seq));
        use_effect_with((last, *stand), move |(_, stand)| {
            if let (Stand::Live, Some(element)) = (stand, node.cast::<web_sys::Element>()) {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
    let on_scroll = {
        let (node, stand, last) = (node.clone(), stand.clone(), newest(&stream.watched));
        Callback::from(move |_: Event| {
            let Some(element) = node.cast::<web_sys::Element>() else { return };
            let left = element.scroll_height() - element.scroll_top() - element.client_height();
            if *stand == Stand::Live && left > NEAR_END {
                stand.set(Stand::Scrolled(last));
            }
        })
    };
    let go_live = Callback::from(move |()| stand.set(Stand::Live));
    let on_level = {
        let level = level.clone();
        Callback::from(move |one| level.set(one))
    };
    html! {
        <>
            <div class="row wrap side-bar">
                { levels(*level, on_level) }
                <span class="grow"></span>
                <CopyQuery run={run.clone()} label="Open in logs" />
                <Link to={Route::RunStream(id)} class="link sm">{ "Follow live" }</Link>
            </div>
            <p class="side-note f3 sm">{ format!("last {} of {}, correlation ", lines.len(), shown.kept) }<CopyId text={run.correlation_id.clone()} /></p>
            if let Some(problem) = &stream.problem { <ProblemView what="The log" problem={problem.clone()} /> }
            else if stream.watched.run.is_none() { <Skeleton rows={8} /> }
            else if lines.is_empty() { { nothing(stream.watched.log.len()) } }
            else {
                <div ref={node} class="log log-side" tabindex="0" role="log" aria-live="off" aria-label="Last log lines" onscroll={on_scroll}>{ for lines.iter().map(line) }</div>
            }
            if shown.news > 0 { <div class="go-live"><Button icon={Shape::Down} on_click={go_live}>{ format!("{} new lines, go to live", shown.news) }</Button></div> }
        </>
    }
}

fn nothing(kept: usize) -> Html {
    let (fact, why) = match kept {
        0 => ("No log lines are kept", "Lines are kept for 30 minutes after they were written."),
        _ => ("No such lines", "The kept lines are less severe."),
    };
    html! { <Empty icon={Shape::Dash} {fact}>{ why }</Empty> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lets_its_own_and_worse_lines_through() {
        let admitted = |level: Level| LogSeverity::ALL.iter().filter(|one| level.admits(**one)).count();
        assert_eq!([Level::All, Level::Warn, Level::Error].map(admitted), [3, 2, 1]);
        assert_eq!(Level::of("warn"), Level::Warn);
        assert_eq!(Level::of("loud"), Level::All);
    }

    #[test]
    fn the_query_for_log_tools_names_the_run_and_what_binds_it_together() {
        let run = crate::pages::runs::table::tests::run(serde_json::json!({ "correlationId": "corr-1" }));
        assert_eq!(log_query(&run), format!("runId:\"{}\" OR correlationId:\"corr-1\"", run.run_id));
        assert_eq!((tail("seg_01890000"), tail("ab")), ("0000", "ab"));
    }
}
