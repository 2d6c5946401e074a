//! Matching across ecosystems, with records in the spelling their databases use.

mod support;

use serde_json::{Value, json};
use support::{between, judge, matched, record};

/// The record's range against a list of purls and whether each is affected.
#[track_caller]
fn affects(record: &Value, cases: &[(&str, bool)]) {
    for (purl, expected) in cases {
        assert_eq!(!matched(std::slice::from_ref(record), purl).is_empty(), *expected, "{purl}");
    }
}

#[test]
fn npm_scopes_and_pre_releases_are_matched() {
    let record = record("GHSA-1", "npm", "@scope/Tool", "SEMVER", between("0", "2.0.0"));
    affects(
        &record,
        &[
            ("pkg:npm/%40scope/tool@1.9.9", true),
            ("pkg:npm/@scope/Tool@2.0.0-rc.1", true),
            ("pkg:npm/%40scope/tool@2.0.0", false),
            ("pkg:npm/%40scope/tool@0.0.0-0", true),
            ("pkg:npm/tool@1.0.0", false),
        ],
    );
}

#[test]
fn python_names_meet_in_their_normal_form() {
    let record = record("PYSEC-1", "PyPI", "Zope.Interface", "ECOSYSTEM", between("5.0", "5.2"));
    affects(
        &record,
        &[
            ("pkg:pypi/zope_interface@5.1", true),
            ("pkg:pypi/zope-interface@5.2rc1", true),
            ("pkg:pypi/zope.interface@5.0.0", true),
            ("pkg:pypi/zope.interface@5.2.0", false),
            ("pkg:pypi/zope.interface@5.0.dev1", false),
        ],
    );
}

#[test]
fn go_paths_meet_whatever_their_spelling() {
    let record = record("GO-1", "Go", "github.com/Masterminds/goutils", "SEMVER", between("0", "1.1.1"));
    affects(
        &record,
        &[
            ("pkg:golang/github.com/Masterminds/goutils@v1.1.0", true),
            ("pkg:golang/github.com/!masterminds/goutils@v1.1.0", true),
            ("pkg:golang/github.com/masterminds/goutils@1.1.0", true),
            ("pkg:golang/github.com/Masterminds/goutils@v1.1.1", false),
            ("pkg:golang/github.com/Masterminds/goutils@v1.1.1-0.20200101000000-abcdefabcdef", true),
            ("pkg:golang/github.com/Masterminds/goutils/v2@v1.0.0", false),
        ],
    );
    let incompatible = support::record(
        "GO-2",
        "Go",
        "example.com/a",
        "SEMVER",
        between("3.0.0+incompatible", "3.2.1+incompatible"),
    );
    affects(
        &incompatible,
        &[
            ("pkg:golang/example.com/a@v3.2.0%2Bincompatible", true),
            ("pkg:golang/example.com/a@v3.2.0+incompatible", true),
            ("pkg:golang/example.com/a@v3.2.1%2Bincompatible", false),
        ],
    );
}

#[test]
fn the_go_standard_library_has_one_name() {
    let events =
        json!([{"introduced": "0"}, {"fixed": "1.19.4"}, {"introduced": "1.20.0-0"}, {"fixed": "1.20.2"}]);
    let record = record("GO-3", "Go", "stdlib", "SEMVER", events);
    affects(
        &record,
        &[
            ("pkg:golang/stdlib@1.19.3", true),
            ("pkg:golang/std@go1.19.3", true),
            ("pkg:golang/stdlib@v1.19.4", false),
            ("pkg:golang/stdlib@1.20rc1", true),
            ("pkg:golang/stdlib@1.20.2", false),
        ],
    );
}

#[test]
fn maven_groups_and_qualifiers_are_matched() {
    let record = record("GHSA-2", "Maven", "org.example:core", "ECOSYSTEM", between("2.0-beta9", "2.15.0"));
    affects(
        &record,
        &[
            ("pkg:maven/org.example/core@2.14.1?type=jar", true),
            ("pkg:maven/org.example/core@2.0-beta9", true),
            ("pkg:maven/org.example/core@2.0-alpha1", false),
            ("pkg:maven/org.example/core@2.15.0.Final", false),
            ("pkg:maven/org.example/core@2.15.0-SNAPSHOT", true),
            ("pkg:maven/org.other/core@2.14.1", false),
        ],
    );
    let registry =
        support::record("GHSA-3", "Maven:https://maven.example", "g:a", "ECOSYSTEM", between("0", "1"));
    affects(&registry, &[("pkg:maven/g/a@0.9", true)]);
}

