//! Baselines that a model must beat. They are fitted on the same windows and scored on the same rows as
//! models.

mod last_value;
mod logistic;
mod ridge;
mod rows;
mod targets;
mod trees;

use std::collections::BTreeMap;

use allometry_core::ValidationScores;
use allometry_ladder::Task;

use self::rows::Rows;
use self::targets::Targets;
use crate::data::Dataset;
use crate::metric;

/// Largest number of classes for which models are fitted: each class has trees and weights of its own.
const MOST_CLASSES: usize = 20;

/// A baseline and its result on the validation part.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineResult {
    /// Stable name: `class_prior`, `mean`, `logistic_regression`, `ridge_regression`, `boosted_trees`,
    /// `last_value` or `seasonal_last_value`.
    pub name: &'static str,
    /// Description for users.
    pub description: String,
    /// Metrics on the validation windows, as returned by [`metric::evaluate`],
    /// [`metric::evaluate_classes`] or [`metric::evaluate_numbers`].
    pub metrics: BTreeMap<String, f64>,
    /// Predictions for the validation windows of a binary label.
    pub scores: Option<ValidationScores>,
}

impl BaselineResult {
    /// Returns the baselines that all folds have, each with the description of the last fold's and the means
    /// of its metrics; without predictions.
    pub fn means(folds: &[Vec<Self>]) -> Vec<Self> {
        let Some((last, others)) = folds.split_last() else { return Vec::new() };
        let mean = |one: &Self| {
            let same: Option<Vec<&Self>> =
                others.iter().map(|fold| fold.iter().find(|other| other.name == one.name)).collect();
            let same = same?;
            let of_metric = |(name, value): (&String, &f64)| {
                let rest: Option<f64> = same.iter().map(|other| other.metrics.get(name).copied()).sum();
                Some((name.clone(), (value + rest?) / folds.len() as f64))
            };
            let metrics = one.metrics.iter().filter_map(of_metric).collect();
            Some(Self { name: one.name, description: one.description.clone(), metrics, scores: None })
        };
        last.iter().filter_map(mean).collect()
    }
}

/// Fits every baseline on the training windows and scores it on the validation windows. `horizon` is the
/// number of rows ahead that a row's label depends on.
///
/// Models predict from the features of a window's last row. Their settings are those with the lowest loss on
/// the last fifth of the training windows when fitted on those before; then all are fitted. Scaling of the
/// data set does not affect them.
///
/// - `class_prior` predicts the share of each class among the training windows for every row, and `mean`
///   their mean target: the scores without skill.
/// - `logistic_regression`, for a binary label and up to 20 classes, has weights that minimise the sum of log
///   losses plus their squared norm over 2 C (scikit-learn's `LogisticRegression`) on features standardised
///   by the training windows. C is one of 1, 0.1, ... 0.0001. With several classes each has weights against
///   the rest.
/// - `ridge_regression`, for numbers, has weights that minimise the sum of squared errors plus alpha times
///   their squared norm (scikit-learn's `Ridge`) on features standardised in the same way. Alpha is one of
///   0.01, 0.1, ... 10,000.
/// - `boosted_trees`, for numbers, a binary label and up to 20 classes, are gradient-boosted trees of depth
///   3, whose number of rounds is chosen. With several classes each round has a tree per class.
/// - `last_value`, for numbers, predicts the last label that is known at the window's end, `horizon` rows
///   before; `seasonal_last_value` the last known one at the same time of a season. The season is the one of
///   5, 7, 12, 24, 52 and 365 rows with the smallest squared error on the training windows.
pub fn baselines(dataset: &Dataset, task: Task, horizon: usize) -> Vec<BaselineResult> {
    match task {
        Task::Binary => binary(dataset),
        Task::Classes => classes(dataset),
        Task::Regression => numbers(dataset, horizon),
    }
}

