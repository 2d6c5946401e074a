//! The findings that differ, worst first.

use crate::kit::format::{count, counted};
use crate::kit::{Banner, Column, Empty, Shape, Table, TableBody, Tone, Width};
use crate::pages::findings::purl::short;
use crate::pages::listing::{foot, listing};
use crate::parts::{KevTag, Severity, mark};
use crate::router::{Link, Query};
use crate::store::{Watch, use_list};
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use stella_contract::run_diff::{
    DiffQuery, DifferenceKind, DifferenceTally, FindingPair, FindingSide, TargetTally,
};
use yew::prelude::*;

/// What [`DiffFindings`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct DiffFindingsProps {
    /// The run.
    pub run: RunId,
    /// The one it is held against.
    pub against: RunId,
    /// How many of which kind.
    pub tally: DifferenceTally,
    /// Which targets were compared.
    pub targets: TargetTally,
}

/// The findings.
#[component]
pub(super) fn DiffFindings(props: &DiffFindingsProps) -> Html {
    let (run, against) = (props.run.clone(), props.against.clone());
    let held = use_state_eq(|| false);
    let name = format!("diff findings {run} {against}");
    let list = use_list(name, Watch::of(&["run"]).only(&run), *held, move |api, page| {
        let (run, query) = (run.clone(), DiffQuery { against: Some(against.clone()) });
        async move { api.run_diff_findings(&run, &query, &page).await }
    });
    let columns = use_memo((), |()| columns());
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let both = counted(props.targets.both, "target", "targets");
    let nothing = html! {
        <Empty icon={Shape::DiscCheck} fact="No finding differs">
            { format!("Both runs say the same of the {both} that both evaluated.") }
        </Empty>
    };
    let table = html! {
        <Table label="Findings that differ" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <>
            if let Some(left_out) = left_out(&props.targets) {
                <Banner tone={Tone::Warn} icon={Shape::Triangle} fact={left_out}>
                    { format!("Only the {both} that both evaluated are compared: what was not evaluated is not clean.") }
                </Banner>
            }
            <div class="with-drawer"><div class="list">
                { listing("Findings", &list, nothing, table) }
                { foot(&list, html! { <span class="f2">{ words(&props.tally) }</span> }) }
            </div></div>
        </>
    }
}

/// Targets that only one of the two evaluated.
fn left_out(targets: &TargetTally) -> Option<String> {
    match (targets.only_run, targets.only_against) {
        (0, 0) => None,
        (run, 0) => Some(format!("{} only in the run", counted(run, "target", "targets"))),
        (0, against) => Some(format!("{} only in the other", counted(against, "target", "targets"))),
        (run, against) => Some(format!(
            "{} only in the run, {} only in the other",
            counted(run, "target", "targets"),
            count(against)
        )),
    }
}

fn words(tally: &DifferenceTally) -> String {
    format!(
        "{} appeared, {} gone, {} changed",
        count(tally.appeared),
        count(tally.gone),
        count(tally.changed)
    )
}

fn key_of(pair: &FindingPair) -> String {
    format!("{} {} {}", pair.target_id, pair.purl, pair.vulnerability_id)
}

fn columns() -> Vec<Column<FindingPair>> {
    vec![
        Column::new("kind", "How", Width::Fixed(104), kind),
        Column::new("run", "Run", Width::Fixed(132), |one: &FindingPair| side(&one.run)),
        Column::new("against", "Against", Width::Fixed(132), |one: &FindingPair| side(&one.against)),
        Column::new("vulnerability", "Vulnerability", Width::Share(1, 130), |one: &FindingPair| html! {
            <Link to={Route::Findings} query={Query::default().with("q", one.vulnerability_id.as_str())} class="n mono"><span title={one.vulnerability_id.clone()}>{ &one.vulnerability_id }</span></Link>
        }),
        Column::new("component", "Component", Width::Share(1, 120), |one: &FindingPair| html! { <span class="mono" title={one.purl.clone()}>{ short(&one.purl) }</span> }),
        Column::new("target", "Target", Width::Share(1, 100), |one: &FindingPair| html! {
            <Link to={Route::Findings} query={Query::default().with("target", one.target_id.as_str())} class="n"><span title={one.target_version.clone()}>{ &one.target_name }</span></Link>
        }).drops_below(640),
        Column::new("what", "What changed", Width::Share(1, 120), |one: &FindingPair| html! { <span class="f2" title={changes(one)}>{ changes(one) }</span> }).drops_below(760),
    ]
}

