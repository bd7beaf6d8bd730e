//! Baselines that a model must beat. They are fitted on the same windows and scored on the same rows as
//! models.

mod logistic;
mod trees;

use std::collections::BTreeMap;

use allometry_core::ValidationScores;
use allometry_ladder::Task;

use crate::data::{Dataset, SplitPart};
use crate::metric;

/// Share of the training windows, at their end, on which settings of a baseline are compared.
const HELD_OUT_SHARE: f64 = 0.2;

/// A baseline and its result on the validation part.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineResult {
    /// Stable name: `class_prior`, `logistic_regression`, `boosted_trees` or `mean`.
    pub name: &'static str,
    /// Description for users.
    pub description: String,
    /// Metrics on the validation windows, as returned by [`metric::evaluate`].
    pub metrics: BTreeMap<String, f64>,
    /// Predictions for the validation windows of a binary label.
    pub scores: Option<ValidationScores>,
}

/// Fits every baseline on the training windows and scores it on the validation windows.
///
/// For a binary label:
///
/// - `class_prior` predicts the share of positives among the training windows for every row, the score
///   without skill.
/// - `logistic_regression` predicts from the features of a window's last row, standardised by the last rows
///   of the training windows. Its weights minimise the sum of log losses plus their squared norm over 2 C
///   (scikit-learn's `LogisticRegression`). C is the one of 1, 0.1, ... 0.0001 with the lowest log loss on
///   the last fifth of the training windows when fitted on those before; then all are fitted. Scaling of
///   the data set does not affect it.
/// - `boosted_trees` predicts from the same rows by gradient-boosted trees of depth 3, whose number is
///   chosen in the same way.
///
/// For several classes the only baseline is `class_prior`, with each class's share; for numbers it is
/// `mean`, the mean target of the training windows.
pub fn baselines(dataset: &Dataset, task: Task) -> Vec<BaselineResult> {
    match task {
        Task::Binary => binary(dataset),
        Task::Classes => vec![shares(dataset)],
        Task::Regression => vec![mean(dataset)],
    }
}

fn shares(dataset: &Dataset) -> BaselineResult {
    let train = &dataset.train.windows;
    let share = |class: usize| {
        train.iter().filter(|w| w.target as usize == class).count() as f32 / train.len().max(1) as f32
    };
    let shares: Vec<f32> = (0..dataset.preparation.classes).map(share).collect();
    let labels: Vec<usize> = dataset.validation.windows.iter().map(|w| w.target as usize).collect();
    BaselineResult {
        name: "class_prior",
        description: "the share of each class in the training part".to_owned(),
        metrics: metric::evaluate_classes(&labels, &shares.repeat(labels.len())),
        scores: None,
    }
}

fn mean(dataset: &Dataset) -> BaselineResult {
    let mean = dataset.preparation.target.map_or(0.0, |(mean, _)| mean);
    let targets: Vec<f64> = dataset.validation.windows.iter().map(|w| f64::from(w.target)).collect();
    BaselineResult {
        name: "mean",
        description: "the mean of the training part".to_owned(),
        metrics: metric::evaluate_numbers(&targets, &vec![mean as f32; targets.len()]),
        scores: None,
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
    let rows = [&dataset.train, &dataset.validation].map(|part| last_rows(dataset, part));
    let [train, validation] = [&rows[0][..], &rows[1][..]];
    let labels: Vec<bool> = dataset.train.windows.iter().map(|w| w.is_positive()).collect();
    let logistic = logistic::predict(dataset, [train, validation], &labels);
    let held_out = held_out(labels.len(), dataset.context);
    let boosted = trees::predict(train, &labels, validation, dataset.features(), held_out);
    let grown = format!(
        "{} gradient-boosted trees of depth 3 on a window's last row, their number chosen within the \
         training part",
        boosted.trees
    );
    let strength = logistic.strength;
    let described = format!(
        "L2-regularised logistic regression on a window's last row; C = {strength}, chosen within the \
         training part"
    );
    vec![
        scored("class_prior", "the share of positives in the training part".to_owned(), constant),
        scored("logistic_regression", described, logistic.scores),
        scored("boosted_trees", grown, boosted.scores),
    ]
}

/// Returns the number of training windows that are fitted for comparing settings, and the first window of
/// the comparison. A context lies in between.
fn held_out(windows: usize, embargo: usize) -> [usize; 2] {
    let compared = windows - (windows as f64 * HELD_OUT_SHARE) as usize;
    [compared.saturating_sub(embargo), compared]
}

/// Returns the features of each window's last row, row-major.
fn last_rows(dataset: &Dataset, part: &SplitPart) -> Vec<f32> {
    let first = (dataset.context - 1) * dataset.features();
    part.windows.iter().flat_map(|&w| &dataset.window(w)[first..]).copied().collect()
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
            feature_names: vec!["x".into()],
            values: vec![0.0, 1.0, 2.0, 3.0, 0.5, 2.5],
            context: 1,
            train: part(&[0, 0, 0, 1], 0),
            validation: part(&[0, 1], 4),
            test: SplitPart::default(),
            preparation: Preparation::default(),
        };
        let [prior, logistic, _] = &baselines(&dataset, Task::Binary)[..] else { panic!("three baselines") };
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
            features: FeatureSpec { include: None, exclude: vec!["close".to_owned(), "high".to_owned()] },
            split: SplitSpec { train: 0.70, validation: 0.15 },
            missing: MissingPolicy::Error,
        };
        for normalize in [Normalize::Standard, Normalize::None] {
            let dataset = load(&spec, 80, normalize, Task::Binary).expect("is loaded").dataset;
            let logistic = &baselines(&dataset, Task::Binary)[1];
            assert!(logistic.description.contains("C = 0.01"), "{}", logistic.description);
            // scikit-learn 1.9.1: StandardScaler and LogisticRegression(C=0.01, solver="newton-cholesky",
            // tol=1e-12), fitted and scored on the same windows' last rows.
            let (auc, log_loss) = (logistic.metrics["auc"], logistic.metrics["log_loss"]);
            assert!((auc - 0.785_565_68).abs() < 1e-4, "{normalize:?}: {auc}");
            assert!((log_loss - 0.394_644_34).abs() < 1e-5, "{normalize:?}: {log_loss}");
            let boosted = &baselines(&dataset, Task::Binary)[2];
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
