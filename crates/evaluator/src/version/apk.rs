//! apk versions: `1.2.3b_rc4_p1~hash-r5`.

use super::natural::{Natural, leading_digits};

/// An apk version; field order is the order of comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApkVersion {
    first: Natural,
    numbers: Vec<Place>,
    letter: Option<char>,
    suffixes: Vec<Suffix>,
    revision: Natural,
    /// What apk would refuse (`1.8.1p1`) only breaks ties, below what has none: older packages have it.
    is_clean: bool,
    rest: Box<str>,
}

/// A number after the first dot: with a leading zero it counts as a fraction, compared as text, and so stands
/// below every one without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Fraction(Box<str>),
    Whole(Natural),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Suffix {
    rank: u8,
    number: Natural,
}

/// Suffixes in their order; the end of the list stands between `rc` and `cvs`.
const SUFFIXES: [(&str, u8); 9] = [
    ("alpha", 0),
    ("beta", 1),
    ("pre", 2),
    ("rc", 3),
    ("cvs", 5),
    ("svn", 6),
    ("git", 7),
    ("hg", 8),
    ("p", 9),
];
const END: u8 = 4;

impl ApkVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, mut rest) = leading_digits(text);
        if first.is_empty() {
            return None;
        }
        let mut numbers = Vec::new();
        while let Some(after) = rest.strip_prefix('.').filter(|after| after.starts_with(is_digit)) {
            let (digits, after) = leading_digits(after);
            numbers.push(place(digits)?);
            rest = after;
        }
        let letter = rest.chars().next().filter(char::is_ascii_lowercase);
        rest = if letter.is_some() { &rest[1..] } else { rest };
        let (mut suffixes, after) = suffixes(rest);
        suffixes.push(Suffix { rank: END, number: Natural::ZERO });
        let (revision, rest) = revision(skip_hash(after));
        Some(Self {
            first: Natural::parse(first)?,
            numbers,
            letter,
            suffixes,
            revision,
            is_clean: rest.is_empty(),
            rest: rest.into(),
        })
    }
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn place(digits: &str) -> Option<Place> {
    if digits.starts_with('0') {
        return Some(Place::Fraction(digits.into()));
    }
    Natural::parse(digits).map(Place::Whole)
}

fn suffixes(text: &str) -> (Vec<Suffix>, &str) {
    let mut suffixes = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix('_') {
        let (name, after) = after.split_at(after.bytes().take_while(u8::is_ascii_lowercase).count());
        let (digits, after) = leading_digits(after);
        let rank = SUFFIXES.iter().find(|(suffix, _)| *suffix == name).map(|(_, rank)| *rank);
        let (Some(rank), Some(number)) = (rank, Natural::parse(digits)) else { break };
        suffixes.push(Suffix { rank, number });
        rest = after;
    }
    (suffixes, rest)
}

/// A commit hash cannot be ordered and is left out of the comparison.
fn skip_hash(text: &str) -> &str {
    text.strip_prefix('~').map_or(text, |hash| hash.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn revision(text: &str) -> (Natural, &str) {
    let Some((digits, rest)) = text.strip_prefix("-r").map(leading_digits) else {
        return (Natural::ZERO, text);
    };
    (Natural::parse(digits).unwrap_or(Natural::ZERO), rest)
}
