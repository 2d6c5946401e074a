//! What of a source's event time was read: a year of days as a map, the hours of a day, and what is wanting.

use super::map::{
    DAY, WEEK, choosing, chosen, day_cells, day_of, days, hour_cells, hours, lead, months, picked, summary,
    total, wanting, window_of, word,
};
use crate::api::Load;
use crate::kit::format::{count, counted, date_time, duration};
use crate::kit::{Button, ButtonKind, CellRange, RangeMap, Shape, Skeleton};
use crate::parts::{ProblemView, StaleBanner, StateBadge};
use crate::router::use_router;
use crate::store::Asked;
use stella_contract::time::Micros;
use stella_contract::watermark::{Stretch, StretchState, Watermarks, Window};
use yew::prelude::*;

/// Rows of what is wanting.
const LISTED: usize = 8;

/// What a [`Coverage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct CoverageProps {
    /// How far the source has been read.
    pub asked: Asked<Watermarks>,
    /// Why nothing can be backfilled.
    pub refusal: Option<AttrValue>,
    /// Told the range to backfill.
    pub on_backfill: Callback<Option<Window>>,
}

/// The map and the list of what is wanting.
#[component]
pub(super) fn Coverage(props: &CoverageProps) -> Html {
    match &props.asked.load {
        Load::Idle | Load::Loading => html! { <div class="sec"><Skeleton rows={5} /></div> },
        Load::Failed(problem) => html! {
            <ProblemView what="The coverage" problem={problem.clone()} on_retry={props.asked.refetch.clone()} />
        },
        Load::Ready(marks, _) => html! {
            <Shown marks={marks.clone()} refusal={props.refusal.clone()} on_backfill={props.on_backfill.clone()} />
        },
        Load::Stale(marks, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={props.asked.refetch.clone()} />
                <Shown marks={marks.clone()} refusal={props.refusal.clone()} on_backfill={props.on_backfill.clone()} />
            </>
        },
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    marks: Watermarks,
    refusal: Option<AttrValue>,
    on_backfill: Callback<Option<Window>>,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let marks = &props.marks;
    let until = query.get("until").and_then(super::map::moment);
    let slots = use_memo((marks.clone(), until), |(marks, until)| days(marks, *until));
    let window = chosen(&query);
    let choose = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |window: Option<Window>| {
            router.replace(&router.location().route, &choosing(&query, window))
        })
    };
    let on_days = {
        let (slots, choose) = (slots.clone(), choose.clone());
        Callback::from(move |cells: Option<CellRange>| {
            choose.emit(cells.and_then(|cells| window_of(&slots, cells)));
        })
    };
    let open = {
        let backfill = props.on_backfill.clone();
        let can = props.refusal.is_none();
        Callback::from(move |()| {
            if can {
                backfill.emit(window);
            }
        })
    };
    let day = window
        .map(|window| day_of(window.start))
        .filter(|day| window.is_some_and(|window| window.end.0 <= day.0 + DAY));
    let heads =
        months(&slots).into_iter().map(|(column, text)| (column, AttrValue::from(text))).collect::<Vec<_>>();
    let sides: Vec<(usize, AttrValue)> =
        vec![(0, "Mon".into()), (2, "Wed".into()), (4, "Fri".into()), (6, "Sun".into())];
    html! {
        <>
            <section class="sec" aria-label="Coverage">
                <div class="sec-h">
                    <h2>{ "Coverage" }</h2>
                    <span class="note">{ "event time, a cell a day" }</span>
                    <span class="grow"></span>
                    { years(&props.marks, &slots, &router, until.is_some()) }
                </div>
                <RangeMap label={format!("Coverage by day. {}", main_fact(marks))} cells={day_cells(&slots)} rows={WEEK} lead={lead(&slots)}
                    {heads} {sides} selected={picked(&slots, window)} on_select={on_days} on_open={open.clone()} />
                <div class="row wrap map-legend f2 sm">
                    { for [StretchState::Covered, StretchState::Missing, StretchState::Gap, StretchState::Failed, StretchState::Running].into_iter().map(|state| html! {
                        <span key={word(state)} class="row gap1"><StateBadge<StretchState> {state} />
                            <span class="f3">{ total(marks, state).unwrap_or_else(|| "none".to_owned()) }</span></span>
                    }) }
                </div>
                if let Some(day) = day { <Hours day={day} marks={marks.clone()} selected={window} on_select={choose.clone()} on_open={open.clone()} /> }
                { picked_line(window, marks, &props.refusal, &open, &choose) }
            </section>
            { wanting_list(marks, &props.refusal, &props.on_backfill) }
        </>
    }
}

/// The main fact of the map.
fn main_fact(marks: &Watermarks) -> String {
    let said: Vec<String> = StretchState::ALL
        .iter()
        .filter_map(|state| Some(format!("{} {}", word(*state), total(marks, *state)?)))
        .collect();
    if said.is_empty() { "Nothing is known".to_owned() } else { said.join("; ") }
}

