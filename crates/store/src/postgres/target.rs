//! Server, database and credentials that a URL names.

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

/// Default time limit of one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without an answer after which the connection counts as lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Default folder of sockets, of Debian's servers and of libpq.
const SOCKETS: &str = "/var/run/postgresql";

/// A database with the parameters of its connection.
pub(super) struct Target {
    pub(super) location: Location,
    config: Config,
    tls: MakeRustlsConnect,
    /// Reason for ignoring the password file, if it was ignored.
    ignored_password_file: Option<String>,
}

impl Target {
    /// Parses a URL in the form of libpq and `SQLAlchemy`:
    /// `postgresql://user:password@host:port/database?sslmode=verify-full`, with or without a driver in the
    /// scheme.
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
                            "sslmode `{value}` is not one of disable, prefer, require, verify-ca, verify-full"
                        ))
                    })?;
                }
                "sslrootcert" => authorities = Some(PathBuf::from(value)),
                _ => kept.push(pair),
            }
        }
        let plain = format!("postgresql://{base}?{}", kept.join("&"));
        // The driver's message may contain the part of the URL that it did not understand, possibly a
        // password.
        let mut config = Config::from_str(&plain).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let known =
                cause.filter(|cause| cause.starts_with("unknown option") || cause.contains("invalid value"));
            problem(known.unwrap_or_else(|| "it cannot be parsed".into()))
        })?;
        set_defaults(&mut config).map_err(problem)?;
        let sockets_alone = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
        config.ssl_mode(match mode {
            _ if sockets_alone => Negotiation::Disable,
            SslMode::Disable => Negotiation::Disable,
            SslMode::Prefer => Negotiation::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Negotiation::Require,
        });
        let tls = tls::connector(mode, authorities.as_deref()).map_err(problem)?;
        let ignored_password_file = set_password(&mut config);
        Ok(Self { location: Location::server(url), config, tls, ignored_password_file })
    }

    /// Opens one connection.
    pub(super) fn connect(&self) -> Result<Client, Failure> {
        Ok(self.config.connect(self.tls.clone())?)
    }

    /// Converts a failure to an error with the location of the database.
    pub(super) fn error(&self, failure: Failure) -> StoreError {
        match (failure.at_server(&self.location), &self.ignored_password_file) {
            (StoreError::Refused { location, reason }, Some(note)) => {
                StoreError::Refused { location, reason: format!("{reason} ({note})") }
            }
            (error, _) => error,
        }
    }
}

/// Sets the parameters that the URL does not contain.
fn set_defaults(config: &mut Config) -> Result<(), String> {
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
    config.keepalives_idle(ANSWER_TIMEOUT);
    config.tcp_user_timeout(ANSWER_TIMEOUT);
    Ok(())
}

/// Sets the password if the URL has none. Returns the reason for ignoring the password file, if it was
/// ignored.
fn set_password(config: &mut Config) -> Option<String> {
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
