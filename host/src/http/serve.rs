//! Connections: slow and idle ones are closed, and those in hand are finished at the end.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{App, linger::Lingering};

/// A client must have sent its request line and headers within this time.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Most connections open at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 8_192;

/// The server, on threads of its own: work behind requests, which takes a processor for long, holds no request up.
pub struct Server {
    ended: oneshot::Receiver<()>,
}

impl Server {
    /// Serves until `stop`, then lets requests in hand finish.
    ///
    /// # Errors
    /// Those of starting threads.
    pub fn start(listener: TcpListener, app: App, stop: CancellationToken) -> std::io::Result<Self> {
        let listener = listener.into_std()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("http").enable_all().build()?;
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("http-serve".to_owned()).spawn(move || {
            runtime.block_on(async {
                match TcpListener::from_std(listener) {
                    Ok(listener) => serve(listener, app, stop).await,
                    Err(error) => tracing::error!(%error, "cannot serve"),
                }
            });
            // A request that is still in hand after the drain must not keep the process.
            runtime.shutdown_background();
            // Whoever waited may have given up.
            let _ = end.send(());
        })?;
        Ok(Self { ended })
    }

    /// Returns when the last request has been answered.
    pub async fn ended(self) {
        // An error: the thread is gone, which is the same.
        let _ = self.ended.await;
    }
}

/// Serves until `stop`, then lets requests in hand finish.
async fn serve(listener: TcpListener, app: App, stop: CancellationToken) {
    let app = Arc::new(app);
    let open = Arc::new(tokio::sync::Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&open).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let app = Arc::clone(&app);
        let service = service_fn(move |request: Request<Incoming>| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(app.handle(request.map(|body| Body::new(Lingering::new(body))), peer.ip()).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
