//! Both runs in figures, and every input beside its twin.

use crate::kit::format::{count, counted, duration};
use crate::parts::{DeltasText, RunStateBadge};
use crate::router::{Link, Query};
use stella_contract::route::Route;
use stella_contract::run::Run;
use stella_contract::run_diff::{InputPair, RunDiff};
use yew::prelude::*;

/// The summary.
pub(super) fn summary(diff: &RunDiff) -> Html {
    html! {
        <>
            <section class="sec" aria-label="Both runs">
                <div class="sec-h"><h2>{ "Outcome" }</h2></div>
                <table class="tbl diff">
                    <thead><tr><th scope="col">{ "Outcome" }</th><th scope="col">{ "Run" }</th><th scope="col">{ "Against" }</th></tr></thead>
                    <tbody>{ for outcomes(diff) }</tbody>
                </table>
            </section>
            <section class="sec" aria-label="Inputs">
                <div class="sec-h"><h2>{ "Inputs" }</h2><span class="grow"></span><span class="f2 sm">{ differing(&diff.inputs) }</span></div>
                <table class="tbl diff">
                    <thead><tr><th scope="col">{ "Input" }</th><th scope="col">{ "Run" }</th><th scope="col">{ "Against" }</th></tr></thead>
                    <tbody>{ for diff.inputs.iter().map(input) }</tbody>
                </table>
            </section>
        </>
    }
}

fn outcomes(diff: &RunDiff) -> Vec<Html> {
    let row = |name: &'static str, side: fn(&Run) -> Html| {
        html! { <tr key={name}><th scope="row">{ name }</th><td>{ side(&diff.run) }</td><td>{ side(&diff.against) }</td></tr> }
    };
    vec![
        row("run", |run| {
            let open = Route::Run(run.run_id.clone());
            html! { <Link to={open} class="n mono">{ run.run_id.to_string() }</Link> }
        }),
        row("state", |run| html! { <RunStateBadge run={run.clone()} /> }),
        row("took", |run| html! { { took_ms(run).map_or_else(|| "not finished".to_owned(), duration) } }),
        row(
            "targets evaluated",
            |run| html! { { format!("{} of {}", count(run.processed), count(run.candidates)) } },
        ),
        row("findings", |run| {
            let query = Query::default().with("run", run.run_id.as_str());
            html! { <Link to={Route::Findings} {query} class="n">{ count(run.findings) }</Link> }
        }),
        row("deltas", |run| {
            html! { <DeltasText deltas={run.deltas} run={run.run_id.clone()} open={!run.state.is_final()} /> }
        }),
        row("determinism", |run| html! { { determinism(run) } }),
    ]
}

fn took_ms(run: &Run) -> Option<i64> {
    run.finished_at.map(|at| at.ms_since(run.created_at))
}

/// The score with its sample, or that there is none.
pub(in crate::pages::runs) fn determinism(run: &Run) -> String {
    match run.determinism {
        Some(found) => {
            format!("{:.3} ({} done once more)", found.score, counted(found.sample, "segment", "segments"))
        }
        None => "not sampled".to_owned(),
    }
}

fn differing(inputs: &[InputPair]) -> String {
    match inputs.iter().filter(|input| input.differs()).count() {
        0 => "all the same".to_owned(),
        1 => "1 differs".to_owned(),
        many => format!("{many} differ"),
    }
}

fn input(input: &InputPair) -> Html {
    let side = |text: &Option<String>| match text {
        Some(text) => html! { <span class="mono cut" title={text.clone()}>{ text }</span> },
        None => html! { <span class="f3">{ "not known" }</span> },
    };
    html! {
        <tr key={input.name.clone()} class={classes!(input.differs().then_some("is-diff"))}>
            <th scope="row">
                { &input.name }
                if input.differs() { <span class="sm k-warn">{ " differs" }</span> }
            </th>
            <td>{ side(&input.run) }</td><td>{ side(&input.against) }</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    #[test]
    fn the_head_counts_what_differs() {
        let pair = |run: &str, against: &str| InputPair {
            name: "mode".to_owned(),
            run: Some(run.to_owned()),
            against: Some(against.to_owned()),
        };
        assert_eq!(differing(&[pair("a", "a")]), "all the same");
        assert_eq!(differing(&[pair("a", "b"), pair("a", "a")]), "1 differs");
        assert_eq!(differing(&[pair("a", "b"), pair("b", "a")]), "2 differ");
    }

    #[test]
    fn the_score_names_its_sample_and_unknown_is_no_zero() {
        let sampled = run(serde_json::json!({ "determinism": { "score": 1.0, "sample": 3 } }));
        assert_eq!(determinism(&sampled), "1.000 (3 segments done once more)");
        assert_eq!(determinism(&run(serde_json::json!({}))), "not sampled");
    }
}
