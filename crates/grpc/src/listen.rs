//! Main loop of the server, which accepts connections.

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

/// Maximum connections at once: a few for each of many hundred workers.
const MAX_CONNECTIONS: usize = 1024;
/// Maximum connections without an accepted call. When there are more, the oldest is closed.
const MAX_UNAUTHENTICATED: usize = 64;
/// Maximum calls at once on one connection.
const MAX_CALLS: u32 = 128;
/// Time limit of a call. Clients may set a lower one.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Time without traffic after which a connection is probed with a keepalive.
const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);
/// Delay after a failed attempt to accept, for instance if the process has no file descriptor left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// Number of runtime threads, which receive requests.
const RUNTIME_THREADS: usize = 6;
/// Number of those threads that may execute a call themselves.
const INLINE_CALLS: usize = 4;
/// Maximum threads for other calls that wait for the database.
const DATABASE_THREADS: usize = 64;

/// Serves until a signal arrives. `listening` is called with the address once the server accepts
/// connections.
///
/// # Errors
/// [`ServeError`] if the server cannot start.
pub fn serve(options: Options, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let token = options.token.filter(|token| !token.expose().is_empty());
    if !options.listen.ip().is_loopback() && token.is_none() {
        return Err(ServeError::NeedsToken(options.listen));
    }
    let tls = options.identity.as_ref().map(tls::acceptor).transpose()?;
    let storage: Arc<dyn optuna::OptunaStorage> = optuna::open(options.storage.expose())?.into();
    // Declared before the runtime and therefore dropped after it, because the runtime's threads cannot
    // close connections to PostgreSQL.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
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
        let service = StorageService::new(Arc::clone(&storage), Guard::new(token), INLINE_CALLS);
        tokio::select! {
            served = accept(listener, service, tls) => served,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// Serves all clients that connect, with TLS if `tls` is given.
pub(crate) async fn accept(
    listener: TcpListener,
    service: StorageService,
    tls: Option<TlsAcceptor>,
) -> Result<(), ServeError> {
    let places = Connections::new(MAX_UNAUTHENTICATED, MAX_CONNECTIONS);
    let (opened, connections) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            // Stop waiting for clients when the server, which holds the other end, is dropped.
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                () = opened.closed() => return,
            };
            let Ok((stream, _)) = stream else {
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            };
            let place = places.open();
            let (tls, opened) = (tls.clone(), opened.clone());
            // A task of its own, so that a client that sends nothing does not delay others.
            tokio::spawn(async move {
                if let Ok(connection) = Connection::open(stream, place, tls).await {
                    let _ = opened.send(Ok::<_, io::Error>(connection)).await;
                }
            });
        }
    });
    let server = Server::builder()
        .timeout(CALL_TIMEOUT)
        .max_concurrent_streams(MAX_CALLS)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .serve_with_incoming(service, ReceiverStream::new(connections));
    Ok(server.await?)
}
