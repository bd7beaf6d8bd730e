//! `allometry import`.

use std::path::PathBuf;

use allometry_store::import::Assumed;
use allometry_store::url;
use clap::Args;
use serde_json::json;

use super::direction::DirectionArg;
use super::{declared_space, exchange};
use crate::error::CliError;
use crate::output;
use crate::source::{self, Source};

/// Copies studies into a storage, where Optuna and every command here go on with them.
///
/// A SOURCE is Optuna's all_trials.json, a CSV of trials, an Optuna journal or SQLite file, a storage URL, or a ladder file (its
/// studies). LABEL=SOURCE names the study LABEL; LABEL=FILE:STUDY takes one of several, LABEL=FILE:BEST_PARAMS.json has
/// the sets of parameters from there.
///
/// Each study is written in one commit: it is there whole or not at all.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Where the trials are.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    /// The storage to write to: a URL or the path of a SQLite file, which is made where it is not there. Without it OPTUNA_STORAGE,
    /// then trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    storage: Option<String>,

    /// The study's name in the storage.
    #[arg(long, value_name = "NAME")]
    study: Option<String>,

    /// Which values are better, where the source does not say; given once per objective.
    #[arg(long, value_name = "DIRECTION")]
    direction: Vec<DirectionArg>,

    /// The sets of parameters, where the source does not say: a JSON file as `allometry ask --space` has it.
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,

    /// Prints what was imported as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        let space = self.space.as_deref().map(declared_space::read).transpose()?;
        let assumed = Assumed {
            directions: self.direction.iter().map(|direction| (*direction).into()).collect(),
            space: space.map(|(space, _)| space).unwrap_or_default(),
        };
        let mut studies = Vec::new();
        for source in &self.sources {
            studies.extend(source::whole(source, &assumed)?);
        }
        exchange::rename(&mut studies, self.study.as_deref())?;
        let storage = self.storage.or_else(|| std::env::var("OPTUNA_STORAGE").ok());
        let storage = storage.unwrap_or_else(|| "sqlite:///trials.db".into());
        let written = exchange::store("imported", &studies, &storage)?;
        if self.json {
            let storage = url::redact(&storage);
            return output::print_json(
                &json!({"schema": "allometry.import/1", "storage": storage, "studies": written}),
            );
        }
        Ok(())
    }
}
