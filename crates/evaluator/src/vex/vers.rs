//! Version ranges as `vers:npm/>=1.0|<2.0` spells them: which versions of a package a statement is about.

use crate::version::{Order, Version};

/// A range of versions. Its constraints may stand in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    order: Option<Order>,
    constraints: Vec<(Comparator, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Range {
    /// The range of this text; what is wrong with it where it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let spelled = format!("`{text}` is no range of versions such as vers:npm/>=1.0|<2.0");
        let rest = text.trim().strip_prefix("vers:").ok_or_else(|| spelled.clone())?;
        let (scheme, list) = rest.split_once('/').ok_or_else(|| spelled.clone())?;
        let order = order_of(scheme);
        let list: String = list.chars().filter(|c| !c.is_whitespace()).collect();
        if list == "*" {
            return Ok(Self { order, constraints: Vec::new() });
        }
        let constraints: Vec<(Comparator, String)> =
            list.split('|').filter(|one| !one.is_empty()).map(constraint).collect();
        let is_empty = |(_, version): &(Comparator, String)| version.is_empty() || version == "*";
        if constraints.is_empty() || constraints.iter().any(is_empty) {
            return Err(spelled);
        }
        Ok(Self { order, constraints })
    }

    /// The range of one version.
    pub(super) fn of_one(version: &str) -> Self {
        Self { order: None, constraints: vec![(Comparator::Equal, version.to_owned())] }
    }

    /// Whether a version is within. `own` is the order of the package's versions, for a range that names none. Of
    /// versions without an order only equal ones are known to be within.
    pub(super) fn contains(&self, version: &str, own: Option<Order>) -> bool {
        let order = self.order.or(own);
        let read =
            |text: &str| order.map_or_else(|| Version::unordered(text), |order| Version::parse(order, text));
        let tested = read(version);
        let read: Vec<(Comparator, Version)> =
            self.constraints.iter().map(|(comparator, text)| (*comparator, read(text))).collect();
        let equals = |wanted: &[Comparator]| {
            read.iter().any(|(comparator, bound)| wanted.contains(comparator) && *bound == tested)
        };
        if read.is_empty() || equals(&[Comparator::Equal, Comparator::AtMost, Comparator::AtLeast]) {
            return true;
        }
        if equals(&[Comparator::NotEqual]) {
            return false;
        }
        let mut bounds: Vec<(Side, Version)> =
            read.into_iter().filter_map(|(comparator, bound)| Some((side(comparator)?, bound))).collect();
        if bounds.is_empty() {
            return self.constraints.iter().all(|(comparator, _)| *comparator == Comparator::NotEqual);
        }
        if !tested.is_readable() || bounds.iter().any(|(_, bound)| !bound.is_readable()) {
            return false;
        }
        bounds.sort_by(|(_, one), (_, two)| one.cmp(two));
        between(&bounds, &tested)
    }
}

/// On which side of a bound a version must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}

const fn side(comparator: Comparator) -> Option<Side> {
    match comparator {
        Comparator::Less | Comparator::AtMost => Some(Side::Below),
        Comparator::Greater | Comparator::AtLeast => Some(Side::Above),
        Comparator::Equal | Comparator::NotEqual => None,
    }
}

/// Whether a version that is none of the bounds lies where the bounds on both sides of it let it.
fn between(bounds: &[(Side, Version)], tested: &Version) -> bool {
    let above = bounds.partition_point(|(_, bound)| bound < tested);
    let before = above.checked_sub(1).map(|at| bounds[at].0);
    let after = bounds.get(above).map(|(side, _)| *side);
    match (before, after) {
        (None | Some(Side::Above), Some(Side::Below)) | (Some(Side::Above), None) => true,
        (None | Some(Side::Below), Some(Side::Above))
        | (Some(Side::Above), Some(Side::Above))
        | (Some(Side::Below), Some(Side::Below) | None)
        | (None, None) => false,
    }
}

fn constraint(text: &str) -> (Comparator, String) {
    const SPELLED: [(&str, Comparator); 6] = [
        (">=", Comparator::AtLeast),
        ("<=", Comparator::AtMost),
        ("!=", Comparator::NotEqual),
        (">", Comparator::Greater),
        ("<", Comparator::Less),
        ("=", Comparator::Equal),
    ];
    let found =
        SPELLED.into_iter().find_map(|(sign, comparator)| Some((comparator, text.strip_prefix(sign)?)));
    let (comparator, version) = found.unwrap_or((Comparator::Equal, text));
    (comparator, plain(version))
}

/// A version without its percent signs, of which only those of ASCII characters occur.
fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match code {
            Some(code) => {
                plain.push(char::from(code));
                rest = &after[2..];
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The order of a versioning scheme; none where the scheme is generic or not known.
fn order_of(scheme: &str) -> Option<Order> {
    Some(match scheme.to_ascii_lowercase().as_str() {
        "semver" | "npm" | "cargo" | "hex" | "conan" | "swift" | "githubactions" => Order::SemVer,
        "pypi" => Order::Pep440,
        "golang" | "go" => Order::Go,
        "maven" => Order::Maven,
        "nuget" => Order::NuGet,
        "gem" => Order::RubyGems,
        "composer" => Order::Packagist,
        "pub" => Order::Pub,
        "deb" => Order::Dpkg,
        "apk" | "alpine" => Order::Apk,
        "rpm" => Order::Rpm,
        "cran" | "hackage" => Order::Numbers,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_its_constraints_let_in_whatever_their_order() {
        for (range, version, expected) in [
            ("vers:semver/>=2.2.0|<=2.4.0", "2.2.0", true),
            ("vers:semver/>=2.2.0|<=2.4.0", "2.3.9", true),
            ("vers:semver/>=2.2.0|<=2.4.0", "2.4.1", false),
            ("vers:semver/<7.0.0|>1.5.0", "1.5.0", false),
            ("vers:semver/<7.0.0|>1.5.0", "6.9.9", true),
            ("vers:semver/<=1.5.0|7.0.0", "1.0.0", true),
            ("vers:semver/<=1.5.0|7.0.0", "7.0.0", true),
            ("vers:semver/<=1.5.0|7.0.0", "7.0.1", false),
            ("vers:pypi/>=1.0|<2.0|!=1.5", "1.5.0", false),
            ("vers:pypi/>=1.0|<2.0|!=1.5", "1.6", true),
            ("vers:pypi/>=1.0|<2.0|>=3.0|<4.0", "2.5", false),
            ("vers:pypi/>=1.0|<2.0|>=3.0|<4.0", "3.5", true),
            ("vers:npm/>=1.0.0", "9.0.0", true),
            ("vers:npm/<1.0.0", "0.1.0", true),
            ("vers:npm/!=1.0.0", "1.0.0", false),
            ("vers:npm/!=1.0.0", "1.0.1", true),
            ("vers:npm/*", "0.0.1", true),
            ("vers:deb/>=1%3A2.0", "1:2.0-1", true),
        ] {
            assert_eq!(Range::parse(range).unwrap().contains(version, None), expected, "{range} {version}");
        }
    }

    #[test]
    fn a_range_without_an_order_takes_the_packages_and_else_holds_only_equal_versions() {
        let range = Range::parse("vers:generic/>=1.10|<2").unwrap();
        assert!(range.contains("1.11", Some(Order::Pep440)));
        assert!(!range.contains("1.9", Some(Order::Pep440)));
        assert!(!range.contains("1.11", None), "nobody knows the order");
        assert!(range.contains("1.10", None));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", ">=1", "vers:npm", "vers:npm/", "vers:npm/>=", "vers:npm/1|*"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
