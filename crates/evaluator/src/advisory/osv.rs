//! OSV schema 1.x: one record, NDJSON, or a zip of records as OSV publishes them per ecosystem.

use super::archive::{self, is_zip};
use super::{Advisory, Affected, Event, Range, RangeKind, SeverityEntry};
use crate::error::{RecordCode, RecordError, read_json};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

pub use super::archive::Limits;

/// What an input held: the good records, and what was wrong beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// One record per id, in the order of the input.
    pub records: Vec<Advisory>,
    /// Records that could not be read, and notices about those that could.
    pub errors: Vec<RecordError>,
    /// Places in `errors` of what could not be read; the others are notices.
    pub refused: Vec<usize>,
}

/// Reads an input with the default limits.
pub fn parse_osv(bytes: &[u8]) -> Parsed {
    parse_osv_within(bytes, Limits::default())
}

/// Reads an input that may unpack to so much and no more.
pub fn parse_osv_within(bytes: &[u8], limits: Limits) -> Parsed {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut gathered = Gathered::default();
    if bytes.iter().all(u8::is_ascii_whitespace) {
        gathered.parsed.errors.push(empty());
    } else if is_zip(bytes) {
        let mut entries = 0;
        archive::visit(bytes, limits, |file, content| {
            entries += 1;
            gathered.take(file, content.and_then(|content| parse_bytes(&content, limits)));
        });
        if entries == 0 {
            gathered.parsed.errors.push(empty());
        }
    } else {
        plain(&mut gathered, bytes, limits);
    }
    gathered.parsed
}

/// Reads one record from its text, as a ledger keeps it.
pub fn parse_record(raw: &str) -> Result<Advisory, RecordError> {
    parse_bytes(raw.as_bytes(), Limits::default()).map(|(advisory, _)| advisory)
}

fn empty() -> RecordError {
    RecordError::new(
        RecordCode::Empty,
        "the input holds no advisory; an empty feed is not a clean bill, check the source",
    )
}

/// One record, or one per line: lines it is when the whole is no JSON but some line is a record.
fn plain(gathered: &mut Gathered, bytes: &[u8], limits: Limits) {
    let whole = match parse_bytes(bytes, limits) {
        Ok(read) => return gathered.take("", Ok(read)),
        Err(error) => error,
    };
    let is_record = |line: &[u8]| line.starts_with(b"{") && serde_json::from_slice::<IdOnly>(line).is_ok();
    let lines = || bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let filled = lines().filter(|(_, line)| !line.is_empty()).count();
    if whole.code == RecordCode::SchemaMismatch || filled < 2 || !lines().any(|(_, line)| is_record(line)) {
        return gathered.take("", Err(whole));
    }
    for (at, line) in lines().filter(|(_, line)| !line.is_empty()) {
        gathered.take(&format!("line {}", at + 1), parse_bytes(line, limits));
    }
}

#[derive(Deserialize)]
struct IdOnly {
    #[serde(rename = "id")]
    _id: IgnoredAny,
}

#[derive(Default)]
struct Gathered {
    parsed: Parsed,
    by_id: HashMap<String, usize>,
}

impl Gathered {
    fn take(&mut self, file: &str, read: Result<(Advisory, Vec<RecordError>), RecordError>) {
        let (advisory, notices) = match read {
            Ok(read) => read,
            Err(error) => {
                self.parsed.refused.push(self.parsed.errors.len());
                return self.parsed.errors.push(error.in_file(file));
            }
        };
        self.parsed.errors.extend(notices.into_iter().map(|notice| notice.in_file(file)));
        match self.by_id.entry(advisory.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(self.parsed.records.len());
                self.parsed.records.push(advisory);
            }
            Entry::Occupied(place) => {
                let kept = &mut self.parsed.records[*place.get()];
                let message =
                    format!("record {} comes more than once; the one modified last is kept", advisory.id);
                let notice = RecordError::new(RecordCode::DuplicateId, message).at("id").in_file(file);
                self.parsed.errors.push(notice);
                if instant(&advisory.modified) > instant(&kept.modified) {
                    *kept = advisory;
                }
            }
        }
    }
}

/// RFC 3339 in UTC sorts by its text once the fraction's length is out of the way.
fn instant(text: &str) -> (&str, &str) {
    let text = text.trim_end_matches(['Z', 'z']);
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    (seconds, fraction.trim_end_matches('0'))
}

