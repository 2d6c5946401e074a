//! The orders of versions: hard cases as chains per ecosystem, and the laws every order keeps.

use proptest::prelude::*;
use std::cmp::Ordering;
use stella_evaluator::version::{Order, Version};

const ORDERS: [Order; 12] = [
    Order::Pep440,
    Order::SemVer,
    Order::Go,
    Order::NuGet,
    Order::Pub,
    Order::Maven,
    Order::RubyGems,
    Order::Packagist,
    Order::Dpkg,
    Order::Apk,
    Order::Rpm,
    Order::Numbers,
];

/// Reads `a < b = c < d`: every version against every later one, not only its neighbour.
#[track_caller]
fn chain(order: Order, text: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let versions: Vec<(Version, &str)> =
        words.iter().step_by(2).map(|word| (Version::parse(order, word), *word)).collect();
    let signs: Vec<&str> = words.iter().skip(1).step_by(2).copied().collect();
    for (left, (version, word)) in versions.iter().enumerate() {
        assert!(version.is_readable(), "{order}: `{word}` is not read");
        for (right, (other, other_word)) in versions.iter().enumerate().skip(left + 1) {
            let equal = signs[left..right].iter().all(|sign| *sign == "=");
            let expected = if equal { Ordering::Equal } else { Ordering::Less };
            assert_eq!(version.cmp(other), expected, "{order}: {word} against {other_word}");
            assert_eq!(other.cmp(version), expected.reverse(), "{order}: {other_word} against {word}");
        }
    }
}

#[test]
fn python_versions_stand_in_the_order_of_pep_440() {
    chain(
        Order::Pep440,
        "1.0.dev1 < 1.0a1.dev1 < 1.0a1 = 1.0alpha1 < 1.0a2 < 1.0b1 < 1.0rc1 = 1.0c1 < 1.0 = 1.0.0 = v1.0 < 1.0+local.1 < 1.0.post1 = 1.0-1 < 1.1.dev1 < 1.1",
    );
    chain(Order::Pep440, "2013.10 < 2014.4 < 1!1.0");
    chain(Order::Pep440, "1.9 < 1.10 < 1.11");
}

#[test]
fn semantic_versions_stand_in_the_order_of_item_11() {
    chain(
        Order::SemVer,
        "1.0.0-0 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0 = 1.0.0+build.5 = v1.0.0 = 1.0 = 1 < 1.0.1 < 1.2.0 < 1.10.0 < 2",
    );
    chain(Order::SemVer, "1.0.0-9 < 1.0.0-10 < 1.0.0-20190802002840123456789 < 1.0.0-A < 1.0.0-a");
    chain(Order::SemVer, "1.2.3-beta-1 < 1.2.3-beta-2 < 1.2.3 < 1.2.3.1");
}

#[test]
fn go_versions_know_pseudo_versions_and_toolchain_tags() {
    chain(
        Order::Go,
        "v0.0.0-20150717181359-44718f8a89b0 = 0.0.0-20150717181359-44718f8a89b0 < v0.0.0-20190802002840-cff245a6509b < v0.0.0 < v0.1.0 < v0.1.1-0.20191209134235-331c550502dd < v0.1.1 < v3.2.0 = v3.2.0+incompatible < v3.2.1-0.20200101000000-aaaaaaaaaaaa+incompatible < v3.2.1",
    );
    chain(
        Order::Go,
        "1.19.0-0 < 1.19.0-beta.1 < go1.19rc1 = 1.19.0-rc.1 < 1.19rc2 < 1.19 = go1.19 = v1.19.0 < go1.19.3 = 1.19.3 < 1.19.10 < 1.20.0-0 < 1.20",
    );
}

#[test]
fn nuget_versions_have_a_fourth_number_and_no_case() {
    chain(
        Order::NuGet,
        "1.0.0-ALPHA = 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-Beta < 1.0.0 = 1.0 = 1.0.0.0 = 1.0.0+meta < 1.0.0.1 < 1.0.1 < 1.01.2 = 1.1.2 < 2.0",
    );
}

