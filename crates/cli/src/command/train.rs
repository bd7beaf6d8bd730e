//! `allometry train`.

mod calibration;
mod program;
mod taken;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use allometry_analysis::Costs;
use allometry_core::rng::stream_seed;
use allometry_core::significant::{apart, significant};
use allometry_core::{
    Failure, Levels, Objective as _, ObjectiveError, ObjectiveOutcome, Params, Predictions, StudyIdentity,
    TrialNumber, TrialSpec, TrialState,
};
use allometry_ladder::{BudgetSpec, Ladder, ObjectiveSpec};
use allometry_runner::{Interrupt, objective_changes};
use allometry_search::Feasible;
use allometry_session::{Prepared, runs_folder};
use allometry_trainer::{Fitted, PARAMETER_NAMES, SETTING_NAMES, TrainError, settings_of};
use clap::Args;
use serde_json::{Value, json};

use self::calibration::{Calibrate, Judged};
use self::taken::{Taken, Trials};
use super::costs;
use super::ladder_file::{LadderFile, known_budget};
use super::trial_json::outcome;
use crate::error::CliError;
use crate::output;
use crate::progress::{Curve, Style};

/// Trains one configuration of a budget and writes a checkpoint.
///
/// Where a command trains, it is started for one configuration and its files are kept; no trial is stored.
///
/// The configuration is that of the budget's best stored trial, or the middle of its search space if no trial
/// is stored. --trial takes that of another trial and --recommended the one that the report recommends, both
/// with the trial's seed: the value and the predictions are then those of the trial, bit for bit on the same
/// machine. With folds the model is trained once, on all rows before the test part, which repeats no trial.
/// --set overrides a parameter (--set dropout=0.3) or a setting of the file (--set
/// model.epochs=20). Ctrl-C saves the state; the same command then continues and writes the same bytes as
/// without the interruption.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Train {
    #[command(flatten)]
    file: LadderFile,

    /// Label of the budget; required if the ladder has several. Default with --recommended: the budget that
    /// the report says to take.
    #[arg(long, value_name = "LABEL")]
    budget: Option<String>,

    /// Repeats the stored trial with this number: its configuration, on its training rows, with its seed.
    #[arg(long, value_name = "NUMBER", conflicts_with = "recommended")]
    trial: Option<u64>,

    /// Repeats the trial whose configuration the report recommends.
    #[arg(long)]
    recommended: bool,

    /// Seed of the initial weights, batches and dropout. Default: that of the repeated trial, else derived
    /// from the ladder's seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// File of the checkpoint, or the folder of the files of a command. Default:
    /// train.safetensors in the folder ladder.runs/BUDGET next to the ladder, or the folder
    /// ladder.runs/train.
    #[arg(long, short = 'o', value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Starts again even if there is a checkpoint.
    #[arg(long)]
    restart: bool,

    /// Fits the model's probabilities to the validation rows, keeps the fit in the checkpoint and judges it
    /// on the test rows; none removes it. Default: the checkpoint stays as it is. A finished checkpoint is
    /// not trained again.
    #[arg(long, value_name = "METHOD", value_parser = calibration::parser())]
    calibrate: Option<Calibrate>,

    /// Costs of a false positive and a false negative, such as 1,5: judges decisions by the calibrated
    /// probability on the test rows.
    #[arg(
        long,
        value_name = "FP,FN",
        value_parser = costs::parse,
        requires = "calibrate",
        allow_hyphen_values = true
    )]
    costs: Option<Costs>,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,

    /// Prints errors and the result only.
    #[arg(long, short)]
    quiet: bool,
}

/// What is trained.
struct Chosen {
    /// The ladder with the settings of `--set`.
    ladder: Ladder,
    spec: BudgetSpec,
    /// Names of the parameters in `--set`.
    given: Vec<String>,
    /// The stored trial whose configuration is taken; `None` for the middle of the space.
    taken: Option<Taken>,
}

