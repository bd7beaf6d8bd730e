//! Encoding of one unary call: a request of one message and a reply of one message, sent in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost::Message;
use tonic::{Status, body::Body};

/// Maximum bytes of a request, which is the default limit of gRPC's own servers.
pub(crate) const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// Maximum bytes of a reply, which is the limit of protobuf's readers.
const LARGEST_REPLY: usize = i32::MAX as usize;

/// Bytes before a message: one byte that tells whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Returns the bytes of a request's message.
pub(crate) async fn receive(body: Body) -> Result<Bytes, Status> {
    let body = Limited::new(body, LARGEST_REQUEST + PREFIX).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Status::resource_exhausted(format!("the request has more than {LARGEST_REQUEST} bytes"))
        } else {
            Status::cancelled("the request ended early")
        }
    })?;
    let mut body = body.to_bytes();
    if body.len() < PREFIX {
        return Err(Status::invalid_argument("the request has no message"));
    }
    let prefix = body.split_to(PREFIX);
    if prefix[0] != 0 {
        return Err(Status::unimplemented("compressed requests are not supported"));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if body.len() != length as usize {
        return Err(Status::invalid_argument("the request is not exactly one message"));
    }
    Ok(body)
}

/// Decodes a message.
pub(crate) fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, Status> {
    M::decode(bytes)
        .map_err(|error| Status::invalid_argument(format!("the request cannot be decoded: {error}")))
}

/// A reply's message in pieces.
pub(crate) type Pieces = Vec<Bytes>;

/// Returns the pieces of a small message.
pub(crate) fn pieces(message: &impl Message) -> Pieces {
    vec![message.encode_to_vec().into()]
}

/// Returns the HTTP response of a call.
pub(crate) fn answer(result: Result<Pieces, Status>) -> http::Response<Body> {
    let fits = |pieces: &Pieces| pieces.iter().map(Bytes::len).sum::<usize>() <= LARGEST_REPLY;
    match result {
        Ok(pieces) if fits(&pieces) => {
            let mut response = http::Response::new(Body::new(Reply::new(pieces)));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            response
        }
        Ok(_) => Status::resource_exhausted("the reply has more than 2 GiB").into_http(),
        Err(status) => status.into_http(),
    }
}

/// Body of a response: a message sent piece by piece, then the status OK.
struct Reply {
    pieces: vec::IntoIter<Bytes>,
    prefix: Option<Bytes>,
    ended: bool,
}

impl Reply {
    fn new(pieces: Pieces) -> Self {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let mut prefix = BytesMut::with_capacity(PREFIX + length.min(256));
        prefix.put_u8(0);
        prefix.put_u32(length as u32);
        let mut pieces = pieces.into_iter();
        // A small reply fits one frame.
        if length <= 256 {
            for piece in pieces.by_ref() {
                prefix.put(piece);
            }
        }
        Self { pieces, prefix: Some(prefix.freeze()), ended: false }
    }
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.prefix.take().or_else(|| self.pieces.next());
        if let Some(data) = data {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        self.ended = true;
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
