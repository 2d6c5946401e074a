//! What is wrong with a policy, line by line, and what it would say of the findings there are.

use crate::kit::format::count;
use crate::kit::{Icon, IconSize, Shape, Tone};
use crate::parts::StateBadge;
use stella_contract::policy::{PolicyCheck, PolicyProblem, PolicyTrial, RuleCount, Verdict, VerdictCount};
use yew::prelude::*;

/// Everything that a check found.
pub(super) fn shown(check: &PolicyCheck) -> Html {
    html! {
        <div class="col gap3" role="status" aria-label="Check">
            { problems(&check.problems, check.is_sound()) }
            if let Some(trial) = &check.trial { { tried(trial) } }
        </div>
    }
}

fn problems(all: &[PolicyProblem], sound: bool) -> Html {
    if all.is_empty() {
        return html! { <p class="st k-ok"><Icon shape={Shape::DiscCheck} size={IconSize::Small} />{ "Every rule can be read." }</p> };
    }
    html! {
        <section aria-label="Faults">
            <div class="sec-h"><h2>{ if sound { "Worth knowing" } else { "To be mended" } }</h2></div>
            <ul class="policy-problems">{ for all.iter().enumerate().map(|(at, one)| problem(at, one)) }</ul>
        </section>
    }
}

fn problem(at: usize, one: &PolicyProblem) -> Html {
    let (shape, tone) =
        if one.code.is_warning() { (Shape::Triangle, Tone::Warn) } else { (Shape::OctagonCross, Tone::Bad) };
    let place = match (one.line, one.column) {
        (0, _) => "the whole".to_owned(),
        (line, 0) => format!("line {line}"),
        (line, column) => format!("line {line}, column {column}"),
    };
    html! {
        <li key={at}>
            <span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} /><span class="mono">{ place }</span></span>
            <span>{ one.rule.as_ref().map(|rule| format!("{rule}: ")).unwrap_or_default() }{ &one.message }</span>
        </li>
    }
}

fn tried(trial: &PolicyTrial) -> Html {
    let more = if trial.truncated { ", the worst of them" } else { "" };
    html! {
        <section aria-label="Dry run">
            <div class="sec-h"><h2>{ "Dry run" }</h2><span class="note">{ format!("on {} findings{more}; nothing is kept", count(trial.findings)) }</span></div>
            <p class="sm f2">{ format!("{} get another verdict, {} become quieted, {} no longer are.", count(trial.changed), count(trial.quieted), count(trial.unquieted)) }</p>
            <div class="split halves">
                <table class="tbl" aria-label="Findings by verdict">
                    <thead><tr><th scope="col">{ "Verdict" }</th><th scope="col" class="num">{ "Now" }</th><th scope="col" class="num">{ "With it" }</th></tr></thead>
                    <tbody>{ for trial.verdicts.iter().map(verdict_row) }</tbody>
                </table>
                <table class="tbl" aria-label="Findings by rule">
                    <thead><tr><th scope="col">{ "Rule" }</th><th scope="col">{ "Verdict" }</th><th scope="col" class="num">{ "Findings" }</th></tr></thead>
                    <tbody>{ for trial.rules.iter().map(rule_row) }</tbody>
                </table>
            </div>
        </section>
    }
}

fn verdict_row(one: &VerdictCount) -> Html {
    let name = one.verdict.map_or("none", Verdict::as_str);
    html! {
        <tr key={name}>
            <td>{ match one.verdict {
                Some(verdict) => html! { <StateBadge<Verdict> state={verdict} /> },
                None => html! { <span class="f3">{ "no verdict" }</span> },
            } }</td>
            <td class="num">{ count(one.before) }</td>
            <td class={classes!("num", (one.before != one.after).then_some("b"))}>{ count(one.after) }</td>
        </tr>
    }
}

fn rule_row(one: &RuleCount) -> Html {
    html! {
        <tr key={one.rule.clone()}>
            <td><span class="cut" title={one.rule.clone()}>{ &one.rule }</span>
                if one.expired { <span class="k-warn sm">{ " expired" }</span> }
                if one.failed > 0 { <span class="k-warn sm">{ format!(" {} without an answer", count(one.failed)) }</span> }</td>
            <td><StateBadge<Verdict> state={one.verdict} /></td>
            <td class="num">{ count(one.findings) }</td>
        </tr>
    }
}
