//! Package URLs: read, brought to one spelling, and mapped to OSV's ecosystem, name and version.
//!
//! The `packageurl` crate does the syntax. It is handed a neutral type, because its type rules refuse purls
//! that SBOM tools do write (a PyPI namespace, Composer without a vendor) and lower-case Go paths, whose case
//! OSV keeps; the rules by type are ours.

use crate::ecosystem;
use packageurl::PackageUrl;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A package URL in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    /// `pypi`, `golang`, …; lower case.
    pub ty: String,
    /// The scope, group, vendor, distribution or host.
    pub namespace: Option<String>,
    /// The package.
    pub name: String,
    /// Its version, decoded.
    pub version: Option<String>,
    /// Qualifiers by lower-case key.
    pub qualifiers: BTreeMap<String, String>,
    /// A path inside the package.
    pub subpath: Option<String>,
}

/// A text that is no package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {why}; write it as pkg:type/namespace/name@version")]
pub struct PurlError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// What advisories call the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsvPackage {
    /// `PyPI`, `Debian:12`; for a type OSV does not know, the purl's type.
    pub ecosystem: String,
    /// The name as OSV spells it.
    pub name: String,
    /// The version with its epoch.
    pub version: Option<String>,
    /// The source package a binary was built from, where the purl says so.
    pub source: Option<SourcePackage>,
}

/// The source package of a binary: distributions publish advisories for sources.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourcePackage {
    /// The source's name.
    pub name: String,
    /// Its version where it differs from the binary's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        let fail = |why: String| PurlError { text: text.chars().take(200).collect(), why };
        let rest =
            text.trim().strip_prefix("pkg:").ok_or_else(|| fail("it does not begin with pkg:".to_owned()))?;
        let (ty, rest) = rest
            .trim_start_matches('/')
            .split_once('/')
            .ok_or_else(|| fail("it has no type and name".to_owned()))?;
        let is_type = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        if ty.is_empty() || !ty.chars().all(is_type) {
            return Err(fail(
                "its type has other characters than letters, digits, dot, plus and hyphen".to_owned(),
            ));
        }
        let neutral = format!("pkg:{NEUTRAL}/{rest}");
        let parsed = PackageUrl::from_str(&neutral).map_err(|error| fail(error.to_string()))?;
        let qualifiers = parsed.qualifiers().iter().map(|(key, value)| (key.to_string(), value.to_string()));
        let mut purl = Self {
            ty: ty.to_ascii_lowercase(),
            namespace: parsed.namespace().filter(|namespace| !namespace.is_empty()).map(str::to_owned),
            name: parsed.name().to_owned(),
            version: parsed.version().filter(|version| !version.is_empty()).map(str::to_owned),
            qualifiers: qualifiers.collect(),
            subpath: parsed.subpath().map(str::to_owned),
        };
        purl.normalise();
        Ok(purl)
    }
}

/// A type the purl specification has no rules for.
const NEUTRAL: &str = "generic";

impl Purl {
    fn normalise(&mut self) {
        match self.ty.as_str() {
            "pypi" => self.name = ecosystem::python_name(&self.name).into_owned(),
            "golang" => {
                self.namespace = self.namespace.as_deref().map(go_path);
                self.name = go_path(&self.name);
                self.version = self.version.as_deref().map(go_path);
            }
            "composer" | "hex" | "deb" | "github" | "bitbucket" | "githubactions" => {
                self.namespace = self.namespace.as_deref().map(str::to_lowercase);
                self.name = self.name.to_lowercase();
            }
            "pub" => self.name = self.name.to_lowercase(),
            "apk" | "rpm" => self.namespace = self.namespace.as_deref().map(str::to_lowercase),
            _ => {}
        }
    }

