//! Debian versions: `[epoch:]upstream[-revision]`, compared as dpkg does.

use super::natural::{Natural, leading_digits};
use std::cmp::Ordering;

#[derive(Debug, Clone)]
pub(super) struct DpkgVersion {
    epoch: Natural,
    upstream: Box<str>,
    revision: Box<str>,
}

impl DpkgVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if !epoch.is_empty() => (Natural::parse(epoch)?, rest),
            Some((_, rest)) => (Natural::ZERO, rest),
            None => (Natural::ZERO, text),
        };
        if rest.is_empty() {
            return None;
        }
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Some(Self { epoch, upstream: upstream.into(), revision: revision.into() })
    }
}

impl Ord for DpkgVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare(&self.upstream, &other.upstream))
            .then_with(|| compare(&self.revision, &other.revision))
    }
}

impl PartialOrd for DpkgVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DpkgVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for DpkgVersion {}

/// Runs of other characters and runs of digits by turns; an absent number is zero.
fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        let (left_run, left_rest) = leading_words(left);
        let (right_run, right_rest) = leading_words(right);
        let words = weights(left_run).cmp(weights(right_run));
        if words.is_ne() {
            return words;
        }
        let (left_digits, left_after) = leading_digits(left_rest);
        let (right_digits, right_after) = leading_digits(right_rest);
        let numbers = Natural::parse(left_digits).cmp(&Natural::parse(right_digits));
        if numbers.is_ne() {
            return numbers;
        }
        (left, right) = (left_after, right_after);
    }
    Ordering::Equal
}

fn leading_words(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(|byte| !byte.is_ascii_digit()).count())
}

/// A tilde stands below the end, the end below letters, letters below everything else.
fn weights(run: &str) -> impl Iterator<Item = i16> {
    run.bytes()
        .map(|byte| match byte {
            b'~' => -1,
            b'a'..=b'z' | b'A'..=b'Z' => i16::from(byte),
            other => i16::from(other) + 256,
        })
        .chain(std::iter::once(0))
}
