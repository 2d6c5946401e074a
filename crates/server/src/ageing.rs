//! What an answer says of its age: that its address goes and which follows, and whether the client has it already.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// An address that goes: RFC 9745 and RFC 8594.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deprecated {
    /// The address that follows, with the same parameter.
    pub(crate) successor: &'static str,
}

/// Since when: 2026-11-01T00:00:00Z.
pub(crate) const SINCE: &str = "@1793491200";
/// Until when the address is answered, at least.
pub(crate) const SUNSET: &str = "Mon, 01 Nov 2027 00:00:00 GMT";
/// Where it is told.
pub(crate) const TOLD_AT: &str = "/openapi/orchestrator.json";

impl Deprecated {
    /// Says so in the headers of an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap, path: &[(String, String)]) {
        let mut successor = self.successor.to_owned();
        for (name, value) in path {
            successor = successor.replace(&format!("{{{name}}}"), value);
        }
        let link = format!("<{successor}>; rel=\"successor-version\", <{TOLD_AT}>; rel=\"deprecation\"");
        headers.insert(HeaderName::from_static("deprecation"), HeaderValue::from_static(SINCE));
        headers.insert(HeaderName::from_static("sunset"), HeaderValue::from_static(SUNSET));
        // A parameter that cannot stand in a header led to no answer worth a link.
        if let Ok(link) = HeaderValue::from_str(&link) {
            headers.insert(header::LINK, link);
        }
    }
}

/// The version that a thing, or the thing inside its details, says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Versioned {
    version: Option<i64>,
    job: Option<Inner>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    version: Option<i64>,
}

/// The entity tag of a single thing: its version, and a digest of all that is shown with it, which may change without
/// the thing itself. `If-Match` reads the version only. Nothing for what has no version.
pub(crate) fn entity_tag(body: &[u8]) -> Option<HeaderValue> {
    let said: Versioned = serde_json::from_slice(body).ok()?;
    let version = said.version.or_else(|| said.job?.version)?;
    let digest = hex::encode(&Sha256::digest(body)[..8]);
    HeaderValue::from_str(&format!("\"{version}-{digest}\"")).ok()
}

/// The answer, or, when the client has it already, only that.
pub(crate) fn unless_known(response: Response, asked: Option<&HeaderValue>) -> Result<Response, Refusal> {
    let Some(asked) = asked.and_then(|value| value.to_str().ok()) else { return Ok(response) };
    let Some(tag) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()) else {
        return Ok(response);
    };
    let is_known = asked == "*" || asked.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    if response.status() != StatusCode::OK || !is_known {
        return Ok(response);
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_starts_with_the_version_and_changes_with_what_is_shown() {
        let tag = |body: &str| entity_tag(body.as_bytes()).map(|tag| tag.to_str().unwrap().to_owned());
        let one = tag(r#"{"version":7,"state":"queued"}"#).unwrap();
        assert!(one.starts_with("\"7-") && one.ends_with('"'), "{one}");
        assert_ne!(tag(r#"{"version":7,"state":"running"}"#).unwrap(), one);
        assert!(tag(r#"{"job":{"version":9},"payload":{}}"#).unwrap().starts_with("\"9-"));
        for nothing in [r#"{"version":"1.2.3"}"#, r#"{"items":[]}"#, "[]", "no json"] {
            assert_eq!(tag(nothing), None, "{nothing}");
        }
    }
}
