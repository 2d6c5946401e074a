//! SBOMs in both formats.

use serde_json::json;
use stella_evaluator::{Component, SbomFormat, Subject, parse_sbom};

fn purls(components: &[Component]) -> Vec<&str> {
    components.iter().map(|component| &*component.purl).collect()
}

#[test]
fn nested_cyclonedx_components_are_all_found() {
    let digest = "ab".repeat(32);
    for version in ["1.2", "1.3", "1.4", "1.5", "1.6"] {
        let bom = json!({
            "bomFormat": "CycloneDX", "specVersion": version, "somethingNew": {"x": 1},
            "metadata": {"component": {
                "type": "container", "group": "team", "name": "shop", "version": "1.2",
                "hashes": [{"alg": "SHA-1", "content": "00"}, {"alg": "SHA-256", "content": digest}],
                "purl": "pkg:npm/shop@1.2",
                "components": [{"type": "library", "name": "inner", "purl": "pkg:npm/inner@1"}],
            }},
            "components": [
                {"type": "library", "name": "Outer_X", "version": "2", "purl": "pkg:pypi/Outer_X@2", "components": [
                    {"type": "library", "name": "deep", "purl": "pkg:npm/deep@3", "components": [
                        {"type": "library", "name": "deeper", "version": "4", "purl": "pkg:npm/deeper"},
                    ]},
                ]},
            ],
        });
        let sbom = parse_sbom(bom.to_string().as_bytes()).unwrap();
        assert_eq!((sbom.format, &*sbom.spec_version), (SbomFormat::CycloneDx, version));
        let subject = Subject {
            name: "team/shop".to_owned(),
            version: Some("1.2".to_owned()),
            digest: Some(format!("sha256:{digest}")),
        };
        assert_eq!(sbom.subject, Some(subject));
        assert_eq!(
            purls(&sbom.components),
            ["pkg:npm/deep@3", "pkg:npm/deeper", "pkg:npm/inner@1", "pkg:pypi/outer-x@2"]
        );
        assert_eq!(sbom.components[1].version, "4");
        assert_eq!(sbom.components[3].given_purl(), "pkg:pypi/Outer_X@2");
        assert_eq!(sbom.warnings, []);
    }
}

#[test]
fn an_image_digest_is_read_from_an_oci_purl() {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "metadata": {"component": {"type": "container", "name": "shop", "purl": format!("pkg:oci/shop@{}", digest.replace(':', "%3A"))}},
        "components": [{"type": "library", "name": "a", "purl": "pkg:npm/a@1"}],
    });
    let subject = parse_sbom(bom.to_string().as_bytes()).unwrap().subject.unwrap();
    assert_eq!((subject.version, subject.digest), (None, Some(digest)));
}

#[test]
fn source_packages_left_in_properties_are_read() {
    let bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "components": [{
            "type": "library", "name": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.4",
            "properties": [
                {"name": "aquasecurity:trivy:SrcName", "value": "openssl"},
                {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.11"},
                {"name": "aquasecurity:trivy:SrcRelease", "value": "1~deb12u2"},
                {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"},
            ],
        }],
    });
    let sbom = parse_sbom(bom.to_string().as_bytes()).unwrap();
    let source = sbom.components[0].source.clone().unwrap();
    assert_eq!((&*source.name, source.version.as_deref()), ("openssl", Some("1:3.0.11-1~deb12u2")));
    assert_eq!(sbom.components[0].ecosystem, "Debian:12");
}

#[test]
fn spdx_packages_are_found_by_their_references() {
    for (version, number) in [("SPDX-2.2", "2.2"), ("SPDX-2.3", "2.3")] {
        let document = json!({
            "spdxVersion": version, "name": "document", "documentDescribes": ["SPDXRef-root"],
            "packages": [
                {"SPDXID": "SPDXRef-root", "name": "shop", "versionInfo": "1.2", "checksums": [{"algorithm": "SHA256", "checksumValue": "AB".repeat(32)}]},
                {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "7", "externalRefs": [
                    {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:a:a:7:*:*:*:*:*:*:*"},
                    {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/a"},
                ]},
                {"SPDXID": "SPDXRef-b", "name": "b", "versionInfo": "NOASSERTION", "externalRefs": [
                    {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:maven/g/b@1.0?type=jar"},
                ]},
            ],
        });
        let sbom = parse_sbom(document.to_string().as_bytes()).unwrap();
        assert_eq!((sbom.format, &*sbom.spec_version), (SbomFormat::Spdx, number));
        assert_eq!(purls(&sbom.components), ["pkg:maven/g/b@1.0?type=jar", "pkg:npm/a"]);
        assert_eq!((&*sbom.components[1].version, &*sbom.components[0].name), ("7", "g:b"));
        let subject = sbom.subject.unwrap();
        assert_eq!((&*subject.name, subject.version.as_deref()), ("shop", Some("1.2")));
        assert_eq!(subject.digest, Some(format!("sha256:{}", "ab".repeat(32))));
        assert_eq!(sbom.warnings, []);
    }
}

#[test]
fn spdx_relationships_name_the_subject_where_the_list_is_missing() {
    let document = json!({
        "spdxVersion": "SPDX-2.3", "name": "document",
        "packages": [{"SPDXID": "SPDXRef-root", "name": "shop"}, {"SPDXID": "SPDXRef-a", "name": "a"}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-root"}],
    });
    let sbom = parse_sbom(document.to_string().as_bytes()).unwrap();
    assert_eq!(sbom.subject.unwrap().name, "shop");
    assert!(sbom.warnings[0].message.starts_with("1 components have no package URL"));
}
