//! Things as a file, dead letters or runs: in the envelope of JSON with its manifest, or, where the client accepts the file's own media
//! type, the bytes alone with the manifest in a header.

use crate::describe::Operation;
use crate::refusal::Refusal;
use crate::reply::{Answer, Download, Reply};
use crate::take::{Asking, Taken};
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::json;
use stella_contract::dead_letter::{DeadLetterExport, ExportFormat};
use stella_contract::run_export::RunExport;
use utoipa::ToSchema;

/// The header that carries the manifest.
const MANIFEST_HEADER: &str = "x-stella-manifest";

/// The form of a file that the client accepts by name; a wildcard is content with JSON.
pub(crate) struct Accepted {
    pub(crate) format: Option<ExportFormat>,
}

const fn media_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Ndjson => "application/x-ndjson",
        ExportFormat::Csv => "text/csv",
    }
}

impl Taken for Accepted {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let said = asking.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut kinds = said.split(',').map(|one| one.split(';').next().unwrap_or("").trim());
        // The first that is known counts, JSON among them.
        let known = kinds.find_map(|kind| {
            let form = ExportFormat::ALL.iter().copied().find(|form| media_type(*form) == kind);
            if form.is_none() && kind == "application/json" { Some(None) } else { form.map(Some) }
        });
        Ok(Self { format: known.flatten() })
    }
    fn describe(_: &mut Operation) {}
}

/// A file in its envelope.
pub(crate) trait Envelope: Serialize + ToSchema + Send + 'static {
    /// The file, and its manifest as JSON.
    fn opened(self) -> serde_json::Result<(Download, String)>;
}

/// An envelope of this shape; the manifests of all kinds of files have these fields.
macro_rules! envelope {
    ($kind:ident) => {
        impl Envelope for $kind {
            fn opened(self) -> serde_json::Result<(Download, String)> {
                let Self { manifest, content } = self;
                let said = serde_json::to_string(&manifest)?;
                let download = Download {
                    media_type: media_type(manifest.format),
                    file_name: manifest.file_name,
                    digest: manifest.sha256,
                    bytes: content.into(),
                };
                Ok((download, said))
            }
        }
    };
}

envelope!(DeadLetterExport);
envelope!(RunExport);

/// The export in the form that was accepted.
pub(crate) struct Exported<E> {
    pub(crate) made: E,
    pub(crate) as_file: bool,
}

impl<E: Envelope> Reply for Exported<E> {
    fn respond(self) -> Result<Response, Refusal> {
        if !self.as_file {
            return Answer::<_, 200>::of(self.made).respond();
        }
        let (download, said) =
            self.made.opened().map_err(|error| Refusal::internal(format!("a manifest as JSON: {error}")))?;
        let said = HeaderValue::from_str(&said)
            .map_err(|error| Refusal::internal(format!("a manifest as header: {error}")))?;
        let mut response = download.respond()?;
        response.headers_mut().insert(HeaderName::from_static(MANIFEST_HEADER), said);
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers::<E>(200);
        let answer = &mut operation.answers["200"];
        for format in ExportFormat::ALL {
            answer["content"][media_type(*format)] = json!({ "schema": { "type": "string" } });
        }
        answer["description"] = json!(
            "The file in its envelope; or, where `Accept` names the media type of the file first, the file alone: its \
             `ETag` is the SHA-256 of its bytes, and `X-Stella-Manifest` carries the manifest."
        );
        answer["headers"]["X-Stella-Manifest"] = json!({
            "description": "The manifest as JSON, where the answer is the file alone.",
            "schema": { "type": "string" },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::Upgradable;
    use bytes::Bytes;
    use http::HeaderMap;

    #[test]
    fn the_first_media_type_that_is_known_counts() {
        let accepted = |said: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(said))]);
            let asking = Asking {
                path: Vec::new(),
                query: String::new(),
                headers,
                body: Bytes::new(),
                upgrade: Upgradable::default(),
            };
            Accepted::take(&asking)
                .map(|accepted| accepted.format)
                .unwrap_or_else(|_| panic!("any wish is understood"))
        };
        for (said, expected) in [
            ("text/csv", Some(ExportFormat::Csv)),
            ("application/x-ndjson;q=0.9, text/csv", Some(ExportFormat::Ndjson)),
            ("text/html, text/csv", Some(ExportFormat::Csv)),
            ("application/json, text/csv", None),
            ("*/*", None),
            ("", None),
        ] {
            assert_eq!(accepted(said), expected, "{said}");
        }
    }
}
