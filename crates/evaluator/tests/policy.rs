//! Policies: read with every fault named by line and rule, asked about findings, explained.

mod support;

use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use stella_contract::policy::{PolicyProblemCode as Code, Verdict};
use stella_contract::time::Micros;
use stella_evaluator::{Finding, FindingStatus, Policy, PolicyInputs, PolicyTarget, parse_policy};
use support::{between, judge, record};

const NOW: &str = "2026-11-21T12:00:00Z";

fn now() -> Micros {
    Micros::parse(NOW).expect("the time is one")
}

fn policy(source: &str) -> Policy {
    parse_policy(source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A high finding in PyPI's quill, fixed in 2.0.
fn finding() -> Finding {
    let mut quill = record("PYSEC-2026-1", "PyPI", "quill", "ECOSYSTEM", between("0", "2.0"));
    quill["aliases"] = json!(["CVE-2026-0001"]);
    quill["severity"] = json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]);
    judge(&[quill], &["pkg:pypi/quill@1.0"]).findings.into_iter().next().expect("it matches")
}

fn target() -> PolicyTarget {
    PolicyTarget {
        name: "shop".to_owned(),
        version: "1.2".to_owned(),
        namespace: "prod".to_owned(),
        repository: "registry.example/shop".to_owned(),
        digest: format!("sha256:{}", "a".repeat(64)),
        labels: BTreeMap::from([("team".to_owned(), "till".to_owned())]),
    }
}

fn after(source: &str) -> Finding {
    let (finding, target) = (finding(), target());
    let inputs = PolicyInputs { finding: &finding, target: &target, epss: Some(0.42), age_days: 12 };
    policy(source).apply(&inputs, now())
}

fn rule(when: &str, verdict: &str) -> String {
    format!("- name: it\n  when: {when}\n  verdict: {verdict}\n  reason: because\n")
}

#[test]
fn every_variable_can_be_asked_for() {
    for when in [
        r#"severity == "high""#,
        "severityLevel >= 3",
        "score > 7.0 && score < 8.0",
        "!kev",
        "epss > 0.4",
        r#"purl == "pkg:pypi/quill@1.0""#,
        r#"name == "quill""#,
        r#"version.startsWith("1.")"#,
        r#"ecosystem == "PyPI""#,
        r#"vulnerability == "CVE-2026-0001""#,
        r#"aliases.exists(id, id.startsWith("PYSEC-"))"#,
        r#""PYSEC-2026-1" in aliases"#,
        "fixed",
        r#"fixedVersion == "2.0""#,
        r#"status == "affected""#,
        "ageDays == 12",
        r#"target.namespace == "prod" && target.labels.team == "till""#,
        r#"has(target.labels.team) && !has(target.labels.nobody)"#,
        r#"target.repository.matches("^registry[.]example/")"#,
        r#"size(target.digest) == 71 && target.version == "1.2" && target.name.endsWith("op")"#,
    ] {
        let found = after(&rule(&format!("'{when}'"), "block"));
        assert_eq!(found.verdict, Some(Verdict::Block), "{when}");
        assert_eq!(found.rule.as_deref(), Some("it"), "{when}");
    }
}

#[test]
fn quiet_and_ignore_suppress_and_block_and_warn_do_not() {
    for (verdict, quieted) in [("block", false), ("warn", false), ("ignore", true), ("quiet", true)] {
        let found = after(&rule("'true'", verdict));
        assert_eq!((found.verdict.map(Verdict::as_str), found.quieted), (Some(verdict), quieted));
    }
    let untouched = after(&rule("kev", "block"));
    assert_eq!((untouched.verdict, untouched.quieted), (None, false));
    assert_eq!(untouched, finding());
}

#[test]
fn what_vex_suppressed_stays_suppressed_whatever_policy_says() {
    let (target, mut finding) = (target(), finding());
    finding.status = FindingStatus::NotAffected;
    finding.quieted = true;
    let inputs = PolicyInputs { finding: &finding, target: &target, epss: None, age_days: 0 };
    let after = policy(&rule("'true'", "block")).apply(&inputs, now());
    assert!(after.quieted);
    assert_eq!(after.verdict, Some(Verdict::Block));
}

