//! `allometry check --try`: one trial as `run` evaluates it, which no storage keeps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use allometry_core::{
    FrozenTrial, ModelSize, Objective, ObjectiveError, ObjectiveOutcome, Origin, Params, Predictions,
    Reporter, TrialRecord, TrialSpec, TrialState,
};
use allometry_ladder::{Ladder, ScoredPart};
use allometry_report::number::counted;
use allometry_runner::{ChangedSpace, Interrupt, RunOptions};
use allometry_session::Evaluator;
use allometry_store::{NewTrial, SqliteStore, Start, Store};
use serde::Serialize;
use serde_json::Value;

use crate::command::ladder_file::known_budget;
use crate::command::show;
use crate::command::trial_json::trial_json;
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// A trial that ran for a check.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    pub(super) budget: String,
    pub(super) study: String,
    pub(super) seconds: Option<f64>,
    /// Number of rows with predictions.
    pub(super) predictions: Option<usize>,
    /// The end of the output of a program.
    pub(super) log: Option<String>,
    #[serde(serialize_with = "as_json")]
    pub(super) trial: FrozenTrial,
    /// Name of the steps of the trial.
    #[serde(skip)]
    step: &'static str,
    #[serde(skip)]
    interrupted: Option<u8>,
}

fn as_json<S: serde::Serializer>(trial: &FrozenTrial, to: S) -> Result<S::Ok, S::Error> {
    let document: Value = trial_json(trial);
    document.serialize(to)
}

impl Tried {
    /// Evaluates the middle of the space of a budget, of the first one without a label. The files of the
    /// trial are in a temporary folder.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an unknown budget; otherwise the errors of `allometry run`.
    pub(super) fn new(
        ladder: &Ladder,
        evaluator: &Evaluator<'_>,
        label: Option<&str>,
    ) -> Result<Self, CliError> {
        let label = label.or(ladder.budgets.first().map(|spec| spec.budget.label.as_str())).unwrap_or("");
        let one = with_one_trial(ladder, label)?;
        let folder = tempfile::tempdir()
            .map_err(|source| CliError::System { what: "cannot create a temporary folder", source })?;
        let file = folder.path().join("ladder.toml");
        let objective = evaluator.objective(&file, &[], ScoredPart::Validation)?;
        let store = SqliteStore::in_memory()?;
        let store: &dyn Store = &store;
        let studies = allometry_session::open(store, &one, evaluator, None, ChangedSpace::Refuse)?;
        let study = studies.first().expect("the ladder has a budget with a trial");
        let (id, name) = (study.id, study.identity.name.clone());
        let feasible = &study.feasible;
        let params = feasible.params(&feasible.at(&vec![0.5; feasible.dimension()]));
        let record = TrialRecord {
            origin: Some(Origin::Enqueued),
            size: objective.model_size(&params),
            ..TrialRecord::default()
        };
        let new =
            NewTrial { start: Start::Waiting, params: &params, space: &study.spec.space, record: &record };
        store.create_trial(id, &new)?;
        let interrupt = Interrupt::listen()
            .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
        let once =
            Once { objective: &*objective, interrupt: &interrupt, was_interrupted: AtomicBool::new(false) };
        let options = RunOptions {
            workers: 1,
            deadline: None,
            seed: ladder.seed,
            steps: ladder.steps(),
            unit: ladder.step_unit(),
            length: ladder.length_parameter(),
            lease: RunOptions::LEASE,
            retries: 0,
        };
        let (events, _) = channel();
        allometry_runner::run(studies, store, &once, &options, &interrupt, &events)?;
        let mut trials = store.trials(id)?;
        let trial = trials.swap_remove(0);
        let seconds = trial.started.zip(trial.completed);
        Ok(Self {
            budget: label.to_owned(),
            study: name,
            step: ladder.step_unit(),
            seconds: seconds.map(|(from, to)| to.duration_since(from).as_secs_f64()),
            predictions: store.predictions(id, trial.number)?.as_ref().map(rows),
            log: store.log(id, trial.number)?,
            trial,
            interrupted: once.was_interrupted.into_inner().then(|| interrupt.exit_code()),
        })
    }

    /// Returns the trial as text, like `allometry show`.
    pub(super) fn text(&self) -> String {
        let took = self.seconds.map_or_else(String::new, |seconds| format!(" in {seconds:.1} s"));
        let predictions = match self.predictions {
            Some(rows) => format!("with predictions of {}", counted(rows as u64, "row")),
            None => "without predictions".to_owned(),
        };
        format!(
            "a trial in the middle of the space of {}{took}, {predictions}; `run` would store:\n{}",
            self.budget,
            show::text((&self.study, self.step), &self.trial, &[], self.log.as_deref())
        )
    }

    /// Checks that the trial has a value.
    ///
    /// # Errors
    /// [`CliError::Tried`] with the reason.
    pub(super) fn conclude(&self) -> Result<(), CliError> {
        if let Some(code) = self.interrupted {
            let message = "interrupted before the trial had a value".to_owned();
            return Err(CliError::Tried { message, code: ExitCode::Interrupted(code) });
        }
        if self.trial.state != TrialState::Failed {
            return Ok(());
        }
        let failure = self.trial.record.failure.as_ref();
        let why = failure.map_or_else(String::new, |failure| format!(": {}", failure.reason));
        Err(CliError::Tried { message: format!("the trial failed{why}"), code: ExitCode::TrialsFailed })
    }
}

/// Returns the ladder with one trial for a budget and none for the others.
fn with_one_trial(ladder: &Ladder, label: &str) -> Result<Ladder, CliError> {
    known_budget(ladder, label)?;
    let mut one = ladder.clone();
    for spec in &mut one.budgets {
        spec.trials = u64::from(spec.budget.label == label);
    }
    Ok(one)
}

/// Returns the number of rows with predictions.
fn rows(predictions: &Predictions) -> usize {
    match predictions {
        Predictions::Binary(scores) => scores.rows.len(),
        Predictions::Other(outputs) => outputs.rows.len(),
    }
}

/// An objective that evaluates one trial and then ends the run, so that a failed trial is not followed by
/// others.
struct Once<'a> {
    objective: &'a dyn Objective,
    interrupt: &'a Interrupt,
    was_interrupted: AtomicBool,
}

impl Objective for Once<'_> {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let outcome = self.objective.evaluate(trial, reporter);
        if matches!(outcome, Err(ObjectiveError::Interrupted)) {
            self.was_interrupted.store(true, Ordering::SeqCst);
        } else {
            self.interrupt.ask();
        }
        outcome
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        self.objective.model_size(params)
    }

    fn log(&self, trial: &TrialSpec) -> Option<String> {
        self.objective.log(trial)
    }
}
