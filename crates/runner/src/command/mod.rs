//! Evaluation of trials by a program of the user.
//!
//! The program is started once per attempt. It gets its trial by environment variables and arguments, and
//! appends JSON lines to a file: steps, metrics, validation scores, and finally its value
//! (`allometry.trial/1`, docs/reference/protocol.md).

mod attempt;
mod descendants;
mod devices;
mod files;
mod folder;
mod folder_owner;
mod invocation;
mod lock;
mod machine;
mod process;
mod program;
mod protocol;
mod run;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use allometry_core::{
    Expression, Failure, ModelSize, Objective, ObjectiveError, ObjectiveOutcome, Params, Reporter, TrialSpec,
};
use allometry_ladder::CommandSpec;

pub use devices::Devices;
pub use program::NoProgram;

use attempt::Attempt;
use run::Ending;

/// Exit code by which a program asks for another attempt (`EX_TEMPFAIL` of sysexits).
const TRY_AGAIN: i32 = 75;

/// First pause before another attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The quantities of a weights expression, in its order, with their defaults where the search space lacks
/// them.
const QUANTITIES: [(&str, f64); 4] =
    [("d_model", f64::NAN), ("n_layers", f64::NAN), ("n_heads", f64::NAN), ("d_ff_ratio", 4.0)];

/// An objective that a program evaluates.
#[derive(Debug)]
pub struct CommandObjective {
    spec: CommandSpec,
    ladder: String,
    /// Absolute path of the folder of the trials' folders.
    runs: PathBuf,
    devices: Devices,
}

impl CommandObjective {
    /// The objective of a ladder's program. The files of trials are in `runs/<budget>/<study>/<number>/`.
    ///
    /// # Errors
    /// [`NoProgram`] where the program does not exist, so that a typing error fails no trial.
    pub fn new(spec: CommandSpec, ladder: &str, runs: PathBuf, devices: Devices) -> Result<Self, NoProgram> {
        program::find(&spec)?;
        let runs = std::path::absolute(&runs).unwrap_or(runs);
        Ok(Self { spec, ladder: ladder.to_owned(), runs, devices })
    }

    /// The folder of a trial's files, such as its log and its checkpoints.
    pub fn folder(&self, trial: &TrialSpec) -> PathBuf {
        files::Files::of(&self.runs, trial).folder
    }

    /// The size of a configuration by a command's weights expression.
    pub fn size_of(weights: &Expression, params: &Params) -> Option<ModelSize> {
        let value = |(name, default): (&str, f64)| {
            params.get(name).map_or(default, |value| value.as_f64().unwrap_or(f64::NAN))
        };
        let weights = weights.value(&QUANTITIES.map(value)).round();
        let known = weights.is_finite() && weights >= 0.0;
        known.then_some(ModelSize { total: weights as u64, non_embedding: weights as u64 })
    }
}

impl Objective for CommandObjective {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let device = self.devices.take();
        let mut pause = FIRST_PAUSE;
        for left in (0..=self.spec.retries).rev() {
            let attempt = Attempt {
                spec: &self.spec,
                ladder: &self.ladder,
                runs: &self.runs,
                size: self.model_size(&trial.params),
                device: device.name(),
                trial,
                reporter,
            };
            match attempt.run()? {
                Ending::Outcome(outcome) => return Ok(*outcome),
                Ending::Pruned(reported) => return Err(ObjectiveError::Pruned(reported)),
                Ending::Interrupted => return Err(ObjectiveError::Interrupted),
                Ending::TryAgain(tail) if left == 0 => {
                    let tries = self.spec.retries + 1;
                    let reason = format!("asked to be tried again {tries} times (exit code {TRY_AGAIN})");
                    return Err(ObjectiveError::Failed(Failure { reason, detail: tail }));
                }
                Ending::TryAgain(_) => {
                    if process::sleep_unless(pause, || reporter.interrupted()) {
                        return Err(ObjectiveError::Interrupted);
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        unreachable!("the last attempt returns")
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        Self::size_of(self.spec.weights.as_ref()?, params)
    }

    fn log(&self, trial: &TrialSpec) -> Option<String> {
        files::Files::of(&self.runs, trial).tail()
    }
}
