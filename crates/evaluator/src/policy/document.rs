//! The YAML of a policy: a list of rules, or `policy` with its name and `rules`.

use super::DEFAULT_POLICY;
use super::expression::Fault;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use std::collections::HashMap;
use stella_contract::policy::{
    LONGEST_POLICY, PolicyProblem, PolicyProblemCode as Code, PolicyRule, Verdict,
};
use stella_contract::time::Micros;

/// The most rules.
const MAX_RULES: usize = 500;
/// The longest name of a policy or a rule, in characters.
const MAX_NAME: usize = 100;
/// The longest reason, in characters.
const MAX_REASON: usize = 500;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a text says, and what is wrong with it beside its expressions.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) rules: Vec<ReadRule>,
    pub(super) problems: Vec<PolicyProblem>,
}

/// A rule with its place in the text.
pub(super) struct ReadRule {
    pub(super) said: PolicyRule,
    pub(super) line: u32,
    /// Where its expression begins.
    when: Place,
}

/// Where a text begins.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: u32,
    /// 0 where the columns of what stands there are not those of the text.
    column: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    policy: Option<Spanned<String>>,
    rules: Vec<Spanned<RuleText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: Spanned<String>,
    when: Spanned<String>,
    verdict: Spanned<String>,
    reason: Spanned<String>,
    expires: Option<Spanned<String>>,
}

impl ReadRule {
    /// A fault of its expression, at its place in the text.
    pub(super) fn problem(&self, fault: Fault) -> PolicyProblem {
        let below = fault.line.saturating_sub(1);
        let column = match (self.when.column, below) {
            (0, _) => 0,
            (first, 0) => first + fault.column.saturating_sub(1),
            (_, _) => fault.column,
        };
        let line = self.when.line + below;
        PolicyProblem {
            line,
            column,
            rule: Some(self.said.name.clone()),
            code: fault.code,
            message: fault.message,
        }
    }
}

/// Reads a text; what cannot be read at all is one problem.
pub(super) fn read(source: &str) -> Result<Document, PolicyProblem> {
    if source.len() > LONGEST_POLICY {
        return Err(whole(Code::TooLarge, format!("a policy has at most {LONGEST_POLICY} bytes; split it")));
    }
    let (name, rules) = if is_list(source) {
        (None, parse::<Vec<Spanned<RuleText>>>(source)?)
    } else {
        let named: Named = parse(source)?;
        (named.policy, named.rules)
    };
    if rules.len() > MAX_RULES {
        return Err(whole(Code::TooLarge, format!("a policy has at most {MAX_RULES} rules; join some")));
    }
    let mut problems = Vec::new();
    if let Some(name) = &name
        && let Some(message) = odd_text(&name.value, MAX_NAME)
    {
        problems.push(problem(name.referenced, None, Code::Shape, format!("the policy's name {message}")));
    }
    let mut first_line: HashMap<String, u64> = HashMap::new();
    let mut read = Vec::with_capacity(rules.len());
    for rule in rules {
        let (name, at) = (&rule.value.name.value, rule.value.name.referenced);
        if let Some(line) = first_line.get(name) {
            let message = format!("another rule in line {line} has this name; give each its own");
            problems.push(problem(at, Some(name), Code::DuplicateName, message));
        }
        first_line.entry(name.clone()).or_insert(at.line());
        read.extend(read_rule(source, rule, &mut problems));
    }
    let name = name.map_or_else(|| DEFAULT_POLICY.to_owned(), |name| name.value.trim().to_owned());
    Ok(Document { name, rules: read, problems })
}

/// Whether the text is a list of rules and not a policy with a name.
fn is_list(source: &str) -> bool {
    let says = |line: &&str| !line.is_empty() && !line.starts_with(['#', '%']) && !line.starts_with("---");
    source.lines().map(str::trim).find(says).is_none_or(|line| line.starts_with(['-', '[']))
}