impl Train {
    pub(super) fn run(self) -> Result<(), CliError> {
        let chosen = self.choose()?;
        if let ObjectiveSpec::Command(command) = &chosen.ladder.objective {
            return self.start(&chosen, command);
        }
        let Chosen { ladder, spec, given, taken } = chosen;
        let prepared = Prepared::new(&ladder, self.file.stored_precision(&ladder))?;
        self.calibrate.map_or(Ok(()), |calibrate| calibrate.check(&prepared))?;
        self.costs.map_or(Ok(()), |_| costs::check(prepared.model().task))?;
        let objective = prepared.objective()?;
        let mut params = match &taken {
            Some(taken) => taken.trial.params.clone(),
            None => middle(&prepared.feasible(&spec)?),
        };
        set_parameters(&mut params, &spec, &given)?;
        let path = self.checkpoint.clone().unwrap_or_else(|| {
            runs_folder(&self.file.ladder).join(&spec.budget.label).join("train.safetensors")
        });
        let of_trial = taken.as_ref().and_then(Taken::seed);
        let seed = self.seed.or(of_trial).unwrap_or_else(|| stream_seed(ladder.seed, "train", 0));
        let number = TrialNumber(0);
        let trial = TrialSpec {
            study: StudyIdentity::default(),
            budget: spec.budget.clone(),
            number,
            first_attempt: number,
            params,
            seed,
        };
        let has_folds = prepared.fold_spec().is_some();
        let style = Style::choose(self.quiet);
        let size = objective.model_size(&trial.params);
        if style != Style::Quiet {
            let size = size.map_or_else(String::new, |size| format!(" ({size} weights)"));
            let origin = origin((&trial, has_folds), taken.as_ref());
            crate::output::say(&format!("{origin}: {}{size}", trial.params));
        }
        if let Some(taken) = taken.as_ref().filter(|taken| taken.seed().is_some()) {
            for change in objective_changes(taken.objective.as_ref(), &prepared.objective_facts()) {
                crate::output::say(&format!("note: the trial was trained otherwise: {change}"));
            }
        }
        let interrupt = Interrupt::listen()
            .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
        let own = settings_of(prepared.model(), &trial.params).unwrap_or_else(|_| prepared.model().clone());
        let steps = prepared.steps(&own, size.map_or(0, |size| size.total));
        let curve = Curve::new(style, interrupt.clone(), &own, steps);
        let fitted = objective.fit_with_checkpoint(&trial, &curve, &path, self.restart);
        curve.finish();
        match fitted {
            Ok(fitted) => {
                if fitted.had_finished && style != Style::Quiet {
                    crate::output::say(
                        "the checkpoint holds this training, finished; nothing was trained (--restart trains \
                         it again)",
                    );
                }
                let judged = match self.calibrate {
                    None => None,
                    Some(calibrate) => {
                        calibrate.apply((&prepared, &objective), &fitted, &path, self.costs)?
                    }
                };
                let result = (&fitted, judged.as_ref());
                output::print(&self.result((&trial, has_folds), taken.as_ref(), result, &path))
            }
            Err(TrainError::Objective(error)) => Err(not_trained(&error, &interrupt)),
            Err(TrainError::Checkpoint(error)) => Err(error.into()),
        }
    }

    /// Returns what the command line asks to train.
    fn choose(&self) -> Result<Chosen, CliError> {
        let is_parameter = |key: &str| PARAMETER_NAMES.contains(&key);
        let (parameters, mut settings): (Vec<_>, Vec<_>) =
            self.file.set.iter().cloned().partition(|(key, _)| is_parameter(key));
        let without_parameters = self.file.read_with(&settings)?;
        let (label, taken) = self.taken(&without_parameters)?;
        let spec = without_parameters.budgets.iter().find(|b| b.budget.label == label);
        // A setting that the ladder fixes is no parameter; its key lacks the table.
        let is_fixed = |name: &str| {
            let is_searched = spec.is_some_and(|spec| spec.space.get(name).is_some());
            SETTING_NAMES.contains(&name) && !is_searched
        };
        let (fixed, parameters): (Vec<_>, Vec<_>) =
            parameters.into_iter().partition(|(name, _)| is_fixed(name));
        settings.extend(fixed);
        let given = parameters.iter().map(|(name, _)| name.clone()).collect();
        // The file has no section for a part of the training rows.
        let part = spec.and_then(|spec| spec.budget.train.as_ref());
        let section = part.map_or(&label, |part| &part.of);
        let quoted = section.replace('\\', "\\\\").replace('"', "\\\"");
        settings.extend(
            parameters.into_iter().map(|(name, value)| (format!("budget.\"{quoted}\".space.{name}"), value)),
        );
        let ladder = self.file.read_with(&settings)?;
        let spec = ladder.budgets.iter().find(|b| b.budget.label == label).cloned();
        let spec = spec.expect("settings of parameters change no label");
        Ok(Chosen { ladder, spec, given, taken })
    }

