//! Why a trial was interrupted, and how a store records it.

use allometry_core::{Failure, FrozenTrial, TrialState};

/// The recorded detail of [`Interruption::ProcessEnded`].
const PROCESS_ENDED: &str = "its process ended first";

/// The recorded detail of [`Interruption::StoreFailed`].
const STORE_FAILED: &str = "the store failed first";

/// The start of the recorded detail of [`Interruption::Machine`].
const MACHINE: &str = "a fault of the machine: ";

/// The recorded detail of a failure that a user called an interruption. Its trial is not evaluated again.
const TOLD: &str = "as told";

/// Returns the failure of a trial for which a user told `reason`.
pub(crate) fn told(reason: &str) -> Failure {
    let detail = if reason == Failure::INTERRUPTED { TOLD.into() } else { String::new() };
    Failure { reason: reason.into(), detail }
}

/// Why a trial ended without a result through no fault of its configuration, which is evaluated again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The run was stopped. Also read for a detail that is none of the others, of another version.
    Stopped,
    /// The trial's process ended, or its lease expired.
    ProcessEnded,
    /// The store failed while the trial was running.
    StoreFailed,
    /// A fault of the machine, which does not count as an attempt. Holds its cause.
    Machine(String),
}

impl Interruption {
    /// Returns the failure that a trial's record keeps.
    pub(crate) fn failure(&self) -> Failure {
        let detail = match self {
            Self::Stopped => String::new(),
            Self::ProcessEnded => PROCESS_ENDED.into(),
            Self::StoreFailed => STORE_FAILED.into(),
            Self::Machine(cause) => format!("{MACHINE}{cause}"),
        };
        Failure { reason: Failure::INTERRUPTED.into(), detail }
    }

    /// Returns why a trial was interrupted; `None` if it was not.
    pub(crate) fn of(trial: &FrozenTrial) -> Option<Self> {
        let failure = trial.record.failure.as_ref()?;
        if trial.state != TrialState::Failed
            || failure.reason != Failure::INTERRUPTED
            || failure.detail == TOLD
        {
            return None;
        }
        Some(match failure.detail.as_str() {
            PROCESS_ENDED => Self::ProcessEnded,
            STORE_FAILED => Self::StoreFailed,
            detail => detail.strip_prefix(MACHINE).map_or(Self::Stopped, |cause| Self::Machine(cause.into())),
        })
    }

    /// Whether an evaluation that ended so counts as one of the trial's attempts.
    pub(crate) fn counts_as_attempt(&self) -> bool {
        !matches!(self, Self::Machine(_))
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::Params;

    use super::*;

    fn failed(failure: Failure) -> FrozenTrial {
        let mut trial = FrozenTrial::new(0, TrialState::Failed, [], Params::default());
        trial.record.failure = Some(failure);
        trial
    }

    #[test]
    fn each_interruption_is_read_as_it_was_written() {
        // The texts are those of stores that exist.
        for (interruption, detail) in [
            (Interruption::Stopped, ""),
            (Interruption::ProcessEnded, "its process ended first"),
            (Interruption::StoreFailed, "the store failed first"),
            (Interruption::Machine("no space".into()), "a fault of the machine: no space"),
        ] {
            let failure = interruption.failure();
            assert_eq!((failure.reason.as_str(), failure.detail.as_str()), ("interrupted", detail));
            assert_eq!(Interruption::of(&failed(failure)), Some(interruption));
        }
    }

    #[test]
    fn other_failures_and_other_states_are_no_interruptions() {
        let mut trial = failed(Failure { reason: "exit status 1".into(), detail: "interrupted".into() });
        assert_eq!(Interruption::of(&trial), None);
        trial.record.failure = Some(told("interrupted"));
        assert_eq!(Interruption::of(&trial), None);
        assert_eq!(told("no memory").detail, "");
        trial.record.failure = Some(Interruption::Stopped.failure());
        trial.state = TrialState::Pruned;
        assert_eq!(Interruption::of(&trial), None);
    }
}
