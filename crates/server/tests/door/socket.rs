//! The router on a real socket.

use crate::app::App;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_server_answers_until_it_is_told_to_stop_and_then_ends() {
    let app = App::bearer().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        stopped.await.unwrap();
    };
    let serving = tokio::spawn(stella_server::serve(listener, app.router.clone(), shutdown));
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = ask(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with(r#"{"ready":true}"#), "{answer}");
    let foreign = "GET /health/ready HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(ask(address, foreign).await.starts_with("HTTP/1.1 421 "));
    let nameless = "GET /health/ready HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert!(ask(address, nameless).await.starts_with("HTTP/1.1 421 "));
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
