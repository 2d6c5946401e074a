//! The web build of the UI: read once at start, served with the policy that keeps foreign scripts out.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The files of the web build. Clones share them.
#[derive(Debug, Clone)]
pub struct Assets {
    files: Arc<HashMap<String, Asset>>,
}

#[derive(Debug)]
struct Asset {
    bytes: Bytes,
    media_type: &'static str,
    etag: HeaderValue,
    /// Its name changes with its content.
    is_hashed: bool,
    policy: Option<HeaderValue>,
}

const INDEX: &str = "/index.html";

impl Assets {
    /// Reads every file below a folder.
    pub fn folder(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        gather(folder, "", &mut files)?;
        Self::of(files)
    }

    /// Takes files by their path below the root, such as `index.html`.
    pub fn of<B: Into<Bytes>>(files: impl IntoIterator<Item = (String, B)>) -> io::Result<Self> {
        let files: HashMap<String, Asset> = files
            .into_iter()
            .map(|(path, bytes)| (format!("/{}", path.trim_start_matches('/')), bytes.into()))
            .map(|(path, bytes)| (path.clone(), Asset::of(&path, bytes)))
            .collect();
        if !files.contains_key(INDEX) {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "there is no index.html among the files of the UI",
            ));
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// The file at this path, or the page that finds its way by the path itself.
    pub(crate) fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Refusal> {
        if is_of_the_interface(path) {
            return Err(Refusal::no_such_path(path));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Refusal::method_not_allowed(
                method.as_str(),
                path,
                Some(HeaderValue::from_static("GET, HEAD")),
            ));
        }
        let wanted = if path == "/" { INDEX } else { path };
        let asset = match self.files.get(wanted) {
            Some(asset) => asset,
            // A missing script must not be answered with a page, which the browser would then try to run.
            None if media_type_of(path).is_some() => return Err(Refusal::no_such_path(path)),
            None => self.files.get(INDEX).ok_or_else(|| Refusal::no_such_path(path))?,
        };
        Ok(asset.respond(headers))
    }
}

impl Asset {
    fn of(path: &str, bytes: Bytes) -> Self {
        let media_type = media_type_of(path).unwrap_or("application/octet-stream");
        let etag = format!("\"{}\"", hex::encode(Sha256::digest(&bytes)));
        let policy = (media_type == HTML).then(|| policy_of(&bytes));
        Self {
            etag: HeaderValue::from_str(&etag).expect("hex between quotes is a header value"),
            media_type,
            is_hashed: is_hashed(path),
            policy: policy
                .map(|text| HeaderValue::from_str(&text).expect("a policy is of visible ASCII characters")),
            bytes,
        }
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let is_known = headers.get(header::IF_NONE_MATCH) == Some(&self.etag);
        let mut response =
            Response::new(if is_known { Body::empty() } else { Body::from(self.bytes.clone()) });
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let kept = if self.is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        headers.insert(header::ETAG, self.etag.clone());
        if let Some(policy) = &self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        response
    }
}

/// Whether programs ask there, who must not be given a page.
fn is_of_the_interface(path: &str) -> bool {
    let under =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ["/api", "/openapi", "/health", "/.well-known"].into_iter().any(under)
        || (path.starts_with("/console/") && path.ends_with("/stream"))
}

const HTML: &str = "text/html; charset=utf-8";

fn media_type_of(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending {
        "html" => HTML,
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// The bundler puts 16 hex digits of the content into the name: `ui-4d1f9c0a7be23356_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or("");
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Nothing but what this server serves, and of inline scripts only those that are in the page now.
fn policy_of(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let hashes: String = inline_scripts(&page)
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect();
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-src 'none'; \
         frame-ancestors 'none'; form-action 'none'"
    )
}

/// The text of every script element that has no address.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(text)
    })
}

fn gather(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &path, files)?;
        } else {
            files.push((path, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scripts_of_the_page_itself_are_in_its_policy() {
        let page = "<script src=\"/a.js\"></script><script type=\"module\">import x from '/a.js';</script>";
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), ["import x from '/a.js';"]);
        let policy = policy_of(page.as_bytes());
        assert_eq!(policy.matches("'sha256-").count(), 1);
        assert!(!policy.contains("unsafe-inline"));
    }

    #[test]
    fn a_name_with_a_hash_is_kept_for_ever() {
        assert!(is_hashed("/ui-4d1f9c0a7be23356_bg.wasm"));
        assert!(is_hashed("/tokens-4d1f9c0a7be23356.css"));
        for plain in ["/index.html", "/icon.svg", "/ui-4d1f9c0a.js"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn what_programs_ask_for_is_never_a_page() {
        for path in ["/api/v2/jobs", "/api", "/console/runs/x/stream", "/openapi/x.json", "/health/x"] {
            assert!(is_of_the_interface(path), "{path}");
        }
        for path in ["/", "/ops/operations/jobengine", "/console/runs/x", "/apiary"] {
            assert!(!is_of_the_interface(path), "{path}");
        }
    }
}