#[test]
fn crates_gems_nuget_composer_pub_and_hex_are_matched() {
    let cases = [
        (
            "crates.io",
            "time",
            "SEMVER",
            between("0.1.0", "0.2.23"),
            "pkg:cargo/time@0.1.43",
            "pkg:cargo/time@0.2.23",
        ),
        (
            "RubyGems",
            "rails",
            "ECOSYSTEM",
            between("6.0.0.beta1", "6.0.3.2"),
            "pkg:gem/rails@6.0.3.1",
            "pkg:gem/rails@6.0.3.2",
        ),
        (
            "NuGet",
            "Newtonsoft.Json",
            "ECOSYSTEM",
            between("0", "13.0.1"),
            "pkg:nuget/newtonsoft.json@12.0.3",
            "pkg:nuget/Newtonsoft.Json@13.0.1",
        ),
        (
            "Packagist",
            "symfony/http-kernel",
            "ECOSYSTEM",
            between("5.0.0", "5.0.5"),
            "pkg:composer/symfony/http-kernel@v5.0.4",
            "pkg:composer/symfony/http-kernel@v5.0.5",
        ),
        ("Pub", "http", "SEMVER", between("0", "0.13.3"), "pkg:pub/http@0.13.2", "pkg:pub/http@0.13.3"),
        ("Hex", "plug", "SEMVER", between("1.0.0", "1.0.4"), "pkg:hex/plug@1.0.3", "pkg:hex/plug@1.0.4"),
        (
            "GitHub Actions",
            "actions/Cache",
            "ECOSYSTEM",
            between("0", "3.0.0"),
            "pkg:githubactions/actions/cache@v2.1",
            "pkg:githubactions/actions/cache@v3",
        ),
        (
            "SwiftURL",
            "https://github.com/x/Y.git",
            "SEMVER",
            between("0", "1.2.0"),
            "pkg:swift/github.com/x/Y@1.1.0",
            "pkg:swift/github.com/x/Y@1.2.0",
        ),
        (
            "CRAN",
            "jsonlite",
            "ECOSYSTEM",
            between("0", "1.7-2"),
            "pkg:cran/jsonlite@1.7-1",
            "pkg:cran/jsonlite@1.7-2",
        ),
    ];
    for (ecosystem, name, kind, events, affected, fixed) in cases {
        affects(&record("X-1", ecosystem, name, kind, events), &[(affected, true), (fixed, false)]);
    }
}

