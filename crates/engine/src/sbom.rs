//! From the bytes of an SBOM to what the ledger keeps of it. Pure.
//!
//! What makes two SBOMs the same target:
//! * With an image digest: that digest. An image never changes, so a newer SBOM of it says the same thing better.
//! * Without: namespace, repository and name. The version is not part of it, so that the SBOM of a newer version takes
//!   the place of the older one and a run can say what changed; the digest of such a target is that of its name and
//!   version and moves with them.

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::path::Path;
use stella_bundle::digest;
use stella_contract::error::Code;
use stella_contract::target::SbomPlace;
use stella_evaluator::{Component, PackageKey, RecordCode, RecordError, Sbom, SbomFormat, parse_sbom};
use stella_ledger::components::NewPackage;
use stella_ledger::targets::TargetRow;

/// The largest SBOM that is read.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// The longest name, version, namespace or repository, in characters.
const MAX_PLACE: usize = 300;
/// The longest name and version of a component; longer ones do not fit the index and occur nowhere.
const MAX_COMPONENT: usize = 1_000;
/// Warnings that one import lists.
const MAX_WARNINGS: usize = 50;

/// An SBOM ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    /// The target's row; its key, id and times are still to be filled in.
    pub(crate) row: TargetRow,
    /// Its components, one per digest, in the order of purls.
    pub(crate) packages: Vec<NewPackage>,
    /// Things worth knowing that stopped nothing.
    pub(crate) warnings: Vec<String>,
}

/// Reads an SBOM and finds out what it is the SBOM of.
pub(crate) fn prepare(tenant: &str, place: &SbomPlace, bytes: &[u8]) -> Result<Prepared, Error> {
    let file = place.file.as_deref();
    if bytes.len() > MAX_BYTES {
        let sentence = format!(
            "{}the SBOM has {} bytes, more than the {MAX_BYTES} that are read. Split it by application.",
            prefix(file),
            bytes.len()
        );
        return Err(Error::new(Code::PayloadTooLarge, sentence));
    }
    let sbom = parse_sbom(bytes).map_err(|error| unreadable(file, &error))?;
    let mut warnings: Vec<String> =
        sbom.warnings.iter().take(MAX_WARNINGS).map(|warning| format!("{warning}.")).collect();
    if sbom.warnings.len() > MAX_WARNINGS {
        warnings.push(format!("{} more warnings are not shown.", sbom.warnings.len() - MAX_WARNINGS));
    }
    let mut packages = Vec::with_capacity(sbom.components.len());
    for component in &sbom.components {
        packages.extend(package(component)?);
    }
    let unusable = sbom.components.len() - packages.len();
    if unusable > 0 {
        warnings.push(format!(
            "{unusable} components have names or versions that no package has and are not matched. Let the tool that writes the SBOM mend them."
        ));
    }
    let mut row = row(tenant, place, &sbom)?;
    row.sbom_digest = digest::of_bytes(bytes);
    row.component_count = packages.len() as i64;
    row.skipped_components = (sbom.skipped + unusable) as i64;
    Ok(Prepared { row, packages, warnings })
}

/// The target's row as far as the SBOM and its place tell.
fn row(tenant: &str, place: &SbomPlace, sbom: &Sbom) -> Result<TargetRow, Error> {
    let file = place.file.as_deref();
    let subject = sbom.subject.as_ref();
    let name = place
        .name
        .clone()
        .or_else(|| subject.map(|subject| subject.name.clone()).filter(|name| !name.trim().is_empty()))
        .or_else(|| file.and_then(stem))
        .ok_or_else(|| nameless(file))?;
    // A version that the SBOM gives belongs to the name that it gives.
    let version = place.version.clone().or_else(|| subject.and_then(|subject| subject.version.clone()));
    let image = match &place.digest {
        Some(given) if digest::is_digest(given) => Some(given.clone()),
        Some(_) => {
            return Err(Error::invalid("digest", "write it as sha256: and 64 lower-case hex digits"));
        }
        None => subject.and_then(|subject| subject.digest.clone()),
    };
    let name = checked("name", Some(name))?;
    let version = checked("version", version)?;
    let namespace = checked("namespace", place.namespace.clone())?;
    let repository = checked("repository", place.repository.clone())?;
    if name.is_empty() {
        return Err(nameless(file));
    }
    let identity = match &image {
        Some(image) => format!("image:{image}"),
        None => serde_json::to_string(&(&namespace, &repository, &name)).map_err(Error::internal)?,
    };
    let is_image = i64::from(image.is_some());
    let digest = image.unwrap_or_else(|| digest::of_bytes(format!("{name}@{version}").as_bytes()));
    Ok(TargetRow {
        target_key: 0,
        target_id: String::new(),
        tenant: tenant.to_owned(),
        identity,
        placement: placement(&digest),
        name,
        version,
        digest,
        is_image,
        namespace,
        repository,
        labels: "{}".to_owned(),
        sbom_format: format_name(sbom),
        sbom_digest: String::new(),
        component_count: 0,
        skipped_components: 0,
        findings: None,
        critical: None,
        last_run_id: None,
        created_at: 0,
        updated_at: 0,
    })
}

