//! Accepts connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use allometry_admission::Connections;
use allometry_store::optuna;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use crate::connection::Connection;
use crate::guard::Guard;
use crate::service::StorageService;
use crate::{Options, ServeError, tls};

/// Connections at once: a few for each of many hundred workers.
const MOST_CONNECTIONS: usize = 1024;
/// Connections at once of which no call was let through yet; one too many closes the oldest.
const MOST_STRANGERS: usize = 64;
/// Calls at once on one connection.
const MOST_CALLS: u32 = 128;
/// Time after which a call is given up, unless its client says less.
const CALL_TIME: Duration = Duration::from_mins(1);
/// Silence after which a connection is asked whether its client is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// Time after which a failed attempt to accept is repeated, such as where the process has no file left.
const PAUSE: Duration = Duration::from_millis(50);
/// Threads that receive, most of which may be at work on a call.
const WORKERS: usize = 6;
/// Those of them that may.
const WORKING: usize = 4;
/// Threads for further calls that wait for the database.
const DATABASE_THREADS: usize = 64;

/// Serves until a signal ends it; `listening` is told the address once it can be called.
///
/// # Errors
/// [`ServeError`] where it cannot start.
pub fn serve(options: Options, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let token = options.token.filter(|token| !token.expose().is_empty());
    if !options.listen.ip().is_loopback() && token.is_none() {
        return Err(ServeError::NeedsToken(options.listen));
    }
    let tls = options.identity.as_ref().map(tls::acceptor).transpose()?;
    let storage: Arc<dyn optuna::OptunaStorage> = optuna::open(options.storage.expose())?.into();
    // Declared before the runtime, so that it ends after it: connections of PostgreSQL cannot be closed by its threads.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(DATABASE_THREADS)
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|source| ServeError::Listen { address: options.listen, source })?;
        let address = listener.local_addr().map_err(ServeError::System)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::System)?;
        listening(address);
        let service = StorageService::new(Arc::clone(&storage), Guard::new(token), WORKING);
        tokio::select! {
            served = accept(listener, service, tls) => served,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// Serves whoever connects, encrypted where there is a `tls`.
pub(crate) async fn accept(
    listener: TcpListener,
    service: StorageService,
    tls: Option<TlsAcceptor>,
) -> Result<(), ServeError> {
    let places = Connections::new(MOST_STRANGERS, MOST_CONNECTIONS);
    let (opened, connections) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            // The next client is waited for until the server, which has the other end, is no more.
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                () = opened.closed() => return,
            };
            let Ok((stream, _)) = stream else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let place = places.open();
            let (tls, opened) = (tls.clone(), opened.clone());
            // Aside, so that one who does not speak keeps nobody waiting.
            tokio::spawn(async move {
                if let Ok(connection) = Connection::open(stream, place, tls).await {
                    let _ = opened.send(Ok::<_, io::Error>(connection)).await;
                }
            });
        }
    });
    let server = Server::builder()
        .timeout(CALL_TIME)
        .max_concurrent_streams(MOST_CALLS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .serve_with_incoming(service, ReceiverStream::new(connections));
    Ok(server.await?)
}