fn binary(dataset: &Dataset) -> Vec<BaselineResult> {
    let prior = dataset.prior();
    let scored = |name, description: String, scores: Vec<f32>| {
        let windows = &dataset.validation.windows;
        let labels: Vec<bool> = windows.iter().map(|w| w.is_positive()).collect();
        let metrics = metric::evaluate(&labels, &scores, prior);
        let rows = windows.iter().map(|w| w.row).collect();
        BaselineResult { name, description, metrics, scores: Some(ValidationScores { rows, labels, scores }) }
    };
    let constant = vec![prior as f32; dataset.validation.windows.len()];
    let labels: Vec<bool> = dataset.train.windows.iter().map(|w| w.is_positive()).collect();
    let (rows, targets) = (Rows::of(dataset), Targets::Binary(&labels));
    let logistic = logistic::predict(&rows.standardised(), targets);
    let boosted = trees::predict(&rows.train, targets, &rows.validation, rows.features, rows.held_out);
    let described = regularised("", logistic.strength);
    vec![
        scored("class_prior", "the share of positives in the training part".to_owned(), constant),
        scored("logistic_regression", described, logistic.scores),
        scored("boosted_trees", grown(boosted.rounds), boosted.predictions),
    ]
}

fn classes(dataset: &Dataset) -> Vec<BaselineResult> {
    let classes = dataset.preparation.classes;
    let train: Vec<usize> = dataset.train.windows.iter().map(|w| w.target as usize).collect();
    let labels: Vec<usize> = dataset.validation.windows.iter().map(|w| w.target as usize).collect();
    let scored = |name, description: String, probabilities: &[f32]| BaselineResult {
        name,
        description,
        metrics: metric::evaluate_classes(&labels, probabilities),
        scores: None,
    };
    let share = |class: usize| {
        train.iter().filter(|label| **label == class).count() as f32 / train.len().max(1) as f32
    };
    let shares: Vec<f32> = (0..classes).map(share).collect();
    let constant = shares.repeat(labels.len());
    let mut results =
        vec![scored("class_prior", "the share of each class in the training part".to_owned(), &constant)];
    if classes <= MOST_CLASSES {
        let (rows, targets) = (Rows::of(dataset), Targets::Classes(&train, classes));
        let logistic = logistic::predict(&rows.standardised(), targets);
        let boosted = trees::predict(&rows.train, targets, &rows.validation, rows.features, rows.held_out);
        let described = regularised(" of each class against the rest", logistic.strength);
        let grown = format!(
            "{} rounds of gradient-boosted trees of depth 3, one per class, on a window's last row, their \
             number chosen within the training part",
            boosted.rounds
        );
        results.push(scored("logistic_regression", described, &logistic.scores));
        results.push(scored("boosted_trees", grown, &boosted.predictions));
    }
    results
}

fn numbers(dataset: &Dataset, horizon: usize) -> Vec<BaselineResult> {
    let mean = dataset.preparation.target.map_or(0.0, |(mean, _)| mean);
    let train: Vec<f64> = dataset.train.windows.iter().map(|w| f64::from(w.target)).collect();
    let targets: Vec<f64> = dataset.validation.windows.iter().map(|w| f64::from(w.target)).collect();
    let scored = |name, description: String, numbers: &[f32]| BaselineResult {
        name,
        description,
        metrics: metric::evaluate_numbers(&targets, numbers),
        scores: None,
    };
    let rows = Rows::of(dataset);
    let ridge = ridge::predict(&rows.standardised(), &train);
    let boosted =
        trees::predict(&rows.train, Targets::Numbers(&train), &rows.validation, rows.features, rows.held_out);
    let described = format!(
        "ridge regression on a window's last row; alpha = {}, chosen within the training part",
        ridge.penalty
    );
    let ahead = if horizon == 1 { "1 row".to_owned() } else { format!("{horizon} rows") };
    let constant = vec![mean as f32; targets.len()];
    let last = last_value::last_value(dataset, horizon, mean);
    let mut results = vec![
        scored("mean", "the mean of the training part".to_owned(), &constant),
        scored("ridge_regression", described, &ridge.numbers),
        scored("boosted_trees", grown(boosted.rounds), &boosted.predictions),
        scored("last_value", format!("the label {ahead} before, the last that is known"), &last),
    ];
    if let Some((season, numbers)) = last_value::seasonal(dataset, horizon, mean) {
        let described = format!(
            "the last known label at the same place of a season of {season} rows, chosen within the training \
             part"
        );
        results.push(scored("seasonal_last_value", described, &numbers));
    }
    results
}

fn regularised(of: &str, strength: f64) -> String {
    format!(
        "L2-regularised logistic regression{of} on a window's last row; C = {strength}, chosen within the \
         training part"
    )
}

