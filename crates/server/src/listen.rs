//! Starts the server and accepts connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use allometry_admission::Connections;
use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;

use crate::guard::Guard;
use crate::render::Dashboard;
use crate::watch::{Watched, follow};
use crate::{Options, ServeError, routes};

/// Maximum number of connections: enough for some hundred tabs, each with its event stream and a few
/// requests.
const MOST_CONNECTIONS: usize = 512;
/// Maximum number of connections without an admitted request; one more closes the oldest.
const MOST_STRANGERS: usize = 64;
/// Time within which a new connection must send an admitted request.
const STRANGER_TIME: Duration = Duration::from_secs(10);
/// Maximum number of bytes of a request's head.
const LARGEST_HEAD: usize = 16 * 1024;
/// Maximum number of headers of a request.
const MOST_HEADERS: usize = 64;
/// Time within which the head of the next request must arrive, idle time of the connection included.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// Time without progress after which an answer is aborted.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// Serves the dashboard until a signal arrives. `listening` is called with the address once the server
/// accepts connections.
///
/// # Errors
/// [`ServeError`] if the server cannot start.
pub fn serve(options: Options, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    if !options.listen.ip().is_loopback()
        && options.token.as_ref().is_none_or(|token| token.expose().is_empty())
    {
        return Err(ServeError::NeedsToken(options.listen));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(ServeError::System)?;
    let result = runtime.block_on(async {
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|source| ServeError::Listen { address: options.listen, source })?;
        let address = listener.local_addr().map_err(ServeError::System)?;
        let watched = Arc::new(Watched::new(&options.storage)?);
        follow(&watched);
        let dashboard = Arc::new(Dashboard::new(watched));
        let guard = Arc::new(Guard::new(address, options.token));
        let mut ended = Ended::new().map_err(ServeError::System)?;
        listening(address);
        tokio::select! {
            () = accept(listener, routes::router(dashboard, guard)) => {}
            () = ended.wait() => {}
        }
        Ok(())
    });
    // Analyses in progress need not finish.
    runtime.shutdown_background();
    result
}

async fn accept(listener: TcpListener, router: axum::Router) {
    let connections = Connections::new(MOST_STRANGERS, MOST_CONNECTIONS);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually there are no file descriptors left; wait until connections are closed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let admission = connections.open();
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIME));
        let service = TowerToHyperService::new(router.clone().layer(Extension(admission.clone())));
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(LARGEST_HEAD)
                .max_headers(MOST_HEADERS)
                .serve_connection(TokioIo::new(Box::pin(stream)), service);
            tokio::select! {
                // Errors of one client do not affect the others.
                _ = connection => {}
                () = admission.refused(STRANGER_TIME) => {}
            }
        });
    }
}

/// The signals that end the server.
struct Ended {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Ended {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
