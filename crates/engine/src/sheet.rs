//! A file that grows thing by thing: NDJSON, or CSV with a heading.

use crate::error::Error;
use serde_json::Value;
use stella_contract::dead_letter::ExportFormat;

/// The file.
pub(crate) enum Sheet {
    Ndjson { text: String, count: u64 },
    Csv { writer: Box<csv::Writer<Vec<u8>>>, headings: Vec<&'static str>, count: u64 },
}

impl Sheet {
    /// An empty file. Of CSV the headings are the columns: fields of a thing, `deltas.newHigh` a field of a field.
    pub(crate) fn new(format: ExportFormat, headings: Vec<&'static str>) -> Result<Self, Error> {
        Ok(match format {
            ExportFormat::Ndjson => Self::Ndjson { text: String::new(), count: 0 },
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                writer.write_record(&headings).map_err(Error::internal)?;
                Self::Csv { writer: Box::new(writer), headings, count: 0 }
            }
        })
    }

    /// Adds a thing.
    pub(crate) fn add(&mut self, thing: &Value) -> Result<(), Error> {
        match self {
            Self::Ndjson { text, count } => {
                text.push_str(&serde_json::to_string(thing).map_err(Error::internal)?);
                text.push('\n');
                *count += 1;
            }
            Self::Csv { writer, headings, count } => {
                let field = |heading: &str| heading.split('.').try_fold(thing, |inner, name| inner.get(name));
                writer
                    .write_record(headings.iter().map(|heading| cell_of(field(heading))))
                    .map_err(Error::internal)?;
                *count += 1;
            }
        }
        Ok(())
    }

    /// How many things there are in it.
    pub(crate) const fn count(&self) -> u64 {
        match self {
            Self::Ndjson { count, .. } | Self::Csv { count, .. } => *count,
        }
    }

    /// The whole file.
    pub(crate) fn end(self) -> Result<String, Error> {
        Ok(match self {
            Self::Ndjson { text, .. } => text,
            Self::Csv { writer, .. } => {
                let bytes = writer.into_inner().map_err(Error::internal)?;
                String::from_utf8(bytes).map_err(Error::internal)?
            }
        })
    }
}

/// A value as a cell; numbers of ours are never below zero.
fn cell_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cell(text),
        Some(other) => cell(&other.to_string()),
    }
}

/// A text as a cell. Programs for sheets take text that begins with one of these signs for a formula and run it, so an
/// apostrophe is put before it.
pub(crate) fn cell(text: &str) -> String {
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if text.starts_with(signs) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (value, expected) in [
            (json!("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!("@sum(a1)"), "'@sum(a1)"),
            (json!("\t=1"), "'\t=1"),
            (json!("\u{ff1d}1"), "'\u{ff1d}1"),
            (json!("plain = text"), "plain = text"),
            (json!(3), "3"),
            (json!(true), "true"),
            (json!(null), ""),
        ] {
            assert_eq!(cell_of(Some(&value)), expected);
        }
        assert_eq!(cell_of(None), "");
    }

    #[test]
    fn a_heading_may_name_a_field_of_a_field() {
        let mut sheet = Sheet::new(ExportFormat::Csv, vec!["id", "deltas.newHigh", "deltas.gone"]).unwrap();
        sheet.add(&json!({ "id": "a", "deltas": { "newHigh": 2 } })).unwrap();
        assert_eq!(
            (sheet.count(), sheet.end().unwrap().as_str()),
            (1, "id,deltas.newHigh,deltas.gone\na,2,\n")
        );
    }
}
