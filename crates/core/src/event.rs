//! The one stream of events that feeds screen and recorder, so that they cannot disagree.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::param::Params;
use crate::sampler::Handover;
use crate::trial::{EarlyStop, TrialNumber, TrialState};

/// Something that happened while studies ran. `budget` is the label of the study's size budget.
#[derive(Debug, Clone)]
pub enum StudyEvent {
    /// A study begins or goes on.
    StudyStarted {
        /// Size budget.
        budget: String,
        /// Trials wanted that end with a value.
        trials: u64,
        /// Those already there.
        done: u64,
    },
    /// Trials of an ended process were found; their configurations are tried again.
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
    /// A trial was ended by another process, which took this one for dead: what came of it here counts for nothing.
    TrialLost {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
    },
    /// Trials lie outside of the study's space and count no more.
    TrialsOutside {
        /// Size budget.
        budget: String,
        /// How many.
        count: u64,
    },
    /// A study's sampler gave way to another.
    SamplerChanged {
        /// Size budget.
        budget: String,
        /// Which to which, and why.
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
        /// Epochs that it will take at most, where known.
        epochs: Option<u64>,
    },
    /// A trial ended an epoch.
    EpochFinished {
        /// Size budget.
        budget: String,
        /// Trial.
        number: TrialNumber,
        /// Worker, from 0.
        worker: usize,
        /// Epoch, from 1.
        step: i64,
        /// Objective value after it.
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
        /// How.
        state: TrialState,
        /// Its value, where it has one.
        value: Option<f64>,
        /// Why it was stopped early, where it was.
        early_stop: Option<EarlyStop>,
        /// Why it failed, in one line.
        reason: Option<String>,
        /// Best value of the study so far.
        incumbent: Option<f64>,
        /// Wall-clock seconds.
        seconds: f64,
    },
    /// A study has all its trials, or none are left to try.
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
    /// As many trials ended with a value as were asked for.
    TrialsReached,
    /// Every distinct configuration was tried.
    SpaceExhausted,
    /// The sampler's model expects too little of another trial.
    ExpectedGain {
        /// What it expects a further trial to add to the best value.
        gain: f64,
        /// The least that is worth a trial.
        least: f64,
    },
    /// Too many trials failed.
    FailureLimit,
    /// The time limit passed.
    TimeLimit,
    /// The user stopped it.
    Interrupted,
}

/// As people say it.
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrialsReached => f.write_str("it has its trials"),
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
