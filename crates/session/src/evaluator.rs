//! What evaluates a ladder's trials: the built-in model on its data, or the user's command.

use std::path::Path;

use allometry_core::{Objective, Params, Precision, secret};
use allometry_ladder::{BudgetSpec, CommandSpec, Invocation, Ladder, ObjectiveSpec, ScoredPart};
use allometry_runner::{CommandObjective, Devices, LadderFacts};
use allometry_search::{Feasible, Measured};
use allometry_store::facts::{CommandFacts, ObjectiveFacts, Program};

use crate::SessionError;
use crate::files::runs_folder;
use crate::prepare::Prepared;

/// What evaluates a ladder's trials.
pub enum Evaluator<'a> {
    /// The built-in model on its data.
    Model(Box<Prepared<'a>>),
    /// A program.
    Command(&'a Ladder, &'a CommandSpec),
}

impl<'a> Evaluator<'a> {
    /// Loads the data of a ladder that trains the built-in model. `stored` is the
    /// [precision](crate::stored_precision) that the ladder's studies began with.
    ///
    /// # Errors
    /// Those of [`Prepared::new`].
    pub fn new(ladder: &'a Ladder, stored: Option<Precision>) -> Result<Self, SessionError> {
        match &ladder.objective {
            ObjectiveSpec::Model { .. } => Ok(Self::Model(Box::new(Prepared::new(ladder, stored)?))),
            ObjectiveSpec::Command(command) => Ok(Self::Command(ladder, command)),
        }
    }

    /// Returns the objective that evaluates trials on a part of the rows. The trials' files are kept beside
    /// the ladder file.
    ///
    /// # Errors
    /// [`SessionError::Model`] where the model does not fit its data; [`SessionError::NoProgram`] where the
    /// program is missing; [`SessionError::Usage`] for devices with the built-in model, and for the test
    /// part where the program cannot score it; [`SessionError::Data`] where the part has one class.
    pub fn objective(
        &self,
        file: &Path,
        devices: &[String],
        part: ScoredPart,
    ) -> Result<Box<dyn Objective + '_>, SessionError> {
        match self {
            Self::Model(_) if !devices.is_empty() => Err(SessionError::Usage {
                message: "--devices is for commands: the built-in model has no use for it".into(),
                hint: Some("--device says what the built-in model is trained on".into()),
            }),
            Self::Model(prepared) => {
                let runs = runs_folder(file);
                if part == ScoredPart::Validation
                    && let Some(folds) = prepared.folds_objective()?
                {
                    return Ok(Box::new(folds.with_checkpoints(&runs)));
                }
                let objective = prepared.objective()?.with_checkpoints(runs);
                if part == ScoredPart::Validation {
                    return Ok(Box::new(objective));
                }
                self.check_test_part()?;
                Ok(Box::new(objective.confirming()))
            }
            Self::Command(ladder, command) => {
                if part == ScoredPart::Test {
                    self.check_test_part()?;
                }
                let devices = Devices::new(devices.to_vec());
                let runs = runs_folder(file);
                let mut command = (*command).clone();
                if part == ScoredPart::Test {
                    command.environment.set.push(("ALLOMETRY_PART".into(), part.as_str().into()));
                }
                Ok(Box::new(CommandObjective::new(command, &ladder.name, runs, devices)?))
            }
        }
    }

    /// Checks that the test rows can judge a trial.
    ///
    /// # Errors
    /// [`SessionError::Data`] where all have one class; [`SessionError::Usage`] where the program cannot
    /// score them.
    pub fn check_test_part(&self) -> Result<(), SessionError> {
        match self {
            Self::Model(prepared) => prepared.check_test_part(),
            Self::Command(_, command) if command.test_part => Ok(()),
            Self::Command(..) => Err(SessionError::Usage {
                message: "the ladder's command is not said to score test rows".into(),
                hint: Some(
                    "have it score them where ALLOMETRY_PART is `test`, and set `test_part = true` in \
                     [command]"
                        .into(),
                ),
            }),
        }
    }

    /// Returns the configurations that a budget admits.
    ///
    /// # Errors
    /// As [`Prepared::feasible`].
    pub fn feasible(&self, spec: &BudgetSpec) -> Result<Feasible, SessionError> {
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

    /// Returns what studies say of themselves whose trials are judged by a part of the rows.
    pub fn facts(&self, part: ScoredPart) -> LadderFacts {
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
                    metric: ladder.metrics.first().name.clone(),
                    weights: command.weights.as_ref().map(ToString::to_string),
                    horizon: command.horizon,
                    part: None,
                }))
            }
        };
        facts.objective.judged_by(part);
        facts
    }

    /// Returns how many trials are evaluated at the same time unless told otherwise: one per core for the
    /// built-in model, which uses one thread each; one per device for a program, which may use all cores.
    pub fn workers(&self, devices: &[String]) -> usize {
        match self {
            Self::Model(_) => crate::cores(),
            Self::Command(..) => devices.len().max(1),
        }
    }
}
