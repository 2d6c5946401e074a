//! Bytes from outside: a file, a folder or an HTTP address. The only file of the engine that knows reqwest.
//!
//! What comes back is checked for nothing but its size; whoever asked reads it. No message here carries the query of an
//! address, since that is where people put keys.

use crate::secrets::Secret;
use reqwest::header::{
    AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{StatusCode, redirect};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use stella_bundle::digest::{self, Hasher};
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;
use url::Url;

/// What a location may hold and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Bytes of everything at one location together.
    pub max_bytes: u64,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long the far side may be silent.
    pub read_timeout: Duration,
    /// Redirects followed, all on the host of the location.
    pub max_redirects: usize,
    /// Nothing is fetched from an address, only from files and folders.
    pub sealed: bool,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            max_redirects: 5,
            sealed: false,
        }
    }
}

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// An `http` or `https` address.
    Web(Url),
    /// A file or folder on this machine, by its absolute path.
    Path(PathBuf),
}

/// What the far side said last time, so that it need not send the same again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) digest: Option<String>,
}

/// What a location holds.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The far side says it is what it was.
    NotModified,
    /// Its content, and what to say next time.
    Content(Content),
}

/// The bytes of a location.
#[derive(Debug)]
pub(crate) struct Content {
    /// One per file; one for an address or a single file.
    pub(crate) parts: Vec<Part>,
    /// Bytes of all parts.
    pub(crate) bytes: u64,
    /// What to hand to the next fetch; its digest is always there.
    pub(crate) known: Known,
}

/// The bytes of one file.
#[derive(Debug)]
pub(crate) struct Part {
    /// The file's name, or the last part of the address.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing could be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct FetchError {
    /// Decides whether another attempt may help.
    pub(crate) class: ErrorClass,
    /// What, where, what next.
    pub(crate) message: String,
    /// The far side asked not to be called before so many milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
    /// What the far side answered.
    pub(crate) http_status: Option<u16>,
    /// The far side.
    pub(crate) host: Option<String>,
}

impl FetchError {
    pub(crate) fn new(class: ErrorClass, message: String) -> Self {
        Self { class, message, retry_after_ms: None, http_status: None, host: None }
    }
    fn at(self, url: &Url) -> Self {
        Self { host: host_of(url), ..self }
    }
}

impl Location {
    /// Reads a location, or says what one looks like.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let url = Url::parse(text).map_err(|_| "this is not a complete http or https address")?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err("an address must not carry a user name or password, because addresses are shown");
            }
            return Ok(Self::Web(url));
        }
        let path = Path::new(text);
        if path.is_absolute() && !text.contains('\0') {
            return Ok(Self::Path(path.to_owned()));
        }
        Err("write an address that begins with http:// or https://, or the absolute path of a file or folder")
    }

    /// The location as it may be shown and logged: an address without its query.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Web(url) => shown_url(url),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

