//! Small inputs of our own making: a feed, a list of exploited vulnerabilities and SBOMs, all built in code.

use serde_json::{Value, json};

/// One OSV record for a PyPI package: affected from 0 until `fixed`.
pub fn advisory(id: &str, alias: &str, package: &str, fixed: &str, vector: &str) -> Value {
    json!({
        "schema_version": "1.6.0",
        "id": id,
        "modified": "2026-01-02T03:04:05Z",
        "published": "2026-01-01T00:00:00Z",
        "aliases": [alias],
        "summary": format!("{package} before {fixed} trusts its input"),
        "severity": [{"type": "CVSS_V3", "score": vector}],
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": package},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
}

pub const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
pub const MEDIUM: &str = "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:L/I:L/A:L";

/// Two records: `quill` before 2.0.7 (critical) and `lantern` before 1.4 (medium).
pub fn feed() -> String {
    [
        advisory("PYSEC-2026-1", "CVE-2026-1001", "quill", "2.0.7", CRITICAL),
        advisory("PYSEC-2026-2", "CVE-2026-1002", "lantern", "1.4", MEDIUM),
    ]
    .map(|record| record.to_string())
    .join("\n")
}

/// The feed a day later: a third record, for `harbor` before 3.1.
pub fn later_feed() -> String {
    format!("{}\n{}", feed(), advisory("PYSEC-2026-3", "CVE-2026-1003", "harbor", "3.1", CRITICAL))
}

/// A catalogue of exploited vulnerabilities that names the given CVEs.
pub fn kev(cves: &[&str]) -> String {
    let entries: Vec<Value> = cves
        .iter()
        .map(|cve| {
            json!({
                "cveID": cve, "vendorProject": "quill", "product": "quill", "vulnerabilityName": "quill trusts its input",
                "dateAdded": "2026-01-05", "shortDescription": "see name", "requiredAction": "update",
                "dueDate": "2026-02-05", "knownRansomwareCampaignUse": "Unknown", "notes": "",
            })
        })
        .collect();
    json!({
        "title": "Known exploited vulnerabilities", "catalogVersion": "2026.01.05",
        "dateReleased": "2026-01-05T00:00:00Z", "count": entries.len(), "vulnerabilities": entries,
    })
    .to_string()
}

/// A CycloneDX 1.6 SBOM of a service with these PyPI components.
pub fn sbom(name: &str, version: &str, components: &[(&str, &str)]) -> String {
    let listed: Vec<Value> = components
        .iter()
        .map(|(package, version)| {
            json!({
                "type": "library", "name": package, "version": version,
                "purl": format!("pkg:pypi/{package}@{version}"), "bom-ref": format!("{package}@{version}"),
            })
        })
        .collect();
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "application", "name": name, "version": version, "bom-ref": name}},
        "components": listed,
    })
    .to_string()
}
