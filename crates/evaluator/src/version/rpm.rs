//! rpm versions: `[epoch:]version[-release]`, each part compared as rpmvercmp does.

use super::natural::Natural;
use std::cmp::Ordering;

#[derive(Debug, Clone)]
pub(super) struct RpmVersion {
    epoch: Natural,
    version: Box<str>,
    release: Box<str>,
}

/// A segment; the order of declaration is the order of rank, and whatever separates segments says nothing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Tilde,
    End,
    Caret,
    Word(&'a str),
    Number(Natural),
}

impl RpmVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if !epoch.is_empty() => (Natural::parse(epoch)?, rest),
            Some((_, rest)) => (Natural::ZERO, rest),
            None => (Natural::ZERO, text),
        };
        if rest.is_empty() {
            return None;
        }
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Some(Self { epoch, version: version.into(), release: release.into() })
    }
}

impl Ord for RpmVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| segments(&self.version).cmp(segments(&other.version)))
            .then_with(|| segments(&self.release).cmp(segments(&other.release)))
    }
}

impl PartialOrd for RpmVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RpmVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RpmVersion {}

fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let says_nothing = |c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^';
        let text = rest?.trim_start_matches(says_nothing);
        let Some(first) = text.bytes().next() else {
            rest = None;
            return Some(Segment::End);
        };
        let length = match first {
            b'~' | b'^' => 1,
            b'0'..=b'9' => text.bytes().take_while(u8::is_ascii_digit).count(),
            _ => text.bytes().take_while(u8::is_ascii_alphabetic).count(),
        };
        let (run, after) = text.split_at(length);
        rest = Some(after);
        Some(match first {
            b'~' => Segment::Tilde,
            b'^' => Segment::Caret,
            b'0'..=b'9' => Segment::Number(Natural::parse(run).unwrap_or(Natural::ZERO)),
            _ => Segment::Word(run),
        })
    })
}
