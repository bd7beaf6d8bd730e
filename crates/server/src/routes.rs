//! The addresses of the pages.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

use crate::content::Content;
use crate::guard::{self, Guard};
use crate::render::Dashboard;
use crate::{api, page};

/// Interval of keep-alive messages on an event stream, so that both ends notice a lost connection.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

type Shared = State<Arc<Dashboard>>;

pub(crate) fn router(dashboard: Arc<Dashboard>, guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/", get(|State(d): Shared| make(move || page::home(&d))))
        .route(
            "/ladders/{name}",
            get(|State(d): Shared, Path(name): Path<String>| make(move || page::ladder(&d, &name))),
        )
        .route(
            "/live",
            get(|State(d): Shared, Query(asked): Asked| make(move || page::live(&d, asked.get("ladder")))),
        )
        .route(
            "/charts",
            get(|State(d): Shared, Query(asked): Asked| {
                let have = asked.get("have").and_then(|have| have.parse().ok());
                make(move || page::charts(&d, asked.get("ladder"), have))
            }),
        )
        .route(
            "/studies/{study}/trials/{trial}",
            get(|State(d): Shared, Path(ids): Path<(i64, u64)>| make(move || page::trial(&d, ids))),
        )
        .route(
            "/compare",
            get(|State(d): Shared, Query(asked): Asked| make(move || page::compare(&d, asked.get("trials")))),
        )
        .route(
            "/report",
            get(|State(d): Shared, Query(asked): Asked| {
                make(move || api::report_html(&d, asked.get("ladder")))
            }),
        )
        .route(
            "/report.md",
            get(|State(d): Shared, Query(asked): Asked| {
                make(move || api::report_markdown(&d, asked.get("ladder")))
            }),
        )
        .route(
            "/report.json",
            get(|State(d): Shared, Query(asked): Asked| {
                make(move || api::report_json(&d, asked.get("ladder")))
            }),
        )
        .route(
            "/api/report",
            get(|State(d): Shared, Query(asked): Asked| {
                make(move || api::report_json(&d, asked.get("ladder")))
            }),
        )
        .route("/api/ladders", get(|State(d): Shared| make(move || api::ladders(&d))))
        .route(
            "/api/studies/{study}/trials",
            get(|State(d): Shared, Path(study): Path<i64>| make(move || api::trials(&d, study))),
        )
        .route("/events", get(events))
        .fallback(|request: Request| async move {
            if guard::wants_page(&request) {
                page::missing("There is no such page.").into_response()
            } else {
                Content::missing("there is no such page").into_response()
            }
        })
        .layer(axum::middleware::from_fn_with_state(guard, guard::check))
        .with_state(dashboard)
}

type Asked = Query<HashMap<String, String>>;

/// Makes an answer on a thread that may block.
async fn make(content: impl FnOnce() -> Content + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(content).await {
        Ok(content) => content.into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made\n").into_response(),
    }
}

/// Sends an event for each change of the store, with the new versions `live` and `finished`.
async fn events(State(dashboard): Shared) -> impl IntoResponse {
    let events = WatchStream::new(dashboard.watched.versions()).map(|versions| {
        let data = format!("{{\"live\":{},\"finished\":{}}}", versions.live, versions.finished);
        Ok::<Event, Infallible>(Event::default().event("changed").data(data))
    });
    (
        [(header::CACHE_CONTROL, "no-store")],
        Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)),
    )
}
