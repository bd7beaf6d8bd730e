//! The events of running studies, which both the screen and the recorder read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::handover::Handover;
use crate::param::Params;
use crate::trial::{EarlyStop, TrialNumber, TrialState};

/// Something that happened while studies ran. `budget` is the label of the study's size budget.
#[derive(Debug, Clone)]
pub enum StudyEvent {
    /// A study starts or resumes.
    StudyStarted {
        /// Size budget.
        budget: String,
        /// Number of trials with a value to reach.
        trials: u64,
        /// Number of trials with a value at the start.
        done: u64,
    },
    /// Running trials of an ended process were found; their configurations are evaluated again.
    TrialsRecovered {
        /// Size budget.
        budget: String,
        /// The interrupted trials.
        numbers: Vec<TrialNumber>,
    },
    /// Other processes work on the study too.
    StudyShared {
        /// Size budget.
        budget: String,
    },
    /// Another process failed a trial because it took this process for dead; the result of this process is
    /// discarded.
    TrialLost {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
    },
    /// Stored trials lie outside of the study's search space and are not counted.
    TrialsOutside {
        /// Size budget.
        budget: String,
        /// Number of those trials.
        count: u64,
    },
    /// A study's sampler was replaced by another.
    SamplerChanged {
        /// Size budget.
        budget: String,
        /// The two samplers and the reason.
        handover: Handover,
    },
    /// A worker starts a trial.
    TrialStarted {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
        /// Configuration.
        params: Params,
        /// Largest number of steps, where known.
        steps: Option<u64>,
        /// Word for a step, such as `epoch` or `fold`.
        unit: &'static str,
    },
    /// A trial finished an epoch.
    EpochFinished {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
        /// Epoch, from 1.
        step: i64,
        /// Objective value after the epoch.
        value: f64,
    },
    /// A trial ended.
    TrialFinished {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
        /// State in which it ended.
        state: TrialState,
        /// The trial's value, where it has one.
        value: Option<f64>,
        /// Why the trial was stopped early, where it was.
        early_stop: Option<EarlyStop>,
        /// Why the trial failed, in one line.
        reason: Option<String>,
        /// Best value of the study so far.
        incumbent: Option<f64>,
        /// Wall-clock seconds.
        seconds: f64,
    },
    /// A study ended.
    StudyFinished {
        /// Size budget.
        budget: String,
        /// Why it ended.
        reason: StopReason,
    },
}

/// Why a study ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum StopReason {
    /// The requested number of trials ended with a value.
    TrialsReached,
    /// Every distinct configuration was tried.
    SpaceExhausted,
    /// The sampler's model expects too small a gain from another trial.
    ExpectedGain {
        /// Expected improvement of the best value by another trial.
        gain: f64,
        /// Smallest gain that is worth another trial.
        least: f64,
    },
    /// Too many trials failed.
    FailureLimit,
    /// The time limit passed.
    TimeLimit,
    /// The user stopped it.
    Interrupted,
}

/// A phrase for the screen, to follow the name of the study.
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrialsReached => f.write_str("ended: all trials are done"),
            Self::SpaceExhausted => f.write_str("every configuration of the space was tried"),
            Self::ExpectedGain { gain, least } => {
                write!(f, "stopped: another trial is expected to gain {gain:.2e}, less than {least:.2e}")
            }
            Self::FailureLimit => f.write_str("stopped: too many trials failed"),
            Self::TimeLimit => f.write_str("stopped: the time is up"),
            Self::Interrupted => f.write_str("interrupted: the same command goes on from here"),
        }
    }
}