fn parse<T: for<'de> Deserialize<'de>>(source: &str) -> Result<T, PolicyProblem> {
    serde_saphyr::from_str(source).map_err(|error| {
        let at = error.location().unwrap_or(Location::UNKNOWN);
        // The reader's own sentence is the first line; a picture of the place may follow.
        let text = error.without_snippet().to_string();
        let line = text.lines().next().unwrap_or_default();
        // The place is told beside the message.
        let message = line.split_once(" at line ").map_or(line, |(message, _)| message);
        let code = if is_yaml(source) { Code::Shape } else { Code::Yaml };
        let help = "a rule has name, when, verdict, reason and, if it ends, expires";
        problem(at, None, code, format!("{message}; {help}"))
    })
}

/// Whether the text is YAML of any shape.
fn is_yaml(source: &str) -> bool {
    serde_saphyr::from_str::<serde::de::IgnoredAny>(source).is_ok()
}

fn read_rule(source: &str, rule: Spanned<RuleText>, problems: &mut Vec<PolicyProblem>) -> Option<ReadRule> {
    let RuleText { name, when, verdict, reason, expires } = rule.value;
    let before = problems.len();
    let mut refuse = |at: Location, code: Code, message: String| {
        problems.push(problem(at, Some(&name.value), code, message));
    };
    if let Some(message) = odd_text(&name.value, MAX_NAME) {
        refuse(name.referenced, Code::Shape, format!("the rule's name {message}"));
    }
    if let Some(message) = odd_text(&reason.value, MAX_REASON) {
        refuse(reason.referenced, Code::Shape, format!("the reason {message}"));
    }
    let said: Option<Verdict> = verdict.value.parse().ok();
    if said.is_none() {
        let message = format!("`{}` is no verdict; write block, warn, ignore or quiet", verdict.value);
        refuse(verdict.referenced, Code::Shape, message);
    }
    let until = expires.as_ref().map(|expires| (expires.referenced, end_of(&expires.value)));
    if let Some((at, None)) = until {
        refuse(at, Code::Shape, "write `expires` as 2027-01-31 or as 2027-01-31T12:00:00Z".to_owned());
    }
    let line = small(name.referenced.line());
    let when_at = place(source, when.referenced);
    let rule = PolicyRule {
        name: name.value.trim().to_owned(),
        when: when.value.trim().to_owned(),
        verdict: said?,
        reason: reason.value.trim().to_owned(),
        expires: until.and_then(|(_, end)| end),
    };
    (problems.len() == before).then_some(ReadRule { said: rule, line, when: when_at })
}

/// When something ends: a time, or the end of a day in UTC.
fn end_of(text: &str) -> Option<Micros> {
    let text = text.trim();
    Micros::parse(text).or_else(|| Some(Micros::parse(&format!("{text}T00:00:00Z"))?.plus_ms(DAY_MS)))
}

/// Where the words of a text begin: below the sign of a block.
fn place(source: &str, at: Location) -> Place {
    let (line, column) = (small(at.line()), small(at.column()));
    let of_line = source.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    match of_line.chars().nth((column as usize).saturating_sub(1)) {
        Some('|' | '>') => Place { line: line + 1, column: 0 },
        Some('"' | '\'') => Place { line, column: column + 1 },
        Some(_) | None => Place { line, column },
    }
}

/// Why a text cannot be taken.
fn odd_text(text: &str, most: usize) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return Some("is empty".to_owned());
    }
    if text.chars().count() > most {
        return Some(format!("has more than {most} characters"));
    }
    text.chars().any(char::is_control).then(|| "holds control characters".to_owned())
}

fn whole(code: Code, message: String) -> PolicyProblem {
    PolicyProblem { line: 0, column: 0, rule: None, code, message }
}

fn problem(at: Location, rule: Option<&str>, code: Code, message: String) -> PolicyProblem {
    let rule = rule.map(str::to_owned);
    PolicyProblem { line: small(at.line()), column: small(at.column()), rule, code, message }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
