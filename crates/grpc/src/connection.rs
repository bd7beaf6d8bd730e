//! Connection of one client, with or without TLS.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use allometry_admission::Admission;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

/// Time without traffic after which a connection is closed. A living client has answered a keepalive by
/// then.
const IDLE_TIMEOUT: Duration = Duration::from_secs(150);
/// Time for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Transport of the bytes of a connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Time until the first accepted call, counted from the end of the handshake.
const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// An open connection, which counts towards the limits until it is dropped.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    admission: Admission,
    /// Completes when the connection must be closed.
    refused: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_refused: bool,
}

impl Connection {
    /// Opens a connection over `stream`, with TLS if `tls` is given.
    ///
    /// # Errors
    /// If the TLS handshake fails or takes too long.
    pub(crate) async fn open(
        stream: TcpStream,
        admission: Admission,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        // Replies are small, and clients wait for them.
        stream.set_nodelay(true)?;
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_read_timeout_pinned(Some(IDLE_TIMEOUT));
        stream.as_mut().set_write_timeout_pinned(Some(IDLE_TIMEOUT));
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(stream),
            Some(tls) => tokio::select! {
                agreed = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)) => Box::new(agreed??),
                () = admission.clone().refused(HANDSHAKE_TIMEOUT) => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            },
        };
        let refused = Box::pin(admission.clone().refused(AUTHENTICATION_TIMEOUT));
        Ok(Self { stream, admission, refused, is_refused: false })
    }

    fn stream(&mut self) -> Pin<&mut dyn Stream> {
        Pin::new(&mut *self.stream)
    }
}

impl Connected for Connection {
    type ConnectInfo = Admission;

    fn connect_info(&self) -> Admission {
        self.admission.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A completed future must not be polled again.
        self.is_refused = self.is_refused || self.refused.as_mut().poll(context).is_ready();
        if self.is_refused {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