#[test]
fn pub_versions_count_build_metadata() {
    chain(Order::Pub, "1.0.0-dev.1 < 1.0.0-dev.2 < 1.0.0 < 1.0.0+1 < 1.0.0+2 < 1.0.0+2.1 < 1.0.0+a < 1.0.1");
}

#[test]
fn maven_versions_stand_as_comparable_version_puts_them() {
    chain(
        Order::Maven,
        "1.0-alpha-1 = 1.0a1 = 1-alpha1 < 1.0-alpha-2 < 1.0-beta-1 = 1.0b1 < 1.0-milestone-1 = 1.0-m1 < 1.0-rc1 = 1.0-cr1 < 1.0-SNAPSHOT < 1 = 1.0 = 1.0.0 = 1.0.Final = 1.0-GA = 1.0.RELEASE < 1.0-sp < 1.0-jre < 1.0-xyz < 1.0-1 < 1.0-2 < 1.0.1 < 1.1 < 1.10",
    );
    chain(Order::Maven, "2.0.1-klm < 2.0.1-lmn < 2.0.1-123 < 2.0.2");
    chain(Order::Maven, "1.0.0.RC1 < 1.0.0 < 1.0.0.SP1 < 1.0.1.Beta1 < 1.0.1.Final = 1.0.1");
    chain(Order::Maven, "31.0-android < 31.0.1-android < 31.1-android < 31.1-jre < 32.0.0-jre");
    chain(Order::Maven, "2.12.6 < 2.12.6.1 < 2.13.0-rc1 < 2.13.0");
    chain(Order::Maven, "20040616 < 20210307 < 99999999999999999999");
}

#[test]
fn gem_words_make_pre_releases() {
    chain(
        Order::RubyGems,
        "1.0.a < 1.0.a.1 < 1.0.a.2 < 1.0.b1 < 1.0.rc1 < 1.0 = 1 = 1.0.0 < 1.0.1 < 1.9.3 < 1.10",
    );
    chain(Order::RubyGems, "6.0.0.beta1 < 6.0.0.rc1 < 6.0.0 < 6.0.3.1 < 6.0.3.2");
    chain(Order::RubyGems, "1.13.9 < 1.13.10-rc1 < 1.13.10 = 1.13.10-x86_64-linux = 1.13.10-java");
}

#[test]
fn packagist_versions_are_brought_to_composers_form() {
    chain(
        Order::Packagist,
        "1.0.0-dev < 1.0.0-alpha1 = 1.0.0a1 < 1.0.0-alpha2 < 1.0.0-beta1 = 1.0.0-b1 < 1.0.0-RC1 = 1.0.0-rc1 < 1.0.0-RC2 < 1.0.0 = 1.0 = v1 = 1.0.0.0 = 1.0.0-stable = 1.0.0+meta < 1.0.0-p1 = 1.0.0-patch1 = 1.0.0-pl1 < 1.0.1 < 1.10",
    );
    chain(Order::Packagist, "dev-main < 1.0 < 1.9.9 < 1.x-dev < 2.0.0");
}

#[test]
fn debian_versions_stand_as_dpkg_puts_them() {
    chain(
        Order::Dpkg,
        "1.0~~ < 1.0~~a < 1.0~ < 1.0~rc1-1 < 1.0 = 1.0-0 = 0:1.0 < 1.0-1 < 1.0-1+b1 < 1.0-1.1 < 1.0-10 < 1.0a < 1.0+dfsg-1 < 1.0.1 < 1.9 < 1.10 < 1:0.1 < 2:0.0",
    );
    chain(Order::Dpkg, "1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u10 < 1.1.1o-1");
    chain(Order::Dpkg, "7.81.0-1ubuntu1 < 7.81.0-1ubuntu1.2 < 7.81.0-1ubuntu1.10");
    chain(Order::Dpkg, "1.0-1-1 < 1.0-1-2");
    chain(Order::Dpkg, "0 = 00 < 0.0.1 < 1 = 01");
}

