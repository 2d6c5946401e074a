//! OSV ecosystems: their names, their version orders, how they spell packages and releases.

use crate::version::Order;
use std::borrow::Cow;

/// The version order of an ecosystem (without its release), or `None` where we know none.
pub fn order_of(base: &str) -> Option<Order> {
    Some(match base {
        "PyPI" => Order::Pep440,
        "Go" => Order::Go,
        "npm" | "crates.io" | "Hex" | "SwiftURL" | "GitHub Actions" | "Bitnami" | "Julia" | "Kubernetes"
        | "VSCode" | "ConanCenter" | "GHC" => Order::SemVer,
        "NuGet" => Order::NuGet,
        "Pub" => Order::Pub,
        "Maven" => Order::Maven,
        "RubyGems" => Order::RubyGems,
        "Packagist" => Order::Packagist,
        "Debian" | "Ubuntu" | "Echo" => Order::Dpkg,
        "Alpine" | "Wolfi" | "Chainguard" | "Alpaquita" | "BellSoft Hardened Containers" | "MinimOS" => {
            Order::Apk
        }
        "Red Hat" | "Rocky Linux" | "AlmaLinux" | "openSUSE" | "SUSE" | "Mageia" | "openEuler"
        | "Photon OS" => Order::Rpm,
        "CRAN" | "Hackage" => Order::Numbers,
        _ => return None,
    })
}

/// Splits `Debian:12` into its base and its release, the release in the one spelling we compare.
/// Language ecosystems carry a registry's address after the colon, which says nothing about versions.
pub fn split(ecosystem: &str) -> (&str, Option<Cow<'_, str>>) {
    let Some((base, release)) = ecosystem.split_once(':') else { return (ecosystem, None) };
    let keeps_release = matches!(order_of(base), None | Some(Order::Dpkg | Order::Apk | Order::Rpm));
    if !keeps_release || release.is_empty() {
        return (base, None);
    }
    (base, Some(normal_release(base, release)))
}

/// The release of a distribution as OSV's ecosystem or a purl's qualifier names it, in one spelling.
pub(crate) fn normal_release<'a>(base: &str, release: &'a str) -> Cow<'a, str> {
    match base {
        "Debian" => debian_release(release),
        "Ubuntu" => ubuntu_release(release),
        "Alpine" => alpine_release(release),
        "Rocky Linux" | "AlmaLinux" => Cow::Borrowed(major(release)),
        "Red Hat" => red_hat_release(release),
        "SUSE" | "openSUSE" => suse_release(release),
        _ => Cow::Owned(release.to_lowercase()),
    }
}

const DEBIAN: [(&str, &str); 13] = [
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", "unstable"),
];

const UBUNTU: [(&str, &str); 14] = [
    ("precise", "12.04"),
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("hirsute", "21.04"),
    ("impish", "21.10"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
];

fn by_codename(names: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    names.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, release)| *release)
}

/// `12`, `12.4`, `bookworm`: point releases share one set of packages.
fn debian_release(release: &str) -> Cow<'_, str> {
    by_codename(&DEBIAN, release).map_or_else(|| Cow::Borrowed(major(release)), Cow::Borrowed)
}

/// `22.04:LTS`, `22.04`, `jammy`. `Pro:22.04:LTS` stays another release: its fixes come from another archive.
fn ubuntu_release(release: &str) -> Cow<'_, str> {
    let release = release.strip_suffix(":LTS").unwrap_or(release);
    if let Some(known) = by_codename(&UBUNTU, release) {
        return Cow::Borrowed(known);
    }
    Cow::Borrowed(first_numbers(release, 2).unwrap_or(release))
}

/// `v3.18`, `3.18.4`, `edge`.
fn alpine_release(release: &str) -> Cow<'_, str> {
    let number = release.trim_start_matches('v');
    first_numbers(number, 2).map_or(Cow::Borrowed(release), |number| Cow::Owned(format!("v{number}")))
}

/// `enterprise_linux:9::baseos` and `9.4` are release 9; layered products keep their own names.
fn red_hat_release(release: &str) -> Cow<'_, str> {
    let release = release.strip_prefix("enterprise_linux:").unwrap_or(release);
    match release.split(':').next() {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => Cow::Borrowed(major(number)),
        Some(_) | None => Cow::Borrowed(release),
    }
}

