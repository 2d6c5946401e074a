//! One expression: read, held against the names there are, and bounded in what it may cost before it is ever asked.

use super::inputs::{MOST_ITEMS, PolicyInputs, PolicyTarget};
use crate::finding::Finding;
use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, LiteralValue};
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::finding::{FindingStatus, Severity};
use stella_contract::policy::{POLICY_TARGET_FIELDS, POLICY_VARIABLES, PolicyProblemCode as Code};

/// The longest expression, in characters.
const MAX_CHARS: usize = 2_000;
/// How deep brackets, signs and questions may be nested.
const MAX_DEPTH: usize = 24;
/// The most work one judgement of one rule may make, in parts of the expression that are looked at.
const MAX_COST: usize = 10_000;
/// The longest pattern of `matches`, in characters.
const MAX_PATTERN: usize = 200;
/// The most memory a pattern may take, in bytes.
const MAX_PATTERN_BYTES: usize = 64 * 1024;
/// Room for the reader, which goes as deep as an expression is nested.
const STACK: usize = 32 * 1024 * 1024;

/// The names of all variables.
pub(super) const VARIABLES: [&str; POLICY_VARIABLES.len()] = {
    let mut names = [""; POLICY_VARIABLES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = POLICY_VARIABLES[at].name;
        at += 1;
    }
    names
};

/// Functions beside the operators.
const FUNCTIONS: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "type",
    "dyn",
];

/// An expression that can be asked.
pub(super) struct Expression {
    pub(super) program: Program,
    /// The variables it asks for.
    pub(super) variables: BTreeSet<&'static str>,
}

/// What is wrong with an expression, and where in it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) code: Code,
    pub(super) message: String,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { line: 1, column: 1, code, message: message.into() }
    }
}

/// Reads expressions. The reader of the library goes deep and, on texts nobody foresaw, may fall over its own feet:
/// it gets a thread with room, and what makes it fall is refused like any other expression.
pub(super) fn read_all(texts: Vec<String>) -> Vec<Result<Expression, Fault>> {
    texts.into_iter().map(read_aside).collect()
}

fn read_aside(text: String) -> Result<Expression, Fault> {
    refuse_size(&text)?;
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(move || read(&text));
    let unreadable = || Fault::new(Code::Expression, "the expression cannot be read; write it more simply");
    reader.map_err(|_| unreadable())?.join().map_err(|_| unreadable())?
}

fn refuse_size(text: &str) -> Result<(), Fault> {
    if text.chars().count() > MAX_CHARS {
        let message = format!("an expression has at most {MAX_CHARS} characters; make it two rules");
        return Err(Fault::new(Code::TooLarge, message));
    }
    if nesting(text) > MAX_DEPTH {
        let message = format!("the expression is nested deeper than {MAX_DEPTH} levels; make it two rules");
        return Err(Fault::new(Code::TooLarge, message));
    }
    Ok(())
}

/// How deep the text may lead a reader: open brackets, questions, and signs in a row. Texts in quotes count like others,
/// which refuses too much rather than too little.
fn nesting(text: &str) -> usize {
    let (mut open, mut deepest, mut questions, mut signs, mut most_signs) = (0_usize, 0, 0, 0_usize, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' => questions += 1,
            _ => {}
        }
        signs = if matches!(letter, '!' | '-') {
            signs + 1
        } else if letter.is_whitespace() {
            signs
        } else {
            0
        };
        most_signs = most_signs.max(signs);
        deepest = deepest.max(open);
    }
    deepest + questions + most_signs
}

