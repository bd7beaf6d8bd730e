//! A pruner of trials whose predictions have become constant.

use allometry_core::{CollapseSpec, EarlyStop};

use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial whose predictions on the validation rows, by its metrics `pred_min` and `pred_max`, were
/// constant in each of the last `epochs` reports. Without these metrics it stops no trial.
#[derive(Debug)]
pub(super) struct Collapse(pub(super) CollapseSpec);

impl Rule for Collapse {
    fn decide(&self, _peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let CollapseSpec { epochs, spread } = self.0;
        let is_constant = |step: &i64| {
            let metrics = trial.metrics.get(step);
            let metric = |name| metrics.and_then(|metrics| metrics.get(name));
            metric("pred_max").zip(metric("pred_min")).is_some_and(|(max, min)| max - min <= spread)
        };
        let enough = trial.intermediate.len() as u64 >= epochs;
        if enough && trial.intermediate.keys().rev().take(epochs as usize).all(is_constant) {
            return Decision::Stop(EarlyStop::Collapsed);
        }
        Decision::Continue
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use allometry_core::{Params, TrialNumber};

    use super::*;
    use crate::sampler::StudyView;

    fn decision(spreads: &[Option<f64>]) -> Decision {
        let steps = 1..=spreads.len() as i64;
        let intermediate = steps.clone().map(|step| (step, 0.5)).collect();
        let metrics: BTreeMap<i64, BTreeMap<String, f64>> = steps
            .zip(spreads)
            .map(|(step, spread)| {
                let pair = |s: f64| [("pred_min".to_owned(), 0.3), ("pred_max".to_owned(), 0.3 + s)];
                (step, spread.map(pair).into_iter().flatten().collect())
            })
            .collect();
        let (number, params) = (TrialNumber(0), &Params::default());
        let trial = ReportingTrial { number, params, intermediate: &intermediate, metrics: &metrics };
        let view = StudyView { finished: &[], running: &[], other_budgets: &[] };
        Collapse(CollapseSpec { epochs: 3, spread: 0.01 })
            .decide(&Peers { view: &view, having: None }, &trial)
    }

    #[test]
    fn constant_predictions_in_a_row_are_a_collapse() {
        let stop = Decision::Stop(EarlyStop::Collapsed);
        assert_eq!(decision(&[Some(0.0), Some(0.009), Some(0.0)]), stop);
        assert_eq!(decision(&[Some(0.5), Some(0.4), Some(0.0), Some(0.0), Some(0.0)]), stop);
        assert_eq!(decision(&[Some(0.0), Some(0.0)]), Decision::Continue, "too early to tell");
        assert_eq!(decision(&[Some(0.0), Some(0.02), Some(0.0), Some(0.0)]), Decision::Continue);
        assert_eq!(decision(&[Some(0.0), Some(f64::NAN), Some(0.0)]), Decision::Continue);
        assert_eq!(decision(&[None, None, None, None]), Decision::Continue, "nothing recorded");
    }
}
