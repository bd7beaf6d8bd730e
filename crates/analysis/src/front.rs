//! Pareto front of a multi-objective study and its hypervolume.

use allometry_core::pareto::{best_trials, hypervolume, losses, point};
use allometry_core::{Direction, FrozenTrial, MetricSpec, ModelSize, Params, TrialNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{LadderTrials, StudyTrials};
use allometry_core::is_usable;

/// Objectives of a ladder with several objectives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objectives {
    /// All objectives. The rest of the analysis is about the first one.
    pub metrics: Vec<MetricSpec>,
    /// Worst value of any trial of the ladder for each objective: the reference point of hypervolumes.
    pub reference: Vec<f64>,
    /// Best value of any trial of the ladder for each objective.
    pub ideal: Vec<f64>,
}

/// Pareto front of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Front {
    /// Trials of the Pareto front, best value of the first objective first.
    pub trials: Vec<FrontTrial>,
    /// Number of complete trials with a usable value of every objective.
    pub complete: u64,
    /// Hypervolume between the front and the ladder's reference, as a share of that between the ideal and the
    /// reference. It is 1 if one trial is best in every objective, and `null` if an objective has only one
    /// value.
    pub hypervolume: Option<f64>,
}

/// A trial of the Pareto front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrontTrial {
    /// The trial's number.
    pub number: TrialNumber,
    /// The trial's values, in the order of the objectives.
    pub values: Vec<f64>,
    /// Exact size of its model, if known.
    pub size: Option<ModelSize>,
    /// The trial's configuration.
    pub params: Params,
}

/// Whether a trial has a usable value of every objective.
fn is_whole(trial: &FrozenTrial, directions: &[Direction]) -> bool {
    trial.eligible_value().is_some()
        && point(trial, directions).is_some_and(|losses| losses.iter().copied().all(is_usable))
}

impl Objectives {
    /// Collects the objectives of a ladder. `None` if it has one objective, if the direction of an objective
    /// is unknown, or if no trial has values of all of them.
    pub fn new(ladder: &LadderTrials) -> Option<Self> {
        if !ladder.metrics.are_several() {
            return None;
        }
        let metrics = ladder.metrics.as_slice().to_vec();
        let directions = ladder.metrics.directions();
        let trials = ladder.studies.iter().flat_map(|study| &study.trials);
        let values: Vec<Vec<f64>> =
            trials.filter(|trial| is_whole(trial, &directions)).map(|trial| trial.values.clone()).collect();
        let extreme = |objective: usize, wants_better: bool| {
            let own = values.iter().map(|values| values[objective]);
            own.reduce(|a, b| if directions[objective].better(b, a) == wants_better { b } else { a })
        };
        let all =
            |wants_better| (0..metrics.len()).map(|objective| extreme(objective, wants_better)).collect();
        let (reference, ideal) = (all(false), all(true));
        let (reference, ideal): (Option<Vec<f64>>, Option<Vec<f64>>) = (reference, ideal);
        Some(Self { metrics, reference: reference?, ideal: ideal? })
    }
}

impl Front {
    /// Finds the Pareto front of one study.
    pub fn new(study: &StudyTrials, objectives: &Objectives) -> Self {
        let directions: Vec<Direction> = objectives.metrics.iter().map(|metric| metric.direction).collect();
        let whole: Vec<FrozenTrial> =
            study.trials.iter().filter(|trial| is_whole(trial, &directions)).cloned().collect();
        let mut best = best_trials(&whole, &directions);
        let loss = |trial: &FrozenTrial| losses(&trial.values, &directions);
        best.sort_by(|a, b| loss(a)[0].total_cmp(&loss(b)[0]).then(a.number.cmp(&b.number)));
        Self {
            hypervolume: share(
                &best.iter().map(|trial| loss(trial)).collect::<Vec<_>>(),
                objectives,
                &directions,
            ),
            complete: whole.len() as u64,
            trials: best
                .into_iter()
                .map(|trial| FrontTrial {
                    number: trial.number,
                    values: trial.values.clone(),
                    size: trial.record.size,
                    params: trial.params.clone(),
                })
                .collect(),
        }
    }
}

/// Returns the hypervolume of points in units in which the ideal is 0 and the reference 1. This keeps the
/// hypervolume finite for values of any size.
fn share(points: &[Vec<f64>], objectives: &Objectives, directions: &[Direction]) -> Option<f64> {
    let ideal = losses(&objectives.ideal, directions);
    let reference = losses(&objectives.reference, directions);
    let ranges: Vec<f64> = ideal.iter().zip(&reference).map(|(best, worst)| worst - best).collect();
    if ranges.iter().any(|range| *range <= 0.0) {
        return None;
    }
    let scaled: Vec<Vec<f64>> = points
        .iter()
        .map(|point| {
            point.iter().zip(&ideal).zip(&ranges).map(|((x, best), range)| (x - best) / range).collect()
        })
        .collect();
    Some(hypervolume(&scaled, &vec![1.0; ranges.len()]))
}

#[cfg(test)]
mod tests {
    use allometry_core::Metrics;
    use allometry_core::TrialState;

    use super::*;

    fn study(label: &str, values: &[&[f64]]) -> StudyTrials {
        let trial = |(number, values): (usize, &&[f64])| {
            let state = if values.is_empty() { TrialState::Failed } else { TrialState::Complete };
            FrozenTrial::new(number as u64, state, values.to_vec(), Params::default())
        };
        StudyTrials::new(label, "test", values.iter().enumerate().map(trial).collect())
    }

    fn ladder(studies: Vec<StudyTrials>) -> LadderTrials {
        let seconds = MetricSpec { name: "seconds".into(), direction: Direction::Minimize };
        let metrics = Metrics::one("AUC", Direction::Maximize).with([seconds]);
        LadderTrials { metrics, ..LadderTrials::new(studies) }
    }

    #[test]
    fn fronts_of_all_budgets_are_measured_from_one_place() {
        let ladder = ladder(vec![
            study("s", &[&[0.5, 10.0], &[0.7, 20.0], &[0.6, 25.0], &[], &[f64::INFINITY, 1.0]]),
            study("l", &[&[0.9, 30.0], &[0.9]]),
        ]);
        let objectives = Objectives::new(&ladder).unwrap();
        assert_eq!(objectives.reference, [0.5, 30.0]);
        assert_eq!(objectives.ideal, [0.9, 10.0]);
        let front = Front::new(&ladder.studies[0], &objectives);
        let numbers: Vec<u64> = front.trials.iter().map(|trial| trial.number.0).collect();
        assert_eq!((numbers, front.complete), (vec![1, 0], 3));
        // The trial with 0.7 gains (0.7 - 0.5) / 0.4 by (30 - 20) / 20; those at the reference gain nothing.
        assert!((front.hypervolume.unwrap() - 0.25).abs() < 1e-12);
        assert_eq!(Front::new(&ladder.studies[1], &objectives).hypervolume, Some(0.0));
    }

    #[test]
    fn one_value_alone_has_no_volume() {
        let ladder = ladder(vec![study("s", &[&[0.5, 10.0]])]);
        let objectives = Objectives::new(&ladder).unwrap();
        assert_eq!(Front::new(&ladder.studies[0], &objectives).hypervolume, None);
        assert_eq!(Objectives::new(&LadderTrials::new(Vec::new())), None);
    }
}
