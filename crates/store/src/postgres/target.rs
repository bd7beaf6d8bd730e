//! Which server and database a URL names, and how to get in.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use postgres::config::{Host, SslMode as Negotiation};
use postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::password::{self, Account};
use super::tls::{self, SslMode};
use crate::error::StoreError;
use crate::failure::Failure;
use crate::location::Location;
use crate::url;

/// How long one attempt to connect may take, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Without an answer for this long the other end counts as gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Where Debian's servers, and libpq by default, have their sockets.
const SOCKETS: &str = "/var/run/postgresql";

/// A database to connect to.
pub(super) struct Target {
    pub(super) location: Location,
    config: Config,
    tls: MakeRustlsConnect,
    /// Why the password file was passed over.
    passed_over: Option<String>,
}

impl Target {
    /// Reads a URL as libpq and `SQLAlchemy` have it:
    /// `postgresql://user:password@host:port/database?sslmode=verify-full`, with or without a driver behind
    /// the scheme.
    ///
    /// # Errors
    /// [`StoreError::Url`].
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let problem = |problem: String| StoreError::Url { url: url::redact(url), problem };
        let (_, rest) = url.split_once("://").ok_or_else(|| problem("it has no scheme".into()))?;
        let (mut mode, mut authorities, mut kept) = (SslMode::Prefer, None, Vec::new());
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match key {
                "sslmode" => {
                    mode = SslMode::named(&value).ok_or_else(|| {
                        problem(format!(
                            "sslmode `{value}` is none of disable, prefer, require, verify-ca, verify-full"
                        ))
                    })?;
                }
                "sslrootcert" => authorities = Some(PathBuf::from(value)),
                _ => kept.push(pair),
            }
        }
        let plain = format!("postgresql://{base}?{}", kept.join("&"));
        // The driver's own words may repeat what it did not understand.
        let mut config = Config::from_str(&plain).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let known =
                cause.filter(|cause| cause.starts_with("unknown option") || cause.contains("invalid value"));
            problem(known.unwrap_or_else(|| "it cannot be understood".into()))
        })?;
        complete(&mut config).map_err(problem)?;
        let sockets_alone = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
        config.ssl_mode(match mode {
            _ if sockets_alone => Negotiation::Disable,
            SslMode::Disable => Negotiation::Disable,
            SslMode::Prefer => Negotiation::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Negotiation::Require,
        });
        let tls = tls::connector(mode, authorities.as_deref()).map_err(problem)?;
        let passed_over = give_password(&mut config);
        Ok(Self { location: Location::server(url), config, tls, passed_over })
    }

    /// Connects once.
    pub(super) fn connect(&self) -> Result<Client, Failure> {
        Ok(self.config.connect(self.tls.clone())?)
    }

    /// The failure as callers see it.
    pub(super) fn error(&self, failure: Failure) -> StoreError {
        match (failure.at_server(&self.location), &self.passed_over) {
            (StoreError::Refused { location, reason }, Some(note)) => {
                StoreError::Refused { location, reason: format!("{reason} ({note})") }
            }
            (error, _) => error,
        }
    }
}

/// Fills in what the URL leaves open.
fn complete(config: &mut Config) -> Result<(), String> {
    if config.get_hosts().is_empty() {
        #[cfg(unix)]
        if std::path::Path::new(SOCKETS).is_dir() {
            config.host_path(SOCKETS);
        }
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
    }
    if config.get_user().is_none() {
        let user = ["PGUSER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        if let Some(user) = user {
            config.user(&user);
        }
    }
    if config.get_dbname().is_none() {
        return Err("it names no database: `postgresql://host/database`".into());
    }
    if config.get_application_name().is_none() {
        config.application_name("allometry");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(SILENCE);
    config.tcp_user_timeout(SILENCE);
    Ok(())
}

/// Finds the password where the URL has none; says why the password file was passed over.
fn give_password(config: &mut Config) -> Option<String> {
    if config.get_password().is_some() {
        return None;
    }
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => return None,
    };
    let account = Account {
        host: &host,
        port: config.get_ports().first().copied().unwrap_or(5432),
        database: config.get_dbname().unwrap_or_default(),
        user: config.get_user().unwrap_or_default(),
    };
    match password::find(account) {
        Ok(found) => {
            if let Some(password) = found {
                config.password(password.expose());
            }
            None
        }
        Err(why) => Some(why),
    }
}
