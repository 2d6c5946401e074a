//! `Gem::Version`: numbers and words, words before numbers, missing places are zero.

use super::natural::{Natural, trim_zeros};
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GemVersion(Vec<Segment>);

/// A word makes a pre-release, so it stands below every number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(Box<str>),
    Number(Natural),
}

/// First parts of platform names: `1.13.10-x86_64-linux` is a build of 1.13.10, not a pre-release of it.
const PLATFORMS: [&str; 11] =
    ["x86", "x64", "arm", "aarch64", "java", "jruby", "universal", "mswin", "mingw", "ruby", "i686"];

impl GemVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = strip_platform(text);
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mut numbers, mut words) = (Vec::new(), Vec::new());
        for segment in segments(&text.replace('-', ".pre.")) {
            match segment {
                Segment::Number(number) if words.is_empty() => numbers.push(number),
                Segment::Number(_) | Segment::Word(_) => words.push(segment),
            }
        }
        trim_zeros(&mut numbers);
        while matches!(words.last(), Some(Segment::Number(number)) if number.is_zero()) {
            words.pop();
        }
        Some(Self(numbers.into_iter().map(Segment::Number).chain(words).collect()))
    }
}

fn strip_platform(text: &str) -> &str {
    match text.split_once('-') {
        Some((version, rest)) if PLATFORMS.iter().any(|platform| rest.starts_with(platform)) => version,
        Some(_) | None => text,
    }
}

fn segments(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let same_kind = |byte: &u8| match first {
            b'0'..=b'9' => byte.is_ascii_digit(),
            b'a'..=b'z' | b'A'..=b'Z' => byte.is_ascii_alphabetic(),
            _ => !byte.is_ascii_alphanumeric(),
        };
        let (run, after) = rest.split_at(rest.bytes().take_while(same_kind).count());
        if first.is_ascii_digit() {
            segments.extend(Natural::parse(run).map(Segment::Number));
        } else if first.is_ascii_alphabetic() {
            segments.push(Segment::Word(run.into()));
        }
        rest = after;
    }
    segments
}

impl Ord for GemVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        const ZERO: Segment = Segment::Number(Natural::ZERO);
        (0..self.0.len().max(other.0.len()))
            .map(|at| self.0.get(at).unwrap_or(&ZERO).cmp(other.0.get(at).unwrap_or(&ZERO)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for GemVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
