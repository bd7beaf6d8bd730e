//! Why a run cannot start or go on.

use allometry_store::StoreError;
use allometry_store::optuna::WholeStudy;

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed while trials ran. What the run knows goes with the error.
    #[error("{cause}")]
    Lost {
        /// Why.
        cause: StoreError,
        /// Every study with every trial that the run has read or evaluated.
        known: Vec<WholeStudy>,
    },
    /// The machine lacks what every trial needs. Nothing is recorded against one.
    #[error("the run was interrupted by a fault of the machine: {cause}")]
    Machine {
        /// What was lacking, and for what.
        cause: String,
    },
    /// The ladder file's search space is not the one that the stored trials come from.
    #[error("the search space of study `{study}` has changed:\n{}", .changes.iter().map(|c| format!("  {c}")).collect::<Vec<_>>().join("\n"))]
    SpaceChanged {
        /// Name of the study.
        study: String,
        /// Each difference, in words.
        changes: Vec<String>,
    },
    /// A parameter is of another kind than in the stored trials, or has another list of values.
    #[error("study `{study}` cannot go on with `{parameter}` changed from {old} to {new}")]
    KindChanged {
        /// Name of the study.
        study: String,
        /// The parameter.
        parameter: String,
        /// Its set in the stored trials.
        old: String,
        /// Its set in the ladder file.
        new: String,
    },
    /// What is trained is not what the stored trials trained.
    #[error("what study `{study}` trains has changed:\n{}", .changes.iter().map(|c| format!("  {c}")).collect::<Vec<_>>().join("\n"))]
    ObjectiveChanged {
        /// Name of the study.
        study: String,
        /// Each difference, in words.
        changes: Vec<String>,
    },
}

impl RunError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) | Self::Lost { cause: error, .. } => error.hint(),
            Self::Machine { .. } => Some(
                "free space, or raise the limits (`ulimit -n`, `ulimit -u`), and run the same command again: what was told is kept"
                    .into(),
            ),
            Self::SpaceChanged { .. } => Some(
                "undo the change, give the ladder another `name` or `[storage] url`, or let --allow-space-change go on with \
                 the trials that fit"
                    .into(),
            ),
            Self::KindChanged { .. } => Some(
                "within a study Optuna's schema fixes a parameter's kind and its list of values: give the ladder another \
                 `name` and bring the best configurations over with `allometry enqueue --from`"
                    .into(),
            ),
            Self::ObjectiveChanged { .. } => Some(
                "trials of different questions do not compare: undo the change, or give the ladder another `name` or \
                 `[storage] url`"
                    .into(),
            ),
        }
    }
}
