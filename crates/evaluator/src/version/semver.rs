//! Semantic Versioning 2 with the leniencies of npm, Go, crates.io, NuGet, Pub and Hex.
//!
//! The `semver` crate refuses what these registries hold (a leading `v`, two or four numbers, numbers over
//! 64 bits, `1.0.0rc1`), so reading is our own; the order is item 11 of the specification.

use super::natural::{Natural, leading_digits, trim_zeros};

/// A SemVer version; field order gives the precedence: numbers, then release over pre-release, then words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SemVer {
    numbers: Vec<Natural>,
    released: bool,
    pre: Vec<Identifier>,
    /// Empty everywhere but in Pub, where metadata counts.
    build: Vec<Identifier>,
}

/// Numeric identifiers stand below words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(Natural),
    Word(Box<str>),
}

impl SemVer {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['v', 'V', '=', ' ']);
        let (text, _) = split_build(text);
        let (numbers, rest) = split_numbers(text)?;
        let pre = identifiers(rest.trim_start_matches(['-', '.']));
        Some(Self { numbers, released: pre.is_empty(), pre, build: Vec::new() })
    }

    /// Go also writes `go1.22rc1` for its toolchain, and what follows a space is an experiment's name.
    pub(super) fn parse_go(text: &str) -> Option<Self> {
        let text = text.strip_prefix("go").unwrap_or(text);
        let text = text.split_whitespace().next()?;
        let mut version = Self::parse(text)?;
        let [Identifier::Word(word)] = version.pre.as_slice() else { return Some(version) };
        let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, digits) = word.split_at(letters);
        let attached = text.find(&**word).is_some_and(|at| text.as_bytes()[..at].last() != Some(&b'-'));
        if attached && ["alpha", "beta", "rc"].contains(&name) && !digits.is_empty() {
            let number = Natural::parse(digits)?;
            version.pre = vec![Identifier::Word(name.into()), Identifier::Number(number)];
        }
        Some(version)
    }

    pub(super) fn parse_nuget(text: &str) -> Option<Self> {
        Self::parse(&text.to_ascii_lowercase())
    }

    pub(super) fn parse_pub(text: &str) -> Option<Self> {
        let mut version = Self::parse(text)?;
        version.build = split_build(text).1.map(identifiers).unwrap_or_default();
        Some(version)
    }
}

fn split_build(text: &str) -> (&str, Option<&str>) {
    text.split_once('+').map_or((text, None), |(version, build)| (version, Some(build)))
}

/// The leading dotted numbers and what follows them.
fn split_numbers(text: &str) -> Option<(Vec<Natural>, &str)> {
    let mut numbers = Vec::with_capacity(3);
    let mut rest = text;
    loop {
        let (digits, after) = leading_digits(rest);
        if digits.is_empty() {
            break;
        }
        numbers.push(Natural::parse(digits)?);
        rest = after;
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            Some(_) | None => break,
        }
    }
    if numbers.is_empty() {
        return None;
    }
    trim_zeros(&mut numbers);
    Some((numbers, rest))
}

fn identifiers(text: &str) -> Vec<Identifier> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split('.')
        .map(|part| match Natural::parse(part) {
            Some(number) if !part.is_empty() => Identifier::Number(number),
            Some(_) | None => Identifier::Word(part.into()),
        })
        .collect()
}
