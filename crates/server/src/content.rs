//! What is sent.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

/// An answer.
#[derive(Debug)]
pub(crate) struct Content {
    status: StatusCode,
    kind: &'static str,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Own(String),
    Shared(Arc<str>),
}

impl Content {
    pub(crate) fn html(markup: Markup) -> Self {
        Self::text("text/html; charset=utf-8", markup.into_string())
    }

    pub(crate) fn shared_html(html: Arc<str>) -> Self {
        Self { status: StatusCode::OK, kind: "text/html; charset=utf-8", body: Body::Shared(html) }
    }

    pub(crate) fn json(text: String) -> Self {
        Self::text("application/json", text)
    }

    pub(crate) fn text(kind: &'static str, text: String) -> Self {
        Self { status: StatusCode::OK, kind, body: Body::Own(text) }
    }

    pub(crate) fn missing(reason: &str) -> Self {
        let body = Body::Own(format!("{reason}\n"));
        Self { status: StatusCode::NOT_FOUND, kind: "text/plain; charset=utf-8", body }
    }

    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        let head = (self.status, [(header::CONTENT_TYPE, self.kind)]);
        match self.body {
            Body::Own(text) => (head.0, head.1, text).into_response(),
            Body::Shared(text) => (head.0, head.1, text.to_string()).into_response(),
        }
    }
}