    /// The package that OSV calls so, without a version; nothing for a distribution's package, whose purl says more than
    /// its name.
    pub fn of_osv(ecosystem: &str, name: &str) -> Option<Self> {
        let (ty, separator) = match ecosystem {
            "PyPI" => ("pypi", None),
            "Go" => ("golang", Some('/')),
            "npm" => ("npm", Some('/')),
            "Maven" => ("maven", Some(':')),
            "crates.io" => ("cargo", None),
            "NuGet" => ("nuget", None),
            "RubyGems" => ("gem", None),
            "Packagist" => ("composer", Some('/')),
            "Pub" => ("pub", None),
            "Hex" => ("hex", None),
            _ => return None,
        };
        let (namespace, own) = match separator.and_then(|separator| name.rsplit_once(separator)) {
            Some((namespace, own)) => (Some(namespace.to_owned()), own),
            None => (None, name),
        };
        let purl = Self {
            ty: ty.to_owned(),
            namespace,
            name: own.to_owned(),
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        };
        // What does not come back as it went in would be another package.
        let again: Self = purl.to_string().parse().ok()?;
        let osv = again.osv();
        (osv.ecosystem == ecosystem && osv.name == name).then_some(again)
    }

    /// A qualifier's value.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What OSV calls this package.
    pub fn osv(&self) -> OsvPackage {
        OsvPackage {
            ecosystem: self.osv_ecosystem(),
            name: self.osv_name(),
            version: self.osv_version(),
            source: self.source(),
        }
    }

    fn osv_ecosystem(&self) -> String {
        match self.ty.as_str() {
            "pypi" => "PyPI",
            "golang" => "Go",
            "npm" => "npm",
            "maven" => "Maven",
            "cargo" => "crates.io",
            "nuget" => "NuGet",
            "gem" => "RubyGems",
            "composer" => "Packagist",
            "pub" => "Pub",
            "hex" => "Hex",
            "swift" => "SwiftURL",
            "githubactions" => "GitHub Actions",
            "conan" => "ConanCenter",
            "cran" => "CRAN",
            "hackage" => "Hackage",
            "julia" => "Julia",
            "bitnami" => "Bitnami",
            "opam" => "opam",
            "vscode-extension" => "VSCode",
            "deb" | "apk" | "rpm" => return self.distribution(),
            other => other,
        }
        .to_owned()
    }

    /// `Debian:12` from the namespace and the `distro` qualifier.
    fn distribution(&self) -> String {
        let distro = self.qualifier("distro").unwrap_or_default().to_lowercase();
        let vendor = self.namespace.as_deref().unwrap_or_else(|| {
            let letters = distro.bytes().take_while(u8::is_ascii_alphabetic).count();
            &distro[..letters]
        });
        let base = match (self.ty.as_str(), vendor) {
            ("deb", "debian") => "Debian",
            ("deb", "ubuntu") => "Ubuntu",
            ("deb", "echo") => "Echo",
            ("apk", "alpine") => "Alpine",
            ("apk", "wolfi") => "Wolfi",
            ("apk", "chainguard") => "Chainguard",
            ("apk", "alpaquita") => "Alpaquita",
            ("apk", "minimos") => "MinimOS",
            ("rpm", "redhat" | "rhel") => "Red Hat",
            ("rpm", "rocky" | "rocky-linux" | "rockylinux") => "Rocky Linux",
            ("rpm", "almalinux" | "alma") => "AlmaLinux",
            ("rpm", vendor) if vendor.starts_with("opensuse") => "openSUSE",
            ("rpm", "suse" | "sles" | "sled" | "sle") => "SUSE",
            ("rpm", "mageia") => "Mageia",
            ("rpm", "openeuler") => "openEuler",
            ("rpm", "photon") => "Photon OS",
            (ty, "") => return ty.to_owned(),
            (_, other) => other,
        };
        // SUSE's names hold more than one number (`opensuse-tumbleweed-20250101`), so the whole goes in.
        let release =
            if matches!(base, "SUSE" | "openSUSE") { Some(distro.as_str()) } else { release_of(&distro) };
        match release.filter(|release| !release.is_empty()) {
            Some(release) if !matches!(base, "Wolfi" | "Chainguard" | "MinimOS" | "Echo") => {
                format!("{base}:{}", ecosystem::normal_release(base, release))
            }
            Some(_) | None => base.to_owned(),
        }
    }

