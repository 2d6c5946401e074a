//! The client: which headers go beside a request, how a refusal is read, and when a read is asked again.

use crate::error::{Error, Fault};
use crate::transport::{ByteStream, HttpTransport, Transport};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use stella_contract::api::{IDEMPOTENCY_HEADER, REASON_HEADER, TENANT_HEADER, TICKET_HEADER};
use stella_contract::error::Envelope;
use stella_contract::ids::Tenant;
use stella_contract::job::Cause;

/// How long an ordinary answer may take; a long poll adds its own wait.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one read is asked at most.
const READS_MAX: u32 = 4;
/// The longest pause the far side may ask for before a read is given up.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A client of one server, for one tenant. Cloning it is cheap.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    token: Option<Arc<str>>,
    tenant: Tenant,
    patience: Duration,
}

/// What goes beside a write: who answers for it, and what makes a repeated write the same write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    /// Why, and under which ticket.
    pub cause: Cause,
    /// The same key and body is the same write.
    pub idempotency_key: Option<String>,
    /// The version that the thing was read in; of another version by now, the write is refused with
    /// `VERSION_MISMATCH`. Only things that say a version know it.
    pub version: Option<i64>,
}

impl Write {
    /// A write with this reason.
    pub fn because(reason: &str) -> Self {
        let cause = Cause { reason: Some(reason.to_owned()), ticket: None };
        Self { cause, ..Self::default() }
    }

    /// The same, refused when the thing is of another version by now.
    #[must_use]
    pub fn of_version(self, version: i64) -> Self {
        Self { version: Some(version), ..self }
    }
}

/// The token stays out of every log.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("Client")
            .field("transport", &self.transport)
            .field("tenant", &self.tenant)
            .field("token", &token)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at this address.
    pub fn new(base_url: &str, token: Option<&str>, tenant: Tenant) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(HttpTransport::new(base_url)?), token, tenant))
    }

    /// A client over a transport of the caller's.
    pub fn over(transport: Arc<dyn Transport>, token: Option<&str>, tenant: Tenant) -> Self {
        Self { transport, token: token.map(Arc::from), tenant, patience: PATIENCE }
    }

    /// The same client, waiting so long for an ordinary answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The tenant it speaks for.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Reads one thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[Query<'_>]) -> Result<T, Error> {
        self.get_within(path, query, self.patience).await
    }

    /// Reads one thing that may be a while in coming.
    pub(crate) async fn get_slow<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[Query<'_>],
        wait_ms: u64,
    ) -> Result<T, Error> {
        self.get_within(path, query, self.patience + Duration::from_millis(wait_ms)).await
    }

    async fn get_within<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[Query<'_>],
        patience: Duration,
    ) -> Result<T, Error> {
        read_json(&self.get_bytes_within(path, query, patience).await?)
    }

    /// Reads the bytes of an answer as they are.
    pub(crate) async fn get_bytes(&self, path: &str, query: &[Query<'_>]) -> Result<Bytes, Error> {
        self.get_bytes_within(path, query, self.patience).await
    }

    /// A read changes nothing, so it is asked again when the far side says when.
    async fn get_bytes_within(
        &self,
        path: &str,
        query: &[Query<'_>],
        patience: Duration,
    ) -> Result<Bytes, Error> {
        let address = address(path, query);
        let mut asked = 1;
        loop {
            let request = self.request(Method::GET, &address, &Write::default())?.body(Bytes::new());
            let answer = self.send(sound(request)?, patience).await?;
            match pause_before_next(asked, &answer) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return answer.body(),
            }
            asked += 1;
        }
    }

    /// Opens a stream of bytes; how long it may be silent is the caller's rule.
    pub(crate) async fn open(&self, path: &str, last_event_id: Option<&str>) -> Result<ByteStream, Error> {
        let mut request = self
            .request(Method::GET, path, &Write::default())?
            .header(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", value("last-event-id", id)?);
        }
        self.opened(sound(request.body(Bytes::new()))?).await
    }

    async fn opened(&self, request: http::Request<Bytes>) -> Result<ByteStream, Error> {
        let opening = tokio::time::timeout(self.patience, self.transport.send(request));
        let answer = opening.await.map_err(|_| Error::Timeout(self.patience))??;
        if answer.status() == StatusCode::OK {
            return Ok(answer.into_body());
        }
        let refused = tokio::time::timeout(self.patience, Whole::of(answer)).await;
        Err(refused.map_err(|_| Error::Timeout(self.patience))??.refusal())
    }

    /// Writes JSON and reads JSON.
    pub(crate) async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        write: &Write,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::transport(Fault::Unsendable, format!("The request cannot be written: {error}."))
        })?;
        self.post_bytes(path, &[], body.into(), write).await
    }

    /// Writes JSON and reads JSON, or nothing where the far side has nothing; it may be a while in coming.
    pub(crate) async fn post_slow<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        wait: Duration,
    ) -> Result<Option<T>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::transport(Fault::Unsendable, format!("The request cannot be written: {error}."))
        })?;
        let request = self
            .request(Method::POST, path, &Write::default())?
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.into());
        let answer = self.send(sound(request)?, self.patience + wait).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        read_json(&answer.body()?).map(Some)
    }

    /// Writes a JSON document byte for byte beside its signature and reads JSON.
    pub(crate) async fn post_signed<T: DeserializeOwned>(
        &self,
        path: &str,
        (name, text): (&'static str, &str),
        body: Bytes,
    ) -> Result<T, Error> {
        let request = self
            .request(Method::POST, path, &Write::default())?
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(name, value(name, text)?)
            .body(body);
        read_json(&self.send(sound(request)?, self.patience).await?.body()?)
    }

    /// Opens a document that is written while it is read.
    pub(crate) async fn open_document(&self, path: &str, query: &[Query<'_>]) -> Result<ByteStream, Error> {
        let request = self.request(Method::GET, &address(path, query), &Write::default())?;
        self.opened(sound(request.body(Bytes::new()))?).await
    }

    /// Puts bytes with headers of their own and reads JSON.
    pub(crate) async fn put_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<T, Error> {
        let mut request = self.request(Method::PUT, path, &Write::default())?;
        for (name, text) in headers {
            request = request.header(*name, value(name, text)?);
        }
        read_json(&self.send(sound(request.body(body))?, self.patience).await?.body()?)
    }

    /// Writes nothing but the wish itself and reads JSON.
    pub(crate) async fn post_nothing<T: DeserializeOwned>(
        &self,
        path: &str,
        write: &Write,
    ) -> Result<T, Error> {
        let request = self.request(Method::POST, path, write)?.body(Bytes::new());
        read_json(&self.send(sound(request)?, self.patience).await?.body()?)
    }

    /// Writes a JSON document byte for byte and reads JSON.
    pub(crate) async fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[Query<'_>],
        body: Bytes,
        write: &Write,
    ) -> Result<T, Error> {
        let request = self
            .request(Method::POST, &address(path, query), write)?
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body);
        read_json(&self.send(sound(request)?, self.patience).await?.body()?)
    }

    fn request(&self, method: Method, address: &str, write: &Write) -> Result<http::request::Builder, Error> {
        let mut request = Request::builder().method(method).uri(address);
        let mut header = |name: &'static str, text: Option<&str>| -> Result<(), Error> {
            if let (Some(text), Some(headers)) = (text, request.headers_mut()) {
                headers.insert(HeaderName::from_static(name), value(name, text)?);
            }
            Ok(())
        };
        header(TENANT_HEADER, Some(self.tenant.as_str()))?;
        header(REASON_HEADER, write.cause.reason.as_deref())?;
        header(TICKET_HEADER, write.cause.ticket.as_deref())?;
        header(IDEMPOTENCY_HEADER, write.idempotency_key.as_deref())?;
        header("if-match", write.version.map(|version| format!("\"{version}\"")).as_deref())?;
        if let Some(token) = &self.token {
            let mut bearer = value("authorization", &format!("Bearer {token}"))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        Ok(request)
    }

    async fn send(&self, request: Request<Bytes>, patience: Duration) -> Result<Whole, Error> {
        let said = format!("{} {}", request.method(), request.uri().path());
        let whole = async { Whole::of(self.transport.send(request).await?).await };
        let answer = tokio::time::timeout(patience, whole).await.map_err(|_| Error::Timeout(patience))??;
        tracing::debug!(request = said, status = answer.status.as_u16(), trace = answer.trace(), "answered");
        Ok(answer)
    }
}