fn debian() -> Value {
    json!({
        "id": "DSA-1", "modified": "2026-01-01T00:00:00Z",
        "affected": [
            {"package": {"ecosystem": "Debian:11", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1n-0+deb11u4"}]}]},
            {"package": {"ecosystem": "Debian:12", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.8-1"}]}]},
        ],
    })
}

#[test]
fn debian_packages_are_judged_by_their_own_release() {
    affects(
        &debian(),
        &[
            ("pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64&distro=debian-11", true),
            ("pkg:deb/debian/openssl@1.1.1n-0+deb11u4?distro=debian-11.6", false),
            ("pkg:deb/debian/openssl@1.1.1n-0+deb11u4?distro=bookworm", true),
            ("pkg:deb/debian/openssl@3.0.8-1~deb12u1?distro=debian-12", true),
            ("pkg:deb/debian/openssl@3.0.8-1?distro=debian-12", false),
            ("pkg:deb/debian/openssl@1.0-1?distro=debian-10", false),
            ("pkg:deb/ubuntu/openssl@1.0-1?distro=ubuntu-22.04", false),
        ],
    );
}

#[test]
fn a_debian_purl_without_release_meets_every_release_and_says_so() {
    let evaluation = judge(&[debian()], &["pkg:deb/debian/openssl@1.1.1n-0+deb11u4"]);
    assert_eq!(evaluation.raw_matches.len(), 1);
    assert_eq!(evaluation.partial.len(), 1);
    assert_eq!(evaluation.partial[0].reason, stella_evaluator::PartialReason::NoRelease);
}

#[test]
fn epochs_count_wherever_the_purl_has_them() {
    let record = record("DSA-2", "Debian:12", "bind9", "ECOSYSTEM", between("0", "1:9.18.12-1"));
    affects(
        &record,
        &[
            ("pkg:deb/debian/bind9@9.18.11-1?epoch=1&distro=debian-12", true),
            ("pkg:deb/debian/bind9@1:9.18.11-1?distro=debian-12", true),
            ("pkg:deb/debian/bind9@1%3A9.18.12-1?distro=debian-12", false),
            ("pkg:deb/debian/bind9@2:1.0-1?distro=debian-12", false),
            ("pkg:deb/debian/bind9@9.18.12-1?distro=debian-12", true),
        ],
    );
    let rpm = support::record(
        "RHSA-1",
        "Red Hat:enterprise_linux:8::baseos",
        "openssl",
        "ECOSYSTEM",
        between("0", "1:1.1.1k-7.el8_6"),
    );
    affects(
        &rpm,
        &[
            ("pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.6&arch=x86_64", true),
            ("pkg:rpm/redhat/openssl@1.1.1k-7.el8_6?epoch=1&distro=rhel-8.6", false),
            ("pkg:rpm/redhat/openssl@1.1.1k-7.el8_6?distro=rhel-8.6", true),
            ("pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-9.1", false),
        ],
    );
}

#[test]
fn binaries_are_looked_up_under_their_source() {
    affects(
        &debian(),
        &[
            ("pkg:deb/debian/libssl1.1@1.1.1n-0+deb11u3?distro=debian-11&upstream=openssl", true),
            ("pkg:deb/debian/libssl1.1@9?distro=debian-11&upstream=openssl%401.1.1n-0%2Bdeb11u3", true),
            ("pkg:deb/debian/libssl1.1@1.1.1n-0+deb11u3?distro=debian-11", false),
            ("pkg:deb/debian/openssl@1.0-1?distro=debian-11&upstream=other", false),
        ],
    );
    let alpine = record("ALPINE-1", "Alpine:v3.18", "busybox", "ECOSYSTEM", between("0", "1.36.1-r3"));
    affects(
        &alpine,
        &[
            ("pkg:apk/alpine/ssl_client@1.36.1-r2?distro=alpine-3.18.4&upstream=busybox", true),
            ("pkg:apk/alpine/busybox@1.36.1-r3?distro=alpine-3.18.4", false),
            ("pkg:apk/alpine/busybox@1.36.1-r2?distro=alpine-3.17.1", false),
        ],
    );
    let rocky = record("RLSA-1", "Rocky Linux:8", "openssl", "ECOSYSTEM", between("0", "1:1.1.1k-7.el8_6"));
    affects(
        &rocky,
        &[
            (
                "pkg:rpm/rocky/openssl-libs@1.1.1k-6.el8?epoch=1&distro=rocky-8.6&upstream=openssl-1.1.1k-6.el8.src.rpm",
                true,
            ),
            (
                "pkg:rpm/rocky/openssl-libs@1.1.1k-7.el8_6?epoch=1&distro=rocky-8.6&upstream=openssl-1.1.1k-7.el8_6.src.rpm",
                false,
            ),
        ],
    );
}

#[test]
fn ubuntu_and_wolfi_are_matched() {
    let ubuntu = record("USN-1", "Ubuntu:22.04:LTS", "curl", "ECOSYSTEM", between("0", "7.81.0-1ubuntu1.10"));
    affects(
        &ubuntu,
        &[
            ("pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.2?distro=ubuntu-22.04", true),
            ("pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.2?distro=jammy", true),
            ("pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.10?distro=ubuntu-22.04", false),
            ("pkg:deb/ubuntu/curl@7.0?distro=ubuntu-20.04", false),
        ],
    );
    let wolfi = record("CGA-1", "Wolfi", "curl", "ECOSYSTEM", between("0", "8.1.0-r0"));
    affects(&wolfi, &[("pkg:apk/wolfi/curl@8.0.1-r5?distro=wolfi-20230201", true)]);
}

#[test]
fn an_unknown_ecosystem_is_kept_matched_by_list_and_reported() {
    let mut record = record("X-2", "conda", "left-pad", "ECOSYSTEM", between("0", "9"));
    record["affected"][0]["versions"] = json!(["1.0-r7"]);
    let evaluation = judge(&[record], &["pkg:conda/left-pad@1.0-r7", "pkg:conda/left-pad@1.0-r8"]);
    assert_eq!(evaluation.raw_matches.len(), 1);
    assert_eq!(evaluation.raw_matches[0].matched, "1.0-r7: versions lists it");
    assert_eq!(evaluation.partial.len(), 2);
}

#[test]
fn listed_versions_count_beside_ranges() {
    let mut record = record("PYSEC-2", "PyPI", "a", "ECOSYSTEM", between("2.0", "2.1"));
    record["affected"][0]["versions"] = json!(["1.0", "0.9b1"]);
    affects(
        &record,
        &[
            ("pkg:pypi/a@1.0", true),
            ("pkg:pypi/a@1.0.0", true),
            ("pkg:pypi/a@0.9b1", true),
            ("pkg:pypi/a@0.9.beta1", true),
            ("pkg:pypi/a@1.0.1", false),
            ("pkg:pypi/a@2.0.5", true),
            ("pkg:pypi/a@2.1", false),
        ],
    );
}

#[test]
fn withdrawn_records_are_not_matched() {
    let mut record = record("PYSEC-3", "PyPI", "a", "ECOSYSTEM", between("0", "2"));
    affects(&record, &[("pkg:pypi/a@1.0", true)]);
    record["withdrawn"] = json!("2026-02-01T00:00:00Z");
    affects(&record, &[("pkg:pypi/a@1.0", false)]);
}
