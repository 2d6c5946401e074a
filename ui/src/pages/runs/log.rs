//! A run's log: the end of what is kept, and one line of it. Messages are kept for half an hour.

use crate::api::{Api, Load, Problem};
use crate::kit::{Empty, Icon, IconSize, Segmented, Shape, Skeleton, Tone};
use crate::parts::{ProblemView, StaleBanner};
use crate::router::Link;
use crate::store::{LogLine, Watch, use_query};
use stella_contract::event::{LogSeverity, RunMessage, RunMessageBody, RunMessagesQuery};
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use yew::prelude::*;

/// Messages that are read back at most.
const BACK: i64 = 500;
/// Lines in the drawer.
const LAST: usize = 50;

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

/// What was told before now, as far as it is kept: oldest first.
async fn read_back(api: Api, id: RunId) -> Result<Vec<RunMessage>, Problem> {
    let now = api.run_messages(&id, &RunMessagesQuery::default()).await?;
    let newest = now.items.iter().map(|message| message.seq).max().unwrap_or(0);
    let query = RunMessagesQuery { after: Some((newest - BACK).max(0)), max_wait_ms: None };
    Ok(api.run_messages(&id, &query).await?.items)
}

/// The lines among messages.
fn lines(messages: &[RunMessage]) -> Vec<LogLine> {
    messages
        .iter()
        .filter_map(|message| match &message.body {
            RunMessageBody::Log { severity, message: text, correlation_id, segment_id } => Some(LogLine {
                seq: message.seq,
                at: message.at,
                severity: *severity,
                message: text.clone(),
                correlation_id: correlation_id.clone(),
                segment_id: segment_id.clone(),
            }),
            RunMessageBody::Snapshot { .. }
            | RunMessageBody::StateChanged { .. }
            | RunMessageBody::SegmentProgress { .. }
            | RunMessageBody::DeltaSummary { .. }
            | RunMessageBody::Heartbeat {}
            | RunMessageBody::Reset {}
            | RunMessageBody::End { .. } => None,
        })
        .collect()
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

/// What [`LastLines`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct LastLinesProps {
    /// The run.
    pub id: RunId,
}

/// The end of a run's log.
#[component]
pub(super) fn LastLines(props: &LastLinesProps) -> Html {
    let id = props.id.clone();
    let level = use_state_eq(Level::default);
    let asked = use_query(format!("log {id}"), Watch::of(&["run", "segment"]).only(&id), {
        let id = id.clone();
        move |api| read_back(api, id.clone())
    });
    let on_level = {
        let level = level.clone();
        Callback::from(move |one| level.set(one))
    };
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="The log" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(messages, _) => last(messages, *level),
        Load::Stale(messages, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ last(messages, *level) }</>
        },
    };
    html! {
        <>
            <div class="row side-bar">
                { levels(*level, on_level) }
                <span class="grow"></span>
                <Link to={Route::RunStream(id)} class="link sm">{ "Follow live" }</Link>
            </div>
            { body }
        </>
    }
}

fn last(messages: &[RunMessage], level: Level) -> Html {
    let all = lines(messages);
    let kept: Vec<&LogLine> = all.iter().filter(|line| level.admits(line.severity)).collect();
    if kept.is_empty() {
        let (fact, why) = match all.len() {
            0 => ("No log lines are kept", "Lines are kept for 30 minutes after they were written."),
            _ => ("No such lines", "The kept lines are less severe."),
        };
        return html! { <Empty icon={Shape::Dash} {fact}>{ why }</Empty> };
    }
    let from = kept.len().saturating_sub(LAST);
    html! { <div class="log log-side" role="list" aria-label="Last log lines">{ for kept[from..].iter().map(|one| line(one)) }</div> }
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
    fn only_log_messages_are_lines() {
        let messages: Vec<RunMessage> = serde_json::from_str(
            r#"[{"seq":1,"at":"2026-11-21T14:28:15.204Z","event":"stateChanged","from":"queued","to":"running"},
                {"seq":2,"at":"2026-11-21T14:28:15.204Z","event":"log","severity":"warn","message":"m","correlationId":"c"}]"#,
        )
        .unwrap();
        assert_eq!(lines(&messages).iter().map(|line| line.seq).collect::<Vec<_>>(), [2]);
        assert_eq!((tail("seg_01890000"), tail("ab")), ("0000", "ab"));
    }
}
