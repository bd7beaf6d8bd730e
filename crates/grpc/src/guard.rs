//! Authentication of calls.

use allometry_core::Secret;
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;
use tonic::Status;

/// Checks that every call carries the server's token, if the server has one.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    token: Option<Secret>,
}

impl Guard {
    pub(crate) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    /// Returns an error if a call does not carry the token.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Status> {
        let Some(token) = &self.token else { return Ok(()) };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if bool::from(shown.as_bytes().ct_eq(token.expose().as_bytes())) {
            return Ok(());
        }
        Err(Status::unauthenticated(
            "the token is missing or wrong; send `authorization: Bearer TOKEN` with every call",
        ))
    }
}