    fn osv_name(&self) -> String {
        let joined = |separator: char| match &self.namespace {
            Some(namespace) => format!("{namespace}{separator}{}", self.name),
            None => self.name.clone(),
        };
        match self.ty.as_str() {
            "maven" => joined(':'),
            // Tools write the standard library as `std` or `stdlib`; OSV has the second.
            "golang" if self.namespace.is_none() && self.name == "std" => "stdlib".to_owned(),
            "golang" | "npm" | "composer" | "swift" | "githubactions" | "vscode-extension" => joined('/'),
            "pypi" | "cargo" | "nuget" | "gem" | "pub" | "hex" | "deb" | "apk" | "rpm" | "conan" | "cran"
            | "hackage" | "julia" | "bitnami" | "opam" => self.name.clone(),
            _ => joined('/'),
        }
    }

    /// The version, with the epoch that Debian and rpm purls may carry as a qualifier.
    fn osv_version(&self) -> Option<String> {
        let version = self.version.as_deref()?;
        let takes_epoch = matches!(self.ty.as_str(), "deb" | "rpm") && !version.contains(':');
        match self.qualifier("epoch").filter(|_| takes_epoch) {
            Some(epoch) => Some(format!("{epoch}:{version}")),
            None => Some(version.to_owned()),
        }
    }

    /// `upstream=openssl`, `upstream=openssl@1.1.1n-0`, `upstream=openssl-1.1.1k-6.el8.src.rpm`.
    fn source(&self) -> Option<SourcePackage> {
        let upstream = self.qualifier("upstream").or_else(|| self.qualifier("source"))?;
        match self.ty.as_str() {
            "deb" | "apk" => {
                let (name, version) = match upstream.split_once('@') {
                    Some((name, version)) => (name, Some(version.to_owned())),
                    None => (upstream, None),
                };
                Some(SourcePackage { name: name.to_owned(), version })
            }
            "rpm" => {
                let stem = upstream.strip_suffix(".src.rpm").unwrap_or(upstream);
                let mut parts = stem.rsplitn(3, '-');
                let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
                let epoch = self.qualifier("epoch").map(|epoch| format!("{epoch}:")).unwrap_or_default();
                Some(SourcePackage {
                    name: name.to_owned(),
                    version: Some(format!("{epoch}{version}-{release}")),
                })
            }
            _ => None,
        }
    }
}

/// The release in `debian-12.4`, `opensuse-leap-15.5`, `bookworm`, `3.18.4`, `alpine-edge`.
fn release_of(distro: &str) -> Option<&str> {
    let vendors =
        ["debian", "ubuntu", "alpine", "redhat", "rhel", "rocky", "almalinux", "opensuse", "sles", "mageia"];
    let is_release =
        |part: &&str| !part.is_empty() && !vendors.contains(part) && *part != "linux" && *part != "leap";
    let parts: Vec<&str> = distro.split('-').filter(is_release).collect();
    parts.iter().find(|part| part.starts_with(|c: char| c.is_ascii_digit())).or(parts.last()).copied()
}

