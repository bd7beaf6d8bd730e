//! Trainings of planned configurations.

use allometry_analysis::{RetrainedTrials, StudyPredictions, StudyTrials};
use allometry_core::{FrozenTrial, Params, Retraining, TrialNumber, TrialRng, TrialState, ValidationScores};

use crate::random::gaussian;

/// One training: settings, seed, value, scores.
pub(crate) struct Training {
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    pub(crate) value: f64,
    /// Value on the validation rows, if the trial is scored on other rows.
    pub(crate) validation: Option<f64>,
    pub(crate) scores: Option<ValidationScores>,
}

impl Training {
    pub(crate) fn new(rate: f64, seed: u64, value: f64) -> Self {
        Self { rate, seed, value, validation: None, scores: None }
    }
}

fn params(rate: f64) -> Params {
    [("learning_rate", rate)].into_iter().collect()
}

/// Returns the trainings of budget `label`. `plan` has the source, rank and setting of each configuration,
/// which is trained under the seeds 1 to `seeds`.
pub(crate) fn trained(
    label: &str,
    plan: &[(&str, u64, f64)],
    seeds: u64,
    trainings: Vec<Training>,
) -> RetrainedTrials {
    let mut scores = StudyPredictions::default();
    let trials = (0..).zip(trainings).map(|(number, training)| {
        if let Some(one) = training.scores {
            assert!(scores.insert(TrialNumber(number), one));
        }
        let state = TrialState::Complete;
        let mut trial = FrozenTrial::new(number, state, Some(training.value), params(training.rate));
        trial.record.seed = Some(training.seed);
        trial
            .record
            .metrics
            .extend(training.validation.map(|value| (Retraining::VALIDATION.to_owned(), value)));
        trial
    });
    let trials = trials.collect();
    let plan = plan.iter().flat_map(|(from, rank, rate)| {
        (1..=seeds).map(|seed| Retraining {
            from: (*from).into(),
            trial: TrialNumber(*rank),
            rank: *rank,
            params: params(*rate),
            seed,
        })
    });
    let (budget, plan) = (label.into(), plan.collect());
    RetrainedTrials { budget, plan, trials, predictions: scores }
}

/// Returns the search of a budget, with one trial of value 0.7.
pub(crate) fn study(label: &str) -> StudyTrials {
    let trial = FrozenTrial::new(0, TrialState::Complete, Some(0.7), params(0.1));
    StudyTrials::new(label, "test", vec![trial])
}

/// Returns a model's scores of rows, half of them positive, whose classes have distance `distance`. Part of a
/// row's score is the same for all models.
pub(crate) fn scored(rows: &[f64], distance: f64, rng: &mut TrialRng) -> ValidationScores {
    let labels: Vec<bool> = (0..rows.len()).map(|row| row % 2 == 0).collect();
    let score = |(row, label): (&f64, &bool)| {
        (0.8 * row + 0.6 * gaussian(rng) + if *label { distance } else { 0.0 }) as f32
    };
    let scores = rows.iter().zip(&labels).map(score).collect();
    ValidationScores { rows: (0..rows.len() as u64).collect(), labels, scores }
}

pub(crate) fn auc(scores: &ValidationScores) -> f64 {
    let of = |class: bool| {
        let both = scores.scores.iter().zip(&scores.labels);
        both.filter(move |(_, label)| **label == class).map(|(score, _)| *score)
    };
    let wins: usize = of(true).map(|high| of(false).filter(|low| high > *low).count()).sum();
    wins as f64 / (of(true).count() * of(false).count()) as f64
}
