//! A payload that is being edited: whether it is JSON, where it is not, and what differs from the original.

use serde_json::Value;

/// What stands in place of a secret in what the core shows.
const HIDDEN: &str = "[redacted]";
/// Differences that are listed.
const MOST: usize = 50;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// Where: `$.window.start`.
    pub path: String,
    /// What stood there; nothing where it is new.
    pub was: Option<String>,
    /// What stands there; nothing where it is gone.
    pub is: Option<String>,
}

/// What was typed, judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judged {
    /// Not JSON, and where.
    Broken(String),
    /// JSON, but no object.
    NoObject,
    /// As it was.
    Same,
    /// Another one; these differ, and whether secrets still have to be filled in.
    Other { value: Value, differences: Vec<Difference>, hidden: bool },
}

impl Judged {
    /// The payload to send; nothing where the original does.
    pub(super) fn payload(&self) -> Option<Value> {
        match self {
            Self::Other { value, .. } => Some(value.clone()),
            Self::Broken(_) | Self::NoObject | Self::Same => None,
        }
    }

    /// Why it cannot be sent.
    pub(super) fn blocked(&self) -> Option<&'static str> {
        match self {
            Self::Broken(_) => Some("The payload is not JSON"),
            Self::NoObject => Some("The payload must be an object"),
            Self::Other { hidden: true, .. } => {
                Some("Fill in what is [redacted]: it would be sent as it stands")
            }
            Self::Same | Self::Other { hidden: false, .. } => None,
        }
    }
}

/// The text an editor begins with.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Judges what was typed against the original.
pub(super) fn judge(original: &Value, typed: &str) -> Judged {
    let value: Value = match serde_json::from_str(typed) {
        Ok(value) => value,
        Err(error) => {
            return Judged::Broken(format!(
                "Line {}, column {}: {}",
                error.line(),
                error.column(),
                said(&error)
            ));
        }
    };
    if !value.is_object() {
        return Judged::NoObject;
    }
    if value == *original {
        return Judged::Same;
    }
    let mut differences = Vec::new();
    compare("$", Some(original), Some(&value), &mut differences);
    let hidden = holds_hidden(&value);
    Judged::Other { value, differences, hidden }
}

/// The parser's words without the place it repeats.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn compare(path: &str, was: Option<&Value>, is: Option<&Value>, out: &mut Vec<Difference>) {
    if was == is || out.len() >= MOST {
        return;
    }
    match (was, is) {
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                compare(&format!("{path}.{name}"), was.get(name), is.get(name), out);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            for at in 0..was.len().max(is.len()) {
                compare(&format!("{path}[{at}]"), was.get(at), is.get(at), out);
            }
        }
        (was, is) => out.push(Difference {
            path: path.to_owned(),
            was: was.map(Value::to_string),
            is: is.map(Value::to_string),
        }),
    }
}

fn holds_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(HIDDEN),
        Value::Array(items) => items.iter().any(holds_hidden),
        Value::Object(fields) => fields.values().any(holds_hidden),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_by_its_path() {
        let original = json!({"limit": 10, "window": {"start": "a", "end": "b"}, "tags": ["x"]});
        let typed = r#"{"limit": 20, "window": {"start": "a"}, "tags": ["x", "y"], "note": "n"}"#;
        let Judged::Other { differences, hidden, .. } = judge(&original, typed) else { panic!("it differs") };
        let lines: Vec<String> = differences
            .iter()
            .map(|one| format!("{} {:?} {:?}", one.path, one.was.as_deref(), one.is.as_deref()))
            .collect();
        assert_eq!(
            lines,
            [
                r#"$.limit Some("10") Some("20")"#,
                r#"$.note None Some("\"n\"")"#,
                r#"$.tags[1] None Some("\"y\"")"#,
                r#"$.window.end Some("\"b\"") None"#,
            ]
        );
        assert!(!hidden);
    }

    #[test]
    fn blanks_and_order_are_no_difference() {
        assert_eq!(judge(&json!({"a": 1, "b": 2}), "{ \"b\": 2,\n \"a\": 1 }"), Judged::Same);
    }

    #[test]
    fn what_is_no_json_is_told_by_line_and_column() {
        let Judged::Broken(where_to) = judge(&json!({}), "{\n \"a\": ,\n}") else { panic!("it is broken") };
        assert_eq!(where_to, "Line 2, column 7: expected value");
        assert_eq!(judge(&json!({}), "[1]"), Judged::NoObject);
        assert!(judge(&json!({}), "[1]").blocked().is_some());
    }

    #[test]
    fn a_hidden_secret_is_not_sent_as_if_it_were_one() {
        let original = json!({"token": "[redacted]", "limit": 1});
        let judged = judge(&original, r#"{"token": "[redacted]", "limit": 2}"#);
        assert!(judged.blocked().is_some_and(|why| why.contains("[redacted]")));
        assert_eq!(judge(&original, r#"{"token": "t", "limit": 2}"#).blocked(), None);
        assert_eq!(judge(&original, &pretty(&original)).blocked(), None, "the original goes as it is stored");
    }
}
