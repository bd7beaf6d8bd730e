//! What evaluates a ladder's trials: the built-in model on its data, or the user's command.

use std::path::Path;

use allometry_core::ladder::{BudgetSpec, CommandSpec, Invocation, Ladder, ObjectiveSpec, Part};
use allometry_core::space::{Feasible, Measured};
use allometry_core::{Objective, Params, secret};
use allometry_runner::{CommandObjective, Devices, LadderFacts};
use allometry_store::facts::{CommandFacts, ObjectiveFacts, Program};

use super::prepare::Prepared;
use super::run::runs_folder;
use crate::error::CliError;

/// What evaluates a ladder's trials.
pub(super) enum Evaluator<'a> {
    Model(Box<Prepared<'a>>),
    Command(&'a Ladder, &'a CommandSpec),
}

impl<'a> Evaluator<'a> {
    /// Loads the data where there are some.
    ///
    /// # Errors
    /// [`CliError::Data`].
    pub(super) fn new(ladder: &'a Ladder) -> Result<Self, CliError> {
        match &ladder.objective {
            ObjectiveSpec::Model { .. } => Ok(Self::Model(Box::new(Prepared::new(ladder)?))),
            ObjectiveSpec::Command(command) => Ok(Self::Command(ladder, command)),
        }
    }

    /// What trials are evaluated by, on the rows of a part; their files are kept beside the ladder file.
    ///
    /// # Errors
    /// [`CliError::Model`] where the model does not fit its data, [`CliError::NoProgram`] where the command's program is not
    /// there, [`CliError::Usage`] for devices that the built-in model cannot use, and for the test part where the command does not
    /// know it; [`CliError::Data`] where no value is defined on it.
    pub(super) fn objective(
        &self,
        file: &Path,
        devices: &[String],
        part: Part,
    ) -> Result<Box<dyn Objective + '_>, CliError> {
        match self {
            Self::Model(_) if !devices.is_empty() => Err(CliError::Usage {
                message: "--devices is for commands: the built-in model has no use for it".into(),
                hint: Some("--device says what the built-in model is trained on".into()),
            }),
            Self::Model(prepared) => {
                let objective = prepared.objective()?.with_checkpoints(runs_folder(file));
                if part == Part::Validation {
                    return Ok(Box::new(objective));
                }
                self.check_test_part()?;
                Ok(Box::new(objective.confirming()))
            }
            Self::Command(ladder, command) => {
                if part == Part::Test {
                    self.check_test_part()?;
                }
                let devices = Devices::new(devices.to_vec());
                let runs = runs_folder(file);
                let mut command = (*command).clone();
                if part == Part::Test {
                    command.environment.set.push(("ALLOMETRY_PART".into(), part.as_str().into()));
                }
                Ok(Box::new(CommandObjective::new(command, &ladder.name, runs, devices)?))
            }
        }
    }

    /// Looks whether there are test rows that can judge a trial.
    ///
    /// # Errors
    /// [`CliError::Data`] where all of them have one class, [`CliError::Usage`] where the command is not said to know them.
    pub(super) fn check_test_part(&self) -> Result<(), CliError> {
        match self {
            Self::Model(prepared) => prepared.check_test_part(),
            Self::Command(_, command) if command.test_part => Ok(()),
            Self::Command(..) => Err(CliError::Usage {
                message: "the ladder's command is not said to score test rows".into(),
                hint: Some(
                    "have it score them where ALLOMETRY_PART is `test`, and say `test_part = true` in [command]".into(),
                ),
            }),
        }
    }

    /// The architectures that a budget admits.
    ///
    /// # Errors
    /// As [`Prepared::feasible`].
    pub(super) fn feasible(&self, spec: &BudgetSpec) -> Result<Feasible, CliError> {
        match self {
            Self::Model(prepared) => prepared.feasible(spec),
            Self::Command(_, command) => {
                let measure = |params: &Params| Measured {
                    size: command.weights.as_ref().and_then(|w| CommandObjective::size_of(w, params)),
                    flops: None,
                };
                let BudgetSpec { space, budget, constraints, conditions, .. } = spec;
                Ok(Feasible::conditional(space, budget, constraints, conditions, measure)?)
            }
        }
    }

    /// What is stored with studies whose trials are judged by the rows of a part.
    pub(super) fn facts(&self, part: Part) -> LadderFacts {
        let mut facts = match self {
            Self::Model(prepared) => prepared.facts(),
            Self::Command(ladder, command) => {
                let program = match &command.run {
                    Invocation::Program(words) => {
                        Program::Words(words.iter().map(|word| secret::hide_users(word)).collect())
                    }
                    Invocation::Shell(line) => Program::Line(secret::hide_users(line)),
                };
                LadderFacts::new(ObjectiveFacts::Command(CommandFacts {
                    command: program,
                    metric: ladder.metric.clone(),
                    weights: command.weights.as_ref().map(ToString::to_string),
                    horizon: command.horizon,
                    part: None,
                }))
            }
        };
        facts.objective.judged_by(part);
        facts
    }

    /// Trials that are evaluated at the same time unless told otherwise: one per core for the built-in model, which uses one
    /// thread each; for a command, which may use them all, one per device.
    pub(super) fn workers(&self, devices: &[String]) -> usize {
        match self {
            Self::Model(_) => super::run::default_workers(),
            Self::Command(..) => devices.len().max(1),
        }
    }
}
