//! Health, the API document, the session, the switches and the overview.

use crate::describe::Operation;
use crate::desk::{Desk, Hall};
use crate::handlers::Answered;
use crate::refusal::Refusal;
use crate::reply::{Answer, Paged, Reply};
use crate::take::{Everything, Id, Json, Listing, Matching};
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use stella_contract::api;
use stella_contract::feature::{Feature, FeatureSwitch, SetFeature};
use stella_contract::overview::Overview;
use stella_contract::session::{OpenSession, OpenedSession, Ready, Session};
use stella_contract::time::Micros;
use utoipa::ToSchema;

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Live {
    /// Always true: a process that is not does not answer.
    live: bool,
}

/// Where the API document is, and which one it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Discovery {
    /// The path of the document.
    spec: String,
    /// The version of the interface.
    version: String,
    /// When it was made: when this process hung its door.
    generated_at: Micros,
    /// The document's entity tag.
    etag: String,
    /// SHA-256 of the document, lower-case hex.
    sha256: String,
}

pub(crate) async fn live(_: Hall) -> Answered<Answer<Live>> {
    Ok(Answer::of(Live { live: true }))
}

pub(crate) async fn ready(hall: Hall) -> Answered<Answer<Ready>> {
    hall.slot.demand()?;
    Ok(Answer::of(Ready { ready: true, waiting_for: Vec::new() }))
}

pub(crate) async fn discover(hall: Hall) -> Answered<Kept<Discovery>> {
    let discovery = Discovery {
        spec: "/openapi/orchestrator.json".to_owned(),
        version: api::VERSION.to_owned(),
        generated_at: hall.document.generated_at,
        etag: hall.document.etag(),
        sha256: hall.document.sha256.clone(),
    };
    let text = serde_json::to_string(&discovery).map_err(|error| Refusal::internal(error.to_string()))?;
    Ok(Kept::of(text, &hall, 300))
}

pub(crate) async fn document(hall: Hall) -> Answered<Kept<ApiText>> {
    Ok(Kept::of(hall.document.text.clone(), &hall, 60))
}

pub(crate) async fn open_session(
    hall: Hall,
    Json(wish): Json<OpenSession>,
) -> Answered<Answer<OpenedSession>> {
    let engine = hall.slot.demand()?;
    Ok(Answer::of(engine.sessions().open(&wish.one_time_token).await?))
}

pub(crate) async fn session(desk: Desk) -> Answered<Answer<Session>> {
    Ok(Answer::of(desk.engine.sessions().describe(&desk.caller, desk.tenants).await?))
}

pub(crate) async fn features(desk: Desk, list: Listing<Everything>) -> Answered<Paged<FeatureSwitch>> {
    Ok(Paged(desk.engine.features().list(&desk.caller, &list.page).await?))
}

pub(crate) async fn set_feature(
    desk: Desk,
    (Id(feature), matching): (Id<Feature>, Matching),
    Json(wish): Json<SetFeature>,
) -> Answered<Answer<FeatureSwitch>> {
    Ok(Answer::of(desk.engine.features().set(&desk.caller, feature, wish, matching.version).await?))
}

pub(crate) async fn overview(desk: Desk) -> Answered<Answer<Overview>> {
    Ok(Answer::of(desk.engine.overview().get(&desk.caller).await?))
}

/// JSON that a client may keep for a while and then ask whether it changed. Its entity tag is the document's.
pub(crate) struct Kept<T> {
    text: String,
    etag: String,
    is_known: bool,
    max_age_s: u32,
    kind: std::marker::PhantomData<fn() -> T>,
}

/// The API document.
pub(crate) struct ApiText;

impl utoipa::PartialSchema for ApiText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let object = utoipa::openapi::ObjectBuilder::new();
        object.description(Some("An OpenAPI 3.1 document.")).build().into()
    }
}
impl ToSchema for ApiText {}

impl<T> Kept<T> {
    fn of(text: String, hall: &Hall, max_age_s: u32) -> Self {
        let etag = hall.document.etag();
        let asked =
            hall.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_known =
            asked == "*" || asked.split(',').any(|one| one.trim().trim_start_matches("W/") == etag);
        Self { text, etag, is_known, max_age_s, kind: std::marker::PhantomData }
    }
}

impl<T: ToSchema + 'static> Reply for Kept<T> {
    fn respond(self) -> Result<Response, Refusal> {
        let value = |text: String| {
            HeaderValue::from_str(&text).map_err(|error| Refusal::internal(format!("own header: {error}")))
        };
        let mut response = Response::new(if self.is_known { Body::empty() } else { Body::from(self.text) });
        if self.is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ETAG, value(self.etag)?);
        headers.insert(header::CACHE_CONTROL, value(format!("public, max-age={}", self.max_age_s))?);
        Ok(response)
    }
    fn describe(operation: &mut Operation) {
        operation.answers::<T>(200);
        operation.answer(304, "It has not changed since the entity tag in `If-None-Match`.", json!({}));
        operation.parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The entity tag of the document that the client has.",
        }));
    }
}
