//! The one wrapper around every handler: recognise, settle the tenant, demand the scope, the reason and the ticket,
//! read the body, answer a repeated write with its first answer. A handler is only ever called from here.

use crate::ageing;
use crate::desk::{Desk, Hall};
use crate::envelope::said;
use crate::hosts::FromSocket;
use crate::house::House;
use crate::limit::Left;
use crate::mounted::{DoorKind, Mounted};
use crate::refusal::Refusal;
use crate::reply::mark_replayed;
use crate::socket::Upgradable;
use crate::take::Asking;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::panic::AssertUnwindSafe;
use stella_contract::api::{IDEMPOTENCY_HEADER, Method};
use stella_contract::error::Code;
use stella_engine::Engine;
use stella_engine::idempotency::{Begun, Claim, Kept};
use tracing::Instrument;

/// Answers a request, and says in the headers what its caller has left, whether its address goes, and that it has the
/// answer already.
pub(crate) async fn pass(
    house: House,
    mounted: Mounted,
    path: Vec<(String, String)>,
    correlation_id: String,
    request: Request,
) -> Response {
    let (tallies, deprecated, endpoint) = (house.tallies.clone(), mounted.deprecated, mounted.endpoint);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let known = known.filter(|_| endpoint.method == Method::Get);
    let gone = deprecated.map(|deprecated| (deprecated, path.clone()));
    let mut left = None;
    let outcome = admitted(house, mounted, path, correlation_id, request, &mut left).await;
    if outcome.as_ref().is_err_and(|refusal| refusal.code == Code::LeaseLost) {
        tallies.reject_fence();
    }
    let outcome = outcome.and_then(|response| ageing::unless_known(response, known.as_ref()));
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    if let Some((deprecated, path)) = gone {
        tallies.note_deprecated(endpoint.path);
        deprecated.tell(response.headers_mut(), &path);
    }
    response
}

async fn admitted(
    house: House,
    mounted: Mounted,
    path: Vec<(String, String)>,
    correlation_id: String,
    request: Request,
    left: &mut Option<Left>,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let is_near = parts.extensions.get::<FromSocket>().is_none_or(|socket| socket.is_near);
    // Only a connection that asks for it can be turned; what it lacks is told by the handler.
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    let upgrade = Upgradable::of(upgrade);
    let (headers, uri) = (parts.headers, parts.uri);
    let asking = |body| Asking {
        path: path.clone(),
        query: uri.query().unwrap_or("").to_owned(),
        headers: headers.clone(),
        body,
        upgrade: upgrade.clone(),
    };
    let call = match &mounted.door {
        DoorKind::Hall(call) => {
            let hall = Hall {
                slot: house.slot,
                document: house.document,
                headers: headers.clone(),
                auth: house.auth,
                is_near,
                tallies: house.tallies,
            };
            return call(hall, asking(read(body, &headers, mounted.limit).await?)).await;
        }
        DoorKind::Desk(call) => Ok(call),
        DoorKind::Stream(call) => Err(*call),
    };
    let engine = house.slot.demand()?;
    let known = house.auth.recognise(&engine, &headers).await?;
    if let Some(token) = &known.token {
        let (now_left, taken) = house.limiter.take(&engine, token);
        *left = Some(now_left);
        taken?;
    }
    let caller = known.at(&headers, &correlation_id)?;
    if let Some(scope) = mounted.endpoint.scope {
        if mounted.endpoint.writes { caller.demand_write(scope)? } else { caller.demand(scope)? }
    }
    tracing::Span::current()
        .record("tenant", caller.tenant.as_str())
        .record("subject", caller.subject.as_str());
    let call = match call {
        Ok(call) => call,
        Err(stream) => {
            let desk = Desk {
                engine,
                caller,
                tenants: known.tenants,
                idempotency_key: None,
                tallies: house.tallies,
            };
            return stream(desk, asking(Bytes::new()), body).await;
        }
    };
    let body = read(body, &headers, mounted.limit).await?;
    let idempotency_key = if mounted.endpoint.writes { key_of(&headers)? } else { None };
    let desk = Desk { engine, caller, tenants: known.tenants, idempotency_key, tallies: house.tallies };
    if !mounted.endpoint.writes {
        return call(desk, asking(body)).await;
    }
    let (engine, place) = (desk.engine.clone(), place_of(&mounted, &path, uri.query()));
    let claim = match &desk.idempotency_key {
        None => None,
        Some(key) => match engine.idempotency().begin(&desk.caller, &place, key, &body).await? {
            Begun::Answered(kept) => return repeated(kept),
            Begun::First(claim) => Some(claim),
        },
    };
    through(engine, claim, call(desk, asking(body))).await
}

