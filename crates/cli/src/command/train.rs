//! `allometry train`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use allometry_core::rng::stream_seed;
use allometry_core::significant::significant;
use allometry_core::{Levels, Objective as _, ObjectiveError, Params, StudyIdentity, TrialNumber, TrialSpec};
use allometry_ladder::{BudgetSpec, Ladder};
use allometry_runner::Interrupt;
use allometry_session::{Prepared, runs_folder};
use allometry_study as source;
use allometry_study::StudyError;
use allometry_trainer::{Fitted, PARAMETER_NAMES, TrainError};
use clap::Args;
use serde_json::json;

use super::ladder_file::LadderFile;
use crate::error::CliError;
use crate::output;
use crate::progress::{Curve, Style};

/// Trains one configuration of a budget and writes a checkpoint.
///
/// The configuration is that of the budget's best stored trial, or the middle of its search space if no trial
/// is stored. --set overrides a parameter (--set dropout=0.3) or a setting of the file (--set
/// model.epochs=20). Ctrl-C saves the state; the same command then continues and writes the same bytes as
/// without the interruption.
#[derive(Debug, Args)]
pub(super) struct Train {
    #[command(flatten)]
    file: LadderFile,

    /// Label of the budget; required if the ladder has several.
    #[arg(long, value_name = "LABEL")]
    budget: Option<String>,

    /// Seed of the initial weights, batches and dropout. Default: derived from the ladder's seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// File of the checkpoint. Default: train.safetensors in the folder ladder.runs/BUDGET next to the
    /// ladder.
    #[arg(long, short = 'o', value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Starts again even if there is a checkpoint.
    #[arg(long)]
    restart: bool,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,

    /// Prints errors and the result only.
    #[arg(long, short)]
    quiet: bool,
}