/// The first eight bytes of the SHA-256 of a digest, as the signed number the ledger can hold.
pub(crate) fn placement(digest: &str) -> i64 {
    let hash = Sha256::digest(digest.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

fn format_name(sbom: &Sbom) -> String {
    let format = match sbom.format {
        SbomFormat::CycloneDx => "CycloneDX",
        SbomFormat::Spdx => "SPDX",
    };
    format!("{format} {}", sbom.spec_version.trim_start_matches("SPDX-"))
}

/// `py-service-1` of `/x/py-service-1.cdx.json`.
fn stem(file: &str) -> Option<String> {
    let mut stem = Path::new(file).file_name()?.to_string_lossy().into_owned();
    for ending in [".json", ".cdx", ".spdx", ".bom", ".sbom"] {
        let lower = stem.to_ascii_lowercase();
        if lower.ends_with(ending) && lower.len() > ending.len() {
            stem.truncate(stem.len() - ending.len());
        }
    }
    Some(stem)
}

fn checked(field: &str, text: Option<String>) -> Result<String, Error> {
    let text = text.unwrap_or_default().trim().to_owned();
    if text.chars().count() > MAX_PLACE || text.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            format!("use at most {MAX_PLACE} characters, none of them a control character"),
        ));
    }
    Ok(text)
}

/// What the ledger keeps of a component; nothing when it does not fit the index.
fn package(component: &Component) -> Result<Option<NewPackage>, Error> {
    let fits = |text: &str| text.len() <= MAX_COMPONENT && !text.contains('\0');
    let source = component.source.as_ref();
    let texts = [&component.purl, &component.name, &component.version, &component.ecosystem];
    let source_fits =
        source.is_none_or(|source| fits(&source.name) && source.version.as_deref().is_none_or(fits));
    if !source_fits || !texts.into_iter().all(|text| fits(text)) {
        return Ok(None);
    }
    let name = |name: &str, version: &str| {
        let key = PackageKey::new(&component.ecosystem, name);
        (key.ecosystem, key.name, version.to_owned())
    };
    let mut names = vec![name(&component.name, &component.version)];
    if let Some(source) = source {
        let version = source.version.as_deref().unwrap_or(&component.version);
        names.push(name(&source.name, version));
    }
    let body = serde_json::to_string(component).map_err(Error::internal)?;
    Ok(Some(NewPackage {
        purl: component.purl.clone(),
        digest: digest::hex_of_bytes(body.as_bytes()),
        body,
        names,
    }))
}

fn prefix(file: Option<&str>) -> String {
    file.map(|file| format!("{file}: ")).unwrap_or_default()
}

fn nameless(file: Option<&str>) -> Error {
    let sentence =
        format!("{}the SBOM does not say what it describes. Give its name with the import.", prefix(file));
    Error::new(Code::SbomInvalid, sentence)
}

