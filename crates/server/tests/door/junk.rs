//! Whatever is thrown at an endpoint, it answers with a status that the API document tells, and with no fault of ours.

use crate::app::App;
use axum::body::Body;
use http::Request;
use serde_json::Value;
use stella_contract::api::{ENDPOINTS, Endpoint};

/// Bodies: nothing, no JSON, JSON of no shape, of a wrong one, of a strange one.
const BODIES: &[&str] =
    &["", "{", "[]", "{}", "null", r#"{"nothing":"such"}"#, r#"{"name":"\u0000","payload":{"a":[]}}"#];
/// Parameters of the path: none of them names anything.
const IDS: &[&str] = &["some", "job_019aa6e1-0000-7000-8000-000000000000", "%00", "..%2f..", "🦀"];
/// Queries: unknown names, values that cannot be, other spellings of pages.
const QUERIES: &[&str] =
    &["", "?such=none", "?page_size=0", "?limit=2", "?page_token=x", "?after=x&cursor=-1"];

fn told(document: &Value, endpoint: &Endpoint) -> Vec<u16> {
    let method = endpoint.method.as_str().to_ascii_lowercase();
    let responses = document["paths"][endpoint.path][method.as_str()]["responses"].as_object().unwrap();
    responses.keys().map(|status| status.parse().unwrap()).collect()
}

fn path_of(endpoint: &Endpoint, id: &str) -> String {
    let mut path = endpoint.path.to_owned();
    while let Some((before, after)) = path.clone().split_once('{') {
        let (_, behind) = after.split_once('}').unwrap();
        path = format!("{before}{}{behind}", id.replace('🦀', "%F0%9F%A6%80"));
    }
    path
}

#[tokio::test]
async fn every_status_that_is_answered_is_one_that_is_told() {
    let app = App::local().await;
    let document: Value = serde_json::from_str(&stella_server::document()).unwrap();
    let mut untold = Vec::new();
    for endpoint in ENDPOINTS {
        let told = told(&document, endpoint);
        for (at, body) in BODIES.iter().enumerate() {
            let (id, query) = (IDS[at % IDS.len()], QUERIES[at % QUERIES.len()]);
            for media_type in ["application/json", "text/plain"] {
                let address = format!("{}{query}", path_of(endpoint, id));
                let request = Request::builder()
                    .method(endpoint.method.as_str())
                    .uri(&address)
                    .header("content-type", media_type)
                    .header("x-stella-operator-reason", "a test asks")
                    .header("x-stella-operator-ticket", "OPS-1");
                // Streams do not end, so that only the head of an answer is read.
                let answer = app.start(request.body(Body::from(*body)).unwrap()).await;
                let status = answer.status().as_u16();
                if status >= 500 || !told.contains(&status) {
                    let method = endpoint.method.as_str();
                    untold.push(format!("{method} {address} {media_type} {body}: {status}"));
                }
            }
        }
    }
    assert!(untold.is_empty(), "{} answers are not told:\n{}", untold.len(), untold.join("\n"));
}
