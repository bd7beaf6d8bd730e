//! `allometry serve`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use allometry_core::Secret;
use allometry_grpc::Identity;
use allometry_store::url;
use allometry_study::{Source, whole_as_told};
use clap::Args;

use super::objective::ObjectiveArgs;
use super::study_args::Place;
use super::{exchange, read_args};
use crate::error::CliError;
use crate::output;

/// Shows the ladders and studies of a store as a live web page.
///
/// The store is only read, and only when it changed: a dashboard can neither slow nor break a study. It may be started
/// before the first trial, and outlives the store's absence. Studies of Optuna are shown too.
///
/// With `--grpc` it is a storage instead of a page: Optuna's Python workers share the store's studies through
/// `optuna.storages.GrpcStorageProxy`. Missing stores are made; `sqlite:///:memory:` is one that ends with the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// A ladder file (or its folder), a storage URL or a database file. A journal, a table or
    /// LABEL=FILE:STUDY is shown as it is now: the page does not follow it.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml")]
    source: Source,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Address to listen on; port 0 takes a free one. Beyond this machine (such as 0.0.0.0:8080) a token is needed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Serve Optuna's storage protocol at this address instead, such as 127.0.0.1:13000. Beyond this machine a token is needed.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen", value_parser = address)]
    grpc: Option<SocketAddr>,

    /// Encrypt what `--grpc` serves: a PEM file with the server's certificate, and after it those that lead to an authority.
    #[arg(long, value_name = "FILE", requires_all = ["grpc", "tls_key"])]
    tls_certificate: Option<PathBuf>,

    /// The certificate's key, a PEM file.
    #[arg(long, value_name = "FILE", requires_all = ["grpc", "tls_certificate"])]
    tls_key: Option<PathBuf>,

    /// What every request must show: as ?token=... in the first address, or as a bearer token.
    #[arg(long, env = "ALLOMETRY_TOKEN", hide_env_values = true)]
    token: Option<Secret>,
}

/// The first address that a name and a port stand for.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    addresses.next().ok_or_else(|| "the name has no address".into())
}

/// What follows the dashboard's address: the token that was given on the command line, which others can read there anyhow. One
/// of the environment is not printed.
fn entrance(token: Option<&Secret>) -> String {
    let Some(token) = token else { return String::new() };
    if std::env::var("ALLOMETRY_TOKEN").is_ok_and(|inherited| inherited == token.expose()) {
        return "?token=... (the token is that of ALLOMETRY_TOKEN)".into();
    }
    format!("?token={}", token.expose())
}

/// Name of the copy of a source that cannot be followed.
const COPY: &str = "copy.db";

impl Serve {
    /// Copies the studies of a source into a database of their own.
    fn copy(&self) -> Result<tempfile::TempDir, CliError> {
        let studies = whole_as_told(&self.source, &self.objective.of_an_auc(false))?;
        let folder =
            tempfile::tempdir().map_err(|source| CliError::Write { path: std::env::temp_dir(), source })?;
        let storage = Secret::from(url::of_sqlite(&folder.path().join(COPY)));
        exchange::store("copied", &studies, &storage)?;
        Ok(folder)
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        let place = match self.grpc {
            Some(_) => Some(Place::of(&self.source)?),
            None => read_args::place(&self.source)?,
        };
        if let Some(place) = &place {
            read_args::refuse_told(place, &self.objective)?;
        }
        // The copy of what cannot be followed; its folder goes with the server.
        let copy = if place.is_none() { Some(self.copy()?) } else { None };
        let storage = match (&copy, place) {
            (Some(folder), _) => url::of_sqlite(&folder.path().join(COPY)).into(),
            (None, place) => place.map_or_else(|| Secret::from(""), |place| place.url),
        };
        let token = self.token.filter(|token| !token.expose().is_empty());
        if let Some(listen) = self.grpc {
            let files = self.tls_certificate.zip(self.tls_key);
            let identity = files.map(|(certificate, key)| Identity { certificate, key });
            let options = allometry_grpc::Options { listen, token, identity, storage };
            allometry_grpc::serve(options, |address| {
                let _ = output::print(&format!("Optuna's storage: {address}\nCtrl-C ends it.\n"));
            })?;
            return Ok(());
        }
        let entrance = entrance(token.as_ref());
        let options = allometry_server::Options { listen: self.listen, token, storage };
        allometry_server::serve(options, |address| {
            // Whoever closed the pipe does not want to know; the page is served all the same.
            let _ = output::print(&format!("Dashboard: http://{address}/{entrance}\nCtrl-C ends it.\n"));
        })?;
        Ok(())
    }
}