/// Module proxies write capitals as `!` and the small letter, since their files know no case.
fn go_path(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('!', Some(next)) if next.is_ascii_lowercase() => {
                path.push(next.to_ascii_uppercase());
                chars.next();
            }
            (c, _) => path.push(c),
        }
    }
    path
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut neutral = PackageUrl::new(NEUTRAL, self.name.as_str()).map_err(|_| fmt::Error)?;
        if let Some(namespace) = &self.namespace {
            neutral.with_namespace(namespace.as_str()).map_err(|_| fmt::Error)?;
        }
        if let Some(version) = &self.version {
            neutral.with_version(version.as_str()).map_err(|_| fmt::Error)?;
        }
        for (key, value) in &self.qualifiers {
            neutral.add_qualifier(key.as_str(), value.as_str()).map_err(|_| fmt::Error)?;
        }
        if let Some(subpath) = &self.subpath {
            neutral.with_subpath(subpath.as_str()).map_err(|_| fmt::Error)?;
        }
        let text = neutral.to_string();
        let rest = text.strip_prefix("pkg:generic").unwrap_or(&text);
        write!(f, "pkg:{}{rest}", self.ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn osv(text: &str) -> (String, String, Option<String>) {
        let package = text.parse::<Purl>().unwrap().osv();
        (package.ecosystem, package.name, package.version)
    }

    #[test]
    fn a_package_of_osv_comes_back_as_the_purl_that_leads_to_it() {
        for (ecosystem, name, purl) in [
            ("PyPI", "zope-interface", "pkg:pypi/zope-interface"),
            ("Go", "github.com/BurntSushi/toml", "pkg:golang/github.com/BurntSushi/toml"),
            ("Go", "stdlib", "pkg:golang/stdlib"),
            ("npm", "lodash", "pkg:npm/lodash"),
            ("Maven", "org.x:y", "pkg:maven/org.x/y"),
            ("crates.io", "serde", "pkg:cargo/serde"),
        ] {
            assert_eq!(Purl::of_osv(ecosystem, name).map(|purl| purl.to_string()).as_deref(), Some(purl));
        }
        let scoped = Purl::of_osv("npm", "@babel/core").unwrap();
        assert_eq!(osv(&scoped.to_string()).1, "@babel/core");
        assert_eq!(Purl::of_osv("Debian", "curl"), None);
        assert_eq!(Purl::of_osv("Unheard", "of"), None);
    }

    #[test]
    fn every_type_maps_to_its_ecosystem_and_name() {
        for (purl, ecosystem, name, version) in [
            ("pkg:pypi/Zope.Interface@5.0", "PyPI", "zope-interface", "5.0"),
            ("pkg:golang/github.com/BurntSushi/toml@v0.3.1", "Go", "github.com/BurntSushi/toml", "v0.3.1"),
            ("pkg:golang/github.com/!burnt!sushi/toml@v0.3.1", "Go", "github.com/BurntSushi/toml", "v0.3.1"),
            (
                "pkg:golang/github.com/a/b@v3.2.0%2Bincompatible",
                "Go",
                "github.com/a/b",
                "v3.2.0+incompatible",
            ),
            ("pkg:golang/stdlib@1.19.3", "Go", "stdlib", "1.19.3"),
            ("pkg:golang/std@v1.19", "Go", "stdlib", "v1.19"),
            ("pkg:npm/%40babel/core@7.0.0", "npm", "@babel/core", "7.0.0"),
            ("pkg:npm/@babel/core@7.0.0", "npm", "@babel/core", "7.0.0"),
            ("pkg:npm/JSONStream@1.3.5", "npm", "JSONStream", "1.3.5"),
            ("pkg:maven/org.x/y@1?type=jar", "Maven", "org.x:y", "1"),
            ("pkg:cargo/serde@1.0.0", "crates.io", "serde", "1.0.0"),
            ("pkg:nuget/Newtonsoft.Json@12.0.1", "NuGet", "Newtonsoft.Json", "12.0.1"),
            ("pkg:gem/rails@6.0", "RubyGems", "rails", "6.0"),
            ("pkg:composer/Symfony/Http-Kernel@5.0", "Packagist", "symfony/http-kernel", "5.0"),
            ("pkg:pub/http@0.13.0", "Pub", "http", "0.13.0"),
            ("pkg:hex/Plug@1.0.0", "Hex", "plug", "1.0.0"),
            ("pkg:deb/debian/curl@7.88.1-10?distro=debian-12", "Debian:12", "curl", "7.88.1-10"),
            ("pkg:deb/debian/curl@7.88.1-10?distro=bookworm", "Debian:12", "curl", "7.88.1-10"),
            ("pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12.4", "Debian:12", "curl", "7.88.1-10"),
            ("pkg:deb/debian/curl@7.88.1-10", "Debian", "curl", "7.88.1-10"),
            ("pkg:deb/debian/bind9@9.18-1?epoch=1&distro=sid", "Debian:unstable", "bind9", "1:9.18-1"),
            ("pkg:deb/debian/bind9@1:9.18-1?distro=debian-11", "Debian:11", "bind9", "1:9.18-1"),
            ("pkg:deb/ubuntu/curl@7.81.0-1?distro=ubuntu-22.04", "Ubuntu:22.04", "curl", "7.81.0-1"),
            ("pkg:deb/ubuntu/curl@7.81.0-1?distro=jammy", "Ubuntu:22.04", "curl", "7.81.0-1"),
            ("pkg:apk/alpine/busybox@1.36.1-r2?distro=alpine-3.18.4", "Alpine:v3.18", "busybox", "1.36.1-r2"),
            ("pkg:apk/alpine/busybox@1.36.1-r2?distro=3.18.4", "Alpine:v3.18", "busybox", "1.36.1-r2"),
            ("pkg:apk/alpine/busybox@1.36.1-r2?distro=alpine-edge", "Alpine:edge", "busybox", "1.36.1-r2"),
            ("pkg:apk/wolfi/curl@8.0-r0?distro=wolfi-20230201", "Wolfi", "curl", "8.0-r0"),
            (
                "pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.6",
                "Red Hat:8",
                "openssl",
                "1:1.1.1k-6.el8",
            ),
            (
                "pkg:rpm/rocky/openssl@1.1.1k-6.el8?distro=rocky-8.9",
                "Rocky Linux:8",
                "openssl",
                "1.1.1k-6.el8",
            ),
            ("pkg:rpm/almalinux/bash@5-1.el9?distro=almalinux-9.2", "AlmaLinux:9", "bash", "5-1.el9"),
            ("pkg:rpm/opensuse/bash@5-1?distro=opensuse-leap-15.5", "openSUSE:15.5", "bash", "5-1"),
            ("pkg:rpm/suse/bash@5-1?distro=sles-15.5", "SUSE:15.5", "bash", "5-1"),
            (
                "pkg:rpm/opensuse/bash@5-1?distro=opensuse-tumbleweed-20250101",
                "openSUSE:tumbleweed",
                "bash",
                "5-1",
            ),
            ("pkg:rpm/opensuse/bash@5-1", "openSUSE", "bash", "5-1"),
            ("pkg:deb/curl@1?distro=debian-12", "Debian:12", "curl", "1"),
            ("pkg:deb/curl@1", "deb", "curl", "1"),
            ("pkg:rpm/fedora/bash@5-1?distro=fedora-39", "fedora:39", "bash", "5-1"),
            ("pkg:generic/openssl@3", "generic", "openssl", "3"),
        ] {
            let expected = (ecosystem.to_owned(), name.to_owned(), Some(version.to_owned()));
            assert_eq!(osv(purl), expected, "{purl}");
        }
    }

    #[test]
    fn the_normal_form_is_stable() {
        for (given, normal) in [
            ("pkg:PyPI/Django_X@1.0", "pkg:pypi/django-x@1.0"),
            ("pkg://npm/@babel/core@7", "pkg:npm/%40babel/core@7"),
            ("pkg:golang/a.b/c@v1.0.0+incompatible", "pkg:golang/a.b/c@v1.0.0%2Bincompatible"),
            ("pkg:deb/Debian/Curl@1:7?b=2&a=1", "pkg:deb/debian/curl@1:7?a=1&b=2"),
            ("pkg:maven/org.X/Y@1?type=jar", "pkg:maven/org.X/Y@1?type=jar"),
        ] {
            let purl: Purl = given.parse().unwrap();
            assert_eq!(purl.to_string(), normal);
            assert_eq!(normal.parse::<Purl>().unwrap(), purl);
        }
    }

    #[test]
    fn sources_of_binaries_are_read() {
        let source = |text: &str| text.parse::<Purl>().unwrap().osv().source.map(|s| (s.name, s.version));
        let with = |name: &str, version: Option<&str>| Some((name.to_owned(), version.map(str::to_owned)));
        assert_eq!(source("pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl"), with("openssl", None));
        assert_eq!(source("pkg:deb/debian/gpgv@2-1?upstream=gnupg2%402-2"), with("gnupg2", Some("2-2")));
        assert_eq!(
            source("pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8?epoch=1&upstream=openssl-1.1.1k-6.el8.src.rpm"),
            with("openssl", Some("1:1.1.1k-6.el8"))
        );
        assert_eq!(source("pkg:npm/a@1?upstream=b"), None);
    }

    #[test]
    fn what_is_no_purl_is_named() {
        for text in ["", "npm/a@1", "pkg:", "pkg:npm", "pkg:npm/", "pkg:n pm/a", "pkg:npm/%ff%fe@1"] {
            let error = text.parse::<Purl>().unwrap_err();
            assert!(error.to_string().contains("not a package URL"), "{text}: {error}");
        }
    }
}