    /// Returns the label of the budget and the stored trial whose configuration is taken.
    fn taken(&self, ladder: &Ladder) -> Result<(String, Option<Taken>), CliError> {
        let (file, storage) = (&self.file.ladder, self.file.storage.as_ref());
        if self.recommended {
            let label = self.budget.as_ref().map(|_| self.label(ladder)).transpose()?;
            let trials = Trials::open(ladder, file, storage)?;
            let (label, taken) = trials.recommended(label.as_deref(), self.seed)?;
            known_budget(ladder, &label)?;
            return Ok((label, Some(taken)));
        }
        let label = self.label(ladder)?;
        let taken = match self.trial {
            Some(number) => {
                let trials = Trials::open(ladder, file, storage)?;
                Some(trials.named(&label, TrialNumber(number), self.seed)?)
            }
            None => match Trials::open_if_there(ladder, file, storage)? {
                Some(trials) => trials.best(&label)?,
                None => None,
            },
        };
        Ok((label, taken))
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

    /// Returns the result as text. With folds the training is none of the trial's.
    fn result(
        &self,
        (trial, has_folds): (&TrialSpec, bool),
        taken: Option<&Taken>,
        (fitted, judged): (&Fitted, Option<&Judged>),
        path: &Path,
    ) -> String {
        let outcome = &fitted.outcome;
        let is_complete = |taken: &Taken| taken.trial.state == TrialState::Complete;
        let repeats = taken.filter(|taken| is_complete(taken) && !has_folds && is_repeated(trial, taken));
        let is_equal = repeats.map(|taken| Equality::of(taken, fitted));
        if self.json {
            let is_equal = is_equal.map(|equality| equality == Equality::Equal);
            let mut document = document(trial, taken, is_equal, outcome);
            document["checkpoint"] = json!(path);
            document["calibration"] = json!(judged.map(Judged::json));
            return format!("{document:#}\n");
        }
        let epoch = outcome.best_step.unwrap_or(0);
        let other = repeats.filter(|_| is_equal == Some(Equality::OtherValue));
        let own = outcome.value();
        let [own, stored] = match other.and_then(|taken| taken.trial.value()) {
            Some(stored) => apart(own, stored),
            None => [significant(own), "no value".to_owned()],
        };
        let mut text = format!("value {own} at epoch {epoch}; checkpoint {}\n", path.display());
        if let Some((taken, equality)) = repeats.zip(is_equal) {
            let number = taken.trial.number;
            let _ = match equality {
                Equality::Equal => writeln!(text, "equal to trial {number} in the store, bit for bit"),
                Equality::OtherPredictions => writeln!(
                    text,
                    "trial {number} has this value in the store, but other predictions: its data, program or \
                     processor differed"
                ),
                Equality::OtherValue => writeln!(
                    text,
                    "trial {number} has {stored} in the store: its settings, data, program or processor \
                     differed"
                ),
            };
        }
        for (name, value) in &outcome.metrics {
            let _ = writeln!(text, "  {name:<20} {}", significant(*value));
        }
        text + &judged.map_or_else(String::new, Judged::text)
    }
}

/// Returns the middle of a space.
fn middle(feasible: &Feasible) -> Params {
    feasible.params(&feasible.at(&vec![0.5; feasible.dimension()]))
}

/// Returns the error of a training without a value.
fn not_trained(error: &ObjectiveError, interrupt: &Interrupt) -> CliError {
    match error {
        ObjectiveError::Interrupted => CliError::Interrupted { code: interrupt.exit_code() },
        ObjectiveError::Failed(Failure { reason, detail }) if !detail.is_empty() => {
            CliError::TrialsFailed { message: format!("{reason}\n  {detail}") }
        }
        ObjectiveError::Failed(failure) => CliError::TrialsFailed { message: failure.reason.clone() },
        error => CliError::TrialsFailed { message: error.to_string() },
    }
}

/// Returns the result as a JSON document, without the place of the model. `is_equal` is whether the stored
/// trial that was repeated is equal.
fn document(
    trial: &TrialSpec,
    taken: Option<&Taken>,
    is_equal: Option<bool>,
    outcome: &ObjectiveOutcome,
) -> Value {
    let stored = taken.map(|taken| {
        json!({
            "why": taken.why.as_str(),
            "trial": taken.trial.number,
            "value": taken.trial.value(),
            "equal": is_equal,
        })
    });
    json!({
        "schema": "allometry.train/1",
        "budget": trial.budget.label,
        "params": trial.params,
        "seed": trial.seed,
        "stored": stored,
        "value": outcome.value(),
        "epoch": outcome.best_step,
        "metrics": outcome.metrics,
        "weights": outcome.size.map(|size| size.total),
    })
}

/// How a repeated trial compares with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Equality {
    /// The value and the predictions are equal, bit for bit.
    Equal,
    /// The value is equal, but not the predictions.
    OtherPredictions,
    /// The value differs.
    OtherValue,
}