fn kind(pair: &FindingPair) -> Html {
    match pair.kind {
        DifferenceKind::Appeared => mark(Shape::Triangle, Tone::Bad, "appeared", false, false),
        DifferenceKind::Gone => mark(Shape::DiscCheck, Tone::Ok, "gone", false, false),
        DifferenceKind::Changed => mark(Shape::HalfRing, Tone::Warn, "changed", false, false),
    }
}

fn side(side: &Option<FindingSide>) -> Html {
    match side {
        Some(side) => html! {
            <span class="row"><Severity level={side.severity} />if side.kev { <KevTag /> }</span>
        },
        None => html! { <span class="f3">{ "none" }</span> },
    }
}

/// What both say differently, in words.
fn changes(pair: &FindingPair) -> String {
    let (Some(run), Some(against)) = (&pair.run, &pair.against) else {
        return "the finding itself".to_owned();
    };
    let score =
        |side: &FindingSide| side.score.map_or_else(|| "none".to_owned(), |score| format!("{score:.1}"));
    let fix = |side: &FindingSide| side.fixed_version.clone().unwrap_or_else(|| "none".to_owned());
    let yes = |on: bool| if on { "yes" } else { "no" }.to_owned();
    let parts = [
        ("severity", against.severity.to_string(), run.severity.to_string()),
        ("score", score(against), score(run)),
        ("KEV", yes(against.kev), yes(run.kev)),
        ("status", against.status.to_string(), run.status.to_string()),
        ("quieted", yes(against.quieted), yes(run.quieted)),
        ("fixed in", fix(against), fix(run)),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| format!("{name} {before} to {after}"))
        .collect();
    if said.is_empty() { "the records or the reasons behind it".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(run: serde_json::Value, against: serde_json::Value) -> FindingPair {
        serde_json::from_value(serde_json::json!({
            "kind": "changed", "targetId": "tgt_01890000-0000-7000-8000-000000000000", "targetName": "shop",
            "targetVersion": "1", "purl": "pkg:pypi/alpha@1.0", "vulnerabilityId": "CVE-2026-0001",
            "run": run, "against": against
        }))
        .unwrap()
    }

    #[test]
    fn a_changed_finding_says_what_is_another_and_nothing_else() {
        let said = |severity: &str, fixed: Option<&str>| {
            serde_json::json!({ "severity": severity, "kev": false, "status": "affected", "quieted": false,
                "fixedVersion": fixed })
        };
        let both = pair(said("low", Some("2.2")), said("critical", None));
        assert_eq!(changes(&both), "severity critical to low, fixed in none to 2.2");
        let same = pair(said("low", None), said("low", None));
        assert_eq!(changes(&same), "the records or the reasons behind it");
        let gone = FindingPair { run: None, ..same };
        assert_eq!(changes(&gone), "the finding itself");
    }

    #[test]
    fn targets_of_one_run_alone_are_said_to_be_left_out() {
        let tally = |only_run, only_against| TargetTally { both: 4, only_run, only_against };
        assert_eq!(left_out(&tally(0, 0)), None);
        assert_eq!(left_out(&tally(1, 0)).as_deref(), Some("1 target only in the run"));
        assert_eq!(left_out(&tally(2, 3)).as_deref(), Some("2 targets only in the run, 3 only in the other"));
    }
}
