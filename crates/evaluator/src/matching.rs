//! Whether a version is affected, as OSV says it: listed by name, or inside a range of events.

use crate::advisory::{Affected, Event, Range, RangeKind};
use crate::ecosystem;
use crate::severity::Rating;
use crate::version::{Order, Version};
use std::fmt;

/// One package of one advisory, read once: its lists sorted, its events turned into intervals.
#[derive(Debug)]
pub(crate) struct AffectedPackage {
    listed: Box<[Version]>,
    ranges: Box<[IntervalSet]>,
    fixes: Box<[Bound]>,
    pub(crate) rating: Option<Box<Rating>>,
}

/// A version with its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    version: Version,
    text: Box<str>,
}

#[derive(Debug)]
struct IntervalSet {
    kind: RangeKind,
    intervals: Box<[Interval]>,
    /// Empty when the range has no limit.
    limits: Box<[Version]>,
}

/// A stretch of affected versions; no start is the beginning of all versions.
#[derive(Debug)]
pub(crate) struct Interval {
    from: Option<Bound>,
    until: Until,
}

#[derive(Debug)]
enum Until {
    Open,
    Fixed(Bound),
    LastAffected(Bound),
}

/// Why a version is affected.
pub(crate) enum Hit<'a> {
    Listed,
    Within(RangeKind, &'a Interval),
}

impl AffectedPackage {
    /// Reads the lists and ranges of one package.
    pub(crate) fn compile(affected: &Affected) -> Self {
        let (base, _) = ecosystem::split(&affected.ecosystem);
        let order = ecosystem::order_of(base);
        let ranges = affected.ranges.iter().filter(|range| range.kind != RangeKind::Git);
        let (ranges, fixes) = match order {
            Some(order) => (
                ranges.clone().map(|range| IntervalSet::compile(order, range)).collect(),
                fixes(order, ranges.clone()),
            ),
            None => (Box::default(), Box::default()),
        };
        let rating = Rating::of(&affected.severity, affected.severity_word.as_deref());
        Self {
            listed: listed(order, &affected.versions),
            ranges,
            fixes,
            rating: (!rating.is_unknown()).then(|| Box::new(rating)),
        }
    }

    /// Why the version is affected, or `None` when it is not. A version that cannot be read is only looked
    /// for in the list, since it has no place in any range.
    pub(crate) fn hit(&self, version: &Version) -> Option<Hit<'_>> {
        let ranges = self.ranges.iter().filter(|_| version.is_readable());
        ranges
            .filter_map(|range| range.containing(version).map(|interval| Hit::Within(range.kind, interval)))
            .next()
            .or_else(|| self.listed.binary_search(version).is_ok().then_some(Hit::Listed))
    }

    /// The smallest fixed version above this one.
    pub(crate) fn fix_above(&self, version: &Version) -> Option<(&Version, &str)> {
        let fix = self.fixes.iter().find(|fix| version.is_readable() && fix.version > *version)?;
        Some((&fix.version, &*fix.text))
    }
}

/// The version in its ecosystem's order, or as a mere name where there is none.
pub(crate) fn read_version(order: Option<Order>, text: &str) -> Version {
    order.map_or_else(|| Version::unordered(text), |order| Version::parse(order, text))
}

fn listed(order: Option<Order>, versions: &[String]) -> Box<[Version]> {
    let mut listed: Vec<Version> = versions.iter().map(|text| read_version(order, text)).collect();
    listed.sort_unstable();
    listed.dedup();
    listed.into_boxed_slice()
}

fn fixes<'a>(order: Order, ranges: impl Iterator<Item = &'a Range>) -> Box<[Bound]> {
    let fixed = ranges.flat_map(|range| &range.events).filter_map(|event| match event {
        Event::Fixed(text) => Some(Bound::read(order, text)),
        Event::Introduced(_) | Event::LastAffected(_) | Event::Limit(_) => None,
    });
    let mut fixed: Vec<Bound> = fixed.filter(|fix| fix.version.is_readable()).collect();
    fixed.sort_unstable();
    fixed.dedup();
    fixed.into_boxed_slice()
}

impl Bound {
    fn read(order: Order, text: &str) -> Self {
        Self { version: Version::parse(order, text), text: text.into() }
    }
}

/// An event that opens or closes, at its version; `None` is before every version.
struct Turn {
    at: Option<Bound>,
    kind: TurnKind,
}

#[derive(PartialEq, Eq)]
enum TurnKind {
    Introduced,
    Fixed,
    LastAffected,
}

impl IntervalSet {
    fn compile(order: Order, range: &Range) -> Self {
        let mut turns: Vec<Turn> = range.events.iter().filter_map(|event| Turn::read(order, event)).collect();
        turns.sort_by(|a, b| a.version().cmp(&b.version()));
        Self { kind: range.kind, intervals: intervals(turns), limits: limits(order, &range.events) }
    }

