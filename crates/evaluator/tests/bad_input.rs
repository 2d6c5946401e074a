//! Bad input is named, never trusted and never stops what is good beside it.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use stella_evaluator::{
    FeedIndex, Limits, RecordCode, evaluate, parse_kev, parse_osv, parse_osv_within, parse_record, parse_sbom,
};
use support::{between, record, zip};

fn good(id: &str) -> Value {
    record(id, "PyPI", "django", "ECOSYSTEM", between("0", "3"))
}

/// File, path and code of every error.
fn errors(bytes: &[u8]) -> Vec<(String, String, RecordCode)> {
    parse_osv(bytes).errors.into_iter().map(|error| (error.file, error.path, error.code)).collect()
}

fn at(file: &str, path: &str, code: RecordCode) -> (String, String, RecordCode) {
    (file.to_owned(), path.to_owned(), code)
}

#[test]
fn one_record_lines_and_archives_are_read_alike() {
    let (a, b) = (good("A").to_string(), good("B").to_string());
    let pretty = serde_json::to_string_pretty(&good("A")).unwrap();
    let archive =
        zip(&[("A.json", a.as_bytes()), ("readme.txt", b"no record"), ("sub/B.json", b.as_bytes())]);
    for (bytes, ids) in [
        (a.clone().into_bytes(), vec!["A"]),
        (pretty.into_bytes(), vec!["A"]),
        (format!("{a}\n{b}\n\n").into_bytes(), vec!["A", "B"]),
        (format!("\u{feff}{a}\r\n{b}").into_bytes(), vec!["A", "B"]),
        (archive, vec!["A", "B"]),
    ] {
        let parsed = parse_osv(&bytes);
        assert_eq!(parsed.errors, []);
        assert_eq!(parsed.records.iter().map(|record| &*record.id).collect::<Vec<_>>(), ids);
    }
}

#[test]
fn the_text_of_a_record_is_kept_as_it_came() {
    let text = format!("{:#}", good("A"));
    let archive = zip(&[("A.json", text.as_bytes())]);
    assert_eq!(parse_osv(&archive).records[0].raw, text);
    assert_eq!(parse_record(&text).unwrap().id, "A");
}

