//! The content of answers.

use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The reason of a "not found" answer for a ladder that has been deleted from the store.
pub(crate) const LADDER_GONE: &str = "the ladder no longer exists";

/// The status, type and body of an answer.
#[derive(Debug)]
pub(crate) struct Content {
    status: StatusCode,
    kind: &'static str,
    body: Bytes,
}

impl Content {
    pub(crate) fn html(html: impl Into<Bytes>) -> Self {
        Self::text("text/html; charset=utf-8", html)
    }

    pub(crate) fn json(text: String) -> Self {
        Self::text("application/json", text)
    }

    pub(crate) fn text(kind: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, kind, body: text.into() }
    }

    pub(crate) fn unchanged() -> Self {
        Self::text("text/plain", Bytes::new()).status(StatusCode::NO_CONTENT)
    }

    pub(crate) fn missing(reason: &str) -> Self {
        Self::text("text/plain; charset=utf-8", format!("{reason}\n")).status(StatusCode::NOT_FOUND)
    }

    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, self.kind)], self.body).into_response()
    }
}
