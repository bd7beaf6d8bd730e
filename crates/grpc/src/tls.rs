//! TLS for connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::ServeError;

/// Certificate and key of the server, in PEM files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Path of the server's certificate, followed by the chain to an authority that clients trust.
    pub certificate: PathBuf,
    /// Path of the server's private key, not encrypted.
    pub key: PathBuf,
}

/// Returns the acceptor of TLS 1.2 and 1.3 connections.
///
/// # Errors
/// [`ServeError::Identity`] for files that cannot be read, hold no certificate or key, or do not match.
pub(crate) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, ServeError> {
    let certificates = certificates(&identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|error| problem(&identity.key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| problem(&identity.key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| problem(path, &error))?;
    if certificates.is_empty() {
        return Err(problem(path, &"it holds no certificate"));
    }
    Ok(certificates)
}

fn problem(path: &Path, reason: &impl ToString) -> ServeError {
    ServeError::Identity { path: path.into(), reason: reason.to_string() }
}