fn read(text: &str) -> Result<Expression, Fault> {
    let program = Program::compile(text).map_err(|errors| {
        let first = errors.errors.first();
        let (line, column) = first.map_or((1, 1), |error| error.pos);
        let whole = |number: isize| u32::try_from(number).unwrap_or(1);
        let message =
            first.map_or_else(|| "the expression cannot be read".to_owned(), |error| error.msg.clone());
        Fault { line: whole(line), column: whole(column), code: Code::Expression, message }
    })?;
    let mut names = Names::default();
    let fault = names.look(program.expression(), &mut Vec::new()).err();
    if let Some((id, mut fault)) = fault {
        (fault.line, fault.column) = place(&program, text, id);
        return Err(fault);
    }
    if names.cost > MAX_COST {
        let message = "asking this expression would take too much work; nest fewer lists";
        return Err(Fault::new(Code::TooLarge, message));
    }
    Ok(Expression { program, variables: names.variables })
}

/// Line and column of a part of an expression.
fn place(program: &Program, text: &str, id: u64) -> (u32, u32) {
    let start = program.source_info().offset_for(id).map_or(0, |(start, _)| start as usize);
    let before: String = text.chars().take(start).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let small = |number: usize| u32::try_from(number).unwrap_or(1);
    (small(line), small(column))
}

/// What an expression names, and what asking it may cost.
#[derive(Default)]
struct Names {
    variables: BTreeSet<&'static str>,
    cost: usize,
    /// By how much the part that is looked at is repeated.
    times: Vec<usize>,
}

type Looked = Result<(), (u64, Fault)>;

impl Names {
    /// `own` are the names that macros give to the items of lists.
    fn look<'e>(&mut self, part: &'e IdedExpr, own: &mut Vec<&'e str>) -> Looked {
        let times = self.times.iter().fold(1_usize, |all, times| all.saturating_mul(*times));
        self.cost = self.cost.saturating_add(times);
        match &part.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.variable(part.id, name, own),
            Expr::Call(call) => {
                known_function(part.id, &call.func_name)?;
                if call.func_name == "matches" {
                    let pattern = call.args.last();
                    check_pattern(part.id, pattern)?;
                }
                call.target.iter().try_for_each(|target| self.look(target, own))?;
                call.args.iter().try_for_each(|argument| self.look(argument, own))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.look(item, own)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(entry, own)),
            Expr::Struct(_) => Err((
                part.id,
                Fault::new(Code::UnknownName, "there are no messages here; compare fields one by one"),
            )),
            Expr::Select(select) => {
                let of_target = matches!(&select.operand.expr, Expr::Ident(name) if name == "target");
                if of_target && !POLICY_TARGET_FIELDS.contains(&select.field.as_str()) {
                    let message = format!(
                        "`target` has no `{}`; it has {}",
                        select.field,
                        POLICY_TARGET_FIELDS.join(", ")
                    );
                    return Err((part.id, Fault::new(Code::UnknownName, message)));
                }
                self.look(&select.operand, own)
            }
            Expr::Comprehension(over) => {
                self.look(&over.iter_range, own)?;
                self.look(&over.accu_init, own)?;
                let before = own.len();
                own.push(&over.iter_var);
                own.extend(over.iter_var2.as_deref());
                own.push(&over.accu_var);
                self.times.push(size(&over.iter_range));
                let inside = self.look(&over.loop_cond, own).and_then(|()| self.look(&over.loop_step, own));
                self.times.pop();
                let result = inside.and_then(|()| self.look(&over.result, own));
                own.truncate(before);
                result
            }
        }
    }

    fn entry<'e>(&mut self, entry: &'e IdedEntryExpr, own: &mut Vec<&'e str>) -> Looked {
        match &entry.expr {
            EntryExpr::StructField(field) => self.look(&field.value, own),
            EntryExpr::MapEntry(entry) => {
                self.look(&entry.key, own)?;
                self.look(&entry.value, own)
            }
        }
    }

    fn variable(&mut self, id: u64, name: &str, own: &[&str]) -> Looked {
        if own.contains(&name) || name.starts_with('@') {
            return Ok(());
        }
        if let Some(known) = VARIABLES.iter().find(|known| **known == name) {
            self.variables.insert(known);
            return Ok(());
        }
        let message = format!("there is no variable `{name}`; there are {}", VARIABLES.join(", "));
        Err((id, Fault::new(Code::UnknownName, message)))
    }
}

