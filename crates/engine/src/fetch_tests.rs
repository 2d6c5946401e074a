//! What a fetch says to good, odd and hostile far sides.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

const NOW: Micros = Micros(1_795_271_295_000_000);

fn fetcher(max_bytes: u64) -> Fetcher {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Fetcher::new(FetchLimits { max_bytes, ..FetchLimits::default() })
}

fn location(text: &str) -> Location {
    Location::parse(text).unwrap()
}

async fn content(text: &str, known: &Known) -> Content {
    match fetcher(1_000).fetch(&location(text), known, None, NOW).await.unwrap() {
        Fetched::Content(content) => content,
        Fetched::NotModified => panic!("not modified"),
    }
}

async fn failure(text: &str) -> FetchError {
    fetcher(1_000).fetch(&location(text), &Known::default(), None, NOW).await.unwrap_err()
}

/// A server that answers everything with this.
async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(template).mount(&server).await;
    server
}

#[test]
fn a_location_is_an_address_or_an_absolute_path() {
    assert!(matches!(Location::parse("https://a.example/x.zip"), Ok(Location::Web(_))));
    assert!(matches!(Location::parse("/feeds/go.zip"), Ok(Location::Path(_))));
    for wrong in
        ["", "feeds/go.zip", "ftp://a.example", "https://", "file:///x", "https://me:secret@a.example/"]
    {
        assert!(Location::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_query_of_an_address_is_not_shown() {
    assert_eq!(
        location("https://a.example:8443/x.zip?key=secret#y").shown(),
        "https://a.example:8443/x.zip?…"
    );
    assert_eq!(location("http://a.example/x").shown(), "http://a.example/x");
}

#[tokio::test]
async fn a_sealed_network_is_not_touched() {
    let server = answering(ResponseTemplate::new(200)).await;
    let sealed = Fetcher::new(FetchLimits { sealed: true, ..FetchLimits::default() });
    let error = sealed.fetch(&location(&server.uri()), &Known::default(), None, NOW).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::OfflineBlocked);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let server = MockServer::start().await;
    Mock::given(header("if-none-match", "\"v1\""))
        .respond_with(ResponseTemplate::new(304))
        .mount(&server)
        .await;
    let answer = ResponseTemplate::new(200)
        .set_body_string("feed")
        .insert_header("etag", "\"v1\"")
        .insert_header("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT");
    Mock::given(method("GET")).respond_with(answer).with_priority(9).mount(&server).await;

    let first = content(&format!("{}/go.zip", server.uri()), &Known::default()).await;
    assert_eq!((first.parts[0].name.as_str(), first.parts[0].bytes.as_slice()), ("go.zip", &b"feed"[..]));
    assert_eq!(first.known.digest, Some(digest::of_bytes(b"feed")));
    assert_eq!(first.known.last_modified.as_deref(), Some("Wed, 21 Oct 2026 07:28:00 GMT"));

    let again = fetcher(1_000).fetch(&location(&server.uri()), &first.known, None, NOW).await.unwrap();
    assert!(matches!(again, Fetched::NotModified));
}

#[tokio::test]
async fn a_far_side_that_asks_for_a_pause_is_given_it() {
    for (status, said, expected) in [
        (429, Some("120"), Some(120_000)),
        (503, Some("Sat, 21 Nov 2026 14:29:15 GMT"), Some(60_000)),
        (429, Some("Sat, 21 Nov 2020 14:29:15 GMT"), Some(0)),
        (429, None, None),
        (429, Some("soon"), None),
    ] {
        let mut template = ResponseTemplate::new(status);
        if let Some(said) = said {
            template = template.insert_header("retry-after", said);
        }
        let server = answering(template).await;
        let error = failure(&server.uri()).await;
        assert_eq!(
            (error.class, error.retry_after_ms),
            (ErrorClass::UpstreamThrottle, expected),
            "{status} {said:?}"
        );
    }
}

#[tokio::test]
async fn each_refusal_has_its_class_and_hides_the_key() {
    for (status, class) in [
        (404, ErrorClass::UpstreamClient),
        (401, ErrorClass::Auth),
        (403, ErrorClass::Auth),
        (500, ErrorClass::UpstreamError),
        (502, ErrorClass::UpstreamError),
        (503, ErrorClass::UpstreamError),
        (408, ErrorClass::Network),
    ] {
        let server = answering(ResponseTemplate::new(status)).await;
        let error = failure(&format!("{}/feed?key=hunter2", server.uri())).await;
        assert_eq!(error.class, class, "{status}");
        assert!(error.message.contains(&status.to_string()) && !error.message.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_tried_again_and_never_half_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = [0; 1_024];
            let _ = stream.read(&mut seen).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf").await;
        }
    });
    let error = failure(&format!("http://{address}/feed?key=hunter2")).await;
    assert_eq!(error.class, ErrorClass::Network);
    assert!(error.message.contains("broke off") && !error.message.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = failure(&format!("http://{address}/feed?key=hunter2")).await;
    assert_eq!(error.class, ErrorClass::Network);
    assert!(error.message.contains("cannot be reached") && !error.message.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn more_than_the_limit_is_refused_with_and_without_a_length() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 1_001])).await;
    let error = failure(&server.uri()).await;
    assert_eq!(error.class, ErrorClass::Validation);
    assert!(error.message.contains("1000 bytes"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), vec![b'x'; 600]).unwrap();
    std::fs::write(folder.path().join("b.json"), vec![b'x'; 600]).unwrap();
    let error = failure(folder.path().to_str().unwrap()).await;
    assert!(error.message.contains("b.json") && error.message.contains("400"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = answering(ResponseTemplate::new(200).set_body_string("elsewhere")).await;
    let elsewhere = other.uri().replace("127.0.0.1", "localhost");
    let server = answering(ResponseTemplate::new(302).insert_header("location", elsewhere)).await;
    let error = failure(&server.uri()).await;
    assert_eq!(error.class, ErrorClass::Validation);
    assert!(error.message.contains("another host"), "{error}");
    assert_eq!(other.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_folder_is_read_in_the_order_of_names_and_other_files_are_left() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("b.ndjson", "2"), ("a.JSON", "1"), ("c.zip", "3"), ("notes.txt", "no")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::create_dir(folder.path().join("d.json")).unwrap();
    let text = folder.path().to_str().unwrap();
    let first = content(text, &Known::default()).await;
    let names: Vec<&str> = first.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!((names, first.bytes), (vec!["a.JSON", "b.ndjson", "c.zip"], 3));

    // The same bytes cut otherwise into files are other content.
    std::fs::write(folder.path().join("a.JSON"), "12").unwrap();
    std::fs::write(folder.path().join("b.ndjson"), "").unwrap();
    assert_ne!(content(text, &Known::default()).await.known.digest, first.known.digest);
}

#[tokio::test]
async fn a_path_that_holds_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = failure(folder.path().to_str().unwrap()).await;
    assert!(error.message.contains("holds no .json"), "{error}");
    let error = failure(folder.path().join("gone.zip").to_str().unwrap()).await;
    assert_eq!(error.class, ErrorClass::Validation);
    assert!(error.message.contains("does not exist"), "{error}");
}
