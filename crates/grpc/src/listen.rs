//! Accepts connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use allometry_store::optuna;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use crate::guard::Guard;
use crate::service::StorageService;
use crate::{Options, ServeError};

/// Connections at once: a few for each of many hundred workers.
const MOST_CONNECTIONS: usize = 1024;
/// Calls at once on one connection.
const MOST_CALLS: u32 = 128;
/// Time after which a call is given up, unless its client says less.
const CALL_TIME: Duration = Duration::from_mins(1);
/// Silence after which a connection is asked whether its client is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// Silence after which a connection is closed: a client that lives has answered by then.
const SILENCE: Duration = Duration::from_secs(150);
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
    let token = options.token.filter(|token| !token.is_empty());
    if !options.listen.ip().is_loopback() && token.is_none() {
        return Err(ServeError::NeedsToken(options.listen));
    }
    let storage: Arc<dyn optuna::OptunaStorage> = optuna::open(&options.storage)?.into();
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
            served = accept(listener, service) => served,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// Serves whoever connects.
pub(crate) async fn accept(listener: TcpListener, service: StorageService) -> Result<(), ServeError> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let incoming = TcpListenerStream::new(listener).filter_map(move |stream| {
        let stream = stream.ok()?;
        // Replies are small and waited for.
        stream.set_nodelay(true).ok()?;
        // One too many is closed at once: its client tries again.
        let place = Arc::clone(&places).try_acquire_owned().ok()?;
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_read_timeout_pinned(Some(SILENCE));
        stream.as_mut().set_write_timeout_pinned(Some(SILENCE));
        Some(Ok::<_, io::Error>(Connection { stream, _place: place }))
    });
    let server = Server::builder()
        .timeout(CALL_TIME)
        .max_concurrent_streams(MOST_CALLS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .serve_with_incoming(service, incoming);
    Ok(server.await?)
}

/// A connection that counts.
struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}
