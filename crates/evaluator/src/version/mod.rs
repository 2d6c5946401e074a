//! Version orders, one per family of ecosystems. Every text has a place in its order: what cannot be read
//! stands below everything that can, in the order of its bytes, so sorting is total and never fails.

mod apk;
mod dpkg;
mod maven;
mod natural;
mod numbers;
mod packagist;
mod rpm;
mod rubygems;
mod semver;

use std::fmt;

/// Which order an ecosystem's versions stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// PyPI: PEP 440.
    Pep440,
    /// npm, crates.io, Hex and others: Semantic Versioning 2, leniently read.
    SemVer,
    /// Go modules, its standard library and toolchain: SemVer with `go1.22rc1` tags understood.
    Go,
    /// NuGet: SemVer with a fourth number and no case in pre-release words.
    NuGet,
    /// Pub: SemVer in which build metadata counts.
    Pub,
    /// Maven: ComparableVersion.
    Maven,
    /// RubyGems: `Gem::Version`.
    RubyGems,
    /// Packagist: Composer's normal form over PHP's `version_compare`.
    Packagist,
    /// Debian and Ubuntu: dpkg.
    Dpkg,
    /// Alpine, Wolfi and Chainguard: apk.
    Apk,
    /// The Red Hat family: rpm.
    Rpm,
    /// CRAN and Hackage: numbers, the longer one last.
    Numbers,
}

/// A version, read once. The order of the derived comparison is the ecosystem's; versions of one
/// [`Order`] compare with each other, unreadable ones stand first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Parsed);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Parsed {
    Unreadable(Box<str>),
    Pep440(pep440_rs::Version),
    SemVer(semver::SemVer),
    Maven(maven::MavenVersion),
    RubyGems(rubygems::GemVersion),
    Packagist(packagist::PackagistVersion),
    Dpkg(dpkg::DpkgVersion),
    Apk(apk::ApkVersion),
    Rpm(rpm::RpmVersion),
    Numbers(numbers::NumbersVersion),
}

impl Version {
    /// Reads a text in an order; a text that has no meaning there is kept as unreadable.
    pub fn parse(order: Order, text: &str) -> Self {
        let text = text.trim();
        let parsed = match order {
            Order::Pep440 => text.parse().ok().map(Parsed::Pep440),
            Order::SemVer => semver::SemVer::parse(text).map(Parsed::SemVer),
            Order::Go => semver::SemVer::parse_go(text).map(Parsed::SemVer),
            Order::NuGet => semver::SemVer::parse_nuget(text).map(Parsed::SemVer),
            Order::Pub => semver::SemVer::parse_pub(text).map(Parsed::SemVer),
            Order::Maven => maven::MavenVersion::parse(text).map(Parsed::Maven),
            Order::RubyGems => rubygems::GemVersion::parse(text).map(Parsed::RubyGems),
            Order::Packagist => packagist::PackagistVersion::parse(text).map(Parsed::Packagist),
            Order::Dpkg => dpkg::DpkgVersion::parse(text).map(Parsed::Dpkg),
            Order::Apk => apk::ApkVersion::parse(text).map(Parsed::Apk),
            Order::Rpm => rpm::RpmVersion::parse(text).map(Parsed::Rpm),
            Order::Numbers => numbers::NumbersVersion::parse(text).map(Parsed::Numbers),
        };
        Self(parsed.unwrap_or_else(|| Parsed::Unreadable(text.into())))
    }

    /// A version of an ecosystem without an order: a mere name.
    pub fn unordered(text: &str) -> Self {
        Self(Parsed::Unreadable(text.trim().into()))
    }

    /// Whether the text had a meaning in its order.
    pub const fn is_readable(&self) -> bool {
        !matches!(self.0, Parsed::Unreadable(_))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pep440 => "PEP 440",
            Self::SemVer => "SemVer",
            Self::Go => "Go",
            Self::NuGet => "NuGet",
            Self::Pub => "Pub",
            Self::Maven => "Maven",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Numbers => "numbers",
        })
    }
}
