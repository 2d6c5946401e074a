//! What expressions are asked about: a finding, and the target it is in.

use crate::finding::Finding;
use cel::Value;
use std::collections::{BTreeMap, HashMap};
use stella_contract::policy::severity_level;

/// Aliases and labels that expressions see; the work of a rule is bounded by it.
pub(super) const MOST_ITEMS: usize = 64;

/// A target as expressions see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyTarget {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it runs.
    pub namespace: String,
    /// Where it comes from.
    pub repository: String,
    /// Its image digest.
    pub digest: String,
    /// Free words.
    pub labels: BTreeMap<String, String>,
}

/// What one judgement is about.
#[derive(Debug, Clone, Copy)]
pub struct PolicyInputs<'a> {
    /// The finding, after VEX.
    pub finding: &'a Finding,
    /// The target it is in.
    pub target: &'a PolicyTarget,
    /// How likely it is exploited, 0 to 1.
    pub epss: Option<f64>,
    /// Whole days since it was first seen there.
    pub age_days: i64,
}

impl PolicyInputs<'_> {
    /// The value of a variable; nothing for a name that is none, which no expression that was read has.
    pub(super) fn value(&self, name: &str) -> Value {
        let finding = self.finding;
        match name {
            "severity" => text(finding.severity.as_str()),
            "severityLevel" => Value::Int(severity_level(finding.severity)),
            "score" => Value::Float(finding.score.unwrap_or(0.0)),
            "kev" => Value::Bool(finding.kev),
            "epss" => Value::Float(self.epss.unwrap_or(0.0)),
            "purl" => text(&finding.purl),
            "name" => text(&finding.name),
            "version" => text(&finding.version),
            "ecosystem" => text(&finding.ecosystem),
            "vulnerability" => text(&finding.vulnerability_id),
            "aliases" => Value::List(
                finding.aliases.iter().take(MOST_ITEMS).map(|name| text(name)).collect::<Vec<_>>().into(),
            ),
            "fixed" => Value::Bool(finding.fixed_version.is_some()),
            "fixedVersion" => text(finding.fixed_version.as_deref().unwrap_or_default()),
            "status" => text(finding.status.as_str()),
            "ageDays" => Value::Int(self.age_days),
            "target" => self.target.value(),
            _ => Value::Null,
        }
    }

    /// The value of a variable as an explanation shows it.
    pub(super) fn shown(&self, name: &str) -> String {
        match self.value(name) {
            Value::String(text) => format!("\"{text}\""),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Bool(truth) => truth.to_string(),
            Value::List(_) => format!("[{}]", self.finding.aliases.join(", ")),
            Value::Map(_) => self.target.shown(),
            other => format!("{other:?}"),
        }
    }
}

impl PolicyTarget {
    fn value(&self) -> Value {
        let labels: HashMap<String, Value> =
            self.labels.iter().take(MOST_ITEMS).map(|(key, value)| (key.clone(), text(value))).collect();
        Value::from(HashMap::from([
            ("name", text(&self.name)),
            ("version", text(&self.version)),
            ("namespace", text(&self.namespace)),
            ("repository", text(&self.repository)),
            ("digest", text(&self.digest)),
            ("labels", Value::from(labels)),
        ]))
    }

    fn shown(&self) -> String {
        let place = [&self.namespace, &self.repository].into_iter().filter(|part| !part.is_empty());
        let place: String = place.map(|part| format!("{part}/")).collect();
        let version = if self.version.is_empty() { String::new() } else { format!("@{}", self.version) };
        let labels: Vec<String> = self.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!(" {{{}}}", labels.join(", ")) };
        format!("{place}{}{version}{labels}", self.name)
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}
