//! What carries a request. HTTP clients are made here and nowhere else.

use crate::error::{Error, Fault};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{Request, Response};
use std::error::Error as _;
use std::fmt::Debug;
use std::time::Duration;
use url::Url;

/// The bytes of an answer as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, Error>>;

/// Carries one request and brings the answer's head at once, its bytes as they come.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends the request, whose address is a path with its query.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, Error>;
}

/// Carries requests to a server by TCP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    base: Url,
    http: reqwest::Client,
}

impl HttpTransport {
    /// For the server at this address: `http://127.0.0.1:8443`, `https://stella.example/operator`.
    pub fn new(base_url: &str) -> Result<Self, Error> {
        let base = base_url.trim_end_matches('/');
        let base: Url = base.parse().map_err(|error| {
            let what = format!(
                "`{base_url}` is not an address of a server ({error}). Expected http://… or https://…."
            );
            Error::transport(Fault::Unsendable, what)
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            let what = format!("`{base_url}` is not an address of a server. Expected http://… or https://….");
            return Err(Error::transport(Fault::Unsendable, what));
        }
        // No proxy of the environment: a token must not go where the operator did not send it. No redirect either.
        let http = reqwest::Client::builder()
            .user_agent(concat!("stella-sdk/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| {
                Error::transport(Fault::Unsendable, format!("No HTTP client: {}.", chain(&error)))
            })?;
        Ok(Self { base, http })
    }

    /// The base address may have a path of its own, which `Url::join` would drop.
    fn address(&self, path_and_query: &str) -> Result<Url, Error> {
        format!("{}{path_and_query}", self.base.as_str().trim_end_matches('/')).parse().map_err(|error| {
            Error::transport(Fault::Unsendable, format!("`{path_and_query}` is not a path ({error})."))
        })
    }

    fn failed(&self, error: &reqwest::Error) -> Error {
        let server = self.base.origin().ascii_serialization();
        if error.is_connect() {
            return Error::transport(
                Fault::Unreachable,
                format!("{server} cannot be reached: {}.", chain(error)),
            );
        }
        Error::transport(Fault::Broken, format!("The connection to {server} broke: {}.", chain(error)))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, Error> {
        let (head, body) = request.into_parts();
        let address = self.address(&head.uri.to_string())?;
        let sent = self.http.request(head.method, address).headers(head.headers).body(body).send().await;
        let answer = sent.map_err(|error| self.failed(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let (whole, this) = (answer.bytes_stream(), self.clone());
        let body = whole.map(move |piece| piece.map_err(|error| this.failed(&error))).boxed();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// The innermost cause says most; the address is left out, for it may carry secrets in its query.
fn chain(error: &reqwest::Error) -> String {
    let mut deepest = error.source();
    while let Some(next) = deepest.and_then(std::error::Error::source) {
        deepest = Some(next);
    }
    deepest.map_or_else(|| "no more is known".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_keeps_its_own_path_and_needs_no_final_slash() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for base in ["https://stella.example/operator", "https://stella.example/operator/"] {
            let transport = HttpTransport::new(base).unwrap();
            let address = transport.address("/api/v1/runs?tab=active").unwrap();
            assert_eq!(address.as_str(), "https://stella.example/operator/api/v1/runs?tab=active");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_expected_form() {
        for wrong in ["", "127.0.0.1:80", "ftp://stella.example", "mailto:a@b"] {
            let error = HttpTransport::new(wrong).unwrap_err();
            assert!(error.to_string().contains("Expected http://"), "{wrong}: {error}");
        }
    }
}