#[test]
fn a_malformed_record_does_not_stop_the_good_ones() {
    let wrong = json!({"id": "W", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": 7}}]});
    let files: Vec<(&str, String)> = vec![
        ("good.json", good("A").to_string()),
        ("cut.json", good("B").to_string()[..40].to_owned()),
        ("wrong.json", wrong.to_string()),
        ("no-id.json", json!({"modified": "2026-01-01T00:00:00Z"}).to_string()),
        ("list.json", "[]".to_owned()),
        ("newer.json", json!({"id": "N", "modified": "x", "schema_version": "2.0.0"}).to_string()),
        ("also-good.json", good("C").to_string()),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let archive = zip(&files);
    assert_eq!(parse_osv(&archive).records.iter().map(|record| &*record.id).collect::<Vec<_>>(), ["A", "C"]);
    let found = errors(&archive);
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!((&*found[0].0, found[0].2), ("cut.json", RecordCode::ParseError));
    assert_eq!(found[1], at("wrong.json", "affected[0].package.name", RecordCode::SchemaMismatch));
    assert_eq!((&*found[2].0, found[2].2), ("no-id.json", RecordCode::SchemaMismatch));
    assert_eq!((&*found[3].0, found[3].2), ("list.json", RecordCode::SchemaMismatch));
    assert_eq!(found[4], at("newer.json", "schema_version", RecordCode::SchemaMismatch));
}

#[test]
fn a_malformed_line_does_not_stop_the_good_ones() {
    let text = format!("{{\"id\": broken\n{}\nnonsense\n{}", good("A"), good("B"));
    let parsed = parse_osv(text.as_bytes());
    assert_eq!(parsed.records.len(), 2);
    assert_eq!(parsed.errors.iter().map(|error| &*error.file).collect::<Vec<_>>(), ["line 1", "line 3"]);
}

#[test]
fn unknown_ranges_and_ranges_without_a_start_are_noticed() {
    let mut odd = good("A");
    odd["affected"][0]["ranges"] = json!([
        {"type": "MOON", "events": [{"introduced": "0"}]},
        {"type": "ECOSYSTEM", "events": [{"fixed": "1"}]},
    ]);
    let parsed = parse_osv(odd.to_string().as_bytes());
    assert_eq!(parsed.records.len(), 1);
    assert_eq!(
        errors(odd.to_string().as_bytes()),
        [
            at("", "affected[0].ranges[0].type", RecordCode::SchemaMismatch),
            at("", "affected[0].ranges[1].events", RecordCode::SchemaMismatch),
        ]
    );
}

#[test]
fn fields_of_other_shapes_in_free_places_are_let_be() {
    for free in
        [json!(null), json!([1, "x"]), json!("text"), json!(7), json!({"severity": ["HIGH"], "x": {"y": []}})]
    {
        let mut record = good("A");
        record["database_specific"] = free.clone();
        record["affected"][0]["ecosystem_specific"] = free;
        record["aliases"] = json!(null);
        assert_eq!(parse_osv(record.to_string().as_bytes()).errors, []);
    }
}

#[test]
fn a_truncated_archive_is_named_at_every_length() {
    let archive =
        zip(&[("A.json", good("A").to_string().as_bytes()), ("B.json", good("B").to_string().as_bytes())]);
    for length in 4..archive.len() {
        let parsed = parse_osv(&archive[..length]);
        assert!(!parsed.errors.is_empty(), "{length} of {} bytes were read without a word", archive.len());
    }
}

#[test]
fn a_damaged_entry_does_not_stop_the_good_ones() {
    let text = good("A").to_string();
    let mut archive = zip(&[("A.json", text.as_bytes()), ("B.json", good("B").to_string().as_bytes())]);
    for byte in &mut archive[60..80] {
        *byte ^= 0xff;
    }
    let parsed = parse_osv(&archive);
    assert_eq!(parsed.records.iter().map(|record| &*record.id).collect::<Vec<_>>(), ["B"]);
    assert_eq!(parsed.errors[0].file, "A.json");
    assert_eq!(parsed.errors[0].code, RecordCode::ParseError);
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused_by_name() {
    let bomb = vec![b' '; 1 << 20];
    let archive = zip(&[
        ("A.json", good("A").to_string().as_bytes()),
        ("bomb.json", &bomb),
        ("B.json", good("B").to_string().as_bytes()),
    ]);
    assert!(archive.len() < 10_000);
    let per_record = parse_osv_within(&archive, Limits { max_record_bytes: 4096, ..Limits::default() });
    assert_eq!(per_record.records.len(), 2);
    assert_eq!((&*per_record.errors[0].file, per_record.errors[0].code), ("bomb.json", RecordCode::TooLarge));
    let in_total = parse_osv_within(&archive, Limits { max_total_bytes: 4096, ..Limits::default() });
    assert_eq!(in_total.records.len(), 1);
    assert_eq!((&*in_total.errors[0].file, in_total.errors[0].code), ("bomb.json", RecordCode::TooLarge));
    assert_eq!(in_total.errors.len(), 1);
}

#[test]
fn of_two_records_with_one_id_the_newest_stays() {
    let mut newer = good("A");
    newer["modified"] = json!("2026-01-01T00:00:00.5Z");
    newer["summary"] = json!("newer");
    for order in [[&newer, &good("A")], [&good("A"), &newer]] {
        let text = format!("{}\n{}", order[0], order[1]);
        let parsed = parse_osv(text.as_bytes());
        assert_eq!(parsed.records.len(), 1);
        assert_eq!(parsed.records[0].summary.as_deref(), Some("newer"));
        assert_eq!(errors(text.as_bytes()), [at("line 2", "id", RecordCode::DuplicateId)]);
    }
}

#[test]
fn an_empty_feed_is_named_and_an_empty_index_finds_nothing() {
    for bytes in [Vec::new(), b" \n ".to_vec(), zip(&[]), zip(&[("readme.txt", b"x")])] {
        assert_eq!(errors(&bytes), [at("", ".", RecordCode::Empty)]);
    }
    let index = FeedIndex::build(1, [], None);
    assert_eq!(
        evaluate(&index, &support::components(&["pkg:pypi/django@1"])),
        stella_evaluator::Evaluation::default()
    );
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":{}"#,
        r#"[{"name":"a","components":"#.repeat(5_000)
    );
    let free = format!(r#"{{"id":"A","modified":"x","database_specific":{deep}}}"#);
    for text in [&deep, &free] {
        assert_eq!(errors(text.as_bytes()), [at("", ".", RecordCode::ParseError)]);
    }
    let brackets_in_text = json!({"id": "A", "modified": "x", "summary": "[".repeat(500) + "\"\\"});
    assert_eq!(errors(brackets_in_text.to_string().as_bytes()), []);
    for text in [&deep, &nested] {
        assert!(parse_sbom(text.as_bytes()).is_err());
        assert!(parse_kev(text.as_bytes()).is_err());
    }
}

fn cyclonedx(version: &str, components: Value) -> Vec<u8> {
    json!({"bomFormat": "CycloneDX", "specVersion": version, "components": components})
        .to_string()
        .into_bytes()
}

#[test]
fn sboms_of_unknown_kind_or_version_are_refused_by_name() {
    for (bytes, code, part) in [
        (cyclonedx("1.7", json!([])), RecordCode::Unsupported, "CycloneDX 1.7"),
        (cyclonedx("1.1", json!([])), RecordCode::Unsupported, "CycloneDX 1.1"),
        (json!({"spdxVersion": "SPDX-3.0"}).to_string().into_bytes(), RecordCode::Unsupported, "SPDX-3.0"),
        (
            json!({"bomFormat": "CycloneDX"}).to_string().into_bytes(),
            RecordCode::Unsupported,
            "CycloneDX none",
        ),
        (json!({"hello": 1}).to_string().into_bytes(), RecordCode::Unsupported, "neither"),
        (b"<bom/>".to_vec(), RecordCode::ParseError, "line 1"),
        (b"  ".to_vec(), RecordCode::Empty, "empty"),
        (b"{\"bomFormat\": \"CycloneDX\"".to_vec(), RecordCode::ParseError, "EOF"),
    ] {
        let error = parse_sbom(&bytes).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn an_sbom_of_wrong_shape_is_named_with_its_path() {
    let error = parse_sbom(&cyclonedx("1.5", json!([{"name": "a"}, {"name": 7}]))).unwrap_err();
    assert_eq!((error.code, &*error.path), (RecordCode::SchemaMismatch, "components[1].name"));
    let error = parse_sbom(&cyclonedx("1.5", json!({"a": 1}))).unwrap_err();
    assert_eq!((error.code, &*error.path), (RecordCode::SchemaMismatch, "components"));
    let spdx = json!({"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "externalRefs": [{"referenceLocator": []}]}]});
    let error = parse_sbom(spdx.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.path, "packages[0].externalRefs[0].referenceLocator");
}

#[test]
fn components_that_cannot_be_used_are_warnings() {
    let sbom = parse_sbom(&cyclonedx(
        "1.5",
        json!([
            {"type": "library", "name": "a"},
            {"type": "file", "name": "/etc/passwd"},
            {"type": "library", "name": "b", "purl": "not a purl"},
            {"type": "library", "name": "c", "purl": "pkg:conda/c@1"},
            {"type": "library", "name": "d", "purl": "pkg:npm/d@1"},
            {"type": "library", "name": "d", "purl": "pkg:npm/d@1"},
        ]),
    ))
    .unwrap();
    assert_eq!(
        sbom.components.iter().map(|component| &*component.purl).collect::<Vec<_>>(),
        ["pkg:conda/c@1", "pkg:npm/d@1"]
    );
    let warnings: Vec<_> = sbom.warnings.iter().map(|warning| (&*warning.path, warning.code)).collect();
    assert_eq!(
        warnings,
        [
            ("components[2].purl", RecordCode::SchemaMismatch),
            (".", RecordCode::NoPurl),
            (".", RecordCode::UnknownEcosystem),
        ]
    );
}

#[test]
fn an_sbom_without_any_purl_says_what_to_do() {
    let sbom = parse_sbom(&cyclonedx("1.4", json!([{"type": "library", "name": "a"}]))).unwrap();
    assert_eq!(sbom.components, []);
    assert!(sbom.warnings[0].message.contains("nothing in this SBOM can be matched"), "{:?}", sbom.warnings);
    let sbom = parse_sbom(&cyclonedx("1.4", json!([]))).unwrap();
    assert_eq!(sbom.warnings[0].code, RecordCode::Empty);
}

#[test]
fn a_bad_entry_of_the_exploited_list_does_not_stop_the_good_ones() {
    let catalogue = json!({"catalogVersion": "1", "vulnerabilities": [{"cveID": 7}, {"cveID": "CVE-2022-1", "dateAdded": "2026-01-01"}]});
    let kev = parse_kev(catalogue.to_string().as_bytes()).unwrap();
    assert_eq!((kev.entries.len(), &*kev.errors[0].path), (1, "vulnerabilities[0]"));
    let empty =
        parse_kev(json!({"catalogVersion": "1", "vulnerabilities": []}).to_string().as_bytes()).unwrap();
    assert_eq!(empty.errors[0].code, RecordCode::Empty);
    assert_eq!(parse_kev(b"").unwrap_err().code, RecordCode::Empty);
    assert_eq!(parse_kev(b"{}").unwrap_err().code, RecordCode::SchemaMismatch);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_changed_at_random_never_make_a_reader_fail(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        kind in 0..4_usize,
    ) {
        let mut bytes = match kind {
            0 => good("A").to_string().into_bytes(),
            1 => zip(&[("A.json", good("A").to_string().as_bytes()), ("B.json", good("B").to_string().as_bytes())]),
            2 => cyclonedx("1.5", json!([{"type": "library", "name": "a", "version": "1", "purl": "pkg:deb/debian/a@1?distro=debian-12&upstream=b"}])),
            _ => json!({"spdxVersion": "SPDX-2.3", "name": "n", "packages": [{"name": "a", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:npm/%40a/b@1"}]}]}).to_string().into_bytes(),
        };
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let parsed = parse_osv(&bytes);
        let index = FeedIndex::build(1, &parsed.records, None);
        if let Ok(sbom) = parse_sbom(&bytes) {
            evaluate(&index, &sbom.components);
        }
        let _ = parse_kev(&bytes);
    }

    #[test]
    fn any_text_is_a_purl_or_named(text in "(pkg:)?[a-z]{0,6}(/|@|%|[A-Za-z0-9._~!?=&#é-]|%[0-9A-F]{2}){0,24}") {
        match text.parse::<stella_evaluator::Purl>() {
            Ok(purl) => {
                let normal = purl.to_string();
                prop_assert_eq!(normal.parse::<stella_evaluator::Purl>().map(|again| again.to_string()), Ok(normal));
            }
            Err(error) => prop_assert!(error.to_string().contains("not a package URL")),
        }
    }
}
