//! What a handler can answer with. Like its inputs, every kind of answer says of itself what the API document must.

use crate::ageing;
use crate::describe::Operation;
use crate::refusal::Refusal;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use stella_contract::api;
use stella_contract::page::Page;
use stella_engine::Error as EngineError;
use utoipa::ToSchema;

/// The output of a handler.
pub(crate) trait Reply: Send + 'static {
    /// Turns it into what goes over the wire.
    fn respond(self) -> Result<Response, Refusal>;
    /// Says what it is to the API document.
    fn describe(operation: &mut Operation);
}

/// One thing, as JSON.
pub(crate) struct Answer<T, const STATUS: u16 = 200> {
    thing: T,
    replayed: bool,
}

impl<T, const STATUS: u16> Answer<T, STATUS> {
    pub(crate) fn of(thing: T) -> Self {
        Self { thing, replayed: false }
    }
    /// The thing was there before under the same idempotency key, if `replayed` says so.
    pub(crate) fn replayed_if(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

impl<T: Serialize + ToSchema + Send + 'static, const STATUS: u16> Reply for Answer<T, STATUS> {
    fn respond(self) -> Result<Response, Refusal> {
        let mut response = tagged(STATUS, &self.thing)?;
        if self.replayed {
            mark_replayed(&mut response);
        }
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers::<T>(STATUS);
    }
}

/// One thing, as JSON, or 204 when there is none.
pub(crate) struct MaybeAnswer<T>(pub(crate) Option<T>);

impl<T: Serialize + ToSchema + Send + 'static> Reply for MaybeAnswer<T> {
    fn respond(self) -> Result<Response, Refusal> {
        if let Some(thing) = &self.0 {
            return json(200, thing);
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers::<T>(200);
        operation.answer(204, "There was none in time.", serde_json::json!({}));
    }
}

/// One page of a list, as JSON.
pub(crate) struct Paged<T>(pub(crate) Page<T>);

impl<T: Serialize + ToSchema + Send + 'static> Reply for Paged<T> {
    fn respond(self) -> Result<Response, Refusal> {
        json(200, &self.0)
    }
    fn describe(operation: &mut Operation) {
        operation.answers_page::<T>();
    }
}

/// Text as it is.
pub(crate) struct Plain {
    media_type: &'static str,
    text: String,
}

impl Plain {
    /// The text format of figures.
    pub(crate) fn exposition(text: String) -> Self {
        Self { media_type: EXPOSITION, text }
    }
}

/// The media type of figures.
pub(crate) const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Reply for Plain {
    fn respond(self) -> Result<Response, Refusal> {
        let mut response = Response::new(Body::from(self.text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers_text(EXPOSITION);
    }
}

/// A document to be kept: a snapshot as JSON or CSV, its digest as its entity tag.
pub(crate) struct Download {
    pub(crate) media_type: &'static str,
    pub(crate) file_name: String,
    pub(crate) digest: String,
    pub(crate) bytes: Bytes,
}

impl Reply for Download {
    fn respond(self) -> Result<Response, Refusal> {
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|error| Refusal::internal(format!("a document's header: {error}")))
        };
        let disposition = value(&format!("attachment; filename=\"{}\"", self.file_name))?;
        let etag = value(&format!("\"{}\"", self.digest))?;
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CONTENT_DISPOSITION, disposition);
        headers.insert(header::ETAG, etag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers_documents();
    }
}

/// A document that is written while it is sent.
pub(crate) struct Written {
    pub(crate) media_type: &'static str,
    pub(crate) file_name: String,
    pub(crate) pieces: BoxStream<'static, Result<Bytes, EngineError>>,
}

impl Reply for Written {
    fn respond(self) -> Result<Response, Refusal> {
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.file_name))
            .map_err(|error| Refusal::internal(format!("a document's header: {error}")))?;
        let mut response = Response::new(Body::from_stream(self.pieces));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CONTENT_DISPOSITION, disposition);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers_text("text/csv");
    }
}

/// Stored bytes under their digest.
pub(crate) struct Octets {
    pub(crate) digest: String,
    pub(crate) bytes: Bytes,
}

impl Reply for Octets {
    fn respond(self) -> Result<Response, Refusal> {
        let etag = HeaderValue::from_str(&format!("\"{}\"", self.digest))
            .map_err(|error| Refusal::internal(format!("digest as header: {error}")))?;
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::ETAG, etag);
        // What is stored under a digest never changes, but only who may ask may keep it.
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers_octets();
    }
}

/// Marks an answer as one that was given before.
pub(crate) fn mark_replayed(response: &mut Response) {
    let (name, value) = (HeaderName::from_static(api::REPLAYED_HEADER), HeaderValue::from_static("true"));
    response.headers_mut().insert(name, value);
}

/// A single thing; one that has a version gets an entity tag and may be kept by whoever asks each time whether it changed.
fn tagged<T: Serialize>(status: u16, thing: &T) -> Result<Response, Refusal> {
    let body = written(thing)?;
    let tag = ageing::entity_tag(&body);
    let mut response = of_json(status, body);
    if let Some(tag) = tag {
        let headers = response.headers_mut();
        headers.insert(header::ETAG, tag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    Ok(response)
}

pub(crate) fn json<T: Serialize>(status: u16, thing: &T) -> Result<Response, Refusal> {
    Ok(of_json(status, written(thing)?))
}

fn written<T: Serialize>(thing: &T) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(thing).map_err(|error| Refusal::internal(format!("answer as JSON: {error}")))
}

fn of_json(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