/// What is wrong with the whole SBOM: what, where, what next.
fn unreadable(file: Option<&str>, error: &RecordError) -> Error {
    let (code, next) = match error.code {
        RecordCode::Unsupported => (Code::SbomUnsupported, ""),
        RecordCode::TooLarge => (Code::PayloadTooLarge, ""),
        RecordCode::ParseError
        | RecordCode::SchemaMismatch
        | RecordCode::Empty
        | RecordCode::DuplicateId
        | RecordCode::NoPurl
        | RecordCode::UnknownEcosystem => {
            (Code::SbomInvalid, " Export it again as CycloneDX JSON 1.2 to 1.6 or SPDX JSON 2.2 or 2.3.")
        }
    };
    Error::new(code, format!("{}{error}.{next}", prefix(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cyclonedx(subject: &str, components: &str) -> String {
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{{subject}}},"components":[{components}]}}"#
        )
    }

    fn named(version: &str) -> String {
        cyclonedx(
            &format!(r#""component":{{"type":"application","name":"service","version":"{version}"}}"#),
            r#"{"type":"library","name":"django","purl":"pkg:pypi/django@2.0"},{"type":"library","name":"x"}"#,
        )
    }

    fn place(file: Option<&str>, name: Option<&str>) -> SbomPlace {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        SbomPlace { file: owned(file), name: owned(name), ..SbomPlace::default() }
    }

    fn prepared(place: &SbomPlace, text: &str) -> Prepared {
        prepare("acme", place, text.as_bytes()).unwrap()
    }

    #[test]
    fn a_newer_version_of_the_same_thing_is_the_same_target() {
        let one = prepared(&place(None, None), &named("1"));
        let two = prepared(&place(None, None), &named("2"));
        assert_eq!(one.row.identity, two.row.identity);
        assert_ne!(one.row.digest, two.row.digest);
        assert_eq!((one.row.name.as_str(), one.row.version.as_str()), ("service", "1"));
        let elsewhere = SbomPlace { namespace: Some("prod".to_owned()), ..SbomPlace::default() };
        assert_ne!(prepared(&elsewhere, &named("1")).row.identity, one.row.identity);
    }

    #[test]
    fn an_image_is_known_by_its_digest_alone() {
        let image = digest::of_bytes(b"image");
        let at = |namespace: &str| SbomPlace {
            digest: Some(image.clone()),
            namespace: Some(namespace.to_owned()),
            ..SbomPlace::default()
        };
        let one = prepared(&at("a"), &named("1"));
        assert_eq!(one.row.identity, prepared(&at("b"), &named("2")).row.identity);
        assert_eq!((one.row.digest.as_str(), one.row.is_image), (image.as_str(), 1));
        let wrong = SbomPlace { digest: Some("sha256:ABC".to_owned()), ..SbomPlace::default() };
        assert_eq!(prepare("acme", &wrong, named("1").as_bytes()).unwrap_err().fields[0].field, "digest");
    }

    #[test]
    fn the_name_comes_from_the_place_then_the_subject_then_the_file() {
        let nameless = cyclonedx("", "");
        assert_eq!(prepared(&place(Some("f.cdx.json"), Some("given")), &named("1")).row.name, "given");
        assert_eq!(prepared(&place(Some("f.cdx.json"), None), &named("1")).row.name, "service");
        assert_eq!(
            prepared(&place(Some("/x/py-service-1.cdx.json"), None), &nameless).row.name,
            "py-service-1"
        );
        let error = prepare("acme", &place(None, None), nameless.as_bytes()).unwrap_err();
        assert_eq!(error.code, Code::SbomInvalid);
        assert!(error.public.contains("Give its name"), "{error}");
    }

    #[test]
    fn what_cannot_be_matched_is_counted_and_told() {
        let one = prepared(&place(None, None), &named("1"));
        assert_eq!((one.row.component_count, one.row.skipped_components), (1, 1));
        assert!(one.warnings[0].contains("no package URL"), "{:?}", one.warnings);
        let long = format!(r#"{{"type":"library","name":"a","purl":"pkg:pypi/{}@1"}}"#, "a".repeat(2_000));
        let two = prepared(&place(None, Some("n")), &cyclonedx("", &long));
        assert_eq!((two.row.component_count, two.row.skipped_components), (0, 1));
        assert_eq!(two.row.sbom_format, "CycloneDX 1.6");
    }

    #[test]
    fn a_binary_is_found_by_the_name_of_its_source_too() {
        let component = r#"{"type":"library","name":"l","purl":"pkg:deb/debian/libssl3@3.0.11-1?distro=bookworm&upstream=openssl"}"#;
        let one = prepared(&place(None, Some("n")), &cyclonedx("", component));
        let names: Vec<&str> = one.packages[0].names.iter().map(|(_, name, _)| name.as_str()).collect();
        assert_eq!(names, ["libssl3", "openssl"]);
    }

    #[test]
    fn each_unreadable_sbom_says_what_where_and_what_next() {
        let deep = format!(
            "{}{}",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":"#,
            "[".repeat(100_000)
        );
        for (text, code, word) in [
            ("", Code::SbomInvalid, "empty"),
            ("{", Code::SbomInvalid, "Export"),
            ("[]", Code::SbomUnsupported, "CycloneDX"),
            (r#"{"bomFormat":"CycloneDX","specVersion":"9.9"}"#, Code::SbomUnsupported, "9.9"),
            (r#"{"hello":1}"#, Code::SbomUnsupported, "CycloneDX"),
            (
                r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":7}"#,
                Code::SbomInvalid,
                "components",
            ),
            (&deep, Code::SbomInvalid, "Export"),
        ] {
            let shown: String = text.chars().take(60).collect();
            let error = prepare("acme", &place(Some("a.json"), None), text.as_bytes()).unwrap_err();
            assert_eq!(error.code, code, "{shown}: {error}");
            assert!(error.public.contains(word) && error.public.starts_with("a.json: "), "{shown}: {error}");
        }
    }
}
