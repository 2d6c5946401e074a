//! Errors about one input or one record in it: what, where, what next.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordCode {
    /// The bytes are not JSON, or not the archive they claim to be.
    ParseError,
    /// The JSON has another shape than its format asks for.
    SchemaMismatch,
    /// An id came twice; the newest record stays.
    DuplicateId,
    /// An input or a record is over its limit.
    TooLarge,
    /// There is nothing to read.
    Empty,
    /// A format or version we do not read.
    Unsupported,
    /// A component has no package URL.
    NoPurl,
    /// No advisory source we know speaks of this ecosystem.
    UnknownEcosystem,
}

impl RecordCode {
    /// The code as it stands in a job's result.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParseError => "parse_error",
            Self::SchemaMismatch => "schema_mismatch",
            Self::DuplicateId => "duplicate_id",
            Self::TooLarge => "too_large",
            Self::Empty => "empty",
            Self::Unsupported => "unsupported",
            Self::NoPurl => "no_purl",
            Self::UnknownEcosystem => "unknown_ecosystem",
        }
    }
}

/// One thing that is wrong with an input; the good records beside it are read all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub struct RecordError {
    /// The file inside an archive, or a line of NDJSON; empty for the input itself.
    pub file: String,
    /// The JSON path inside it, `.` for the whole.
    pub path: String,
    /// The code a client acts on.
    pub code: RecordCode,
    /// What is wrong and what to do.
    pub message: String,
}

impl RecordError {
    pub(crate) fn new(code: RecordCode, message: impl Into<String>) -> Self {
        Self { file: String::new(), path: ".".to_owned(), code, message: message.into() }
    }

    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        if self.path != "." {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// How deep JSON may be nested. The reader itself stops at this depth only in what it keeps; what it skips may
/// be deeper and would trip whoever reads the kept text later.
const MAX_DEPTH: usize = 128;

fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Reads JSON into a type; only a failure pays for finding the path it happened at.
pub(crate) fn read_json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RecordError> {
    if depth(bytes) > MAX_DEPTH {
        let message = format!("the JSON is nested deeper than {MAX_DEPTH} levels");
        return Err(RecordError::new(RecordCode::ParseError, message));
    }
    serde_json::from_slice(bytes).map_err(|first| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let (path, error) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Ok(_) => (".".to_owned(), first),
            Err(error) => (known_part(&error.path().to_string()), error.into_inner()),
        };
        let code = match error.classify() {
            serde_json::error::Category::Data => RecordCode::SchemaMismatch,
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => RecordCode::ParseError,
        };
        RecordError::new(code, error.to_string()).at(path)
    })
}

/// Where the text breaks off inside a name, the path ends in `?`; what is known is the thing around it.
fn known_part(path: &str) -> String {
    match path.trim_end_matches('?').trim_end_matches('.') {
        "" => ".".to_owned(),
        known => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_where_the_text_breaks_off() {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[expect(dead_code, reason = "only its path is looked at")]
            parts: Vec<std::collections::BTreeMap<String, i32>>,
        }
        let path = |text: &str| read_json::<Shape>(text.as_bytes()).expect_err("it is broken").path;
        assert_eq!(path("{ not json"), ".");
        assert_eq!(path(r#"{"parts": [{"a": 1}, {"b": 1, c"#), "parts[1]");
        assert_eq!(path(r#"{"parts": [{"a": "one"}]}"#), "parts[0].a");
        assert_eq!(path(r#"{"parts": 7}"#), "parts");
    }
}