/// A whole answer in memory.
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Whole {
    async fn of(answer: Response<ByteStream>) -> Result<Self, Error> {
        let (head, body) = answer.into_parts();
        let collect = body.try_fold(BytesMut::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        });
        Ok(Self { status: head.status, headers: head.headers, bytes: collect.await?.freeze() })
    }

    fn body(self) -> Result<Bytes, Error> {
        if self.status.is_success() { Ok(self.bytes) } else { Err(self.refusal()) }
    }

    /// What stands between us and the server (a proxy, another program on the port) refuses in words of its own.
    fn refusal(&self) -> Error {
        match serde_json::from_slice::<Envelope>(&self.bytes) {
            Ok(envelope) => Error::Problem(Box::new(envelope.error)),
            Err(_) => Error::transport(
                Fault::Unreadable,
                format!(
                    "The answer was {}, and not from this product. Check the address of the server.",
                    self.status
                ),
            ),
        }
    }

    fn trace(&self) -> &str {
        self.headers.get("x-stella-correlation-id").and_then(|id| id.to_str().ok()).unwrap_or("-")
    }

    /// How long the far side asks us to wait.
    fn retry_after(&self) -> Option<Duration> {
        if !matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return None;
        }
        let told =
            serde_json::from_slice::<Envelope>(&self.bytes).ok().and_then(|said| said.error.retry_after_ms);
        let header =
            || self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs);
        told.map(Duration::from_millis).or_else(header)
    }
}

fn pause_before_next(asked: u32, answer: &Whole) -> Option<Duration> {
    answer.retry_after().filter(|pause| asked < READS_MAX && *pause <= PAUSE_MAX)
}

/// One struct whose fields are parameters of a query.
pub(crate) type Query<'a> = &'a (dyn Parameters + Sync);

/// What can be told in a query: a struct of plain fields.
pub(crate) trait Parameters {
    /// The fields that are there, as text.
    fn pairs(&self) -> Vec<(String, String)>;
}

impl<T: Serialize> Parameters for T {
    fn pairs(&self) -> Vec<(String, String)> {
        let fields = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields,
            Ok(_) | Err(_) => return Vec::new(),
        };
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, text(value)))
            .collect()
    }
}

fn address(path: &str, query: &[Query<'_>]) -> String {
    let pairs: Vec<(String, String)> = query.iter().flat_map(|part| part.pairs()).collect();
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Text beyond ASCII travels as its UTF-8 bytes.
fn value(name: &str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Error::transport(
            Fault::Unsendable,
            format!("The header {name} must be one line without control characters."),
        )
    })
}

fn sound(request: Result<Request<Bytes>, http::Error>) -> Result<Request<Bytes>, Error> {
    request
        .map_err(|error| Error::transport(Fault::Unsendable, format!("The request cannot be sent: {error}.")))
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let what = format!("The answer cannot be read: {error}. Is the server of another version?");
        Error::transport(Fault::Unreadable, what)
    })
}
