//! The segments of both runs, place by place: state, time, and whether they left the same.

use crate::kit::format::{count, duration_short};
use crate::kit::{Column, Empty, Shape, Table, TableBody, Tone, Width};
use crate::pages::listing::{foot, listing};
use crate::parts::{StateBadge, mark};
use crate::store::{Watch, use_list};
use stella_contract::ids::RunId;
use stella_contract::run_diff::{DiffQuery, SegmentPair, SegmentSide, SegmentTally};
use stella_contract::segment::SegmentState;
use yew::prelude::*;

/// What [`DiffSegments`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct DiffSegmentsProps {
    /// The run.
    pub run: RunId,
    /// The one it is held against.
    pub against: RunId,
    /// How many of which kind.
    pub tally: SegmentTally,
}

/// The segments.
#[component]
pub(super) fn DiffSegments(props: &DiffSegmentsProps) -> Html {
    let (run, against) = (props.run.clone(), props.against.clone());
    let held = use_state_eq(|| false);
    let name = format!("diff segments {run} {against}");
    let list = use_list(name, Watch::of(&["run", "segment"]).only(&run), *held, move |api, page| {
        let (run, query) = (run.clone(), DiffQuery { against: Some(against.clone()) });
        async move { api.run_diff_segments(&run, &query, &page).await }
    });
    let columns = use_memo((), |()| columns());
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let nothing = html! { <Empty icon={Shape::DashedRing} fact="No segments">{ "Neither of the two was cut into any." }</Empty> };
    let table = html! {
        <Table label="Segments of both runs" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <div class="with-drawer"><div class="list">
            { listing("Segments", &list, nothing, table) }
            { foot(&list, html! { <span class="f2">{ words(&props.tally) }</span> }) }
        </div></div>
    }
}

/// The counts in words; zeros are left out.
fn words(tally: &SegmentTally) -> String {
    let parts = [
        (tally.same, "left the same"),
        (tally.differing, "differ"),
        (tally.only_run, "only of the run"),
        (tally.only_against, "only of the other"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(many, _)| *many > 0)
        .map(|(many, what)| format!("{} {what}", count(*many)))
        .collect();
    said.join(", ")
}

fn key_of(pair: &SegmentPair) -> String {
    format!("{}.{}", pair.shard, pair.ordinal)
}

fn columns() -> Vec<Column<SegmentPair>> {
    vec![
        Column::new(
            "place",
            "Place",
            Width::Fixed(64),
            |one: &SegmentPair| html! { <span class="mono">{ key_of(one) }</span> },
        ),
        Column::new("output", "Output", Width::Fixed(104), output),
        Column::new("run", "Run", Width::Fixed(112), |one: &SegmentPair| state(&one.run)),
        Column::new("against", "Against", Width::Fixed(112), |one: &SegmentPair| state(&one.against)),
        Column::new("took", "Took", Width::Fixed(80), |one: &SegmentPair| took(&one.run)).at_end(),
        Column::new("took-against", "Took then", Width::Fixed(80), |one: &SegmentPair| took(&one.against))
            .at_end(),
        Column::new("pace", "Time", Width::Fixed(72), pace).at_end().drops_below(720),
        Column::new("targets", "Targets", Width::Fixed(80), targets).at_end().drops_below(640),
        Column::new("retries", "Retries", Width::Share(1, 64), retries).at_end().drops_below(800),
    ]
}

fn none() -> Html {
    html! { <span class="f3">{ "none" }</span> }
}

fn state(side: &Option<SegmentSide>) -> Html {
    side.as_ref().map_or_else(none, |side| html! { <StateBadge<SegmentState> state={side.state} /> })
}

fn took(side: &Option<SegmentSide>) -> Html {
    let ms = side.as_ref().and_then(|side| side.duration_ms);
    ms.map_or_else(none, |ms| html! { { length(ms) } })
}

/// Segments are short: below a second the milliseconds say more.
fn length(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { duration_short(ms) }
}

fn output(pair: &SegmentPair) -> Html {
    match pair.same_output() {
        Some(true) => mark(Shape::DiscCheck, Tone::Ok, "same", false, false),
        Some(false) => mark(Shape::Triangle, Tone::Warn, "differs", false, false),
        None => mark(Shape::DashedRing, Tone::Idle, "not known", false, false),
    }
}

/// How much longer or shorter the run took, once both ended.
fn pace(pair: &SegmentPair) -> Html {
    match times(pair) {
        Some(times) => html! { { format!("× {times:.1}") } },
        None => none(),
    }
}

fn times(pair: &SegmentPair) -> Option<f64> {
    let ms = |side: &Option<SegmentSide>| side.as_ref()?.duration_ms;
    let (run, against) = (ms(&pair.run)?, ms(&pair.against)?);
    (against > 0).then(|| run as f64 / against as f64)
}

fn targets(pair: &SegmentPair) -> Html {
    let number = |side: &Option<SegmentSide>| side.as_ref().map(|side| side.target_count);
    match (number(&pair.run), number(&pair.against)) {
        (Some(run), Some(against)) if run == against => html! { { count(run) } },
        (run, against) => {
            let said = |number: Option<i64>| number.map_or_else(|| "none".to_owned(), count);
            html! { { format!("{} / {}", said(run), said(against)) } }
        }
    }
}

fn retries(pair: &SegmentPair) -> Html {
    let number = |side: &Option<SegmentSide>| side.as_ref().map_or(0, |side| side.retry_count);
    html! { { format!("{} / {}", number(&pair.run), number(&pair.against)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(run: Option<i64>, against: Option<i64>) -> SegmentPair {
        let side = |ms: Option<i64>| {
            serde_json::from_value(serde_json::json!({
                "segmentId": "seg_01890000-0000-7000-8000-000000000000", "state": "succeeded", "targetCount": 50,
                "attempt": 1, "retryCount": 0, "durationMs": ms
            }))
            .ok()
        };
        SegmentPair { shard: 1, ordinal: 2, run: side(run), against: side(against) }
    }

    #[test]
    fn times_are_compared_only_when_both_are_known() {
        assert_eq!(times(&pair(Some(300), Some(200))), Some(1.5));
        assert_eq!(times(&pair(Some(300), None)), None);
        assert_eq!(times(&pair(Some(300), Some(0))), None);
    }

    #[test]
    fn the_foot_leaves_zeros_out() {
        let tally = SegmentTally { same: 1_204, differing: 2, ..SegmentTally::default() };
        assert_eq!(words(&tally), "1,204 left the same, 2 differ");
    }
}