#[test]
fn alpine_versions_stand_as_apk_puts_them() {
    chain(
        Order::Apk,
        "1.0_alpha < 1.0_alpha1 < 1.0_beta < 1.0_pre < 1.0_rc1 < 1.0_rc1-r1 < 1.0 = 1.0-r0 < 1.0-r1 < 1.0-r10 < 1.0_cvs < 1.0_git20200101 < 1.0_p1 < 1.0a < 1.0b < 1.0.1 < 1.1 < 1.9 < 1.10",
    );
    chain(Order::Apk, "1.36.1-r2 < 1.36.1-r15 < 1.37.0-r0");
    chain(Order::Apk, "1.0.001 < 1.0.01 < 1.0.1");
    chain(Order::Apk, "1.8.1 < 1.8.1p1-r1");
}

#[test]
fn rpm_versions_stand_as_rpmvercmp_puts_them() {
    chain(
        Order::Rpm,
        "1.0~rc1-1 < 1.0 < 1.0-1 < 1.0-1.el8 < 1.0-2 < 1.0-10 < 1.0^git1-1 < 1.0a-1 < 1.0.1-1 < 1.9-1 < 1.10-1 < 1:0.1-1",
    );
    chain(Order::Rpm, "1.1.1k-6.el8 < 1.1.1k-6.el8_5 < 1.1.1k-7.el8_6");
    chain(Order::Rpm, "0:1.0-1 = 1.0-1 = 1_0-1");
    chain(Order::Rpm, "1.0.a < 1.0.b < 1.0.1");
    chain(Order::Rpm, "2.0 < 2.0^20200101 < 2.0.1");
}

#[test]
fn plain_numbers_put_the_longer_version_last() {
    chain(Order::Numbers, "0.9 < 0.9.1 < 0.10 < 1 < 1.0 = 1-0 < 1.0.0");
}

#[test]
fn what_cannot_be_read_stands_below_what_can() {
    for (order, text) in [
        (Order::Pep440, "2004d"),
        (Order::SemVer, "latest"),
        (Order::Go, "(devel)"),
        (Order::NuGet, "$(Version)"),
        (Order::RubyGems, "head"),
        (Order::Dpkg, "x:1"),
        (Order::Numbers, "1.a"),
        (Order::Maven, ""),
    ] {
        let version = Version::parse(order, text);
        assert!(!version.is_readable(), "{order}: {text}");
        assert!(version < Version::parse(order, "0"), "{order}: {text}");
    }
}

/// Texts made of the pieces versions are made of, and some of any characters at all.
fn any_version() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[0-9]{1,3}",
        Just("0".to_owned()),
        Just("00".to_owned()),
        Just("18446744073709551616".to_owned()),
        "[.\\-_+~^:]",
        Just(".".to_owned()),
        "[a-cA-C]",
        prop::sample::select(vec![
            "alpha", "beta", "rc", "final", "sp", "SNAPSHOT", "dev", "post", "pre", "x", "v", "go", "p",
            "git", "ga", "stable", "patch", "RELEASE", "-r", "é"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        9 => prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
        for order in ORDERS {
            let [x, y, z] = [&a, &b, &c].map(|text| Version::parse(order, text));
            prop_assert_eq!(x.cmp(&x), Ordering::Equal, "{} is not itself in {}", a, order);
            prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse(), "{} and {} in {}", a, b, order);
            prop_assert_eq!(x == y, x.cmp(&y).is_eq(), "{} and {} in {}", a, b, order);
            if x <= y && y <= z {
                prop_assert!(x <= z, "{} <= {} <= {} in {}", a, b, c, order);
            }
            if x == y {
                prop_assert_eq!(x.cmp(&z), y.cmp(&z), "{} = {} but not against {} in {}", a, b, c, order);
            }
        }
    }

    #[test]
    fn no_text_makes_a_reader_fail(text in "\\PC{0,40}") {
        for order in ORDERS {
            let version = Version::parse(order, &text);
            prop_assert_eq!(version.cmp(&version.clone()), Ordering::Equal);
        }
    }
}
