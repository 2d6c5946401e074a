//! Events for others: CloudEvents over server-sent events and over a WebSocket.

use crate::app::App;
use crate::live::Stream;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::net::SocketAddr;
use stella_contract::cloud_event::{CloudEvent, SUBPROTOCOL};
use stella_contract::scope::Scope;
use stella_server::Auth;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const PATH: &str = "/api/v1/events/stream?format=cloudevents";

async fn submit(app: &App, token: Option<&str>) -> String {
    let body = r#"{"jobType":"demo.none","payload":{"token":"hunter2"},"project":"web"}"#;
    let authorization = token.map(|token| ("authorization", token));
    let headers: Vec<(&str, &str)> =
        [("content-type", "application/json")].into_iter().chain(authorization).collect();
    let job = app.ask("POST", "/api/v1/jobs", &headers, body).await;
    assert_eq!(job.status, 201, "{}", job.text());
    job.json()["jobId"].as_str().unwrap().to_owned()
}

async fn entries(app: &App) -> i64 {
    app.get("/api/v1/history/verify").await.json()["entries"].as_i64().unwrap()
}

/// Everything that CloudEvents 1.0 and the specification demand of one event.
fn check(json: &Value) -> CloudEvent {
    let event: CloudEvent = serde_json::from_value(json.clone()).unwrap();
    assert_eq!((event.specversion.as_str(), event.dataschema.as_str()), ("1.0", "orch.event.v1"));
    assert_eq!(event.datacontenttype, "application/json");
    assert!(event.source.starts_with("/orchestrator/") && event.source.len() > 20, "{}", event.source);
    assert!(!event.id.is_empty() && !event.correlationid.is_empty() && !event.idempotencykey.is_empty());
    assert!(json["time"].as_str().unwrap().ends_with('Z'));
    for name in json.as_object().unwrap().keys() {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        assert!(plain, "`{name}` is no name of an attribute");
    }
    event
}

#[tokio::test]
async fn each_entry_of_the_history_is_one_event_with_its_number_and_hash() {
    let app = App::local().await;
    let id = submit(&app, None).await;
    app.post(&format!("/api/v1/jobs/{id}:cancel"), "").await;
    let mut stream = Stream::open(&app, PATH, Some("0")).await;
    stream.block().await.unwrap();
    assert_eq!(stream.next().await.unwrap().1, "heartbeat");
    let mut told = Vec::new();
    for _ in 0..entries(&app).await {
        let (seq, name, json) = stream.next().await.unwrap();
        let event = check(&json);
        assert_eq!((name.as_str(), event.sequence.parse().ok()), ("cloudevent", seq.parse::<i64>().ok()));
        told.push(event);
    }
    let history = app.get(&format!("/api/v1/jobs/{id}/history")).await.json();
    let newest = &history["items"][0];
    let last = told.last().unwrap();
    assert_eq!((last.kind.as_str(), last.subject.as_deref()), ("orch.job.cancelled", Some(id.as_str())));
    assert_eq!(last.hash.as_deref(), newest["hash"].as_str());
    assert_eq!(last.prevhash.as_deref(), told[told.len() - 2].hash.as_deref(), "the chain can be followed");
    assert_eq!((last.tenantid.as_str(), last.projectid.as_deref()), ("acme", Some("web")));
    let job = last.data.job.as_ref().unwrap();
    assert_eq!((job.job_type.as_str(), job.status.as_str()), ("demo.none", "cancelled"));
    assert_eq!(
        job.payload_digest.len(),
        64 + "sha256:".len() * usize::from(job.payload_digest.contains(':'))
    );
    assert_eq!(last.data.actor.as_ref().unwrap().subject, "ada");
    assert_eq!(last.data.reason.as_deref(), Some("a test asks"));
}

#[tokio::test]
async fn an_event_that_is_told_again_is_the_same_but_for_how_it_is_told() {
    let app = App::local().await;
    submit(&app, None).await;
    let mut twice = Vec::new();
    for _ in 0..2 {
        let mut stream = Stream::open(&app, PATH, Some("0")).await;
        stream.block().await.unwrap();
        stream.next().await.unwrap();
        let mut event = check(&stream.next().await.unwrap().2);
        assert!(event.data.notifier.replayed, "it happened before the connection");
        event.data.notifier.delivery = 0;
        twice.push(event);
    }
    assert_eq!(twice[0], twice[1]);
}

#[tokio::test]
async fn a_reader_of_events_goes_on_after_the_last_number_and_one_of_another_ledger_starts_anew() {
    let app = App::local().await;
    submit(&app, None).await;
    let seen = entries(&app).await;
    let mut stream = Stream::open(&app, PATH, Some(&seen.to_string())).await;
    stream.block().await.unwrap();
    assert_eq!(stream.next().await.unwrap().1, "heartbeat");
    let second = submit(&app, None).await;
    let event = check(&stream.next().await.unwrap().2);
    assert_eq!((event.subject, event.data.notifier.replayed), (Some(second), false));
    let mut stream = Stream::open(&app, PATH, Some("9999")).await;
    stream.block().await.unwrap();
    let (cursor, name, _) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), cursor.parse().ok()), ("reset", Some(entries(&app).await)));
}

