//! TLS with the modes of PostgreSQL's own programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// TLS mode, as `sslmode` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// No TLS.
    Disable,
    /// TLS if the server supports it; the certificate is not verified.
    Prefer,
    /// TLS; the certificate is verified only if authorities are given.
    Require,
    /// TLS; the certificate must be signed by an authority.
    VerifyCa,
    /// TLS; the certificate must be signed by an authority and match the host.
    VerifyFull,
}

impl SslMode {
    /// Returns the mode with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// Returns a connector for a mode. `authorities` is a PEM file; without it the system's authorities are
/// trusted.
///
/// # Errors
/// Message that names the authorities that cannot be read, and the reason.
pub(super) fn connector(mode: SslMode, authorities: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let of_roots = |roots| {
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| error.to_string())
    };
    let checks = match (mode, authorities) {
        (SslMode::Disable | SslMode::Prefer, _) | (SslMode::Require, None) => Checks::None,
        (SslMode::Require | SslMode::VerifyCa, _) => Checks::Authority(of_roots(roots(authorities)?)?),
        (SslMode::VerifyFull, _) => Checks::AuthorityAndHost(of_roots(roots(authorities)?)?),
    };
    let verifier = Verifier { checks, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn roots(authorities: Option<&Path>) -> Result<RootCertStore, String> {
    let default = std::env::home_dir().map(|home| home.join(".postgresql/root.crt"));
    let path: Option<PathBuf> = match authorities {
        Some(path) if path == Path::new("system") => None,
        Some(path) => Some(path.into()),
        None => default.filter(|path| path.is_file()),
    };
    let mut roots = RootCertStore::empty();
    let Some(path) = path else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() {
            Err("the system has no certificate authorities: give sslrootcert".into())
        } else {
            Ok(roots)
        };
    };
    let unreadable = |problem: String| format!("sslrootcert {}: {problem}", path.display());
    let certificates = CertificateDer::pem_file_iter(&path).map_err(|error| unreadable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it contains no certificate".into()));
    }
    Ok(roots)
}

/// Checks of a server's certificate.
#[derive(Debug)]
enum Checks {
    None,
    Authority(Arc<WebPkiServerVerifier>),
    AuthorityAndHost(Arc<WebPkiServerVerifier>),
}

#[derive(Debug)]
struct Verifier {
    checks: Checks,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (inner, host_matters) = match &self.checks {
            Checks::None => return Ok(ServerCertVerified::assertion()),
            Checks::Authority(inner) => (inner, false),
            Checks::AuthorityAndHost(inner) => (inner, true),
        };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !host_matters => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