/// Carries a write through to its end, even when the client goes away: half of it would be worse than either.
async fn through(
    engine: Engine,
    claim: Option<Claim>,
    write: BoxFuture<'static, Result<Response, Refusal>>,
) -> Result<Response, Refusal> {
    let carried = async move {
        let answer = AssertUnwindSafe(write).catch_unwind().await;
        let answer = answer.unwrap_or_else(|panic| Err(Refusal::internal(said(&*panic))));
        match claim {
            Some(claim) => settle(&engine, claim, answer).await,
            None => answer,
        }
    };
    let outcome = tokio::spawn(carried.in_current_span()).await;
    outcome.unwrap_or_else(|error| Err(Refusal::internal(format!("a write was dropped: {error}"))))
}

/// How much of a refused body is still heard.
const PATIENCE: usize = 64 * 1024 * 1024;

/// The whole body, up to the limit; of a length that is announced too large nothing is kept.
async fn read(mut body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            Code::PayloadTooLarge,
            format!("The body is larger than the {limit} bytes that this path takes. Send less at once."),
        )
    };
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        hear_out(body).await;
        return Err(too_large());
    }
    match Limited::new(&mut body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            hear_out(body).await;
            Err(too_large())
        }
        Err(error) => {
            Err(Refusal::new(Code::BadRequest, "The body broke off before its end. Send it again.")
                .because(error.to_string()))
        }
    }
}

/// Reads on and forgets: a connection that closes while the other side is still sending takes the answer with it.
async fn hear_out(body: Body) {
    let mut rest = Limited::new(body, PATIENCE);
    while let Some(Ok(_)) = rest.frame().await {}
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_HEADER) else { return Ok(None) };
    value.to_str().map(|key| Some(key.to_owned())).map_err(|_| {
        Refusal::new(
            Code::BadRequest,
            "The idempotency key must be of visible ASCII characters; a UUID is best.",
        )
    })
}

/// What a key belongs to beside its tenant: the method and the whole address, spelled in one way.
fn place_of(mounted: &Mounted, path: &[(String, String)], query: Option<&str>) -> String {
    let mut place = format!("{} {}", mounted.endpoint.method.as_str(), mounted.endpoint.path);
    for (name, value) in path {
        place = place.replace(&format!("{{{name}}}"), value);
    }
    match query {
        Some(query) => format!("{place}?{query}"),
        None => place,
    }
}

fn repeated(kept: Kept) -> Result<Response, Refusal> {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status)
        .map_err(|error| Refusal::internal(format!("kept status {}: {error}", kept.status)))?;
    let media_type = HeaderValue::from_str(&kept.media_type)
        .map_err(|error| Refusal::internal(format!("kept media type: {error}")))?;
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    mark_replayed(&mut response);
    Ok(response)
}

/// Keeps an answer that fulfilled the request. A refusal changed nothing, so its key may be used again.
async fn settle(
    engine: &Engine,
    claim: Claim,
    answer: Result<Response, Refusal>,
) -> Result<Response, Refusal> {
    let response = match answer {
        Ok(response) if response.status().is_success() => response,
        other => {
            engine.idempotency().release(claim).await?;
            return other;
        }
    };
    let (parts, body) = response.into_parts();
    let body =
        body.collect().await.map_err(|error| Refusal::internal(format!("own answer: {error}")))?.to_bytes();
    let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kept = Kept {
        status: parts.status.as_u16(),
        media_type: media_type.unwrap_or("application/json").to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    engine.idempotency().keep(claim, kept);
    Ok(Response::from_parts(parts, Body::from(body)))
}
