//! Checks requests: their method, host, origin and token.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use allometry_admission::Admission;
use allometry_core::Secret;
use allometry_report::html::CONTENT_POLICY;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq as _;

use crate::page::{self, encoded};

/// Content policy of served pages, in addition to [`CONTENT_POLICY`]: they may fetch from this server and may
/// not be shown in a frame.
const SERVED: &str = "connect-src 'self'; frame-ancestors 'none'";
/// Name of the cookie that holds the token.
const COOKIE: &str = "allometry-token";
/// The refusal of a request without the token.
const TOKEN_WANTED: &str = "the token is missing or wrong; add ?token=... to the address once";
/// Maximum number of refusals logged per second.
const MOST_LOGGED: u64 = 5;

/// The access rules of a server.
#[derive(Debug)]
pub(crate) struct Guard {
    address: SocketAddr,
    token: Option<Secret>,
    policy: HeaderValue,
    log: RefusalLog,
}

/// Writes refusals to standard error, at most [`MOST_LOGGED`] per second.
#[derive(Debug)]
pub(crate) struct RefusalLog {
    start: Instant,
    second: AtomicU64,
    count: AtomicU64,
}

impl RefusalLog {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), second: AtomicU64::new(0), count: AtomicU64::new(0) }
    }

    pub(crate) fn write(&self, what: &str) {
        let now = self.start.elapsed().as_secs();
        if self.second.swap(now, Ordering::Relaxed) != now {
            self.count.store(0, Ordering::Relaxed);
        }
        if self.count.fetch_add(1, Ordering::Relaxed) < MOST_LOGGED {
            let _ = writeln!(std::io::stderr(), "refused: {what}");
        }
    }
}

impl Guard {
    pub(crate) fn new(address: SocketAddr, token: Option<Secret>) -> Self {
        let policy = format!("{CONTENT_POLICY}; {SERVED}").parse().expect("rules are a header's text");
        Self { address, token, policy, log: RefusalLog::new() }
    }

    fn refusal(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some((StatusCode::METHOD_NOT_ALLOWED, "the dashboard is read-only: use GET or HEAD"));
        }
        let headers = request.headers();
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = host else { return Some((StatusCode::BAD_REQUEST, "no Host header")) };
        // The owner of another site can make its name resolve to this machine; the Host header then has that
        // name.
        if self.address.ip().is_loopback() && !is_loopback(host) {
            return Some((StatusCode::FORBIDDEN, "the Host header names another machine"));
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            let same = origin.to_str().is_ok_and(|origin| {
                origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(host)
            });
            if !same {
                return Some((StatusCode::FORBIDDEN, "the request comes from a page of another site"));
            }
        }
        let token = self.token.as_ref()?;
        let query = queried(request.uri().query());
        let cookie = cookie(headers);
        let shown = [bearer(headers), cookie.as_deref(), query.as_deref()];
        let known = shown
            .into_iter()
            .flatten()
            .any(|shown| bool::from(shown.as_bytes().ct_eq(token.expose().as_bytes())));
        (!known).then_some((StatusCode::UNAUTHORIZED, TOKEN_WANTED))
    }

    /// Answers a request that is admitted.
    async fn answer(&self, request: Request, next: Next) -> Response {
        let entered = self.token.as_ref().filter(|_| queried(request.uri().query()).is_some());
        let Some(token) = entered else { return next.run(request).await };
        // The address of a page goes without the token into the history and to other people.
        let mut response = if wants_page(&request) {
            (StatusCode::SEE_OTHER, [(header::LOCATION, without_token(request.uri()))]).into_response()
        } else {
            next.run(request).await
        };
        // A link on another site may lead here, so the cookie must go with a visit from there.
        let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Lax; Path=/", encoded(token.expose()));
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Admits or refuses a request, and adds the security headers to the answer.
pub(crate) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let refusal = guard.refusal(&request);
    let asked: String = format!("{} {}", request.method(), request.uri().path()).chars().take(120).collect();
    let is_page = wants_page(&request);
    let is_full = refusal.is_none()
        && request.extensions().get::<Admission>().is_some_and(|admission| !admission.admit());
    let refusal = refusal
        .or_else(|| is_full.then_some((StatusCode::SERVICE_UNAVAILABLE, "too many connections are open")));
    let mut response = match refusal {
        None => guard.answer(request, next).await,
        Some((status, reason)) => {
            guard.log.write(&format!("{} ({reason})", asked.escape_debug()));
            if is_page {
                page::refusal(status, reason).into_response()
            } else {
                (status, format!("{reason}\n")).into_response()
            }
        }
    };
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, guard.policy.clone());
    let rules: [(HeaderName, &'static str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in rules {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// Returns the query that carries a token in an address.
pub fn token_query(token: &Secret) -> String {
    format!("?token={}", encoded(token.expose()))
}

/// Returns whether a browser asks for a page to show, unlike a script or a program.
pub(crate) fn wants_page(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn cookie(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let pairs = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).and_then(|(_, value)| decoded(value))
}

fn queried(query: Option<&str>) -> Option<Cow<'_, str>> {
    query?.split('&').find_map(|pair| pair.strip_prefix("token=")).and_then(decoded)
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Returns the path and the query of an address, without the token.
fn without_token(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("token=")).collect();
    // More than one slash at the start would name another machine.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_left_out_of_an_address() {
        for (address, left) in [
            ("/?token=a", "/"),
            ("/report?ladder=x&token=a%3B", "/report?ladder=x"),
            ("//evil.example/?token=a", "/evil.example/"),
        ] {
            assert_eq!(without_token(&address.parse().unwrap()), left);
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost:8080", "127.0.0.1", "127.8.9.1:1", "[::1]:80", "LOCALHOST"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "", "[fe80::1]:80"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