    fn containing(&self, version: &Version) -> Option<&Interval> {
        if !self.limits.is_empty() && !self.limits.iter().any(|limit| version < limit) {
            return None;
        }
        self.intervals.iter().find(|interval| interval.contains(version))
    }
}

/// Versions below which the range speaks; none at all when one of them is `*`.
fn limits(order: Order, events: &[Event]) -> Box<[Version]> {
    let limits = events.iter().filter_map(|event| match event {
        Event::Limit(text) => Some(text.as_str()),
        Event::Introduced(_) | Event::Fixed(_) | Event::LastAffected(_) => None,
    });
    if limits.clone().any(|text| text == "*") {
        return Box::default();
    }
    limits.map(|text| Version::parse(order, text)).filter(Version::is_readable).collect()
}

impl Turn {
    /// An end that cannot be read is left out, so that the range stays open: a false alarm is looked at, a
    /// false silence is not.
    fn read(order: Order, event: &Event) -> Option<Self> {
        let end = |text: &str, kind| {
            let bound = Bound::read(order, text);
            bound.version.is_readable().then_some(Self { at: Some(bound), kind })
        };
        match event {
            Event::Introduced(text) if text == "0" => Some(Self { at: None, kind: TurnKind::Introduced }),
            Event::Introduced(text) => {
                Some(Self { at: Some(Bound::read(order, text)), kind: TurnKind::Introduced })
            }
            Event::Fixed(text) => end(text, TurnKind::Fixed),
            Event::LastAffected(text) => end(text, TurnKind::LastAffected),
            Event::Limit(_) => None,
        }
    }

    fn version(&self) -> Option<&Version> {
        self.at.as_ref().map(|bound| &bound.version)
    }
}

/// Walks the sorted turns. Where several stand at one version, the ones that end what is open come first, and
/// where nothing is open the one that begins does; so the result hangs on versions alone, never on positions.
fn intervals(turns: Vec<Turn>) -> Box<[Interval]> {
    let mut intervals = Vec::new();
    let mut open: Option<Option<Bound>> = None;
    let mut turns = turns.into_iter().peekable();
    while let Some(first) = turns.next() {
        let mut together = vec![first];
        while let Some(next) = turns.next_if(|next| next.version() == together[0].version()) {
            together.push(next);
        }
        let starts_open = open.is_some();
        together.sort_by_key(|turn| (turn.kind == TurnKind::Introduced) == starts_open);
        for turn in together {
            match (turn.kind, open.is_some()) {
                (TurnKind::Introduced, false) => open = Some(turn.at),
                (TurnKind::Fixed, true) => intervals.extend(close(&mut open, turn.at, Until::Fixed)),
                (TurnKind::LastAffected, true) => {
                    intervals.extend(close(&mut open, turn.at, Until::LastAffected))
                }
                (TurnKind::Introduced, true) | (TurnKind::Fixed | TurnKind::LastAffected, false) => {}
            }
        }
    }
    intervals.extend(open.map(|from| Interval { from, until: Until::Open }));
    intervals.into_boxed_slice()
}

fn close(open: &mut Option<Option<Bound>>, at: Option<Bound>, until: fn(Bound) -> Until) -> Option<Interval> {
    let from = open.take()?;
    Some(Interval { from, until: until(at?) })
}

impl Interval {
    fn contains(&self, version: &Version) -> bool {
        let is_after_start = self.from.as_ref().is_none_or(|from| *version >= from.version);
        is_after_start
            && match &self.until {
                Until::Open => true,
                Until::Fixed(bound) => *version < bound.version,
                Until::LastAffected(bound) => *version <= bound.version,
            }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "introduced {}", self.from.as_ref().map_or("0", |from| &from.text))?;
        match &self.until {
            Until::Open => Ok(()),
            Until::Fixed(bound) => write!(f, " fixed {}", bound.text),
            Until::LastAffected(bound) => write!(f, " last_affected {}", bound.text),
        }
    }
}

