//! Advisories in the form the index takes them, and the readers of their feeds.

mod archive;
pub mod epss;
pub mod kev;
pub mod osv;

use serde::{Deserialize, Serialize};

/// One advisory record.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// The record's own id.
    pub id: String,
    /// When it last changed, RFC 3339 as the feed has it.
    pub modified: String,
    /// When it was published.
    pub published: Option<String>,
    /// When it was withdrawn; such a record is not matched.
    pub withdrawn: Option<String>,
    /// Other names of the same vulnerability.
    pub aliases: Vec<String>,
    /// Names of vulnerabilities this record passes on: `DEBIAN-CVE-…` names the CVE here.
    pub upstream: Vec<String>,
    /// One line.
    pub summary: Option<String>,
    /// Scores of the whole record.
    pub severity: Vec<SeverityEntry>,
    /// The record's own word for how bad it is.
    pub severity_word: Option<String>,
    /// The packages it affects.
    pub affected: Vec<Affected>,
    /// The record's bytes as the feed has them.
    pub raw: String,
}

/// A score as an advisory gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct SeverityEntry {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, `Ubuntu`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A vector, or a word.
    pub score: String,
}

/// One package an advisory speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Affected {
    /// OSV's ecosystem with its release; empty for a record that names only commits.
    pub ecosystem: String,
    /// The package.
    pub name: String,
    /// Ranges of versions.
    pub ranges: Vec<Range>,
    /// Versions by name.
    pub versions: Vec<String>,
    /// Scores for this package only.
    pub severity: Vec<SeverityEntry>,
    /// A word for this package only.
    pub severity_word: Option<String>,
}

/// What the events of a range are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeKind {
    /// SemVer versions.
    SemVer,
    /// Versions in the ecosystem's own order.
    Ecosystem,
    /// Commits, which say nothing of versions.
    Git,
}

impl RangeKind {
    /// The word OSV has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SemVer => "SEMVER",
            Self::Ecosystem => "ECOSYSTEM",
            Self::Git => "GIT",
        }
    }
}

/// A range: events along the order of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What the events are.
    pub kind: RangeKind,
    /// The events as the record has them, in no order.
    pub events: Vec<Event>,
}

/// One turn along the order of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Affected from here; `0` is before every version.
    Introduced(String),
    /// No longer affected from here.
    Fixed(String),
    /// Affected up to and with this one.
    LastAffected(String),
    /// The range says nothing from here on; `*` is no limit.
    Limit(String),
}