#[test]
fn the_first_rule_that_holds_decides_and_is_explained_with_its_inputs() {
    let found = after(
        r#"
policy: release gate
rules:
  - {name: exploited, when: kev, verdict: block, reason: exploited in the wild}
  - name: the till waits
    when: |
      severity in ["high", "critical"]
        && target.labels.team == "till"
    verdict: warn
    reason: fixed with the next release
  - {name: the rest, when: "true", verdict: quiet, reason: noise}
"#,
    );
    assert_eq!((found.verdict, found.rule.as_deref()), (Some(Verdict::Warn), Some("the till waits")));
    let [record, step] = found.explain.as_slice() else { panic!("{:?}", found.explain) };
    assert_eq!(record.source, "PYSEC-2026-1");
    assert_eq!(step.source, "Policy release gate: the till waits");
    assert_eq!(
        step.matched,
        "`severity in [\"high\", \"critical\"]\n  && target.labels.team == \"till\"` holds with severity = \"high\", \
         target = prod/registry.example/shop/shop@1.2 {team=till}: warn (fixed with the next release)"
    );
}

#[test]
fn an_expired_rule_is_skipped_and_the_explanation_says_so() {
    let source = "
- {name: patience, when: fixed, verdict: ignore, reason: not yet, expires: 2026-11-20}
- {name: last, when: fixed, verdict: warn, reason: now, expires: 2026-11-21}
";
    let found = after(source);
    assert_eq!(found.rule.as_deref(), Some("last"), "a day lasts until its end");
    assert_eq!(found.explain[1].matched, "`fixed` holds, but the rule has expired and is skipped");
    let warnings = policy(source).expired(now());
    let told: Vec<_> = warnings.iter().map(|one| (one.code, one.line, one.rule.as_deref())).collect();
    assert_eq!(told, [(Code::Expired, 2, Some("patience"))]);
}

#[test]
fn a_rule_without_an_answer_is_told_and_the_next_one_asked() {
    let found = after(
        "
- {name: unknown label, when: target.labels.owner == 'x', verdict: block, reason: why}
- {name: next, when: kev || fixed, verdict: warn, reason: why}
",
    );
    assert_eq!(found.rule.as_deref(), Some("next"));
    assert_eq!(
        found.explain[1].matched,
        "`target.labels.owner == 'x'` has no answer here: No such key: owner"
    );
}

#[test]
fn every_fault_is_named_with_its_line_its_rule_and_what_to_write_instead() {
    let cases: [(&str, Code, u32, Option<&str>, &str); 16] = [
        ("rules: [", Code::Yaml, 1, None, ""),
        ("rules: 7", Code::Shape, 1, None, "name, when, verdict, reason"),
        ("- name: a\n  when: kev\n  verdict: block\n", Code::Shape, 3, None, "reason"),
        ("- {name: a, when: kev, verdict: block, reason: b, extra: c}", Code::Shape, 1, None, "extra"),
        (
            "- {name: a, when: kev, verdict: deny, reason: b}",
            Code::Shape,
            1,
            Some("a"),
            "block, warn, ignore or quiet",
        ),
        ("- {name: a, when: kev, verdict: warn, reason: ' '}", Code::Shape, 1, Some("a"), "empty"),
        (
            "- {name: a, when: kev, verdict: warn, reason: b, expires: tomorrow}",
            Code::Shape,
            1,
            Some("a"),
            "2027-01-31",
        ),
        (
            "- {name: a, when: kev, verdict: warn, reason: b}\n- {name: a, when: fixed, verdict: warn, reason: b}",
            Code::DuplicateName,
            2,
            Some("a"),
            "line 1",
        ),
        (
            "- name: a\n  verdict: warn\n  reason: b\n  when: severty == 'high'\n",
            Code::UnknownName,
            4,
            Some("a"),
            "severity",
        ),
        (
            "- name: a\n  verdict: warn\n  reason: b\n  when: |\n    kev ||\n      severty == 'high'\n",
            Code::UnknownName,
            6,
            Some("a"),
            "severty",
        ),
        (
            "- {name: a, when: target.team == 'x', verdict: warn, reason: b}",
            Code::UnknownName,
            1,
            Some("a"),
            "labels",
        ),
        (
            "- {name: a, when: shout(name), verdict: warn, reason: b}",
            Code::UnknownName,
            1,
            Some("a"),
            "shout",
        ),
        ("- {name: a, when: kev &&, verdict: warn, reason: b}", Code::Expression, 1, Some("a"), ""),
        (
            "- {name: a, when: severity > 3, verdict: warn, reason: b}",
            Code::Expression,
            1,
            Some("a"),
            "overload",
        ),
        ("- {name: a, when: score, verdict: warn, reason: b}", Code::NotBoolean, 1, Some("a"), "yes or no"),
        (
            "- {name: a, when: 'name.matches(\"(\")', verdict: warn, reason: b}",
            Code::Expression,
            1,
            Some("a"),
            "pattern",
        ),
    ];
    for (source, code, line, rule, says) in cases {
        let problems = parse_policy(source).expect_err(source);
        let first = &problems[0];
        assert_eq!((first.code, first.line, first.rule.as_deref()), (code, line, rule), "{source}: {first}");
        assert!(first.message.contains(says), "{source}: {first}");
    }
}

