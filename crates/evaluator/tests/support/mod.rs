//! Inputs of our own making for the tests of this crate.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "each test binary takes what it needs, and a test may unwrap"
)]

use serde_json::{Value, json};
use std::io::Write;
use stella_evaluator::{Advisory, Component, Evaluation, FeedIndex, evaluate, parse_osv};

/// One advisory about one package.
pub(crate) fn record(id: &str, ecosystem: &str, name: &str, kind: &str, events: Value) -> Value {
    json!({
        "schema_version": "1.6.0", "id": id, "modified": "2026-01-01T00:00:00Z", "aliases": [],
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": kind, "events": events}],
        }],
    })
}

/// `introduced` first, then `fixed`.
pub(crate) fn between(introduced: &str, fixed: &str) -> Value {
    json!([{"introduced": introduced}, {"fixed": fixed}])
}

pub(crate) fn advisory(record: &Value) -> Advisory {
    let parsed = parse_osv(record.to_string().as_bytes());
    assert_eq!(parsed.errors, []);
    parsed.records.into_iter().next().unwrap()
}

pub(crate) fn advisories(records: &[Value]) -> Vec<Advisory> {
    records.iter().map(advisory).collect()
}

pub(crate) fn components(purls: &[&str]) -> Vec<Component> {
    purls.iter().map(|purl| Component::from_purl(purl).unwrap()).collect()
}

pub(crate) fn judge(records: &[Value], purls: &[&str]) -> Evaluation {
    evaluate(&FeedIndex::build(1, &advisories(records), None), &components(purls))
}

/// The ids of the records that match.
pub(crate) fn matched(records: &[Value], purl: &str) -> Vec<String> {
    judge(records, &[purl]).raw_matches.into_iter().map(|found| found.record_id).collect()
}

/// A zip archive with deflated files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let method = rawzip::CompressionMethod::DEFLATE;
        let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}
