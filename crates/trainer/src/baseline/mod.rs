//! What a model must beat: baselines fitted on the same windows, so that they are scored on the same rows.

mod cholesky;
mod logistic;

use std::collections::BTreeMap;

use allometry_core::ValidationScores;

use crate::data::Dataset;
use crate::metric;

/// A baseline and how it did on the validation part.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineResult {
    /// Stable name: `class_prior` or `logistic_regression`.
    pub name: &'static str,
    /// What it is, in words.
    pub description: String,
    /// Metrics on the validation windows, as [`metric::evaluate`] gives them.
    pub metrics: BTreeMap<String, f64>,
    /// Predictions for the validation windows.
    pub scores: ValidationScores,
}

/// Fits every baseline on the training windows and scores it on the validation windows.
///
/// - `class_prior` predicts the share of positives among the training windows for every row: what no skill scores.
/// - `logistic_regression` predicts from the features of a window's last row alone, standardised by the training windows'
///   last rows, with weights that minimise the sum of log losses plus their squared norm over 2 C (scikit-learn's
///   `LogisticRegression`). C is the one of 1, 0.1, ... 0.0001 with the lowest log loss on the last fifth of the training
///   windows when fitted on those before; then all are fitted. Scaling of the data set makes no difference to it.
pub fn baselines(dataset: &Dataset) -> Vec<BaselineResult> {
    let prior = dataset.prior();
    let scored = |name, description: String, scores: Vec<f32>| {
        let windows = &dataset.validation.windows;
        let labels: Vec<bool> = windows.iter().map(|w| w.label).collect();
        let metrics = metric::evaluate(&labels, &scores, prior);
        let rows = windows.iter().map(|w| w.row).collect();
        BaselineResult { name, description, metrics, scores: ValidationScores { rows, labels, scores } }
    };
    let constant = vec![prior as f32; dataset.validation.windows.len()];
    let logistic = logistic::predict(dataset);
    let strength = logistic.strength;
    let described = format!(
        "L2-regularised logistic regression on a window's last row; C = {strength}, chosen within the training part"
    );
    vec![
        scored("class_prior", "the share of positives in the training part".to_owned(), constant),
        scored("logistic_regression", described, logistic.scores),
    ]
}

#[cfg(test)]
mod tests {
    use allometry_core::ladder::spec::{
        DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SplitSpec,
    };

    use super::*;
    use crate::data::{Part, Preparation, Window, load};

    fn part(labels: &[u8], first: usize) -> Part {
        let windows = labels
            .iter()
            .enumerate()
            .map(|(i, &l)| Window { last: first + i, row: 100 + (first + i) as u64, label: l == 1 })
            .collect();
        Part { windows }
    }

    #[test]
    fn the_prior_is_the_training_share() {
        let dataset = Dataset {
            feature_names: vec!["x".into()],
            values: vec![0.0, 1.0, 2.0, 3.0, 0.5, 2.5],
            context: 1,
            train: part(&[0, 0, 0, 1], 0),
            validation: part(&[0, 1], 4),
            test: Part::default(),
            preparation: Preparation::default(),
        };
        let [prior, logistic] = &baselines(&dataset)[..] else { panic!("two baselines") };
        assert_eq!(prior.scores.scores, [0.25, 0.25]);
        assert_eq!(prior.scores.rows, [104, 105]);
        assert_eq!(prior.metrics["auc"], 0.5);
        // Half of the rows cost -ln 0.25, half -ln 0.75.
        let expected = -(0.25_f64.ln() + 0.75_f64.ln()) / 2.0;
        assert!((prior.metrics["log_loss"] - expected).abs() < 1e-9);
        assert_eq!(logistic.scores.labels, [false, true]);
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
            label: LabelSpec::Column("label".to_owned()),
            features: FeatureSpec { include: None, exclude: vec!["close".to_owned(), "high".to_owned()] },
            split: SplitSpec { train: 0.70, validation: 0.15 },
            missing: MissingPolicy::Error,
        };
        for normalize in [Normalize::Standard, Normalize::None] {
            let dataset = load(&spec, 80, normalize).expect("is loaded").dataset;
            let logistic = &baselines(&dataset)[1];
            assert!(logistic.description.contains("C = 0.01"), "{}", logistic.description);
            // scikit-learn 1.9.1: StandardScaler and LogisticRegression(C=0.01, solver="newton-cholesky", tol=1e-12),
            // fitted and scored on the same windows' last rows.
            let (auc, log_loss) = (logistic.metrics["auc"], logistic.metrics["log_loss"]);
            assert!((auc - 0.785_565_68).abs() < 1e-4, "{normalize:?}: {auc}");
            assert!((log_loss - 0.394_644_34).abs() < 1e-5, "{normalize:?}: {log_loss}");
        }
    }
}
