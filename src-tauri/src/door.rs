//! The pages' way to the core: the same router that TCP clients reach, called in this process. No port is open.

use crate::settings;
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stella_contract::api;
use stella_contract::error::{Code, Envelope, Problem};
use tower::ServiceExt;

/// What one request or one answer may hold.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What one path with its query may hold.
const MOST_PATH: usize = 8 * 1024;

/// The core's router. Clones share one core.
#[derive(Clone)]
pub(crate) struct Door {
    router: Router,
    tenant: String,
}

/// A request as the pages send it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Text, or base64 when `base64` is set.
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) base64: bool,
}

/// The answer as the pages read it.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    /// Text, or base64 when `base64` is set.
    pub(crate) body: String,
    pub(crate) base64: bool,
}

impl Door {
    /// A door to this router, for this tenant unless a request names another.
    pub(crate) fn new(router: Router, tenant: String) -> Self {
        Self { router, tenant }
    }

    /// Passes a request on. What cannot be passed is answered as the core would answer it.
    pub(crate) async fn ask(&self, asked: Asked) -> Answer {
        match self.pass(asked).await {
            Ok(answer) => answer,
            Err(refusal) => refusal.into_answer(),
        }
    }

    /// Asks for a thing and reads it; for the shell's own tray and notifications.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let asked = Asked { method: "GET".to_owned(), path: path.to_owned(), ..Asked::default() };
        let answer = self.ask(asked).await;
        if answer.status >= 400 {
            let problem: Option<Envelope> = serde_json::from_str(&answer.body).ok();
            return Err(
                problem.map_or_else(|| format!("status {}", answer.status), |said| said.error.to_string())
            );
        }
        serde_json::from_str(&answer.body).map_err(|error| format!("{path}: {error}"))
    }

    async fn pass(&self, asked: Asked) -> Result<Answer, Refusal> {
        let request = self.request(asked)?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let is_stream = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_stream {
            return Err(Refusal(
                Code::BadRequest,
                "A stream cannot be read through the window; ask for its messages.",
            ));
        }
        let bytes = Limited::new(body, MOST_BYTES)
            .collect()
            .await
            .map_err(|_| {
                Refusal(
                    Code::PayloadTooLarge,
                    "The answer is larger than the window takes; narrow the request.",
                )
            })?
            .to_bytes();
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let status = parts.status.as_u16();
        Ok(match String::from_utf8(bytes.into()) {
            Ok(body) => Answer { status, headers, body, base64: false },
            Err(binary) => Answer { status, headers, body: STANDARD.encode(binary.as_bytes()), base64: true },
        })
    }

    fn request(&self, asked: Asked) -> Result<Request<Body>, Refusal> {
        let method = match asked.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            _ => return Err(Refusal(Code::BadRequest, "Only GET and POST are known here.")),
        };
        if asked.path.len() > MOST_PATH || !asked.path.starts_with('/') || asked.path.starts_with("//") {
            return Err(Refusal(Code::BadRequest, "A path of this application begins with one slash."));
        }
        let uri: Uri = asked.path.parse().map_err(|_| {
            Refusal(Code::BadRequest, "The path holds characters that must be percent-encoded.")
        })?;
        let body = body_of(asked.body, asked.base64)?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        for (name, value) in asked.headers {
            // A page may say what its request is about, never who it is: the shell's caller is the operator.
            let Some(name) = HeaderName::from_bytes(name.as_bytes()).ok().filter(may_pass) else { continue };
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
                Refusal(Code::BadRequest, "A header holds characters that headers cannot have.")
            })?;
            headers.insert(name, value);
        }
        if !headers.contains_key(api::TENANT_HEADER)
            && let Ok(tenant) = HeaderValue::from_str(&self.tenant)
        {
            headers.insert(HeaderName::from_static(api::TENANT_HEADER), tenant);
        }
        Ok(request)
    }
}

fn body_of(text: Option<String>, is_base64: bool) -> Result<Vec<u8>, Refusal> {
    let text = text.unwrap_or_default();
    let bytes = if is_base64 {
        STANDARD
            .decode(text)
            .map_err(|_| Refusal(Code::BadRequest, "The body is said to be base64 and is not."))?
    } else {
        text.into_bytes()
    };
    if bytes.len() > MOST_BYTES {
        return Err(Refusal(Code::PayloadTooLarge, "The body is larger than the window passes on."));
    }
    Ok(bytes)
}