fn grown(trees: usize) -> String {
    format!(
        "{trees} gradient-boosted trees of depth 3 on a window's last row, their number chosen within the \
         training part"
    )
}

#[cfg(test)]
mod tests {
    use allometry_ladder::{DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SplitSpec};

    use super::*;
    use crate::data::{Preparation, SplitPart, Window, load};

    fn part(labels: &[u8], first: usize) -> SplitPart {
        let windows = labels
            .iter()
            .enumerate()
            .map(|(i, &l)| Window { last: first + i, row: 100 + (first + i) as u64, target: f32::from(l) })
            .collect();
        SplitPart { windows }
    }

    #[test]
    fn the_prior_is_the_training_share() {
        let dataset = Dataset {
            panel: None,
            feature_names: vec!["x".into()],
            values: vec![0.0, 1.0, 2.0, 3.0, 0.5, 2.5],
            context: 1,
            targets: Vec::new(),
            train: part(&[0, 0, 0, 1], 0),
            validation: part(&[0, 1], 4),
            test: SplitPart::default(),
            preparation: Preparation::default(),
        };
        let [prior, logistic, _] = &baselines(&dataset, Task::Binary, 1)[..] else {
            panic!("three baselines")
        };
        let scores = |b: &BaselineResult| b.scores.clone().expect("labels are binary");
        assert_eq!(scores(prior).scores, [0.25, 0.25]);
        assert_eq!(scores(prior).rows, [104, 105]);
        assert_eq!(prior.metrics["auc"], 0.5);
        // Half of the rows cost -ln 0.25, half -ln 0.75.
        let expected = -(0.25_f64.ln() + 0.75_f64.ln()) / 2.0;
        assert!((prior.metrics["log_loss"] - expected).abs() < 1e-9);
        assert_eq!(scores(logistic).labels, [false, true]);
        assert_eq!(logistic.metrics["auc"], 1.0);
    }

    #[test]
    fn the_shared_table() {
        let test = "baseline::tests::the_shared_table";
        let Some(path) = allometry_testkit::reference_file(test, "data/sp500-a100.parquet") else {
            return;
        };
        let spec = DataSpec {
            path,
            time: Some("date".to_owned()),
            label: LabelSpec::column("label"),
            features: FeatureSpec {
                exclude: vec!["close".to_owned(), "high".to_owned()],
                ..FeatureSpec::default()
            },
            split: SplitSpec { train: 0.70, validation: 0.15 },
            folds: None,
            missing: MissingPolicy::Error,
            max_gap: None,
            series: None,
        };
        for normalize in [Normalize::Standard, Normalize::None] {
            let dataset = load(&spec, 80, normalize, Task::Binary).expect("is loaded").dataset;
            let logistic = &baselines(&dataset, Task::Binary, 1)[1];
            assert!(logistic.description.contains("C = 0.01"), "{}", logistic.description);
            // scikit-learn 1.9.1: StandardScaler and LogisticRegression(C=0.01, solver="newton-cholesky",
            // tol=1e-12), fitted and scored on the same windows' last rows.
            let (auc, log_loss) = (logistic.metrics["auc"], logistic.metrics["log_loss"]);
            assert!((auc - 0.785_565_68).abs() < 1e-4, "{normalize:?}: {auc}");
            assert!((log_loss - 0.394_644_34).abs() < 1e-5, "{normalize:?}: {log_loss}");
            let boosted = &baselines(&dataset, Task::Binary, 1)[2];
            assert!(boosted.description.starts_with("75 gradient-boosted trees"), "{}", boosted.description);
            // scikit-learn 1.9.1: HistGradientBoostingClassifier(max_iter=75, learning_rate=0.05,
            // max_depth=3, max_leaf_nodes=None, min_samples_leaf=20, l2_regularization=1, max_bins=64)
            // gives 0.7875 and 0.3878. Its bins differ slightly.
            let (auc, log_loss) = (boosted.metrics["auc"], boosted.metrics["log_loss"]);
            assert!((auc - 0.7875).abs() < 0.004, "{normalize:?}: {auc}");
            assert!((log_loss - 0.3878).abs() < 0.002, "{normalize:?}: {log_loss}");
        }
    }
}