/// An address without query, fragment and credentials.
fn shown_url(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Fetches what locations hold.
#[derive(Debug, Default)]
pub(crate) struct Fetcher {
    limits: FetchLimits,
    /// Made with the first address, so that a core that only reads files needs no TLS.
    client: OnceLock<reqwest::Client>,
}

impl Fetcher {
    pub(crate) fn new(limits: FetchLimits) -> Self {
        Self { limits, client: OnceLock::new() }
    }

    /// Everything at a location, asked for under a secret where there is one. `now` turns a date in `Retry-After` into a
    /// wait.
    pub(crate) async fn fetch(
        &self,
        location: &Location,
        known: &Known,
        secret: Option<&Secret>,
        now: Micros,
    ) -> Result<Fetched, FetchError> {
        match location {
            Location::Web(url) if self.limits.sealed => Err(sealed(url)),
            Location::Web(url) => self.get(url, known, secret, now).await,
            Location::Path(path) => {
                let (path, limits) = (path.clone(), self.limits);
                off_thread(move || read_path(&path, limits.max_bytes)).await.map(Fetched::Content)
            }
        }
    }

    async fn get(
        &self,
        url: &Url,
        known: &Known,
        secret: Option<&Secret>,
        now: Micros,
    ) -> Result<Fetched, FetchError> {
        let mut request = self.client()?.get(url.clone());
        if let Some(secret) = secret {
            request = request.header(AUTHORIZATION, authorization(url, secret)?);
        }
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
        let response = request.send().await.map_err(|error| broken(url, &error))?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        if !status.is_success() {
            return Err(refused(url, status, response.headers(), now));
        }
        self.receive(url, response).await.map(Fetched::Content)
    }

    async fn receive(&self, url: &Url, mut response: reqwest::Response) -> Result<Content, FetchError> {
        let max_bytes = self.limits.max_bytes;
        let over = || {
            let shown = shown_url(url);
            let message = format!(
                "{shown} holds more than the {max_bytes} bytes that are read; raise the limit or split the feed"
            );
            FetchError::new(ErrorClass::Validation, message).at(url)
        };
        if response.content_length().is_some_and(|length| length > max_bytes) {
            return Err(over());
        }
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, last_modified) = (header(ETAG), header(LAST_MODIFIED));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(url, &error))? {
            if (bytes.len() + chunk.len()) as u64 > max_bytes {
                return Err(over());
            }
            bytes.extend_from_slice(&chunk);
        }
        let digest = digest::of_bytes(&bytes);
        let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned();
        Ok(Content {
            bytes: bytes.len() as u64,
            parts: vec![Part { name, bytes }],
            known: Known { etag, last_modified, digest: Some(digest) },
        })
    }

    fn client(&self) -> Result<&reqwest::Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let max_redirects = self.limits.max_redirects;
        let made = reqwest::Client::builder()
            .user_agent(concat!("stella-operator/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect_timeout)
            .read_timeout(self.limits.read_timeout)
            .redirect(redirect::Policy::custom(move |attempt| stay_on_host(attempt, max_redirects)))
            .build()
            .map_err(|error| {
                FetchError::new(ErrorClass::Internal, format!("no HTTP client could be made: {error}"))
            })?;
        Ok(self.client.get_or_init(|| made))
    }
}

/// The header that carries a secret. It does not go over a network in the clear.
fn authorization(url: &Url, secret: &Secret) -> Result<HeaderValue, FetchError> {
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !is_here {
        let shown = shown_url(url);
        let message = format!("a secret is not sent to {shown} in the clear; use its https address");
        return Err(FetchError::new(ErrorClass::Auth, message).at(url));
    }
    let mut value = HeaderValue::from_str(&secret.authorization()).map_err(|_| {
        let message = "the secret has characters that no header carries; write it anew".to_owned();
        FetchError::new(ErrorClass::Auth, message).at(url)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A redirect is followed on the host that the operator named, never to another one and never out of TLS.
fn stay_on_host(attempt: redirect::Attempt<'_>, max_redirects: usize) -> redirect::Action {
    let Some(first) = attempt.previous().first() else { return attempt.stop() };
    let same_host = first.host_str() == attempt.url().host_str();
    let keeps_tls = first.scheme() == attempt.url().scheme() || attempt.url().scheme() == "https";
    if same_host && keeps_tls && attempt.previous().len() <= max_redirects {
        return attempt.follow();
    }
    attempt.stop()
}

/// The connection did not come about, broke off or fell silent.
fn sealed(url: &Url) -> FetchError {
    let shown = shown_url(url);
    let message = format!("the network is sealed and {shown} is not called; read a folder, or lift the seal");
    FetchError::new(ErrorClass::OfflineBlocked, message).at(url)
}

fn broken(url: &Url, error: &reqwest::Error) -> FetchError {
    let shown = shown_url(url);
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else if error.is_body() || error.is_decode() {
        "broke off in the middle of the answer"
    } else {
        "did not answer properly"
    };
    // The innermost cause says most; the outer ones repeat the address with its query.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = match std::error::Error::source(error) {
        Some(_) => format!(" ({cause})"),
        None => String::new(),
    };
    FetchError::new(
        ErrorClass::Network,
        format!("{shown} {what}{why}; check the address and the network, it is tried again by itself"),
    )
    .at(url)
}

/// The far side answered, but not with the content.
fn refused(url: &Url, status: StatusCode, headers: &HeaderMap, now: Micros) -> FetchError {
    let shown = shown_url(url);
    let retry_after_ms =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| wait_ms(text, now));
    let throttled = status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::SERVICE_UNAVAILABLE && retry_after_ms.is_some());
    let (class, advice) = match status {
        _ if throttled => (ErrorClass::UpstreamThrottle, "it is tried again when the far side allows"),
        _ if status.is_server_error() => (ErrorClass::UpstreamError, "it is tried again by itself"),
        StatusCode::REQUEST_TIMEOUT => (ErrorClass::Network, "it is tried again by itself"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorClass::Auth, "check whether the address needs a key, and the secret that the source names")
        }
        _ if status.is_redirection() => (
            ErrorClass::Validation,
            "it leads to another host or too far; add the final address as the source",
        ),
        _ => (ErrorClass::UpstreamClient, "check the address"),
    };
    let message = format!("{shown} answered {status}; {advice}");
    FetchError {
        class,
        message,
        retry_after_ms: retry_after_ms.filter(|_| class == ErrorClass::UpstreamThrottle),
        http_status: Some(status.as_u16()),
        host: host_of(url),
    }
}

