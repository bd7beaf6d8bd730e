//! `allometry import`.

use std::path::{Path, PathBuf};

use allometry_core::Secret;
use allometry_store::import::{Assumed, GivenDirections};
use allometry_store::yaml;
use allometry_study::{Named, Names, Source};
use clap::Args;
use serde_json::json;

use super::direction::DirectionArg;
use super::{copy_studies, declared_space};
use crate::error::CliError;
use crate::output::{self, Destination};
use crate::styles::Label;

/// Copies studies into a storage.
///
/// Optuna and all commands of Allometry can continue them there. A SOURCE is Optuna's all_trials.json, a CSV
/// of trials, an Optuna journal or SQLite file, a storage URL, a ladder file (for its studies), or the folder
/// of a Ray Tune experiment. LABEL=SOURCE names the study LABEL, LABEL=FILE:STUDY selects one of several
/// studies, and LABEL=FILE:BEST_PARAMS.json reads the ranges of the parameters from that file.
///
/// Each study is written in one commit, so it is never incomplete.
///
/// A SOURCE that ends in .yaml or .yml and is not a list of trials is a sweep of Weights & Biases. It must be
/// the only SOURCE and is converted to a ladder file (-o).
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Where the trials are.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    /// Storage to write to: a URL or the path of a SQLite file, created if it is missing. Default:
    /// $OPTUNA_STORAGE if set, else trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    storage: Option<Secret>,

    /// Name of the study in the storage.
    #[arg(long, value_name = "NAME")]
    study: Option<String>,

    /// Whether larger or smaller values are better, maximize or minimize, if the source does not record it.
    /// For several objectives give it once for each in order, or as NAME=DIRECTION.
    #[arg(long, value_name = "[NAME=]DIRECTION", visible_alias = "mode")]
    direction: Vec<Named<DirectionArg>>,

    /// Metric whose values are the values of the trials: a column or field of a table, or a metric that a Ray
    /// Tune experiment reports.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,

    /// Columns or fields of a table that are hyperparameters, such as lr,depth; all others then count as
    /// metrics or attributes.
    #[arg(long, value_name = "NAMES")]
    params: Vec<Names>,

    /// Column or field of a table that holds the number of the model's weights.
    #[arg(long, value_name = "NAME")]
    size: Option<String>,

    /// JSON file with the search space, as for `allometry ask --space`, if the source does not record it.
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,

    /// Ladder file to write for a sweep, or - for standard output. Default: standard output.
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with_all = ["study", "direction", "metric", "params", "size", "space"]
    )]
    output: Option<String>,

    /// Prints a summary of the imported studies as one JSON document.
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
                message: "-o applies to sweeps, which are converted to ladder files".into(),
                hint: Some(
                    "trials are written to --storage; `allometry export SOURCE -o FILE` writes files".into(),
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
            studies.extend(allometry_study::studies(source, &assumed)?);
        }
        copy_studies::rename(&mut studies, self.study.as_deref())?;
        let storage = self.storage.or_else(|| std::env::var("OPTUNA_STORAGE").ok().map(Secret::from));
        let storage = storage.unwrap_or_else(|| "sqlite:///trials.db".into());
        let written = copy_studies::write("imported", &studies, &storage)?;
        if self.json {
            return output::print_json(
                &json!({"schema": "allometry.import/1", "storage": storage.shown(), "studies": written}),
            );
        }
        Ok(())
    }
}

/// Returns the directions that are given in order, and those that are given by name.
fn directions(given: &[Named<DirectionArg>]) -> GivenDirections {
    let mut said = GivenDirections::default();
    for (name, direction) in given.iter().map(Named::parts) {
        match name {
            Some(name) => said.named.push((name.to_owned(), (*direction).into())),
            None => said.in_order.push((*direction).into()),
        }
    }
    said
}

/// Returns the path of the sweep, if the source is one.
///
/// # Errors
/// [`CliError::Usage`] if there are other sources as well.
fn sweep(sources: &[Source]) -> Result<Option<&Path>, CliError> {
    let is_yaml = |source: &&Source| match source {
        Source::Store(path) if !path.expose().contains("://") => {
            let path = Path::new(path.expose());
            // A YAML file with a list at its top holds trials.
            let is_list = || std::fs::read_to_string(path).is_ok_and(|text| yaml::is_list(&text));
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

/// Writes the ladder file of a sweep and prints a note on each setting that it lacks.
fn convert(path: &Path, output: &str) -> Result<(), CliError> {
    let yaml =
        std::fs::read_to_string(path).map_err(|source| CliError::Read { path: path.into(), source })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let converted = allometry_sweep::convert(&yaml, &name)
        .map_err(|source| CliError::Sweep { path: path.into(), source })?;
    Destination::parse(output).write(&converted.ladder)?;
    for note in converted.notes {
        crate::output::tell(Label::Note, &note);
    }
    Ok(())
}