impl Train {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (ladder, spec, given) = self.ladder()?;
        let prepared = Prepared::new(&ladder)?;
        let objective = prepared.objective()?;
        let (mut params, origin) = if let Some(params) = self.incumbent(&ladder, &spec)? {
            (params, "its best stored trial")
        } else {
            let feasible = prepared.feasible(&spec)?;
            (feasible.params(&feasible.at(&vec![0.5; feasible.dimension()])), "the middle of its space")
        };
        for (name, set) in spec.space.iter().filter(|(name, _)| given.iter().any(|g| g == name)) {
            let levels = set.levels().unwrap_or_else(Levels::none);
            let Some(value) = levels.get(0).filter(|_| levels.len() == 1) else {
                return Err(CliError::Usage {
                    message: format!(
                        "`{name}` has {} values, but one configuration is trained",
                        levels.len()
                    ),
                    hint: Some(format!("give one value: --set {name}=VALUE")),
                });
            };
            params.insert(name, value);
        }
        let path = self.checkpoint.clone().unwrap_or_else(|| {
            runs_folder(&self.file.ladder).join(&spec.budget.label).join("train.safetensors")
        });
        let style = Style::choose(self.quiet);
        let size = objective.model_size(&params);
        if style != Style::Quiet {
            let size = size.map_or_else(String::new, |size| format!(" ({size} weights)"));
            crate::output::say(&format!("{}, from {origin}: {params}{size}", spec.budget.label));
        }
        let seed = self.seed.unwrap_or_else(|| stream_seed(ladder.seed, "train", 0));
        let number = TrialNumber(0);
        let trial = TrialSpec {
            study: StudyIdentity::default(),
            budget: spec.budget.clone(),
            number,
            first_attempt: number,
            params,
            seed,
        };
        let interrupt = Interrupt::listen()
            .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
        let steps = prepared.steps(size.map_or(0, |size| size.total));
        let curve = Curve::new(style, interrupt.clone(), prepared.model(), steps);
        let fitted = objective.fit_with_checkpoint(&trial, &curve, &path, self.restart);
        curve.finish();
        match fitted {
            Ok(fitted) => output::print(&self.result(&trial, &fitted, &path)),
            Err(TrainError::Objective(ObjectiveError::Interrupted)) => {
                Err(CliError::Interrupted { code: interrupt.exit_code() })
            }
            Err(TrainError::Objective(ObjectiveError::Failed(failure))) => {
                let detail =
                    if failure.detail.is_empty() { String::new() } else { format!("\n  {}", failure.detail) };
                Err(CliError::TrialsFailed { message: format!("{}{detail}", failure.reason) })
            }
            Err(TrainError::Objective(error)) => Err(CliError::TrialsFailed { message: error.to_string() }),
            Err(TrainError::Checkpoint(error)) => Err(error.into()),
        }
    }

    /// Returns the ladder with the settings of `--set`, the budget, and the names of the parameters in
    /// `--set`.
    fn ladder(&self) -> Result<(Ladder, BudgetSpec, Vec<String>), CliError> {
        let is_parameter = |key: &str| PARAMETER_NAMES.contains(&key);
        let (parameters, mut settings): (Vec<_>, Vec<_>) =
            self.file.set.iter().cloned().partition(|(key, _)| is_parameter(key));
        let without_parameters = self.file.read_with(&settings)?;
        let label = self.label(&without_parameters)?;
        let given = parameters.iter().map(|(name, _)| name.clone()).collect();
        let quoted = label.replace('\\', "\\\\").replace('"', "\\\"");
        settings.extend(
            parameters.into_iter().map(|(name, value)| (format!("budget.\"{quoted}\".space.{name}"), value)),
        );
        let ladder = self.file.read_with(&settings)?;
        let spec = ladder.budgets.iter().find(|b| b.budget.label == label).cloned();
        let spec = spec.expect("settings of parameters change no label");
        Ok((ladder, spec, given))
    }

    fn label(&self, ladder: &Ladder) -> Result<String, CliError> {
        let labels: Vec<&str> = ladder.budgets.iter().map(|b| b.budget.label.as_str()).collect();
        let message = match &self.budget {
            Some(label) if labels.contains(&label.as_str()) => return Ok(label.clone()),
            Some(label) => format!("the ladder has no budget `{label}`"),
            None if labels.len() == 1 => return Ok(labels[0].to_owned()),
            None => "the ladder has several budgets".to_owned(),
        };
        Err(CliError::Usage { message, hint: Some(format!("give --budget, one of {}", labels.join(", "))) })
    }

    /// Returns the best stored configuration of a budget, if there is one.
    fn incumbent(&self, ladder: &Ladder, spec: &BudgetSpec) -> Result<Option<Params>, CliError> {
        let url = source::storage_url(ladder, self.file.storage.as_ref(), &self.file.ladder);
        let store = match allometry_store::open_read_only(url.expose()) {
            Err(error) if error.kind() == allometry_store::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let trials = match source::ladder_of_store(&*store, Some(&ladder.name), &url) {
            Err(StudyError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        let study = trials.studies.into_iter().find(|study| study.budget.label == spec.budget.label);
        Ok(study.and_then(|study| study.best_params))
    }

    fn result(&self, trial: &TrialSpec, fitted: &Fitted, path: &Path) -> String {
        let outcome = &fitted.outcome;
        if self.json {
            let document = json!({
                "schema": "allometry.train/1",
                "budget": trial.budget.label,
                "params": trial.params,
                "seed": trial.seed,
                "value": outcome.value(),
                "epoch": outcome.best_step,
                "metrics": outcome.metrics,
                "weights": outcome.size.map(|size| size.total),
                "checkpoint": path,
            });
            return format!("{document:#}\n");
        }
        let epoch = outcome.best_step.unwrap_or(0);
        let mut text = format!(
            "value {} at epoch {epoch}; checkpoint {}\n",
            significant(outcome.value()),
            path.display()
        );
        for (name, value) in &outcome.metrics {
            let _ = writeln!(text, "  {name:<20} {}", significant(*value));
        }
        text
    }
}
