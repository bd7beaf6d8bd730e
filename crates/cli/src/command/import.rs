//! `allometry import`.

use std::path::{Path, PathBuf};

use allometry_core::Secret;
use allometry_store::import::{Assumed, SaidDirections, is_yaml_list};
use allometry_study::{Names, Said, Source};
use clap::Args;
use serde_json::json;

use super::direction::DirectionArg;
use super::{declared_space, exchange};
use crate::error::CliError;
use crate::output::{self, Destination};

/// Copies studies into a storage, where Optuna and every command here go on with them.
///
/// A SOURCE is Optuna's all_trials.json, a CSV of trials, an Optuna journal or SQLite file, a storage URL, a ladder file (its
/// studies), or the folder of a Ray Tune experiment. LABEL=SOURCE names the study LABEL; LABEL=FILE:STUDY takes one of several,
/// LABEL=FILE:BEST_PARAMS.json has the sets of parameters from there.
///
/// Each study is written in one commit: it is there whole or not at all.
///
/// A SOURCE that ends in .yaml or .yml and holds no list of trials is a sweep of Weights & Biases; it comes
/// alone and becomes a ladder file (-o).
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Where the trials are.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    /// The storage to write to: a URL or the path of a SQLite file, which is made where it is not there. Without it OPTUNA_STORAGE,
    /// then trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    storage: Option<Secret>,

    /// The study's name in the storage.
    #[arg(long, value_name = "NAME")]
    study: Option<String>,

    /// Which values are better, maximize or minimize, where the source does not say; given once per
    /// objective, or as NAME=DIRECTION where the objectives have names.
    #[arg(long, value_name = "[NAME=]DIRECTION", visible_alias = "mode")]
    direction: Vec<Said<DirectionArg>>,

    /// The metric whose values are the trials': the column or field of a table that holds them, or one of
    /// those that an experiment of Ray Tune reports.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,

    /// The columns or fields of a table that are hyperparameters, such as lr,depth; all others are then
    /// metrics or attributes.
    #[arg(long, value_name = "NAMES")]
    params: Vec<Names>,

    /// The column or field of a table that holds the number of the model's weights.
    #[arg(long, value_name = "NAME")]
    size: Option<String>,

    /// The sets of parameters, where the source does not say: a JSON file as `allometry ask --space` has it.
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,

    /// The ladder file that a sweep becomes; standard output where not given, or -.
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with_all = ["study", "direction", "metric", "params", "size", "space"]
    )]
    output: Option<String>,

    /// Prints what was imported as one JSON document.
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        if let Some(path) = sweep(&self.sources)? {
            return convert(path, self.output.as_deref().unwrap_or("-"));
        }
        if self.output.is_some() {
            return Err(CliError::Usage {
                message: "-o is for sweeps, which become ladder files".into(),
                hint: Some(
                    "trials go into a --storage; `allometry export SOURCE -o FILE` writes files".into(),
                ),
            });
        }
        let space = self.space.as_deref().map(declared_space::read).transpose()?;
        let assumed = Assumed {
            directions: directions(&self.direction),
            space: space.map(|(space, _)| space).unwrap_or_default(),
            metric: self.metric,
            params: self.params.into_iter().flat_map(Names::into_names).collect(),
            size: self.size,
        };
        let mut studies = Vec::new();
        for source in &self.sources {
            studies.extend(allometry_study::whole(source, &assumed)?);
        }
        exchange::rename(&mut studies, self.study.as_deref())?;
        let storage = self.storage.or_else(|| std::env::var("OPTUNA_STORAGE").ok().map(Secret::from));
        let storage = storage.unwrap_or_else(|| "sqlite:///trials.db".into());
        let written = exchange::store("imported", &studies, &storage)?;
        if self.json {
            return output::print_json(
                &json!({"schema": "allometry.import/1", "storage": storage.shown(), "studies": written}),
            );
        }
        Ok(())
    }
}

/// What is said by the places of objectives, and by their names.
fn directions(given: &[Said<DirectionArg>]) -> SaidDirections {
    let mut said = SaidDirections::default();
    for (name, direction) in given.iter().map(Said::parts) {
        match name {
            Some(name) => said.named.push((name.to_owned(), (*direction).into())),
            None => said.in_order.push((*direction).into()),
        }
    }
    said
}

/// The file of a sweep, if that is what is given.
///
/// # Errors
/// [`CliError::Usage`] where it does not come alone.
fn sweep(sources: &[Source]) -> Result<Option<&Path>, CliError> {
    let is_yaml = |source: &&Source| match source {
        Source::Store(path) if !path.expose().contains("://") => {
            let path = Path::new(path.expose());
            // A list in YAML is one of trials.
            let is_list = || std::fs::read_to_string(path).is_ok_and(|text| is_yaml_list(&text));
            let endings = ["yaml", "yml"];
            let is_named =
                path.extension().is_some_and(|e| endings.iter().any(|yaml| e.eq_ignore_ascii_case(yaml)));
            is_named && !is_list()
        }
        _ => false,
    };
    match (sources.iter().find(is_yaml), sources) {
        (None, _) => Ok(None),
        (Some(Source::Store(path)), [_]) => Ok(Some(Path::new(path.expose()))),
        (Some(sweep), _) => Err(CliError::Usage {
            message: format!("`{sweep}` is a sweep and cannot be mixed with other sources"),
            hint: Some("a sweep becomes a ladder file: `allometry import sweep.yaml -o ladder.toml`".into()),
        }),
    }
}

/// Writes the ladder file of a sweep and says what of the sweep is not in it.
fn convert(path: &Path, output: &str) -> Result<(), CliError> {
    let yaml =
        std::fs::read_to_string(path).map_err(|source| CliError::Read { path: path.into(), source })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let converted = allometry_sweep::convert(&yaml, &name)
        .map_err(|source| CliError::Sweep { path: path.into(), source })?;
    Destination::parse(output).write(&converted.ladder)?;
    for note in converted.notes {
        crate::output::say(&format!("note: {note}"));
    }
    Ok(())
}
