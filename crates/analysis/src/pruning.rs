//! Savings from stopping trials early.

use allometry_core::{EarlyStop, FrozenTrial, ParamValue, TrialState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Savings from stopping trials early.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pruning {
    /// Number of trials that were stopped because their predictions had become constant.
    pub collapsed: u64,
    /// Number of trials that no pruner was allowed to stop.
    pub exempt: u64,
    /// Epochs that the stopped trials ran.
    pub epochs: u64,
    /// Epochs that they would have run in addition, estimated from the complete trials that ran past each
    /// stopping point; `null` if none did.
    pub saved: Option<f64>,
}

impl Pruning {
    /// Counts over the trials of a study; `None` if none was stopped early.
    pub(crate) fn new(trials: &[FrozenTrial]) -> Option<Self> {
        // Programs count their steps from 1, like the built-in trainer, or from 0, like Optuna's.
        let first =
            trials.iter().filter_map(|trial| trial.intermediate.first_key_value()).map(|(step, _)| *step);
        let before = first.min().map_or(1, |step| step.min(1));
        let last = |trial: &FrozenTrial| {
            trial.intermediate.last_key_value().map_or(0, |(step, _)| step - before + 1)
        };
        let of_state = |state| trials.iter().filter(move |trial| trial.state == state);
        // Trials of other lengths by design say nothing of how long a trial would have run.
        let length = |trial: &FrozenTrial| trial.params.get("epochs").cloned();
        let lengths: Vec<(Option<ParamValue>, i64)> =
            of_state(TrialState::Complete).map(|trial| (length(trial), last(trial))).collect();
        let stopped: Vec<&FrozenTrial> = of_state(TrialState::Pruned).collect();
        if stopped.is_empty() {
            return None;
        }
        let beyond = |trial: &FrozenTrial| {
            let (own, step) = (length(trial), last(trial));
            let alike = lengths.iter().filter(|(epochs, _)| *epochs == own);
            let further: Vec<i64> = alike.map(|(_, length)| length - step).filter(|more| *more > 0).collect();
            (!further.is_empty()).then(|| further.iter().sum::<i64>() as f64 / further.len() as f64)
        };
        let saved: Vec<f64> = stopped.iter().filter_map(|trial| beyond(trial)).collect();
        let collapsed = |trial: &&&FrozenTrial| trial.record.early_stop == Some(EarlyStop::Collapsed);
        Some(Self {
            collapsed: stopped.iter().filter(collapsed).count() as u64,
            exempt: trials.iter().filter(|trial| trial.record.exempt).count() as u64,
            epochs: stopped.iter().map(|trial| last(trial).unsigned_abs()).sum(),
            saved: (!saved.is_empty()).then(|| saved.iter().sum()),
        })
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::Params;

    use super::*;

    fn trial(state: TrialState, epochs: i64) -> FrozenTrial {
        let mut trial = FrozenTrial::new(0, state, Some(0.5), Params::default());
        trial.intermediate = (1..=epochs).map(|step| (step, 0.5)).collect();
        trial
    }

    #[test]
    fn steps_may_begin_at_0() {
        let from_0 = |state, epochs: i64| {
            let mut trial = trial(state, 0);
            trial.intermediate = (0..epochs).map(|step| (step, 0.5)).collect();
            trial
        };
        let found = Pruning::new(&[from_0(TrialState::Complete, 10), from_0(TrialState::Pruned, 3)]).unwrap();
        assert_eq!((found.epochs, found.saved), (3, Some(7.0)));
    }

    #[test]
    fn trials_of_other_epochs_say_nothing_of_what_was_saved() {
        let of = |state, epochs: i64, ran: i64| {
            let mut trial = trial(state, ran);
            trial.params.insert("epochs", epochs);
            trial
        };
        let complete = [of(TrialState::Complete, 10, 10), of(TrialState::Complete, 50, 40)];
        let saved = |stopped: FrozenTrial| {
            let [short, long] = complete.clone();
            Pruning::new(&[short, long, stopped]).unwrap().saved
        };
        assert_eq!(saved(of(TrialState::Pruned, 10, 4)), Some(6.0));
        assert_eq!(saved(of(TrialState::Pruned, 50, 4)), Some(36.0));
        assert_eq!(saved(of(TrialState::Pruned, 20, 4)), None);
    }

    #[test]
    fn saved_epochs_are_those_of_complete_trials_that_went_further() {
        let mut trials = vec![
            trial(TrialState::Complete, 10),
            trial(TrialState::Complete, 20),
            trial(TrialState::Failed, 50),
        ];
        assert_eq!(Pruning::new(&trials), None);
        // 7 and 17 epochs more, on average 12; 8 more after epoch 12, because one trial ended before that.
        trials.extend([trial(TrialState::Pruned, 3), trial(TrialState::Pruned, 12)]);
        trials[4].record.early_stop = Some(EarlyStop::Collapsed);
        trials[0].record.exempt = true;
        let pruning = Pruning::new(&trials).unwrap();
        assert_eq!(pruning, Pruning { collapsed: 1, exempt: 1, epochs: 15, saved: Some(20.0) });
        assert_eq!(Pruning::new(&trials[3..]).unwrap().saved, None, "nothing to go by");
    }
}