impl fmt::Display for Hit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed => f.write_str("versions lists it"),
            Self::Within(kind, interval) => write!(f, "range {} {interval}", kind.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(
        ecosystem: &str,
        kind: RangeKind,
        events: &[(&str, &str)],
        versions: &[&str],
    ) -> AffectedPackage {
        let event = |(word, text): &(&str, &str)| match *word {
            "introduced" => Event::Introduced((*text).to_owned()),
            "fixed" => Event::Fixed((*text).to_owned()),
            "last_affected" => Event::LastAffected((*text).to_owned()),
            _ => Event::Limit((*text).to_owned()),
        };
        AffectedPackage::compile(&Affected {
            ecosystem: ecosystem.to_owned(),
            name: "x".to_owned(),
            ranges: vec![Range { kind, events: events.iter().map(event).collect() }],
            versions: versions.iter().map(|text| (*text).to_owned()).collect(),
            severity: Vec::new(),
            severity_word: None,
        })
    }

    fn why(package: &AffectedPackage, ecosystem: &str, version: &str) -> Option<String> {
        let version = read_version(ecosystem::order_of(ecosystem), version);
        package.hit(&version).map(|hit| hit.to_string())
    }

    #[test]
    fn events_count_by_version_and_never_by_position() {
        let mut events =
            [("introduced", "1.0"), ("fixed", "1.5"), ("introduced", "2.0"), ("last_affected", "2.3")];
        for _ in 0..events.len() {
            events.rotate_left(1);
            let package = package("PyPI", RangeKind::Ecosystem, &events, &[]);
            for (version, affected) in [
                ("0.9", false),
                ("1.0", true),
                ("1.4.9", true),
                ("1.5", false),
                ("1.9", false),
                ("2.0rc1", false),
                ("2.0", true),
                ("2.3", true),
                ("2.3.0", true),
                ("2.3.1", false),
            ] {
                assert_eq!(why(&package, "PyPI", version).is_some(), affected, "{version} with {events:?}");
            }
        }
    }

    #[test]
    fn turns_at_one_version_do_not_depend_on_their_position() {
        for events in [
            [("introduced", "1"), ("fixed", "2"), ("introduced", "2"), ("fixed", "3")],
            [("introduced", "2"), ("fixed", "2"), ("fixed", "3"), ("introduced", "1")],
        ] {
            let package = package("npm", RangeKind::SemVer, &events, &[]);
            assert!(why(&package, "npm", "2.5.0").is_some(), "{events:?}");
            assert!(why(&package, "npm", "3.0.0").is_none(), "{events:?}");
        }
        for events in
            [[("introduced", "2"), ("last_affected", "2")], [("last_affected", "2"), ("introduced", "2")]]
        {
            let package = package("npm", RangeKind::SemVer, &events, &[]);
            assert!(why(&package, "npm", "2.0.0").is_some(), "{events:?}");
            assert!(why(&package, "npm", "2.0.1").is_none(), "{events:?}");
        }
    }

    #[test]
    fn zero_is_before_every_version() {
        let package = package("npm", RangeKind::SemVer, &[("introduced", "0"), ("fixed", "1.0.0")], &[]);
        assert!(why(&package, "npm", "0.0.0-alpha").is_some());
        let package =
            self::package("Debian", RangeKind::Ecosystem, &[("introduced", "0"), ("fixed", "1.0")], &[]);
        assert!(why(&package, "Debian", "0~~1").is_some());
    }

    #[test]
    fn a_limit_ends_what_a_range_says() {
        let events = [("introduced", "1.0.0"), ("limit", "2.0.0")];
        let package = package("npm", RangeKind::SemVer, &events, &[]);
        assert!(why(&package, "npm", "1.9.0").is_some());
        assert!(why(&package, "npm", "2.0.0").is_none());
        let package = self::package(
            "npm",
            RangeKind::SemVer,
            &[("introduced", "1.0.0"), ("limit", "2.0.0"), ("limit", "*")],
            &[],
        );
        assert!(why(&package, "npm", "2.0.0").is_some());
    }

    #[test]
    fn git_ranges_say_nothing_of_versions() {
        let package = package("PyPI", RangeKind::Git, &[("introduced", "0")], &["1.0"]);
        assert!(why(&package, "PyPI", "2.0").is_none());
        assert_eq!(why(&package, "PyPI", "1.0.0").as_deref(), Some("versions lists it"));
    }

    #[test]
    fn without_an_order_only_the_list_counts() {
        let package = package("Nowhere", RangeKind::Ecosystem, &[("introduced", "0")], &["r7", "1.0"]);
        assert!(why(&package, "Nowhere", "r7").is_some());
        assert!(why(&package, "Nowhere", "1.0.0").is_none());
    }

    #[test]
    fn an_unreadable_version_is_matched_by_list_only() {
        let package = package("PyPI", RangeKind::Ecosystem, &[("introduced", "0")], &["2004d"]);
        assert_eq!(why(&package, "PyPI", "2004d").as_deref(), Some("versions lists it"));
        assert!(why(&package, "PyPI", "2004e").is_none());
    }

    #[test]
    fn an_unreadable_end_leaves_the_range_open() {
        let package = package("PyPI", RangeKind::Ecosystem, &[("introduced", "0"), ("fixed", "soon")], &[]);
        assert_eq!(why(&package, "PyPI", "1.0").as_deref(), Some("range ECOSYSTEM introduced 0"));
    }

    #[test]
    fn the_smallest_fix_above_the_version_is_named() {
        let events = [("introduced", "0"), ("fixed", "2.2.28"), ("introduced", "3.0"), ("fixed", "3.2.13")];
        let package = package("PyPI", RangeKind::Ecosystem, &events, &[]);
        let fix = |text: &str| package.fix_above(&Version::parse(Order::Pep440, text)).map(|(_, text)| text);
        assert_eq!(fix("2.2.10"), Some("2.2.28"));
        assert_eq!(fix("3.1"), Some("3.2.13"));
        assert_eq!(fix("4.0"), None);
    }
}
