//! `allometry serve`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use allometry_core::Secret;
use allometry_grpc::Identity;
use allometry_store::url;
use allometry_study::{Source, studies_as_given};
use clap::Args;

use super::objective::ObjectiveArgs;
use super::study_args::Place;
use super::{copy_studies, read_args};
use crate::error::CliError;
use crate::output;

/// Serves a live web page with the ladders and studies of a storage.
///
/// The dashboard only reads the storage, and only after a change, so it can neither slow down nor break a
/// study. It can be started before the first trial, and keeps running while the storage is unavailable.
/// Studies made by Optuna are shown too.
///
/// With `--grpc` the command serves Optuna's storage protocol instead of a web page: Python workers share the
/// studies through `optuna.storages.GrpcStorageProxy`. A missing storage is created; `sqlite:///:memory:`
/// lasts only as long as the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// A ladder file (or its folder), a storage URL or a database file. A journal, a table or
    /// LABEL=FILE:STUDY is shown as it is at the start; the page does not follow its changes.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml")]
    source: Source,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Address to listen on; port 0 chooses a free one. An address that other machines can reach, such as
    /// 0.0.0.0:8080, requires a token.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Serves Optuna's storage protocol at this address instead of a web page, such as 127.0.0.1:13000. An
    /// address that other machines can reach requires a token.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen", value_parser = first_address)]
    grpc: Option<SocketAddr>,

    /// Encrypts `--grpc` with the certificate in this PEM file: the server's certificate, followed by the
    /// chain to its authority.
    #[arg(long, value_name = "FILE", requires_all = ["grpc", "tls_key"])]
    tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, a PEM file.
    #[arg(long, value_name = "FILE", requires_all = ["grpc", "tls_certificate"])]
    tls_key: Option<PathBuf>,

    /// Token that every request must carry, as ?token=... in the first address or as a bearer token.
    #[arg(long, env = "ALLOMETRY_TOKEN", hide_env_values = true)]
    token: Option<Secret>,
}

/// Returns the first address to which `HOST:PORT` resolves.
fn first_address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    addresses.next().ok_or_else(|| "the name has no address".into())
}

/// Returns the query that the printed address of the dashboard ends with. A token of the command line is
/// printed, because the process list shows it anyway; a token of the environment is not.
fn token_query(token: Option<&Secret>) -> String {
    let Some(token) = token else { return String::new() };
    if std::env::var("ALLOMETRY_TOKEN").is_ok_and(|inherited| inherited == token.expose()) {
        return "?token=... (the token in ALLOMETRY_TOKEN)".into();
    }
    allometry_server::token_query(token)
}

/// File name of the copy of a source that cannot be followed.
const COPY: &str = "copy.db";

impl Serve {
    /// Copies the studies of the source into a temporary database.
    fn copy(&self) -> Result<tempfile::TempDir, CliError> {
        let studies = studies_as_given(&self.source, &self.objective.to_objective(false))?;
        let folder =
            tempfile::tempdir().map_err(|source| CliError::Write { path: std::env::temp_dir(), source })?;
        let storage = Secret::from(url::of_sqlite(&folder.path().join(COPY)));
        copy_studies::write("copied", &studies, &storage)?;
        Ok(folder)
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        let place = match self.grpc {
            Some(_) => Some(Place::of(&self.source)?),
            None => read_args::place(&self.source)?,
        };
        if let Some(place) = &place {
            read_args::refuse_objective_options(place, &self.objective)?;
        }
        // A source that cannot be followed is served from a copy, which is deleted when the server ends.
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
                let _ = output::print(&format!("Optuna storage: {address}\nPress Ctrl-C to stop.\n"));
            })?;
            return Ok(());
        }
        let query = token_query(token.as_ref());
        let options = allometry_server::Options { listen: self.listen, token, storage };
        allometry_server::serve(options, |address| {
            // The page is served even if nobody reads standard output.
            let _ = output::print(&format!("Dashboard: http://{address}/{query}\nPress Ctrl-C to stop.\n"));
        })?;
        Ok(())
    }
}