/// The far side: its host and, where that is not the usual one, its port.
fn host_of(url: &Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    url.host_str().map(|host| format!("{host}{port}"))
}

/// `Retry-After` is a number of seconds or a date.
fn wait_ms(text: &str, now: Micros) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let until = Micros(date.timestamp().as_microsecond());
    Some(u64::try_from(until.ms_since(now)).unwrap_or(0))
}

/// The names of files that a folder is read for.
const FOLDER_ENDINGS: [&str; 4] = [".json", ".zip", ".ndjson", ".jsonl"];

/// The files of a folder that may hold records, sorted by name; of a file, that file.
pub(crate) fn files_of(path: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        if FOLDER_ENDINGS.iter().any(|ending| name.ends_with(ending)) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    if files.is_empty() {
        let message = format!(
            "the folder {} holds no .json, .zip, .ndjson or .jsonl file; check the path",
            path.display()
        );
        return Err(FetchError::new(ErrorClass::Validation, message));
    }
    Ok(files)
}

/// One file, if it is not larger than the room that is left.
pub(crate) fn read_file(path: &Path, room: u64) -> Result<Part, FetchError> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > room {
        let message = format!(
            "{} has {size} bytes, more than the {room} that may still be read; raise the limit or split the feed",
            path.display()
        );
        return Err(FetchError::new(ErrorClass::Validation, message));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Part { name, bytes })
}

fn read_path(path: &Path, max_bytes: u64) -> Result<Content, FetchError> {
    let mut parts = Vec::new();
    let mut total = 0;
    for file in files_of(path)? {
        let part = read_file(&file, max_bytes - total)?;
        total += part.bytes.len() as u64;
        parts.push(part);
    }
    let digest = match parts.as_slice() {
        [only] => digest::of_bytes(&only.bytes),
        several => digest_of_parts(several),
    };
    Ok(Content { parts, bytes: total, known: Known { digest: Some(digest), ..Known::default() } })
}

/// Names and lengths are part of it, so that a byte cannot wander from one file to the next unseen.
fn digest_of_parts(parts: &[Part]) -> String {
    let mut hasher = Hasher::default();
    for part in parts {
        hasher.update(part.name.as_bytes());
        hasher.update(&[0]);
        hasher.update(&(part.bytes.len() as u64).to_be_bytes());
        hasher.update(&part.bytes);
    }
    hasher.finish()
}

fn unreadable(path: &Path, error: &std::io::Error) -> FetchError {
    let shown = path.display();
    let (class, what) = match error.kind() {
        std::io::ErrorKind::NotFound => (ErrorClass::Validation, "does not exist; check the path"),
        std::io::ErrorKind::PermissionDenied => {
            (ErrorClass::Auth, "may not be read; give the core's user the right to read it")
        }
        _ => {
            return FetchError::new(
                ErrorClass::Resource,
                format!("{shown} cannot be read: {error}; check the disk"),
            );
        }
    };
    FetchError::new(class, format!("{shown} {what}"))
}

/// Runs what blocks where blocking is allowed.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(FetchError::new(ErrorClass::Internal, format!("the reading broke off: {error}"))),
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
