//! What a run changed: counts by severity, then every change.

use crate::kit::format::count;
use crate::kit::{Column, Empty, Shape, Table, TableBody, Width};
use crate::pages::findings::purl::short;
use crate::pages::listing::{foot, listing};
use crate::parts::{KevTag, Severity};
use crate::router::{Link, Query};
use crate::store::{Watch, use_list};
use stella_contract::delta::Deltas;
use stella_contract::finding::{ChangeKind, FindingChange, Severity as Level};
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use stella_contract::run::Run;
use yew::prelude::*;

/// What [`Changes`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ChangesProps {
    /// The run.
    pub run: Run,
}

/// Counts and changes.
#[component]
pub(super) fn Changes(props: &ChangesProps) -> Html {
    let id = props.run.run_id.clone();
    let held = use_state_eq(|| false);
    let list = use_list(
        format!("changes {id}"),
        Watch::of(&["run", "segment"]).only(&id),
        *held,
        move |api, page| {
            let id = id.clone();
            async move { api.run_changes(&id, &page).await }
        },
    );
    let columns = use_memo((), |()| columns());
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let nothing = html! {
        <Empty icon={Shape::Dash} fact={if props.run.state.is_final() { "Nothing changed" } else { "Nothing changed yet" }}>
            { "The findings of the run's targets are those of the evaluation before." }
        </Empty>
    };
    let table = html! {
        <Table label="Changes" body={TableBody::new(list.state.rows.clone(), key_of, columns)} main={false}
            total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <>
            <section class="sec side-head" aria-label="Counts by severity">{ matrix(&props.run.deltas, &props.run.run_id) }</section>
            <div class="list side-list">{ listing("Changes", &list, nothing, table) }{ foot(&list, Html::default()) }</div>
        </>
    }
}

/// A row of the matrix: a severity, how many are new and how many are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MatrixRow {
    /// The severity.
    pub level: Level,
    /// New ones.
    pub new: u64,
    /// Those that are gone.
    pub resolved: u64,
}

/// The matrix, the worst first.
pub(super) fn matrix_rows(deltas: &Deltas) -> Vec<MatrixRow> {
    let mut deltas = *deltas;
    Level::ALL
        .iter()
        .rev()
        .map(|level| MatrixRow {
            level: *level,
            new: *deltas.new_of(*level),
            resolved: *deltas.resolved_of(*level),
        })
        .collect()
}

/// What has no severity of its own: words and count.
pub(super) const fn shifts(deltas: &Deltas) -> [(&'static str, u64); 6] {
    [
        ("KEV added", deltas.kev_added),
        ("KEV removed", deltas.kev_removed),
        ("raised", deltas.severity_raised),
        ("lowered", deltas.severity_lowered),
        ("quieted", deltas.quieted),
        ("unquieted", deltas.unquieted),
    ]
}

/// The matrix as a table; numbers lead to the run's findings of that severity.
pub(super) fn matrix(deltas: &Deltas, id: &RunId) -> Html {
    let run = Query::default().with("run", id.as_str());
    let number = |many: u64, query: Query| match many {
        0 => html! { <span class="f3">{ "0" }</span> },
        many => html! { <Link to={Route::Findings} {query} class="n">{ count(many as i64) }</Link> },
    };
    html! {
        <>
            <table class="tbl matrix">
                <thead><tr><th scope="col">{ "Severity" }</th><th scope="col" class="num">{ "New" }</th><th scope="col" class="num">{ "Resolved" }</th></tr></thead>
                <tbody>{ for matrix_rows(deltas).into_iter().map(|row| html! {
                    <tr key={row.level.as_str()}>
                        <th scope="row"><Severity level={row.level} /></th>
                        <td class="num">{ number(row.new, run.with("severity", row.level.as_str())) }</td>
                        <td class={classes!("num", (row.resolved == 0).then_some("f3"))}>{ count(row.resolved as i64) }</td>
                    </tr>
                }) }</tbody>
            </table>
            <div class="row wrap sm legend">
                { for shifts(deltas).into_iter().map(|(word, many)| html! { <span key={word} class="f2">{ format!("{word} ") }<span class="b">{ count(many as i64) }</span></span> }) }
                <span class="grow"></span>
                <Link to={Route::Findings} query={run} class="link">{ "Findings of this run" }</Link>
            </div>
        </>
    }
}

fn key_of(one: &FindingChange) -> String {
    format!("{} {} {} {}", one.kind, one.target_id, one.purl, one.vulnerability_id)
}

/// A change in words.
const fn words(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::New => "new",
        ChangeKind::Resolved => "resolved",
        ChangeKind::SeverityRaised => "raised",
        ChangeKind::SeverityLowered => "lowered",
        ChangeKind::Quieted => "quieted",
        ChangeKind::Unquieted => "unquieted",
        ChangeKind::KevAdded => "KEV added",
        ChangeKind::KevRemoved => "KEV removed",
    }
}

fn columns() -> Vec<Column<FindingChange>> {
    vec![
        Column::new("kind", "Change", Width::Fixed(84), |one: &FindingChange| html! { { words(one.kind) } }),
        Column::new("severity", "Severity", Width::Fixed(88), |one: &FindingChange| html! { <Severity level={one.severity} /> }),
        Column::new("vulnerability", "Vulnerability", Width::Share(1, 116), |one: &FindingChange| html! {
            <Link to={Route::Findings} query={Query::default().with("q", one.vulnerability_id.as_str())} class="n mono"><span title={one.vulnerability_id.clone()}>{ &one.vulnerability_id }</span></Link>
        }),
        Column::new("kev", "KEV", Width::Fixed(56), |one: &FindingChange| if one.kev { html! { <KevTag /> } } else { html! { <span class="f3">{ "no" }</span> } }).drops_below(500),
        Column::new("component", "Component", Width::Share(1, 90), |one: &FindingChange| html! { <span class="mono" title={one.purl.clone()}>{ short(&one.purl) }</span> }),
        Column::new("target", "Target", Width::Share(1, 80), |one: &FindingChange| html! {
            <Link to={Route::Findings} query={Query::default().with("target", one.target_id.as_str())} class="n"><span title={one.target_version.clone()}>{ &one.target_name }</span></Link>
        }).drops_below(480),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_holds_every_severity_and_the_shifts_hold_the_rest() {
        let deltas =
            Deltas { new_critical: 2, resolved_high: 5, kev_added: 1, quieted: 3, ..Deltas::default() };
        let rows = matrix_rows(&deltas);
        assert_eq!(rows.len(), Level::ALL.len());
        assert_eq!(rows[0], MatrixRow { level: Level::Critical, new: 2, resolved: 0 });
        assert_eq!(rows[1], MatrixRow { level: Level::High, new: 0, resolved: 5 });
        let told: u64 = rows.iter().map(|row| row.new + row.resolved).sum::<u64>()
            + shifts(&deltas).iter().map(|(_, many)| many).sum::<u64>();
        assert_eq!(
            told,
            deltas.parts().into_iter().map(|(_, _, many)| many).sum::<u64>(),
            "no count is left out"
        );
    }
}
