//! Policy: ordered rules over findings. A text is read once into a [`Policy`], which then judges findings one by one;
//! the first rule whose expression is true decides.
//!
//! * `document` reads the YAML, with the line of everything
//! * `expression` reads one expression and bounds what it may cost
//! * `inputs` gives expressions the finding and its target

mod document;
mod expression;
mod inputs;

pub use inputs::{PolicyInputs, PolicyTarget};

use crate::finding::Finding;
use cel::{Context, Env, ExecutionError, Value};
use expression::Expression;
use serde_json::json;
use std::sync::Arc;
use stella_contract::finding::{ExplainStep, FindingStatus};
use stella_contract::policy::{PolicyProblem, PolicyProblemCode, PolicyRule, Verdict};
use stella_contract::time::Micros;

/// The name of a policy that gives itself none.
pub const DEFAULT_POLICY: &str = "default";

/// Rules that can be asked.
pub struct Policy {
    name: String,
    rules: Vec<Rule>,
    env: Arc<Env>,
}

/// A rule with its expression read.
struct Rule {
    said: PolicyRule,
    line: u32,
    expression: Expression,
}

/// What a policy says of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The place of the rule that decided, among the policy's rules.
    pub rule: Option<usize>,
    /// The places of rules whose expression had no answer.
    pub failed: Vec<usize>,
    /// What is worth telling, in order.
    pub steps: Vec<ExplainStep>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({}, {} rules)", self.name, self.rules.len())
    }
}

/// Reads a policy, or says everything that is wrong with it.
pub fn parse_policy(source: &str) -> Result<Policy, Vec<PolicyProblem>> {
    let document = document::read(source).map_err(|problem| vec![problem])?;
    let mut problems = document.problems;
    let env = Arc::new(Env::stdlib());
    let texts = document.rules.iter().map(|rule| rule.said.when.clone()).collect();
    let mut rules = Vec::with_capacity(document.rules.len());
    for (read, expression) in document.rules.into_iter().zip(expression::read_all(texts)) {
        match expression.and_then(|expression| expression::prove(&env, expression)) {
            Ok(expression) => rules.push(Rule { line: read.line, said: read.said, expression }),
            Err(fault) => problems.push(read.problem(fault)),
        }
    }
    if problems.is_empty() {
        return Ok(Policy { name: document.name, rules, env });
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

impl Policy {
    /// Its name; runs under policies of one name are compared with one another.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules, in order.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &PolicyRule> {
        self.rules.iter().map(|rule| &rule.said)
    }

    /// What its digest is taken over: all that decides, and neither layout nor comments.
    pub fn canonical(&self) -> serde_json::Value {
        let rules: Vec<&PolicyRule> = self.rules().collect();
        json!({ "policy": self.name, "rules": rules })
    }

    /// Whether any rule asks for this variable.
    pub fn asks_for(&self, variable: &str) -> bool {
        self.rules.iter().any(|rule| rule.expression.variables.contains(variable))
    }

    /// The rules that no longer hold.
    pub fn expired(&self, now: Micros) -> Vec<PolicyProblem> {
        let expired = self.rules.iter().filter(|rule| rule.is_expired(now));
        expired
            .map(|rule| PolicyProblem {
                line: rule.line,
                column: 0,
                rule: Some(rule.said.name.clone()),
                code: PolicyProblemCode::Expired,
                message: "the rule has expired and is skipped; remove it or give it a later `expires`"
                    .to_owned(),
            })
            .collect()
    }

    /// Whether the rule at this place no longer holds.
    pub fn is_expired(&self, place: usize, now: Micros) -> bool {
        self.rules.get(place).is_some_and(|rule| rule.is_expired(now))
    }

    /// What it says of a finding at this time.
    pub fn judge(&self, inputs: &PolicyInputs<'_>, now: Micros) -> Judgement {
        let mut context = Context::with_env(self.env.clone());
        for name in expression::VARIABLES.iter().filter(|name| self.asks_for(name)) {
            context.add_variable_from_value(*name, inputs.value(name));
        }
        let mut judgement = Judgement::default();
        for (place, rule) in self.rules.iter().enumerate() {
            match (rule.expression.program.execute(&context), rule.is_expired(now)) {
                (Ok(Value::Bool(true)), false) => {
                    judgement.rule = Some(place);
                    judgement.steps.push(self.step(rule, &rule.fired(inputs)));
                    break;
                }
                (Ok(Value::Bool(true)), true) => {
                    let skipped =
                        format!("`{}` holds, but the rule has expired and is skipped", rule.said.when);
                    judgement.steps.push(self.step(rule, &skipped));
                }
                (Ok(_), _) => {}
                (Err(_), true) => {}
                (Err(error), false) => {
                    judgement.failed.push(place);
                    let unknown = format!("`{}` has no answer here: {}", rule.said.when, said(&error));
                    judgement.steps.push(self.step(rule, &unknown));
                }
            }
        }
        judgement
    }

    /// The finding as it is after what the policy says of it.
    pub fn apply(&self, inputs: &PolicyInputs<'_>, now: Micros) -> Finding {
        let judgement = self.judge(inputs, now);
        let rule = judgement.rule.and_then(|place| self.rules.get(place)).map(|rule| &rule.said);
        let mut after = inputs.finding.clone();
        after.verdict = rule.map(|rule| rule.verdict);
        after.rule = rule.map(|rule| rule.name.clone());
        after.quieted = is_quieted(after.status, after.verdict);
        after.explain.extend(judgement.steps);
        after
    }

    fn step(&self, rule: &Rule, matched: &str) -> ExplainStep {
        ExplainStep {
            source: format!("Policy {}: {}", self.name, rule.said.name),
            matched: matched.to_owned(),
            aliases: Vec::new(),
            kev: false,
        }
    }
}

/// Whether VEX or policy suppresses a finding.
pub fn is_quieted(status: FindingStatus, verdict: Option<Verdict>) -> bool {
    let by_vex = match status {
        FindingStatus::NotAffected | FindingStatus::Fixed => true,
        FindingStatus::Affected | FindingStatus::UnderInvestigation => false,
    };
    by_vex || verdict.is_some_and(Verdict::quiets)
}

impl Rule {
    fn is_expired(&self, now: Micros) -> bool {
        self.said.expires.is_some_and(|expires| expires <= now)
    }

    /// The rule that fired, with what it was given.
    fn fired(&self, inputs: &PolicyInputs<'_>) -> String {
        let given: Vec<String> =
            self.expression.variables.iter().map(|name| format!("{name} = {}", inputs.shown(name))).collect();
        let with = if given.is_empty() { String::new() } else { format!(" with {}", given.join(", ")) };
        format!("`{}` holds{with}: {} ({})", self.said.when, self.said.verdict, self.said.reason)
    }
}

/// A failure in words that do not repeat whole values.
fn said(error: &ExecutionError) -> String {
    let text = error.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