/// Operators have names that no word can have.
fn known_function(id: u64, name: &str) -> Looked {
    let is_operator = name.starts_with(['_', '!', '-', '@']);
    if is_operator || FUNCTIONS.contains(&name) {
        return Ok(());
    }
    let message = format!("there is no function `{name}`; there are {}", FUNCTIONS.join(", "));
    Err((id, Fault::new(Code::UnknownName, message)))
}

fn check_pattern(id: u64, pattern: Option<&IdedExpr>) -> Looked {
    let fault = |message: String| Err((id, Fault::new(Code::Expression, message)));
    let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|pattern| &pattern.expr) else {
        return fault("the pattern of `matches` is written as a text in quotes".to_owned());
    };
    let pattern = pattern.inner();
    if pattern.chars().count() > MAX_PATTERN {
        return fault(format!("a pattern has at most {MAX_PATTERN} characters"));
    }
    match regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build() {
        Ok(_) => Ok(()),
        Err(error) => fault(format!("the pattern cannot be used: {}", error.to_string().replace('\n', " "))),
    }
}

/// The most items that what stands here can have.
fn size(part: &IdedExpr) -> usize {
    match &part.expr {
        Expr::List(list) => list.elements.len(),
        Expr::Map(map) => map.entries.len(),
        Expr::Call(call) => {
            let parts = call.args.iter().chain(call.target.as_deref());
            parts.map(size).fold(0_usize, usize::saturating_add).max(MOST_ITEMS)
        }
        Expr::Comprehension(over) => size(&over.iter_range),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Select(_) | Expr::Struct(_) => {
            MOST_ITEMS
        }
    }
}

/// Asks the expression about two made-up findings, so that what can never be true or false is refused before it is kept.
pub(super) fn prove(env: &Arc<Env>, expression: Expression) -> Result<Expression, Fault> {
    let (full, bare) = samples();
    for (finding, target) in [&full, &bare] {
        let inputs = PolicyInputs { finding, target, epss: Some(0.5), age_days: 1 };
        let mut context = Context::with_env(env.clone());
        for name in &expression.variables {
            context.add_variable_from_value(*name, inputs.value(name));
        }
        match expression.program.execute(&context) {
            // Labels differ from target to target.
            Ok(Value::Bool(_)) | Err(ExecutionError::NoSuchKey(_)) => {}
            Ok(other) => {
                let message =
                    format!("the expression gives a {}, not yes or no; compare it", other.type_of());
                return Err(Fault::new(Code::NotBoolean, message));
            }
            Err(error) => return Err(Fault::new(Code::Expression, super::said(&error))),
        }
    }
    Ok(expression)
}

fn samples() -> ((Finding, PolicyTarget), (Finding, PolicyTarget)) {
    let full = Finding {
        purl: "pkg:pypi/a@1".to_owned(),
        vulnerability_id: "CVE-2026-0001".to_owned(),
        ecosystem: "PyPI".to_owned(),
        name: "a".to_owned(),
        version: "1".to_owned(),
        record_ids: vec!["PYSEC-2026-1".to_owned()],
        aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
        severity: Severity::Critical,
        score: Some(9.8),
        vector: None,
        kev: true,
        status: FindingStatus::Affected,
        quieted: false,
        verdict: None,
        rule: None,
        fixed_version: Some("2".to_owned()),
        summary: None,
        explain: Vec::new(),
    };
    let bare = Finding {
        severity: Severity::Unknown,
        score: None,
        kev: false,
        fixed_version: None,
        aliases: Vec::new(),
        ..full.clone()
    };
    let target = PolicyTarget { name: "app".to_owned(), ..PolicyTarget::default() };
    ((full, target.clone()), (bare, target))
}