/// The app on a socket of its own.
async fn served(app: &App) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(stella_server::serve(listener, app.router.clone(), std::future::pending()));
    address
}

async fn connect(
    address: SocketAddr,
    token: &str,
    query: &str,
) -> Result<WebSocketStream<TcpStream>, Box<Error>> {
    let mut request =
        format!("ws://{address}/api/v1/events/ws{query}").into_client_request().map_err(Box::new)?;
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    if !token.is_empty() {
        headers.insert("authorization", token.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, answer) = client_async(request, stream).await.map_err(Box::new)?;
    assert_eq!(answer.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    Ok(socket)
}

/// The next event; pings are passed over.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> CloudEvent {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return check(&serde_json::from_str(&text).unwrap()),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn world() -> (App, SocketAddr, String) {
    let app = App::with(Auth::Bearer).await;
    let token = format!("Bearer {}", app.token([Scope::OrchRead, Scope::OrchSubmit]).await);
    let address = served(&app).await;
    (app, address, token)
}

#[tokio::test]
async fn a_socket_tells_what_happens_and_goes_on_after_the_last_number() {
    let (app, address, token) = world().await;
    let mut socket = connect(address, &token, "").await.unwrap();
    let first = submit(&app, Some(&token)).await;
    let event = next(&mut socket).await;
    assert_eq!(
        (event.subject.as_deref(), event.data.notifier.channel.as_str()),
        (Some(first.as_str()), "websocket")
    );
    drop(socket);
    let second = submit(&app, Some(&token)).await;
    let after: i64 = event.sequence.parse().unwrap();
    let mut socket = connect(address, &token, &format!("?after={after}")).await.unwrap();
    let mut number = after;
    loop {
        let event = next(&mut socket).await;
        number += 1;
        assert_eq!(event.sequence.parse(), Ok(number), "nothing is left out and nothing told twice");
        if event.subject.as_deref() == Some(second.as_str()) {
            assert!(event.data.notifier.replayed, "it happened before the connection");
            break;
        }
    }
}

#[tokio::test]
async fn a_silent_socket_is_pinged_every_fifteen_seconds() {
    let (app, address, token) = world().await;
    let mut socket = connect(address, &token, "").await.unwrap();
    let pinged = loop {
        app.clock.advance_ms(15_000);
        tokio::select! {
            frame = socket.next() => break frame.unwrap().unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert!(matches!(pinged, Message::Ping(_)), "{pinged:?}");
}

#[tokio::test]
async fn a_number_of_another_ledger_is_answered_by_hanging_up() {
    let (_app, address, token) = world().await;
    let mut socket = connect(address, &token, "?after=9999").await.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("it must hang up") };
    assert_eq!(frame.code, CloseCode::from(4404));
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_hung_up_on() {
    let (app, address, token) = world().await;
    let socket = connect(address, &token, "?after=0").await.unwrap();
    // What the two sides of a connection hold back is some megabytes; this is more.
    for _ in 0..40 {
        let mut wishes = Vec::new();
        for _ in 0..500 {
            let wish: stella_contract::job::SubmitJob = serde_json::from_value(serde_json::json!({
                "jobType": "demo.none", "payload": {}, "correlationId": "x".repeat(60),
            }))
            .unwrap();
            wishes.push(wish);
        }
        let caller = stella_engine::Caller::local(crate::app::tenant("acme"), "ada");
        app.engine.jobs().submit_many(&caller, wishes).await.unwrap();
    }
    let followers = async || {
        let metrics = app.get("/metrics").await.text();
        metrics.lines().any(|line| line == "orch_sse_clients 1")
    };
    assert!(followers().await);
    while followers().await {
        app.clock.advance_ms(11_000);
        tokio::task::yield_now().await;
    }
    drop(socket);
}

#[tokio::test]
async fn a_socket_needs_a_token_and_the_scope() {
    let (app, address, _) = world().await;
    let other = format!("Bearer {}", app.token([Scope::RunsRead]).await);
    for (token, status) in [("", 401), (other.as_str(), 403)] {
        let Err(error) = connect(address, token, "").await else { panic!("it must be refused") };
        let Error::Http(answer) = *error else { panic!("{error}") };
        assert_eq!(answer.status(), status);
    }
    let plain = app.ask("GET", "/api/v1/events/ws", &[("authorization", &other)], "").await;
    assert_eq!(plain.status, 403);
}

#[tokio::test]
async fn what_does_not_ask_for_a_socket_is_told_so() {
    let app = App::local().await;
    assert_eq!(app.get("/api/v1/events/ws").await.refusal(), (400, "BAD_REQUEST".to_owned()));
}

#[tokio::test]
async fn what_is_said_by_a_reader_is_passed_over() {
    let (app, address, token) = world().await;
    let mut socket = connect(address, &token, "").await.unwrap();
    socket.send(Message::Text("good morning".into())).await.unwrap();
    submit(&app, Some(&token)).await;
    assert_eq!(next(&mut socket).await.kind, "orch.job.submitted");
}