#[test]
fn several_faults_are_told_at_once_in_the_order_of_their_lines() {
    let problems = parse_policy(
        "- {name: a, when: nothing, verdict: warn, reason: b}\n- {name: c, when: kev, verdict: deny, reason: d}\n- {name: e, when: fixed &&, verdict: warn, reason: f}",
    )
    .expect_err("three rules are wrong");
    let lines: Vec<u32> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 2, 3]);
}

#[test]
fn what_would_take_too_much_work_is_refused_before_it_is_asked() {
    let list = format!("[{}]", vec!["1"; 300].join(", "));
    let nested = format!("{list}.all(a, {list}.all(b, a == b))");
    let deep = format!("{}kev{}", "(".repeat(40), ")".repeat(40));
    let signs = format!("{}kev", "!".repeat(60));
    let long = format!("kev{}", " || kev".repeat(400));
    let aliases = "aliases.all(a, aliases.all(b, aliases.all(c, a == c)))".to_owned();
    for when in [nested, deep, signs, long, aliases] {
        let problems = parse_policy(&rule(&format!("'{when}'"), "warn")).expect_err(&when);
        assert_eq!(problems[0].code, Code::TooLarge, "{}", problems[0]);
    }
    let many = "- {name: a, when: kev, verdict: warn, reason: b}\n".repeat(501);
    assert_eq!(parse_policy(&many).expect_err("too many").first().map(|one| one.code), Some(Code::TooLarge));
    let large = format!("# {}\n{}", "x".repeat(300 * 1024), rule("kev", "warn"));
    assert_eq!(
        parse_policy(&large).expect_err("too large").first().map(|one| one.code),
        Some(Code::TooLarge)
    );
}

#[test]
fn layout_and_comments_do_not_make_another_policy_and_a_name_does() {
    let plain = policy("- {name: a, when: kev, verdict: block, reason: b}");
    let laid_out = policy("# why\nrules:\n\n  - name: a\n    when: kev\n    verdict: block\n    reason: b\n");
    let named = policy("policy: other\nrules:\n  - {name: a, when: kev, verdict: block, reason: b}");
    assert_eq!(plain.canonical(), laid_out.canonical());
    assert_ne!(plain.canonical(), named.canonical());
    assert_eq!((plain.name(), named.name()), ("default", "other"));
    assert!(plain.asks_for("kev") && !plain.asks_for("target"));
}

#[test]
fn a_policy_of_no_rules_says_nothing() {
    let found = after("[]");
    assert_eq!(found, finding());
    assert_eq!(policy("rules: []").rules().len(), 0);
    assert_eq!(policy("").rules().len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_read_or_refused(text in "[a-z(){}\\[\\]!?:.<>=&|'\"0-9 ,+-]{0,80}") {
        let quoted = text.replace('\'', "''");
        drop(parse_policy(&rule(&format!("'{quoted}'"), "warn")));
        drop(parse_policy(&text));
    }
}