/// Steps between years where the source keeps more than one.
fn years(
    marks: &Watermarks,
    slots: &[super::map::Slot],
    router: &crate::router::Router,
    is_past: bool,
) -> Html {
    let Some(first) = slots.first().map(|slot| slot.window.start) else { return Html::default() };
    let go = |until: Option<Micros>| {
        let router = router.clone();
        Callback::from(move |()| {
            let text = until.map(super::map::written).unwrap_or_default();
            router.ask(&router.location().query.with("until", text));
        })
    };
    html! {
        <>
            if day_of(marks.from) < first { <Button small={true} icon={Shape::Left} on_click={go(Some(first))}>{ "Year before" }</Button> }
            if is_past { <Button small={true} on_click={go(None)}>{ "Newest" }</Button> }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct HoursProps {
    day: Micros,
    marks: Watermarks,
    selected: Option<Window>,
    on_select: Callback<Option<Window>>,
    on_open: Callback<()>,
}

/// The hours of the chosen day.
#[component]
fn Hours(props: &HoursProps) -> Html {
    let slots = use_memo((props.day, props.marks.clone()), |(day, marks)| hours(*day, &marks.stretches));
    let on_select = {
        let (slots, choose) = (slots.clone(), props.on_select.clone());
        Callback::from(move |cells: Option<CellRange>| {
            choose.emit(cells.and_then(|cells| window_of(&slots, cells)))
        })
    };
    let heads: Vec<(usize, AttrValue)> =
        [0, 6, 12, 18].into_iter().map(|hour| (hour, AttrValue::from(format!("{hour:02}:00")))).collect();
    let name = props.day.to_string();
    let name = name.get(5..10).unwrap_or_default().to_owned();
    html! {
        <RangeMap label={format!("Hours of {name}")} cells={hour_cells(&slots)} {heads} sides={vec![(0, AttrValue::from(name))]}
            selected={picked(&slots, props.selected)} {on_select} on_open={props.on_open.clone()} />
    }
}

/// What is chosen and what can be done with it.
fn picked_line(
    window: Option<Window>,
    marks: &Watermarks,
    refusal: &Option<AttrValue>,
    open: &Callback<()>,
    choose: &Callback<Option<Window>>,
) -> Html {
    let Some(window) = window else {
        return html! { <p class="f3 sm map-line">{ "Draw over days with the pointer, or move with arrows and hold Shift; Enter backfills what is chosen." }</p> };
    };
    html! {
        <div class="row wrap map-line" role="status">
            <span class="b">{ span(window) }</span>
            <span class="f2 sm">{ summary(window, &marks.stretches) }</span>
            <span class="grow"></span>
            <Button small={true} kind={ButtonKind::Ghost} key_hint="Esc" on_click={choose.reform(|()| None)}>{ "Clear" }</Button>
            <Button small={true} kind={ButtonKind::Primary} disabled={refusal.clone()} on_click={open.clone()}>{ "Backfill this range…" }</Button>
        </div>
    }
}

/// A range in words.
pub(super) fn span(window: Window) -> String {
    format!("{} to {}", super::map::written(window.start), super::map::written(window.end))
}

/// What an operator may want to read again.
fn wanting_list(
    marks: &Watermarks,
    refusal: &Option<AttrValue>,
    on_backfill: &Callback<Option<Window>>,
) -> Html {
    let all = wanting(marks);
    let more = all.len().saturating_sub(LISTED);
    html! {
        <section class="sec" aria-label="What is wanting">
            <div class="sec-h"><h2>{ "Wanting" }</h2><span class="note">{ format!("{}, the newest first", counted(all.len() as i64, "stretch", "stretches")) }</span></div>
            if all.is_empty() {
                <p class="f3 sm">{ "Everything the source keeps was read." }</p>
            } else {
                <table class="tbl wanting">
                    <thead><tr><th scope="col">{ "State" }</th><th scope="col">{ "From" }</th><th scope="col">{ "To" }</th>
                        <th scope="col" class="num">{ "Length" }</th><th scope="col">{ "Why" }</th><th scope="col"><span class="vh">{ "Act" }</span></th></tr></thead>
                    <tbody>{ for all.iter().take(LISTED).map(|stretch| row(stretch, marks, refusal, on_backfill)) }</tbody>
                </table>
                if more > 0 { <p class="f3 sm map-line">{ format!("{} older stretches are on the map.", count(more as i64)) }</p> }
            }
        </section>
    }
}

fn row(
    stretch: &Stretch,
    marks: &Watermarks,
    refusal: &Option<AttrValue>,
    on_backfill: &Callback<Option<Window>>,
) -> Html {
    let window = Window { start: stretch.start, end: stretch.end };
    let why = match stretch.state {
        StretchState::Gap => {
            marks.items.iter().flat_map(|one| &one.gaps).find(|gap| gap.window().meets(window)).map_or_else(
                || "skipped by an operator".to_owned(),
                |gap| format!("{} ({}, {})", gap.reason, gap.ticket, gap.by),
            )
        }
        StretchState::Failed => "a backfill of it failed".to_owned(),
        StretchState::Missing => "never asked for".to_owned(),
        StretchState::Covered | StretchState::Running => String::new(),
    };
    html! {
        <tr key={stretch.start.0}>
            <td><StateBadge<StretchState> state={stretch.state} /></td>
            <td class="mono">{ date_time(stretch.start) }</td>
            <td class="mono">{ date_time(stretch.end) }</td>
            <td class="num">{ duration((stretch.end.0 - stretch.start.0) / 1_000) }</td>
            <td class="f2" title={why.clone()}>{ why }</td>
            <td class="num"><Button small={true} disabled={refusal.clone()} says_why={false}
                on_click={on_backfill.reform(move |()| Some(window))}>{ "Backfill…" }</Button></td>
        </tr>
    }
}
