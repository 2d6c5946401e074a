//! The router on a socket.

use crate::hosts::FromSocket;
use axum::serve::ListenerExt;
use axum::{Extension, Router};
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end; streams never would.
const PATIENCE: Duration = Duration::from_secs(3);

/// Serves until `shutdown` is done, then takes nothing new and lets open requests end for three seconds.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stop = CancellationToken::new();
    let is_near = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    // Small answers must not wait for the acknowledgement of the ones before.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps gathering small packets");
        }
    });
    let router = router.layer(Extension(FromSocket { is_near }));
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let deadline = async {
        shutdown.await;
        stop.cancel();
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = deadline => Ok(()),
    }
}