fn parse_bytes(bytes: &[u8], limits: Limits) -> Result<(Advisory, Vec<RecordError>), RecordError> {
    if bytes.len() as u64 > limits.max_record_bytes {
        let message = format!("the record is larger than {} bytes", limits.max_record_bytes);
        return Err(RecordError::new(RecordCode::TooLarge, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        RecordError::new(RecordCode::ParseError, format!("the record is not UTF-8: {error}"))
    })?;
    let record: Record = read_json(bytes)?;
    record.into_advisory(text)
}

#[derive(Deserialize)]
#[serde(expecting = "an OSV record, which is a JSON object")]
struct Record {
    #[serde(default)]
    schema_version: Option<String>,
    id: String,
    modified: String,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    upstream: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    severity: Option<Vec<SeverityEntry>>,
    #[serde(default)]
    affected: Option<Vec<AffectedEntry>>,
    #[serde(default)]
    database_specific: SeverityWord,
}

#[derive(Deserialize)]
#[serde(expecting = "an object of `affected`")]
struct AffectedEntry {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    ranges: Option<Vec<RangeEntry>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<SeverityEntry>>,
    #[serde(default)]
    ecosystem_specific: SeverityWord,
    #[serde(default)]
    database_specific: SeverityWord,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(expecting = "a range object")]
struct RangeEntry {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<EventEntry>,
}

#[derive(Deserialize)]
#[serde(expecting = "an event object")]
struct EventEntry {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

impl Record {
    fn into_advisory(self, raw: &str) -> Result<(Advisory, Vec<RecordError>), RecordError> {
        if let Some(version) = self.schema_version.filter(|version| version.split('.').next() != Some("1")) {
            let message = format!("OSV schema version {version} is not read here; versions 1.x are");
            return Err(RecordError::new(RecordCode::SchemaMismatch, message).at("schema_version"));
        }
        if self.id.is_empty() {
            return Err(RecordError::new(RecordCode::SchemaMismatch, "the record has an empty id").at("id"));
        }
        let mut notices = Vec::new();
        let affected = self.affected.unwrap_or_default().into_iter().enumerate();
        let affected = affected.map(|(at, entry)| entry.into_affected(at, &mut notices)).collect();
        let advisory = Advisory {
            id: self.id,
            modified: self.modified,
            published: self.published,
            withdrawn: self.withdrawn,
            aliases: self.aliases.unwrap_or_default(),
            upstream: self.upstream.unwrap_or_default(),
            summary: self.summary.filter(|summary| !summary.is_empty()),
            severity: self.severity.unwrap_or_default(),
            severity_word: self.database_specific.0,
            affected,
            raw: raw.to_owned(),
        };
        Ok((advisory, notices))
    }
}

impl AffectedEntry {
    fn into_affected(self, at: usize, notices: &mut Vec<RecordError>) -> Affected {
        let (ecosystem, name) =
            self.package.map(|package| (package.ecosystem, package.name)).unwrap_or_default();
        let mut ranges = Vec::new();
        for (number, entry) in self.ranges.unwrap_or_default().into_iter().enumerate() {
            let path = format!("affected[{at}].ranges[{number}]");
            match range(entry) {
                Ok(range) => {
                    notices.extend(without_start(&range).map(|notice| notice.at(format!("{path}.events"))));
                    ranges.push(range);
                }
                Err(notice) => notices.push(notice.at(format!("{path}.type"))),
            }
        }
        Affected {
            ecosystem,
            name,
            ranges,
            versions: self.versions.unwrap_or_default(),
            severity: self.severity.unwrap_or_default(),
            severity_word: self.ecosystem_specific.0.or(self.database_specific.0),
        }
    }
}

fn range(entry: RangeEntry) -> Result<Range, RecordError> {
    let kind = match entry.kind.as_str() {
        "SEMVER" => RangeKind::SemVer,
        "ECOSYSTEM" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => {
            let message = format!(
                "range type `{other}` is unknown and is not matched; OSV has SEMVER, ECOSYSTEM and GIT"
            );
            return Err(RecordError::new(RecordCode::SchemaMismatch, message));
        }
    };
    let mut events = Vec::with_capacity(entry.events.len());
    for event in entry.events {
        events.extend(event.introduced.map(Event::Introduced));
        events.extend(event.fixed.map(Event::Fixed));
        events.extend(event.last_affected.map(Event::LastAffected));
        events.extend(event.limit.map(Event::Limit));
    }
    Ok(Range { kind, events })
}

/// OSV asks for one `introduced` at least; a range without any affects nothing.
fn without_start(range: &Range) -> Option<RecordError> {
    let starts = range.events.iter().any(|event| matches!(event, Event::Introduced(_)));
    let message = "the range has no `introduced` event, so it affects no version";
    (!starts && range.kind != RangeKind::Git).then(|| RecordError::new(RecordCode::SchemaMismatch, message))
}

/// The word of `database_specific` or `ecosystem_specific`, whatever else and of whatever shape is in there.
#[derive(Default)]
struct SeverityWord(Option<String>);

impl<'de> Deserialize<'de> for SeverityWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeverityWordVisitor)
    }
}

struct SeverityWordVisitor;

impl<'de> Visitor<'de> for SeverityWordVisitor {
    type Value = SeverityWord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SeverityWord, A::Error> {
        let mut word = SeverityWord::default();
        while let Some(key) = map.next_key::<String>()? {
            if matches!(key.as_str(), "severity" | "urgency") {
                word.0 = map.next_value::<Word>()?.0.or(word.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(word)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SeverityWord, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(SeverityWord::default())
    }

    fn visit_unit<E>(self) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<SeverityWord, E> {
        Ok(SeverityWord::default())
    }
}

/// A string, or nothing for any other shape.
struct Word(Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self(Some(text)),
            _ => Self(None),
        })
    }
}