fn may_pass(name: &HeaderName) -> bool {
    let of_ours = [api::TENANT_HEADER, api::REASON_HEADER, api::TICKET_HEADER, api::IDEMPOTENCY_HEADER];
    of_ours.contains(&name.as_str())
        || [header::CONTENT_TYPE, header::ACCEPT, header::IF_MATCH, header::IF_NONE_MATCH].contains(name)
}

/// What the door itself does not pass.
struct Refusal(Code, &'static str);

impl Refusal {
    fn into_answer(self) -> Answer {
        let Self(code, message) = self;
        let problem = settings::problem(code, message.to_owned());
        Answer {
            status: code.status(),
            headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
            body: serde_json::to_string(&Envelope { error: problem }).unwrap_or_default(),
            base64: false,
        }
    }
}

/// Hands a request of the pages to the core.
#[tauri::command]
pub(crate) async fn api(
    door: tauri::State<'_, Door>,
    method: String,
    path: String,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    base64: Option<bool>,
) -> Result<Answer, Problem> {
    let headers = headers.unwrap_or_default();
    Ok(door.ask(Asked { method, path, headers, body, base64: base64.unwrap_or_default() }).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request as Incoming;
    use axum::response::IntoResponse;
    use axum::routing::{any, get};

    async fn echo(request: Incoming) -> String {
        let (parts, body) = request.into_parts();
        let headers: Vec<String> =
            parts.headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        let body = body.collect().await.unwrap().to_bytes();
        format!("{} {} [{}] {}", parts.method, parts.uri, headers.join(" "), String::from_utf8_lossy(&body))
    }

    fn door() -> Door {
        let router = Router::new()
            .route("/binary", get(|| async { vec![0u8, 255] }))
            .route(
                "/stream",
                get(|| async { ([("content-type", "text/event-stream")], "data: x\n\n").into_response() }),
            )
            .fallback(any(echo));
        Door::new(router, "acme".to_owned())
    }

    fn asked(method: &str, path: &str) -> Asked {
        Asked { method: method.to_owned(), path: path.to_owned(), ..Asked::default() }
    }

    #[tokio::test]
    async fn a_request_reaches_the_router_as_it_was_sent() {
        let mut request = asked("POST", "/api/v1/runs?x=1");
        request.headers.insert("X-Stella-Operator-Reason".to_owned(), "why".to_owned());
        request.body = Some("{}".to_owned());
        let answer = door().ask(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            "POST /api/v1/runs?x=1 [x-stella-operator-reason=why x-stella-tenant=acme] {}"
        );
    }

    #[tokio::test]
    async fn a_page_cannot_say_who_it_is() {
        let mut request = asked("GET", "/");
        for name in ["Authorization", "Host", "Cookie", "X-Forwarded-For"] {
            request.headers.insert(name.to_owned(), "x".to_owned());
        }
        assert_eq!(door().ask(request).await.body, "GET / [x-stella-tenant=acme] ");
    }

    #[tokio::test]
    async fn bytes_go_both_ways_as_base64() {
        let answer = door().ask(asked("GET", "/binary")).await;
        assert_eq!((answer.body.as_str(), answer.base64), ("AP8=", true));
        let mut request = asked("POST", "/x");
        request.body = Some("aGVsbG8=".to_owned());
        request.base64 = true;
        assert!(door().ask(request).await.body.ends_with("hello"));
    }

    #[tokio::test]
    async fn what_cannot_be_passed_is_refused_with_a_code() {
        let mut not_base64 = asked("POST", "/");
        not_base64.body = Some("%".to_owned());
        not_base64.base64 = true;
        let mut broken_header = asked("GET", "/");
        broken_header.headers.insert("accept".to_owned(), "a\u{0}b".to_owned());
        let cases = [
            asked("DELETE", "/"),
            asked("GET", "https://example.org/"),
            asked("GET", "//example.org/"),
            asked("GET", "/a b"),
            asked("GET", "/stream"),
            not_base64,
            broken_header,
        ];
        for request in cases {
            let path = request.path.clone();
            let answer = door().ask(request).await;
            let envelope: Envelope = serde_json::from_str(&answer.body).unwrap();
            assert_eq!((answer.status, envelope.error.code), (400, Code::BadRequest), "{path}");
        }
    }
}
