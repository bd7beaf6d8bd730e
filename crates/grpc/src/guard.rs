//! Who may call.

use allometry_core::Secret;
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;
use tonic::Status;

/// The rule of one server: every call shows its token, where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    token: Option<Secret>,
}

impl Guard {
    pub(crate) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    /// Lets a call through, or refuses it.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Status> {
        let Some(token) = &self.token else { return Ok(()) };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if bool::from(shown.as_bytes().ct_eq(token.expose().as_bytes())) {
            return Ok(());
        }
        Err(Status::unauthenticated(
            "no token, or another one; send `authorization: Bearer TOKEN` with every call",
        ))
    }
}
