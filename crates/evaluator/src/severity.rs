//! How bad a vulnerability is: CVSS vectors scored, else the record's own word, else unknown.

use crate::advisory::SeverityEntry;
use cvss::Cvss;
use std::cmp::Ordering;
use stella_contract::finding::Severity;

/// A severity with what it was taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    /// How bad, in words.
    pub severity: Severity,
    /// How bad, 0 to 10.
    pub score: Option<f64>,
    /// The vector that was scored.
    pub vector: Option<Box<str>>,
    source: Source,
}

/// What a rating was taken from; a later one wins over an earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Nothing,
    Word,
    V2,
    V30,
    V31,
    V4,
}

impl Rating {
    /// Nothing is said.
    pub const UNKNOWN: Self =
        Self { severity: Severity::Unknown, score: None, vector: None, source: Source::Nothing };

    /// The rating of a record, or of one package in it.
    pub fn of(entries: &[SeverityEntry], word: Option<&str>) -> Self {
        let scored = entries.iter().filter_map(|entry| score(&entry.score));
        let words = entries.iter().map(|entry| entry.score.as_str()).chain(word);
        scored.chain(words.filter_map(named)).fold(Self::UNKNOWN, Self::stronger)
    }

    /// The one to believe: the newer CVSS version, then the higher score.
    pub fn stronger(self, other: Self) -> Self {
        if self.compare(&other).is_lt() { other } else { self }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let score = |rating: &Self| rating.score.unwrap_or_default();
        self.source
            .cmp(&other.source)
            .then_with(|| score(self).total_cmp(&score(other)))
            .then_with(|| self.severity.cmp(&other.severity))
            .then_with(|| self.vector.cmp(&other.vector))
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        self.source == Source::Nothing
    }
}

/// Scores a CVSS vector of version 2, 3.0, 3.1 or 4.0; a vector without all its base metrics has no score.
fn score(vector: &str) -> Option<Rating> {
    let text = vector.trim();
    let bare = text.trim_start_matches('(').trim_end_matches(')');
    let parsed: Cvss = bare.parse().ok()?;
    let (source, score) = match &parsed {
        Cvss::CvssV20(vector) => (Source::V2, vector.score().value()),
        Cvss::CvssV30(vector) => (Source::V30, whole(vector)?),
        Cvss::CvssV31(vector) => (Source::V31, whole(vector)?),
        Cvss::CvssV40(vector) => (Source::V4, vector.score().value()),
        _ => return None,
    };
    Some(Rating { severity: of_score(score), score: Some(score), vector: Some(text.into()), source })
}

/// The 3.x reader takes vectors that lack base metrics; their score would be too low.
fn whole(vector: &cvss::v3::Vector) -> Option<f64> {
    let is_whole = vector.av.is_some()
        && vector.ac.is_some()
        && vector.pr.is_some()
        && vector.ui.is_some()
        && vector.s.is_some()
        && vector.c.is_some()
        && vector.i.is_some()
        && vector.a.is_some();
    is_whole.then(|| vector.score().value())
}

fn of_score(score: f64) -> Severity {
    match score {
        score if score >= 9.0 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::Unknown,
    }
}

fn named(word: &str) -> Option<Rating> {
    let severity = match word.trim().to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" | "important" => Severity::High,
        "medium" | "moderate" => Severity::Medium,
        "low" | "minor" | "negligible" | "unimportant" => Severity::Low,
        _ => return None,
    };
    Some(Rating { severity, score: None, vector: None, source: Source::Word })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, score: &str) -> SeverityEntry {
        SeverityEntry { kind: kind.to_owned(), score: score.to_owned() }
    }

    #[test]
    fn published_example_scores_come_out() {
        for (vector, expected) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2),
            ("(AV:N/AC:M/Au:N/C:N/I:P/A:N)", 4.3),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0),
        ] {
            assert_eq!(Rating::of(&[entry("CVSS", vector)], None).score, Some(expected), "{vector}");
        }
    }

    #[test]
    fn the_newest_cvss_version_wins_over_a_higher_score() {
        let rating = Rating::of(
            &[
                entry("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C"),
                entry("CVSS_V4", "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
                entry("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            ],
            Some("LOW"),
        );
        assert_eq!((rating.severity, rating.score), (Severity::High, Some(7.3)));
    }

    #[test]
    fn a_word_stands_in_for_a_vector_that_is_missing_or_broken() {
        for (word, severity) in [
            ("MODERATE", Severity::Medium),
            ("Important", Severity::High),
            ("critical", Severity::Critical),
            ("negligible", Severity::Low),
            ("not yet assigned", Severity::Unknown),
        ] {
            assert_eq!(
                Rating::of(&[entry("CVSS_V3", "CVSS:3.1/AV:N")], Some(word)).severity,
                severity,
                "{word}"
            );
        }
        assert_eq!(Rating::of(&[entry("Ubuntu", "medium")], None).severity, Severity::Medium);
        assert!(Rating::of(&[], None).is_unknown());
    }
}