impl Equality {
    fn of(taken: &Taken, fitted: &Fitted) -> Self {
        let outcome = &fitted.outcome;
        let (stored, value) = (taken.trial.value(), outcome.value());
        if stored.map(f64::to_bits) != Some(value.to_bits()) {
            return Self::OtherValue;
        }
        // A store need not hold predictions.
        let is_equal = |stored: &Predictions| outcome.predictions.as_ref() == Some(stored);
        if taken.predictions.as_ref().is_none_or(is_equal) { Self::Equal } else { Self::OtherPredictions }
    }
}

/// Whether a training repeats a trial: its configuration with its seed.
fn is_repeated(trial: &TrialSpec, taken: &Taken) -> bool {
    taken.seed() == Some(trial.seed) && taken.trial.params == trial.params
}

/// Returns the words on the budget, the trial whose configuration is taken, its result in the store, and the
/// seed.
fn origin((trial, has_folds): (&TrialSpec, bool), taken: Option<&Taken>) -> String {
    let (label, seed) = (&trial.budget.label, trial.seed);
    let Some(taken) = taken else { return format!("{label}, from the middle of its space, seed {seed}") };
    let words = taken.words(!has_folds && is_repeated(trial, taken));
    let of_trial = if taken.seed() == Some(seed) { "its seed" } else { "seed" };
    let rows = if has_folds { ", on all rows before the test part" } else { "" };
    format!("{label}, {words} ({} in the store){rows}, {of_trial} {seed}", outcome(&taken.trial))
}

/// Sets the parameters that the command line gives.
///
/// # Errors
/// [`CliError::Usage`] for a parameter with several values.
fn set_parameters(params: &mut Params, spec: &BudgetSpec, given: &[String]) -> Result<(), CliError> {
    for (name, set) in spec.space.iter().filter(|(name, _)| given.iter().any(|g| g == name)) {
        let levels = set.levels().unwrap_or_else(Levels::none);
        let Some(value) = levels.get(0).filter(|_| levels.len() == 1) else {
            return Err(CliError::Usage {
                message: format!("`{name}` has {} values, but one configuration is trained", levels.len()),
                hint: Some(format!("give one value: --set {name}=VALUE")),
            });
        };
        params.insert(name, value);
    }
    Ok(())
}