/// `Linux Enterprise Server 15 SP5`, `Leap 15.5`, `15.5`, `Tumbleweed`.
fn suse_release(release: &str) -> Cow<'_, str> {
    if release.to_ascii_lowercase().contains("tumbleweed") {
        return Cow::Borrowed("tumbleweed");
    }
    let words: Vec<&str> = release.split([' ', '-', ':']).collect();
    let starts_with_digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let Some(number) = words.iter().rev().copied().find(starts_with_digit) else {
        return Cow::Borrowed(release);
    };
    let pack = words.iter().find_map(|word| word.strip_prefix("SP"));
    pack.map_or(Cow::Borrowed(number), |pack| Cow::Owned(format!("{number}.{pack}")))
}

fn major(release: &str) -> &str {
    match first_numbers(release, 1) {
        Some(number) => number,
        None => release,
    }
}

/// The first `count` dotted numbers of a text that begins with a digit.
fn first_numbers(text: &str, count: usize) -> Option<&str> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = text.match_indices('.').nth(count - 1).map_or(text.len(), |(at, _)| at);
    Some(&text[..end])
}

/// The name under which a package is looked up: PyPI's normal form, no case where the registry has none.
/// Go paths and npm names are folded too, because the purl specification lower-cases them and SBOM tools
/// that follow it would otherwise never meet `github.com/Masterminds/goutils`.
pub fn lookup_name<'a>(base: &str, name: &'a str) -> Cow<'a, str> {
    match base {
        "PyPI" => python_name(name),
        "Go" | "npm" | "NuGet" | "Packagist" | "Hex" | "Pub" | "GitHub Actions" | "SwiftURL" | "VSCode" => {
            lower(name.trim_start_matches("https://").trim_end_matches(".git"))
        }
        _ => Cow::Borrowed(name),
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !name.is_ascii() {
        return Cow::Owned(name.to_lowercase());
    }
    Cow::Borrowed(name)
}

/// PEP 503: lower case, runs of `-`, `_` and `.` are one hyphen.
pub(crate) fn python_name(name: &str) -> Cow<'_, str> {
    let is_mark = |c: char| matches!(c, '-' | '_' | '.');
    let is_normal =
        !name.contains(['_', '.']) && !name.contains("--") && !name.bytes().any(|b| b.is_ascii_uppercase());
    if is_normal {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if !is_mark(c) {
            normal.extend(c.to_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_one_spelling() {
        for (ecosystem, base, release) in [
            ("Debian:12", "Debian", Some("12")),
            ("Debian:12.4", "Debian", Some("12")),
            ("Debian:bookworm", "Debian", Some("12")),
            ("Debian", "Debian", None),
            ("Ubuntu:22.04:LTS", "Ubuntu", Some("22.04")),
            ("Ubuntu:Pro:22.04:LTS", "Ubuntu", Some("Pro:22.04")),
            ("Ubuntu:jammy", "Ubuntu", Some("22.04")),
            ("Alpine:v3.18", "Alpine", Some("v3.18")),
            ("Alpine:3.18.4", "Alpine", Some("v3.18")),
            ("Alpine:edge", "Alpine", Some("edge")),
            ("Rocky Linux:8.9", "Rocky Linux", Some("8")),
            ("AlmaLinux:9", "AlmaLinux", Some("9")),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat", Some("9")),
            ("Red Hat:9.4", "Red Hat", Some("9")),
            ("Red Hat:openshift:4.12::el8", "Red Hat", Some("openshift:4.12::el8")),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE", Some("15.5")),
            ("openSUSE:Leap 15.5", "openSUSE", Some("15.5")),
            ("openSUSE:Tumbleweed", "openSUSE", Some("tumbleweed")),
            ("Maven:https://maven.example", "Maven", None),
        ] {
            let (got_base, got_release) = split(ecosystem);
            assert_eq!((got_base, got_release.as_deref()), (base, release), "{ecosystem}");
        }
    }

    #[test]
    fn names_are_looked_up_in_one_spelling() {
        assert_eq!(lookup_name("PyPI", "Zope.Interface__x"), "zope-interface-x");
        assert_eq!(lookup_name("Go", "github.com/Masterminds/goutils"), "github.com/masterminds/goutils");
        assert_eq!(lookup_name("Maven", "org.X:Y"), "org.X:Y");
    }
}
