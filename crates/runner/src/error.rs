//! Errors of runs.

use allometry_store::StoreError;
use allometry_store::optuna::StudyWithTrials;

/// Why a run cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed while trials ran. The error contains the data of the run.
    #[error("{cause}")]
    Lost {
        /// Error of the store.
        cause: StoreError,
        /// All studies with all trials that the run has read or evaluated.
        known: Vec<StudyWithTrials>,
    },
    /// The machine lacks a resource that every trial needs. No trial is recorded as failed for it.
    #[error("the run was interrupted by a fault of the machine: {cause}")]
    Machine {
        /// Resource that is lacking, and its use.
        cause: String,
    },
    /// The search space of the ladder file differs from that of the stored trials.
    #[error("the search space of study `{study}` has changed:\n{}", indented(.changes))]
    SpaceChanged {
        /// Name of the study.
        study: String,
        /// Description of each difference.
        changes: Vec<String>,
    },
    /// A parameter has another kind than in the stored trials, or another list of values.
    #[error("study `{study}` cannot continue with `{parameter}` changed from {old} to {new}")]
    KindChanged {
        /// Name of the study.
        study: String,
        /// Name of the parameter.
        parameter: String,
        /// Distribution in the stored trials.
        old: String,
        /// Distribution in the ladder file.
        new: String,
    },
    /// The objective differs from that of the stored trials.
    #[error("the objective of study `{study}` has changed:\n{}", indented(.changes))]
    ObjectiveChanged {
        /// Name of the study.
        study: String,
        /// Description of each difference.
        changes: Vec<String>,
    },
}

/// One line for each change.
fn indented(changes: &[String]) -> String {
    changes.iter().map(|change| format!("  {change}")).collect::<Vec<_>>().join("\n")
}

impl RunError {
    /// Advice for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) | Self::Lost { cause: error, .. } => error.hint(),
            Self::Machine { .. } => Some(
                "free space, or raise the limits (`ulimit -n`, `ulimit -u`), and run the same command again: \
                 recorded results are kept"
                    .into(),
            ),
            Self::SpaceChanged { .. } => Some(
                "undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
                 trials that fit by --allow-space-change"
                    .into(),
            ),
            Self::KindChanged { .. } => Some(
                "Optuna's schema fixes the kind and the list of values of a parameter within a study: give \
                 the ladder another `name` and copy the best configurations with `allometry enqueue --from`"
                    .into(),
            ),
            Self::ObjectiveChanged { .. } => Some(
                "trials with different objectives cannot be compared: undo the change, or give the ladder \
                 another `name` or `[storage] url`"
                    .into(),
            ),
        }
    }
}
